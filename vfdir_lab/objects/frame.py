"""A frame: the tables of an archive at one head, through one lens, for reading cell by cell.

Owns: `Frame`, `Table` and `Group`.
Guarantees: a frame never changes, since a head and a lens name one answer; each table is computed when it
is first asked for, and held once, as Arrow has it. Who still reads from an older frame reads on in peace.
Leaves to others: when there is a new one (`pool`), what a cell means (`thing`).
Checked by: `tests/objects/test_things.py`, `test_live.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from types import MappingProxyType
from typing import Any

import pyarrow as pa

from vfdir_lab.log import Head
from vfdir_lab.objects.ids import NUMBER, SPACE, Ids, Key
from vfdir_lab.projection.catalogue import shipped
from vfdir_lab.projection.connection import connect, quoted
from vfdir_lab.projection.engine import Engine, read_sql
from vfdir_lab.projection.lens import Lens

SQL = files("vfdir_lab.objects") / "sql"

ONE_ARRAY_BYTES = 1 << 31
"""What the offsets of one Arrow array of texts reach."""

GROUPS: Mapping[str, tuple[str, str, str | None]] = MappingProxyType(
    {
        "connections of an item": ("connections", "item", "connected_at"),
        "connections in a channel": ("connections", "channel", "-position"),
        "comments on a block": ("comments", "block", "created_at"),
        "blocks by a user": ("blocks", "author", None),
        "channels of a user": ("channels", "owner", None),
    }
)
"""What belongs to an object: rows of which table name it in which column, and what they are ordered by."""


class Table:
    """The rows of a projection, each found by its object's id."""

    def __init__(self, table: pa.Table | None = None) -> None:
        self.ids = Ids(table)
        own = [] if table is None else [name for name in table.column_names if name not in {SPACE, NUMBER}]
        self.names: tuple[str, ...] = tuple(own)
        self.columns: dict[str, Any] = {name: _plain(table.column(name)) for name in own if table is not None}

    def cell(self, place: int, name: str) -> Any:
        """The value in a column at a place; None where there is no such column."""
        column = self.columns.get(name)
        return None if column is None else column[place].as_py()

    def row(self, place: int) -> dict[str, Any]:
        """All values at a place."""
        return {name: column[place].as_py() for name, column in self.columns.items()}


class Group:
    """Which rows of a table belong to an object."""

    def __init__(self, table: pa.Table | None = None) -> None:
        self._ids = Ids(table)
        self._places = None if table is None else _plain(table.column("places"))

    def places(self, space: str, key: Key) -> list[int]:
        """The places of the rows that name an object, in the order they are shown."""
        found = self._ids.place(space, key)
        return [] if found is None or self._places is None else list(self._places[found].as_py())


@dataclass(frozen=True, kw_only=True)
class Frame:
    """What a head and a lens say. `tables` and `groups` are those that were asked for."""

    engine: Engine
    head: Head
    lens: Lens
    tables: dict[str, Table] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    _bound: list[dict[str, str]] = field(default_factory=list)

    def is_at(self, head: Head, lens: Lens) -> bool:
        """Whether it says what they say."""
        return self.head == head and self.lens.fingerprint == lens.fingerprint

    def table(self, name: str) -> Table:
        """A table by name; without rows where the lens has none of that name.

        Raises:
            ProjectionError: the lens does not run. LogError
        """
        if name not in self.tables:
            found = None
            if self.lens.get(name) is not None:
                query = read_sql(SQL, "table").replace("the_table", quoted(name))
                found = self.engine.arrow(query, head=self.head, lens=self.lens)
            self.tables[name] = Table(found)
        return self.tables[name]

    def group(self, name: str) -> Group:
        """One of `GROUPS`. Raises as `table`."""
        if name not in self.groups:
            source, column, order = GROUPS[name]
            self.groups[name] = _grouped(self.table(source), column, order)
        return self.groups[name]

    def bindings(self) -> Mapping[str, str]:
        """are.na's ids of what was born on a device, by local id. Raises LogError."""
        if not self._bound:
            lens = Lens(name="bindings", definitions=tuple(shipped().in_order({"bindings": 1})))
            rows = self.engine.arrow(read_sql(SQL, "bindings"), head=self.head, lens=lens).to_pylist()
            self._bound.append({row["object_id"]: row["remote"] for row in rows})
        return self._bound[0]


def _grouped(table: Table, column: str, order: str | None) -> Group:
    """A table's rows by what a column names; `-` before the column that orders means the greatest first."""
    if column not in table.columns:
        return Group()
    places = pa.array(range(table.ids.size), pa.int64())
    members = {"object_id": table.columns[column], "place": places}
    shown = (order or "").removeprefix("-")
    members["shown"] = table.columns.get(shown, places)
    query = read_sql(SQL, "group")
    if order is not None and order.startswith("-"):
        query = query.replace("ORDER BY shown NULLS LAST", "ORDER BY shown DESC NULLS LAST")
    with connect() as connection:
        connection.register("members", pa.table(members))
        return Group(connection.sql(query).to_arrow_table())


def _plain(column: Any) -> Any:
    """A column to be read by place: as one array where it fits in one, which is read quicker."""
    return column if column.nbytes >= ONE_ARRAY_BYTES else column.combine_chunks()
