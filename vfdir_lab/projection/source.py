"""How the rows of segments and other files become tables of a connection, and `events` over them.

A trusted connection reads Parquet itself. A confined one reads no file: what it may see is registered with it
as a dataset, before or after the lock.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from vfdir_lab.errors import UsageError
from vfdir_lab.log import SCHEMA, EventLog, Head, Segment
from vfdir_lab.projection.connection import literal, set_view
from vfdir_lab.projection.definition import LEAF
from vfdir_lab.projection.leaf import SOURCE, events_sql, within

HELD_BYTES = 1 << 20
"""Segments that together are no larger, in bytes of their files, are read once for a connection that answers.

A projection reads `events` many times, a best prediction about ten times, and each reading of forty small
files costs as much as the rest of the query. In memory the rows take about twenty times their bytes.
"""

_TYPES = {"string": "VARCHAR", "int64": "BIGINT", "int16": "SMALLINT", "timestamp[us, tz=UTC]": "TIMESTAMPTZ"}


def paths_of(log: EventLog, segments: Sequence[Segment]) -> tuple[Path, ...]:
    """Where the files of these segments are."""
    return tuple(log.path(segment) for segment in segments)


def read_events(
    connection: duckdb.DuckDBPyConnection,
    log: EventLog,
    segments: Sequence[Segment],
    head: Head,
    at: datetime | None = None,
) -> None:
    """Set up `events` as `events_sql` has it, over segments whose files the connection reads itself."""
    set_view(connection, SOURCE, segments_sql(paths_of(log, segments)))
    set_view(connection, LEAF, events_sql(segments, head, at))


def weight_of(log: EventLog, segments: Sequence[Segment]) -> int:
    """The bytes of the files of these segments. Raises OSError: one of them went away."""
    return sum(path.stat().st_size for path in paths_of(log, segments))


def is_small(log: EventLog, segments: Sequence[Segment]) -> bool:
    """Whether the files of these segments are best read once, as `HELD_BYTES` has it.

    Raises:
        OSError: one of them went away.
    """
    return weight_of(log, segments) <= HELD_BYTES


def keep_events(
    connection: duckdb.DuckDBPyConnection,
    log: EventLog,
    segments: Sequence[Segment],
    head: Head,
    at: datetime | None = None,
) -> None:
    """As `read_events`, but the files are read now and not again.

    The rows are registered, not made a table of DuckDB's: what a person types could change that
    (`WITH x AS (DELETE FROM events …) SELECT …` counts as a query).
    """
    rows = f"{segments_sql(paths_of(log, segments))} WHERE {within(segments, head)}"
    connection.register(SOURCE, connection.sql(rows).to_arrow_table())
    connection.register(LEAF, connection.sql(events_sql(segments, head, at)).to_arrow_table())


def hold_events(
    connection: duckdb.DuckDBPyConnection,
    rows: Any,
    segments: Sequence[Segment],
    head: Head,
    at: datetime | None = None,
) -> None:
    """Set up `events` over rows of these segments that are at hand: a table, or a dataset."""
    connection.register(SOURCE, rows)
    set_view(connection, LEAF, events_sql(segments, head, at))


def segments_dataset(paths: Sequence[Path], cut: Mapping[str, int]) -> Any:
    """The rows of these segments, to be registered; of each device of `cut` up to that seq.

    Raises:
        OSError: one of them went away.
    """
    if not paths:
        return SCHEMA.empty_table()
    # Here, since it imports pandas where that is installed, which takes a fifth of a second.
    import pyarrow.dataset as pads  # noqa: PLC0415

    rows = pads.dataset(list(map(str, paths)), schema=SCHEMA, format="parquet", partitioning=None)
    for device, seq in cut.items():
        rows = rows.filter((pads.field("device") != device) | (pads.field("seq") <= seq))
    return rows


def segments_sql(paths: Sequence[Path]) -> str:
    """The SELECT that reads the rows of these segments."""
    if paths:
        files = ", ".join(literal(str(path)) for path in paths)
        return f"SELECT * FROM read_parquet([{files}], hive_partitioning = false)"
    columns = ", ".join(f"CAST(NULL AS {_TYPES[str(field.type)]}) AS {field.name}" for field in SCHEMA)
    return f"SELECT * FROM (SELECT {columns} WHERE false)"


def open_dataset(*paths: Path) -> Any:
    """The rows of Parquet files of one schema, to be registered; they stay open, so they may be removed.

    Raises:
        OSError, pa.ArrowException: one went away, or is none.
    """
    import pyarrow.dataset as pads  # noqa: PLC0415 - as above

    format_ = pads.ParquetFileFormat()
    fragments = [format_.make_fragment(pa.OSFile(str(path))) for path in paths]
    return pads.FileSystemDataset(fragments, schema=fragments[0].physical_schema, format=format_)


def as_table(name: str, table: object) -> pa.Table:
    """A person's own table: anything with `__arrow_c_stream__`, read once.

    Raises:
        UsageError: it is no table.
    """
    try:
        return pa.RecordBatchReader.from_stream(table).read_all()
    except (TypeError, pa.ArrowInvalid) as error:
        raise UsageError(f"{name} is a {type(table).__name__}; pass a DataFrame or an Arrow table") from error


def add_tables(
    connection: duckdb.DuckDBPyConnection, tables: Mapping[str, pa.Table], taken: Iterable[str]
) -> None:
    """Register a person's own tables.

    Raises:
        UsageError: a name is in use, or in two ways of writing it.
    """
    used = set(taken)
    for name, table in tables.items():
        if name.lower() in used or not name:
            raise UsageError(f"{name!r} is a table of the archive already; give yours another name")
        connection.register(name, table)
        used.add(name.lower())
