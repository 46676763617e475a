"""Verify: re-read everything and prove it. Finds a single flipped byte; names what is lost; repairs nothing.

Each file is hashed against its name, so footer and statistics are covered too; then digests, chain, seq,
stamps, canonical payloads and kinds are checked from the rows themselves. The parts that a compacted segment
names are proven against its rows, and a file that it has superseded must hold the same appends.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from vfdir_lab.errors import LogDamagedError
from vfdir_lab.log.coverage import Coverage, Listed, Refused
from vfdir_lab.log.eventlog import EventLog
from vfdir_lab.log.head import Head
from vfdir_lab.log.listing import LISTING_TRIES, Listing, list_settled
from vfdir_lab.log.machine import Mark
from vfdir_lab.log.row_check import row_problems
from vfdir_lab.log.rows import batches_of
from vfdir_lab.log.segment import Footer, proof, read_footer

Progress = Callable[[int, int], None]
Found = tuple[Footer | None, list[str]]
"""The footer of a segment, as far as it can be read, and what is wrong with the segment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong. `lost` is what cannot be trusted, as `device:first-last`, or empty."""

    path: str
    what: str
    lost: str = ""

    def __str__(self) -> str:
        return f"{self.path}: {self.what}" + (f"; lost: {self.lost}" if self.lost else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyReport:
    """What `verify` read and found. `unknown_kinds` and `foreign` files are no problems, only named."""

    segments: int
    events: int
    head: Head
    problems: tuple[Problem, ...]
    unknown_kinds: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems

    def __str__(self) -> str:
        lines = [f"{self.segments} segments, {self.events} events, head {self.head}"]
        lines += [f"not ours, passed over: {path}" for path in self.foreign]
        lines += [f"kinds this version does not know, kept: {kind}" for kind in self.unknown_kinds]
        lines += [str(problem) for problem in self.problems]
        count = len(self.problems)
        lines.append("everything proven" if self.ok else f"{count} problem{'s' if count > 1 else ''} found")
        return "\n".join(lines)


def verify(log: EventLog, progress: Progress = lambda _done, _all: None) -> VerifyReport:
    """Read every segment of the log and prove it. `progress(done, all)` counts files."""
    unknown: set[str] = set()
    listing, found = _read_all(log, unknown, progress)
    coverage = log.coverage()
    problems = [Problem(path=one.path, what=one.reason) for one in listing.refused]
    proven: dict[str, Footer] = {}
    for listed in listing.segments:
        footer, whats = found.get(listed.path, (None, ["it went away while being read"]))
        problems += [Problem(path=listed.path, what=what, lost=_range(listed)) for what in whats]
        if footer is not None and not whats:
            proven[listed.path] = footer
    problems += _chain_problems(coverage, proven)
    problems += _nesting_problems(listing.segments, proven)
    problems += _waiting(coverage, {problem.path for problem in problems})
    problems += _tail_problems(coverage, log.machine.mark())
    return VerifyReport(
        segments=len(listing.segments),
        events=coverage.events,
        head=coverage.head,
        problems=tuple(problems),
        unknown_kinds=tuple(sorted(unknown)),
        foreign=listing.foreign,
    )


def _range(listed: Listed) -> str:
    return f"{listed.device}:{listed.name.first}-{listed.name.last}"


def _read_all(log: EventLog, unknown: set[str], progress: Progress) -> tuple[Listing, dict[str, Found]]:
    """Read every segment of a listing; what goes away meanwhile is looked for in a new one.

    After three of them it stays without an answer.
    """
    found: dict[str, Found] = {}
    for _ in range(LISTING_TRIES):
        listing = list_settled(log.root)
        for count, listed in enumerate(listing.segments):
            progress(count, len(listing.segments))
            if listed.path not in found:
                with suppress(FileNotFoundError):
                    found[listed.path] = _read(log, listed, unknown)
        if all(listed.path in found for listed in listing.segments):
            break
    progress(len(listing.segments), len(listing.segments))
    return listing, found


def _read(log: EventLog, listed: Listed, unknown: set[str]) -> Found:
    """Raises FileNotFoundError: it went away; list again."""
    path = log.root / listed.path
    try:
        data = path.read_bytes()
    except OSError as error:
        if isinstance(error, FileNotFoundError) and not path.is_symlink():
            raise
        return None, [f"it cannot be read ({error.strerror})"]
    if proof(data) != listed.name.proof:
        return None, ["its bytes are not those its name proves"]
    try:
        footer = read_footer(str(path), name=listed.name, device=listed.device)
        with pq.ParquetFile(io.BytesIO(data)) as file:
            return footer, list(row_problems(batches_of(file), footer, unknown))
    except (LogDamagedError, pa.ArrowException, OSError) as error:
        return None, [str(error)]
    except (ValueError, OverflowError) as error:  # a time after year 9999, text not in UTF-8
        return None, [f"it holds what no event can ({error})"]


def _chain_problems(coverage: Coverage, proven: Mapping[str, Footer]) -> Iterator[Problem]:
    """Each segment names the digest of the append before it; stamps of what counts go on increasing."""
    digests = {
        (segment.footer.device, piece.last): piece.digest
        for segment in coverage.segments
        for piece in segment.footer.pieces
    }
    stamp: dict[str, int] = {}
    for path, footer in proven.items():
        before = digests.get((footer.device, footer.first - 1), "")
        if footer.prev != before and footer.last <= coverage.head.seq(footer.device):
            yield Problem(path=path, what="it does not follow on the segment before it")
    for segment in coverage.segments:
        footer = segment.footer
        if segment.path in proven and footer.hlc_min <= stamp.get(footer.device, 0):
            yield Problem(path=segment.path, what="its stamps do not come after those before it")
        stamp[footer.device] = footer.hlc_max


def _nesting_problems(listing: Iterable[Listed], proven: Mapping[str, Footer]) -> Iterator[Problem]:
    """Two segments of a device are nested, and then agree, or they have nothing in common."""
    around: list[Listed] = []
    for one in sorted(listing, key=lambda one: (one.device, one.name.first, -one.name.last, one.path)):
        while around and (around[-1].device, around[-1].name.last) < (one.device, one.name.first):
            around.pop()
        if around and around[-1].device == one.device:
            if what := _disagreement(around[-1], one, proven):
                yield Problem(path=one.path, what=what, lost=_range(one))
        else:
            around.clear()
        around.append(one)


def _disagreement(outer: Listed, inner: Listed, proven: Mapping[str, Footer]) -> str | None:
    """How a segment differs from the smallest one that has events of its range, or None: it does not."""
    if inner.name.last > outer.name.last:
        return f"it overlaps {outer.path} in part"
    if outer.path not in proven or inner.path not in proven or proven[outer.path].holds(proven[inner.path]):
        return None
    if (inner.name.first, inner.name.last) == (outer.name.first, outer.name.last):
        return (
            f"it holds other events than {outer.path} under the same numbers: two copies wrote as one device"
        )
    return f"it holds other events than {outer.path}, which stands in its place"


def _waiting(coverage: Coverage, named: set[str]) -> Iterator[Problem]:
    """Files that do not count, and ranges that are not here."""
    refused: tuple[Refused, ...] = coverage.refused
    for one in refused:
        if one.path not in named:
            yield Problem(path=one.path, what=one.reason)
    for gap in coverage.missing:
        yield Problem(path=f"log/device={gap.device}", what="segments are missing", lost=str(gap))


def _tail_problems(coverage: Coverage, mark: Mark | None) -> Iterator[Problem]:
    """The end of our own part is not proven by any later segment, but this machine remembers it."""
    if mark is None:
        return
    if coverage.head.seq(mark.device) < mark.seq:
        lost = f"{mark.device}:{coverage.head.seq(mark.device) + 1}-{mark.seq}"
        if not any(gap.device == mark.device for gap in coverage.missing):
            yield Problem(path=f"log/device={mark.device}", what="the end of the log is missing", lost=lost)
    for segment in coverage.of(mark.device):
        footer = segment.footer
        if footer.digest_at(mark.seq) not in {None, mark.digest}:
            lost = f"{mark.device}:{footer.first}-{footer.last}"
            yield Problem(path=segment.path, what="it is not what this machine wrote", lost=lost)
