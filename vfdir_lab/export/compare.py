"""How two snapshots of a channel differ: what was added, removed, moved and changed.

Owns: `difference_between`. Guarantees: an item counts as moved only where its neighbours show it: what shifts
because something came or went does not; the fewest moves that explain the order are named. Memory holds a
line for each item, not the items. Leaves to others: how a snapshot becomes a place to look from (`again.py`).
Checked by: laws in `tests/export/test_compare.py`.
"""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from vfdir_lab.export.layout import label
from vfdir_lab.export.rows import Row
from vfdir_lab.export.scope import Scope, Standing, scope_of
from vfdir_lab.export.snapshot import SnapshotOptions
from vfdir_lab.export.spelling import json_line
from vfdir_lab.projection import Engine

PASSED_OVER = frozenset({"updated_at", "pending", "length"})
"""Columns that say nothing which is not said by others."""
SHOWN_CHARACTERS = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An item where it stands: in which channel, at which position (1..n), what it is called."""

    channel: str
    position: int
    item: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """An item that stands elsewhere among those that were there and are still: positions then and now."""

    channel: str
    item: str
    label: str
    before: int
    after: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A field of a thing that says something else."""

    object_id: str
    label: str
    field: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotDifference:
    """What happened to a channel between two snapshots of it; `before` and `after` are their heads."""

    title: str
    before: str
    after: str
    added: tuple[Entry, ...]
    removed: tuple[Entry, ...]
    moved: tuple[Move, ...]
    changed: tuple[Change, ...]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    def __str__(self) -> str:
        lines = [f"{self.title}, from {self.before} to {self.after}"]
        lines += [f"added    {one.position}. {one.label} ({one.item})" for one in self.added]
        lines += [f"removed  {one.position}. {one.label} ({one.item})" for one in self.removed]
        lines += [f"moved    {one.label} ({one.item}): {one.before} → {one.after}" for one in self.moved]
        lines += [
            f"changed  {one.label} ({one.object_id}), {one.field}: {_brief(one.before)} → {_brief(one.after)}"
            for one in self.changed
        ]
        counts = (
            ("added", self.added),
            ("removed", self.removed),
            ("moved", self.moved),
            ("changed", self.changed),
        )
        return "\n".join([*lines, ", ".join(f"{len(found)} {what}" for what, found in counts)])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """What is remembered of an item: the entry, and a digest of all that is compared."""

    entry: Entry
    digest: bytes


def difference_between(
    engine: Engine, channel: str | None, before: SnapshotOptions, after: SnapshotOptions
) -> SnapshotDifference:
    """What differs between the same channel from two standpoints.

    Raises:
        ExportError: the channel is not there from one of them.
    """
    sides = [Standing(engine=engine, head=one.head, lens=one.lens) for one in (before, after)]
    scopes = [
        scope_of(side, channel, depth=one.depth, private=one.private)
        for side, one in zip(sides, (before, after), strict=True)
    ]
    then, now = (_lines(side, scope) for side, scope in zip(sides, scopes, strict=True))
    kept = [key for key in then if key in now]
    edited = {key for key in kept if then[key].digest != now[key].digest}
    old, new = (_looked_up(side, scope, edited) for side, scope in zip(sides, scopes, strict=True))
    home = scopes[1].home
    return SnapshotDifference(
        title="all channels" if home is None else label(home),
        before=str(before.head),
        after=str(after.head),
        added=tuple(line.entry for key, line in now.items() if key not in then),
        removed=tuple(line.entry for key, line in then.items() if key not in now),
        moved=tuple(_moves(then, now, kept)),
        changed=tuple(_once([*_of_channels(*scopes), *_changes(edited, old, new)])),
    )


def _lines(side: Standing, scope: Scope) -> dict[str, _Line]:
    """Every item by its connection, in order."""
    return {
        row["connection"]["object_id"]: _Line(
            entry=_entry(row), digest=hashlib.sha256(json_line(_compared(row)).encode()).digest()
        )
        for row in side.rows(*scope.ids).of("items")
    }


def _entry(row: Row) -> Entry:
    connection, thing = row["connection"], row["block"] or row["channel"]
    return Entry(
        channel=connection["channel"],
        position=connection["position"],
        item=connection["item"],
        label=label(thing) if thing else connection["item"],
    )


def _compared(row: Row) -> dict[str, dict[str, Any]]:
    """The parts of an item of which each field is compared."""
    connection = {key: row["connection"][key] for key in ("object_id", "pinned", "metadata")}
    parts = {"connection": connection, "block": row["block"] or {}, "channel": row["channel"] or {}}
    return {
        name: {key: value for key, value in part.items() if key not in PASSED_OVER}
        for name, part in parts.items()
    }


def _looked_up(side: Standing, scope: Scope, wanted: set[str]) -> dict[str, Row]:
    if not wanted:
        return {}
    rows = side.rows(*scope.ids).of("items")
    return {row["connection"]["object_id"]: row for row in rows if row["connection"]["object_id"] in wanted}


def _changes(edited: Iterable[str], old: Mapping[str, Row], new: Mapping[str, Row]) -> Iterator[Change]:
    for key in (key for key in new if key in set(edited)):
        then, now = _compared(old[key]), _compared(new[key])
        for part in now:
            thing = now[part].get("object_id") or then[part].get("object_id") or key
            yield from _fields(str(thing), _entry(new[key]).label, then[part], now[part])


def _of_channels(then: Scope, now: Scope) -> Iterator[Change]:
    """What changed of the channels themselves."""
    before = {row["object_id"]: row for row in then.channels}
    for row in now.channels:
        if row["object_id"] in before:
            yield from _fields(row["object_id"], label(row), before[row["object_id"]], row)


def _fields(thing: str, name: str, then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Change]:
    for field in dict.fromkeys([*then, *now]):
        old, new = then.get(field), now.get(field)
        if old != new and field not in PASSED_OVER:
            yield Change(object_id=thing, label=name, field=field, before=old, after=new)


def _once(changes: Iterable[Change]) -> Iterator[Change]:
    """Each change once, in however many places the thing is."""
    told: set[tuple[str, str]] = set()
    for one in changes:
        if (one.object_id, one.field) not in told:
            told.add((one.object_id, one.field))
            yield one


def _moves(then: Mapping[str, _Line], now: Mapping[str, _Line], kept: Sequence[str]) -> Iterator[Move]:
    """The fewest items that have to move for the old order to become the new one, channel by channel."""
    places = {key: place for place, key in enumerate(now)}
    stay = longest_rising([places[key] for key in kept])
    for index, key in enumerate(kept):
        if index not in stay:
            was, is_ = then[key].entry, now[key].entry
            yield Move(
                channel=is_.channel, item=is_.item, label=is_.label, before=was.position, after=is_.position
            )


def longest_rising(numbers: Sequence[int]) -> set[int]:
    """The indices of a longest rising run of different numbers, gaps allowed."""
    ends: list[int] = []
    at: list[int] = []
    previous: list[int] = []
    for index, number in enumerate(numbers):
        length = bisect_left(ends, number)
        previous.append(at[length - 1] if length else -1)
        ends[length : length + 1] = [number]
        at[length : length + 1] = [index]
    found: set[int] = set()
    index = at[-1] if at else -1
    while index >= 0:
        found.add(index)
        index = previous[index]
    return found


def _brief(value: Any) -> str:
    spelled = json.dumps(value, ensure_ascii=False)
    return spelled if len(spelled) <= SHOWN_CHARACTERS else f"{spelled[:SHOWN_CHARACTERS]}…"
