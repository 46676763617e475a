"""What of an answer is a fact: the one place that drops or normalises what are.na sends.

Kept verbatim: every field, also those nobody knows yet. Dropped: `can` and `_links` (about the asker),
counts that follow from connections, the renditions of one picture, positions (they shift when a neighbour
comes or goes; the order is recorded as ranks). Normalised: cache-buster queries of media addresses are cut
off; people embedded in an answer become a reference, and an observation of their own, so that a new portrait
is one fact and not one for each of their blocks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from vfdir_lab.event import object_id

Fields = dict[str, Any]

_ABOUT_THE_ASKER = frozenset({"can", "_links"})
_FOLLOWING_COUNTS = frozenset({"blocks", "channels", "contents"})
_RENDITIONS = frozenset({"small", "medium", "large", "square"})
_PEOPLE = frozenset({"User", "Group"})
_PERSON_FIELDS = frozenset({"user", "owner", "connected_by", "collaborators"})
_CACHE_BUSTER = re.compile(r"\?[0-9]+(\?bc=[0-9]+)?$")
_NO_SIGN = frozenset({"updated_at"})
"""Fields that move without anything having changed; recorded beside a change, never as one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One object as an answer shows it.

    `kind` is the kind of event that records it. `whole` says that a field which is absent is absent on are.na
    too, not merely left out of a listing. `at` is when the origin says it became so.
    """

    kind: str
    object_id: str
    fields: Fields
    whole: bool
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenItem:
    """An item of a channel's contents: its connection, the block or channel, and the people around them."""

    connection: Seen
    item: Seen
    people: tuple[Seen, ...]


def whole_block(wire: Mapping[str, Any]) -> tuple[Seen, tuple[Seen, ...]]:
    """A block as its own page or a listing shows it, with the people in it."""
    return _object("block", wire, whole=True)


def whole_channel(wire: Mapping[str, Any]) -> tuple[Seen, tuple[Seen, ...]]:
    """A channel as its own page shows it, with the people in it."""
    return _object("channel", wire, whole=True)


def listed_item(wire: Mapping[str, Any], channel: str) -> SeenItem | None:
    """An item of the contents of `channel`, or None when it is not one that can be told from others."""
    connection = wire.get("connection")
    if not _is_id(wire.get("id")) or not isinstance(connection, Mapping) or not _is_id(connection.get("id")):
        return None
    is_channel = (wire.get("base_type") or wire.get("type")) == "Channel"
    item, people = _object("channel" if is_channel else "block", wire, whole=not is_channel)
    people_found: dict[str, Seen] = {one.object_id: one for one in people}
    fields = _fields(connection, people_found, drop=_ABOUT_THE_ASKER | {"position"})
    fields |= {"channel": channel, "item": item.object_id}
    seen = Seen(
        kind="connection.observed",
        object_id=object_id("connection", connection["id"]),
        fields=fields,
        whole=True,
        at=moment(connection.get("connected_at")),
    )
    return SeenItem(connection=seen, item=item, people=tuple(people_found.values()))


def comment(wire: Mapping[str, Any], block: str) -> tuple[Seen, tuple[Seen, ...]] | None:
    """A comment on `block`, with its author, or None when it has no number."""
    if not _is_id(wire.get("id")):
        return None
    people: dict[str, Seen] = {}
    fields = _fields(wire, people, drop=_ABOUT_THE_ASKER) | {"block": block}
    seen = Seen(
        kind="comment.observed",
        object_id=object_id("comment", wire["id"]),
        fields=fields,
        whole=True,
        at=moment(wire.get("created_at")),
    )
    return seen, tuple(people.values())


def changes(known: Fields | None, seen: Seen) -> Fields:
    """What differs between what was known and what is seen: the payload to record, empty for nothing.

    A field that was there and is absent from a whole observation is an explicit None. `updated_at` alone
    is no change: are.na moves it when a block is connected anywhere.
    """
    if known is None:
        return seen.fields
    found = {key: value for key, value in seen.fields.items() if not _same(known.get(key), value)}
    if seen.whole:
        found |= {key: None for key, value in known.items() if value is not None and key not in seen.fields}
    return found if found.keys() - _NO_SIGN else {}


def moment(text: object) -> datetime | None:
    """A time of are.na's, or None when it is not one."""
    if not isinstance(text, str):
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


def _same(known: object, value: object) -> bool:
    return known == value and _alike(known, value)


def _alike(known: Any, value: Any) -> bool:
    """Whether equal values would be spelled the same in JSON: to Python, true is 1 and 1 is 1.0."""
    if isinstance(known, dict):
        return all(_alike(inner, value[key]) for key, inner in known.items())
    if isinstance(known, list):
        return all(map(_alike, known, value))
    return type(known) is type(value)


def _object(space: str, wire: Mapping[str, Any], *, whole: bool) -> tuple[Seen, tuple[Seen, ...]]:
    people: dict[str, Seen] = {}
    fields = _fields(wire, people, drop=_ABOUT_THE_ASKER | {"connection"})
    if isinstance(counts := fields.get("counts"), dict):
        fields["counts"] = {key: value for key, value in counts.items() if key not in _FOLLOWING_COUNTS}
    seen = Seen(
        kind=f"{space}.observed",
        object_id=object_id(space, wire["id"]),
        fields=fields,
        whole=whole,
        at=moment(wire.get("updated_at")),
    )
    return seen, tuple(people.values())


def _fields(wire: Mapping[str, Any], people: dict[str, Seen], *, drop: frozenset[str]) -> Fields:
    return {key: _value(key, value, people) for key, value in wire.items() if key not in drop}


def _value(key: str, value: Any, people: dict[str, Seen]) -> Any:
    if key in _PERSON_FIELDS and isinstance(value, list):
        return [_value(key, one, people) for one in value]
    if not isinstance(value, dict):
        return value
    if key in _PERSON_FIELDS and value.get("type") in _PEOPLE and _is_id(value.get("id")):
        return _reference(value, people)
    if key == "image":
        return _without_cache_buster({k: v for k, v in value.items() if k not in _RENDITIONS}, "src")
    return _without_cache_buster(value, "url") if key == "attachment" else value


def _reference(person: dict[str, Any], people: dict[str, Seen]) -> dict[str, Any]:
    identifier = object_id(person["type"].lower(), person["id"])
    fields = {key: value for key, value in person.items() if key not in _ABOUT_THE_ASKER}
    people[identifier] = Seen(
        kind="user.observed",
        object_id=identifier,
        fields=_without_cache_buster(fields, "avatar"),
        whole=False,
    )
    return {"id": person["id"], "type": person["type"]}


def _without_cache_buster(value: dict[str, Any], key: str) -> dict[str, Any]:
    address = value.get(key)
    return value | {key: _CACHE_BUSTER.sub("", address)} if isinstance(address, str) else value


def _is_id(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 10**18


def people_of(items: list[SeenItem]) -> Iterator[Seen]:
    """Everybody around these items, each once."""
    found = {person.object_id: person for item in items for person in item.people}
    yield from found.values()
