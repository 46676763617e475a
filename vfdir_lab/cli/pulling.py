"""`pull`: record what are.na shows."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.progress import Progress, TaskID

from vfdir_lab.cli.options import AsJson, Home, open_archive
from vfdir_lab.cli.screen import complain, progress_bar, safe, say, say_json, say_table
from vfdir_lab.errors import UsageError
from vfdir_lab.sync import PullProgress, PullReport, channel_name
from vfdir_lab.sync.media_report import MEDIA_COLUMNS

RESUMABLE = 3


def add_to(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command("pull")(pull)


def pull(
    channels: Annotated[
        list[str] | None, typer.Argument(metavar="CHANNEL…", help="Slug, number or are.na address.")
    ] = None,
    mine: Annotated[bool, typer.Option("--mine", help="All channels of the token's account.")] = False,
    full: Annotated[bool, typer.Option("--full", help="Read every page, not only the newest.")] = False,
    budget: Annotated[
        int | None, typer.Option("--budget", metavar="N", help="At most N requests; the next run resumes.")
    ] = None,
    depth: Annotated[
        int, typer.Option("--depth", metavar="N", help="Follow channels inside channels, N deep.")
    ] = 0,
    comments: Annotated[
        bool, typer.Option("--comments", help="Read comments too, where their count changed.")
    ] = False,
    media: Annotated[
        bool, typer.Option("--media", help="Keep copies of images and attachments, too.")
    ] = False,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Record what are.na shows of channels, politely: what is known already is not asked for again."""
    names = channels or []
    for name in names:
        channel_name(name)  # a bad name is told before an archive is made for it
    if not names and not mine:
        raise UsageError("name a channel to pull (slug, number or address), or say --mine")
    with open_archive(home, create=True) as archive, progress_bar() as bar:
        shown = Shown(bar)
        report = archive.pull(
            *names,
            full=full,
            mine=mine,
            budget=budget,
            depth=depth,
            comments=comments,
            media=media,
            on_progress=shown,
        )
    tell(report, as_json=as_json)
    if report.failed:
        raise typer.Exit(1)
    if report.resumable:
        raise typer.Exit(RESUMABLE)


def tell(report: PullReport, *, as_json: bool) -> None:
    """Print a report: the table on stdout, what a person should know on stderr."""
    if as_json:
        say_json(report.as_dict())
    else:
        say_table(
            ("channel", "new", "changed", "moved", "vanished", "requests", "waited", "state"), report.rows()
        )
        if report.media:
            say_table(MEDIA_COLUMNS, [one.row() for one in report.media])
    for note in (note for one in report.media for note in one.notes):
        complain(note)
    for channel in report.channels:
        for note in channel.notes:
            complain(f"{channel.title or channel.name}: {note}")
        if channel.error is not None:
            complain(f"{channel.name}: {channel.error}")
    if not as_json and not report.channels:
        say("no channels")


class Shown:
    """Turns the progress of a pull into bars, one a channel."""

    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._tasks: dict[str, TaskID] = {}
        self._newest: TaskID | None = None

    def __call__(self, progress: PullProgress) -> None:
        """Show where the pull is now, or why it waits."""
        if progress.waiting:
            if self._newest is not None:
                self._bar.update(self._newest, note=safe(progress.waiting))
            return
        if progress.channel not in self._tasks:
            self._tasks[progress.channel] = self._bar.add_task(safe(progress.channel), total=None, note="")
        self._newest = self._tasks[progress.channel]
        self._bar.update(self._newest, completed=progress.items, total=progress.total, note="")
