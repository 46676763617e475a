"""A world: what the sandbox's are.na knows, and the rules by which it changes.

Owns every change. Guarantees the rules of are.na that clients lean on: slugs follow titles, a new item comes
on top, siblings are renumbered without a mark, connecting a block touches its `updated_at`, metadata merges,
a block without connections stays as an orphan, cycles of channels are allowed. Asks nobody for permission:
that is `access`. Not thread-safe by itself; the service holds `lock` around every use.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING, TypedDict, Unpack

from vfdir_lab.sandbox import positions
from vfdir_lab.sandbox.clock import Clock
from vfdir_lab.sandbox.media import MediaStore
from vfdir_lab.sandbox.records import (
    Block,
    Channel,
    Comment,
    Connection,
    Group,
    ItemKey,
    Metadata,
    Owner,
    Person,
    Scalar,
    Visibility,
)
from vfdir_lab.sandbox.slugs import free_slug
from vfdir_lab.sandbox.tables import Tables

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vfdir_lab.sandbox.records import Attached, BlockKind, Embedded, Picture, Source, State, Tier


class BlockFields(TypedDict, total=False):
    """What a block can be made with or changed to."""

    kind: BlockKind
    title: str | None
    description: str | None
    content: str | None
    state: State
    source: Source | None
    picture: Picture | None
    attached: Attached | None
    embedded: Embedded | None
    metadata: Metadata
    created_at: int
    updated_at: int


class ChannelFields(TypedDict, total=False):
    """What a channel can be made with or changed to."""

    title: str
    description: str | None
    visibility: Visibility
    owner: Owner
    metadata: Metadata
    collaborator_ids: tuple[int, ...]
    created_at: int
    updated_at: int


class World(Tables):
    """People, channels, blocks, connections and comments; `main` and `other` are whom the tokens belong to.

    A new world has these two people and nothing else.
    """

    def __init__(self, *, clock: Clock | None = None, seed: int = 0, people: bool = True) -> None:
        super().__init__()
        self.clock = clock or Clock()
        self.random = Random(seed)  # noqa: S311 - the same world must come out of the same seed
        self.media = MediaStore()
        self.lock = threading.RLock()
        self.main = "sandbox-person"
        self.other = "another-person"
        self.touched: list[tuple[float, ItemKey]] = []
        self._removed: dict[int, tuple[Block, list[Connection]]] = {}
        if people:
            self.add_person(self.main, "Sandbox Person", tier="premium")
            self.add_person(self.other, "Another Person")

    def add_person(
        self,
        slug: str,
        name: str,
        *,
        tier: Tier = "free",
        bio: str | None = None,
        created_at: int | None = None,
    ) -> Person:
        """Open an account."""
        at = self.clock.now() if created_at is None else created_at
        email = f"{slug}@example.org"
        number = self.number("user")
        person = Person(id=number, slug=slug, name=name, email=email, created_at=at, tier=tier, bio=bio)
        self.people[number] = person
        return person

    def add_group(
        self, slug: str, name: str, members: tuple[int, ...], description: str | None = None
    ) -> Group:
        """Found a group; the first member owns it."""
        number, at = self.number("group"), self.clock.now()
        group = Group(
            id=number,
            slug=slug,
            name=name,
            owner_id=members[0],
            member_ids=members,
            created_at=at,
            description=description,
        )
        self.groups[number] = group
        return group

    def add_channel(self, **fields: Unpack[ChannelFields]) -> Channel:
        """Make a channel with at least a title; closed and the main person's unless said otherwise."""
        now, title = self.clock.now(), fields["title"]
        number = self.number("channel")
        base = Channel(
            id=number,
            slug=free_slug(title, self._slugs(), self.random),
            title=title,
            owner=Owner("User", self.who(self.main).id),
            visibility="closed",
            created_at=now,
            updated_at=now,
        )
        self.channels[number] = replace(base, **fields)
        self._touch(ItemKey("Channel", number))
        return self.channels[number]

    def edit_channel(self, channel_id: int, **fields: Unpack[ChannelFields]) -> Channel:
        """Change a channel; a new title is a new slug, and the old slug is free again."""
        channel = self.channels[channel_id]
        changes = ChannelFields(**fields)
        slug = channel.slug
        if "title" in changes and changes["title"] != channel.title:
            slug = free_slug(changes["title"], self._slugs() - {slug}, self.random)
        changes.setdefault("updated_at", self.clock.now())
        self.channels[channel_id] = replace(channel, slug=slug, **changes)
        self._touch(ItemKey("Channel", channel_id))
        return self.channels[channel_id]

    def remove_channel(self, channel_id: int) -> None:
        """Delete a channel for good, with every connection in it and of it."""
        del self.channels[channel_id]
        for connection in self.contents(channel_id) + self.connections_of(ItemKey("Channel", channel_id)):
            self.drop_connection(connection.id)
        self._touch(ItemKey("Channel", channel_id))

    def add_block(self, user_id: int, **fields: Unpack[BlockFields]) -> Block:
        """Make a block that is nowhere yet; a text unless `kind` says otherwise."""
        now = self.clock.now()
        number = self.number("block")
        base = Block(id=number, kind="Text", user_id=user_id, created_at=now, updated_at=now)
        self.blocks[number] = replace(base, **fields)
        self._touch(ItemKey("Block", number))
        return self.blocks[number]

    def edit_block(self, block_id: int, **fields: Unpack[BlockFields]) -> Block:
        """Change a block."""
        changes = BlockFields(**fields)
        changes.setdefault("updated_at", self.clock.now())
        self.blocks[block_id] = replace(self.blocks[block_id], **changes)
        self._touch(ItemKey("Block", block_id))
        return self.blocks[block_id]

    def remove_block(self, block_id: int) -> None:
        """Take a block away entirely, as are.na's staff may: 404 everywhere, its connections with it."""
        key = ItemKey("Block", block_id)
        connections = self.connections_of(key)
        self._removed[block_id] = (self.blocks.pop(block_id), connections)
        for connection in connections:
            self.drop_connection(connection.id)
        self._touch(key)

    def restore_block(self, block_id: int) -> Block:
        """Bring a removed block back, with those of its connections whose channel still exists."""
        block, connections = self._removed.pop(block_id)
        self.blocks[block_id] = block
        for connection in connections:
            if connection.channel_id in self.channels:
                self.put_connection(connection)
        self._touch(ItemKey("Block", block_id))
        return block

    def was_removed(self, block_id: int) -> bool:
        """Whether `restore_block` can bring this block back."""
        return block_id in self._removed

    def connect(
        self,
        item: ItemKey,
        channel_id: int,
        by: int,
        position: int | None = None,
        metadata: Metadata | None = None,
    ) -> Connection:
        """Put an item into a channel, on top unless a position is given; touches the channel and a block."""
        now = self.clock.now()
        place, pushed = positions.insert(self.places(channel_id), position)
        self._renumber(pushed)
        connection = Connection(
            id=self.number("connection"),
            channel_id=channel_id,
            item=item,
            position=place,
            connected_at=now,
            connected_by=by,
            metadata=metadata or {},
        )
        self.put_connection(connection)
        self.channels[channel_id] = replace(self.channels[channel_id], updated_at=now)
        if item.kind == "Block":
            self.blocks[item.id] = replace(self.blocks[item.id], updated_at=now)
        self._touch(item)
        self._touch(ItemKey("Channel", channel_id))
        return connection

    def disconnect(self, connection_id: int) -> None:
        """Take an item out of a channel. The gap stays; nothing else is marked."""
        connection = self.drop_connection(connection_id)
        if connection:
            self._touch(connection.item)
            self._touch(ItemKey("Channel", connection.channel_id))

    def move(self, connection_id: int, position: int) -> Connection:
        """Move a connection within its channel; siblings shift without a mark."""
        places = self.places(self.connections[connection_id].channel_id)
        self._renumber(positions.move(places, connection_id, position))
        return self.connections[connection_id]

    def set_connection(
        self, connection_id: int, *, pinned: bool | None = None, metadata: Metadata | None = None
    ) -> Connection:
        """Pin or unpin a connection, or replace its metadata."""
        old = self.connections[connection_id]
        self.put_connection(
            replace(
                old,
                pinned=old.pinned if pinned is None else pinned,
                metadata=old.metadata if metadata is None else metadata,
            )
        )
        return self.connections[connection_id]

    def add_comment(self, block_id: int, user_id: int, body: str) -> Comment:
        """Say something about a block; does not touch the block."""
        number = self.number("comment")
        comment = Comment(
            id=number, block_id=block_id, user_id=user_id, body=body, created_at=self.clock.now()
        )
        self.comments[number] = comment
        return comment

    def who(self, slug: str) -> Person:
        """A person who must exist."""
        person = self.person(slug)
        if person is None:
            raise KeyError(slug)
        return person

    def _renumber(self, changed: Mapping[int, int]) -> None:
        for key, position in changed.items():
            self.put_connection(replace(self.connections[key], position=position))

    def _slugs(self) -> set[str]:
        return {channel.slug for channel in self.channels.values()}

    def _touch(self, key: ItemKey) -> None:
        self.touched.append((self.clock.steady(), key))


def merge_metadata(old: Metadata, given: Mapping[str, Scalar | None]) -> dict[str, Scalar]:
    """Merge as are.na does: new keys are added, known ones replaced, null removes."""
    merged = {**old, **given}
    return {key: value for key, value in merged.items() if value is not None}
