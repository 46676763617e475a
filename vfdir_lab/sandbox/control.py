"""The control door: what tests and notebooks may do to the service behind its clients' backs.

Owns acting as another person, setting the clock, arming faults, reading the journal and the truth. Guarantees
that every call is atomic and safe from any thread, and that what it is given wrong raises `SandboxError`.
Permissions do not apply here. The same calls over HTTP are in `control_door`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict, Unpack

from vfdir_lab.errors import SandboxError
from vfdir_lab.sandbox.control_blocks import KINDS, made_from
from vfdir_lab.sandbox.faults import Faults, Option
from vfdir_lab.sandbox.journal import Journal
from vfdir_lab.sandbox.records import Block, Channel, Connection, ItemKey, Metadata, Owner, Person

if TYPE_CHECKING:
    from vfdir_lab.sandbox.records import BlockKind, Visibility
    from vfdir_lab.sandbox.service import Service


class BlockEdit(TypedDict, total=False):
    """What `edit_block` can change; `None` clears."""

    title: str | None
    description: str | None
    content: str | None
    metadata: Metadata


class ChannelEdit(TypedDict, total=False):
    """What `edit_channel` can change; a new title is a new slug."""

    title: str
    description: str | None
    visibility: Visibility
    metadata: Metadata


class NewBlock(TypedDict, total=False):
    """What `add_block` takes beside channel and value.

    `kind` is guessed from the value if not given (an address starts as a `PendingBlock`); `by` is the slug of
    whoever acts, the other person unless said otherwise; `position` counts from the bottom, 1 and up.
    """

    kind: BlockKind
    title: str | None
    description: str | None
    metadata: Metadata
    position: int | None
    by: str | None


class Place(TypedDict):
    """Where an item of a channel truly is."""

    connection: int
    kind: str
    id: int
    position: int
    pinned: bool


class Control:
    """The control door of one sandbox. A `channel` is a number or a slug everywhere."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.faults = Faults()
        self.journal = Journal()
        self._world = service.world

    # Acting as another person

    def add_block(self, channel: str | int, value: str, **fields: Unpack[NewBlock]) -> dict[str, int]:
        """Add a block; returns its number as `id` and its connection's as `connection`."""
        with self._world.lock:
            place, person = self._channel(channel), self._person(fields.get("by"))
            kind = fields.get("kind")
            if kind is not None and kind not in KINDS:
                raise SandboxError(f"There is no kind of block {kind!r}; there are {', '.join(KINDS)}.")
            made = made_from(self._world, value, kind)
            for name in ("title", "description", "metadata"):
                if name in fields:
                    made[name] = fields[name]
            block = self._world.add_block(person.id, **made)
            if block.kind == "PendingBlock":
                self.service.processing.start(block, value)
            key = ItemKey("Block", block.id)
            connection = self._world.connect(key, place.id, person.id, fields.get("position"))
            return {"id": block.id, "connection": connection.id}

    def edit_block(self, block: int, **fields: Unpack[BlockEdit]) -> None:
        """Change a block, whoever made it."""
        with self._world.lock:
            self._world.edit_block(self._block(block).id, **fields)

    def remove_block(self, block: int) -> None:
        """Take a block away: 404 everywhere, and its connections are gone."""
        with self._world.lock:
            self._world.remove_block(self._block(block).id)

    def restore_block(self, block: int) -> None:
        """Bring a removed block back where it was."""
        with self._world.lock:
            if not self._world.was_removed(block):
                raise SandboxError(f"Block {block} was not removed, so it cannot be restored.")
            self._world.restore_block(block)

    def add_channel(
        self, title: str, visibility: Visibility = "public", by: str | None = None
    ) -> dict[str, int | str]:
        """Make a channel; returns its `id` and `slug`."""
        with self._world.lock:
            owner = Owner("User", self._person(by).id)
            made = self._world.add_channel(title=title, owner=owner, visibility=visibility)
            return {"id": made.id, "slug": made.slug}

    def edit_channel(self, channel: str | int, **fields: Unpack[ChannelEdit]) -> dict[str, int | str]:
        """Change a channel; returns its `id` and its new `slug`."""
        with self._world.lock:
            changed = self._world.edit_channel(self._channel(channel).id, **fields)
            return {"id": changed.id, "slug": changed.slug}

    def set_visibility(self, channel: str | int, visibility: Visibility) -> None:
        """Make a channel public, closed or private."""
        self.edit_channel(channel, visibility=visibility)

    def remove_channel(self, channel: str | int) -> None:
        """Delete a channel for good."""
        with self._world.lock:
            self._world.remove_channel(self._channel(channel).id)

    def connect(
        self, item: str | int, channel: str | int, position: int | None = None, by: str | None = None
    ) -> int:
        """Connect a block (its number) or a channel (`channel:` and its name); returns the connection."""
        with self._world.lock:
            key, place = self._item(item), self._channel(channel)
            return self._world.connect(key, place.id, self._person(by).id, position).id

    def disconnect(self, connection: int) -> None:
        """Take an item out of its channel."""
        with self._world.lock:
            self._world.disconnect(self._connection(connection).id)

    def move(self, connection: int, position: int) -> None:
        """Move an item within its channel, to a position counted from the bottom."""
        with self._world.lock:
            self._world.move(self._connection(connection).id, position)

    def pin(self, connection: int, pinned: bool = True) -> None:  # noqa: FBT001, FBT002 - reads as intended
        """Pin or unpin an item; marks nothing."""
        with self._world.lock:
            self._world.set_connection(self._connection(connection).id, pinned=pinned)

    def comment(self, block: int, body: str, by: str | None = None) -> int:
        """Comment on a block; returns the comment's number."""
        with self._world.lock:
            return self._world.add_comment(self._block(block).id, self._person(by).id, body).id

    # Time and delays

    def set_clock_offset(self, seconds: float) -> None:
        """Set the service's clock wrong by so many seconds."""
        with self._world.lock:
            self.service.clock.offset_seconds = seconds

    def set_processing(self, polls: int, seconds: float) -> None:
        """Set how long a new block stays `PendingBlock`: so many readings of it, or so many seconds."""
        with self._world.lock:
            self.service.processing.polls, self.service.processing.seconds = polls, seconds

    def finish_processing(self, block: int | None = None) -> None:
        """Finish one processing block now, or all of them."""
        with self._world.lock:
            self.service.processing.finish(block)

    def set_index_lag(self, seconds: float) -> None:
        """Set how late people's contents and the search show a change."""
        with self._world.lock:
            self.service.index.lag_seconds = seconds

    def refresh_index(self) -> None:
        """Let people's contents and the search catch up now."""
        with self._world.lock:
            self.service.index.refresh()

    def set_hidden_status(self, status: int) -> None:
        """Set what an account gets for a thing it may not see: 404 (as at first) or 403. Guests get 404."""
        if status not in (403, 404):
            raise SandboxError(f"What is hidden answers 403 or 404, not {status}.")
        with self._world.lock:
            self.service.hidden_status = status

    # Faults

    def arm(
        self, fault: str, *, match: str = "* .*", times: int | None = 1, after: int = 0, **options: Option
    ) -> None:
        """Arm a fault for requests that match `METHOD path-expression` (whole path, without the query).

        It lets `after` matching requests pass, then strikes `times` times (None: until disarmed). The
        faults and their options are in `vfdir_lab.sandbox.faults.KINDS`.

        Raises:
            SandboxError: the fault, an option or the match is not one that is known.
        """
        self.faults.arm(fault, match, times, after, options)

    def disarm(self) -> None:
        """Take back every armed fault."""
        self.faults.disarm()

    # Looking

    def requests(self) -> list[dict[str, object]]:
        """Every request since the last clearing: method, path, query, status, token_kind, fault, body."""
        return self.journal.entries()

    def clear_requests(self) -> None:
        """Forget the requests so far."""
        self.journal.clear()

    def snapshot(self, channel: str | int) -> list[Place]:
        """What a channel truly holds, from the bottom up, whatever faults are armed."""
        with self._world.lock:
            return [
                Place(
                    connection=connection.id,
                    kind=connection.item.kind,
                    id=connection.item.id,
                    position=connection.position,
                    pinned=connection.pinned,
                )
                for connection in self._world.contents(self._channel(channel).id)
            ]

    def _channel(self, name: str | int) -> Channel:
        channel = self._world.channel(name)
        if channel is None:
            raise SandboxError(f"The sandbox has no channel {name!r}.")
        return channel

    def _block(self, number: int) -> Block:
        block = self._world.blocks.get(number)
        if block is None:
            raise SandboxError(f"The sandbox has no block {number!r}.")
        return block

    def _connection(self, number: int) -> Connection:
        connection = self._world.connections.get(number)
        if connection is None:
            raise SandboxError(f"The sandbox has no connection {number!r}.")
        return connection

    def _person(self, slug: str | None) -> Person:
        person = self._world.person(slug or self._world.other)
        if person is None:
            raise SandboxError(f"The sandbox has no person {slug!r}.")
        return person

    def _item(self, item: str | int) -> ItemKey:
        if isinstance(item, str) and item.startswith("channel:"):
            return ItemKey("Channel", self._channel(item.removeprefix("channel:")).id)
        number = item.removeprefix("block:") if isinstance(item, str) else item
        if isinstance(number, str) and not number.isdecimal():
            raise SandboxError(f"An item is a block's number or channel:NAME, not {item!r}.")
        return ItemKey("Block", self._block(int(number)).id)
