"""Picking: the rows of segments that are about some objects, out of all others.

Owns the two ways to read few rows out of many files. DuckDB unpacks each page of the columns it reads, Polars
only those with a row that is asked for, which counts where payloads are most of a log. But to import Polars
takes longer than to read a small log, so that is left to DuckDB. Both give the same rows: checked by
`tests/projection/test_picking.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from vfdir_lab.log import SCHEMA
from vfdir_lab.projection.connection import connect
from vfdir_lab.projection.source import segments_sql

LARGE = 500_000
"""Rows: from so many on Polars is the quicker one, its import included."""


def rows_about(objects: pa.Table, paths: Sequence[Path], *, among: int, at_most: int) -> pa.Table | None:
    """The rows of the segments at `paths` that are about `objects` (`object_id`), with their columns.

    `among` is how many rows the segments hold. None where more than `at_most` are found.

    Raises:
        duckdb.Error, OSError: a file went away or cannot be read.
    """
    if among < LARGE:
        found = _by_duckdb(objects, paths, at_most + 1)
    else:
        found = _by_polars(objects, paths, at_most + 1)
    return found if found.num_rows <= at_most else None


def _by_duckdb(objects: pa.Table, paths: Sequence[Path], limit: int) -> pa.Table:
    about = f"FROM ({segments_sql(paths)}) WHERE object_id IN (SELECT object_id FROM objects) LIMIT {limit}"
    with connect() as connection:
        connection.register("objects", objects)
        return connection.sql(about).to_arrow_table().cast(SCHEMA)


def _by_polars(objects: pa.Table, paths: Sequence[Path], limit: int) -> pa.Table:
    import polars as pl  # noqa: PLC0415 - it takes a sixth of a second, see above

    rows = pl.scan_parquet(list(paths), hive_partitioning=False, glob=False)
    about = rows.filter(pl.col("object_id").is_in(objects["object_id"].to_pylist())).head(limit)
    try:
        return about.collect().to_arrow().cast(SCHEMA)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise OSError(f"segments cannot be read: {error}") from error
