"""Seeding: the world in `data/`, read from files a person can edit.

Owns the reading of `people.toml` and `channels/*.toml`, whose format `data/README.md` explains. Guarantees
the same world from the same files, numbers included, and a `SandboxError` that names the file for what it
cannot read. Looks for `_data` beside this module (an installed package) first, then for `data/` of a
checkout.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from vfdir_lab.errors import SandboxError
from vfdir_lab.sandbox.records import (
    Block,
    Channel,
    Connection,
    ItemKey,
    Owner,
    Tier,
    Visibility,
)
from vfdir_lab.sandbox.seed_blocks import KINDS, BlockMaker
from vfdir_lab.sandbox.seed_files import Row, read_toml
from vfdir_lab.sandbox.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vfdir_lab.sandbox.clock import Clock

_HERE = Path(__file__).parent
# Between two items without a time of their own: a person adds things at odd hours.
_STEP_SECONDS = 61_517
_CHANNEL_FIELDS = (
    *("title", "owner", "visibility", "created_at", "description", "collaborators", "metadata", "items"),
)


def data_folder() -> Path:
    """Where the world's files are."""
    packed = _HERE / "_data"
    return packed if packed.is_dir() else _HERE.parents[1] / "data"


def load_world(folder: Path | None = None, *, clock: Clock | None = None, seed: int = 0) -> World:
    """Load a world.

    Raises:
        SandboxError: a file is missing or malformed; the message names it.
    """
    root = folder or data_folder()
    world = World(clock=clock, seed=seed, people=False)
    _load_people(world, read_toml(root / "people.toml"))
    files = [read_toml(path) for path in sorted((root / "channels").glob("*.toml"))]
    channels = [_load_channel(world, row) for row in files]
    maker = BlockMaker(world, root)
    made = [
        entry
        for channel, row in zip(channels, files, strict=True)
        for entry in _make_items(maker, channel, row)
    ]
    for entry in made:
        block = entry.block
        key = ItemKey("Block", block.id) if block else _reference(world, maker, entry.row)
        _connect(world, entry, key)
    _date(world)
    return world


def _load_people(world: World, row: Row) -> None:
    row.only("main", "other", "people", "groups")
    world.main, world.other = row.text("main"), row.text("other")
    for one in row.rows("people"):
        one.only("slug", "name", "tier", "bio", "created_at", "following")
        person = world.add_person(one.text("slug"), one.text("name"), bio=one.optional("bio"))
        world.people[person.id] = replace(
            person,
            tier=_tier(one),
            created_at=one.moment("created_at"),
            following=one.texts("following"),
        )
    for one in row.rows("groups"):
        one.only("slug", "name", "description", "created_at", "members")
        members = tuple(_person(world, one, slug) for slug in one.texts("members"))
        group = world.add_group(one.text("slug"), one.text("name"), members, one.optional("description"))
        world.groups[group.id] = replace(group, created_at=one.moment("created_at"))


def _tier(row: Row) -> Tier:
    for tier in get_args(Tier):
        if tier == row.text("tier"):
            found: Tier = tier
            return found
    raise row.error("has an unknown tier")


def _visibility(row: Row) -> Visibility:
    for visibility in get_args(Visibility):
        if visibility == row.text("visibility"):
            found: Visibility = visibility
            return found
    raise row.error("has an unknown visibility")


def _person(world: World, row: Row, slug: str) -> int:
    person = world.person(slug)
    if person is None:
        raise row.error(f"names {slug}, who is not in people.toml")
    return person.id


def _owner(world: World, row: Row) -> Owner:
    group = world.group(row.text("owner"))
    return Owner("Group", group.id) if group else Owner("User", _person(world, row, row.text("owner")))


def _load_channel(world: World, row: Row) -> Channel:
    row.only(*_CHANNEL_FIELDS)
    created_at = row.moment("created_at")
    return world.add_channel(
        title=row.text("title"),
        owner=_owner(world, row),
        visibility=_visibility(row),
        description=row.optional("description"),
        created_at=created_at,
        updated_at=created_at,
        collaborator_ids=tuple(_person(world, row, slug) for slug in row.texts("collaborators")),
        metadata=row.metadata("metadata"),
    )


@dataclass(frozen=True, slots=True)
class _Entry:
    """An item of a channel's file, with its block if it makes one, its place and its time."""

    channel: Channel
    row: Row
    block: Block | None
    position: int
    at: int


def _make_items(maker: BlockMaker, channel: Channel, file: Row) -> Iterator[_Entry]:
    position = 0
    for rank, row in enumerate(file.rows("items"), 1):
        at = row.moment("at", channel.created_at + rank * _STEP_SECONDS)
        position = row.number("position", position + 1)
        yield _Entry(channel, row, maker.make(row, at, channel), position, at)


def _reference(world: World, maker: BlockMaker, item: Row) -> ItemKey:
    if item.has("channel"):
        nested = world.channel(item.text("channel"))
        if nested:
            return ItemKey("Channel", nested.id)
        raise item.error("names a channel that does not exist")
    if item.has("block"):
        return ItemKey("Block", maker.named(item))
    raise item.error(f"wants one of {', '.join(KINDS)}, channel or block")


def _connect(world: World, entry: _Entry, key: ItemKey) -> None:
    by, owner = entry.row.optional("by"), entry.channel.owner
    fallback = owner.id if owner.kind == "User" else world.groups[owner.id].owner_id
    world.put_connection(
        Connection(
            id=world.number("connection"),
            channel_id=entry.channel.id,
            item=key,
            position=entry.position,
            connected_at=entry.at,
            connected_by=_person(world, entry.row, by) if by else fallback,
            pinned=entry.row.flag("pinned"),
            metadata=entry.row.metadata("place"),
        )
    )


def _date(world: World) -> None:
    """Date channels and blocks by their latest connection."""
    for connection in world.connections.values():
        channel = world.channels[connection.channel_id]
        at = max(channel.updated_at, connection.connected_at)
        world.channels[channel.id] = replace(channel, updated_at=at)
        item = world.item(connection.item)
        if isinstance(item, Block):
            at = max(item.updated_at, connection.connected_at)
            world.blocks[item.id] = replace(item, updated_at=at)
    if not world.person(world.main) or not world.person(world.other):
        raise SandboxError("The sandbox's world cannot be read: people.toml names a main or other it lacks.")
