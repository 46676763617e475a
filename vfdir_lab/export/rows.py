"""The rows of a snapshot, streamed from the projections in a fixed order.

Owns: `Rows`, and the one rule of what is told of private channels (`sql/part_told.sql`). Guarantees: the same
head, lens and channels give the same rows in the same batches; a batch is all that is held of them. Leaves to
others: how a row is spelled. Checked by: `tests/export/test_snapshot.py`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from importlib.resources import files
from itertools import groupby
from typing import Any

import pyarrow as pa

from vfdir_lab.log import Head
from vfdir_lab.projection import Engine, Lens
from vfdir_lab.projection.engine import read_sql

SQL = files("vfdir_lab.export") / "sql"
BATCH_ROWS = 10_000

PARTS = ("placed", "kept", "told", "inside", "exported")
"""What queries are put together from, each after those that name it."""

Row = dict[str, Any]


class Rows:
    """The rows of some channels, at one head, through one lens. One iteration at a time."""

    def __init__(self, engine: Engine, head: Head, lens: Lens, channels: Sequence[str]) -> None:
        self._engine = engine
        self._head = head
        self._lens = lens
        self.channels = tuple(channels)

    def batches(self, query: str, **more: object) -> Iterator[pa.RecordBatch]:
        """The rows of `sql/<query>.sql` in batches of `BATCH_ROWS`; at least one, if only for its schema.

        Private channels that are not among these are in them without anything that tells of them.
        """
        some = False
        for batch in _even(self._stream(query, more)):
            some = True
            yield batch
        if not some:
            yield pa.RecordBatch.from_pylist([], schema=self.table(query, **more).schema)

    def of(self, query: str, **more: object) -> Iterator[Row]:
        """The same, a row at a time, in plain values."""
        for batch in self._stream(query, more):
            for row in batch.to_pylist():
                yield plain(row)

    def items(self) -> Iterator[tuple[str, Iterator[Row]]]:
        """Each channel, in order, with the rows of `items` in it; take them before the next channel."""
        groups = groupby(self.of("items"), key=lambda row: row["connection"]["channel"])
        group = next(groups, None)
        for channel in self.channels:
            if group is not None and group[0] == channel:
                yield channel, group[1]
                group = next(groups, None)
            else:
                yield channel, iter(())

    def table(self, query: str, **more: object) -> pa.Table:
        """The same, whole, for what is small."""
        text = self._sql(query)
        return self._engine.arrow(text, self._given(text, more), head=self._head, lens=self._lens)

    def _stream(self, query: str, more: Mapping[str, object]) -> Iterator[pa.RecordBatch]:
        text = self._sql(query)
        return self._engine.stream(text, self._given(text, more), head=self._head, lens=self._lens)

    def _given(self, text: str, more: Mapping[str, object]) -> dict[str, object]:
        """The parameters of a query; DuckDB refuses any that it does not name."""
        return dict(more) | ({"channels": list(self.channels)} if "$channels" in text else {})

    def _sql(self, query: str) -> str:
        """The query after the parts that it names, and those that they name."""
        text = read_sql(SQL, query)
        parts: list[str] = []
        for name in PARTS:
            if re.search(rf"\b{name}\b", text + "".join(parts)):
                is_lacking = name == "kept" and "media" not in self._lens.versions
                parts.insert(0, read_sql(SQL, f"part_{name}{'_nothing' if is_lacking else ''}"))
        return f"WITH\n{','.join(parts)}\n{text}" if parts else text


def _even(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The same rows in batches of one size, so that how they were computed does not show."""
    waiting: list[pa.RecordBatch] = []
    rows = 0
    for batch in batches:
        waiting.append(batch)
        rows += batch.num_rows
        while rows >= BATCH_ROWS:
            table = pa.Table.from_batches(waiting)
            yield table.slice(0, BATCH_ROWS).combine_chunks().to_batches()[0]
            rows -= BATCH_ROWS
            waiting = table.slice(BATCH_ROWS).to_batches()
    if rows:
        yield pa.Table.from_batches(waiting).combine_chunks().to_batches()[0]


def plain(value: Any) -> Any:
    """A value as JSON has it: times as ISO 8601 in UTC, metadata as an object."""
    if isinstance(value, dict):
        return {key: _metadata(one) if key == "metadata" else plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [plain(one) for one in value]
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return value


def _metadata(value: Any) -> Any:
    """What a text of JSON says; a person's own version may give what is none, and that stays as it is."""
    with suppress(TypeError, ValueError):
        return json.loads(value)
    return plain(value)
