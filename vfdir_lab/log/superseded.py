"""Superseded: segments whose every event is also in a longer one of the same device, and when they may go.

Nothing goes unless the longer segment was read and proven in this very run and names the same appends by
the same digests. What cannot be shown to be superseded stays.
"""

from __future__ import annotations

from collections.abc import Iterator, Set
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from vfdir_lab.errors import LogDamagedError
from vfdir_lab.log.coverage import Listed, Refused, Segment
from vfdir_lab.log.eventlog import EventLog
from vfdir_lab.log.files import sync_folder
from vfdir_lab.log.listing import Listing, list_log
from vfdir_lab.log.segment import Footer, SegmentName, prove, read_footer

GRACE = timedelta(hours=1)
"""Readers that run hold on to files they have listed for so long."""
GRACE_BETWEEN_DEVICES = timedelta(days=14)
"""A file sync may deliver a deletion long before the large file that replaces what is deleted."""


@dataclass(slots=True, kw_only=True)
class Removal:
    """What became of superseded files: `removed`, or when each may go, or why one cannot."""

    removed: int = 0
    due: list[datetime] = field(default_factory=list)
    kept: list[Refused] = field(default_factory=list)


def remove_superseded(log: EventLog, device: str, *, now: datetime | None, proven: Set[str]) -> Removal:
    """Remove the files of `device` that are superseded for long enough at `now`; None: all of them.

    The caller holds the append lock, and `device` is its own. `proven` are paths of segments that it has
    proven itself.

    Raises:
        LogDamagedError: the segment that replaces them is damaged; nothing was removed.
        OSError: the disk refuses.
    """
    listing = list_log(log.root)
    covering = log.coverage().of(device)
    removal = Removal()
    going: list[tuple[Listed, Segment]] = []
    for listed, cover, since in _superseded(log, listing, device, covering, removal):
        due = since + _grace(listing, device)
        if now is None or due <= now:
            going.append((listed, cover))
        else:
            removal.due.append(due)
    for path in {cover.path for _, cover in going} - proven:
        _prove(log, device, path)
    _unlink([log.root / listed.path for listed, _ in going])
    removal.removed = len(going)
    return removal


def _grace(listing: Listing, device: str) -> timedelta:
    alone = all(listed.device == device for listed in listing.segments)
    return GRACE if alone else GRACE_BETWEEN_DEVICES


def _superseded(
    log: EventLog, listing: Listing, device: str, covering: tuple[Segment, ...], removal: Removal
) -> Iterator[tuple[Listed, Segment, datetime]]:
    """Each superseded file, the segment that counts in its place, and since when there is a longer one."""
    counts = {segment.path for segment in covering}
    others: list[tuple[Listed, Footer]] = []
    for listed in listing.segments:
        if listed.device == device and listed.path not in counts:
            try:
                footer = read_footer(str(log.root / listed.path), name=listed.name, device=device)
            except (LogDamagedError, FileNotFoundError) as error:
                removal.kept.append(Refused(path=listed.path, reason=str(error)))
            else:
                others.append((listed, footer))
    compacted = [segment.footer for segment in covering] + [footer for _, footer in others]
    for listed, footer in others:
        cover = next((one for one in covering if _is_longer(one.footer, footer)), None)
        since = [one.compacted_at for one in compacted if one.compacted_at and _is_longer(one, footer)]
        if cover is None or not since or not cover.footer.holds(footer):
            reason = "no longer segment holds the same appends"
            removal.kept.append(Refused(path=listed.path, reason=reason))
        else:
            yield listed, cover, min(since)


def _is_longer(one: Footer, other: Footer) -> bool:
    return one.first <= other.first and other.last <= one.last and one.rows > other.rows


def _prove(log: EventLog, device: str, path: str) -> None:
    name = SegmentName.parse(path.rpartition("/")[2])
    try:
        if name is not None:
            prove(str(log.root / path), name=name, device=device)
    except LogDamagedError as error:
        raise LogDamagedError(
            f"{path}: {error}. The smaller segments it replaces stay; `vfdir-lab verify` says more"
        ) from error


def _unlink(paths: list[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
    for folder in {path.parent for path in paths}:
        sync_folder(folder)
        with suppress(OSError):  # it holds other files
            folder.rmdir()
