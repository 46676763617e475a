"""`events` on Spark: the segments that count, read as DuckDB reads them.

Which files, up to which seq, and with which payloads lifted is what the log and the projections' own SQL say;
nothing is found by a pattern of names. Every worker reads the files at the paths they have here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from vfdir_lab.log import SCHEMA, Head, Segment
from vfdir_lab.projection.definition import LEAF
from vfdir_lab.projection.leaf import SOURCE, events_sql
from vfdir_lab.scale.translation import spark_sql, starless

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_TYPES = {"string": "STRING", "int64": "BIGINT", "int16": "SMALLINT", "timestamp[us, tz=UTC]": "TIMESTAMP"}
_COLUMNS = ", ".join(f"{field.name} {_TYPES[str(field.type)]}" for field in SCHEMA)
_PATTERN = re.compile(r"([\\*?\[\]{}])")


def show_events(
    session: SparkSession, paths: Sequence[Path], segments: Sequence[Segment], head: Head
) -> None:
    """Set up `events` over the files of these segments, up to a head."""
    if paths:
        # Folders named device=… would else become columns; they are in the rows already.
        reader = session.read.schema(_COLUMNS).option("recursiveFileLookup", "true")
        rows = reader.parquet(*map(pattern, paths))
    else:
        rows = session.createDataFrame([], _COLUMNS)
    rows.createOrReplaceTempView(SOURCE)
    leaf = starless(events_sql(segments, head), {SOURCE: SCHEMA.names})
    session.sql(f"CREATE OR REPLACE TEMPORARY VIEW {LEAF} AS {spark_sql(leaf, where=LEAF)}")


def place(path: Path) -> str:
    """A path as Spark takes it to write to."""
    return f"file://{path.absolute()}"


def pattern(path: Path) -> str:
    """A path as Spark takes it to read, also where it holds what would be a pattern of names."""
    return _PATTERN.sub(r"\\\1", place(path))
