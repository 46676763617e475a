"""The event log of one archive folder: reading what counts, and appending to this device's own part.

Readers list names and open footers they have not seen; they never lock. The one writer of a device holds a
lock only for the append, takes seqs under it, and makes all of a batch durable or nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from vfdir_lab.errors import HeadError, LogDamagedError, LogError
from vfdir_lab.event import Draft, Event, milliseconds_of
from vfdir_lab.event.stamp import COUNTER_BITS, DRIFT_BOUND_MS, utc_now
from vfdir_lab.log.append import Writer
from vfdir_lab.log.coverage import Coverage, Listed, Refused, Segment, cover
from vfdir_lab.log.head import Head
from vfdir_lab.log.listing import Listing, list_log
from vfdir_lab.log.machine import LOCK_TIMEOUT_SECONDS, Machine, Mark, new_device_id
from vfdir_lab.log.segment import SCHEMA, Footer, events_of, proof, read_footer

LISTING_TRIES = 3


class EventLog:
    """The log below `root`. `now` is the wall clock, `new_device` gives a fresh device id."""

    def __init__(
        self,
        root: Path,
        machine: Machine,
        *,
        now: Callable[[], datetime] = utc_now,
        new_device: Callable[[], str] = new_device_id,
    ) -> None:
        self.root = root
        self.machine = machine
        self._now = now
        self._new_device = new_device
        self._footers: dict[str, Footer] = {}
        self._broken: dict[str, Refused] = {}
        self._listing = Listing()
        self._coverage = Coverage()
        self._waiting = False

    def path(self, segment: Segment) -> Path:
        """Where a segment's file is."""
        return self.root / segment.path

    def coverage(self) -> Coverage:
        """The segments that count now; lists the folder anew, opens only footers not seen before."""
        for _ in range(LISTING_TRIES):
            listing = list_log(self.root)
            if listing == self._listing and not self._waiting:
                return self._coverage
            try:
                return self._cover(listing)
            except FileNotFoundError:
                continue  # compacted away, or moved by a file sync, between listing and opening
        raise LogError(
            f"the files of {self.root / 'log'} keep changing while being read; try again in a moment"
        )

    def _cover(self, listing: Listing) -> Coverage:
        known = {listed.path for listed in listing.segments}
        for seen in (self._footers, self._broken):
            for gone in seen.keys() - known:
                del seen[gone]
        self._waiting = False
        own = self.machine.mark()
        found = cover(listing.segments, lambda listed: self._footer(listed, own.device if own else None))
        self._listing = listing
        self._coverage = Coverage(
            segments=found.segments,
            missing=found.missing,
            refused=(*listing.refused, *found.refused),
            head=found.head,
        )
        return self._coverage

    def _footer(self, listed: Listed, own_device: str | None) -> Footer | Refused:
        if listed.path in self._broken:
            return self._broken[listed.path]
        footer = self._footers.get(listed.path)
        if footer is None:
            try:
                footer = read_footer(str(self.root / listed.path), name=listed.name, device=listed.device)
            except LogDamagedError as error:
                return self._wait(listed, str(error))
            except FileNotFoundError:
                if not (self.root / listed.path).is_symlink():
                    raise
                return self._wait(listed, "it is a symbolic link to what is not here")
            self._footers[listed.path] = footer
        if listed.device != own_device and self._from_the_future(footer):
            return self._wait(listed, "its stamps are ahead of this machine's clock; it waits")
        return footer

    def _wait(self, listed: Listed, reason: str) -> Refused:
        """Refuse a file for now: it is looked at again, though its name stays the same."""
        self._waiting = True
        return Refused(path=listed.path, reason=reason)

    def _from_the_future(self, footer: Footer) -> bool:
        return footer.hlc_max >> COUNTER_BITS > milliseconds_of(self._now()) + DRIFT_BOUND_MS

    def recheck(self) -> tuple[Refused, ...]:
        """Hash every segment that counts; those whose bytes their name does not prove count no longer.

        For when reading failed: footers are checked always, bytes only here and in `verify`.
        """
        broken = []
        for segment in self.coverage().segments:
            try:
                data = self.path(segment).read_bytes()
            except OSError as error:
                broken.append(Refused(path=segment.path, reason=f"it cannot be read ({error.strerror})"))
                continue
            if f"-{proof(data)}.parquet" not in segment.path:
                broken.append(Refused(path=segment.path, reason="its bytes are not those its name proves"))
        self._broken |= {one.path: one for one in broken}
        self._waiting = self._waiting or bool(broken)
        return tuple(broken)

    def events_after(self, head: Head) -> Iterator[Event]:
        """Every event above `head`, device by device in seq order, one segment in memory at a time."""
        for segment in self.coverage().after(head):
            past = head.seq(segment.footer.device)
            for event in events_of(self._read(segment)):
                if event.seq > past:
                    yield event

    def _read(self, segment: Segment, columns: Sequence[str] | None = None) -> pa.Table:
        try:
            return pq.read_table(self.path(segment), columns=columns, partitioning=None)
        except (pa.ArrowException, OSError) as error:
            raise LogDamagedError(
                f"{segment.path} cannot be read; `vfdir-lab verify` says what is lost with it"
            ) from error

    def head_at(self, moment: datetime) -> Head:
        """What we knew before `moment`: per device the longest prefix of seq recorded before it."""
        coverage = self.coverage()
        return Head({device: self._seq_before(coverage.of(device), moment) for device in coverage.head})

    def _seq_before(self, segments: Sequence[Segment], moment: datetime) -> int:
        for segment in segments:
            if segment.footer.recorded_max < moment:
                continue
            recorded = self._read(segment, columns=["recorded_at"]).column("recorded_at")
            late = pc.greater_equal(recorded, pa.scalar(moment, SCHEMA.field("recorded_at").type))
            return segment.footer.first - 1 + int(pc.index(late, value=True).as_py())
        return segments[-1].footer.last if segments else 0

    def require(self, head: Head) -> Coverage:
        """The coverage, if it reaches `head`.

        Raises:
            HeadError: the head names events that are not here, or not yet.
        """
        coverage = self.coverage()
        for device, seq in head.items():
            if coverage.head.seq(device) < seq:
                raise HeadError(
                    f"this log reaches {device}:{coverage.head.seq(device)}, the head asks for "
                    f"{device}:{seq}; `vfdir-lab status` says what is missing"
                )
        return coverage

    @contextmanager
    def writing(self, timeout_seconds: float = LOCK_TIMEOUT_SECONDS) -> Iterator[Writer]:
        """Hold the append lock: what is read inside stays true of this device until the append is done."""
        with self.machine.lock(timeout_seconds):
            yield Writer(self, self._now, self._new_device)

    def device(self) -> str:
        """The id of this copy's device; settled here if it was not, so this needs a writable state folder."""
        mark = self.machine.mark()
        if mark is None:
            with self.machine.lock():
                mark = self.machine.mark() or Mark(device=self._new_device())
                self.machine.remember(mark)
        return mark.device

    def append(self, drafts: Sequence[Draft]) -> tuple[Event, ...]:
        """Record `drafts` as one batch: durable when this returns, or nothing of it.

        Raises:
            LogLockedError, LogWriteError, ArchiveWriteError, EventError
        """
        with self.writing() as writer:
            return writer.append(drafts)
