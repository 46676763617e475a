"""The figures of replay: computing projections from the log again, against reading it and against others.

Every figure is measured over one log of `size` events, in turns with its baseline, DuckDB with two threads.
The slower ways to fold (SQLite, a Python loop, an event-sourcing library) go over the same events; where only
over a slice of them, they are scaled to the whole by the event, and their figures say over how many.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Generator, Iterator, Sequence
from datetime import timedelta
from importlib.resources import files
from pathlib import Path
from time import perf_counter

import duckdb

from vfdir_lab.bench.material import log_at
from vfdir_lab.bench.measure import Figure, alone, in_turns
from vfdir_lab.bench.replay_material import log_of_blocks
from vfdir_lab.bench.replay_once import in_a_process
from vfdir_lab.bench.replay_rivals import by_library, by_loop, by_sqlite
from vfdir_lab.event import Draft
from vfdir_lab.log import EventLog
from vfdir_lab.projection import Engine, default_lens
from vfdir_lab.projection.catalogue import needed
from vfdir_lab.projection.connection import connect, set_view
from vfdir_lab.projection.definition import define
from vfdir_lab.projection.lens import lens_of
from vfdir_lab.projection.replay import replay as replay_lens
from vfdir_lab.projection.source import paths_of, read_events, segments_sql

THREADS = 2
SLICE = 1_500_000
LIBRARY_SLICE = 3_000
FULL_BOUND, FEW_BOUND, TENTH_BOUND = 4, 3, 1 / 4
RIVAL_BOUND, LIBRARY_BOUND = 1 / 10, 1 / 100
FIRST_BOUND, REFRESH_BOUND, NEW_EVENTS = 1 / 20, 1 / 10, 1000
LARGE, GROWTH_BOUND, MEMORY_BOUND_MIB = 1_000_000, 11, 2048

BLOCKS = tuple(needed(default_lens().definitions, {"blocks"}))
"""What is measured: `blocks` of the default lens, and the projections that it reads."""

_SQL = files("vfdir_lab.bench")
FOUR_FIELDS = (_SQL / "replay_four.sql").read_text("utf-8")
"""A fold of a person's own: four fields of each block, each the newest value that was said."""
OVER_COLUMNS = (_SQL / "replay_over_columns.sql").read_text("utf-8")
"""The same fold over the columns that a projection of the person's own, `COLUMNS`, keeps."""
COLUMNS = define((_SQL / "replay_columns.sql").read_text("utf-8"), where="replay_columns.sql", source="own")
OWN = lens_of("own", [*default_lens().definitions, COLUMNS])


def figures(folder: Path, *, size: int, repetitions: int) -> Iterator[Figure]:
    """Every figure but those of `growth`, one after the other, measured in `folder` over `size` events."""
    log = log_of_blocks(folder / "replay", events=size)
    blocks = "FROM blocks"
    few = define(FOUR_FIELDS, where="the benchmark").plain
    with connect() as connection:
        look_at(connection, log)
        yield _against_reading(connection, log, "blocks, all columns", blocks, FULL_BOUND, repetitions)
        yield _against_reading(connection, log, "a fold of four fields", few, FEW_BOUND, repetitions)
        yield _as_of(connection, log, blocks, repetitions=repetitions)
        look_at(connection, log)
        from_text = alone(lambda: replay(connection, few), repetitions=repetitions)
    over_columns = yield from _over_columns(folder / "replay", from_text, repetitions=repetitions)
    yield from _rivals(log, folder, from_text, over_columns, size=size)
    yield from _by_checkpoint(folder / "replay", repetitions=repetitions)


def look_at(connection: duckdb.DuckDBPyConnection, log: EventLog, *, until: int | None = None) -> None:
    """Set up `events` and `blocks` over a log, with two threads; with `until`, as it was before that seq."""
    segments = log.coverage().segments
    head = log.coverage().head
    if until is not None:
        started = segments[0].footer.recorded_min
        head = log.head_at(started + timedelta(seconds=2 * (until - 1)))
        segments = log.require(head).upto(head)
    connection.execute(f"SET threads = {THREADS}")
    read_events(connection, log, segments, head)
    for one in BLOCKS:
        set_view(connection, one.name, one.view)


def replay(connection: duckdb.DuckDBPyConnection, query: str) -> None:
    """Compute every row of a projection from the events."""
    connection.execute(f"CREATE TEMP TABLE replayed AS {query}")
    connection.execute("DROP TABLE replayed")


def _against_reading(
    connection: duckdb.DuckDBPyConnection,
    log: EventLog,
    what: str,
    query: str,
    bound: float,
    repetitions: int,
) -> Figure:
    reading = segments_sql(paths_of(log, log.coverage().segments))
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


def _over_columns(folder: Path, from_text_ms: float, *, repetitions: int) -> Generator[Figure, None, float]:
    """The fold of four fields where a projection keeps them as columns; returns its milliseconds."""
    cache = folder / "columns"
    began = perf_counter()
    replay_lens(log_at(folder), cache, OWN, only=[COLUMNS.name])
    kept = (perf_counter() - began) * 1000
    what = "taking four fields apart into columns, kept as a checkpoint : a fold from the payloads"
    yield Figure(what=what, value=kept, unit="ms", baseline=from_text_ms, kind="informs")
    engine = Engine(log_at(folder), cache)
    taken = alone(lambda: engine.arrow(OVER_COLUMNS, lens=OWN), repetitions=repetitions)
    what = "a fold of four fields over kept columns : from the payloads"
    yield Figure(what=what, value=taken, unit="ms", baseline=from_text_ms, kind="informs")
    shutil.rmtree(cache)
    return taken


def _by_checkpoint(folder: Path, *, repetitions: int) -> Iterator[Figure]:
    """With a checkpoint: the first query of a log just opened, and one after more was recorded."""
    cache = folder / "cache"
    replay_lens(log_at(folder), cache, default_lens(), only=[one.name for one in BLOCKS])

    def ask(query: str) -> Callable[[], object]:
        return lambda: Engine(log_at(folder), cache).relation(query).fetchall()

    def whole() -> None:
        engine = Engine(log_at(folder))
        engine.arrow("SELECT count(COLUMNS(*)) FROM blocks")

    value, baseline = in_turns(ask("SELECT title FROM blocks LIMIT 5"), whole, repetitions=repetitions)
    what = "first query of `blocks`, with a checkpoint : replay of all of it"
    yield Figure(what=what, value=value, unit="ms", baseline=baseline, bound=FIRST_BOUND, kind="gate")
    log = log_at(folder)
    blocks = log.coverage().events * 2 // 3
    log.append([_retitled(1 + number * blocks // NEW_EVENTS) for number in range(NEW_EVENTS)])
    query = "SELECT count(*), max(title), max(updated_at) FROM blocks"
    value, baseline = in_turns(ask(query), whole, repetitions=repetitions)
    what = f"a query of `blocks` after {NEW_EVENTS:,} new events : replay of all of it"
    yield Figure(what=what, value=value, unit="ms", baseline=baseline, bound=REFRESH_BOUND, kind="gate")


def _retitled(number: int) -> Draft:
    about = f"block:{number}"
    return Draft(kind="block.observed", object_id=about, payload={"title": f"New {number}"}, origin="arena")


def growth(folder: Path) -> Iterator[Figure]:
    """How time and memory grow: a million events and ten, each replayed in a process of its own."""
    taken = []
    for events in (LARGE, 10 * LARGE):
        place = folder / "growth"
        log_of_blocks(place, events=events)
        taken.append(in_a_process(place))
        shutil.rmtree(place)
    (small_ms, _), (large_ms, peak_mib) = taken
    what = f"replay of `blocks` with its checkpoint written, {10 * LARGE:,} events : {LARGE:,}"
    yield Figure(what=what, value=large_ms, unit="ms", baseline=small_ms, bound=GROWTH_BOUND, kind="gate")
    what = f"resident memory of that replay of {10 * LARGE:,} events"
    yield Figure(what=what, value=peak_mib, unit="MiB", bound=MEMORY_BOUND_MIB, kind="gate")


def _rivals(
    log: EventLog, folder: Path, from_text_ms: float, over_columns_ms: float, *, size: int
) -> Iterator[Figure]:
    """The fold of four fields in other ways: beside ours over kept columns, and from the payloads."""
    ways: dict[str, tuple[Callable[[Sequence[Path], Path, int], float | None], int, float]] = {
        "SQLite": (by_sqlite, SLICE, RIVAL_BOUND),
        "a Python loop": (by_loop, SLICE, RIVAL_BOUND),
        "the eventsourcing library": (by_library, LIBRARY_SLICE, LIBRARY_BOUND),
    }
    segments = log.coverage().segments
    for name, (way, most, bound) in ways.items():
        count = min(most, size)
        place = folder / "rival"
        place.mkdir()
        begun = [log.path(one) for one in segments if one.footer.first <= count]
        taken = way(begun, place, count)
        shutil.rmtree(place)
        if taken is None:
            print(f"left out: {name} is not installed (extra `bench`)", file=sys.stderr)  # noqa: T201
            continue
        scaled = f" ({count:,} events, scaled)" if count < size else ""
        against, theirs = f"{size:,} events : {name}{scaled}", taken * size / count
        what = f"a fold of four fields over kept columns, {against}"
        yield Figure(what=what, value=over_columns_ms, unit="ms", baseline=theirs, bound=bound, kind="gate")
        what = f"a fold of four fields from the payloads, {against}"
        yield Figure(what=what, value=from_text_ms, unit="ms", baseline=theirs, kind="informs")
