"""`why`, `search`, `replay`: why a cell says what it says, where a word is, and reading made quick."""

from __future__ import annotations

from typing import Annotated

import typer

from vfdir_lab.cli.options import AsJson, Home, LensName, open_archive
from vfdir_lab.cli.screen import patiently, progress_bar, say, say_json, say_table

FOUND_SHOWN = 20


def add_to(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command("why")(why)
    app.command("search")(search)
    app.command("replay")(replay)


def why(
    object_id: Annotated[str, typer.Argument(metavar="OBJECT", help="Such as block:123.")],
    field: Annotated[str, typer.Argument(metavar="FIELD", help="A column, such as title.")],
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Why a field says what it says: the event that put it there, those that lost, and the rule."""
    archive = open_archive(home)
    found = patiently(archive, lambda: archive.why(object_id, field))
    if as_json:
        say_json(found.as_dict())
    else:
        say(found)


def search(
    text: Annotated[list[str], typer.Argument(metavar="TEXT…", help="Words; all of them have to be there.")],
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, help="At most N.")] = FOUND_SHOWN,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Blocks and channels that hold all words, best first; case and accents do not count."""
    archive = open_archive(home)
    found = patiently(archive, lambda: archive.search(" ".join(text)).limit(limit + 1).to_arrow_table())
    rows = found.to_pylist()
    if as_json:
        say_json(rows[:limit])
        return
    columns = ("object_id", "score", "title", "excerpt", "channels")
    say_table(columns, [[row[column] for column in columns] for row in rows[:limit]])
    if len(rows) > limit:
        say(f"… and more; these are the best {limit} (--limit shows more)")


def replay(
    full: Annotated[
        bool, typer.Option("--full", help="From the first event, not from earlier checkpoints.")
    ] = False,
    lens: LensName = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Compute the projections from the log again and keep them, so that reading is quick. Sends nothing."""
    archive = open_archive(home)
    with progress_bar() as bar:
        task = bar.add_task("replay", total=None, note="")
        report = archive.replay(
            lens=lens,
            full=full,
            on_progress=lambda done, total, name: bar.update(task, completed=done, total=total, note=name),
        )
    if as_json:
        kept_out = dict(report.kept_out)
        say_json(
            {"rows": report.rows, "reused": report.reused, "kept_out": kept_out, "seconds": report.seconds}
        )
    else:
        say(report)
