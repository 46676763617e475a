"""Coverage: which segments count. A rule over names, so that nothing needs a manifest or a lock.

For each device, from seq 1 on: among the readable segments that start at the next seq take the longest, and
go on after it. What lies behind a gap waits; an unreadable file shadows nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from vfdir_lab.log.head import Head
from vfdir_lab.log.segment import Footer, SegmentName


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A segment file as a listing names it. `path` is relative to the archive, with forward slashes."""

    device: str
    name: SegmentName
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A segment that counts, with its footer."""

    path: str
    footer: Footer


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """Events that are known to exist and are not here (a file sync still under way, a lost file)."""

    device: str
    first: int
    last: int

    def __str__(self) -> str:
        return f"{self.device}:{self.first}-{self.last}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A file that looks like a segment and does not count, with the reason."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """The segments that count, device by device in seq order, and what stands in the way of more."""

    segments: tuple[Segment, ...] = ()
    missing: tuple[Missing, ...] = ()
    refused: tuple[Refused, ...] = ()
    head: Head = field(default_factory=Head)

    def of(self, device: str) -> tuple[Segment, ...]:
        """The segments of one device, in seq order."""
        return tuple(segment for segment in self.segments if segment.footer.device == device)

    def upto(self, head: Head) -> tuple[Segment, ...]:
        """The segments that hold an event at or below `head`."""
        return tuple(s for s in self.segments if s.footer.first <= head.seq(s.footer.device))

    def after(self, head: Head) -> tuple[Segment, ...]:
        """The segments that hold an event above `head`."""
        return tuple(s for s in self.segments if s.footer.last > head.seq(s.footer.device))

    @property
    def events(self) -> int:
        """How many events count."""
        return sum(self.head.values())


def cover(listing: Iterable[Listed], read: Callable[[Listed], Footer | Refused]) -> Coverage:
    """Apply the rule. `read` gives a file's footer, or why it does not count."""
    devices: dict[str, dict[int, list[Listed]]] = defaultdict(lambda: defaultdict(list))
    for listed in listing:
        devices[listed.device][listed.name.first].append(listed)
    segments: list[Segment] = []
    missing: list[Missing] = []
    refused: list[Refused] = []
    head: dict[str, int] = {}
    for device, starts in sorted(devices.items()):
        following = 1
        while (segment := _longest(starts.get(following, ()), read, refused)) is not None:
            segments.append(segment)
            following = segment.footer.last + 1
        head[device] = following - 1
        missing.extend(_gap(device, following, starts))
    return Coverage(segments=tuple(segments), missing=tuple(missing), refused=tuple(refused), head=Head(head))


def _longest(
    candidates: Iterable[Listed], read: Callable[[Listed], Footer | Refused], refused: list[Refused]
) -> Segment | None:
    for listed in sorted(candidates, key=lambda one: (-one.name.last, one.name.proof)):
        footer = read(listed)
        if isinstance(footer, Footer):
            return Segment(path=listed.path, footer=footer)
        refused.append(footer)
    return None


def _gap(device: str, following: int, starts: dict[int, list[Listed]]) -> list[Missing]:
    """The range that keeps later segments waiting, from the first seq that is not covered.

    Its events are known to exist: a later segment follows on them, or a file that does not count (an
    unreadable one, a partial overlap) names them.
    """
    known = max(one.name.last for listed in starts.values() for one in listed)
    if known < following:
        return []
    last = min((first - 1 for first in starts if first > following), default=known)
    return [Missing(device=device, first=following, last=last)]
