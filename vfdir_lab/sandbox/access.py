"""Who may see and do what.

Owns every question of permission. Rules, as far as known (design notes say which are guesses): public
channels are open to all readers and any account may add; closed ones are open to readers, and only their
people add; private ones are their people's. A block is private when all its channels are, an orphan when it
has none; its maker always sees it, and an orphan can still be read by number.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from vfdir_lab.sandbox.records import Block, ItemKey

if TYPE_CHECKING:
    from vfdir_lab.sandbox.records import Channel, Comment, Connection, Group, Owner, Person
    from vfdir_lab.sandbox.world import World

Scope = Literal["read", "write"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """Who is asking: a person with the scope of their token, or a guest (`person` is None)."""

    person: Person | None = None
    scope: Scope = "read"
    kind: str = "guest"

    @property
    def person_id(self) -> int | None:
        """The asking person's number, None for a guest."""
        return self.person.id if self.person else None


class Access:
    """Answers for one viewer in one world."""

    def __init__(self, world: World, viewer: Viewer) -> None:
        self._world = world
        self._me = viewer.person_id

    def belongs_to(self, owner: Owner) -> bool:
        """Whether the viewer is this owner, or a member of it."""
        if owner.kind == "User":
            return self._me is not None and owner.id == self._me
        group = self._world.groups.get(owner.id)
        return group is not None and self._me in group.member_ids

    def is_of(self, channel: Channel) -> bool:
        """Whether the viewer is one of the channel's own people."""
        return self.belongs_to(channel.owner) or self._me in channel.collaborator_ids

    def sees(self, item: Block | Channel) -> bool:
        """Whether the viewer may read this."""
        if not isinstance(item, Block):
            return item.visibility != "private" or self.is_of(item)
        if item.user_id == self._me:
            return True
        channels = self._channels(item)
        return not channels or any(self.sees(channel) for channel in channels)

    def may_add_to(self, channel: Channel) -> bool:
        """Whether the viewer may put something into a channel."""
        return self._me is not None and (channel.visibility == "public" or self.is_of(channel))

    def may_manage(self, block: Block) -> bool:
        """Whether the viewer may change a block: only its maker."""
        return self._me is not None and block.user_id == self._me

    def may_comment(self, block: Block) -> bool:
        """Whether the viewer may comment: an account, on a block that is somewhere and readable."""
        return self._me is not None and self.sees(block) and visibility_of(self._world, block) != "orphan"

    def may_connect(self, item: Block | Channel) -> bool:
        """Whether the viewer may connect something: an account that may read it."""
        return self._me is not None and self.sees(item)

    def may_remove(self, connection: Connection) -> bool:
        """Whether the viewer may take an item out: who put it in, or the channel's people."""
        channel = self._world.channels[connection.channel_id]
        return self._me is not None and (connection.connected_by == self._me or self.is_of(channel))

    def may_arrange(self, connection: Connection) -> bool:
        """Whether the viewer may move an item within its channel: the channel's people."""
        return self.is_of(self._world.channels[connection.channel_id])

    def may_delete_comment(self, comment: Comment) -> bool:
        """Whether the viewer may delete a comment: only its author."""
        return comment.user_id == self._me

    def leads(self, group: Group) -> bool:
        """Whether the viewer owns a group."""
        return group.owner_id == self._me

    def _channels(self, block: Block) -> list[Channel]:
        return _channels(self._world, block)


def visibility_of(world: World, block: Block) -> Literal["public", "private", "orphan"]:
    """A block's visibility, which follows from where it is connected."""
    channels = _channels(world, block)
    if not channels:
        return "orphan"
    return "private" if all(channel.visibility == "private" for channel in channels) else "public"


def _channels(world: World, block: Block) -> list[Channel]:
    connections = world.connections_of(ItemKey("Block", block.id))
    return [world.channels[connection.channel_id] for connection in connections]
