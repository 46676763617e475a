"""The figures of the log: append, scan, verify, compact, and noticing that nothing changed."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from vfdir_lab.bench.material import drafts, filled_log, new_log
from vfdir_lab.bench.measure import Figure, alone, in_turns
from vfdir_lab.event import Draft
from vfdir_lab.log import SCHEMA, EventLog, Head, verify
from vfdir_lab.log.compact import compact
from vfdir_lab.log.listing import list_log
from vfdir_lab.log.segment import SegmentName

APPENDED = 1000
APPEND_BOUND = 3
LISTING_BOUND_MS = 2
LISTED = (100, 1000, 10_000)


def figures(folder: Path, *, size: int, repetitions: int) -> Iterator[Figure]:
    """Every figure, one after the other, measured in `folder` over `size` events in a hundred segments."""
    yield from _append(folder / "append", repetitions=4 * repetitions)
    filled = filled_log(folder / "filled", events=size, segments=min(100, size))
    yield from _scan(filled, repetitions=repetitions)
    yield _verify(filled, repetitions=max(1, repetitions // 3))
    yield _compact(filled, folder / "compact", repetitions=max(1, repetitions // 3))
    for segments in LISTED:
        yield _listing(folder / f"listing-{segments}", segments, repetitions=repetitions)


def _append(folder: Path, *, repetitions: int) -> Iterator[Figure]:
    """Durable append against what any writer of the same values has to do: spell, tabulate, write, flush.

    And, for what it informs, against writing a table that is ready.
    """
    log, batch, numbers = new_log(folder), drafts(APPENDED), count()
    log.append(batch)
    (segment,) = log.coverage().segments
    ready = pq.read_table(log.path(segment), partitioning=None)

    def bare(table: Callable[[], pa.Table]) -> Callable[[], object]:
        return lambda: _write_bare(table(), folder / f"bare-{next(numbers)}.parquet")

    what = f"append of {APPENDED:,} events"
    from_values = bare(lambda: _table(batch))
    value, baseline = in_turns(lambda: log.append(batch), from_values, repetitions=repetitions)
    yield Figure(
        what=f"{what} : bare write of the same values",
        value=value,
        unit="ms",
        baseline=baseline,
        bound=APPEND_BOUND,
        kind="gate",
    )
    value, baseline = in_turns(lambda: log.append(batch), bare(lambda: ready), repetitions=repetitions)
    yield Figure(
        what=f"{what} : bare write of a ready table",
        value=value,
        unit="ms",
        baseline=baseline,
        kind="informs",
    )


def _table(batch: Sequence[Draft]) -> pa.Table:
    """The same rows, without a check, a clock, a digest or a chain."""
    now = datetime.now(UTC)
    rows: list[dict[str, Any]] = [
        {
            "device": "bare",
            "seq": seq,
            "hlc": seq,
            "recorded_at": now,
            "origin": draft.origin,
            "origin_at": draft.origin_at,
            "kind": draft.kind,
            "kind_version": 1,
            "object_id": draft.object_id,
            "cause": draft.cause,
            "payload": json.dumps(draft.payload, ensure_ascii=False, sort_keys=True, separators=(",", ":")),
        }
        for seq, draft in enumerate(batch, 1)
    ]
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def _write_bare(table: pa.Table, path: Path) -> None:
    temporary = path.with_suffix(".tmp")
    with temporary.open("wb") as file:
        pq.write_table(table, file, compression="zstd")
        file.flush()
        os.fsync(file.fileno())
    temporary.rename(path)


def _scan(log: EventLog, *, repetitions: int) -> Iterator[Figure]:
    """Reading every event, as objects of ours and by DuckDB, against pyarrow reading the same files."""
    paths = [str(log.path(segment)) for segment in log.coverage().segments]

    def bare() -> None:
        for path in paths:
            pq.read_table(path, partitioning=None)

    def by_duckdb() -> None:
        with duckdb.connect() as connection:
            connection.execute("CREATE TEMP TABLE facts AS FROM read_parquet($1)", [paths])

    events = log.coverage().events
    reads: dict[str, Callable[[], object]] = {
        "scan as event objects": lambda: sum(1 for _ in log.events_after(Head())),
        "scan by DuckDB": by_duckdb,
    }
    for what, read in reads.items():
        value, baseline = in_turns(read, bare, repetitions=repetitions)
        yield Figure(
            what=f"{what}, {events:,} events : bare pyarrow read",
            value=value,
            unit="ms",
            baseline=baseline,
            kind="informs",
        )


def _verify(log: EventLog, *, repetitions: int) -> Figure:
    def bare() -> None:
        for segment in log.coverage().segments:
            hashlib.sha256(log.path(segment).read_bytes()).hexdigest()

    value, baseline = in_turns(lambda: verify(log), bare, repetitions=repetitions)
    what = f"verify of {log.coverage().events:,} events : hashing the bytes"
    return Figure(what=what, value=value, unit="ms", baseline=baseline, kind="informs")


def _compact(log: EventLog, folder: Path, *, repetitions: int) -> Figure:
    """Compacting a fresh copy each time, against reading and writing the same rows without any proof."""
    copies = []
    for number in range(repetitions + 1):
        copy = new_log(folder / str(number))
        shutil.copytree(log.root / "log", copy.root / "log")
        shutil.copytree(log.machine.folder, copy.machine.folder)
        copies.append(copy)
    numbers, fresh = count(), iter(copies)

    def bare() -> None:
        segments = log.coverage().segments
        rows = pa.concat_tables(pq.read_table(log.path(one), partitioning=None) for one in segments)
        _write_bare(rows, folder / f"bare-{next(numbers)}.parquet")

    value, baseline = in_turns(lambda: compact(next(fresh)), bare, repetitions=repetitions)
    what = f"compact of {log.coverage().events:,} events : bare rewrite"
    return Figure(what=what, value=value, unit="ms", baseline=baseline, kind="informs")


def _listing(folder: Path, segments: int, *, repetitions: int) -> Figure:
    month = folder / "log" / "device=k3f9" / "month=2026-11"
    month.mkdir(parents=True)
    for seq in range(1, segments + 1):
        (month / str(SegmentName(first=seq, last=seq, proof=f"{seq:016x}"))).touch()
    before = list_log(folder)
    value = alone(lambda: list_log(folder, before), repetitions=repetitions)
    what = f"noticing that nothing changed, {segments:,} segments"
    if segments != 1000:
        return Figure(what=what, value=value, unit="ms", kind="informs")
    return Figure(what=what, value=value, unit="ms", bound=LISTING_BOUND_MS, kind="gate")
