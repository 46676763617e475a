"""The event log of one archive folder: reading what counts, and appending to this device's own part.

Readers list names and open footers they have not seen; they never lock. The one writer of a device holds a
lock only for the append, takes seqs under it, and makes all of a batch durable or nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from vfdir_lab.errors import ArchiveWriteError, EventError, HeadError, LogDamagedError, LogError
from vfdir_lab.event import Draft, Event, lift, milliseconds_of
from vfdir_lab.event.stamp import COUNTER_BITS, DRIFT_BOUND_MS, utc_now
from vfdir_lab.log.append import Writer
from vfdir_lab.log.coverage import Coverage, Listed, Reading, Refused, Segment, cover, islands
from vfdir_lab.log.head import Head
from vfdir_lab.log.listing import LISTING_TRIES, Listing, list_settled
from vfdir_lab.log.machine import ACCEPTED, LOCK_TIMEOUT_SECONDS, SEEN, Machine, Mark, new_device_id
from vfdir_lab.log.reading import named, rows_after, seq_before
from vfdir_lab.log.segment import Footer, events_of, proof, read_footer


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
        self._held = Coverage()
        self._waiting = False

    def path(self, segment: Segment) -> Path:
        """Where a segment's file is."""
        return self.root / segment.path

    def coverage(self) -> Coverage:
        """The segments that count now; lists the folder anew, opens only footers not seen before."""
        for _ in range(LISTING_TRIES):
            listing = list_settled(self.root, self._listing)
            if listing == self._listing and not self._waiting:
                return self._coverage
            with suppress(FileNotFoundError):  # compacted away, or moved by a file sync, since it was listed
                return self._cover(listing)
        raise self.unquiet()

    def held(self) -> Coverage:
        """The segments that are here, those included that only wait for the wall clock."""
        self.coverage()
        return self._held

    def islands(self) -> dict[str, list[Segment]]:
        """What is held of each device, also behind gaps; as `held`, it opens only footers not seen before."""
        for _ in range(LISTING_TRIES):
            with suppress(FileNotFoundError):
                return islands(list_settled(self.root).segments, self._readable)
        raise self.unquiet()

    def unquiet(self) -> LogError:
        """What is said when files go between listing and opening, again and again."""
        return LogError(
            f"the files of {self.root / 'log'} keep changing while being read; try again in a moment"
        )

    def _cover(self, listing: Listing) -> Coverage:
        known = {listed.path for listed in listing.segments}
        for seen in (self._footers, self._broken):
            for gone in seen.keys() - known:
                del seen[gone]
        self._waiting = False
        found = held = cover(listing.segments, self._counting())
        if any(one.ahead_seconds for one in found.refused):
            held = cover(listing.segments, self._readable)
        self._listing = listing
        # What waits for the wall is here: it is not missing.
        self._held = replace(held, refused=(*listing.refused, *held.refused))
        self._coverage = replace(found, missing=held.missing, refused=(*listing.refused, *found.refused))
        return self._coverage

    def _counting(self) -> Reading:
        """Footers of what counts: of other devices nothing from the future, unless it was accepted."""
        mark = self.machine.mark()
        own = mark.device if mark else None
        accepted: dict[str, int] | None = None

        def footer_of(listed: Listed) -> Footer | Refused:
            nonlocal accepted
            footer = self._readable(listed)
            if isinstance(footer, Refused) or listed.device == own or not self._from_the_future(footer):
                return footer
            accepted = self.machine.levels(ACCEPTED) if accepted is None else accepted
            if footer.hlc_max <= accepted.get(listed.device, 0):
                return footer
            reason = "its stamps are ahead of this machine's clock; it waits"
            return self._wait(listed, reason, ahead_seconds=self.ahead_seconds(footer))

        return footer_of

    def _readable(self, listed: Listed) -> Footer | Refused:
        if listed.path in self._broken:
            return self._broken[listed.path]
        footer = self._footers.get(listed.path)
        if footer is None:
            try:
                if not _may_be_opened(self.root / listed.path):
                    return self._wait(listed, "it is no file")
                footer = read_footer(str(self.root / listed.path), name=listed.name, device=listed.device)
            except LogDamagedError as error:
                return self._wait(listed, str(error))
            except FileNotFoundError:
                if not (self.root / listed.path).is_symlink():
                    raise
                return self._wait(listed, "it is a symbolic link to what is not here")
            self._footers[listed.path] = footer
        return footer

    def _wait(self, listed: Listed, reason: str, *, ahead_seconds: float = 0.0) -> Refused:
        """Refuse a file for now: it is looked at again, though its name stays the same."""
        self._waiting = True
        return Refused(path=listed.path, reason=reason, ahead_seconds=ahead_seconds)

    def _from_the_future(self, footer: Footer) -> bool:
        return self.ahead_seconds(footer) * 1000 > DRIFT_BOUND_MS

    def ahead_seconds(self, footer: Footer) -> float:
        """How far the greatest stamp of a segment is ahead of the wall clock; negative when behind."""
        return ((footer.hlc_max >> COUNTER_BITS) - milliseconds_of(self._now())) / 1000

    def look_again(self, path: str | None = None) -> None:
        """Forget what was found of a file that was put there anew (relative to the archive), or of all."""
        for seen in (self._footers, self._broken):
            if path is None:
                seen.clear()
            else:
                seen.pop(path, None)
        self._waiting = True

    def recheck(self, segments: Sequence[Segment] | None = None) -> tuple[Refused, ...]:
        """Hash segments (all that count); those whose bytes their name does not prove count no longer.

        For when reading failed: footers are checked always, bytes only here and in `verify`.
        """
        broken = []
        for segment in self.coverage().segments if segments is None else segments:
            try:
                data = self.path(segment).read_bytes()
            except FileNotFoundError:  # compacted away meanwhile, which is no damage
                self.look_again(segment.path)
                continue
            except OSError as error:
                broken.append(Refused(path=segment.path, reason=f"it cannot be read ({error.strerror})"))
                continue
            if f"-{proof(data)}.parquet" not in segment.path:
                broken.append(Refused(path=segment.path, reason="its bytes are not those its name proves"))
        self._broken |= {one.path: one for one in broken}
        self._waiting = self._waiting or bool(broken)
        return tuple(broken)

    def events_after(self, head: Head) -> Iterator[Event]:
        """Every event above `head` that counts now, device by device in seq order, lifted as SQL lifts it.

        Memory does not grow with the log; a compaction meanwhile is not noticed.

        Raises:
            LogDamagedError: rows cannot be read. HeadError: what counted went away meanwhile.
            LogError: the files keep changing.
        """
        for rows in rows_after(self, head):
            for event in events_of(rows):
                try:
                    lifted = lift(event)
                except EventError as error:
                    raise LogDamagedError(
                        f"{event.event_id} holds what no event can ({error}); `vfdir-lab verify` says which"
                    ) from error
                yield lifted

    def read(self, segment: Segment, columns: Sequence[str] | None = None) -> pa.Table:
        """The rows of a segment as they were recorded, not lifted.

        Raises:
            LogDamagedError: they cannot be read. FileNotFoundError: the file went away; list again.
        """
        with named(self, segment):
            return pq.read_table(self.path(segment), columns=columns, partitioning=None)

    def head_at(self, moment: datetime) -> Head:
        """What we knew before `moment`: per device the longest prefix of seq recorded before it."""
        for _ in range(LISTING_TRIES):
            coverage = self.coverage()
            with suppress(FileNotFoundError):  # compacted away since it was listed
                return Head({one: seq_before(self, coverage.of(one), moment) for one in coverage.head})
        raise self.unquiet()

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
            mark = self.machine.mark()
            writer = Writer(self, self._now, self._new_device)
            yield writer
            with suppress(ArchiveWriteError):  # what was appended is durable; the note may lag behind it
                self._note_head(writer, mark)

    def _note_head(self, writer: Writer, mark: Mark | None) -> None:
        """Remember what counted of other devices; how far this one came, its mark knows."""
        seen = {device: seq for device, seq in writer.coverage.head.items() if device != writer.device}
        if mark is not None and mark.device != writer.device:  # given up: the mark now is another device's
            seen[mark.device] = max(seen.get(mark.device, 0), mark.seq)
        if seen:
            self.machine.raise_levels(SEEN, seen)

    def note_head(self) -> None:
        """Remember the head that counts now, so that a later one that falls short of it is noticed."""
        self.machine.raise_levels(SEEN, self.coverage().head)

    def give_up_device(self, because: str) -> str:
        """Go on as a new device from the next append; the caller holds the append lock. Returns its id.

        For when another copy has written as this one's device: two writers must not go on as one.
        """
        mark = self.machine.mark() or Mark(device=self._new_device())
        self.machine.raise_levels(SEEN, {mark.device: mark.seq})
        successor = Mark(device=self._new_device(), instead_of=mark.device, because=because)
        self.machine.remember(successor)
        return successor.device

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


def _may_be_opened(path: Path) -> bool:
    """Whether opening ends: a link inside the archive may lead to a named pipe. What is gone may be tried."""
    return path.is_file() or not path.exists()
