"""Prefixes: what rows of a projection say after the first events of a history; when a cell last changed.

The definition is a black box in a confined scratch. A cell of a row that is not there is False, of a row
asked only for being there True; otherwise a text or None. So "the row appeared" and "the value became null"
differ.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.resources import files
from struct import Struct
from typing import Self

import pyarrow as pa

from vfdir_lab.log import SCHEMA
from vfdir_lab.projection.catalogue import needed
from vfdir_lab.projection.connection import quoted, refusals_told
from vfdir_lab.projection.engine import read_sql
from vfdir_lab.projection.lens import Lens
from vfdir_lab.projection.scratch import scratch

FOLDER = files("vfdir_lab.projection") / "provenance"
_TURN = Struct("=q")

ONE_BY_ONE = 64
"""So many of the newest events are tried one after the other; before them a cell's change is bisected."""
EVALUATIONS = 200
"""A search gives up after so many different prefixes."""

Value = str | bool | None
Rows = Mapping[str | None, Mapping[str, str | None]]
Place = tuple[str | None, str | None]
"""A cell: the key of its row, and its field; no field asks whether the row is there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A row to ask about: its `key` as one text, the object it is about, and what its cells say in the end.

    Without `cells` it is asked what made the row be there, or not.
    """

    key: str | None
    owner: str | None
    present: bool = True
    cells: Mapping[str, str | None] = field(default_factory=dict)

    @property
    def finals(self) -> dict[Place, Value]:
        """What each asked cell says in the end."""
        if not self.cells:
            return {(self.key, None): self.present}
        return {(self.key, name): text if self.present else False for name, text in self.cells.items()}


def key_text(keys: Sequence[str], prefix: str = "") -> str:
    """The key columns as one text, in SQL: as it is, or, of several, a JSON array."""
    texts = [f"CAST({prefix}{quoted(key)} AS VARCHAR)" for key in keys]
    return texts[0] if len(texts) == 1 else f"CAST(to_json([{', '.join(texts)}]) AS VARCHAR)"


def value(rows: Rows, place: Place) -> Value:
    """What a cell says among these rows."""
    key, name = place
    if key not in rows:
        return False
    return True if name is None else rows[key][name]


class Stage:
    """A projection in a scratch, over more or fewer of `events`; answers for the asked rows.

    `turns` orders the events: `upto(n)` plays those whose turn is below n. The query is planned once, since
    that takes far longer than answering. DuckDB plans anew at each execution what has a parameter or reads a
    table of its own, so how far a walk has come is the number in an Arrow table, written in place.

    Raises:
        QueryError: DuckDB refuses the definition.
    """

    def __init__(
        self, lens: Lens, name: str, rows: Sequence[Asked], events: pa.Table, turns: Sequence[int]
    ) -> None:
        self.events = events
        self._fields = sorted({name for row in rows for name in row.cells})
        self._reached = bytearray(_TURN.size)
        turn = pa.Array.from_buffers(pa.int64(), 1, [None, pa.py_buffer(self._reached)])
        held = {
            "walked events": events.select(SCHEMA.names).append_column("turn", pa.array(turns, pa.int64())),
            "walked to": pa.table({"turn": turn}),
            "asked": pa.table({"key": pa.array([row.key for row in rows], pa.string())}),
        }
        self._connection = scratch(needed(lens.definitions, {name}))
        for one, table in held.items():
            self._connection.register(one, table)
        key = key_text(lens[name].keys)
        texts = "".join(f", CAST({quoted(one)} AS VARCHAR)" for one in self._fields)
        with refusals_told():
            self._connection.execute(read_sql(FOLDER, "stage"))
            self._connection.execute(
                f"PREPARE walk AS SELECT {key}{texts} FROM {quoted(name)} "
                f"SEMI JOIN asked ON {key} IS NOT DISTINCT FROM asked.key"
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def upto(self, turn: int) -> Rows:
        """The asked rows over the events whose turn is below, by key; a row that is not there is missing."""
        _TURN.pack_into(self._reached, 0, turn)
        with refusals_told():
            rows = self._connection.execute("EXECUTE walk").fetchall()
        return {row[0]: dict(zip(self._fields, row[1:], strict=True)) for row in rows}


class Prefixes:
    """A stage over the first n of its events whose turn is 0 or more; those below are always there."""

    def __init__(self, stage: Stage, events: pa.Table) -> None:
        self.events = events
        self._stage = stage
        self._known: dict[int, Rows] = {}

    def __len__(self) -> int:
        return int(self.events.num_rows)

    def at(self, count: int) -> Rows:
        """The asked rows after the first `count` events."""
        if count not in self._known:
            self._known[count] = self._stage.upto(count)
        return self._known[count]

    @property
    def may_go_on(self) -> bool:
        """Whether another prefix may be tried."""
        return len(self._known) < EVALUATIONS


@contextmanager
def prefixes_of(
    lens: Lens, name: str, rows: Sequence[Asked], events: pa.Table, held: pa.Table | None = None
) -> Iterator[Prefixes]:
    """The projection over prefixes of `events`, which are in their total order, with `held` always there."""
    turns = [*range(events.num_rows)]
    whole = events
    if held is not None:
        whole, turns = pa.concat_tables([events, held]), turns + [-1] * held.num_rows
    with Stage(lens, name, rows, whole, turns) as stage:
        yield Prefixes(stage, events)


def last_changes(prefixes: Prefixes, rows: Iterable[Asked]) -> dict[Place, int]:
    """For each asked cell the index of the event at whose arrival it last changed, to what it is in the end.

    Left out: cells that these events do not explain, and those for which there was no time. Exact among the
    newest `ONE_BY_ONE` events; a change before them is one that led to the final value, and, where a value
    came, went and came again, perhaps not the last such.
    """
    asked = list(rows)
    end = len(prefixes)
    finals = {place: final for row in asked for place, final in row.finals.items()}
    left = {place for place, final in finals.items() if value(prefixes.at(end), place) == final}
    found: dict[Place, int] = {}
    start = max(0, end - ONE_BY_ONE)
    for index in reversed(range(start, end)):
        changed = {place for place in left if value(prefixes.at(index), place) != finals[place]}
        found |= dict.fromkeys(changed, index)
        left -= changed
        if not left:
            return found
    if start:
        hints = _own_events(prefixes.events.slice(0, start), {row.key: row.owner for row in asked})
        for place in sorted(left, key=str):
            earlier = _search(prefixes, place, finals[place], start, hints.get(place[0], ()))
            found |= {} if earlier is None else {place: earlier}
    return found


def _own_events(events: pa.Table, owners: Mapping[str | None, str | None]) -> dict[str | None, list[int]]:
    """By key, the indices of the events about its object, newest first: where a change is likely."""
    wanted = set(owners.values())
    by_owner: dict[str | None, list[int]] = {}
    for index, about in enumerate(events.column("object_id").to_pylist()):
        if about in wanted:
            by_owner.setdefault(about, []).insert(0, index)
    return {key: by_owner.get(owner, []) for key, owner in owners.items()}


def _search(prefixes: Prefixes, place: Place, final: Value, high: int, hints: Sequence[int]) -> int | None:
    """An index at which the cell became what it is after the first `high` events."""

    def is_final(count: int) -> bool:
        return value(prefixes.at(count), place) == final

    for index in hints[:2]:
        if not prefixes.may_go_on:
            return None
        if is_final(index + 1) and not is_final(index):
            return index
    low = 0
    if is_final(low):
        return None
    while high - low > 1:
        if not prefixes.may_go_on:
            return None
        middle = (low + high) // 2
        low, high = (low, middle) if is_final(middle) else (middle, high)
    return low
