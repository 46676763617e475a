"""The segment: one immutable Parquet file of the log, and the name that proves its bytes.

The rows are those of `rows.py`. The footer says what the file holds, with a digest over its rows and the
digest of the segment before: a chain. The file is named
`<first seq>-<last seq>-<16 hex of the file's sha256>.parquet`. A segment that compaction made of others keeps
their ranges and digests as its parts; the chain goes on over the last of them, so nothing that was ever
proven by a later segment stops being so.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from vfdir_lab.errors import EventError, LogDamagedError
from vfdir_lab.event import Event
from vfdir_lab.event.stamp import EPOCH
from vfdir_lab.log.rows import COLUMNS, SCHEMA, Digests, batches_of, digest_of, events_of, table_of

__all__ = [
    "COLUMNS",
    "SCHEMA",
    "Footer",
    "Part",
    "SegmentName",
    "digest_of",
    "encode",
    "events_of",
    "microseconds",
    "moment",
    "proof",
    "proof_of",
    "prove",
    "read_footer",
    "seal",
    "table_of",
]

FORMAT = 1
WRITING: dict[str, Any] = {
    "compression": "zstd",
    "store_schema": False,
    # Values that repeat; a dictionary of payloads would only be built and thrown away.
    "use_dictionary": ["device", "origin", "origin_at", "kind", "kind_version", "cause"],
    "write_statistics": [name for name in COLUMNS if name != "payload"],
    # Small pages: who wants a few payloads unpacks those pages alone (decisions/0009).
    "data_page_size": 1 << 16,
    "write_batch_size": 64,
}
"""How segments are written. Any Parquet of the schema is read; this is only the best to read and to write."""

_NAME = re.compile(r"([0-9]{12})-([0-9]{12})-([0-9a-f]{16})\.parquet")
_PART = re.compile(r"([0-9]{1,12})-([0-9]{1,12})=(sha256:[0-9a-f]{64})")
_PREFIX = "vfdir."


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A segment that went into a larger one: its range of seqs and the digest of its rows."""

    first: int
    last: int
    digest: str

    @property
    def rows(self) -> int:
        """How many events it holds."""
        return self.last - self.first + 1

    def __str__(self) -> str:
        return f"{self.first}-{self.last}={self.digest}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Footer:
    """What a segment says of itself.

    `first` and `last` are seqs; `recorded_min` and `recorded_max` wall-clock bounds; `digest` is over the
    canonical rows in seq order; `prev` is the `link` of the segment before, empty for the first. A compacted
    segment has `parts`, the segments as they were appended, and the moment it was made.
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
    parts: tuple[Part, ...] = ()
    compacted_at: datetime | None = None

    @property
    def rows(self) -> int:
        """How many events it holds: seq has no gap."""
        return self.last - self.first + 1

    @property
    def pieces(self) -> tuple[Part, ...]:
        """The segments as they were appended: its parts, or itself."""
        return self.parts or (Part(first=self.first, last=self.last, digest=self.digest),)

    @property
    def link(self) -> str:
        """The digest that the next segment names as its `prev`: that of the last append."""
        return self.parts[-1].digest if self.parts else self.digest

    def digest_at(self, seq: int) -> str | None:
        """The digest of the append that ended at `seq`, or None when none did."""
        return next((piece.digest for piece in self.pieces if piece.last == seq), None)

    def holds(self, other: Footer) -> bool:
        """Whether all that `other` holds is here too: the same appends, by their digests."""
        if (self.first, self.last) == (other.first, other.last):
            return self.digest == other.digest
        within = [p for p in self.pieces if other.first <= p.first and p.last <= other.last]
        return tuple(within) == other.pieces

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
        if self.compacted_at is not None:
            values |= {
                "parts": " ".join(map(str, self.parts)),
                "compacted_at": microseconds(self.compacted_at),
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
                parts=tuple(_parts(text["parts"])) if "parts" in text else (),
                compacted_at=moment(int(text["compacted_at"])) if "parts" in text else None,
            )
        except (KeyError, ValueError, OverflowError) as error:
            raise LogDamagedError(f"its footer is not a segment's: {error!r}") from error
        if not _follow(footer.pieces, footer.first, footer.last):
            raise LogDamagedError("its footer gives parts that do not make up its range")
        return footer


def _parts(text: str) -> list[Part]:
    found = [_PART.fullmatch(part) for part in text.split(" ")]
    parts = [Part(first=int(one[1]), last=int(one[2]), digest=one[3]) for one in found if one is not None]
    if len(parts) < len(found):
        raise ValueError("a part that is none")
    return parts


def _follow(parts: Sequence[Part], first: int, last: int) -> bool:
    """Whether the parts, one after the other, are all of `first` to `last`."""
    for part in parts:
        if part.first != first or part.last < first:
            return False
        first = part.last + 1
    return first == last + 1


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


def encode(events: Sequence[Event], prev: str) -> tuple[SegmentName, Footer, bytes]:
    """A segment of these events (one device, seq without gap): its name, its footer, its bytes."""
    first, last = events[0], events[-1]
    if last.seq - first.seq + 1 != len(events) or any(event.device != first.device for event in events):
        raise EventError(
            f"a segment holds one device's events without a gap, not {first.event_id} to {last.event_id}"
        )
    table = table_of(events)
    recorded = {event.recorded_at for event in events}
    footer = Footer(
        device=first.device,
        first=first.seq,
        last=last.seq,
        recorded_min=min(recorded).astimezone(UTC),
        recorded_max=max(recorded).astimezone(UTC),
        hlc_min=first.hlc,
        hlc_max=last.hlc,
        digest=digest_of(table),
        prev=prev,
    )
    name, data = seal(table, footer)
    return name, footer, data


def seal(rows: pa.Table, footer: Footer) -> tuple[SegmentName, bytes]:
    """The file of rows that are those of a footer: its name and its bytes."""
    sink = pa.BufferOutputStream()
    with pq.ParquetWriter(sink, SCHEMA, **WRITING) as writer:
        writer.write_table(rows)
        writer.add_key_value_metadata(footer.metadata())
    data = sink.getvalue().to_pybytes()
    return SegmentName(first=footer.first, last=footer.last, proof=proof(data)), data


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


def proof_of(path: Path) -> str:
    """As `proof`, of a file. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]


def prove(path: str, *, name: SegmentName, device: str) -> Footer:
    """Re-read the whole file at `path`: its bytes are those its name proves, its rows those of its footer.

    Raises:
        LogDamagedError: they are not. FileNotFoundError: it went away.
    """
    if proof_of(Path(path)) != name.proof:
        raise LogDamagedError("its bytes are not those its name proves")
    footer = read_footer(path, name=name, device=device)
    digests = Digests([piece.rows for piece in footer.pieces])
    try:
        with pq.ParquetFile(path) as parquet:
            for batch in batches_of(parquet):
                digests.update(batch)
    except (pa.ArrowException, OSError, UnicodeError) as error:
        raise LogDamagedError(f"its rows cannot be read ({_first_line(error)})") from error
    if digests.whole != footer.digest or digests.parts != tuple(piece.digest for piece in footer.pieces):
        raise LogDamagedError("its rows do not have the digests its footer gives")
    return footer


def _first_line(error: BaseException) -> str:
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__
