"""What a person can do with are.na from a notebook, and what is known just now.

Owns: `SyncDesk`, one for each archive in a process, whatever panels there are: so two panels show the same
and never work at once. The work runs on a handle of the archive's own, in the worker's thread; the kernel's
handle is not touched by it.
Guarantees: every method returns at once, from any thread. What goes wrong becomes a line of what was said.
Nothing is printed. After a stop, a crash or a restart, the state is what the log says.
Leaves to others: how it looks (`panel`), the thread (`work`).
Checked by: `tests/notebook/test_desk.py`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from weakref import WeakValueDictionary, finalize

from vfdir_lab.archive import Archive
from vfdir_lab.arena import SYSTEM_TIME
from vfdir_lab.errors import VfdirError
from vfdir_lab.log import Head
from vfdir_lab.notebook.sync.cells import after_each_cell
from vfdir_lab.notebook.sync.state import (
    ConflictRow,
    Doing,
    PanelState,
    read_channels,
    read_conflicts,
    read_wishes,
)
from vfdir_lab.notebook.sync.work import StoppedError, Worker
from vfdir_lab.sync import PullProgress, PullReport
from vfdir_lab.sync.push_report import PushProgress, PushReport

SAID_MAX = 50
_TELL_SECONDS = 0.1
"""Between two pieces of news of the same job: more often than that nobody can read."""

Listener = Callable[[PanelState], None]


class SyncDesk:
    """Pulls, pushes and decides for the panels of one archive."""

    def __init__(self, archive: Archive) -> None:
        self.path = archive.path
        self.stop_file = archive.stop_file
        self.worker = Worker(f"sync of {archive.path.name}", self.stop_file, on_change=self._tell)
        self._archive = archive.reopened(time=replace(SYSTEM_TIME, sleep=self.worker.sleep))
        self._lock = threading.RLock()
        self._listeners: list[Listener] = []
        self._told_at = 0.0
        self._state = PanelState()
        self._read_at: Head | None = None
        self._read()
        finalize(self, self._archive.close)
        self.chosen: set[str] = {one.object_id for one in self._state.channels}

    @property
    def state(self) -> PanelState:
        """What is known just now."""
        with self._lock:
            return self._state

    def listen(self, listener: Listener) -> None:
        """Call `listener` with each new state, from whichever thread it comes."""
        with self._lock:
            self._listeners.append(listener)

    def forget(self, listener: Listener) -> None:
        """Call it no more."""
        with self._lock:
            self._listeners = [one for one in self._listeners if one != listener]

    def choose(self, channel: str, *, is_chosen: bool) -> None:
        """Whether a channel is read by the next pull."""
        (self.chosen.add if is_chosen else self.chosen.discard)(channel)

    def pull(self) -> None:
        """Read the chosen channels."""
        self._do("pull", self._pull)

    def push(self) -> None:
        """Send what is wished."""
        self._do("push", self._push)

    def sync(self) -> None:
        """Read the chosen channels, then send what is wished."""
        self._do("sync", self._pull, self._push)

    def add(self, name: str) -> None:
        """Read a channel that is not here yet, by slug, number or address; it is chosen from then on."""
        wanted = name.strip()
        if wanted:
            self._do(f"pull {wanted}", lambda: self._pull_named([wanted]))

    def pause(self) -> None:
        """Rest at the next safe point; again, to go on."""
        (self.worker.resume if self.worker.is_paused else self.worker.pause)()
        self._tell()

    def cancel(self) -> None:
        """End the work at the next safe point, and forget what waits for its turn."""
        if self.worker.is_busy:
            self._say("cancelled: what was recorded stays, the next run goes on from there")
        self.worker.stop()
        self._tell()

    def withdraw(self, tx: str) -> None:
        """Withdraw a transaction, as far as are.na has not accepted it."""
        self._do("cancel", lambda: self._say(f"{self._archive.outbox.cancel(tx)} wishes withdrawn"))

    def retry(self, tx: str) -> None:
        """Let what was refused of a transaction go out again."""
        self._do("retry", lambda: self._say(f"{self._archive.outbox.retry(tx)} wishes will be tried again"))

    def keep_mine(self, conflict: ConflictRow) -> None:
        """Say what happens anyway: the wish stays, and the next push sends it."""
        self._say(f"{conflict.object_id}: your {conflict.field} stays; the next push sends it")

    def take_theirs(self, conflict: ConflictRow) -> None:
        """Withdraw the wish that a conflict is about, so that are.na's value shows."""

        def take() -> None:
            self._archive.outbox.cancel(conflict.tx, about=conflict.object_id, reason="theirs was taken")
            self._say(f"{conflict.object_id}: are.na's {conflict.field} is taken")

        self._do("take theirs", take)

    def refresh(self) -> None:
        """Read the archive anew if something was recorded since, by whomever."""
        self.worker.submit(self._read_news)

    def _do(self, name: str, *steps: Callable[[], None]) -> None:
        def job() -> None:
            try:
                self._set(doing=Doing(name=name))
                for step in steps:
                    self.worker.safe_point()
                    step()
            except StoppedError:
                self._say(f"{name} ended")
            except VfdirError as error:
                self._say(f"{name}: {error}")
            except Exception as error:  # noqa: BLE001 - the end of a thread: nobody else would hear of it
                self._say(f"{name} failed: {type(error).__name__}: {error}")
            finally:
                self._set(doing=Doing(name="reading the archive"))
                self._read()
                self._set(doing=Doing())

        self.worker.submit(job)
        self._tell()

    def _pull(self) -> None:
        channels = [one.object_id for one in self.state.channels if one.object_id in self.chosen]
        if not channels:
            self._say("no channel is chosen")
            return
        self._pull_named(channels)

    def _pull_named(self, names: Collection[str]) -> None:
        def heard(progress: PullProgress) -> None:
            self._heard(progress.channel, progress.items, progress.total, progress.waiting)

        report = self._archive.pull(*names, on_progress=heard)
        self._take(report)

    def _take(self, report: PullReport) -> None:
        changes = dict(self.state.changes)
        for one in report.channels:
            self.chosen.add(one.channel)
            found = _counted(new=one.new, changed=one.changed, moved=one.moved, gone=one.vanished)
            changes[one.channel] = found or "nothing new"
            self._say(f"{one.title or one.name}: {one.error or found or 'nothing new'}")
            for note in one.notes:
                self._say(f"{one.title or one.name}: {note}")
        self._set(changes=changes)

    def _push(self) -> None:
        def heard(progress: PushProgress) -> None:
            self._heard(progress.label, progress.done, progress.total, progress.waiting)

        self._told_of(self._archive.push(on_progress=heard))

    def _told_of(self, report: PushReport) -> None:
        for one in report.transactions:
            self._say(f"{one.label or one.tx}: {one.state}{f', {one.why}' if one.why else ''}")
        for line in report.lines():
            self._say(line)

    def _heard(self, channel: str, items: int, total: int | None, waiting: str) -> None:
        """News of the job that runs; also where it may pause or end."""
        doing = replace(self.state.doing, channel=channel, items=items, total=total, waiting=waiting)
        is_urgent = bool(waiting) or time.monotonic() - self._told_at > _TELL_SECONDS
        self._set(doing=doing, is_told=is_urgent)
        self.worker.safe_point()

    def _read_news(self) -> None:
        try:
            is_new = self._archive.head != self._read_at
        except VfdirError as error:
            self._say(str(error))
        else:
            if is_new:
                self._read()

    def _read(self) -> None:
        """Read the archive; what cannot be read is said."""
        try:
            self._read_at = self._archive.head
            status = self._archive.status()
            self._set(
                channels=read_channels(status),
                blocks=status.blocks,
                wishes=read_wishes(self._archive),
                conflicts=read_conflicts(self._archive),
                account=_account(self._archive),
            )
        except VfdirError as error:
            self._say(str(error))

    def _say(self, line: str) -> None:
        told = f"{datetime.now().astimezone():%H:%M:%S}  {line}"
        self._set(said=(*self.state.said, told)[-SAID_MAX:])

    def _set(self, *, is_told: bool = True, **changed: object) -> None:
        with self._lock:
            self._state = replace(self._state, **changed)  # type: ignore[arg-type]
        if is_told:
            self._tell()

    def _tell(self) -> None:
        with self._lock:
            state, listeners = self._state, tuple(self._listeners)
        self._told_at = time.monotonic()
        for listener in listeners:
            listener(state)


_DESKS: WeakValueDictionary[Path, SyncDesk] = WeakValueDictionary()
_DESKS_LOCK = threading.Lock()


def desk_of(archive: Archive) -> SyncDesk:
    """The desk of an archive in this process: the same for the same folder."""
    with _DESKS_LOCK:
        place = archive.path.resolve()
        desk = _DESKS.get(place)
        if desk is None:
            desk = _DESKS[place] = SyncDesk(archive)
            after_each_cell(desk.refresh)
        return desk


def _counted(**counts: int) -> str:
    return ", ".join(f"{count} {what}" for what, count in counts.items() if count)


def _account(archive: Archive) -> str:
    """Whose token it is, and how much of the rate limit is used."""
    account, rate = archive.account, archive.rate
    who = account.slug or account.key if account is not None else "guest"
    if rate is None:
        return who
    tier = f", {rate.tier}" if rate.tier else ""
    return f"{who}{tier}, {rate.used} of {rate.limit} requests this minute"
