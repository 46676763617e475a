"""`compact`: few large segments instead of many small ones. Only this device's own part of the log."""

from __future__ import annotations

from typing import Annotated

import typer

from vfdir_lab.cli.options import AsJson, Home, open_archive
from vfdir_lab.cli.screen import progress_bar, say, say_json
from vfdir_lab.log import CompactReport


def add_to(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command("compact")(compact)


def compact(
    now: Annotated[
        bool, typer.Option("--now", help="Remove old files at once, without waiting for running readers.")
    ] = False,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Merge this device's small segments. Same events, same answers; old files go later (see --now)."""
    archive = open_archive(home)
    with progress_bar() as bar:
        task = bar.add_task("compact", total=None, note="")
        report = archive.compact(
            now=now, on_progress=lambda done, total: bar.update(task, completed=done, total=total)
        )
    if as_json:
        say_json(_as_dict(report))
    else:
        say(report)


def _as_dict(report: CompactReport) -> dict[str, object]:
    return {
        "merged": report.merged,
        "written": report.written,
        "events": report.events,
        "removed": report.removed,
        "waiting": report.waiting,
        "next_due": report.next_due,
        "kept": [{"path": one.path, "reason": one.reason} for one in report.kept],
    }
