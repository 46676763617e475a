"""`import-export`: record what are.na's own export files say."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vfdir_lab.cli.options import AsJson, Home, open_archive
from vfdir_lab.cli.screen import complain, progress_bar, safe, say, say_json
from vfdir_lab.sync.exports_file import check_path
from vfdir_lab.sync.exports_report import ImportProgress
from vfdir_lab.sync.names import channel_name


def add_to(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command("import-export")(import_export)


def import_export(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="The CSV or zip, as are.na's site gave it.")],
    channel: Annotated[
        str | None,
        typer.Option(
            "--channel", metavar="CHANNEL", help="Slug or number, where the file's name does not say."
        ),
    ] = None,
    title: Annotated[
        str | None, typer.Option("--title", metavar="TITLE", help="What the channel is called.")
    ] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Record what an export of are.na's says of its blocks: no request, no account, nothing unpacked."""
    path = path.expanduser()
    check_path(path)  # a wrong path or name is told before an archive is made for it
    if channel is not None:
        channel_name(channel)
    with open_archive(home, create=True) as archive, progress_bar() as bar:
        task = bar.add_task(safe(path.name), total=None, note="")

        def show(progress: ImportProgress) -> None:
            bar.update(task, completed=progress.rows, total=progress.total)

        report = archive.import_export(path, channel=channel, title=title, on_progress=show)
    if as_json:
        say_json(report.as_dict())
    else:
        say("\n".join(report.lines()))
    for line in report.complaints():
        complain(line)
    if report.refused_rows:
        raise typer.Exit(1)
