"""`merge`: take in what another copy of the archive holds, or share with others through a bucket."""

from __future__ import annotations

from typing import Annotated

import typer

from vfdir_lab.cli.options import AsJson, Home, open_archive
from vfdir_lab.cli.screen import progress_bar, say, say_json
from vfdir_lab.errors import ForkedDeviceError
from vfdir_lab.log.merged import MergeReport


def add_to(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command("merge")(merge)


def merge(
    other: Annotated[
        str,
        typer.Argument(
            metavar="DIR",
            help="The folder of another copy; only read. Or s3://bucket/prefix, to share through.",
        ),
    ],
    accept_future: Annotated[
        bool, typer.Option("--accept-future", help="Let what is ahead of this clock count from now on.")
    ] = False,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Take in what another copy of the archive holds. Any order, any number of times: the same events.

    With s3://bucket/prefix, segments are taken from there and ours are sent; nothing there is overwritten.
    AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY say where it is and who asks.
    """
    archive = open_archive(home)
    try:
        with progress_bar() as bar:
            task = bar.add_task("merge", total=None, note="")
            report = archive.merge(
                other,
                accept_future=accept_future,
                on_progress=lambda done, total: bar.update(task, completed=done, total=total),
            )
    except ForkedDeviceError as error:
        _show(error.report, as_json=as_json)  # all but the forked device is merged
        raise
    _show(report, as_json=as_json)


def _show(report: MergeReport, *, as_json: bool) -> None:
    if as_json:
        say_json(report.as_dict())
    else:
        say(report)
