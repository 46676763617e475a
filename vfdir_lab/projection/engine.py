"""The connections that answer queries: DuckDB in memory over one coverage of the log.

Two sorts, over the same views. The *trusted* one reads Parquet itself and runs only SQL that ships with
vfdir_lab. The *confined* one is for what a person types: segments are registered as datasets, then external
access is switched off and the configuration locked, so no statement can read or write a file. (Allowing the
folder instead would not do: `COPY … TO` overwrites a segment, also hidden inside a SELECT.)
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from importlib.resources.abc import Traversable
from typing import Any

import duckdb
import pyarrow as pa

from vfdir_lab.errors import LogDamagedError, QueryError, UsageError
from vfdir_lab.log import SCHEMA, EventLog, Head, Segment
from vfdir_lab.projection.connection import confine, connect, literal, plainly, quoted
from vfdir_lab.projection.definition import LEAF
from vfdir_lab.projection.leaf import SOURCE, events_sql
from vfdir_lab.projection.lens import Lens, default_lens

KEPT_CONNECTIONS = 6
_ALLOWED = (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standpoint:
    """From where a question is answered: at a head, through a lens, and, with `at`, as things were then."""

    head: Head
    lens: Lens
    at: datetime | None


class Engine:
    """Answers queries over a log; where no lens is given, through the shipped default."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._kept: OrderedDict[object, duckdb.DuckDBPyConnection] = OrderedDict()
        self._facts: duckdb.DuckDBPyConnection | None = None

    def arrow(
        self,
        query: str,
        parameters: Mapping[str, object] | None = None,
        *,
        head: Head | None = None,
        lens: Lens | None = None,
    ) -> pa.Table:
        """The answer to one of our own queries, as an Arrow table.

        `head` defaults to everything that counts now.
        """
        connection = self._trusting(self._stand(head, lens))
        with self._reading():
            return connection.sql(query, params=dict(parameters or {})).to_arrow_table()

    def facts(self, query: str, parameters: Mapping[str, object], *, head: Head) -> pa.Table:
        """The answer to one of our own queries over `events` alone: no projection is set up for it."""
        if self._facts is None:
            self._facts = connect()
        segments = self._log.require(head).upto(head)
        paths = [str(self._log.path(segment)) for segment in segments]
        with self._reading():
            self._facts.execute(f"CREATE OR REPLACE VIEW {SOURCE} AS {_parquet(paths)}")
            self._facts.execute(f"CREATE OR REPLACE VIEW {LEAF} AS {events_sql(segments, head)}")
            return self._facts.sql(query, params=dict(parameters)).to_arrow_table()

    def stream(
        self,
        query: str,
        parameters: Mapping[str, object] | None = None,
        *,
        head: Head | None = None,
        lens: Lens | None = None,
    ) -> Iterator[pa.RecordBatch]:
        """As `arrow`, a batch at a time. One answer at a time: the next query ends it."""
        connection = self._trusting(self._stand(head, lens))
        with self._reading():
            yield from connection.sql(query, params=dict(parameters or {})).to_arrow_reader(10_000)

    def relation(
        self,
        query: str,
        *,
        head: Head | None = None,
        lens: Lens | None = None,
        at: datetime | None = None,
        tables: Mapping[str, object] | None = None,
    ) -> duckdb.DuckDBPyRelation:
        """A person's query, confined, as a lazy relation.

        `at` asks for what was so before that moment, as far as is known at the head. `tables` are further
        tables of the person's own: anything with `__arrow_c_stream__`.

        Raises:
            QueryError: it is not one reading statement, or DuckDB refuses it.
            UsageError: a table of `tables` is no table, or takes a name that is in use.
        """
        stand = self._stand(head, lens, at)
        connection = self._connection(stand, confined=True, tables=tables)
        try:
            statements = connection.extract_statements(query)
            if len(statements) != 1 or not _reads(statements[0], query):
                raise QueryError(
                    "one SELECT at a time: a query reads the archive, it does not change it (facts come by "
                    "`pull`, wishes by `transaction`)"
                )
            if statements[0].type != duckdb.StatementType.SELECT and not tables:
                connection = self._connection(stand, confined=True, alone=True)
            relation = connection.sql(query)
        except duckdb.Error as error:
            raise QueryError(plainly(error)) from error
        except TypeError as error:
            raise QueryError("a query is a text, in Unicode") from error
        if relation is None:
            raise QueryError("this statement gives no rows")
        return relation

    def _stand(self, head: Head | None, lens: Lens | None, at: datetime | None = None) -> Standpoint:
        known = self._log.coverage().head if head is None else head
        return Standpoint(head=known, lens=lens or default_lens(), at=at)

    def _trusting(self, stand: Standpoint) -> duckdb.DuckDBPyConnection:
        """A connection for our own queries; confined where the views beneath them are a person's."""
        return self._connection(stand, confined=not stand.lens.is_shipped)

    def _connection(
        self,
        stand: Standpoint,
        *,
        confined: bool,
        tables: Mapping[str, object] | None = None,
        alone: bool = False,
    ) -> duckdb.DuckDBPyConnection:
        """A connection that answers from there.

        One that is `alone` answers one query: EXPLAIN ANALYZE runs anything.
        """
        segments = self._log.require(stand.head).upto(stand.head)
        if tables or alone:
            return self._open(segments, stand, confined=True, tables=tables)
        paths = tuple(segment.path for segment in segments)
        key = (paths, stand.head, stand.at, stand.lens.fingerprint, confined)
        if key in self._kept:
            self._kept.move_to_end(key)
        else:
            self._kept[key] = self._open(segments, stand, confined=confined)
            while len(self._kept) > KEPT_CONNECTIONS:
                self._kept.popitem(last=False)
        return self._kept[key]

    def _open(
        self,
        segments: tuple[Segment, ...],
        stand: Standpoint,
        *,
        confined: bool,
        tables: Mapping[str, object] | None = None,
    ) -> duckdb.DuckDBPyConnection:
        connection = connect()
        paths = [str(self._log.path(segment)) for segment in segments]
        if confined:
            connection.register(SOURCE, _dataset(paths))
            confine(connection)
        else:
            connection.execute(f"CREATE VIEW {SOURCE} AS {_parquet(paths)}")
        connection.execute(f"CREATE VIEW {LEAF} AS {events_sql(segments, stand.head, stand.at)}")
        for definition in stand.lens.definitions:
            connection.execute(f"CREATE VIEW {quoted(definition.name)} AS {definition.view}")
        taken = {SOURCE, LEAF, *stand.lens.versions}
        for name, table in (tables or {}).items():
            _add(connection, name, table, taken)
            taken.add(name.lower())
        return connection

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """The border to DuckDB and Arrow: damage is noticed at any moment of an answer, and named here."""
        try:
            yield
        except (duckdb.Error, pa.ArrowException, OSError) as error:
            raise self._damage(error) from error

    def _damage(self, error: Exception) -> LogDamagedError | QueryError:
        """What a failed read means: broken segments, if hashing finds any; else the error itself."""
        broken = self._log.recheck()
        if not broken:
            return QueryError(plainly(error))
        names = ", ".join(one.path for one in broken)
        return LogDamagedError(
            f"{names}: not readable as recorded; `vfdir-lab verify` says what is lost with it"
        )


def read_sql(folder: Traversable, name: str) -> str:
    """The text of one of our own `.sql` files."""
    return (folder / f"{name}.sql").read_text("utf-8")


def _dataset(paths: list[str]) -> Any:
    if not paths:
        return pa.table({field.name: pa.array([], field.type) for field in SCHEMA}, schema=SCHEMA)
    # Here, since it imports pandas where that is installed, which takes a fifth of a second.
    import pyarrow.dataset as pads  # noqa: PLC0415

    return pads.dataset(paths, schema=SCHEMA, format="parquet", partitioning=None)


def _parquet(paths: list[str]) -> str:
    if paths:
        return f"SELECT * FROM read_parquet([{', '.join(map(literal, paths))}], hive_partitioning = false)"
    columns = ", ".join(f"CAST(NULL AS {_TYPES[str(field.type)]}) AS {field.name}" for field in SCHEMA)
    return f"SELECT {columns} WHERE false"


_TYPES = {"string": "VARCHAR", "int64": "BIGINT", "int16": "SMALLINT", "timestamp[us, tz=UTC]": "TIMESTAMPTZ"}


def _reads(statement: Any, query: str) -> bool:
    try:
        kind = statement.type
    except ValueError:  # DuckDB parses statements that its own list of types does not have
        return False
    if kind == duckdb.StatementType.MULTI:  # a PIVOT is two statements to the parser
        return query.lstrip("( \n\t").lower().startswith(("pivot", "unpivot", "from", "with", "select"))
    return kind in _ALLOWED


def _add(connection: duckdb.DuckDBPyConnection, name: str, table: object, taken: set[str]) -> None:
    if name.lower() in taken or not name:
        raise UsageError(f"{name!r} is a table of the archive already; give yours another name")
    try:
        connection.register(name, pa.RecordBatchReader.from_stream(table).read_all())
    except (TypeError, pa.ArrowInvalid) as error:
        raise UsageError(f"{name} is a {type(table).__name__}; pass a DataFrame or an Arrow table") from error
