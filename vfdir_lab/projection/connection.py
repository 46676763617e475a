"""DuckDB connections as this package uses them: in memory, no extensions from elsewhere, times in UTC.

A *confined* connection can neither read nor write a file: what it may see is registered first, then external
access goes off and the configuration is locked.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import duckdb

from vfdir_lab.errors import QueryError
from vfdir_lab.log import state_home


def connect(*, memory_mib: int | None = None, threads: int | None = None) -> duckdb.DuckDBPyConnection:
    """A new connection in memory. What does not fit in memory is spilled outside of every archive.

    `memory_mib` bounds the memory it takes before it spills; by default most of the machine's. `threads` are
    by default as many as there are cores.
    """
    with suppress(OSError):  # only who has to spill is in need of it
        state_home().mkdir(parents=True, exist_ok=True)
    connection = duckdb.connect(
        ":memory:",
        config={
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "temp_directory": str(state_home() / "spill"),
        },
    )
    connection.execute("SET python_enable_replacements = false")
    if memory_mib is not None:
        connection.execute(f"SET memory_limit = '{memory_mib}MiB'")
        connection.execute("SET preserve_insertion_order = false")
    if threads is not None:
        connection.execute(f"SET threads = {threads}")
    connection.execute("SET enable_progress_bar = false")  # it would be drawn among the answers
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def confine(connection: duckdb.DuckDBPyConnection) -> None:
    """Switch off all that leads out of the connection, for good."""
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def set_view(connection: duckdb.DuckDBPyConnection, name: str, select: str) -> None:
    """Make or replace a view. Raises duckdb.Error: the SELECT is refused."""
    connection.execute(f"CREATE OR REPLACE VIEW {quoted(name)} AS {select}")


def quoted(identifier: str) -> str:
    """A name as an SQL identifier."""
    return '"' + identifier.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as an SQL string."""
    return "'" + text.replace("'", "''") + "'"


@contextmanager
def refusals_told() -> Iterator[None]:
    """Where a query is asked: what DuckDB says against it is a `QueryError`."""
    try:
        yield
    except duckdb.Error as error:
        raise QueryError(plainly(error)) from error


def plainly(error: Exception) -> str:
    """DuckDB's message without its empty lines."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    return "\n".join(lines) if lines else type(error).__name__
