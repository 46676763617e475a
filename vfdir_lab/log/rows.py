"""The rows of a segment: the envelope as Arrow columns, and the digest over their canonical spelling.

The schema is frozen as format version 1. The canonical spelling of a row is one JSON array in the order of
the columns, times in microseconds since 1970, without white space, non-ASCII text as it is, and a line feed
after it; a digest is the tagged sha256 over those lines. Anybody can compute it with a JSON library; here it
goes column by column, because append, verify and compact all wait for it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from json.encoder import encode_basestring
from operator import attrgetter

import pyarrow as pa
import pyarrow.parquet as pq

from vfdir_lab.errors import EventError, LogDamagedError
from vfdir_lab.event import Event

_TIME = pa.timestamp("us", tz="UTC")
SCHEMA = pa.schema(
    [
        pa.field("device", pa.string(), nullable=False),
        pa.field("seq", pa.int64(), nullable=False),
        pa.field("hlc", pa.int64(), nullable=False),
        pa.field("recorded_at", _TIME, nullable=False),
        pa.field("origin", pa.string(), nullable=False),
        pa.field("origin_at", _TIME),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("kind_version", pa.int16(), nullable=False),
        pa.field("object_id", pa.string(), nullable=False),
        pa.field("cause", pa.string()),
        pa.field("payload", pa.string(), nullable=False),
    ]
)
COLUMNS: tuple[str, ...] = tuple(SCHEMA.names)

BATCH_ROWS = 16_384
BATCH_BYTES = 16 << 20
"""At most so much of a segment is decoded at a time, so that memory does not grow with the segment."""

_values = attrgetter(*COLUMNS)


def table_of(events: Sequence[Event]) -> pa.Table:
    """Events as a table of the segment's schema.

    Raises:
        EventError: an event holds a value that its column cannot.
    """
    columns = zip(*map(_values, events), strict=True) if events else [()] * len(COLUMNS)
    try:
        arrays = [pa.array(column, field.type) for column, field in zip(columns, SCHEMA, strict=True)]
    except (pa.ArrowException, TypeError, UnicodeError, OverflowError) as error:
        raise EventError(f"an event breaks the envelope: {error}") from error
    return pa.Table.from_arrays(arrays, schema=SCHEMA)


def events_of(table: pa.Table) -> Iterable[Event]:
    """The inverse of `table_of`.

    Raises:
        LogDamagedError: a crafted file holds what no event can (a time after year 9999, text not in UTF-8).
    """
    try:
        columns = [table.column(name).to_pylist() for name in COLUMNS]
    except (ValueError, OverflowError) as error:
        raise LogDamagedError(
            f"a segment holds what no event can ({error}); `vfdir-lab verify` says which"
        ) from error
    for row in zip(*columns, strict=True):
        yield Event(**dict(zip(COLUMNS, row, strict=True)))


def batches_of(file: pq.ParquetFile) -> Iterator[pa.RecordBatch]:
    """The rows of a segment's file, in bounded batches."""
    metadata = file.metadata
    size = max((metadata.row_group(i).total_byte_size for i in range(metadata.num_row_groups)), default=0)
    rows = max((metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)), default=0)
    fits = max(1, rows * BATCH_BYTES // max(size, 1))
    yield from file.iter_batches(batch_size=min(BATCH_ROWS, fits))


class Digests:
    """The digest of rows that arrive in batches: of all of them, and of each part.

    `parts` says how many rows each part has; the rows that arrive are theirs, one part after the other.
    """

    def __init__(self, parts: Sequence[int]) -> None:
        self._all = hashlib.sha256()
        self._left = list(parts)
        self._parts = [hashlib.sha256() for _ in parts]
        self._at = 0

    def update(self, batch: pa.RecordBatch) -> None:
        """Take the next rows.

        Raises:
            UnicodeError: a text is not in UTF-8.
        """
        rows = _canonical(batch)
        self._all.update("".join(rows).encode("utf-8", "surrogatepass"))
        row = 0
        while row < len(rows) and self._at < len(self._parts):
            taken = rows[row : row + self._left[self._at]]
            self._parts[self._at].update("".join(taken).encode("utf-8", "surrogatepass"))
            self._left[self._at] -= len(taken)
            self._at += not self._left[self._at]
            row += len(taken)

    @property
    def whole(self) -> str:
        """The digest of every row so far."""
        return f"sha256:{self._all.hexdigest()}"

    @property
    def parts(self) -> tuple[str, ...]:
        """The digest of each part."""
        return tuple(f"sha256:{part.hexdigest()}" for part in self._parts)


def digest_of(table: pa.Table) -> str:
    """The digest over a table's rows."""
    digests = Digests([])
    rows = max(1, table.num_rows * BATCH_BYTES // max(table.nbytes, 1))
    for batch in table.to_batches(max_chunksize=rows):
        digests.update(batch)
    return digests.whole


def _canonical(batch: pa.RecordBatch) -> list[str]:
    """The canonical spelling of the rows."""
    columns = [_spelled(batch.column(name)) for name in COLUMNS]
    return [f"[{','.join(row)}]\n" for row in zip(*columns, strict=True)]


def _spelled(column: pa.Array) -> list[str]:
    """A column's values as JSON; `encode_basestring` is what the `json` library spells texts with."""
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.int64())
    spell = encode_basestring if pa.types.is_string(column.type) else str
    if not column.null_count:
        return list(map(spell, column.to_pylist()))
    return ["null" if value is None else spell(value) for value in column.to_pylist()]
