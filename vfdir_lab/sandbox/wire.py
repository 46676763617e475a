"""Wire shapes: how records look as are.na's JSON.

Owns the field names and which fields appear where: `connection` only inside channel contents, `can` only on a
thing asked for by itself (and in people's contents), a connection's self link as a bare string, as recorded.
Guarantees the shapes of the published description; checked against it in `tests/sandbox/`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vfdir_lab.sandbox.access import Access, visibility_of
from vfdir_lab.sandbox.answers import Json
from vfdir_lab.sandbox.clock import iso
from vfdir_lab.sandbox.markdown import render
from vfdir_lab.sandbox.records import Block, Group, ItemKey, Person
from vfdir_lab.sandbox.wire_media import attachment, embed, original, picture, source

if TYPE_CHECKING:
    from vfdir_lab.sandbox.access import Viewer
    from vfdir_lab.sandbox.records import (
        Channel,
        Comment,
        Connection,
        Owner,
    )
    from vfdir_lab.sandbox.world import World

Shape = dict[str, Json]


class Wire:
    """Writes records for one viewer; `base` is the service's own address."""

    def __init__(self, world: World, viewer: Viewer, base: str) -> None:
        self._world = world
        self._viewer = viewer
        self._access = Access(world, viewer)
        self._base = base

    def item(
        self, item: Block | Channel, *, connection: Connection | None = None, with_can: bool = False
    ) -> Shape:
        """A block or channel, as a member of a list or by itself."""
        shape = self._block(item) if isinstance(item, Block) else self._channel(item)
        if connection:
            shape["connection"] = self.embedded_connection(connection)
        if with_can:
            shape["can"] = self._can(item)
        return shape

    def fresh_block(self, block: Block) -> Shape:
        """A block as POST answers it: written before it is connected, hence public and without comments."""
        shape = self.item(block, with_can=True)
        shape["visibility"] = "public"
        shape["can"] = {"manage": True, "comment": False, "connect": True}
        return shape

    def embedded_connection(self, connection: Connection) -> Shape:
        """A connection inside channel contents."""
        person = self._world.people.get(connection.connected_by)
        return {
            "id": connection.id,
            "position": connection.position,
            "pinned": connection.pinned,
            "metadata": dict(connection.metadata) or None,
            "connected_at": iso(connection.connected_at),
            "connected_by": self.embedded_person(person) | {"_links": self._person_links(person)}
            if person
            else None,
        }

    def connection(self, connection: Connection) -> Shape:
        """A connection by itself. Its self link is the API's root as a bare string, as recorded."""
        place = self._href(f"/channels/{connection.channel_id}")
        kind = "blocks" if connection.item.kind == "Block" else "channels"
        return self.embedded_connection(connection) | {
            "can": {"remove": self._access.may_remove(connection)},
            "_links": {
                "self": f"{self._base}/v3",
                "channel": place,
                "connectable": self._href(f"/{kind}/{connection.item.id}"),
            },
        }

    def comment(self, comment: Comment) -> Shape:
        """A comment. Its self link is the block's list of comments, as recorded."""
        at = iso(comment.created_at)
        person = self._world.people[comment.user_id]
        return {
            "id": comment.id,
            "type": "Comment",
            "body": _markdown(comment.body),
            "created_at": at,
            "updated_at": at,
            "user": self.embedded_person(person),
            "_links": {
                "self": self._href(f"/blocks/{comment.block_id}/comments"),
                "block": self._href(f"/blocks/{comment.block_id}"),
                "user": self._href(f"/users/{person.id}"),
            },
        }

    def embedded_person(self, person: Person) -> Shape:
        """A person as an author or owner."""
        return _embedded("User", person)

    def person(self, person: Person) -> Shape:
        """A person by themselves or in a list of people."""
        world = self._world
        followers = [p for p in world.people.values() if person.slug in p.following]
        badge = person.tier if person.tier in ("premium", "supporter") else None
        return self.embedded_person(person) | {
            "created_at": iso(person.created_at),
            "updated_at": iso(person.created_at),
            "bio": _markdown(person.bio),
            "badge": badge,
            "tier": person.tier,
            "counts": {
                "channels": len(list(world.channels_owned("User", person.id))),
                "followers": len(followers),
                "following": len(person.following),
            },
            "_links": self._person_links(person),
        }

    def me(self, person: Person) -> Shape:
        """The asking person."""
        shape = self.person(person)
        counts = shape["counts"]
        shape["counts"] = (dict(counts) if isinstance(counts, dict) else {}) | {"notifications": 0}
        return shape | {"email": person.email}

    def group(self, group: Group) -> Shape:
        """A group by itself or in a list of groups."""
        leads = self._access.leads(group)
        links = {
            name: self._href(f"/groups/{group.id}{tail}") for name, tail in _tails("contents", "members")
        }
        return _embedded("Group", group) | {
            "description": _markdown(group.description),
            "created_at": iso(group.created_at),
            "updated_at": iso(group.created_at),
            "user": self.embedded_person(self._world.people[group.owner_id]),
            "counts": {
                "channels": len(list(self._world.channels_owned("Group", group.id))),
                "users": len(group.member_ids),
            },
            "can": dict.fromkeys(("update", "destroy", "manage_members", "manage_invitations"), leads),
            "_links": links,
        }

    def _channel(self, channel: Channel) -> Shape:
        links = {
            name: self._href(f"/channels/{channel.id}{tail}")
            for name, tail in _tails("contents", "connections", "followers")
        }
        kinds = [connection.item.kind for connection in self._world.contents(channel.id)]
        owner_path = "users" if channel.owner.kind == "User" else "groups"
        collaborators = [self._world.people[number] for number in channel.collaborator_ids]
        return {
            "id": channel.id,
            "type": "Channel",
            "slug": channel.slug,
            "title": channel.title,
            "description": _markdown(channel.description),
            "state": "available",
            "visibility": channel.visibility,
            "created_at": iso(channel.created_at),
            "updated_at": iso(channel.updated_at),
            "metadata": dict(channel.metadata) or None,
            "owner": self._owner(channel.owner),
            "counts": {
                "blocks": kinds.count("Block"),
                "channels": kinds.count("Channel"),
                "contents": len(kinds),
                "collaborators": len(collaborators),
            },
            "collaborators": [self.embedded_person(person) for person in collaborators],
            "_links": links | {"owner": self._href(f"/{owner_path}/{channel.owner.id}")},
        }

    def _block(self, block: Block) -> Shape:
        links = {
            name: self._href(f"/blocks/{block.id}{tail}") for name, tail in _tails("connections", "comments")
        }
        shape: Shape = {
            "id": block.id,
            "base_type": "Block",
            "type": block.kind,
            "title": block.title,
            "description": _markdown(block.description),
            "state": block.state,
            "visibility": visibility_of(self._world, block),
            "comment_count": len(self._world.comments_on(block.id)),
            "created_at": iso(block.created_at),
            "updated_at": iso(block.updated_at),
            "user": self.embedded_person(self._world.people[block.user_id]),
            "metadata": dict(block.metadata) or None,
            # Recorded: nothing is said of the source while a block is processed.
            "source": None if block.kind == "PendingBlock" else source(block.source),
            "_links": links | {"user": self._href(f"/users/{block.user_id}")},
        }
        return shape | self._body(block)

    def _body(self, block: Block) -> Shape:
        image = picture(self._base, block.id, block.picture) if block.picture else None
        if block.kind == "Text":
            return {"content": _rendered(block.content or "")}
        if block.kind == "Link":
            return {"image": image, "content": _markdown(block.content)}
        if block.kind == "Image":
            return {"image": image}
        if block.kind == "Attachment" and block.attached:
            return {"attachment": attachment(self._base, block.id, block.attached), "image": image}
        if block.kind == "Embed" and block.embedded:
            thumbnail = original(self._base, block.id, block.picture) if block.picture else None
            return {"embed": embed(block.embedded, thumbnail), "image": image}
        return {}

    def _can(self, item: Block | Channel) -> Shape:
        access = self._access
        if isinstance(item, Block):
            return {
                "manage": access.may_manage(item),
                "comment": access.may_comment(item),
                "connect": access.may_connect(item),
            }
        owns = access.belongs_to(item.owner)
        return {
            "add_to": access.may_add_to(item),
            "update": owns,
            "destroy": owns,
            "manage_collaborators": owns,
        }

    def _owner(self, owner: Owner) -> Shape:
        if owner.kind == "User":
            return self.embedded_person(self._world.people[owner.id])
        return _embedded("Group", self._world.groups[owner.id])

    def _person_links(self, person: Person) -> Shape:
        return {
            name: self._href(f"/users/{person.id}{tail}")
            for name, tail in _tails("contents", "followers", "following")
        }

    def _href(self, path: str) -> Shape:
        return {"href": f"{self._base}/v3{path}"}


def item_key(item: Block | Channel) -> ItemKey:
    """The key of a block or channel."""
    return ItemKey("Block" if isinstance(item, Block) else "Channel", item.id)


def _tails(*names: str) -> list[tuple[str, str]]:
    return [("self", ""), *((name, f"/{name}") for name in names)]


def _embedded(kind: str, who: Person | Group) -> Shape:
    initials = "".join(word[0] for word in who.name.split()[:2]).upper() or "?"
    return {
        "id": who.id,
        "type": kind,
        "name": who.name,
        "slug": who.slug,
        "avatar": None,
        "initials": initials,
    }


def _markdown(text: str | None) -> Shape | None:
    return _rendered(text) if text else None


def _rendered(text: str) -> Shape:
    shown = render(text)
    return {"markdown": shown["markdown"], "html": shown["html"], "plain": shown["plain"]}
