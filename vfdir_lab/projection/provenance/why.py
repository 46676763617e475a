"""Why a cell says what it says: the event that put the value there, those that lost, and the rule."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from vfdir_lab.errors import EventError, UsageError
from vfdir_lab.event.canonical import parse
from vfdir_lab.projection.connection import literal, quoted, refusals_told
from vfdir_lab.projection.definition import Definition
from vfdir_lab.projection.engine import Engine, Standpoint
from vfdir_lab.projection.provenance.causes import Event, material
from vfdir_lab.projection.provenance.walk import (
    Asked,
    Place,
    Prefixes,
    Value,
    key_text,
    last_changes,
    prefixes_of,
)
from vfdir_lab.projection.provenance.walk import value as value_in
from vfdir_lab.projection.provenance.wording import (
    escaped,
    html_lines,
    html_table,
    moment_of,
    phrase,
    told,
    value_of,
)

HOMES: Mapping[str, str] = {
    "block": "blocks",
    "channel": "channels",
    "connection": "connections",
    "user": "users",
    "group": "users",
    "comment": "comments",
    "scan": "scans",
    "tx": "outbox",
}
"""The projection that has the row of an object, by the space of its id."""
LOSERS_LOOKED_FOR = 64
"""Of so many of an object's newest events it is asked whether they lost."""
LOSERS_SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Loser:
    """An event that had, or carries, another value: the event's row, the value as text, and why it lost."""

    event: Event
    value: str | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """Why the `field` of the row of `object_id` says `value`.

    `is_there` says whether the row is there at all. `winner` is the row of the event at whose arrival the
    cell became so, None where no event explains it; `losers` are in the total order. `rule` is the definition
    that decides, `lines` those of its SQL that name the column.
    """

    object_id: str
    field: str
    value: str | None
    is_there: bool
    winner: Event | None
    losers: tuple[Loser, ...]
    rule: Definition
    lines: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """All of it as values that JSON has; stamps are texts, for they exceed 2^53."""
        return {
            "object_id": self.object_id,
            "field": self.field,
            "value": self.value,
            "is_there": self.is_there,
            "winner": None if self.winner is None else _plain(self.winner),
            "losers": [
                {"event": _plain(one.event), "value": one.value, "reason": one.reason} for one in self.losers
            ],
            "rule": {
                "projection": self.rule.name,
                "version": self.rule.version,
                "title": self.rule.title,
                "prose": self.rule.prose,
                "lines": list(self.lines),
            },
        }

    def __str__(self) -> str:
        lost = [
            f"not    {value_of(one.value)}: {one.event['event_id']}  {_told(one.event)}; {one.reason}"
            for one in self.losers[-LOSERS_SHOWN:]
        ]
        return "\n".join([self._answer(), *self._winner(), *lost, *self._rule()])

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        rows: list[list[str | None]] = []
        if self.winner is not None:
            rows.append([str(self.winner["event_id"]), self.value, _told(self.winner), "shown"])
        rows += [
            [str(one.event["event_id"]), one.value, _told(one.event), one.reason]
            for one in self.losers[-LOSERS_SHOWN:]
        ]
        table = html_table(self._answer(), ("event", "value", "said", "outcome"), rows)
        return {"text/plain": str(self), "text/html": table + html_lines("\n".join(self._rule()))}

    def _answer(self) -> str:
        about = f"{escaped(self.object_id)} {escaped(self.field)}"
        return (
            f"{about} is {value_of(self.value)}"
            if self.is_there
            else f"{about}: no row of {self.rule.called}"
        )

    def _winner(self) -> list[str]:
        if self.winner is None:
            return ["from   no event that was found"]
        return [f"from   {self.winner['event_id']}  {_told(self.winner)}"]

    def _rule(self) -> list[str]:
        prose = [f"       {escaped(line)}" for line in self.rule.prose.split("\n\n")[:1] if line]
        sql = [f"       {escaped(line)}" for line in self.lines]
        return [f"rule   {self.rule.called}: {escaped(self.rule.title)}", *prose, *sql]


def why(
    engine: Engine, object_id: str, field: str, standpoint: Standpoint, *, projection: str | None = None
) -> Why:
    """Why the row of `object_id` says what it says in `field`, from that standpoint.

    The space of the id decides whose row is meant, unless `projection` names another; there `object_id` is
    the row's key as text, of several columns a JSON array.

    Raises:
        UsageError: there is no such projection, column or object; the message says what there is.
        QueryError: DuckDB refuses the definition. LogError: the log cannot be read.
    """
    rule = _rule_of(object_id, standpoint, projection)
    row = _row(engine, object_id, rule, standpoint)
    column = _column(field, row, rule)
    found = row[column]
    present, text = found is not None, None if found is None else found[0]
    owner = _owner(object_id, rule)
    asked = Asked(key=object_id, owner=owner, present=present, cells={column: text})
    events = material(engine, rule.name, standpoint, [asked])
    with prefixes_of(standpoint.lens, rule.name, [asked], events) as prefixes:
        index = last_changes(prefixes, [asked]).get((object_id, column))
        own = [at for at, about in enumerate(events.column("object_id").to_pylist()) if about == owner]
        if not present and not own:
            raise UsageError(
                f"nothing is known of {object_id!r}; object ids look like block:123 or channel:45"
            )
        winner = None if index is None else _wished(prefixes, index, owner)
        losers = tuple(_losers(prefixes, (object_id, column), text, winner, own[-LOSERS_LOOKED_FOR:]))
    return Why(
        object_id=object_id,
        field=column,
        value=text,
        is_there=present,
        winner=None if winner is None else _event(prefixes, winner),
        losers=losers,
        rule=rule,
        lines=_lines(rule, column),
    )


def _rule_of(object_id: str, stand: Standpoint, projection: str | None) -> Definition:
    name = projection or HOMES.get(object_id.partition(":")[0])
    if name is None or name not in stand.lens.versions:
        asked = f"there is no projection {projection!r}" if projection else f"{object_id!r} has no table here"
        raise UsageError(
            f"{asked}; ids begin with {', '.join(HOMES)}; "
            f"projections are {', '.join(sorted(stand.lens.versions))}"
        )
    return stand.lens[name]


def _row(
    engine: Engine, object_id: str, rule: Definition, stand: Standpoint
) -> dict[str, tuple[str | None] | None]:
    """Each column, with its text in a tuple; None instead of the tuple where there is no such row."""
    name = quoted(rule.name)
    query = (
        f"SELECT CAST(COLUMNS(*) AS VARCHAR) FROM {name} WHERE {key_text(rule.keys)} = {literal(object_id)}"
    )
    relation = engine.relation(query, head=stand.head, lens=stand.lens, at=stand.at)
    with refusals_told():
        rows = relation.fetchall()
    if not rows:
        return dict.fromkeys(relation.columns)
    return {column: (text,) for column, text in zip(relation.columns, rows[0], strict=True)}


def _owner(key: str, rule: Definition) -> str:
    """The object a row is about; a key of several columns is a JSON array."""
    if len(rule.keys) == 1:
        return key
    try:
        parts = dict(zip(rule.keys, json.loads(key), strict=True))
    except (ValueError, TypeError) as error:
        raise UsageError(
            f"{rule.called} has the key {rule.key}; give it as a JSON array of texts, not {key!r}"
        ) from error
    return str(parts.get("object_id", parts[rule.keys[0]]))


def _column(field: str, columns: Mapping[str, object], rule: Definition) -> str:
    for column in columns:
        if column.lower() == field.lower():
            return column
    raise UsageError(f"{rule.called} has no column {field!r}; it has {', '.join(columns)}")


def _losers(
    prefixes: Prefixes, place: Place, final: str | None, winner: int | None, own: Sequence[int]
) -> Iterator[Loser]:
    """Of an object's own events those that brought another value, or carry one that is not shown."""
    shown = None if winner is None or place[1] is None else _carried(_event(prefixes, winner), place[1])
    for at, index in enumerate(own):
        if index == winner or not prefixes.may_go_on:
            continue
        event = _event(prefixes, index)
        before, after = (value_in(prefixes.at(count), place) for count in (index, index + 1))
        if after not in (before, final, False):
            yield Loser(
                event=event, value=_text(after), reason=_overridden(prefixes, place, own[at + 1 :], after)
            )
        elif after == before and place[1] is not None:
            carried = _carried(event, place[1])
            if carried is not None and carried not in (shown, (final,)):
                yield Loser(event=event, value=carried[0], reason="not shown by this rule")


def _overridden(prefixes: Prefixes, place: Place, later: Sequence[int], shown: Value) -> str:
    """Which later event of the object took the value away."""
    for index in later:
        if value_in(prefixes.at(index + 1), place) != shown:
            return f"earlier in the total order, overridden by {_event(prefixes, index)['event_id']}"
    return "earlier in the total order, overridden"


def _carried(event: Event, column: str) -> tuple[str | None] | None:
    """What the payload says under the name of the column, in a tuple; None where it says nothing."""
    try:
        fields = parse(event["payload"])
    except EventError:
        return None
    return (told(fields[column]),) if column in fields else None


def _wished(prefixes: Prefixes, index: int, owner: str) -> int:
    """The event itself; of a commit, which lets its wishes show, the newest wish in it about the object."""
    event = _event(prefixes, index)
    if event["kind"] != "tx.committed":
        return index
    before = prefixes.events.slice(0, index).select(["object_id", "cause"]).to_pylist()
    own = [at for at, one in enumerate(before) if one == {"object_id": owner, "cause": event["object_id"]}]
    return own[-1] if own else index


def _text(value: Value) -> str | None:
    return value if isinstance(value, str) else None


def _event(prefixes: Prefixes, index: int) -> Event:
    row: Event = prefixes.events.slice(index, 1).to_pylist()[0]
    return row


def _told(event: Event) -> str:
    return f"{phrase(event)} on {moment_of(event['recorded_at'])}"


def _plain(event: Event) -> dict[str, Any]:
    plain = {key: one.isoformat() if isinstance(one, datetime) else one for key, one in event.items()}
    return plain | {"hlc": str(event["hlc"]), "said": _told(event)}


def _lines(rule: Definition, column: str) -> tuple[str, ...]:
    """The lines of the definition, comments aside, that name the column."""
    code = re.sub(r"/\*.*?\*/|--[^\n]*", "", rule.sql, flags=re.DOTALL)
    named = re.compile(rf"\b{re.escape(column)}\b", re.IGNORECASE)
    return tuple(line.strip() for line in code.splitlines() if named.search(line))
