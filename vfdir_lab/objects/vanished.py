"""What is not shown any more: what it showed last, and since when it is gone.

Owns: `last_shown`.
Guarantees: the values are those that the lens makes of all that was said of an object, its end left out;
what a wish of its own made and lost is there, too. A person's SQL runs confined here as everywhere.
Leaves to others: who asks, and for how many at once (`pool`).
Checked by: `tests/objects/test_vanished.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import duckdb
import pyarrow as pa

from vfdir_lab.errors import ProjectionError
from vfdir_lab.objects.frame import SQL, Frame
from vfdir_lab.projection.connection import confine, connect, plainly, quoted, set_view
from vfdir_lab.projection.engine import read_sql
from vfdir_lab.projection.lens import Lens
from vfdir_lab.projection.opening import named
from vfdir_lab.projection.source import hold_events

_NO_PLACE = frozenset({"position", "length"})
"""Columns that follow from other objects: of what is gone, there is nothing to say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What an object showed last, and when it was recorded that it is not there any more, if it was."""

    row: Mapping[str, Any] = field(default_factory=dict)
    vanished_at: datetime | None = None


def last_shown(frame: Frame, table: str, objects: Sequence[str]) -> dict[str, Past]:
    """What is known of objects that a table does not show, by id; nothing of those nobody ever spoke of.

    Raises:
        ProjectionError: the lens does not run over so few events. LogError
    """
    local: dict[str, list[str]] = {}
    for name, remote in frame.bindings().items():
        local.setdefault(remote, []).append(name)
    names = {one: [one, *local.get(one, ())] for one in objects}
    asked = [name for each in names.values() for name in each]
    told = frame.engine.facts(read_sql(SQL, "told"), {"objects": asked}, head=frame.head)
    known = set(told.column("object_id").to_pylist())
    rows = _rows(frame, table, asked) if known else {}
    ended = _ended(frame, [*asked, *_around(rows.values())]) if known else {}
    return {
        one: Past(row=rows.get(one, {}), vanished_at=_first(ended, [*each, *_around([rows.get(one, {})])]))
        for one, each in names.items()
        if not known.isdisjoint(each)
    }


def _first(ended: Mapping[str, datetime], names: Sequence[str]) -> datetime | None:
    """When an object ended: by what was said of it, else with the first of those it hung on."""
    own = [ended[name] for name in names if name in ended]
    return min(own, default=None)


def _around(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """What connections connect, which they do not outlast."""
    found = (row.get(name) for row in rows for name in ("channel", "item"))
    return [one for one in found if isinstance(one, str)]


def _ended(frame: Frame, objects: Sequence[str]) -> dict[str, datetime]:
    table = frame.engine.facts(read_sql(SQL, "ended"), {"objects": list(objects)}, head=frame.head)
    return {row["object_id"]: row["vanished_at"] for row in table.to_pylist()}


def _rows(frame: Frame, table: str, objects: Sequence[str]) -> dict[str, dict[str, Any]]:
    """What the lens makes of the events about some objects alone."""
    query = read_sql(SQL, "last_events")
    events = frame.engine.facts(query, {"objects": list(objects)}, head=frame.head)
    if frame.lens.get(table) is None:
        return {}
    try:
        found = _through(frame.lens, table, events, frame)
    except duckdb.Error as error:
        raise ProjectionError(
            f"{frame.lens[table].called} does not run over the events of few objects: {plainly(error)}"
        ) from error
    return {
        row["object_id"]: {name: None if name in _NO_PLACE else value for name, value in row.items()}
        for row in found.to_pylist()
    }


def _through(lens: Lens, table: str, events: pa.Table, frame: Frame) -> pa.Table:
    wanted = named(lens, table)
    with connect() as connection:
        hold_events(connection, events, (), frame.head)
        confine(connection)
        for one in lens.definitions:
            if one.name in wanted:
                set_view(connection, one.name, one.view)
        return connection.sql(f"FROM {quoted(table)}").to_arrow_table()
