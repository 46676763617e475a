"""The history of an object: each event about it as one line that says what it changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import duckdb
import pyarrow as pa

from vfdir_lab.errors import EventError
from vfdir_lab.event.canonical import parse
from vfdir_lab.log import Head
from vfdir_lab.projection.engine import Engine
from vfdir_lab.projection.provenance.wording import (
    cut,
    escaped,
    html_table,
    is_news,
    moment_of,
    phrase,
    told,
    value_of,
)

FIELDS_SHOWN = 8
LINES_SHOWN = 100
_ABOUT_OBJECTS = "SELECT events.* FROM events JOIN asked USING (object_id) ORDER BY hlc, device, seq"


def describe(event: Mapping[str, Any], known: Mapping[str, Any] | None = None) -> str:
    """An event, given as its row of `events`, as one line for people.

    `known` are the values of the object's fields before it: what differs is told as `title “Tides” → “Neap
    tides”`, a field emptied as `cleared`.
    """
    changes = _changes(event, known or {})
    start = f"{moment_of(event['recorded_at'])}  {phrase(event)}"
    return f"{start}: {changes}" if changes else start


def _changes(event: Mapping[str, Any], known: Mapping[str, Any]) -> str:
    fields = _fields(event)
    said = [_change(name, value, known) for name, value in fields.items() if is_news(event, name)]
    said = [one for one in said if one]
    if len(said) > FIELDS_SHOWN:
        said = [*said[:FIELDS_SHOWN], f"and {len(said) - FIELDS_SHOWN} more"]
    return ", ".join(said)


def _change(name: str, value: Any, known: Mapping[str, Any]) -> str:
    before = known.get(name)
    if value is None:
        return f"{cut(name)} cleared" if before is not None else ""
    if before is None:
        return f"{cut(name)} {value_of(told(value))}"
    return f"{cut(name)} {value_of(told(before))} → {value_of(told(value))}" if before != value else ""


def _fields(event: Mapping[str, Any]) -> dict[str, Any]:
    """The payload; of a newer version's that cannot be read here, nothing."""
    try:
        return parse(event["payload"])
    except EventError:
        return {}


class History:
    """Every event about one object, newest last; iterating gives lines.

    `relation` has the rows, with the columns of `events`; whatever a relation can do (`pl`, `df`, `fetchall`,
    `to_arrow_table`, `filter` …) can be asked of the history itself.
    """

    def __init__(self, object_id: str, relation: duckdb.DuckDBPyRelation) -> None:
        self.object_id = object_id
        self.relation = relation

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name == "relation":
            raise AttributeError(name)
        return getattr(self.relation, name)

    def __len__(self) -> int:
        return len(self.relation)

    def __iter__(self) -> Iterator[str]:
        known: dict[str, Any] = {}
        for event in self._events():
            yield describe(event, known)
            known |= _fields(event)

    def _events(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.relation.to_arrow_table().to_pylist()
        return rows

    def __str__(self) -> str:
        lines = list(self)
        if not lines:
            return f"nothing is known of {escaped(self.object_id)}"
        return "\n".join([escaped(self.object_id), *self._left_out(len(lines)), *lines[-LINES_SHOWN:]])

    def __repr__(self) -> str:
        return str(self)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        lines = [line.partition("  ") for line in self]
        events = [event["event_id"] for event in self._events()]
        rows = [[when, what, event] for (when, _, what), event in zip(lines, events, strict=True)]
        caption = ", ".join([f"History of {escaped(self.object_id)}", *self._left_out(len(rows))])
        page = html_table(caption, ("when (UTC)", "what", "event"), rows[-LINES_SHOWN:])
        return {"text/plain": str(self), "text/html": page}

    @staticmethod
    def _left_out(lines: int) -> list[str]:
        return [f"… {lines - LINES_SHOWN:,} earlier events"] if lines > LINES_SHOWN else []


def history(engine: Engine, object_id: str, head: Head | None = None, at: datetime | None = None) -> History:
    """Every event about an object (`block:123`), up to a head, or as things were so at a moment."""
    asked = pa.table({"object_id": pa.array([object_id], pa.string())})
    return History(object_id, engine.relation(_ABOUT_OBJECTS, head=head, at=at, tables={"asked": asked}))
