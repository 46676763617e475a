"""Where two copies of a device's part differ: by the digests of what was appended, by rows only if need be.

Compaction changes files, not appends: its footers keep the digest of each. So two layouts of one history are
told to be equal from their footers alone, and rows are read only where something is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from vfdir_lab.errors import LogDamagedError
from vfdir_lab.log.coverage import Segment
from vfdir_lab.log.eventlog import EventLog
from vfdir_lab.log.segment import COLUMNS


def first_difference(
    log: EventLog, ours: Sequence[Segment], theirs: Segment, take: Callable[[Segment], Path]
) -> int | None:
    """The first seq of `theirs` at which `ours` hold another event; None where they agree or hold nothing.

    `take` gives a proven copy of `theirs` to read.

    Raises:
        LogDamagedError: ours cannot be read.
    """
    near = [one for one in ours if _overlap(one, theirs)]
    digests = {(piece.first, piece.last): piece.digest for one in near for piece in one.footer.pieces}
    pieces = theirs.footer.pieces
    doubtful = [
        piece
        for piece in pieces
        if digests.get((piece.first, piece.last)) != piece.digest
        and any(one.footer.first <= piece.last and piece.first <= one.footer.last for one in near)
    ]
    if not doubtful:
        return None
    rows = pq.read_table(take(theirs), partitioning=None).select(COLUMNS)
    seqs = (_row_difference(log.read(one), one, rows, theirs) for one in near)
    return min((seq for seq in seqs if seq is not None), default=None)


def _overlap(one: Segment, other: Segment) -> bool:
    return one.footer.first <= other.footer.last and other.footer.first <= one.footer.last


def _row_difference(mine: pa.Table, one: Segment, rows: pa.Table, theirs: Segment) -> int | None:
    """The first seq in both segments at which their rows differ."""
    first = max(one.footer.first, theirs.footer.first)
    count = min(one.footer.last, theirs.footer.last) - first + 1
    left = mine.select(COLUMNS).slice(first - one.footer.first, count)
    right = rows.slice(first - theirs.footer.first, count)
    if left.equals(right):
        return None
    try:
        pairs = zip(left.to_pylist(), right.to_pylist(), strict=True)
        return next(first + at for at, (a, b) in enumerate(pairs) if a != b)
    except (ValueError, OverflowError) as error:
        raise LogDamagedError(f"{one.path} holds what no event can; `vfdir-lab verify` says more") from error
