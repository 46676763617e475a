"""The proof that a query is answered object by object: what it says of an object hangs on its events alone.

Read from the inside out. Each part of a query gives rows of which every one is about one object, and some of
its columns hold that object's id, plain as it came from `events`. A part that brings rows of two objects
together, or may do so, ends the proof: what is not proven is not believed. So the query over the events of
some objects gives exactly the rows of those objects, which is all that an incremental refresh needs.

Checked by `tests/projection/test_refresh.py`, case by case and by property.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import duckdb
from sqlglot import exp

from vfdir_lab.log import SCHEMA
from vfdir_lab.projection.definition import LEAF

_SELECT = {
    "with_", "expressions", "from_", "joins", "where", "group", "having", "order", "qualify", "distinct"
}  # fmt: skip
_UNION = {"with_", "this", "expression", "distinct", "order"}
_BETWEEN = (exp.Filter, exp.IgnoreNulls, exp.RespectNulls, exp.WithinGroup)


class NotProvenError(Exception):
    """What a query does that may bring two objects together, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """What a part of a query gives: its columns in order, and those that hold the id of the row's object."""

    columns: tuple[str, ...]
    objects: frozenset[str]


EVENTS = Rows(columns=("event_id", *SCHEMA.names), objects=frozenset({"object_id"}))
Tables = Mapping[str, Rows]


def prove(query: exp.Expr, tables: Tables | None = None) -> Rows:
    """What the query gives, if it is answered object by object.

    Raises:
        NotProvenError: it is not, or that cannot be seen.
    """
    seen = dict(tables or {LEAF: EVENTS})
    for cte in _ctes(query):
        seen[cte.alias.lower()] = prove(cte.this, seen)
    if isinstance(query, exp.Subquery):
        _only(query, {"this", "alias", "with_"})
        return prove(query.this, seen)
    if isinstance(query, exp.SetOperation):
        return _union(query, seen)
    if isinstance(query, exp.Select):
        return _Select(query, seen).gives()
    raise NotProvenError(f"{query.key} is more than a SELECT")


def _ctes(query: exp.Expr) -> Iterator[exp.CTE]:
    with_ = query.args.get("with_")
    if with_ is None:
        return
    if with_.args.get("recursive"):
        raise NotProvenError("a recursive query may go from one object to others")
    for cte in with_.expressions:
        if cte.args["alias"].args.get("columns"):
            raise NotProvenError(f"{cte.alias} names its columns anew")
        yield cte


def _union(query: exp.SetOperation, tables: Tables) -> Rows:
    _only(query, _UNION)
    left, right = prove(query.left, tables), prove(query.right, tables)
    here = {left.columns.index(one) for one in left.objects}
    both = here & {right.columns.index(one) for one in right.objects}
    if not both:
        raise NotProvenError(
            f"{query.key.upper()} puts rows together that have no object_id in the same place"
        )
    return Rows(columns=left.columns, objects=frozenset(left.columns[place] for place in both))


class _Select:
    """One SELECT, with the tables it can see."""

    def __init__(self, select: exp.Select, tables: Tables) -> None:
        self._select = select
        self._tables = tables
        self._sources: dict[str, Rows] = {}

    def gives(self) -> Rows:
        """What it gives. Raises NotProvenError."""
        _only(self._select, _SELECT)
        self._from()
        for part in self._expressions():
            if part.find(exp.Query) is not None:
                raise NotProvenError("a query inside an expression may look at other objects")
        self._windows()
        self._groups()
        rows = self._columns()
        self._distinct(rows)
        return rows

    def _from(self) -> None:
        start = self._select.args.get("from_")
        if start is None:
            raise NotProvenError("a SELECT without FROM is about no object")
        name, rows = self._source(start.this)
        self._sources[name] = rows
        for join in self._select.args.get("joins") or ():
            self._join(join)

    def _source(self, node: exp.Expr) -> tuple[str, Rows]:
        alias = node.args.get("alias")
        if alias is not None and alias.args.get("columns"):
            raise NotProvenError(f"{alias.name} names its columns anew")
        if isinstance(node, exp.Subquery):
            return node.alias.lower(), prove(node, self._tables)
        if not isinstance(node, exp.Table) or not isinstance(node.this, exp.Identifier):
            raise NotProvenError(f"{node.sql('duckdb')[:40]} is no table of events")
        _only(node, {"this", "alias"})
        if node.name.lower() not in self._tables:
            raise NotProvenError(f"it reads {node.name}, too")
        return node.alias_or_name.lower(), self._tables[node.name.lower()]

    def _join(self, join: exp.Join) -> None:
        _only(join, {"this", "on", "using", "side", "kind"})
        if join.side not in {"", "LEFT"} or join.kind not in {"", "INNER", "OUTER", "SEMI", "ANTI"}:
            raise NotProvenError(f"{f'{join.side} {join.kind}'.strip()} JOIN may bring objects together")
        name, right = self._source(join.this)
        if name in self._sources:
            raise NotProvenError(f"two tables are called {name}")
        if not self._same_object(join, name, right):
            raise NotProvenError(f"{name} is not joined by object_id = object_id")
        if join.kind in {"SEMI", "ANTI"}:
            return
        # Of a row that found no partner the right side's id is null: it is no object's.
        self._sources[name] = Rows(columns=right.columns, objects=frozenset()) if join.side else right

    def _same_object(self, join: exp.Join, name: str, right: Rows) -> bool:
        left = {one for rows in self._sources.values() for one in rows.objects}
        using = [one.name.lower() for one in join.args.get("using") or ()]
        if using:
            return any(one in right.objects and one in left for one in using) and len(self._sources) == 1
        for condition in _conjuncts(join.args.get("on")):
            if isinstance(condition, exp.EQ):
                pair = (condition.left.unnest(), condition.right.unnest())
                if any(_is(one, name, right) and self._is_object(other) for one, other in (pair, pair[::-1])):
                    return True
        return False

    def _is_object(self, node: exp.Expr | None) -> bool:
        """Whether an expression is the plain id of the row's object."""
        if not isinstance(node, exp.Column):
            return False
        if node.table:
            rows = self._sources.get(node.table.lower())
            return rows is not None and _is(node, node.table.lower(), rows)
        having = [rows for rows in self._sources.values() if node.name.lower() in rows.columns]
        return bool(having) and node.name.lower() in having[0].objects

    def _expressions(self) -> Iterator[exp.Expr]:
        """All of it but FROM and what it reads."""
        for name, value in self._select.args.items():
            if name not in {"with_", "from_"}:
                for part in value if isinstance(value, list) else [value]:
                    found = part.args.get("on") if isinstance(part, exp.Join) else part
                    if isinstance(found, exp.Expr):
                        yield found

    def _windows(self) -> None:
        for part in self._expressions():
            for window in part.find_all(exp.Window):
                if not any(self._is_object(one) for one in window.args.get("partition_by") or ()):
                    raise NotProvenError("a window is not partitioned by object_id")

    def _groups(self) -> None:
        group = self._select.args.get("group")
        if group is None:
            if self._select.args.get("having") or any(map(aggregates_of, self._expressions())):
                raise NotProvenError("an aggregate without GROUP BY object_id is over all objects")
            return
        _only(group, {"all", "expressions"})
        given = self._select.expressions if group.args.get("all") else group.expressions
        if not any(self._is_object(self._positioned(one)) for one in given):
            raise NotProvenError("a GROUP BY does not contain object_id")

    def _positioned(self, node: exp.Expr) -> exp.Expr:
        """The expression that a number in GROUP BY stands for."""
        given = self._select.expressions
        if isinstance(node, exp.Literal) and node.is_int and 0 < int(node.name) <= len(given):
            node = given[int(node.name) - 1]
        return node.unalias()

    def _distinct(self, rows: Rows) -> None:
        distinct = self._select.args.get("distinct")
        if distinct is None:
            return
        on = distinct.args.get("on")
        told = bool(rows.objects) if on is None else any(map(self._is_object, on.expressions))
        if not told:
            raise NotProvenError("DISTINCT without object_id brings rows of several objects together")

    def _columns(self) -> Rows:
        known = {one for rows in self._sources.values() for one in rows.objects}
        columns: list[str] = []
        objects: set[str] = set()
        for one in self._select.expressions:
            if one.is_star:
                columns += (star := self._star(one)).columns
                objects |= star.objects
                continue
            if one.find(exp.Columns, exp.Explode, exp.Unnest) is not None:
                raise NotProvenError(f"what {one.sql('duckdb')[:40]} gives cannot be seen")
            name = one.alias_or_name.lower()
            if self._is_object(one.unalias()):
                objects.add(name)
            elif name in known:
                raise NotProvenError(f"it calls something else {name}")
            columns.append(name)
        if any(columns.count(one) > 1 for one in objects):
            raise NotProvenError("it gives a column of object ids twice")
        return Rows(columns=tuple(columns), objects=frozenset(objects))

    def _star(self, one: exp.Expr) -> Rows:
        star = one.this if isinstance(one, exp.Column) else one
        others = {name for name, value in star.args.items() if value} - {"replace"}
        if isinstance(star, exp.Star) and not others:
            if isinstance(one, exp.Column) and one.table.lower() in self._sources:
                return self._replaced(star, self._sources[one.table.lower()])
            if not isinstance(one, exp.Column) and len(self._sources) == 1:
                return self._replaced(star, next(iter(self._sources.values())))
        raise NotProvenError(f"what {one.sql('duckdb')[:40]} gives cannot be seen")

    @staticmethod
    def _replaced(star: exp.Star, rows: Rows) -> Rows:
        """What a star gives with some of its columns replaced by values."""
        replaced = star.args.get("replace") or ()
        for value in replaced:
            if value.find(exp.Columns, exp.Explode, exp.Unnest) is not None:
                raise NotProvenError(f"what {value.sql('duckdb')[:40]} gives cannot be seen")
        names = {value.alias_or_name.lower() for value in replaced}
        return Rows(columns=rows.columns, objects=rows.objects - names)


def _is(node: exp.Expr, name: str, rows: Rows) -> bool:
    """Whether a node is a column of that table, by its name, that holds the object's id."""
    return (
        isinstance(node, exp.Column)
        and node.table.lower() == name
        and node.name.lower() in rows.objects
        and not node.db
    )


def _only(node: exp.Expr, known: set[str]) -> None:
    """Refuse clauses that are not among the known: what they do is not known to stay within an object."""
    for name, value in node.args.items():
        if value and name not in known:
            raise NotProvenError(
                f"{name.strip('_').replace('_', ' ').upper()} may look at more than one object"
            )


def is_plain(table: exp.Table) -> bool:
    """Whether a table is only a name, with an alias at most."""
    others = {name for name, value in table.args.items() if value} - {"this", "alias"}
    return isinstance(table.this, exp.Identifier) and not others


def _conjuncts(condition: exp.Expr | None) -> Sequence[exp.Expr]:
    if condition is None:
        return ()
    node = condition.unnest()
    return [*_conjuncts(node.left), *_conjuncts(node.right)] if isinstance(node, exp.And) else [node]


def aggregates_of(part: exp.Expr) -> bool:
    """Whether an expression makes one value of many rows; a window's function does not."""
    return any(_is_aggregate(node) for node in part.find_all(exp.Func))


def _is_aggregate(node: exp.Func) -> bool:
    called = node.name if isinstance(node, exp.Anonymous) else _CALLED.match(node.sql("duckdb"))
    name = called if isinstance(called, str) else called[0] if called else ""
    if not isinstance(node, exp.AggFunc) and name.lower() not in aggregates():
        return False
    above = node.parent
    while isinstance(above, _BETWEEN):
        above = above.parent
    return not isinstance(above, exp.Window)


_CALLED = re.compile(r"\w+")


@cache
def aggregates() -> frozenset[str]:
    """The functions of DuckDB that aggregate, and its macros that stand for such."""
    with duckdb.connect() as connection:
        known = connection.execute(
            "SELECT function_name, function_type, macro_definition FROM duckdb_functions()"
        ).fetchall()
    found = {name for name, type_, _ in known if type_ == "aggregate"}
    macros = [(name, set(re.findall(r"(\w+)\"?\(", text))) for name, _, text in known if text is not None]
    size = -1
    while size < len(found):
        size = len(found)
        found |= {name for name, calls in macros if calls & found}
    return frozenset(found)
