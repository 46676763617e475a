"""Compact: this device's many small segments become few large ones, with the same rows and the same answers.

Owns which segments are merged. Guarantees: only the own device's part is touched, under the append lock; a
merged segment is durable and was read back and proven before any file is removed; a file is removed only when
a longer, proven segment holds the same appends (by their digests) and a grace period has passed, so that
neither running readers nor a file sync that delivers a deletion first lose anything. An interruption at any
moment leaves a log that reads as before. Leaves to `coverage` which segment counts, to `rewrite` how one is
made of many, to `superseded` which files may go. Checked by `tests/log/test_compact*.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from vfdir_lab.errors import LogDamagedError, LogWriteError
from vfdir_lab.log.append import Writer, remove_leftovers
from vfdir_lab.log.coverage import Coverage, Refused, Segment
from vfdir_lab.log.eventlog import EventLog
from vfdir_lab.log.rewrite import merge_segments
from vfdir_lab.log.segment import proof_of
from vfdir_lab.log.superseded import remove_superseded

Progress = Callable[[int, int], None]

FULL_EVENTS = 1_000_000
FULL_BYTES = 128 << 20
"""A segment is full at either; a full one is never rewritten."""
SMALL_EVENTS = FULL_EVENTS // 16
SMALL_SEGMENTS = 64
LEAST_WEIGHT = 1 / 8192
"""Of a full segment: opening a file costs something however small it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompactReport:
    """What a compaction did.

    `merged` segments became `written` ones, which took rewriting `events` events. `removed` superseded files
    went, `waiting` ones stay until `next_due` (when the first of them may go). `kept` files could not be
    proven to be superseded: they stay for ever, `verify` says more.
    """

    merged: int = 0
    written: int = 0
    events: int = 0
    removed: int = 0
    waiting: int = 0
    next_due: datetime | None = None
    kept: tuple[Refused, ...] = ()

    def __str__(self) -> str:
        lines = [f"{self.merged} segments became {self.written}, {self.removed} old files removed"]
        if self.next_due is not None:
            lines.append(f"{self.waiting} old files wait until {self.next_due:%Y-%m-%d %H:%M} UTC")
        return "\n".join([*lines, *(f"kept: {one.path}: {one.reason}" for one in self.kept)])


def needs_compaction(coverage: Coverage, device: str | None) -> bool:
    """Whether so many small segments of this device count that merging them is worth the while."""
    own = coverage.of(device) if device else ()
    return sum(segment.footer.rows < SMALL_EVENTS for segment in own) > SMALL_SEGMENTS


def compact(
    log: EventLog, *, now: bool = False, progress: Progress = lambda _done, _all: None
) -> CompactReport:
    """Merge what is small, and remove what has been superseded for long enough.

    The grace period is an hour, 14 days once another device is in the log; `now` does without. A later
    `compact` removes what is due then. `progress(done, all)` counts the events to rewrite.

    Raises:
        LogDamagedError: a segment of this device is damaged or missing; nothing was changed.
        LogWriteError: the disk refuses; the log reads as before.
        LogLockedError: another process is appending.
    """
    if log.machine.mark() is None:
        return CompactReport()  # this copy has written nothing: no part of the log is its own
    with log.writing() as writer:
        _refuse_damage(log, writer)
        own = writer.coverage.of(writer.device)
        try:
            plan = [own[first:end] for first, end in runs([_weight(log, one) for one in own])]
            _prove_bytes(log, [segment for run in plan for segment in run])
            remove_leftovers(log.root / "log" / f"device={writer.device}")
            written = _rewrite(log, plan, writer.now(), progress)
            now_ = None if now else writer.now()
            gone = remove_superseded(log, writer.device, now=now_, proven=written)
        except OSError as error:
            raise LogWriteError(
                f"the log in {log.root} could not be compacted ({error.strerror or error}); it reads as "
                "before. Make room or mend the folder, then run it again"
            ) from error
    return CompactReport(
        merged=sum(map(len, plan)),
        written=len(plan),
        events=sum(map(_events, plan)),
        removed=gone.removed,
        waiting=len(gone.due),
        next_due=min(gone.due, default=None),
        kept=tuple(gone.kept),
    )


def runs(weights: Sequence[float]) -> list[tuple[int, int]]:
    """Which neighbours to merge: ranges of positions. A weight is a share of a full segment.

    Size-tiered: a segment is only rewritten into one at least twice as heavy, and never into one that is
    more than full. So an event is rewritten about log2(1 / LEAST_WEIGHT) times at most, however often this
    runs, and a huge segment waits until there is as much beside it.
    """
    return list(_runs([max(weight, LEAST_WEIGHT) for weight in weights], 0))


def _runs(weights: Sequence[float], start: int) -> Iterator[tuple[int, int]]:
    if len(weights) < 2:
        return
    heaviest = max(range(len(weights)), key=weights.__getitem__)
    if sum(weights) < 2 * weights[heaviest]:
        yield from _runs(weights[:heaviest], start)
        yield from _runs(weights[heaviest + 1 :], start + heaviest + 1)
    elif sum(weights) <= 1:
        yield start, start + len(weights)
    else:
        end = _full(weights)
        yield from _runs(weights[:end], start)
        yield from _runs(weights[end:], start + end)


def _full(weights: Sequence[float]) -> int:
    """How many of the first segments make a full one; at least one."""
    total = 0.0
    for position, weight in enumerate(weights):
        total += weight
        if total > 1 and position:
            return position
    return len(weights)


def _weight(log: EventLog, segment: Segment) -> float:
    size = log.path(segment).stat().st_size
    return max(segment.footer.rows / FULL_EVENTS, size / FULL_BYTES)


def _refuse_damage(log: EventLog, writer: Writer) -> None:
    """Go on only when this copy's own part is whole; compacting another would hide what is wrong."""
    mark = log.machine.mark()
    device = mark.device if mark else writer.device
    mine = f"log/device={device}/"
    wrong = [f"{one.path}: {one.reason}" for one in writer.coverage.refused if one.path.startswith(mine)]
    wrong += [f"{gap} is missing" for gap in writer.coverage.missing if gap.device == device]
    if writer.device != device:
        wrong.append(f"this is not the log that this copy wrote ({writer.lost})")
    if wrong:
        raise _damaged(wrong)


def _damaged(wrong: Sequence[str]) -> LogDamagedError:
    return LogDamagedError(
        f"not compacted: {'; '.join(wrong)}. Nothing was changed; `vfdir-lab verify` says what is lost"
    )


def _prove_bytes(log: EventLog, segments: Sequence[Segment]) -> None:
    """Hash what is going to be merged, before anything is written. Its rows are proven on the way."""
    wrong = [
        f"{segment.path}: its bytes are not those its name proves"
        for segment in segments
        if not segment.path.endswith(f"-{proof_of(log.path(segment))}.parquet")
    ]
    if wrong:
        raise _damaged(wrong)


def _rewrite(
    log: EventLog, plan: Sequence[Sequence[Segment]], now: datetime, progress: Progress
) -> frozenset[str]:
    """Write each run as one segment; returns their paths. Each has been proven."""
    done, total = 0, sum(map(_events, plan))
    written = []
    for run in plan:
        progress(done, total)
        path = merge_segments([(log.path(one), one.footer) for one in run], now)
        written.append(path.relative_to(log.root).as_posix())
        done += _events(run)
    progress(done, total)
    return frozenset(written)


def _events(run: Sequence[Segment]) -> int:
    return sum(segment.footer.rows for segment in run)
