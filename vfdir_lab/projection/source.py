"""How the rows of segments and other files become tables of a connection.

A trusted connection reads Parquet itself. A confined one reads no file: what it may see is registered with it
as a dataset, before or after the lock.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from vfdir_lab.errors import UsageError
from vfdir_lab.log import SCHEMA
from vfdir_lab.projection.connection import literal

_TYPES = {"string": "VARCHAR", "int64": "BIGINT", "int16": "SMALLINT", "timestamp[us, tz=UTC]": "TIMESTAMPTZ"}


def segments_dataset(paths: Sequence[str]) -> Any:
    """The rows of these segments, to be registered. Raises OSError when one went away."""
    if not paths:
        return SCHEMA.empty_table()
    # Here, since it imports pandas where that is installed, which takes a fifth of a second.
    import pyarrow.dataset as pads  # noqa: PLC0415

    return pads.dataset(list(paths), schema=SCHEMA, format="parquet", partitioning=None)


def segments_sql(paths: Sequence[str]) -> str:
    """The SELECT that reads the rows of these segments."""
    if paths:
        return f"SELECT * FROM read_parquet([{', '.join(map(literal, paths))}], hive_partitioning = false)"
    columns = ", ".join(f"CAST(NULL AS {_TYPES[str(field.type)]}) AS {field.name}" for field in SCHEMA)
    return f"SELECT {columns} WHERE false"


def open_dataset(path: Path) -> Any:
    """The rows of one Parquet file, to be registered; the file stays open, so it may be removed meanwhile.

    Raises:
        OSError, pa.ArrowException: it went away, or is none.
    """
    import pyarrow.dataset as pads  # noqa: PLC0415 - as above

    format_ = pads.ParquetFileFormat()
    fragment = format_.make_fragment(pa.OSFile(str(path)))
    return pads.FileSystemDataset([fragment], schema=fragment.physical_schema, format=format_)


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
