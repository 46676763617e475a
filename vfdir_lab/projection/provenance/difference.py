"""The difference of one projection between two standpoints, with the events behind each differing cell."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import duckdb

from vfdir_lab.errors import QueryError, UsageError
from vfdir_lab.projection.catalogue import needed
from vfdir_lab.projection.connection import plainly, quoted, refusals_told
from vfdir_lab.projection.definition import Definition
from vfdir_lab.projection.engine import Engine, Standpoint
from vfdir_lab.projection.lens import Lens
from vfdir_lab.projection.provenance.attribution import Attribution, Pair
from vfdir_lab.projection.provenance.causes import Event
from vfdir_lab.projection.provenance.comparison import CHANGED, ONLY_LEFT, Comparison, Side
from vfdir_lab.projection.provenance.wording import (
    cut,
    escaped,
    html_lines,
    html_table,
    moment_of,
    phrase,
    text_table,
)
from vfdir_lab.projection.scratch import scratch

SHOWN_CELLS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One differing cell, or, with no `field`, a row that one side lacks.

    `what` is `changed`, `only here` (left) or `only there`; `left` and `right` are the values as text, of a
    whole row as JSON; the events are ids of those that made either side so, None where none was found.
    `because` tells both in words.
    """

    object_id: str | None
    what: str
    field: str | None
    left: str | None
    right: str | None
    left_event: str | None
    right_event: str | None
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What differs between two answers of the projection `name`.

    `left` and `right` say what tells the standpoints apart. `same`, `only_left`, `only_right` and `changed`
    count rows, `columns` the changed cells by column; `left_columns` and `right_columns` are those that only
    one side's definition gives, which are not compared. Its length counts differing rows.
    """

    name: str
    left: str
    right: str
    same: int
    only_left: int
    only_right: int
    changed: int
    columns: Mapping[str, int]
    left_columns: tuple[str, ...]
    right_columns: tuple[str, ...]
    comparison: Comparison = field(repr=False, compare=False)
    attribution: Attribution = field(repr=False, compare=False)

    def __len__(self) -> int:
        return self.only_left + self.only_right + self.changed

    def __bool__(self) -> bool:
        return bool(len(self) or self.left_columns or self.right_columns)

    def relation(self, *, events: bool = True) -> duckdb.DuckDBPyRelation:
        """Every differing cell: object_id, what, field, left, right, left_event, right_event.

        `object_id` is the row's key as text, of several columns a JSON array. The rest as in `Cell`. Events
        are given for the first 1,000 differing rows, null beyond; without `events` the last two columns are
        left out, and nothing is looked for.
        """
        if not events:
            return self.comparison.relation(None)
        found = self.attribution.of(len(self))
        return self.comparison.relation({place: (_id(a), _id(b)) for place, (a, b) in found.items()})

    def cells(self, limit: int | None = None) -> list[Cell]:
        """The first cells in order of key and column, all by default; events as in `relation`."""
        rows = self.comparison.cells(limit)
        found = self.attribution.of(len({row[0] for row in rows}))
        return [_cell(row, found.get((row[0], row[2]), (None, None))) for row in rows]

    def __str__(self) -> str:
        cells = self.cells(SHOWN_CELLS)
        if not cells:
            return "\n".join(self._summary())
        columns = ("object_id", "field", self.left, self.right, "left_event", "right_event")
        rows = [[*self._shown(cell), cell.left_event, cell.right_event] for cell in cells]
        return "\n".join([*self._summary(), "", text_table(columns, rows), *self._left_out(len(cells))])

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        cells = self.cells(SHOWN_CELLS)
        columns = ("row", "field", self.left, self.right, "because of")
        rows = [[*self._shown(cell), cell.because] for cell in cells]
        caption = ". ".join([*self._summary(), *self._left_out(len(cells))])
        if not cells:
            return {"text/plain": str(self), "text/html": html_lines(caption)}
        return {"text/plain": str(self), "text/html": html_table(caption, columns, rows)}

    def _summary(self) -> list[str]:
        against = f"{self.name}: {escaped(self.left)} against {escaped(self.right)}"
        if not len(self):
            said = [f"{against}: no difference in {self.same:,} rows"]
        else:
            parts = [
                (self.changed, "changed"),
                (self.only_left, f"only in {escaped(self.left)}"),
                (self.only_right, f"only in {escaped(self.right)}"),
            ]
            counts = ", ".join(f"{count:,} {words}" for count, words in parts if count)
            said = [f"{against}: {len(self):,} of {len(self) + self.same:,} rows differ: {counts}"]
        if self.columns:
            said.append("changed: " + ", ".join(f"{escaped(one)} {n:,}" for one, n in self.columns.items()))
        for label, names in ((self.left, self.left_columns), (self.right, self.right_columns)):
            if names:
                said.append(f"columns only of {escaped(label)}: {', '.join(map(escaped, names))}")
        return said

    def _shown(self, cell: Cell) -> list[str | None]:
        if cell.what == CHANGED:
            return [cell.object_id, cell.field, cell.left, cell.right]
        side = self.left if cell.what == ONLY_LEFT else self.right
        return [cell.object_id, f"only in {side}", _row_words(cell.left), _row_words(cell.right)]

    def _left_out(self, shown: int) -> list[str]:
        more = sum(self.columns.values()) + self.only_left + self.only_right - shown
        said = [f"… and {more:,} more cells: `.relation()` has them all"] if more > 0 else []
        if len(self) > self.attribution.bound:
            said.append(f"events are looked for in the first {self.attribution.bound:,} rows that differ")
        return said


def difference(engine: Engine, name: str, left: Standpoint, right: Standpoint) -> Difference:
    """What differs between the rows of projection `name` from two standpoints.

    Raises:
        UsageError: there is no such projection in one of the lenses, or their keys are different columns.
        ProjectionError: an answer has two rows of one key; the message names the first.
        QueryError: DuckDB refuses one of the definitions. LogError: the log cannot be read.
    """
    definitions = [_definition(name, stand) for stand in (left, right)]
    keys = [[key.lower() for key in one.keys] for one in definitions]
    if keys[0] != keys[1]:
        raise UsageError(
            f"{definitions[0].called} has the key {definitions[0].key}, {definitions[1].called} "
            f"{definitions[1].key}: their rows cannot be told to be the same; compare versions with one key"
        )
    sides = [_side(engine, name, stand) for stand in (left, right)]
    try:
        comparison = Comparison(sides[0], sides[1], keys[0])
    except duckdb.Error as error:
        raise QueryError(f"the rows of {name} cannot be compared: {plainly(error)}") from error
    labels = _labels(name, left, right)
    return Difference(
        name=name,
        left=labels[0],
        right=labels[1],
        same=comparison.same,
        only_left=comparison.only_left,
        only_right=comparison.only_right,
        changed=comparison.changed,
        columns=comparison.columns,
        left_columns=tuple(name for key, name in sides[0].columns.items() if key not in sides[1].columns),
        right_columns=tuple(name for key, name in sides[1].columns.items() if key not in sides[0].columns),
        comparison=comparison,
        attribution=Attribution(engine, name, (left, right), comparison),
    )


def _definition(name: str, stand: Standpoint) -> Definition:
    if name not in stand.lens.versions:
        raise UsageError(
            f"there is no projection {name!r}; there are {', '.join(sorted(stand.lens.versions))}"
        )
    return stand.lens[name]


def _side(engine: Engine, name: str, stand: Standpoint) -> Side:
    definition = stand.lens[name]
    query = f"FROM {quoted(name)}"
    if stand.at is None:
        rows = engine.arrow(query, head=stand.head, lens=stand.lens)
    else:
        with refusals_told():
            rows = engine.relation(query, head=stand.head, lens=stand.lens, at=stand.at).to_arrow_table()
    filled = {column for column, _ in definition.fills}
    return Side(
        called=definition.called,
        rows=rows,
        columns={one.lower(): one for one in rows.column_names if one.lower() not in filled},
        json=_json_columns(stand.lens, name),
    )


@lru_cache(maxsize=64)
def _json_columns(lens: Lens, name: str) -> frozenset[str]:
    """Those that hold JSON; asked of DuckDB, since Arrow has them as text."""
    with scratch(needed(lens.definitions, {name})) as connection:
        described = connection.execute(f"DESCRIBE FROM {quoted(name)}").fetchall()
    return frozenset(row[0].lower() for row in described if row[1] == "JSON" or row[0].lower() == "metadata")


def _labels(name: str, left: Standpoint, right: Standpoint) -> tuple[str, str]:
    """What tells the two apart, in words."""
    pairs = []
    if left.lens[name].called != right.lens[name].called:
        pairs.append((left.lens[name].called, right.lens[name].called))
    elif left.lens.fingerprint != right.lens.fingerprint:
        pairs.append((f"lens {left.lens.name}", f"lens {right.lens.name}"))
    if left.at != right.at:
        pairs.append((_was_so(left), _was_so(right)))
    if left.head != right.head:
        pairs.append((f"head {left.head}", f"head {right.head}"))
    if not pairs:
        pairs.append((left.lens[name].called, right.lens[name].called))
    return ", ".join(pair[0] for pair in pairs), ", ".join(pair[1] for pair in pairs)


def _was_so(stand: Standpoint) -> str:
    return "now" if stand.at is None else f"what was so {moment_of(stand.at)}"


def _cell(row: tuple[Any, ...], events: Pair) -> Cell:
    object_id, what, field_, left, right = row
    return Cell(
        object_id=object_id,
        what=what,
        field=field_,
        left=left,
        right=right,
        left_event=_id(events[0]),
        right_event=_id(events[1]),
        because=_because(events),
    )


def _id(event: Event | None) -> str | None:
    return None if event is None else str(event["event_id"])


def _because(events: Pair) -> str:
    told = {event["event_id"]: event for event in events if event is not None}
    return "; ".join(
        f"{one} {phrase(event)}, {moment_of(event['recorded_at'])}" for one, event in told.items()
    )


def _row_words(row: str | None) -> str | None:
    """A whole row in a few words: what it says after its key."""
    if row is None:
        return None
    said = [(name, value) for name, value in json.loads(row).items() if value not in (None, False)][1:]
    return ", ".join(f"{name} {cut(str(value))}" for name, value in said[:4])
