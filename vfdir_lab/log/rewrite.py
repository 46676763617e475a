"""Rewrite: several segments that follow on each other as one, durable and proven before it is seen.

Written a row group at a time, so that memory does not grow with the segment. The rows are proven against the
digests of their segments on the way in, and once more from the disk before the new file gets its name.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from vfdir_lab.errors import LogDamagedError
from vfdir_lab.log.files import TEMPORARY_SUFFIX, sync_folder
from vfdir_lab.log.rows import SCHEMA, Digests, batches_of
from vfdir_lab.log.segment import WRITING, Footer, Part, SegmentName, prove

if TYPE_CHECKING:
    from typing_extensions import Buffer

ROW_GROUP_ROWS = 122_880
ROW_GROUP_BYTES = 64 << 20
"""A row group is full at either: large enough to be scanned quickly, small enough to hold in memory."""

Source = tuple[Path, Footer]


def merge_segments(sources: Sequence[Source], compacted_at: datetime) -> Path:
    """Put the rows of `sources` into one segment, beside the first of them; returns its path.

    Raises:
        LogDamagedError: a source is not what its footer says, or does not follow on the one before it.
        OSError: the disk refuses. Either way nothing new is there.
    """
    _check_chain(sources)
    folder, first, last = sources[0][0].parent, sources[0][1].first, sources[-1][1].last
    temporary = folder / f".{first}-{last}.{os.getpid()}{TEMPORARY_SUFFIX}"
    try:
        footer, proof = _write(temporary, sources, compacted_at)
        name = SegmentName(first=first, last=last, proof=proof)
        _check_written(footer, prove(str(temporary), name=name, device=footer.device))
        temporary.replace(folder / str(name))
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
    sync_folder(folder)
    return folder / str(name)


def _check_written(meant: Footer, found: Footer) -> None:
    if found != meant:
        raise LogDamagedError("what was written reads otherwise: the disk fails; nothing was changed")


def _check_chain(sources: Sequence[Source]) -> None:
    """A broken chain must stay visible: merged, nothing would show it any more."""
    for (_, before), (path, footer) in pairwise(sources):
        if footer.prev != before.link or footer.hlc_min <= before.hlc_max:
            raise LogDamagedError(f"{path} does not follow on the segment before it; nothing was changed")


class _Hashed(io.BufferedIOBase):
    """A file whose bytes are hashed as they are meant, before the disk has had them."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.hash = hashlib.sha256()

    def writable(self) -> bool:
        return True

    def write(self, data: Buffer, /) -> int:
        self.hash.update(data)
        return self._file.write(data)


def _write(temporary: Path, sources: Sequence[Source], compacted_at: datetime) -> tuple[Footer, str]:
    """Write the file; returns its footer and what is to prove its bytes."""
    parts = tuple(piece for _, footer in sources for piece in footer.pieces)
    digests = Digests([part.rows for part in parts])
    with temporary.open("wb") as file:
        hashed = _Hashed(file)
        with pq.ParquetWriter(hashed, SCHEMA, **WRITING) as writer:
            for group in _row_groups(_batches(sources), digests):
                writer.write_table(group, row_group_size=group.num_rows)
            _check_digests(sources, parts, digests.parts)
            footer = _footer([footer for _, footer in sources], parts, digests.whole, compacted_at)
            writer.add_key_value_metadata(footer.metadata())
        file.flush()
        os.fsync(file.fileno())
    return footer, hashed.hash.hexdigest()[:16]


def _batches(sources: Sequence[Source]) -> Iterator[pa.RecordBatch]:
    for path, _ in sources:
        try:
            with pq.ParquetFile(path) as parquet:
                yield from batches_of(parquet)
        except pa.ArrowException as error:
            raise LogDamagedError(f"{path} cannot be read ({error}); nothing was changed") from error


def _row_groups(batches: Iterator[pa.RecordBatch], digests: Digests) -> Iterator[pa.Table]:
    """The rows in row groups; their digests are taken as they pass."""
    held: list[pa.RecordBatch] = []
    for batch in batches:
        digests.update(batch)
        held.append(batch)
        if sum(map(len, held)) >= ROW_GROUP_ROWS or sum(one.nbytes for one in held) >= ROW_GROUP_BYTES:
            yield pa.Table.from_batches(held, SCHEMA)
            held = []
    if held:
        yield pa.Table.from_batches(held, SCHEMA)


def _check_digests(sources: Sequence[Source], parts: Sequence[Part], found: Sequence[str]) -> None:
    wrong = {part.first for part, digest in zip(parts, found, strict=True) if part.digest != digest}
    for path, footer in sources:
        if any(footer.first <= first <= footer.last for first in wrong):
            raise LogDamagedError(f"{path} does not hold the rows its footer gives; nothing was changed")


def _footer(
    footers: Sequence[Footer], parts: tuple[Part, ...], digest: str, compacted_at: datetime
) -> Footer:
    return Footer(
        device=footers[0].device,
        first=footers[0].first,
        last=footers[-1].last,
        recorded_min=min(footer.recorded_min for footer in footers),
        recorded_max=max(footer.recorded_max for footer in footers),
        hlc_min=footers[0].hlc_min,
        hlc_max=footers[-1].hlc_max,
        digest=digest,
        prev=footers[0].prev,
        parts=parts,
        compacted_at=compacted_at,
    )
