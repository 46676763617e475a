"""Where objects stand in a table: from an id to a row, by halving numbers that Arrow holds.

Owns: `Ids`, and the short form of an id, `Key`.
Guarantees: an id is found in the time of a binary search, with eight bytes a row beside the table (Arrow's
own) and no Python object for a row that are.na has a number for.
Leaves to others: what is in the rows (`frame`).
Checked by: `tests/objects/test_ids.py`, against a dictionary.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

Key = int | str
"""An object among those of its class: are.na's number in the space of the class, else the whole object id."""

SPACE, NUMBER = " space", " number"
"""The columns that `table.sql` and `group.sql` order by; no projection has a column of such a name."""

_NUMBER_BYTES = 8
_LARGEST = 2**63


def key_of(space: str, object_id: str) -> Key:
    """The short form of an id, in the space of a class."""
    found, _, rest = object_id.partition(":")
    number = _number(rest) if found == space else None
    return object_id if number is None else number


def id_of(space: str, key: Key) -> str:
    """The inverse of `key_of`."""
    return key if isinstance(key, str) else f"{space}:{key}"


def _number(rest: str) -> int | None:
    if not (rest.isascii() and rest.isdecimal()) or len(rest) > 19:
        return None
    number = int(rest)
    return number if str(number) == rest and number < _LARGEST else None


class Ids:
    """The places of ids in a table ordered as `table.sql` orders it, which has no id twice."""

    __slots__ = ("_others", "_spaces", "size")

    def __init__(self, table: pa.Table | None = None) -> None:
        self.size = 0 if table is None else table.num_rows
        self._spaces: dict[str, tuple[int, Sequence[int]]] = {}
        self._others: dict[str, int] = {}
        if table is not None and table.num_rows:
            self._take(table)

    def _take(self, table: pa.Table) -> None:
        runs = pc.run_end_encode(_whole(table.column(SPACE)))
        start = 0
        for space, end in zip(runs.values.to_pylist(), runs.run_ends.to_pylist(), strict=True):
            numbers = _whole(table.column(NUMBER).slice(start, end - start))
            count = len(numbers) - numbers.null_count
            self._spaces[space] = (start, _view(numbers, count))
            rest = table.column("object_id").slice(start + count, end - start - count).to_pylist()
            self._others.update((one, place) for place, one in reversed([*enumerate(rest, start + count)]))
            start = end

    def place(self, space: str, key: Key) -> int | None:
        """The place of an object of a class with that space, or None: it is not in the table."""
        if isinstance(key, str):
            found, _, rest = key.partition(":")
            number = _number(rest)
            return self._others.get(key) if number is None else self.place(found, number)
        start, numbers = self._spaces.get(space, (0, ()))
        at = bisect_left(numbers, key)
        return start + at if at < len(numbers) and numbers[at] == key else None

    def number(self, space: str, place: int) -> int | None:
        """are.na's number of the row at a place, if it is in that space and has one."""
        start, numbers = self._spaces.get(space, (0, ()))
        return numbers[place - start] if 0 <= place - start < len(numbers) else None


def _whole(column: Any) -> Any:
    """A column as one array."""
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _view(numbers: Any, count: int) -> Sequence[int]:
    """The first numbers of an array, where they are."""
    if not count:
        return ()
    start = numbers.offset * _NUMBER_BYTES
    view: Any = memoryview(numbers.buffers()[1])[start : start + count * _NUMBER_BYTES]
    numbers_there: Sequence[int] = view.cast("B").cast("q")
    return numbers_there
