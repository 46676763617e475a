"""Merge: take from another copy's folder what this log lacks. Set union on (device, seq).

Guarantees: what is taken was proven here (bytes, footer, rows) before it can be listed, and becomes visible
whole and durable or not at all, so a merge may be killed at any moment and run again; nothing here is
overwritten but a damaged file by the bytes its own name proves; merging in any order and any number of times
gives the same events. What is held already with equal content is not copied, whatever its layout. Where two
copies wrote as one device, ours is kept, theirs goes to `quarantine/`, all the rest is merged, and then
`ForkedDeviceError` is raised. Checked by the laws and the kill tests in `tests/log/test_merge*.py`.

Stamps far ahead of this machine's clock are no reason not to take a segment: reading does not count it until
the clock has caught up (see `EventLog`), so a shared folder and a merged one behave alike.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from vfdir_lab.errors import ForkedDeviceError, LogDamagedError, LogWriteError
from vfdir_lab.log.coverage import Missing, Segment
from vfdir_lab.log.devices import accept_future as accept
from vfdir_lab.log.devices import waiting
from vfdir_lab.log.difference import first_difference
from vfdir_lab.log.eventlog import EventLog
from vfdir_lab.log.files import make_folder, sync_folder
from vfdir_lab.log.foreign import Foreign, foreign_root, unwritable
from vfdir_lab.log.listing import LISTING_TRIES
from vfdir_lab.log.machine import Mark
from vfdir_lab.log.merged import Fork, MergeReport
from vfdir_lab.log.segment import proof

QUARANTINE = "quarantine"
Progress = Callable[[int, int], None]


class _LookAgain(Exception):  # noqa: N818 - never leaves this module
    """A file turned out not to count, there or here: the plan for its device is not valid any more."""


def merge(
    log: EventLog,
    other: Path,
    *,
    accept_future: bool = False,
    progress: Progress = lambda _done, _all: None,
) -> MergeReport:
    """Take from the archive at `other` every segment that counts there and is lacking here.

    `accept_future` lets what is ahead of the wall clock count from now on, on this machine. `progress(done,
    all)` counts segments to copy. `other` is only read.

    Raises:
        ForkedDeviceError: after all the rest was merged; its `report` has what this would have returned.
        UsageError, ArchiveNotFoundError, ArchiveFormatError: `other` is no archive to merge with.
        LogLockedError: another merge into this copy is under way.
        LogWriteError, ArchiveWriteError: our disk refuses; what was merged before counts, merge again.
    """
    root = foreign_root(log.root, other)
    staging = log.root / "log" / f".merging-{log.device()}"  # of this copy alone, in a shared folder too
    with log.machine.lock(name="merge"):
        log.look_again()  # a file may have been cut short since, under the same name
        before, held = log.coverage().head, log.held().events
        run = _Merge(log, progress)
        for _ in range(LISTING_TRIES):
            there = Foreign(root, staging)
            run.all(there)
            if not there.changed:
                break
        accepted = accept(log) if accept_future else ()
        log.note_head()
        report = MergeReport(
            other=str(there.root),
            copied=tuple(run.copied),
            events=log.held().events - held,
            before=before,
            after=log.coverage().head,
            waiting=waiting(log),
            accepted=accepted,
            refused=there.refused,
            missing=tuple(_still_missing(log, there, set(run.forks))),
            forks=tuple(run.forks.values()),
        )
    if report.forks:
        first = report.forks[0]
        raise ForkedDeviceError(report.advice(), device=first.device, seq=first.seq, report=report)
    return report


def _still_missing(log: EventLog, there: Foreign, forked: set[str]) -> list[Missing]:
    """What the other archive counts or knows of, and this one does not hold."""
    head, coverage = log.held().head, there.coverage()
    known = dict(coverage.head)
    for gap in coverage.missing:
        known[gap.device] = gap.last
    return [
        Missing(device=device, first=head.seq(device) + 1, last=last)
        for device, last in sorted(known.items())
        if last > head.seq(device) and device not in forked
    ]


class _Merge:
    """One merge under way."""

    def __init__(self, log: EventLog, progress: Progress) -> None:
        self.copied: list[str] = []
        self.forks: dict[str, Fork] = {}
        self._log = log
        self._progress = progress
        self._planned = 0
        self._agreed: set[str] = set()

    def all(self, there: Foreign) -> None:
        """Merge device by device; again where a file turned out not to count, or a gap was filled.

        `there` was listed before this looks here: see `_Own`.
        """
        self._there = there
        left = set(there.devices) - self.forks.keys()
        bound = 2 * len(there.listing.segments) + 2
        try:
            for _ in range(bound):  # each round copies a file, or finds one that does not count
                left = {device for device in sorted(left) if self._device(device)}
                if not left:
                    return
        finally:
            there.close()

    def _device(self, device: str) -> bool:
        """Merge one device's part; whether another look may bring more."""
        mark = self._log.machine.mark()
        try:
            if mark is None or mark.device != device:
                return self._union(device, None)
            with self._log.machine.lock():  # nobody of this copy appends while its own part changes
                return self._union(device, self._log.machine.mark())
        except _LookAgain:
            return True

    def _union(self, device: str, mark: Mark | None) -> bool:
        ours = self._log.islands().get(device, [])
        theirs = self._there.coverage().of(device)
        lacking = {one.path: one for one in self._lacking(theirs, ours)}
        covered = [one for one in theirs if one.path not in lacking]
        self._planned = len(self.copied) + len(lacking)
        beyond = _Own(mark, ours) if mark is not None and mark.device == device else None
        done = False
        for segment in sorted([*covered, *lacking.values()], key=lambda one: one.footer.first):
            seq = self._difference(ours, segment)
            contradicts = seq is not None
            if seq is None and segment.path in lacking and beyond is not None:
                seq = beyond.first_not_ours(segment)
            if seq is not None:
                self._fork(segment, seq, own=beyond is not None, contradicts=contradicts)
                return False
            if segment.path in lacking:
                done |= self._copy(segment, ours)
                self._progress(len(self.copied), self._planned)
        return done

    def _lacking(self, theirs: Sequence[Segment], ours: Sequence[Segment]) -> list[Segment]:
        """The segments of one device to copy, each following on what is held by then.

        A larger segment that begins within what is held is taken only where no smaller one goes on, and only
        if it begins where one of ours does: otherwise it would overlap in part, and never count.
        """
        ends, following = {0}, 1
        for segment in ours:
            if segment.footer.first == following:
                ends.add(segment.footer.last)
                following = segment.footer.last + 1
        found: list[Segment] = []
        while theirs:
            best = self._there.starting(theirs[0].footer.device, following)
            if best is None:
                reaching = [s for s in theirs if s.footer.first < following <= s.footer.last]
                best = next((s for s in reaching if s.footer.first - 1 in ends), None)
            if best is None:
                break
            found.append(best)
            ends.add(best.footer.last)
            following = best.footer.last + 1
        return found

    def _difference(self, ours: list[Segment], segment: Segment) -> int | None:
        """The first seq at which both hold an event and not the same one."""
        if segment.path in self._agreed:
            return None
        try:
            seq = first_difference(self._log, ours, segment, self._take)
        except FileNotFoundError:  # another machine has compacted its part in a shared folder
            raise _LookAgain from None
        except LogDamagedError:
            if not self._doubtful(ours):
                raise
            raise _LookAgain from None
        if seq is not None and self._doubtful(ours):
            raise _LookAgain  # without what is damaged there may be no difference
        self._agreed.add(segment.path)
        return seq

    def _doubtful(self, ours: list[Segment]) -> bool:
        """Whether one of ours is damaged, or went away."""
        return bool(self._log.recheck(ours)) or not all(self._log.path(one).exists() for one in ours)

    def _take(self, segment: Segment) -> Path:
        staged = self._staged(segment)
        if staged is None:
            raise _LookAgain
        return staged

    def _staged(self, segment: Segment) -> Path | None:
        if not self._log.root.is_dir():
            raise LogWriteError(f"{self._log.root} is not there any more; is its disk away?")
        return self._there.take(segment)

    def _copy(self, segment: Segment, ours: list[Segment]) -> bool:
        """Take a segment that follows on what is held; False when it is here already, behind a gap."""
        if any(one.path == segment.path for one in ours):
            return False
        before = next((one for one in ours if one.footer.last == segment.footer.first - 1), None)
        link, stamp = (before.footer.link, before.footer.hlc_max) if before else ("", 0)
        if segment.footer.prev != link or segment.footer.hlc_min <= stamp:
            self._there.refuse(segment.path, "it does not follow on the segment before it")
            raise _LookAgain
        target = self._log.root / segment.path
        place(self._log.root, self._take(segment), target)
        self._log.look_again(segment.path)
        self.copied.append(segment.path)
        ours.append(segment)
        return True

    def _fork(self, segment: Segment, seq: int, *, own: bool, contradicts: bool) -> None:
        """Put aside what the other copy wrote from here on, and if it wrote as us, do not go on as it."""
        device = segment.footer.device
        later = [s for s in self._there.coverage().of(device) if s.footer.first > segment.footer.first]
        files = [path for one in (segment, *later) if (path := self._quarantine(one)) is not None]
        successor = None
        if own:
            successor = self._log.give_up_device(f"another copy wrote as {device}, from seq {seq}")
        self.forks[device] = Fork(
            device=device, seq=seq, files=tuple(files), contradicts=contradicts, successor=successor
        )

    def _quarantine(self, segment: Segment) -> str | None:
        """Keep a foreign segment out of the log; nothing is overwritten. None: it could not be proven."""
        name = segment.path.rpartition("/")[2]
        folder = f"{QUARANTINE}/device={segment.footer.device}"
        for count in range(1, 1000):
            path = f"{folder}/{name}" if count == 1 else f"{folder}/{count}-{name}"
            target = self._log.root / path
            if not os.path.lexists(target):
                staged = self._staged(segment)
                if staged is not None:
                    place(self._log.root, staged, target)
                return path if staged is not None else None
            if target.is_file() and f"-{proof(target.read_bytes())}.parquet" in name:
                return path  # put there by an earlier merge
        raise LogWriteError(f"{self._log.root / folder} is full of files called {name}; look at them")


def place(root: Path, staged: Path, target: Path) -> None:
    """Give a durable file its name in the archive at `root`. From here on it is there, and whole.

    Raises:
        LogWriteError: the folder leads out of the archive, or the disk refuses.
    """
    if not Path(os.path.realpath(target.parent)).is_relative_to(os.path.realpath(root)):
        raise LogWriteError(f"{target.parent} leads out of the archive; nothing is written there")
    try:
        make_folder(target.parent)
        staged.replace(target)
        sync_folder(target.parent)
    except OSError as error:
        raise unwritable(target, error) from error


class _Own:
    """What this machine's mark proves that it wrote itself.

    Segments of our own device that are lacking here are a tail that was lost, or the work of a clone: those
    within the mark, which do not contradict it, are ours. The other archive was listed before we looked
    here, so what we append meanwhile cannot seem to come from there.
    """

    def __init__(self, mark: Mark, ours: list[Segment]) -> None:
        self._mark = mark
        self._reached = max([mark.seq, *(one.footer.last for one in ours)])

    def first_not_ours(self, segment: Segment) -> int | None:
        """The first seq in a segment that this machine did not write, or None: it wrote all of it."""
        footer, mark = segment.footer, self._mark
        if footer.last > self._reached:
            return max(footer.first, self._reached + 1)
        if footer.first <= mark.seq <= footer.last and footer.digest_at(mark.seq) != mark.digest:
            return max(piece.first for piece in footer.pieces if piece.first <= mark.seq)
        return None
