"""What may be wished: each wish checked, and put as the payloads of decision 0013.

Owns: the checks that are made at once, before anything is recorded, and what a wish says of where an item
goes, what was there before, and what can be foreseen.
Guarantees: a wish that comes out of here is within are.na's limits and about objects that show; `UsageError`
says what is wrong otherwise. Nothing is recorded here.
Leaves to others: recording (`transaction`), what shows (`visible`), new blocks (`draft`).
Checked by: `tests/sync/test_transaction.py`, `test_transaction_checks.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vfdir_lab.arena import Account, checks
from vfdir_lab.arena.writes import BlockChange, BlockExtras, ChannelChange
from vfdir_lab.errors import UsageError
from vfdir_lab.media import MediaStore
from vfdir_lab.sync.draft import drafted, known_names, marked, unmarked
from vfdir_lab.sync.naming import Naming
from vfdir_lab.sync.normalise import Fields
from vfdir_lab.sync.places import BOTTOM, TOP
from vfdir_lab.sync.shown import Shown
from vfdir_lab.sync.visible import Visible
from vfdir_lab.sync.wish import Handle, Ref, Wish, new_wish

VISIBILITIES = ("public", "closed", "private")
_CHANGES = {"block": BlockChange, "channel": ChannelChange}
_ONLY_OF = {"content": "Text", "alt_text": "Image"}


class Intents:
    """Makes wishes about what shows. `account` is whose token it is, where that is known."""

    def __init__(
        self, visible: Visible, naming: Naming, *, store: MediaStore, account: Account | None
    ) -> None:
        self._visible = visible
        self._naming = naming
        self._store = store
        known = account is not None and account.id is not None
        self._person: Fields = {"id": account.id, "type": "User"} if account and known else {}

    def add_block(
        self,
        channels: object,
        value: str | None,
        file: str | Path | None,
        after: object,
        extras: BlockExtras,
    ) -> tuple[Wish, Handle]:
        """A new block in 1 to 20 channels."""
        given = list(channels) if isinstance(channels, (list, tuple)) else [channels]
        places = list(dict.fromkeys(self._channel(one).ref for one in given))
        if not 1 <= len(places) <= checks.MOST_CHANNELS:
            raise UsageError(
                f"are.na connects to 1 to {checks.MOST_CHANNELS} channels at once, not {len(places)}"
            )
        if after is not None and len(places) > 1:
            raise UsageError("`after` says a place in one channel, and there are several: add it to one")
        spots = [self._place(channel, after, None) for channel in places]
        fields = drafted(value, file, extras, self._store) | self._by("user")
        name = _short(fields.get("title") or value or fields["file"]["name"])
        connections = [Handle("connection", f"{name} in {channel}") for channel in places]
        block = Handle("block", name, connections)
        made = [
            ("connection.made", connection, {"channel": channel, "item": block} | spot)
            for connection, channel, spot in zip(connections, places, spots, strict=True)
        ]
        return new_wish(("block.drafted", block, fields), *made), block

    def add_channel(
        self, title: str, *, visibility: str, description: str | None, metadata: Mapping[str, Any] | None
    ) -> tuple[Wish, Handle]:
        """A new channel."""
        fields: Fields = {
            "title": checks.words(title, "title"),
            "visibility": checks.choice(visibility, "visibility", VISIBILITIES),
        }
        if description is not None and checks.text(description, "description"):
            fields["description"] = description
        if metadata is not None and (values := marked(metadata)):
            fields["metadata"] = values
        channel = Handle("channel", _short(title))
        return new_wish(("channel.drafted", channel, fields | self._by("owner"))), channel

    def edit(self, given: object, change: Mapping[str, Any]) -> Wish:
        """Other values for fields of a block or channel."""
        ref = self._naming.one_of(("block", "channel"), given)
        return self._edit(self._visible.item(ref), change)

    def edit_channel(self, given: object, change: Mapping[str, Any]) -> Wish:
        """The same of a channel, however it is named."""
        return self._edit(self._channel(given), change)

    def _edit(self, shown: Shown, change: Mapping[str, Any]) -> Wish:
        space = shown.space
        known_names(change, _CHANGES[space])
        if not change:
            names = ", ".join(_CHANGES[space].__annotations__)
            raise UsageError(f"nothing to change of {shown.ref} was named: give {names}")
        checked = {name: _checked(shown, name, value) for name, value in change.items()}
        fields = shown.differing(checked)
        if not fields:
            raise UsageError(f"{shown.ref} shows this {' and '.join(change)} already: nothing is to be done")
        return edited(shown, fields)

    def connect(self, given: object, channel: object, after: object) -> tuple[Wish, Handle]:
        """An item into a channel."""
        item = self._visible.item(self._naming.item(given)).ref
        into = self._channel(channel).ref
        if item == into:
            raise UsageError(f"{item} cannot be put into itself: name another channel")
        connection = Handle("connection", f"{item} in {into}")
        fields = {"channel": into, "item": item} | self._place(into, after, None)
        return new_wish(("connection.made", connection, fields)), connection

    def disconnect(self, given: object) -> Wish:
        """An item out of a channel."""
        return unmade(self._visible, self._naming.one_of(("connection",), given))

    def move(self, given: object, after: object, to: str | None) -> Wish:
        """An item to another place in its channel."""
        if (after is None) == (to is None):
            raise UsageError("a move goes right below a connection, or to an end: give `after` or `to`")
        found = self._visible.connection(self._naming.one_of(("connection",), given))
        base = {"place": self._visible.row(found.channel).above(found.connection)}
        spot = self._place(found.channel, after, to)
        if spot["place"] == found.connection:
            raise UsageError(f"{found.connection} cannot go below itself: name another connection")
        return new_wish(
            ("connection.moved", found.connection, {"channel": found.channel, "base": base} | spot)
        )

    def delete_channel(self, given: object, *, yes: bool) -> Wish:
        """A channel away, for good."""
        channel = self._channel(given)
        if not yes:
            raise UsageError(
                f"{channel.ref} ({channel.fields.get('title')}) would be deleted for good, nothing brings it "
                "back: say yes=True (`--yes`) if that is meant"
            )
        return new_wish(("channel.deleted", channel.ref, {}))

    def comment(self, given: object, body: str) -> tuple[Wish, Handle]:
        """Something said about a block."""
        block = self._visible.block(self._naming.one_of(("block",), given)).ref
        comment = Handle("comment", _short(checks.words(body, "body")))
        fields = {"block": block, "body": body} | self._by("user")
        return new_wish(("comment.drafted", comment, fields)), comment

    def _channel(self, given: object) -> Shown:
        return self._visible.channel(self._naming.channel(given))

    def _by(self, field: str) -> Fields:
        return {field: dict(self._person)} if self._person else {}

    def _place(self, channel: Ref, after: object, to: str | None) -> Fields:
        """Where an item goes: by default on top, where are.na puts what is new."""
        if after is None:
            return spot(
                self._visible, channel, TOP if to is None else checks.choice(to, "end", (TOP, BOTTOM))
            )
        anchor = self._visible.canonical(self._naming.one_of(("connection",), after))
        if anchor not in self._visible.row(channel):
            raise UsageError(f"{anchor} is not in {channel}: name a connection of that channel")
        return spot(self._visible, channel, anchor)


def spot(visible: Visible, channel: Ref, place: Ref) -> Fields:
    """A place in a channel, with the rank it has among its neighbours and whose ranks they are."""
    row = visible.row(channel)
    return {"place": place, "rank": row.rank(place), "leader": row.leader}


def unmade(visible: Visible, ref: Ref) -> Wish:
    """The wish that a connection which shows be no more."""
    found = visible.connection(ref)
    place = visible.row(found.channel).above(found.connection)
    fields = {"channel": found.channel, "item": found.item, "place": place}
    return new_wish(("connection.unmade", found.connection, fields))


def edited(shown: Shown, change: Fields) -> Wish:
    """The wish for other values of fields, with what they were."""
    fields = change | {"base": shown.base(change)}
    if before := shown.before(change):
        fields["before"] = before
    return new_wish((f"{shown.space}.edited", shown.ref, fields))


def _checked(shown: Shown, name: str, value: Any) -> Any:
    """One value of an edit, in the form it is recorded in: a text that is cleared is None."""
    only, kind = _ONLY_OF.get(name), shown.fields.get("type")
    if only is not None and kind != only:
        raise UsageError(f"only a block of type {only} has {name}; {shown.ref} is of type {kind}")
    if name == "metadata":
        change = checks.metadata_change(value)
        unmarked(change)
        return change
    if name == "visibility":
        return checks.choice(value, name, VISIBILITIES)
    if name == "title" and shown.space == "channel":
        return checks.words(value, name)
    return None if value is None else checks.text(value, name) or None


def _short(text: str) -> str:
    first = text.strip().partition("\n")[0]
    return first if len(first) <= 40 else f"{first[:39]}…"
