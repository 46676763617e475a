"""Wishes before they are recorded: what an intent says, where objects that are not born yet go by handles.

Owns: `Handle`, `Part`, `Wish`, and how they become drafts once the append lock is held and seqs are known.
Guarantees: objects born here are `<space>:~<device>.<seq>`, the seq of the event that first drafts them; an
intent is 128 random bits in hex; every event has its intent in the payload (decision 0013).
Leaves to others: what may be wished (`intents`), appending (`transaction`, `undo`).
Checked by: `tests/sync/test_transaction.py`.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from vfdir_lab.errors import UsageError
from vfdir_lab.event import Draft, Event
from vfdir_lab.log.append import Writer
from vfdir_lab.sync.normalise import Fields


class Handle:
    """An object that a transaction makes: to be used in the same transaction at once, by its id afterwards.

    `space` is `block`, `channel`, `connection` or `comment`. `connections` are those a new block comes with,
    one for each channel it was added to, in their order.
    """

    __slots__ = ("_id", "connections", "name", "space")

    def __init__(self, space: str, name: str, connections: Sequence[Handle] = ()) -> None:
        self.space = space
        self.name = name
        self.connections = tuple(connections)
        self._id = ""

    @property
    def id(self) -> str:
        """The object id, `block:~<device>.<seq>`, once it is recorded.

        Raises:
            UsageError: it is not recorded yet.
        """
        if not self._id:
            raise UsageError(f"{self} has no id before its transaction has ended: use it as it is until then")
        return self._id

    @property
    def is_recorded(self) -> bool:
        """Whether it has its id."""
        return bool(self._id)

    def born(self, identifier: str) -> None:
        """Take note of the id it was recorded under."""
        self._id = identifier

    def __str__(self) -> str:
        return self._id or f"the new {self.space} {self.name!r}"

    def __repr__(self) -> str:
        return f"<{self.space} {self._id or '(not recorded yet)'} {self.name!r}>"


Ref: TypeAlias = str | Handle
"""What names an object: its id, or the handle of one that is not recorded yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One event of an intent; `fields` is its payload without `intent`, with handles where ids will be.

    A `leader` of None means the device that records.
    """

    intent: str
    kind: str
    about: Ref
    fields: Fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """One intent, which will be one request."""

    intent: str
    parts: tuple[Part, ...]


def new_wish(*parts: tuple[str, Ref, Fields], intent: str | None = None) -> Wish:
    """An intent made of these (kind, about, fields); by default under a new id."""
    identifier = intent or secrets.token_hex(16)
    return Wish(
        intent=identifier,
        parts=tuple(
            Part(intent=identifier, kind=kind, about=about, fields=fields) for kind, about, fields in parts
        ),
    )


def new_tx() -> str:
    """The id of a transaction that begins."""
    return f"tx:{secrets.token_hex(16)}"


def parts_of(wishes: Sequence[Wish]) -> Iterator[Part]:
    """All parts, in the order they will be recorded."""
    return (part for wish in wishes for part in wish.parts)


def record(
    writer: Writer, tx: str, wishes: Sequence[Wish], more: Sequence[Draft], commit: Mapping[str, Any]
) -> tuple[Event, ...]:
    """Append a transaction: its wishes, `more` events of it, and last its `tx.committed` (`commit` beside).

    Handles get their ids when it is durable.
    """
    parts = tuple(parts_of(wishes))
    ids: dict[Handle, str] = {}
    for seq, part in enumerate(parts, writer.next_seq):
        if isinstance(part.about, Handle) and not part.about.is_recorded:
            ids.setdefault(part.about, f"{part.about.space}:~{writer.device}.{seq}")
    committed = Draft(
        kind="tx.committed",
        object_id=tx,
        payload={**commit, "intents": [wish.intent for wish in wishes]},
    )
    events = writer.append([*(_draft(part, tx, ids, writer.device) for part in parts), *more, committed])
    for handle, identifier in ids.items():
        handle.born(identifier)
    return events


def _draft(part: Part, tx: str, ids: Mapping[Handle, str], device: str) -> Draft:
    fields = {"intent": part.intent} | part.fields
    if fields.get("leader", device) is None:
        fields["leader"] = device
    named = _named({"about": part.about, "payload": fields}, ids)
    return Draft(kind=part.kind, object_id=named["about"], payload=named["payload"], cause=tx)


def _named(value: Any, ids: Mapping[Handle, str]) -> Any:
    """The value with ids where handles were."""
    if isinstance(value, Handle):
        return ids.get(value) or value.id
    return {key: _named(one, ids) for key, one in value.items()} if isinstance(value, dict) else value
