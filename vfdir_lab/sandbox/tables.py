"""The tables of a world and the questions asked of them.

Owns every record by its number, the numbering, and read-only look-ups. Guarantees that a look-up of something
that is not there gives None (never an exception) and that lists come in a fixed order. Changing anything is
`world`; who may see what is `access`.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import count
from typing import TYPE_CHECKING, TypeVar

from vfdir_lab.sandbox.records import Channel, Group, ItemKey, Person

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vfdir_lab.sandbox.records import Block, Comment, Connection

_Named = TypeVar("_Named", Person, Group, Channel)
# Numbers start where are.na's have long passed, each kind apart, so that mixing them up shows.
_FIRST = {"user": 5001, "group": 701, "block": 40_000_001, "channel": 3_000_001, "connection": 90_000_001}
_FIRST_COMMENT = 600_001


class Tables:
    """Everything a world holds."""

    def __init__(self) -> None:
        self.people: dict[int, Person] = {}
        self.groups: dict[int, Group] = {}
        self.channels: dict[int, Channel] = {}
        self.blocks: dict[int, Block] = {}
        self.connections: dict[int, Connection] = {}
        self.comments: dict[int, Comment] = {}
        self._in_channel: defaultdict[int, dict[int, None]] = defaultdict(dict)
        self._of_item: defaultdict[ItemKey, dict[int, None]] = defaultdict(dict)
        self._numbers = {kind: count(first) for kind, first in _FIRST.items()}
        self._numbers["comment"] = count(_FIRST_COMMENT)

    def number(self, kind: str) -> int:
        """The next free number of a kind."""
        return next(self._numbers[kind])

    def put_connection(self, connection: Connection) -> None:
        """Keep a connection, new or changed."""
        self.connections[connection.id] = connection
        self._in_channel[connection.channel_id][connection.id] = None
        self._of_item[connection.item][connection.id] = None

    def drop_connection(self, connection_id: int) -> Connection | None:
        """Forget a connection; returns it, or None if there was none."""
        connection = self.connections.pop(connection_id, None)
        if connection:
            del self._in_channel[connection.channel_id][connection_id]
            del self._of_item[connection.item][connection_id]
        return connection

    def contents(self, channel_id: int) -> list[Connection]:
        """A channel's connections from the bottom (position 1) to the top."""
        found = [self.connections[key] for key in self._in_channel.get(channel_id, ())]
        return sorted(found, key=lambda connection: (connection.position, connection.id))

    def places(self, channel_id: int) -> dict[int, int]:
        """A channel's positions by connection."""
        return {key: self.connections[key].position for key in self._in_channel.get(channel_id, ())}

    def connections_of(self, item: ItemKey) -> list[Connection]:
        """Every place an item is connected, oldest first."""
        return [self.connections[key] for key in sorted(self._of_item.get(item, ()))]

    def item(self, key: ItemKey) -> Block | Channel | None:
        """The block or channel behind a key."""
        return self.blocks.get(key.id) if key.kind == "Block" else self.channels.get(key.id)

    def channel(self, name: str | int) -> Channel | None:
        """A channel by number or slug."""
        return _by_name(self.channels, name)

    def person(self, name: str | int) -> Person | None:
        """A person by number or slug."""
        return _by_name(self.people, name)

    def group(self, name: str | int) -> Group | None:
        """A group by number or slug."""
        return _by_name(self.groups, name)

    def comments_on(self, block_id: int) -> list[Comment]:
        """A block's comments, oldest first."""
        return [comment for comment in self.comments.values() if comment.block_id == block_id]

    def channels_owned(self, kind: str, owner_id: int) -> Iterator[Channel]:
        """The channels of a person or group."""
        return (c for c in self.channels.values() if c.owner.kind == kind and c.owner.id == owner_id)

    def groups_of(self, person_id: int) -> list[Group]:
        """The groups a person belongs to."""
        return [group for group in self.groups.values() if person_id in group.member_ids]


def _by_name(table: dict[int, _Named], name: str | int) -> _Named | None:
    if isinstance(name, int) or (name.isascii() and name.isdigit() and len(name) < 19):
        return table.get(int(name))
    return next((record for record in table.values() if record.slug == name), None)
