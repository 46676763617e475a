"""Looking for what a wish made, where it should be: by the mark that went with it.

Owns: `Found` and one way to look for each kind of thing. Only what was made since the wish first went out can
be it. What another wish is known to have made is not.
Guarantees: reads only.
Leaves to others: what follows (`lookup`).
Checked by: `tests/sync/test_lookup.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta

from vfdir_lab.arena import ArenaClient, Wire, means_the_same
from vfdir_lab.errors import ArenaNotFoundError
from vfdir_lab.event import object_id
from vfdir_lab.sync.came_true import value_in
from vfdir_lab.sync.normalise import Fields, SeenItem, comment, listed_item, moment
from vfdir_lab.sync.outbox import Intent, Outbox
from vfdir_lab.sync.places import every_item
from vfdir_lab.sync.requests import MARK, number_of

CLOCKS_DIFFER_BY = timedelta(seconds=120)
"""At most: the client refuses to work with a difference of more than 60, and times are whole seconds."""
_PAGES_MAX = 100


@dataclass(slots=True, kw_only=True)
class Found:
    """What a look found: `ours` bear the mark, `alike` bear none and look like it.

    `names` are are.na's names for the ids the things were born with.
    """

    ours: set[str] = field(default_factory=set)
    alike: set[str] = field(default_factory=set)
    names: dict[str, str] = field(default_factory=dict)


class Looks:
    """Looks for what wishes of one outbox have made.

    Raises (every method):
        ArenaError: are.na cannot be asked.
    """

    def __init__(self, client: ArenaClient, outbox: Outbox) -> None:
        self._client = client
        self._outbox = outbox

    def block(self, intent: Intent) -> Found:
        """A block, in the channels it was made for, with its connections.

        Raises:
            ArenaNotFoundError: a channel is gone, and it is in none of the others.
        """
        found = Found()
        gone: ArenaNotFoundError | None = None
        for event, fields in intent.parts():
            if event.kind != "connection.made":
                continue
            try:
                self._block_in(number_of(self._outbox, fields.get("channel")), intent, event.object_id, found)
            except ArenaNotFoundError as error:
                gone = error
        if gone is not None and not found.ours | found.alike:
            raise gone
        return self._without_others(found)

    def _block_in(self, channel: int, intent: Intent, connection: str, found: Found) -> None:
        """Look for a block in one channel, where it would be by the connection of that name."""
        for wire, seen in self._newest(channel, intent):
            block = seen.item.object_id
            if has_mark(wire, intent) or has_mark(seen.connection.fields, intent):
                found.ours.add(block)
                found.names |= {intent.object_id: block, connection: seen.connection.object_id}
            elif block.startswith("block:") and self._is_alike(wire, intent):
                found.alike.add(block)

    def connection(self, intent: Intent) -> Found:
        """A connection of an item to a channel."""
        found = Found()
        item = self._outbox.canonical(str(intent.fields.get("item")))
        for _, seen in self._newest(number_of(self._outbox, intent.fields.get("channel")), intent):
            connection = seen.connection.object_id
            if has_mark(seen.connection.fields, intent):
                found.ours.add(connection)
                found.names = {intent.object_id: connection}
            elif seen.item.object_id == item and self._is_ours(seen.connection.fields, "connected_by"):
                found.alike.add(connection)
        return self._without_others(found)

    def channel(self, intent: Intent) -> Found:
        """A channel, among those of the account."""
        found = Found()
        account = self._client.account().id
        for number in range(1, _PAGES_MAX + 1):
            page = self._client.user_channels(account or 0, page=number)
            for wire in page.items:
                if has_mark(wire, intent):
                    found.ours.add(object_id("channel", wire["id"]))
                elif self._is_alike_channel(wire, intent):
                    found.alike.add(object_id("channel", wire["id"]))
            if not page.has_more or not page.items:
                break
        found.names = dict.fromkeys([intent.object_id], *found.ours) if len(found.ours) == 1 else {}
        return self._without_others(found)

    def comment(self, intent: Intent) -> Found:
        """A comment: it can bear no mark, so its author and its words have to do."""
        found = Found()
        block = self._outbox.canonical(str(intent.fields.get("block")))
        for number in range(1, _PAGES_MAX + 1):
            page = self._client.comments(number_of(self._outbox, block), page=number)
            for wire in page.items:
                seen = comment(wire, block)
                if seen is None or not self._is_ours(wire, "user") or not self._is_since(wire, intent):
                    continue
                if means_the_same("body", intent.fields.get("body"), wire.get("body")):
                    found.ours.add(seen[0].object_id)
            if not page.has_more or not page.items:
                break
        found.ours = {one for one in found.ours if not self._outbox.is_named(one)}
        found.names = dict.fromkeys([intent.object_id], *found.ours) if len(found.ours) == 1 else {}
        return found

    def _newest(self, channel: int, intent: Intent) -> Iterator[tuple[Wire, SeenItem]]:
        """The items connected since the wish first went out."""
        for wire in every_item(self._client, channel, sort="created_at_desc"):
            seen = listed_item(wire, object_id("channel", channel))
            if seen is None:
                continue
            if seen.connection.at is not None and not self._may_be(seen.connection.at.isoformat(), intent):
                return
            yield wire, seen

    def _is_alike(self, wire: Wire, intent: Intent) -> bool:
        """Whether a block without any mark could be the one: ours, new, and made of the same."""
        if not (_is_unmarked(wire) and self._is_ours(wire, "user") and self._is_since(wire, intent)):
            return False
        value = intent.fields.get("value")
        if value is None or wire.get("type") == "PendingBlock":
            return wire.get("type") in {"Image", "Attachment", "PendingBlock"}
        shown = (wire.get("content"), value_in(wire, "original_source_url"))
        return any(one is not None and means_the_same("value", value, one) for one in shown)

    def _is_alike_channel(self, wire: Wire, intent: Intent) -> bool:
        return (
            _is_unmarked(wire)
            and self._is_since(wire, intent)
            and means_the_same("title", intent.fields.get("title"), wire.get("title"))
        )

    def _is_ours(self, wire: Fields, name: str) -> bool:
        person = wire.get(name)
        return isinstance(person, dict) and person.get("id") == self._client.account().id

    def _is_since(self, wire: Wire, intent: Intent) -> bool:
        return self._may_be(wire.get("created_at"), intent)

    def _may_be(self, at: object, intent: Intent) -> bool:
        """Whether something of that time can have been made by the wish."""
        when = moment(at)
        first = intent.first_sent_at
        return when is None or first is None or when >= first - CLOCKS_DIFFER_BY

    def _without_others(self, found: Found) -> Found:
        found.alike = {one for one in found.alike - found.ours if not self._outbox.is_named(one)}
        return found


def has_mark(fields: Fields, intent: Intent) -> bool:
    """Whether something bears the mark of a wish."""
    metadata = fields.get("metadata")
    return isinstance(metadata, dict) and metadata.get(MARK) == intent.intent


def _is_unmarked(fields: Fields) -> bool:
    metadata = fields.get("metadata")
    return not isinstance(metadata, dict) or MARK not in metadata
