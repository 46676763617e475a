"""Projections over a table of events, without a log: for cases, checks and walks through an object's past.

Always confined, so a person's SQL may run here before they said `use`.
"""

from __future__ import annotations

from collections.abc import Iterable

import duckdb
import pyarrow as pa

from vfdir_lab.errors import QueryError
from vfdir_lab.log import SCHEMA, Head
from vfdir_lab.projection.connection import confine, connect, plainly, refusals_told, set_view
from vfdir_lab.projection.definition import Definition
from vfdir_lab.projection.source import hold_events

NO_EVENTS = SCHEMA.empty_table()


def scratch(definitions: Iterable[Definition], events: pa.Table = NO_EVENTS) -> duckdb.DuckDBPyConnection:
    """A confined connection with a view for each definition (each after those it reads) over `events`.

    `events` has the columns of a segment, `vfdir_lab.log.SCHEMA`.

    Raises:
        QueryError: DuckDB refuses the SQL of a definition; the message names it.
    """
    connection = connect()
    hold_events(connection, events, (), Head())
    confine(connection)
    for definition in definitions:
        try:
            set_view(connection, definition.name, definition.view)
        except duckdb.Error as error:
            raise QueryError(f"{definition.called}: {plainly(error)}") from error
    return connection


def answers(definitions: Iterable[Definition], events: pa.Table, query: str) -> pa.Table:
    """What `query` gives over these definitions and events.

    Raises:
        QueryError: DuckDB refuses the query or the SQL of a definition.
    """
    with scratch(definitions, events) as connection, refusals_told():
        return connection.sql(query).to_arrow_table()
