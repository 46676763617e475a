"""`push sync conflicts`: what was wished goes out, and where are.na shows something else.

Checked by: `tests/cli/test_pushing.py`.
"""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.progress import Progress

from vfdir_lab.archive import Archive
from vfdir_lab.cli.options import AsJson, Home, open_archive, short_tx
from vfdir_lab.cli.pulling import RESUMABLE, Shown, tell
from vfdir_lab.cli.screen import complain, patiently, progress_bar, safe, say, say_json, say_table
from vfdir_lab.event import remote_number
from vfdir_lab.log import Head
from vfdir_lab.projection.provenance import Difference
from vfdir_lab.sync import PullReport
from vfdir_lab.sync.outbox import Outbox
from vfdir_lab.sync.push_report import PushPlan, PushProgress, PushReport

FAILED = 1
_CONFLICTS = "SELECT * FROM conflicts ORDER BY seen_at, object_id, field"
_TWICE = "duplicate"
_COMPARED = ("channels", "blocks", "connections")
_CHOSEN = "SELECT object_id FROM channels WHERE object_id IN (SELECT channel FROM scans) ORDER BY object_id"


def add_to(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command("push")(push)
    app.command("sync")(sync)
    app.command("conflicts")(conflicts)


def push(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be sent, as are.na's calls, and send nothing.")
    ] = False,
    budget: Annotated[
        int | None, typer.Option("--budget", metavar="N", help="At most N writes; the next push goes on.")
    ] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Send what was wished to are.na, each wish once, and see that it came true."""
    with open_archive(home) as archive:
        if dry_run:
            _tell_plan(archive.rehearse(), as_json=as_json)
            return
        report = _pushed(archive, budget)
    if as_json:
        say_json(report.as_dict())
    else:
        tell_push(report)
    _complain_of(report)
    if report.resumable or report.paused:
        raise typer.Exit(RESUMABLE)


def sync(home: Home = None, as_json: AsJson = False) -> None:
    """Pull the channels that were pulled before, push, and say what changed.

    Where are.na shows something else than an open wish, the wish goes out all the same, and it is said.
    """
    with open_archive(home) as archive:
        before = archive.head
        pulled = _pulled(archive)
        disputed = patiently(archive, lambda: conflicts_of(archive))
        if not as_json:
            _tell_pull(pulled, disputed)
        pushed = _pushed(archive, None)
        changes = patiently(archive, lambda: _changes(archive, before))
    if as_json:
        found = {"pull": pulled.as_dict() if pulled else None, "conflicts": disputed}
        say_json(found | {"push": pushed.as_dict(), "changed": changes})
    else:
        tell_push(pushed)
        _tell_changes(changes, before)
    _complain_of(pushed)
    if pulled and pulled.failed:
        raise typer.Exit(FAILED)
    if pushed.resumable or pushed.paused or (pulled and pulled.resumable):
        raise typer.Exit(RESUMABLE)


def conflicts(home: Home = None, as_json: AsJson = False) -> None:
    """Where are.na shows something else than what is wished: mine, theirs, and what it was before."""
    archive = open_archive(home)
    rows = patiently(archive, lambda: conflicts_of(archive))
    if as_json:
        say_json(rows)
        return
    tell_conflicts(rows)
    for tx in dict.fromkeys(short_tx(row["tx"]) for row in rows if row["tx"] and row["field"] != _TWICE):
        say(f"{tx}: yours goes out with the next push; `vfdir-lab outbox resolve {tx} --theirs` withdraws it")


def conflicts_of(archive: Archive) -> list[dict[str, Any]]:
    """The rows of `conflicts`, the oldest first."""
    rows: list[dict[str, Any]] = archive.sql(_CONFLICTS).to_arrow_table().to_pylist()
    return rows


def tell_conflicts(rows: list[dict[str, Any]]) -> None:
    """Print conflicts, a row each, and how those of things that are there twice are answered."""
    if not rows:
        say("no conflicts")
        return
    columns = ("object_id", "field", "mine", "theirs", "base", "tx", "seen_at")
    shown = [row | {"tx": short_tx(row["tx"] or "")} for row in rows]
    say_table(columns, [[row[column] for column in columns] for row in shown])
    for row in shown:
        if row["field"] == _TWICE:
            say(f"{row['object_id']}: made twice; keep one, and disconnect the other where it is too many")


def tell_push(report: PushReport) -> None:
    """Print what became of each transaction."""
    rows = report.rows()
    if not rows:
        say("there is nothing to push")
        return
    say_table(("transaction", "state", "requests", "why"), rows)


class ShownPush:
    """Turns the progress of a push into a bar of wishes."""

    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._task = bar.add_task("push", total=None, note="")

    def __call__(self, progress: PushProgress) -> None:
        """Show how many wishes have an end, which one is at work, and why it waits."""
        if progress.waiting:
            self._bar.update(self._task, note=safe(progress.waiting))
        if progress.total:
            self._bar.update(self._task, completed=progress.done, total=progress.total)
        if progress.label and not progress.waiting:
            self._bar.update(self._task, note=safe(progress.label))


def _pushed(archive: Archive, budget: int | None) -> PushReport:
    with progress_bar() as bar:
        return archive.push(budget=budget, on_progress=ShownPush(bar))


def _pulled(archive: Archive) -> PullReport | None:
    """A pull of the channels that were read before, or None: there are none."""
    chosen = archive.engine.arrow(_CHOSEN).column("object_id").to_pylist()
    numbers = [number for one in chosen if (number := remote_number(one)) is not None]
    if not numbers:
        return None
    with progress_bar() as bar:
        return archive.pull(*numbers, on_progress=Shown(bar))


def _tell_pull(pulled: PullReport | None, disputed: list[dict[str, Any]]) -> None:
    if pulled is None:
        say("no channels to pull yet: `vfdir-lab pull CHANNEL` chooses one")
    else:
        tell(pulled, as_json=False)
    say("")
    if disputed:
        tell_conflicts(disputed)
        say("what you wished goes out all the same; what are.na showed stays in the log")
        say("")


def _tell_plan(plan: PushPlan, *, as_json: bool) -> None:
    if as_json:
        say_json(plan.as_dict())
        return
    rows = plan.rows()
    if rows:
        say_table(("transaction", "request", "body", "waits"), rows)
    say("nothing was sent" if rows else "there is nothing to push")


def _complain_of(report: PushReport) -> None:
    """What a person should know, on stderr."""
    if report.paused:
        complain(f"paused: {report.paused}")
    for note in report.notes:
        complain(note)
    asking = sum(one.waits_for_person for one in report.transactions)
    if asking:
        some = "1 transaction waits" if asking == 1 else f"{asking} transactions wait"
        complain(f"{some} for you: `vfdir-lab outbox` says what for")


def _changes(archive: Archive, before: Head) -> dict[str, dict[str, int]]:
    """Of each table, how many rows are new, changed and gone since a head.

    A row that was wished here and has are.na's id now is the same row.
    """
    outbox = Outbox(archive.log, archive.engine)
    found = {}
    for name in _COMPARED:
        difference = archive.diff(name, before)
        named = _renamed(difference, outbox)
        found[name] = {
            "new": difference.only_right - named,
            "changed": difference.changed + named,
            "gone": difference.only_left - named,
        }
    return found


def _renamed(difference: Difference, outbox: Outbox) -> int:
    """How many rows went by a local id on the left and go by are.na's on the right."""
    cells = difference.relation(events=False).filter("field IS NULL").project("object_id, what").fetchall()
    right = {name for name, what in cells if what == "only there"}
    return sum(what == "only here" and outbox.canonical(name) in right for name, what in cells)


def _tell_changes(changes: dict[str, dict[str, int]], before: Head) -> None:
    say("")
    said = {
        name: ", ".join(f"{count} {word}" for word, count in counts.items() if count)
        for name, counts in changes.items()
    }
    if not any(said.values()):
        say("nothing changed")
        return
    say("changed since before:")
    for name, words in said.items():
        if words:
            say(f"  {name:<12} {words}   (vfdir-lab projection diff {name} {before})")
