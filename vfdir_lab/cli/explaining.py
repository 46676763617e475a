"""`why`, `search`, `replay`: why a cell says what it says, where a word is, and reading made quick."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from vfdir_lab.archive import Archive
from vfdir_lab.cli.options import AsJson, Home, LensName, open_archive
from vfdir_lab.cli.screen import patiently, progress_bar, say, say_json, say_table
from vfdir_lab.errors import UsageError

FAILED = 1
FOUND_SHOWN = 20


class Engine(StrEnum):
    """What `replay` computes with."""

    duckdb = "duckdb"
    spark = "spark"


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
    engine: Annotated[
        Engine, typer.Option("--engine", help="Spark writes the rows to --out, for who has a cluster.")
    ] = Engine.duckdb,
    master: Annotated[
        str | None, typer.Option("--master", metavar="URL", help="Spark's: spark://host:7077, or local[2].")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="A new folder for what Spark computes.")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Compare Spark's rows with DuckDB's; a difference is exit 1.")
    ] = False,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Compute the projections from the log again and keep them, so that reading is quick. Sends nothing."""
    archive = open_archive(home)
    if engine is Engine.spark:
        if full:
            raise UsageError("Spark always begins with the first event; leave out --full")
        _on_spark(archive, lens, master, out, check=check, as_json=as_json)
        return
    if master or out or check:
        raise UsageError("--master, --out and --check are Spark's; say --engine spark")
    with _told() as on_progress:
        report = archive.replay(lens=lens, full=full, on_progress=on_progress)
    if as_json:
        kept_out = dict(report.kept_out)
        say_json(
            {"rows": report.rows, "reused": report.reused, "kept_out": kept_out, "seconds": report.seconds}
        )
    else:
        say(report)


def _on_spark(
    archive: Archive, lens: str | None, master: str | None, out: Path | None, *, check: bool, as_json: bool
) -> None:
    if master is None or out is None:
        raise UsageError("Spark needs to know where: --master local[2] (or spark://host:7077) and --out DIR")
    with _told() as on_progress:
        report = archive.on_spark(master).replay(lens=lens, to=out, check=check, on_progress=on_progress)
    if as_json:
        compared = report.comparisons
        checked = None if compared is None else {name: asdict(one) for name, one in compared.items()}
        say_json(asdict(report) | {"to": report.to, "ok": report.ok, "comparisons": checked})
    else:
        say(report)
    if not report.ok:
        raise typer.Exit(FAILED)


@contextmanager
def _told() -> Iterator[Callable[[int, int, str], None]]:
    """What a replay tells of its progress, as a bar."""
    with progress_bar() as bar:
        task = bar.add_task("replay", total=None, note="")
        yield lambda done, total, name: bar.update(task, completed=done, total=total, note=name)
