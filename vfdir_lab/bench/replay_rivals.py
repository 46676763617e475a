"""The same fold in other ways: SQLite with JSON and a window, a loop, an event-sourcing library.

Each takes the first `count` events of segments and gives the milliseconds that folding took, from where it
keeps its events: SQLite and the library from databases of their own, the loop from the segments.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from importlib import import_module
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

FIELDS = ("title", "type", "description", "updated_at")
Row = tuple[str, int, str]


def by_sqlite(segments: Sequence[Path], folder: Path, count: int) -> float:
    """The newest value of each field by window functions over `json_each`."""
    sql = (files("vfdir_lab.bench") / "replay_sqlite.sql").read_text("utf-8")
    connection = sqlite3.connect(folder / "events.sqlite")
    try:
        connection.execute("CREATE TABLE events (object_id TEXT, hlc INTEGER, payload TEXT)")
        connection.executemany("INSERT INTO events VALUES (?, ?, ?)", _rows(segments, count))
        connection.commit()
        started = perf_counter()
        connection.execute(f"CREATE TABLE folded AS {sql}")
        return (perf_counter() - started) * 1000
    finally:
        connection.close()


def by_loop(segments: Sequence[Path], folder: Path, count: int) -> float:
    """A dictionary of dictionaries, in stamp order; read from the segments, as ours is."""
    del folder
    started = perf_counter()
    rows = _rows(segments, count)
    state: dict[str, dict[str, Any]] = {}
    for object_id, _, payload in sorted(rows, key=lambda row: row[1]):
        said = json.loads(payload)
        known = state.setdefault(object_id, {})
        for field in FIELDS:
            if field in said:
                known[field] = said[field]
    return (perf_counter() - started) * 1000


def by_library(segments: Sequence[Path], folder: Path, count: int) -> float | None:
    """Every aggregate rebuilt by the library's repository from its SQLite store; None without the library."""
    if find_spec("eventsourcing") is None:
        return None
    domain, application = import_module("eventsourcing.domain"), import_module("eventsourcing.application")

    class Block(domain.Aggregate):  # type: ignore[name-defined,misc]
        class Said(domain.Aggregate.Event):  # type: ignore[name-defined,misc]
            fields: dict[str, Any]

            def apply(self, aggregate: Any) -> None:
                for field in FIELDS:
                    if field in self.fields:
                        setattr(aggregate, field, self.fields[field])

    place = str(folder / "library.sqlite")
    app = application.Application(env={"PERSISTENCE_MODULE": "eventsourcing.sqlite", "SQLITE_DBNAME": place})
    blocks: dict[str, Any] = {}
    for object_id, _, payload in _rows(segments, count):
        block = blocks.setdefault(object_id, Block())
        block.trigger_event(Block.Said, fields=json.loads(payload))
    app.save(*blocks.values())
    started = perf_counter()
    for block in blocks.values():
        app.repository.get(block.id)
    return (perf_counter() - started) * 1000


def _rows(segments: Sequence[Path], count: int) -> list[Row]:
    names = ["object_id", "hlc", "payload"]
    tables = (pq.read_table(one, columns=names, partitioning=None) for one in segments)
    table = pa.concat_tables(tables).slice(0, count)
    columns = (table.column(name).to_pylist() for name in names)
    return list(zip(*columns, strict=True))
