"""Coverage: which segments count. A rule over names, so that nothing needs a manifest or a lock.

For each device, from seq 1 on: among the readable segments that start at the next seq take the longest, and
go on after it. What lies behind a gap waits; an unreadable file shadows nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
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
    """A file that looks like a segment and does not count, with the reason.

    `ahead_seconds`: it only waits, for its stamps are so far ahead of the wall clock; 0 for every other
    reason.
    """

    path: str
    reason: str
    ahead_seconds: float = 0.0

    @property
    def device(self) -> str:
        """Whose folder it is in, or empty when its path names none."""
        return self.path.partition("device=")[2].partition("/")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A proven segment that does not count yet: its stamps are `ahead_seconds` ahead of the wall clock.

    It counts once they are less than a minute ahead, or when the person accepts the future.
    """

    device: str
    first: int
    last: int
    path: str
    ahead_seconds: float

    def __str__(self) -> str:
        return f"{self.device}:{self.first}-{self.last}, {self.ahead_seconds:.0f} s ahead"


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


Reading = Callable[[Listed], Footer | Refused]
"""Gives a file's footer, or why it does not count."""


def cover(listing: Iterable[Listed], read: Reading) -> Coverage:
    """Apply the rule."""
    segments: list[Segment] = []
    missing: list[Missing] = []
    refused: list[Refused] = []
    head: dict[str, int] = {}
    for device, starts in sorted(_by_start(listing).items()):
        own = list(_follow(starts, 1, read, refused))
        head[device] = own[-1].footer.last if own else 0
        segments.extend(own)
        missing.extend(_gap(device, head[device] + 1, starts))
    return Coverage(segments=tuple(segments), missing=tuple(missing), refused=tuple(refused), head=Head(head))


def islands(listing: Iterable[Listed], read: Reading) -> dict[str, list[Segment]]:
    """What is held of each device in seq order, also behind gaps: the rule, begun anew after each gap."""
    found: dict[str, list[Segment]] = {}
    for device, starts in sorted(_by_start(listing).items()):
        held: list[Segment] = []
        for first in sorted(starts):
            if not held or first > held[-1].footer.last:
                held.extend(_follow(starts, first, read, []))
        found[device] = held
    return found


def _by_start(listing: Iterable[Listed]) -> dict[str, dict[int, list[Listed]]]:
    devices: dict[str, dict[int, list[Listed]]] = defaultdict(lambda: defaultdict(list))
    for listed in listing:
        devices[listed.device][listed.name.first].append(listed)
    return devices


def _follow(
    starts: Mapping[int, Iterable[Listed]], following: int, read: Reading, refused: list[Refused]
) -> Iterator[Segment]:
    while (segment := longest(starts.get(following, ()), read, refused)) is not None:
        yield segment
        following = segment.footer.last + 1


def longest(candidates: Iterable[Listed], read: Reading, refused: list[Refused]) -> Segment | None:
    """The longest readable one of files that start at the same seq; the others go to `refused`."""
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
