"""Verify: re-read everything and prove it. Finds a single flipped byte; names what is lost; repairs nothing.

Each file is hashed against its name, so footer and statistics are covered too; then digests, chain, seq,
stamps, canonical payloads and kinds are checked from the rows themselves.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
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
from vfdir_lab.log.segment import Footer, digest_of, proof, read_footer

Progress = Callable[[int, int], None]


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
    proven: set[str] = set()
    for count, listed in enumerate(listing.segments):
        progress(count, len(listing.segments))
        found = list(_segment_problems(log, listed, unknown))
        problems += found
        if not found:
            proven.add(listed.path)
    progress(len(listing.segments), len(listing.segments))
    problems += _chain_problems(coverage, proven)
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


def _segment_problems(log: EventLog, listed: Listed, unknown: set[str]) -> Iterator[Problem]:
    lost = f"{listed.device}:{listed.name.first}-{listed.name.last}"
    try:
        data = (log.root / listed.path).read_bytes()
    except OSError as error:
        yield Problem(path=listed.path, what=f"it cannot be read ({error.strerror})", lost=lost)
        return
    if proof(data) != listed.name.proof:
        yield Problem(path=listed.path, what="its bytes are not those its name proves", lost=lost)
        return
    try:
        footer = read_footer(str(log.root / listed.path), name=listed.name, device=listed.device)
        table = pq.read_table(io.BytesIO(data))
    except (LogDamagedError, pa.ArrowException, OSError) as error:
        yield Problem(path=listed.path, what=str(error), lost=lost)
        return
    try:
        for what in _row_problems(table, footer, unknown):
            yield Problem(path=listed.path, what=what, lost=lost)
    except (ValueError, OverflowError) as error:  # a time after year 9999, text not in UTF-8
        yield Problem(path=listed.path, what=f"it holds what no event can ({error})", lost=lost)


def _row_problems(table: pa.Table, footer: Footer, unknown: set[str]) -> Iterator[str]:
    if any(table.column(f.name).null_count for f in table.schema if not f.nullable):
        yield "it holds nulls where the envelope has none"
        return
    if pc.unique(table.column("device")).to_pylist() != [footer.device]:
        yield "it holds another device's events"
    if table.column("seq").to_pylist() != list(range(footer.first, footer.last + 1)):
        yield "its seqs are not contiguous"
        return
    hlc = table.column("hlc").to_pylist()
    if any(later <= earlier for earlier, later in pairwise(hlc)):
        yield "its stamps do not increase"
    if (hlc[0], hlc[-1]) != (footer.hlc_min, footer.hlc_max):
        yield "its footer gives other stamps than its rows"
    recorded = table.column("recorded_at").to_pylist()
    if (min(recorded), max(recorded)) != (footer.recorded_min, footer.recorded_max):
        yield "its footer gives other times than its rows"
    if digest_of(table) != footer.digest:
        yield "its rows do not have the digest its footer gives"
    if not all(map(is_canonical, table.column("payload").to_pylist())):
        yield "it holds a payload that is not canonical"
    for kind, version in set(
        zip(table.column("kind").to_pylist(), table.column("kind_version").to_pylist(), strict=True)
    ):
        if kind not in KINDS or version > KINDS[kind].version:
            unknown.add(f"{kind} v{version}")
    known = [
        i
        for i, kind in zip(
            table.column("object_id").to_pylist(), table.column("kind").to_pylist(), strict=True
        )
        if kind in KINDS
    ]
    if not all(map(_is_id, set(known))):
        yield "it holds an event about something that is no object id"


def _is_id(identifier: str) -> bool:
    try:
        subject(identifier)
    except EventError:
        return False
    return True


def _chain_problems(coverage: Coverage, proven: set[str]) -> Iterator[Problem]:
    """Each covered segment names the digest of the one before it, and its stamps come after that one's."""
    digest: dict[str, str] = {}
    stamp: dict[str, int] = {}
    for segment in coverage.segments:
        footer = segment.footer
        if segment.path in proven:
            if footer.prev != digest.get(footer.device, ""):
                yield Problem(path=segment.path, what="it does not follow on the segment before it", lost="")
            if footer.hlc_min <= stamp.get(footer.device, 0):
                yield Problem(path=segment.path, what="its stamps do not come after those before it", lost="")
        digest[footer.device], stamp[footer.device] = footer.digest, footer.hlc_max


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
        if footer.last == mark.seq and footer.digest != mark.digest:
            lost = f"{mark.device}:{footer.first}-{footer.last}"
            yield Problem(path=segment.path, what="it is not what this machine wrote", lost=lost)
