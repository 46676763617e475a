"""Causes: for cells of a projection, the event that made each say what it says.

The cause of a cell is the last event, in the total order, at whose arrival the cell changed to what it is in
the end; all later events left it as it is. Where a projection depends on each object's own events alone, all
objects are walked together, a level at a time, so the number of queries is the longest history among them.
Else the events the rows may hang on are walked, the newest one by one, older ones by bisection.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, cast

import pyarrow as pa
import pyarrow.compute as pc
import sqlglot
from sqlglot import exp

from vfdir_lab.projection.connection import refusals_told
from vfdir_lab.projection.definition import LEAF
from vfdir_lab.projection.engine import Engine, Standpoint, read_sql
from vfdir_lab.projection.lens import Lens
from vfdir_lab.projection.objectwise import EVENTS, NotProvenError, Rows, prove
from vfdir_lab.projection.provenance.walk import (
    FOLDER,
    Asked,
    Place,
    Stage,
    last_changes,
    prefixes_of,
    value,
)

WHOLE = 20_000
"""A log of so many events is walked whole; of a larger one, what the rows may hang on."""
LEVELS = 512
"""An object's own events are walked back so far."""

Event = Mapping[str, Any]
Causes = dict[Place, Event]
"""The row of `events` behind each cell; what could not be found is left out."""


def causes(engine: Engine, name: str, stand: Standpoint, rows: Sequence[Asked]) -> Causes:
    """The events behind the asked cells of the projection `name`, as it is from that standpoint.

    Raises:
        QueryError: DuckDB refuses the definition.
    """
    if not rows:
        return {}
    if not is_object_wise(stand.lens, name):
        return _by_time(engine, name, stand, rows)
    found, unexplained = _by_object(engine, name, stand, rows)
    return found | (_by_time(engine, name, stand, unexplained) if unexplained else {})


def causes_apart(
    engine: Engine, name: str, stand: Standpoint, other: Standpoint, rows: Sequence[Asked]
) -> Causes:
    """As `causes`, among the events that only `stand` has, all that `other` has too being held.

    What explains a cell that the same event put there on both sides.
    """
    mine = material(engine, name, stand, rows)
    shared = _fetch(
        engine,
        other,
        "SELECT event_id FROM events SEMI JOIN asked USING (event_id)",
        mine.select(["event_id"]),
    )
    is_shared = pc.is_in(mine.column("event_id"), value_set=shared.column("event_id").combine_chunks())
    exclusive, held = mine.filter(pc.invert(is_shared)), mine.filter(is_shared)
    if not exclusive.num_rows:
        return {}
    with prefixes_of(stand.lens, name, rows, exclusive, held) as prefixes:
        return _events(exclusive, last_changes(prefixes, rows))


def is_object_wise(lens: Lens, name: str) -> bool:
    """Whether a row depends on the events of its own object alone, all the way down.

    Of shipped versions the header says so (and tests hold it to that), of a person's own it has to be proven.
    """
    return _object_rows(lens, name) is not None


@lru_cache(maxsize=256)
def _object_rows(lens: Lens, name: str) -> Rows | None:
    """The columns of such a projection, and those that hold the object's id; None of another."""
    one = lens[name]
    below = {read: _object_rows(lens, read) for read in one.reads - {LEAF}}
    tables = {LEAF: EVENTS} | {read: rows for read, rows in below.items() if rows is not None}
    if len(tables) < len(below) + 1:
        return None
    tree = sqlglot.parse_one(one.plain, dialect="duckdb")
    if one.source == "shipped":
        columns = tuple(column.lower() for column in cast("exp.Query", tree).named_selects)
        return Rows(columns=columns, objects=frozenset(one.keys)) if one.refresh_by == "object_id" else None
    try:
        rows = prove(tree, tables)
    except (NotProvenError, RecursionError):
        return None
    return rows if rows.objects & set(one.keys) else None


def material(engine: Engine, name: str, stand: Standpoint, rows: Sequence[Asked]) -> pa.Table:
    """The events that explain the rows, in their total order, with the columns of `events`.

    Those of the rows' own objects where the headers say that these suffice, and they do; else all around.
    """
    if is_object_wise(stand.lens, name):
        own = _own(engine, stand, rows)
        with prefixes_of(stand.lens, name, rows, own) as prefixes:
            now = prefixes.at(len(prefixes))
        if all(value(now, place) == final for row in rows for place, final in row.finals.items()):
            return own
    return _around(engine, stand, rows)


def _own(engine: Engine, stand: Standpoint, rows: Iterable[Asked]) -> pa.Table:
    query = "SELECT events.* FROM events SEMI JOIN asked USING (object_id) ORDER BY hlc, device, seq"
    return _fetch(engine, stand, query, _owners(rows))


def _around(engine: Engine, stand: Standpoint, rows: Iterable[Asked]) -> pa.Table:
    """The whole log, or, of a large one, what the rows may hang on."""
    is_small = sum(stand.head.values()) <= WHOLE
    query = "SELECT * FROM events ORDER BY hlc, device, seq" if is_small else read_sql(FOLDER, "related")
    return _fetch(engine, stand, query, _owners(rows))


def _owners(rows: Iterable[Asked]) -> pa.Table:
    owners = sorted({row.owner for row in rows if row.owner is not None})
    return pa.table({"object_id": pa.array(owners, pa.string())})


def _by_time(engine: Engine, name: str, stand: Standpoint, rows: Sequence[Asked]) -> Causes:
    events = _around(engine, stand, rows)
    with prefixes_of(stand.lens, name, rows, events) as prefixes:
        return _events(events, last_changes(prefixes, rows))


def _by_object(
    engine: Engine, name: str, stand: Standpoint, rows: Sequence[Asked]
) -> tuple[Causes, list[Asked]]:
    """What the objects' own events explain, and the rows that they do not."""
    events = _own(engine, stand, rows)
    about, backs = events.column("object_id").to_pylist(), _backs(events)
    places = {place: index for index, place in enumerate(zip(about, backs, strict=True))}
    owners = {row.key: row.owner for row in rows}
    finals = {place: final for row in rows for place, final in row.finals.items()}
    found: dict[Place, int] = {}
    with Stage(stand.lens, name, rows, events, [-back for back in backs]) as stage:
        now = stage.upto(1)
        left = {place for place, final in finals.items() if value(now, place) == final}
        unexplained = [row for row in rows if row.finals.keys() - left]
        for back in range(1, min(max(backs, default=-1) + 1, LEVELS) + 1):
            before = stage.upto(1 - back)
            changed = {place for place in left if value(before, place) != finals[place]}
            found |= {place: places[owners[place[0]], back - 1] for place in changed}
            left -= changed
            if not left:
                break
    return _events(events, found), unexplained


def _backs(events: pa.Table) -> list[int]:
    """How many newer events of its object there are, for each."""
    seen: dict[str, int] = {}
    backs = []
    for about in reversed(events.column("object_id").to_pylist()):
        backs.append(seen.get(about, 0))
        seen[about] = backs[-1] + 1
    return backs[::-1]


def _events(events: pa.Table, indices: Mapping[Place, int]) -> Causes:
    rows = {index: events.slice(index, 1).to_pylist()[0] for index in set(indices.values())}
    return {place: rows[index] for place, index in indices.items()}


def _fetch(engine: Engine, stand: Standpoint, query: str, asked: pa.Table) -> pa.Table:
    relation = engine.relation(query, head=stand.head, at=stand.at, tables={"asked": asked})
    with refusals_told():
        return relation.to_arrow_table()


def only(rows: Iterable[Asked], places: set[Place]) -> list[Asked]:
    """The rows with those cells alone."""
    kept = []
    for row in rows:
        cells = {name: text for name, text in row.cells.items() if (row.key, name) in places}
        if cells or (row.key, None) in places:
            kept.append(replace(row, cells=cells))
    return kept
