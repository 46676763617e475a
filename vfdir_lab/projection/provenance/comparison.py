"""The comparison of two tables of rows, in DuckDB: which rows and cells differ, counted and listed.

Rows are joined by their key, null-safely; values are compared null-safely, JSON by what it says. Only the
differing rows are kept, as texts, on a confined connection of its own that answers further SQL.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import Template

import duckdb
import pyarrow as pa

from vfdir_lab.errors import ProjectionError
from vfdir_lab.projection.connection import confine, connect, literal, quoted
from vfdir_lab.projection.engine import read_sql
from vfdir_lab.projection.provenance.walk import FOLDER, Asked, Place, key_text

ONLY_LEFT, ONLY_RIGHT, CHANGED = "only here", "only there", "changed"
_WHOLE_NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT")
_NUMBERS = (*_WHOLE_NUMBERS, "FLOAT", "DOUBLE", "DECIMAL")


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """The rows from one standpoint.

    `called` names it in errors, `columns` are those the definition itself gives, by name in lower case, each
    with its name as spelled; `json` those that hold JSON.
    """

    called: str
    rows: pa.Table
    columns: Mapping[str, str]
    json: frozenset[str]


class Comparison:
    """What differs between two sides whose rows have the same key columns.

    `same`, `only_left`, `only_right`, `changed` count rows; `fields` are the columns compared; `columns` says
    of each that differs in how many rows.

    Raises:
        ProjectionError: a side has a key twice.
    """

    def __init__(self, left: Side, right: Side, keys: Sequence[str]) -> None:
        self._keys = [key.lower() for key in keys]
        self._sides = (left, right)
        common = [name for name in left.columns if name in right.columns and name not in self._keys]
        self.fields = [left.columns[name] for name in common]
        self._connection = connect()
        confine(self._connection)
        for name, side in (("left_rows", left), ("right_rows", right)):
            self._connection.register(name, side.rows)
            self._refuse_twins(name, side)
        self._types = [dict(self._described(name)) for name in ("left_rows", "right_rows")]
        self._connection.execute(self._differing(common))
        for at, name in enumerate(common):
            if name in left.json or name in right.json:
                self._forgive(at)
        self._drop_alike(len(common))
        self._count()
        for name in ("left_rows", "right_rows"):
            self._connection.unregister(name)

    def relation(
        self, causes: Mapping[Place, tuple[str | None, str | None]] | None
    ) -> duckdb.DuckDBPyRelation:
        """The cells in order of key and column, with the events behind them where `causes` are given."""
        if causes is None:
            return self._connection.sql(f"SELECT * EXCLUDE (n) FROM ({self._cells()}) ORDER BY object_id, n")
        table = pa.table(
            {
                "key": pa.array([key for key, _ in causes], pa.string()),
                "name": pa.array([name for _, name in causes], pa.string()),
                "left_event": pa.array([events[0] for events in causes.values()], pa.string()),
                "right_event": pa.array([events[1] for events in causes.values()], pa.string()),
            }
        )
        called = f"causes_{len(causes)}"
        self._connection.register(called, table)
        return self._connection.sql(
            f"SELECT cells.* EXCLUDE (n), left_event, right_event FROM ({self._cells()}) AS cells "
            f"LEFT JOIN {called} ON key IS NOT DISTINCT FROM object_id AND name IS NOT DISTINCT FROM field "
            "ORDER BY object_id, n"
        )

    def cells(self, limit: int | None = None) -> list[tuple[str | None, ...]]:
        """object_id, what, field, left, right of the first cells, in order."""
        query = f"SELECT * EXCLUDE (n) FROM ({self._cells()}) ORDER BY object_id, n"
        return self._connection.execute(query if limit is None else f"{query} LIMIT {limit}").fetchall()

    def asked(self, rows: int) -> tuple[list[Asked], list[Asked]]:
        """The first so many differing rows, as questions to either side."""
        first = self._connection.execute(
            f"SELECT key, owner, what, {self._lists('d', 'l', 'r')} FROM differing ORDER BY key LIMIT {rows}"
        ).fetchall()
        left, right = [], []
        for key, owner, what, differs, lefts, rights in first:
            names = [at for at, differing in enumerate(differs) if differing] if what == CHANGED else []
            left.append(self._ask(key, owner, {at: lefts[at] for at in names}, present=what != ONLY_RIGHT))
            right.append(self._ask(key, owner, {at: rights[at] for at in names}, present=what != ONLY_LEFT))
        return left, right

    def _ask(self, key: str, owner: str, cells: dict[int, str], *, present: bool) -> Asked:
        named = {self.fields[at]: text for at, text in cells.items()}
        return Asked(key=key, owner=owner, present=present, cells=named)

    def _lists(self, *kinds: str) -> str:
        count = range(len(self.fields))
        return ", ".join(f"[{', '.join(f'{kind}{at}' for at in count)}]" for kind in kinds)

    def _described(self, table: str) -> list[tuple[str, str]]:
        described = self._connection.execute(f"DESCRIBE {table}").fetchall()
        return [(row[0].lower(), row[1]) for row in described]

    def _refuse_twins(self, table: str, side: Side) -> None:
        key = key_text(self._keys)
        columns = ", ".join(map(quoted, self._keys))
        twin = self._connection.execute(
            f"SELECT {key}, count(*) FROM {table} GROUP BY {columns} HAVING count(*) > 1 ORDER BY 1 LIMIT 1"
        ).fetchone()
        if twin is not None:
            raise ProjectionError(
                f"{side.called} has {twin[1]} rows of the key {twin[0]!r} ({', '.join(self._keys)}); "
                "let its SELECT give one row for each key, or mend `key` in its header"
            )

    def _differing(self, common: Sequence[str]) -> str:
        owner = "object_id" if "object_id" in self._keys else self._keys[0]
        differs = [f'l."is there" AND r."is there" AND NOT {self._same(name)}' for name in common]
        cells = "".join(
            f", COALESCE({differing}, FALSE) AS d{at}"
            f", CASE WHEN {differing} THEN {_text('l', name)} END AS l{at}"
            f", CASE WHEN {differing} THEN {_text('r', name)} END AS r{at}"
            for at, (name, differing) in enumerate(zip(common, differs, strict=True))
        )
        return Template(read_sql(FOLDER, "differing")).substitute(
            left_key=key_text(self._keys, "l."),
            right_key=key_text(self._keys, "r."),
            left_owner=_text("l", owner),
            right_owner=_text("r", owner),
            left_row=_row("l", self._sides[0]),
            right_row=_row("r", self._sides[1]),
            cells=cells,
            on=" AND ".join(map(self._same, self._keys)),
            any=" OR ".join(["FALSE", *(f"d{at}" for at in range(len(common)))]),
        )

    def _same(self, name: str) -> str:
        """Whether a column says the same on both sides; of different types, as text."""
        left, right = (types[name] for types in self._types)
        if left == right or (left.startswith(_NUMBERS) and right.startswith(_NUMBERS)):
            return f"(l.{quoted(name)} IS NOT DISTINCT FROM r.{quoted(name)})"
        return f"({_text('l', name)} IS NOT DISTINCT FROM {_text('r', name)})"

    def _forgive(self, at: int) -> None:
        """JSON that is only spelled otherwise is the same."""
        pairs = self._connection.execute(
            f"SELECT DISTINCT l{at}, r{at} FROM differing WHERE d{at}"
        ).fetchall()
        alike = [pair for pair in pairs if canonical(pair[0]) == canonical(pair[1])]
        if alike:
            columns = [pa.array(column, pa.string()) for column in zip(*alike, strict=True)]
            self._connection.register("alike", pa.table(columns, names=["l", "r"]))
            self._connection.execute(
                f"UPDATE differing SET d{at} = FALSE FROM alike WHERE l{at} = alike.l AND r{at} = alike.r"
            )
            self._connection.unregister("alike")

    def _drop_alike(self, count: int) -> None:
        none = " AND ".join(["TRUE", *(f"NOT d{at}" for at in range(count))])
        self._connection.execute(f"DELETE FROM differing WHERE what = '{CHANGED}' AND {none}")

    def _count(self) -> None:
        kinds = (ONLY_LEFT, ONLY_RIGHT, CHANGED)
        sums = [f"count(*) FILTER (WHERE what = {literal(kind)})" for kind in kinds]
        sums += [f"count(*) FILTER (WHERE d{at})" for at in range(len(self.fields))]
        counts = self._connection.execute(f"SELECT {', '.join(sums)} FROM differing").fetchall()[0]
        self.only_left, self.only_right, self.changed = counts[:3]
        self.same = self._sides[0].rows.num_rows - self.only_left - self.changed
        self.columns = {name: n for name, n in zip(self.fields, counts[3:], strict=True) if n}

    def _cells(self) -> str:
        """One row for each differing cell, and one for each row that one side lacks; `n` orders columns."""
        whole = (
            "SELECT key AS object_id, what, CAST(NULL AS VARCHAR) AS field, left_row AS left, "
            f"right_row AS right, -1 AS n FROM differing WHERE what <> '{CHANGED}'"
        )
        cells = [
            f"SELECT key, what, {literal(name)}, l{at}, r{at}, {at} FROM differing WHERE d{at}"
            for at, name in enumerate(self.fields)
            if name in self.columns
        ]
        return " UNION ALL ".join([whole, *cells])


def _text(alias: str, name: str) -> str:
    return f"CAST({alias}.{quoted(name)} AS VARCHAR)"


def _row(alias: str, side: Side) -> str:
    """A row as JSON."""
    names = side.columns.values()
    return f"to_json(struct_pack({', '.join(f'{quoted(one)} := {alias}.{quoted(one)}' for one in names)}))"


def canonical(text: str | None) -> str | None:
    """JSON in one spelling; what is none stays as it is."""
    try:
        said = json.loads(text) if text is not None else None
        return text if said is None else json.dumps(said, sort_keys=True, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text
