"""A large log in slices by object, so that each can be folded in memory.

A fold of ten million events at once spills to disk what it holds, again and again, and takes fifteen times as
long as ten folds of a million; sorting its rows then fails for lack of memory. What is answered object by
object (`refresh.py` has the proof) is the same over the events of some objects. So the events are written
once into a file for each range of object ids, and folded range by range; the ranges follow one another, so
rows sorted within each are sorted. Checked by `tests/projection/test_slices.py`.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from tempfile import mkdtemp

import duckdb

from vfdir_lab.log import EventLog, Head, Segment, state_home
from vfdir_lab.projection.connection import literal, quoted
from vfdir_lab.projection.definition import LEAF, Definition
from vfdir_lab.projection.source import open_dataset, read_events, weight_of

SLICE_EVENTS = 300_000
SLICE_BYTES = 64 << 20
"""Of segments as they are on the disk; their payloads unpacked are about ten times as large."""

_SAMPLE = 100_000
_LEFTOVER_SECONDS = 24 * 3600
_PREFIX = "slices-"
_WRITING = "FORMAT parquet, PARTITION_BY (slice), COMPRESSION lz4, ROW_GROUP_SIZE 8192"


@dataclass(frozen=True, slots=True, kw_only=True)
class Slices:
    """The files of each slice, in the order of the object ids they are about. To be closed."""

    folder: Path
    parts: tuple[tuple[Path, ...], ...]

    def close(self) -> None:
        """Remove the files."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def selects(
        self, connection: duckdb.DuckDBPyConnection, definition: Definition, *, confined: bool
    ) -> list[str]:
        """What gives a projection's rows, slice by slice."""
        found = []
        for number, files in enumerate(self.parts):
            paths = ", ".join(literal(str(file)) for file in files)
            events = f"read_parquet([{paths}], hive_partitioning = false)"
            if confined:
                events = quoted(f"slice {number}")
                connection.register(f"slice {number}", open_dataset(*files))
            found.append(f"WITH {LEAF} AS (SELECT * FROM {events}) SELECT * FROM ({definition.view})")
        return found


def slices_needed(log: EventLog, segments: Sequence[Segment]) -> int:
    """Into how many slices a log is best cut; 1: it is not."""
    events = sum(one.footer.rows for one in segments)
    return max(1, ceil(events / SLICE_EVENTS), ceil(weight_of(log, segments) / SLICE_BYTES))


def cut(
    connection: duckdb.DuckDBPyConnection,
    log: EventLog,
    segments: Sequence[Segment],
    head: Head,
    *,
    count: int,
) -> Slices:
    """Write the events up to a head into about `count` files, each of a range of objects.

    By a connection that nothing was done with, and which is closed then.

    Raises:
        OSError, duckdb.Error: the disk refuses, or a segment went away.
    """
    home = state_home() / "spill"
    home.mkdir(parents=True, exist_ok=True)
    _clear(home)
    folder = Path(mkdtemp(prefix=_PREFIX, dir=home))
    try:
        with connection:
            read_events(connection, log, segments, head)
            bounds = _bounds(connection, count)
            _write(connection, folder, bounds)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    parts = (tuple(sorted((folder / f"slice={number}").glob("*"))) for number in range(len(bounds) + 1))
    return Slices(folder=folder, parts=tuple(filter(None, parts)))


def _bounds(connection: duckdb.DuckDBPyConnection, count: int) -> list[str]:
    """Object ids that divide the events into about as many parts of about one size."""
    sample = connection.sql(
        f"SELECT object_id FROM (SELECT object_id FROM {LEAF}) USING SAMPLE {_SAMPLE} ROWS (reservoir, 1) "
        "ORDER BY object_id"
    ).fetchall()
    at = [sample[len(sample) * part // count][0] for part in range(1, count) if sample]
    return sorted(set(at))


def _write(connection: duckdb.DuckDBPyConnection, folder: Path, bounds: Sequence[str]) -> None:
    cases = " ".join(
        f"WHEN object_id < {literal(bound)} THEN {number}" for number, bound in enumerate(bounds)
    )
    slice_ = f"CASE {cases} ELSE {len(bounds)} END" if bounds else "0"
    # Little is kept for each file that is open, so that the memory hardly grows with their number.
    connection.execute("SET partitioned_write_flush_threshold = 16384")
    connection.execute(f"SET partitioned_write_max_open_files = {len(bounds) + 1}")
    rows = f"SELECT *, {slice_} AS slice FROM {LEAF}"
    connection.execute(f"COPY ({rows}) TO {literal(str(folder))} ({_WRITING})")


def _clear(home: Path) -> None:
    """Remove what a replay that was killed left behind."""
    for folder in home.glob(f"{_PREFIX}*"):
        with suppress(OSError):
            if folder.stat().st_mtime < time.time() - _LEFTOVER_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)
