"""The segment: one immutable Parquet file of the log, and the name that proves its bytes.

The schema is the envelope, frozen as format version 1. The footer says what the file holds, with a digest
over its rows and the digest of the segment before: a chain. The file is named
`<first seq>-<last seq>-<16 hex of the file's sha256>.parquet`.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq

from vfdir_lab.errors import EventError, LogDamagedError
from vfdir_lab.event import Event
from vfdir_lab.event.stamp import EPOCH

FORMAT = 1

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

_NAME = re.compile(r"([0-9]{12})-([0-9]{12})-([0-9a-f]{16})\.parquet")
_PREFIX = "vfdir."
_row_text = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode


@dataclass(frozen=True, slots=True, kw_only=True)
class Footer:
    """What a segment says of itself.

    `first` and `last` are seqs; `recorded_min` and `recorded_max` wall-clock bounds; `digest` is over the
    canonical rows in seq order; `prev` is the digest of the segment before, empty for the first.
    """

    device: str
    first: int
    last: int
    recorded_min: datetime
    recorded_max: datetime
    hlc_min: int
    hlc_max: int
    digest: str
    prev: str

    @property
    def rows(self) -> int:
        """How many events it holds: seq has no gap."""
        return self.last - self.first + 1

    def metadata(self) -> dict[str, str]:
        """The footer as Parquet key-value metadata."""
        values = {
            "format": FORMAT,
            "device": self.device,
            "first": self.first,
            "last": self.last,
            "rows": self.rows,
            "recorded_min": microseconds(self.recorded_min),
            "recorded_max": microseconds(self.recorded_max),
            "hlc_min": self.hlc_min,
            "hlc_max": self.hlc_max,
            "digest": self.digest,
            "prev": self.prev,
        }
        return {_PREFIX + key: str(value) for key, value in values.items()}

    @classmethod
    def from_metadata(cls, raw: Mapping[bytes, bytes]) -> Footer:
        """The inverse of `metadata`.

        Raises:
            LogDamagedError: this is not the footer of a segment we can read.
        """
        try:
            text = {key.decode()[len(_PREFIX) :]: value.decode() for key, value in raw.items()}
            if text["format"] != str(FORMAT):
                raise LogDamagedError(f"written in format {text['format']}, this version reads {FORMAT}")
            footer = cls(
                device=text["device"],
                first=int(text["first"]),
                last=int(text["last"]),
                recorded_min=moment(int(text["recorded_min"])),
                recorded_max=moment(int(text["recorded_max"])),
                hlc_min=int(text["hlc_min"]),
                hlc_max=int(text["hlc_max"]),
                digest=text["digest"],
                prev=text["prev"],
            )
        except (KeyError, ValueError, OverflowError) as error:
            raise LogDamagedError(f"its footer is not a segment's: {error!r}") from error
        return footer


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class SegmentName:
    """The name of a segment file, taken apart: seq range and the first 16 hex digits of the sha256."""

    first: int
    last: int
    proof: str

    @classmethod
    def parse(cls, name: str) -> SegmentName | None:
        """The parts of a file's name, or None when it is not a segment's."""
        match = _NAME.fullmatch(name)
        if match is None or not 1 <= int(match[1]) <= int(match[2]):
            return None
        return cls(first=int(match[1]), last=int(match[2]), proof=match[3])

    def __str__(self) -> str:
        return f"{self.first:012d}-{self.last:012d}-{self.proof}.parquet"


def microseconds(moment_: datetime) -> int:
    """Whole microseconds since 1970."""
    return (moment_ - EPOCH) // timedelta(microseconds=1)


def moment(microseconds_: int) -> datetime:
    """The inverse of `microseconds`."""
    return EPOCH + timedelta(microseconds=microseconds_)


def proof(data: bytes) -> str:
    """The part of a segment's name that proves its bytes."""
    return hashlib.sha256(data).hexdigest()[:16]


def table_of(events: Sequence[Event]) -> pa.Table:
    """Events as a table of the segment's schema.

    Raises:
        EventError: an event holds a value that its column cannot.
    """
    columns = {name: [getattr(event, name) for event in events] for name in COLUMNS}
    try:
        return pa.table(columns, schema=SCHEMA)
    except (pa.ArrowException, UnicodeError, OverflowError) as error:
        raise EventError(f"an event breaks the envelope: {error}") from error


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


def digest_of(table: pa.Table) -> str:
    """The tagged sha256 over the canonical rows: one JSON array a row, times in µs."""
    columns = []
    for field in SCHEMA:
        column = table.column(field.name)
        columns.append((column.cast(pa.int64()) if pa.types.is_timestamp(field.type) else column).to_pylist())
    running = hashlib.sha256()
    for row in zip(*columns, strict=True):
        running.update(_row_text(row).encode("utf-8", "surrogatepass") + b"\n")
    return f"sha256:{running.hexdigest()}"


def encode(events: Sequence[Event], prev: str) -> tuple[SegmentName, Footer, bytes]:
    """A segment of these events (one device, seq without gap): its name, its footer, its bytes."""
    first, last = events[0], events[-1]
    if last.seq - first.seq + 1 != len(events) or any(event.device != first.device for event in events):
        raise EventError(
            f"a segment holds one device's events without a gap, not {first.event_id} to {last.event_id}"
        )
    table = table_of(events)
    footer = Footer(
        device=first.device,
        first=first.seq,
        last=last.seq,
        recorded_min=min(event.recorded_at for event in events).astimezone(UTC),
        recorded_max=max(event.recorded_at for event in events).astimezone(UTC),
        hlc_min=first.hlc,
        hlc_max=last.hlc,
        digest=digest_of(table),
        prev=prev,
    )
    sink = pa.BufferOutputStream()
    with pq.ParquetWriter(sink, SCHEMA, compression="zstd", store_schema=False) as writer:
        writer.write_table(table)
        writer.add_key_value_metadata(footer.metadata())
    data = sink.getvalue().to_pybytes()
    return SegmentName(first=footer.first, last=footer.last, proof=proof(data)), footer, data


def read_footer(path: str, *, name: SegmentName, device: str) -> Footer:
    """The footer of the file at `path`, checked against its name, its folder and the frozen schema.

    Raises:
        LogDamagedError: the file cannot be read as the segment it claims to be.
        FileNotFoundError: it went away (compaction, file sync); list again.
    """
    try:
        parquet = pq.read_metadata(path)
        schema = parquet.schema.to_arrow_schema()
    except FileNotFoundError:
        raise
    except (pa.ArrowException, OSError, ValueError) as error:
        raise LogDamagedError(f"it is not readable as Parquet ({_first_line(error)})") from error
    if not schema.remove_metadata().equals(SCHEMA):
        raise LogDamagedError("its columns are not those of a segment")
    footer = Footer.from_metadata(
        {k: v for k, v in (parquet.metadata or {}).items() if k.startswith(b"vfdir.")}
    )
    if (footer.device, footer.first, footer.last) != (device, name.first, name.last):
        raise LogDamagedError("its footer names another device or range than its path")
    if parquet.num_rows != footer.rows:
        raise LogDamagedError(f"it holds {parquet.num_rows} rows where its name says {footer.rows}")
    return footer


def _first_line(error: BaseException) -> str:
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__
