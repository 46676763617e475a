"""Verify: re-read everything and prove it. Finds a single flipped byte; names what is lost; repairs nothing.

Each file is hashed against its name, so footer and statistics are covered too; then digests, chain, seq,
stamps, canonical payloads and kinds are checked from the rows themselves. The parts that a compacted segment
names are proven against its rows, and a file that it has superseded must hold the same appends.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from vfdir_lab.errors import EventError, LogDamagedError
from vfdir_lab.event import KINDS, subject
from vfdir_lab.event.canonical import is_canonical
from vfdir_lab.log.coverage import Coverage, Listed, Refused
from vfdir_lab.log.eventlog import EventLog
from vfdir_lab.log.head import Head
from vfdir_lab.log.listing import list_log
from vfdir_lab.log.machine import Mark
from vfdir_lab.log.rows import Digests, batches_of
from vfdir_lab.log.segment import Footer, proof, read_footer

Progress = Callable[[int, int], None]

_GAP = "its seqs are not contiguous"


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
    listing = list_log(log.root)
    coverage = log.coverage()
    problems = [Problem(path=one.path, what=one.reason) for one in listing.refused]
    unknown: set[str] = set()
    proven: dict[str, Footer] = {}
    for count, listed in enumerate(listing.segments):
        progress(count, len(listing.segments))
        footer, whats = _read(log, listed, unknown)
        problems += [Problem(path=listed.path, what=what, lost=_range(listed)) for what in whats]
        if footer is not None and not whats:
            proven[listed.path] = footer
    progress(len(listing.segments), len(listing.segments))
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


def _read(log: EventLog, listed: Listed, unknown: set[str]) -> tuple[Footer | None, list[str]]:
    """The footer of a segment, as far as it can be read, and what is wrong with the segment."""
    path = log.root / listed.path
    try:
        data = path.read_bytes()
    except OSError as error:
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


def row_problems(batches: Iterable[pa.RecordBatch], footer: Footer, unknown: set[str]) -> Iterator[str]:
    """What is wrong with the rows of a segment that has this footer; `unknown` collects kinds.

    Raises:
        ValueError, OverflowError, pa.ArrowException: the rows hold what no event can.
    """
    check = _RowCheck(footer)
    for batch in batches:
        check.take(batch)
        unknown |= _unknown_kinds(batch)
    yield from check.found()


class _RowCheck:
    """Looks at the rows of one segment, a batch at a time."""

    def __init__(self, footer: Footer) -> None:
        self._footer = footer
        self._digests = Digests([piece.rows for piece in footer.pieces])
        self._wrong: dict[str, None] = {}  # in the order it was found, each said once
        self._broken = False  # so that all else differs too
        self._seq = footer.first
        self._stamps: list[int] = []
        self._times: list[datetime] = []

    def take(self, batch: pa.RecordBatch) -> None:
        """Look at the next rows."""
        if self._broken or not batch.num_rows:
            return
        if any(batch.column(field.name).null_count for field in batch.schema if not field.nullable):
            self._break("it holds nulls where the envelope has none")
            return
        if pc.unique(batch.column("device")).to_pylist() != [self._footer.device]:
            self._say("it holds another device's events")
        if batch.column("seq").to_pylist() != list(range(self._seq, self._seq + batch.num_rows)):
            self._break(_GAP)
            return
        self._seq += batch.num_rows
        stamps = batch.column("hlc").to_pylist()
        if any(later <= earlier for earlier, later in pairwise([*self._stamps[-1:], *stamps])):
            self._say("its stamps do not increase")
        self._stamps = [*self._stamps[:1], stamps[0], stamps[-1]]
        recorded = batch.column("recorded_at").to_pylist()
        self._times = [min([*self._times, *recorded]), max([*self._times, *recorded])]
        self._digests.update(batch)
        if not all(map(is_canonical, batch.column("payload").to_pylist())):
            self._say("it holds a payload that is not canonical")
        if not all(map(_is_id, _known_subjects(batch))):
            self._say("it holds an event about something that is no object id")

    def found(self) -> Iterator[str]:
        """What is wrong, once all rows were taken."""
        footer = self._footer
        if not self._broken and self._seq != footer.last + 1:
            self._break(_GAP)
        yield from self._wrong
        if self._broken:
            return
        if (self._stamps[0], self._stamps[-1]) != (footer.hlc_min, footer.hlc_max):
            yield "its footer gives other stamps than its rows"
        if self._times != [footer.recorded_min, footer.recorded_max]:
            yield "its footer gives other times than its rows"
        if self._digests.whole != footer.digest:
            yield "its rows do not have the digest its footer gives"
        elif self._digests.parts != tuple(piece.digest for piece in footer.pieces):
            yield "its parts do not have the digests its footer gives"

    def _say(self, what: str) -> None:
        self._wrong[what] = None

    def _break(self, what: str) -> None:
        self._say(what)
        self._broken = True


def _kinds(batch: pa.RecordBatch) -> set[tuple[str, int]]:
    pairs = pa.table([batch.column("kind"), batch.column("kind_version")], names=["kind", "version"])
    found = pairs.group_by(["kind", "version"]).aggregate([])
    return set(zip(found.column("kind").to_pylist(), found.column("version").to_pylist(), strict=True))


def _unknown_kinds(batch: pa.RecordBatch) -> set[str]:
    return {
        f"{kind} v{version}"
        for kind, version in _kinds(batch)
        if kind not in KINDS or version > KINDS[kind].version
    }


def _known_subjects(batch: pa.RecordBatch) -> set[str]:
    """What the events of kinds that we know are about; others may be about anything."""
    pairs = zip(batch.column("object_id").to_pylist(), batch.column("kind").to_pylist(), strict=True)
    return {about for about, kind in pairs if kind in KINDS}


def _is_id(identifier: str) -> bool:
    try:
        subject(identifier)
    except EventError:
        return False
    return True


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
