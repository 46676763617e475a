"""`export`: a dated copy of a channel, for people."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vfdir_lab.cli.options import AsJson, AsOf, Home, LensName, open_archive
from vfdir_lab.cli.screen import progress_bar, say, say_json


def add_to(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command("export")(export)


def export(
    channel: Annotated[str, typer.Argument(metavar="CHANNEL", help="Slug or number.")],
    format_: Annotated[str, typer.Option("--format", metavar="FORMAT", help="json or jsonl.")],
    out: Annotated[Path, typer.Option("--out", metavar="PATH", help="A folder that does not exist yet.")],
    as_of: AsOf = None,
    lens: LensName = None,
    private: Annotated[bool, typer.Option("--private", help="Let a private channel leave.")] = False,
    replace: Annotated[bool, typer.Option("--replace", help="Replace an older snapshot there.")] = False,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Write a channel snapshot: the same head and options give the same bytes."""
    archive = open_archive(home)
    with progress_bar() as bar:
        task = bar.add_task("export", total=None, note="")
        snapshot = archive.export(
            channel,
            out,
            format=format_,
            as_of=as_of,
            lens=lens,
            private=private,
            replace=replace,
            on_progress=lambda rows: bar.update(task, completed=rows),
        )
    if as_json:
        say_json(snapshot.manifest)
    else:
        say(snapshot)
