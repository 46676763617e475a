"""Reading: the rows of what counts, while compactions and file syncs take files away.

A segment that is gone when its turn comes is no damage: a longer one holds the same events. So the folder is
listed again, three times at most, and reading goes on after the last seq that was given: nothing is given
twice, and nothing of what counted at the beginning is left out without an error. Rows are as they were
recorded; lifting them is left to whom they are for. Checked by `tests/log/test_reading_on.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from vfdir_lab.errors import LogDamagedError
from vfdir_lab.log.coverage import Segment
from vfdir_lab.log.head import Head
from vfdir_lab.log.listing import LISTING_TRIES
from vfdir_lab.log.rows import SCHEMA, batches_of

if TYPE_CHECKING:
    from vfdir_lab.log.eventlog import EventLog


def rows_after(log: EventLog, head: Head) -> Iterator[pa.Table]:
    """The rows above `head` of what counts when this begins, device by device in seq order, in batches.

    Raises:
        LogDamagedError: rows cannot be read. HeadError: what counted at the beginning went away for good.
        LogError: the files keep changing.
    """
    goal, reached, tries = log.coverage().head, dict(head), 0
    left = _between(log, reached, goal)
    while left:
        segment = left.pop(0)
        device = segment.footer.device
        try:
            for batch in _within(log, segment, reached.get(device, 0), goal):
                reached[device] = reached.get(device, 0) + batch.num_rows
                yield batch
        except FileNotFoundError as error:
            tries += 1
            if tries == LISTING_TRIES:
                raise log.unquiet() from error
            left = _between(log, reached, goal)
        else:
            tries = 0


def _between(log: EventLog, reached: dict[str, int], goal: Head) -> list[Segment]:
    """The segments that hold events above what was reached, up to the goal."""
    wanted = [device for device, seq in goal.items() if seq > reached.get(device, 0)]
    covering = log.require(Head({device: goal.seq(device) for device in wanted})).upto(goal)
    return [
        segment
        for segment in covering
        if segment.footer.device in wanted and segment.footer.last > reached.get(segment.footer.device, 0)
    ]


def _within(log: EventLog, segment: Segment, past: int, goal: Head) -> Iterator[pa.Table]:
    """The rows of a segment above `past`, up to the goal."""
    first, last = segment.footer.first, goal.seq(segment.footer.device)
    for batch in batches(log, segment):
        start, end = max(first, past + 1), min(first + batch.num_rows - 1, last)
        if start <= end:
            yield batch.slice(start - first, end - start + 1)
        first += batch.num_rows


def batches(log: EventLog, segment: Segment) -> Iterator[pa.Table]:
    """The rows of a segment, so many at a time that memory does not grow with it.

    Raises:
        LogDamagedError: they cannot be read. FileNotFoundError: it went away before it was opened.
    """
    with named(log, segment), pq.ParquetFile(log.path(segment)) as file:
        for batch in batches_of(file):
            yield pa.Table.from_batches([batch])


@contextmanager
def named(log: EventLog, segment: Segment) -> Iterator[None]:
    """The border to Parquet: what a failed reading of a segment means."""
    try:
        yield
    except FileNotFoundError:
        log.look_again(segment.path)  # a link keeps its name when what it leads to is gone
        raise
    except (pa.ArrowException, OSError) as error:
        raise LogDamagedError(
            f"{segment.path} cannot be read; `vfdir-lab verify` says what is lost with it"
        ) from error


def seq_before(log: EventLog, segments: Sequence[Segment], moment: datetime) -> int:
    """How far one device's segments, in seq order, go without an event recorded at `moment` or later.

    Raises:
        LogDamagedError: rows cannot be read. FileNotFoundError: a segment went away; list again.
    """
    for segment in segments:
        if segment.footer.recorded_max < moment:
            continue
        recorded = log.read(segment, columns=["recorded_at"]).column("recorded_at")
        late = pc.greater_equal(recorded, pa.scalar(moment, SCHEMA.field("recorded_at").type))
        return segment.footer.first - 1 + int(pc.index(late, value=True).as_py())
    return segments[-1].footer.last if segments else 0
