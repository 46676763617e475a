"""The figures of replay: computing projections from the log again, against reading it and against others.

Every figure is measured over one log of `size` events, in turns with its baseline, DuckDB with two threads.
The slower ways to fold (SQLite, a Python loop, an event-sourcing library) go over a slice of the same events
and are scaled to the whole by the event; their figures say over how many.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from importlib.resources import files
from pathlib import Path

import duckdb

from vfdir_lab.bench.measure import Figure, alone, in_turns
from vfdir_lab.bench.replay_material import log_of_blocks
from vfdir_lab.bench.replay_rivals import by_library, by_loop, by_sqlite
from vfdir_lab.log import EventLog, Segment
from vfdir_lab.projection import default_lens
from vfdir_lab.projection.connection import connect, literal
from vfdir_lab.projection.definition import LEAF, define
from vfdir_lab.projection.leaf import SOURCE, events_sql

THREADS = 2
SLICE = 20_000
LIBRARY_SLICE = 3_000
FULL_BOUND, FEW_BOUND, TENTH_BOUND = 4, 3, 1 / 4
RIVAL_BOUND, LIBRARY_BOUND = 1 / 10, 1 / 100

FOUR_FIELDS = (files("vfdir_lab.bench") / "replay_four.sql").read_text("utf-8")
"""A fold of a person's own: four fields of each block, each the newest value that was said."""


def figures(folder: Path, *, size: int, repetitions: int) -> Iterator[Figure]:
    """Every figure, one after the other, measured in `folder` over `size` events."""
    log = log_of_blocks(folder / "replay", events=size)
    blocks = default_lens()["blocks"].plain
    few = define(FOUR_FIELDS, where="the benchmark").plain
    with connect() as connection:
        look_at(connection, log)
        yield _against_reading(connection, log, "blocks, all columns", blocks, FULL_BOUND, repetitions)
        yield _against_reading(connection, log, "a fold of four fields", few, FEW_BOUND, repetitions)
        yield _as_of(connection, log, blocks, repetitions=repetitions)
        look_at(connection, log)
        whole = alone(lambda: replay(connection, few), repetitions=max(1, repetitions // 3))
    yield from _rivals(log, folder, whole, size=size)


def look_at(connection: duckdb.DuckDBPyConnection, log: EventLog, *, until: int | None = None) -> None:
    """Set up `events` over a log, with two threads; with `until`, only as it was known before that seq."""
    segments = log.coverage().segments
    head = log.coverage().head
    if until is not None:
        started = segments[0].footer.recorded_min
        head = log.head_at(started + timedelta(seconds=2 * (until - 1)))
        segments = log.require(head).upto(head)
    connection.execute(f"SET threads = {THREADS}")
    connection.execute(f"CREATE OR REPLACE VIEW {SOURCE} AS FROM {_parquet(log, segments)}")
    connection.execute(f"CREATE OR REPLACE VIEW {LEAF} AS {events_sql(segments, head)}")


def replay(connection: duckdb.DuckDBPyConnection, query: str) -> None:
    """Compute every row of a projection from the events."""
    connection.execute(f"CREATE TEMP TABLE replayed AS {query}")
    connection.execute("DROP TABLE replayed")


def _parquet(log: EventLog, segments: Sequence[Segment]) -> str:
    paths = ", ".join(literal(str(log.path(one))) for one in segments)
    return f"read_parquet([{paths}], hive_partitioning = false)"


def _against_reading(
    connection: duckdb.DuckDBPyConnection,
    log: EventLog,
    what: str,
    query: str,
    bound: float,
    repetitions: int,
) -> Figure:
    reading = f"FROM {_parquet(log, log.coverage().segments)}"
    value, baseline = in_turns(
        lambda: replay(connection, query), lambda: replay(connection, reading), repetitions=repetitions
    )
    what = f"replay of {what}, {log.coverage().events:,} events : reading them"
    return Figure(what=what, value=value, unit="ms", baseline=baseline, bound=bound, kind="gate")


def _as_of(connection: duckdb.DuckDBPyConnection, log: EventLog, query: str, *, repetitions: int) -> Figure:
    """A date with a tenth of the log before it, the head it resolves to included."""
    tenth = max(1, log.coverage().events // 10)

    def early() -> None:
        look_at(connection, log, until=tenth)
        replay(connection, query)

    def whole() -> None:
        look_at(connection, log)
        replay(connection, query)

    value, baseline = in_turns(early, whole, repetitions=repetitions)
    what = "replay of blocks as of a date with 10 % of the log before it : of the whole log"
    return Figure(what=what, value=value, unit="ms", baseline=baseline, bound=TENTH_BOUND, kind="gate")


def _rivals(log: EventLog, folder: Path, whole_ms: float, *, size: int) -> Iterator[Figure]:
    """The fold of four fields in other ways, each over a slice and scaled to all events."""
    ways: dict[str, tuple[Callable[[Path, Path, int], float | None], int, float]] = {
        "SQLite": (by_sqlite, SLICE, RIVAL_BOUND),
        "a Python loop": (by_loop, SLICE, RIVAL_BOUND),
        "the eventsourcing library": (by_library, LIBRARY_SLICE, LIBRARY_BOUND),
    }
    segment = log.path(log.coverage().segments[0])
    for name, (way, most, bound) in ways.items():
        count = min(most, size)
        place = folder / "rival"
        place.mkdir()
        taken = way(segment, place, count)
        shutil.rmtree(place)
        if taken is None:
            print(f"left out: {name} is not installed (extra `bench`)", file=sys.stderr)  # noqa: T201
            continue
        what = f"a fold of four fields, {size:,} events : {name} ({count:,} events, scaled)"
        yield Figure(
            what=what, value=whole_ms, unit="ms", baseline=taken * size / count, bound=bound, kind="gate"
        )
