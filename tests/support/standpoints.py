"""Standpoints for tests: a person's versions, lenses with them, and an engine over a table, not a log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import duckdb
import pyarrow as pa

from vfdir_lab.event import Event
from vfdir_lab.log import Head
from vfdir_lab.log.segment import table_of
from vfdir_lab.projection import Lens, default_lens
from vfdir_lab.projection.connection import connect
from vfdir_lab.projection.definition import Definition, define
from vfdir_lab.projection.engine import Engine, Standpoint
from vfdir_lab.projection.leaf import SOURCE
from vfdir_lab.projection.lens import lens_of
from vfdir_lab.projection.scratch import scratch


def own(
    name: str, version: int, select: str, *, key: str = "object_id", by: str | None = "object_id"
) -> Definition:
    """A person's version."""
    refresh = f"-- refresh by: {by}\n" if by else ""
    header = f"-- projection: {name}\n-- version: {version}\n-- title: Of a test\n-- key: {key}\n{refresh}"
    return define(f"{header}/* A rule of a test. */\n{select}\n", where=f"{name}/v{version}", source="own")


def lens_with(*definitions: Definition) -> Lens:
    """The default lens with these instead of, or beside, its own."""
    names = {one.name for one in definitions}
    others = [one for one in default_lens().definitions if one.name not in names]
    return lens_of("mine", [*others, *definitions])


def stand(
    engine: Any, lens: Lens | None = None, head: Head | str | None = None, at: datetime | None = None
) -> Standpoint:
    """A standpoint; by default, at the end of the log through the default lens."""
    known = Head.parse(head) if isinstance(head, str) else head
    return Standpoint(head=end_of(engine) if known is None else known, lens=lens or default_lens(), at=at)


def end_of(engine: Any) -> Head:
    """How far an engine's events reach."""
    return engine.head if isinstance(engine, OverTable) else engine._log.coverage().head


class OverTable(Engine):
    """Answers as an engine does, over events in memory: an example of a property needs no files."""

    def __init__(self, events: Sequence[Event]) -> None:
        self.events = sorted(events, key=lambda event: event.order)
        self.head = Head(_last(events))

    def upto(self, head: Head) -> list[Event]:
        return [event for event in self.events if event.seq <= head.seq(event.device)]

    def arrow(self, query: str, parameters: Any = None, *, head: Any = None, lens: Any = None) -> pa.Table:
        return self.relation(query, head=head, lens=lens).to_arrow_table()

    def relation(
        self,
        query: str,
        *,
        head: Head | None = None,
        lens: Lens | None = None,
        at: datetime | None = None,
        tables: Mapping[str, Any] | None = None,
    ) -> duckdb.DuckDBPyRelation:
        assert at is None, "only a log knows what was so"
        chosen = lens or default_lens()
        if chosen.fingerprint not in _VIEWS:
            _VIEWS[chosen.fingerprint] = scratch(chosen.definitions)
        connection = _VIEWS[chosen.fingerprint]
        connection.register(SOURCE, table_of(self.upto(self.head if head is None else head)))
        for name, table in (tables or {}).items():
            connection.register(name, table)
        return _ANSWERS.from_arrow(connection.sql(query).to_arrow_table())


_ANSWERS = connect()
_VIEWS: dict[str, duckdb.DuckDBPyConnection] = {}
"""By lens: setting up the views takes far longer than asking them."""


def _last(events: Sequence[Event]) -> dict[str, int]:
    last: dict[str, int] = {}
    for event in events:
        last[event.device] = max(last.get(event.device, 0), event.seq)
    return last
