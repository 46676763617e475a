"""DuckDB as the judge: does the SQL bind over an empty log, which columns and types does it give?

Nothing runs: a confined connection only binds the SELECT, as a view.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import lru_cache
from types import TracebackType
from typing import Self

import duckdb
import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from vfdir_lab.log import SCHEMA
from vfdir_lab.projection.catalogue import needed
from vfdir_lab.projection.connection import plainly, quoted, set_view
from vfdir_lab.projection.definition import LEAF, Definition, expand
from vfdir_lab.projection.lint.keys import Key, Relation
from vfdir_lab.projection.lint.reader import Reader, View
from vfdir_lab.projection.lint.rules import Finding
from vfdir_lab.projection.lint.selects import own
from vfdir_lab.projection.lint.source import Source
from vfdir_lab.projection.scratch import scratch

EVENTS = Relation(
    columns=("event_id", *SCHEMA.names),
    keys=(frozenset({"event_id"}), frozenset({"hlc", "device"}), frozenset({"device", "seq"})),
    fields={"payload": ""},
)
UNREAD = Relation(columns=())
_NAMED = re.compile(
    r"""(?:Table|Function)\ with\ name\ "?(?P<thing>[^\s"]+)"?\ does\ not\ exist
    | Referenced\ (?:column|table)\ "(?P<column>[^"]+)"
    | does\ not\ have\ a\ column\ named\ "(?P<of>[^"]+)" """,
    re.VERBOSE,
)
Seen = tuple[str, tuple[str, ...] | None, tuple[Key, ...]]
"""The name of a table, and what is known of it: columns and keys."""
_TYPE = re.compile(r"sum\(STRUCT\(probe (.*)\)\)")


class Ground:
    """An empty log with the projections a query reads. `tables` is what is known of each it may read."""

    def __init__(self, definitions: Sequence[Definition], tree: exp.Query) -> None:
        self._connection = scratch(())
        self.tables: dict[str, Relation] = {LEAF: EVENTS, **{one.name: UNREAD for one in definitions}}
        for one in needed(definitions, {table.name.lower() for table in tree.find_all(exp.Table)}):
            with suppress(duckdb.Error):  # its own lint says so; who reads it finds no such table
                set_view(self._connection, one.name, one.view)
                columns = self._columns(f"FROM {quoted(one.name)}")
                key = frozenset(column.lower() for column in one.keys)
                keys = [key, *(seen for seen in self._keys(one) if not key <= seen)]
                given = tuple(key for key in keys if key <= set(columns))
                self.tables[one.name] = Relation(columns=columns, keys=given)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def _columns(self, query: str) -> tuple[str, ...]:
        return tuple(column.lower() for column in self._connection.sql(query).columns)

    def _keys(self, one: Definition) -> tuple[Key, ...]:
        """The keys that its SQL shows, like the channel and the position that is counted in it."""
        below = ((name, self.tables[name]) for name in one.reads & self.tables.keys() - {LEAF})
        return _keys_shown(one.plain, frozenset((name, seen.columns, seen.keys) for name, seen in below))

    def bind(self, tree: exp.Query) -> tuple[str, ...]:
        """The columns that a query gives. Raises duckdb.Error where it does not bind."""
        plain = expand(tree.copy(), where="").sql(dialect="duckdb", pretty=True, comments=False)
        self._connection.execute(f"CREATE OR REPLACE TEMP VIEW lint AS {plain}")
        return self._columns("FROM temp.lint")

    def type_of(self, tree: exp.Query, node: exp.Expr) -> str | None:
        """The type of a value that an aggregate of the query is given.

        An aggregate of a struct does not exist; DuckDB's refusal names the type that it found.
        """
        place = next(i for i, one in enumerate(tree.walk()) if one is node)
        probe = tree.copy()
        value = next(one for i, one in enumerate(probe.walk()) if i == place)
        call = value.find_ancestor(exp.AggFunc)
        field = exp.PropertyEQ(this=exp.to_identifier("probe"), expression=value.copy())
        if call is None:
            return None
        call.replace(exp.Sum(this=exp.Struct(expressions=[field])))
        try:
            self.bind(probe)
        except duckdb.Error as error:
            match = _TYPE.search(str(error))
            return match[1] if match else None
        return None


@lru_cache(maxsize=256)
def _keys_shown(plain: str, below: frozenset[Seen]) -> tuple[Key, ...]:
    """The keys that the SQL of a version shows over `events` and the tables `below` it.

    Kept: the same versions lie beneath every file, and reading them takes most of the time of a lint.
    """
    try:
        tree = sqlglot.parse_one(plain, dialect="duckdb")
    except SqlglotError:
        return ()
    tables = {name: Relation(columns=columns, keys=keys) for name, columns, keys in below}
    return Reader({LEAF: EVENTS, **tables}).read(tree).keys


def refused(source: Source, views: Sequence[View], error: duckdb.Error, tables: Sequence[str]) -> Finding:
    """What DuckDB says against the file, at the name it stumbled over."""
    lines = plainly(error).splitlines()
    message = re.sub(r"^[A-Z][A-Za-z ]+ Error: ", "", lines[0]).rstrip(".!")[:300]
    match = _NAMED.search(message)
    if match is None:
        about = re.search(r'"([^"]+)"', message)
        place = _place(source, views, about[1]) if about else source.body
        return source.finding(
            "does-not-run", place, f"DuckDB refuses it: {message}", "mend it as DuckDB says"
        )
    name = match[match.lastgroup or 0]
    bindings = next((one for one in lines[1:] if one.startswith("Candidate bindings")), "")
    offered = ", ".join(dict.fromkeys(re.findall(r'"([^"]+)"', bindings))) if bindings else ", ".join(tables)
    mend = (
        f"there are {offered}" if match["thing"] is None or "Table" in message else "see DuckDB's functions"
    )
    return source.finding("unknown-name", _place(source, views, name), message, mend)


def _place(source: Source, views: Sequence[View], name: str) -> int:
    """Where a name that is unknown stands: as a column that nothing here has, else where it is first met."""
    for node, view in _columns(views):
        if node.name.lower() == name.lower() and not view.rows.knows(node) and not view.rows.aliased(node):
            return source.offset(node)
    tokens = (token.start for token in source.tokens if token.text.lower() == name.lower())
    return next(tokens, source.body)


def _columns(views: Sequence[View]) -> Iterator[tuple[exp.Column, View]]:
    for view in views:
        for node in own(view.node):
            if isinstance(node, exp.Column):
                yield node, view
