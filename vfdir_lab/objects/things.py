"""The sorts of objects: blocks, channels, connections, users, comments, and how they hang together.

Owns: which attributes each has, and where a relation leads.
Guarantees: a relation is looked up when it is asked for, over the tables of the moment, and gives the one
object that stands for each id; of those that belong to an object, a new list.
Leaves to others: reading and identity (`thing`, `pool`).
Checked by: `tests/objects/test_things.py`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from vfdir_lab.objects.thing import Column, Thing

Metadata = dict[str, Any] | None


class Block(Thing):
    """A block; the columns of `blocks`, `author` as the user or group."""

    __slots__ = ()
    SPACE, TABLE = "block", "blocks"

    type: Column[str | None] = Column()
    title: Column[str | None] = Column()
    description: Column[str | None] = Column()
    content: Column[str | None] = Column()
    source_url: Column[str | None] = Column()
    source_title: Column[str | None] = Column()
    image_url: Column[str | None] = Column()
    attachment_url: Column[str | None] = Column()
    filename: Column[str | None] = Column()
    content_type: Column[str | None] = Column()
    file_size: Column[int | None] = Column()
    embed_url: Column[str | None] = Column()
    embed_html: Column[str | None] = Column()
    visibility: Column[str | None] = Column()
    state: Column[str | None] = Column()
    created_at: Column[datetime | None] = Column()
    updated_at: Column[datetime | None] = Column()
    metadata: Column[Metadata] = Column()
    pending: Column[bool | None] = Column()

    @property
    def author(self) -> User | None:
        """Who made it."""
        return self.pool.related(self, "author", User)

    @property
    def connections(self) -> list[Connection]:
        """Where it is connected, the oldest connection first."""
        return self.pool.members(self, "connections of an item", Connection)

    @property
    def channels(self) -> list[Channel]:
        """The channels it is in, each once, the first it was connected to first."""
        return list(dict.fromkeys(found for one in self.connections if (found := one.channel) is not None))

    @property
    def comments(self) -> list[Comment]:
        """What was said about it, oldest first."""
        return self.pool.members(self, "comments on a block", Comment)


class Channel(Thing):
    """A channel; the columns of `channels`, `owner` as the user or group."""

    __slots__ = ()
    SPACE, TABLE = "channel", "channels"

    slug: Column[str | None] = Column()
    title: Column[str | None] = Column()
    description: Column[str | None] = Column()
    visibility: Column[str | None] = Column()
    state: Column[str | None] = Column()
    created_at: Column[datetime | None] = Column()
    updated_at: Column[datetime | None] = Column()
    metadata: Column[Metadata] = Column()
    length: Column[int | None] = Column()
    pending: Column[bool | None] = Column()

    @property
    def owner(self) -> User | None:
        """Whose it is."""
        return self.pool.related(self, "owner", User)

    @property
    def connections(self) -> list[Connection]:
        """What is in it, top first, as are.na shows it."""
        return self.pool.members(self, "connections in a channel", Connection)

    @property
    def items(self) -> list[Block | Channel]:
        """The blocks and channels in it, top first."""
        return [found for one in self.connections if (found := one.item) is not None]

    @property
    def blocks(self) -> list[Block]:
        """The blocks in it, top first."""
        return [one for one in self.items if isinstance(one, Block)]


class Connection(Thing):
    """A connection; the columns of `connections`, what it connects as objects."""

    __slots__ = ()
    SPACE, TABLE = "connection", "connections"

    position: Column[int | None] = Column()
    pinned: Column[bool | None] = Column()
    connected_at: Column[datetime | None] = Column()
    metadata: Column[Metadata] = Column()
    pending: Column[bool | None] = Column()

    @property
    def channel(self) -> Channel | None:
        """The channel it is in."""
        return self.pool.related(self, "channel", Channel)

    @property
    def item(self) -> Block | Channel | None:
        """The block or channel that is in the channel."""
        return self.pool.related(self, "item", Block) or self.pool.related(self, "item", Channel)

    @property
    def by(self) -> User | None:
        """Who connected it."""
        return self.pool.related(self, "connected_by", User)


class User(Thing):
    """A person or a group; the columns of `users`."""

    __slots__ = ()
    SPACE, TABLE = "user", "users"

    slug: Column[str | None] = Column()
    name: Column[str | None] = Column()

    @property
    def blocks(self) -> list[Block]:
        """The blocks they made, by number."""
        return self.pool.members(self, "blocks by a user", Block)

    @property
    def channels(self) -> list[Channel]:
        """The channels that are theirs, by number."""
        return self.pool.members(self, "channels of a user", Channel)


class Comment(Thing):
    """A comment; the columns of `comments`, `block` and `author` as objects."""

    __slots__ = ()
    SPACE, TABLE = "comment", "comments"

    body: Column[str | None] = Column()
    created_at: Column[datetime | None] = Column()

    @property
    def block(self) -> Block | None:
        """What it is about."""
        return self.pool.related(self, "block", Block)

    @property
    def author(self) -> User | None:
        """Whose it is."""
        return self.pool.related(self, "author", User)


SORTS: dict[str, type[Thing]] = {
    "block": Block,
    "channel": Channel,
    "connection": Connection,
    "user": User,
    "group": User,
    "comment": Comment,
}
"""The class of an object, by the space of its id."""
