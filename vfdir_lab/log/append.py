"""Append: the one writer of this copy's device, while it holds the lock.

All or nothing: a batch becomes one segment, durable when `append` returns. Seqs are taken and stamps given
under the lock. A copy whose own part of the log is not the one it wrote (a lost tail, a restored backup)
does not go on as that device: it becomes a new one, and says so in its first event.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from vfdir_lab.errors import ArchiveWriteError, EventError, LogWriteError
from vfdir_lab.event import Clock, Draft, Event, canonical, check_kind, subject
from vfdir_lab.log.coverage import Coverage
from vfdir_lab.log.files import TEMPORARY_SUFFIX, make_folder, write_durably
from vfdir_lab.log.machine import Mark
from vfdir_lab.log.segment import encode

if TYPE_CHECKING:
    from vfdir_lab.log.eventlog import EventLog


def remove_leftovers(device_folder: Path) -> None:
    """Remove half-written files of processes that died; the caller holds the lock, so nobody writes them."""
    for orphan in device_folder.glob(f"*/.*{TEMPORARY_SUFFIX}"):
        orphan.unlink()


class Writer:
    """Appends for the device of this copy, while the lock is held."""

    def __init__(self, log: EventLog, now: Callable[[], datetime], new_device: Callable[[], str]) -> None:
        self._log = log
        self._now = now
        self._coverage = log.coverage()
        mark = log.machine.mark() or Mark(device=new_device())
        if (lost := self._lost(mark)) is not None:
            mark = Mark(device=new_device(), instead_of=mark.device, because=lost)
        self._mark = mark
        self.device = mark.device
        own = self._coverage.of(mark.device)
        self._prev = own[-1].footer.link if own else ""
        self._seq = self._coverage.head.seq(mark.device)
        self._clock = Clock(now, mark.device, max(mark.hlc, own[-1].footer.hlc_max if own else 0))
        for segment in self._coverage.segments:
            self._clock.observe(segment.footer.hlc_max)

    @property
    def coverage(self) -> Coverage:
        """What counted when the lock was taken."""
        return self._coverage

    @property
    def lost(self) -> str:
        """Why this copy goes on as a new device, or empty: it does not."""
        return self._mark.because

    @property
    def next_seq(self) -> int:
        """The seq that the first draft of the next append gets; a device says first that it joined."""
        return max(self._seq, 1) + 1

    def now(self) -> datetime:
        """The wall clock."""
        return self._now()

    def _lost(self, mark: Mark) -> str | None:
        """Why this copy must not go on as its device, or None: the log is not the one it wrote."""
        own = self._coverage.of(mark.device)
        seq = self._coverage.head.seq(mark.device)
        if seq < mark.seq:
            return f"the log ends at seq {seq}, {mark.seq} was written"
        if any(s.footer.digest_at(mark.seq) not in {None, mark.digest} for s in own):
            return f"seq {mark.seq} is not what was written"
        if any(one.device == mark.device for one in self._coverage.missing):
            return f"segments after seq {seq} are there, those between are not"
        return None

    def append(self, drafts: Sequence[Draft]) -> tuple[Event, ...]:
        """As `EventLog.append`."""
        if not drafts:
            return ()
        if not self._log.root.is_dir():
            raise LogWriteError(
                f"{self._log.root} is not there any more; nothing was recorded. Is its disk away?"
            )
        joins = self._seq == 0
        if joins:
            drafts = [self._joined(), *drafts]
        events = [self._event(seq, draft) for seq, draft in enumerate(drafts, self._seq + 1)]
        name, footer, data = encode(events, self._prev)
        folder = self._log.root / "log" / f"device={self.device}" / f"month={events[0].recorded_at:%Y-%m}"
        if joins:
            # Before the first event: killed in between, this copy goes on as the device it became.
            self._log.machine.remember(self._mark)
        try:
            make_folder(folder)
            remove_leftovers(folder.parent)
            write_durably(folder / str(name), data)
        except OSError as error:
            with suppress(OSError):  # renamed, but not surely durable: then it must not count either
                (folder / str(name)).unlink()
            raise LogWriteError(
                f"the log in {self._log.root} could not be written ({error.strerror or error}); this batch "
                "was not recorded, all before it is safe. Make room or mend the folder, then run it again"
            ) from error
        self._prev, self._seq = footer.digest, footer.last
        with suppress(ArchiveWriteError):  # the events are durable; the mark may lag behind them
            self._log.machine.remember(
                Mark(device=self.device, seq=footer.last, hlc=footer.hlc_max, digest=footer.digest)
            )
        return tuple(events)

    def _joined(self) -> Draft:
        """What a device says first: instead of which one it goes on, if there was one, and why."""
        lost = {"instead_of": self._mark.instead_of, "because": self._mark.because}
        return Draft(
            kind="device.joined",
            object_id=f"device:{self.device}",
            payload=lost if self._mark.instead_of else {},
        )

    def _event(self, seq: int, draft: Draft) -> Event:
        kind = check_kind(draft.kind, subject(draft.object_id))
        if draft.origin_at is not None and draft.origin_at.utcoffset() is None:
            raise EventError(f"origin_at of {draft.object_id} has no time zone: {draft.origin_at}")
        hlc, now = self._clock.tick()
        return Event(
            device=self.device,
            seq=seq,
            hlc=hlc,
            recorded_at=now,
            origin=draft.origin or self.device,
            origin_at=draft.origin_at,
            kind=kind.name,
            kind_version=kind.version,
            object_id=draft.object_id,
            cause=draft.cause,
            payload=canonical(draft.payload),
        )
