"""What shows, object by object: the mirror with the open wishes over it, also those not recorded yet.

Owns: what a new wish is checked against and what it takes as `base` and `before` (decision 0013).
Guarantees: the rule of version 1 of `blocks`, `channels` and `connections`, for single objects, whatever lens
a person reads through. It stands at the head of the outbox it was made from; `add` takes in what is wished
since then.
Leaves to others: states of wishes (`outbox`), which wishes make sense (`intents`).
Checked by: `tests/sync/test_visible.py`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from vfdir_lab.errors import UsageError
from vfdir_lab.event import parse
from vfdir_lab.projection.catalogue import shipped
from vfdir_lab.projection.engine import Engine, read_sql
from vfdir_lab.projection.lens import Lens
from vfdir_lab.sync.mirror import SQL
from vfdir_lab.sync.normalise import Fields
from vfdir_lab.sync.outbox import Outbox
from vfdir_lab.sync.row import Row
from vfdir_lab.sync.shown import Shown, said_of, shown_of
from vfdir_lab.sync.wish import Handle, Part, Ref

_MIRROR = {
    "connections": 2,
    "connection_states": 1,
    "connection_ranks": 1,
    "channels": 2,
    "channel_states": 1,
    "gone": 1,
    "readings": 1,
    "scans": 1,
}


@cache
def mirror_lens() -> Lens:
    """What are.na last showed, without wishes: of channels and what is in them."""
    return Lens(name="mirror", definitions=tuple(shipped().in_order(_MIRROR)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Connected:
    """A connection that shows, and what it connects."""

    connection: Ref
    channel: Ref
    item: Ref


class Visible:
    """What shows at the head of an outbox; `without` are intents to be passed over as if they had ended."""

    def __init__(self, engine: Engine, outbox: Outbox, without: Collection[str] = ()) -> None:
        self._engine = engine
        self._outbox = outbox
        self._about: defaultdict[Ref, list[Part]] = defaultdict(list)
        self._inside: defaultdict[Ref, list[Part]] = defaultdict(list)
        self._drafting: set[str] = set()
        self._rows: dict[Ref, Row] = {}
        self._facts: dict[str, tuple[Fields, bool]] = {}
        self._same: dict[Ref, str] = {}
        for intent in outbox.intents():
            if intent.is_open and intent.intent not in without:
                for event, fields in intent.parts():
                    self.add(
                        Part(intent=intent.intent, kind=event.kind, about=event.object_id, fields=fields)
                    )

    def add(self, part: Part) -> None:
        """Take in a wish that comes after all before."""
        about = self.canonical(part.about)
        self._about[about].append(part)
        if part.kind == "block.drafted":
            self._drafting.add(part.intent)
        if part.kind == "channel.deleted":
            for row in self._rows.values():
                for connection in [one for one, item in row.items.items() if self.canonical(item) == about]:
                    row.take(connection)
        channel = self._channel_of(part)
        if channel is not None:
            self._inside[channel].append(part)
            if channel in self._rows:
                self._apply(self._rows[channel], part)

    def canonical(self, ref: Ref) -> Ref:
        """The name an object goes by: are.na's, once it has one; else its local id; a handle before that."""
        if isinstance(ref, Handle):
            if not ref.is_recorded:
                return ref
            ref = ref.id
        known = self._outbox.canonical(ref)
        return self._same.get(known, known)

    def block(self, ref: Ref) -> Shown:
        """A block as it shows.

        Raises:
            UsageError: there is none.
        """
        return self._object("block", ref)

    def channel(self, ref: Ref) -> Shown:
        """A channel as it shows. As `block`."""
        return self._object("channel", ref)

    def item(self, ref: Ref) -> Shown:
        """A block or channel as it shows. As `block`."""
        return self._object("block" if _space(ref) == "block" else "channel", ref)

    def connection(self, ref: Ref) -> Connected:
        """A connection as it shows.

        Raises:
            UsageError: there is none.
        """
        about = self.canonical(ref)
        made = next((one for one in self._about[about] if one.kind == "connection.made"), None)
        if made is not None:
            channel: Any = made.fields.get("channel")
        else:
            channel = (self._observed(about) or {}).get("channel") if isinstance(about, str) else None
        if isinstance(channel, (str, Handle)):
            channel = self.canonical(channel)
            row = self.row(channel)
            about = self.canonical(about)  # reading the row may have told which of are.na's it is
            if about in row:
                return Connected(connection=about, channel=channel, item=row.items[about])
        raise missing(ref)

    def row(self, channel: Ref) -> Row:
        """The items of a channel, from the bottom up; empty where there is no such channel."""
        channel = self.canonical(channel)
        if channel not in self._rows:
            row = self._rows[channel] = Row()
            marks = self._load(row, channel)
            for part in self._inside[channel]:
                self._apply(row, part, marks)
            for connection in [one for one, item in row.items.items() if self._is_away(item)]:
                row.take(connection)
        return self._rows[channel]

    def stand_in(self, channel: Ref, connection: Ref) -> Ref | None:
        """What has the place of a connection in a row now: itself, or one that put its item in again."""
        row = self.row(channel)
        about = self.canonical(connection)
        if about in row:
            return about
        item = self._item_ever(about)
        return next((one for one, held in row.items.items() if self.canonical(held) == item), None)

    def _item_ever(self, connection: Ref) -> Ref | None:
        """The item of a connection that may be gone."""
        made = next(
            (
                fields.get("item")
                for intent in self._outbox.intents()
                for event, fields in intent.parts()
                if event.kind == "connection.made" and self.canonical(event.object_id) == connection
            ),
            None,
        )
        if made is None and isinstance(connection, str):
            made = self._said(connection)[0].get("item")
        return self.canonical(made) if isinstance(made, str) else None

    def _object(self, space: str, ref: Ref) -> Shown:
        about = self.canonical(ref)
        observed = self._observed(about) if isinstance(about, str) and _space(about) == space else None
        parts = self._about[about] if _space(about) == space else []
        drafted = any(part.kind == f"{space}.drafted" for part in parts)
        if (observed is None and not drafted) or any(part.kind == "channel.deleted" for part in parts):
            raise missing(ref)
        mirror = None if observed is None else said_of(space, observed)
        return shown_of(space, about, mirror, parts)

    def _observed(self, identifier: str) -> Fields | None:
        """What are.na last showed of an object, field by field; None when it never did, or it is gone."""
        fields, is_there = self._said(identifier)
        return fields if is_there else None

    def _said(self, identifier: str) -> tuple[Fields, bool]:
        """What are.na ever showed of an object, the newest of each field, and whether it is still there."""
        if identifier not in self._facts:
            said = self._engine.facts(
                read_sql(SQL, "object_said"), {"object": identifier}, head=self._outbox.head
            ).to_pylist()
            fields: Fields = {}
            for one in said:
                fields |= parse(one["payload"])
            self._facts[identifier] = fields, bool(said) and said[-1]["kind"].endswith(".observed")
        return self._facts[identifier]

    def _channel_of(self, part: Part) -> Ref | None:
        """The channel whose row a wish is about; None of a payload that another device got wrong."""
        channel, item = part.fields.get("channel"), part.fields.get("item")
        if not part.kind.startswith("connection.") or not isinstance(channel, (str, Handle)):
            return None
        if part.kind == "connection.made" and not isinstance(item, (str, Handle)):
            return None
        return self.canonical(channel)

    def _load(self, row: Row, channel: Ref) -> dict[str, str]:
        """Fill a row with what the mirror has; gives the marks of intents, and the connections with them."""
        if isinstance(channel, Handle):
            return {}
        marks: dict[str, str] = {}
        for found in self._mirrored(channel):
            row.leader = found["leader"]
            if found["object_id"] is not None:
                row.read(found["object_id"], found["item"], found["rank"])
                marks.setdefault(found["mark"] or "", found["object_id"])
        return marks

    def _mirrored(self, channel: str) -> Iterator[dict[str, Any]]:
        query = read_sql(SQL, "channel_row")
        yield from self._engine.arrow(
            query, {"channel": channel}, head=self._outbox.head, lens=mirror_lens()
        ).to_pylist()

    def _apply(self, row: Row, part: Part, marks: dict[str, str] | None = None) -> None:
        """A wish about a connection of the row."""
        about = self.canonical(part.about)
        counts = row.leader is None or part.fields.get("leader") == row.leader
        said = part.fields.get("rank")
        rank = said if counts and isinstance(said, str) else None
        if part.kind == "connection.made":
            shown = self._already(row, part, marks or {})
            if shown is None:
                row.put(about, self.canonical(part.fields["item"]), rank)
                return
            if isinstance(about, str) and about != shown:
                self._same[about] = shown
            about = shown
        if about in row and part.kind == "connection.unmade":
            row.take(about)
        elif about in row:
            row.move(about, rank)

    def _already(self, row: Row, part: Part, marks: dict[str, str]) -> str | None:
        """The row's connection that is.na shows for this wish, or None."""
        about = self.canonical(part.about)
        if isinstance(about, str) and about in row:
            return about
        if part.intent in marks and part.intent not in self._drafting:
            return marks[part.intent]
        if part.intent in self._drafting:
            item = self.canonical(part.fields["item"])
            found = (one for one, held in row.items.items() if held == item and isinstance(one, str))
            return next(found, None)
        return None

    def _is_away(self, item: Ref) -> bool:
        """Whether an item does not show: a channel to be deleted, a draft that came to nothing."""
        about = self.canonical(item)
        kinds = {part.kind for part in self._about.get(about, ())}
        is_local = isinstance(about, Handle) or ":~" in about
        return "channel.deleted" in kinds or (is_local and not kinds & {"block.drafted", "channel.drafted"})


def missing(ref: Ref) -> UsageError:
    """There is no such object."""
    if isinstance(ref, Handle) and not ref.is_recorded:
        return UsageError(f"{ref} is not of this transaction, and was not recorded in another: make it anew")
    return UsageError(
        f"there is no {ref} in this archive, or not any more: `archive.history({str(ref)!r})` says what was "
        "there; `pull` its channel to have it"
    )


def _space(ref: Ref) -> str:
    return ref.space if isinstance(ref, Handle) else ref.partition(":")[0]
