"""One checkpoint: the rows of a projection at a head, as a Parquet file that says what it is of.

Sorted by the projection's key, so that single rows are found quickly. The types that Parquet has not are kept
as text; where a type would not come back as it went there, nothing is kept. Which files there are, and which
may be trusted, is left to `checkpoints.py`.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from vfdir_lab.log import Coverage, Head
from vfdir_lab.projection.connection import connect, literal, quoted

FORMAT = "1"

ENGINE = f"duckdb {duckdb.__version__.partition('.')[0]}"
"""By whom the rows are computed: another major version may compute others."""

_TEXTUAL = re.compile(r"JSON|U?HUGEINT|UUID|TIME|INTERVAL|BIT|TIME WITH TIME ZONE")
"""Types that Parquet has not, or not quite: kept as text, from which DuckDB reads the same value."""
_ROWS_AT_ONCE = 100_000

Columns = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """Of what a checkpoint is made: the projection, the head, and what stands for the events up to there."""

    fingerprint: str
    head: Head
    events: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A checkpoint as its file has it: `columns` are names with DuckDB types, `rows` a count.

    `engine` is by whom the rows were computed.
    """

    path: Path
    made: Made
    engine: str
    columns: Columns
    rows: int

    @property
    def head(self) -> Head:
        """How far the events reach that it is of."""
        return self.made.head

    def select(self, table: str) -> str:
        """The SELECT of its rows, with the columns as the definition gives them, from a table of the file."""
        columns = ", ".join(_read(name, type_) for name, type_ in self.columns)
        return f"SELECT {columns} FROM {table}"

    def spelled(self, table: str) -> str:
        """The SELECT of a table of the projection's rows, as its file would have them."""
        return f"SELECT {', '.join(_write(name, type_) for name, type_ in self.columns)} FROM {table}"


def events_up_to(coverage: Coverage, head: Head) -> str | None:
    """A digest of the events up to `head`, however they are laid out; None where no append ended there."""
    found = hashlib.sha256()
    for device, seq in head.items():
        last = 0
        for segment in coverage.of(device):
            for piece in segment.footer.pieces:
                if piece.last <= seq:
                    found.update(f"{device}:{piece}\n".encode())
                    last = piece.last
        if last != seq:
            return None
    return found.hexdigest()


def write(
    connection: duckdb.DuckDBPyConnection,
    queries: Sequence[str],
    keys: Sequence[str],
    path: Path,
    made: Made,
) -> int | None:
    """Write the rows that these SELECTs give, one after the other, to a new file, so many at a time.

    The rows of each are sorted by key. Returns how many there are once they are on the disk, None where a
    column's type would not come back.

    Raises:
        OSError: the disk refuses. duckdb.Error: the rows cannot be had.
    """
    described = connection.execute(f"DESCRIBE SELECT * FROM ({queries[0]})").fetchall()
    columns = tuple((row[0], row[1]) for row in described)
    written = ", ".join(_write(name, type_) for name, type_ in columns)
    order = ", ".join(map(quoted, keys))
    rows = (connection.sql(f"SELECT {written} FROM ({one}) ORDER BY {order}") for one in queries)
    first = next(rows)
    try:
        _stream([first.limit(0)], path, columns, made)
    except pa.ArrowNotImplementedError:
        return None
    return _stream(chain([first], rows), path, columns, made) if _reads_back(path, columns) else None


def read(path: Path) -> Checkpoint:
    """What a file says of itself.

    Raises:
        FileNotFoundError: it went away.
        ValueError, KeyError, OSError, pa.ArrowException, HeadError: it is none that this version reads.
    """
    parquet = pq.read_metadata(path)
    text = {key.decode(): value.decode() for key, value in (parquet.metadata or {}).items() if _ours(key)}
    if text["vfdir.format"] != FORMAT or int(text["vfdir.rows"]) != parquet.num_rows:
        raise ValueError(path)
    return Checkpoint(
        path=path,
        made=Made(
            fingerprint=text["vfdir.fingerprint"],
            head=Head.parse(text["vfdir.head"]),
            events=text["vfdir.events"],
        ),
        engine=text["vfdir.engine"],
        columns=tuple((str(name), str(type_)) for name, type_ in json.loads(text["vfdir.columns"])),
        rows=parquet.num_rows,
    )


def _stream(answers: Iterable[duckdb.DuckDBPyRelation], path: Path, columns: Columns, made: Made) -> int:
    """Write the rows of answers with what they are; the file is on the disk afterwards."""
    readers = (one.to_arrow_reader(_ROWS_AT_ONCE) for one in answers)
    first = next(readers)
    count = 0
    with path.open("wb") as file:
        with pq.ParquetWriter(file, first.schema, compression="zstd") as writer:
            for batch in chain(first, chain.from_iterable(readers)):
                writer.write_batch(batch)
                count += batch.num_rows
            writer.add_key_value_metadata(
                {
                    "vfdir.format": FORMAT,
                    "vfdir.fingerprint": made.fingerprint,
                    "vfdir.head": str(made.head),
                    "vfdir.events": made.events,
                    "vfdir.engine": ENGINE,
                    "vfdir.columns": json.dumps(columns),
                    "vfdir.rows": str(count),
                }
            )
        file.flush()
        os.fsync(file.fileno())
    return count


def _reads_back(path: Path, columns: Columns) -> bool:
    """Whether both ways of reading the file give the types that the definition gives."""
    with connect() as connection:
        read_ = connection.sql(f"SELECT * FROM read_parquet({literal(str(path))}, hive_partitioning = false)")
        scanned = connection.from_arrow(pq.read_schema(path).empty_table())
        expected = ["VARCHAR" if _TEXTUAL.fullmatch(type_) else type_ for _, type_ in columns]
        return all(list(map(str, one.types)) == expected for one in (read_, scanned))


def _ours(key: bytes) -> bool:
    return key.startswith(b"vfdir.")


def _write(name: str, type_: str) -> str:
    column = quoted(name)
    return f"CAST({column} AS VARCHAR) AS {column}" if _TEXTUAL.fullmatch(type_) else column


def _read(name: str, type_: str) -> str:
    column = quoted(name)
    return f"CAST({column} AS {type_}) AS {column}" if _TEXTUAL.fullmatch(type_) else column
