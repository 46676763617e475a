"""Channels: reading, their contents, making, changing and deleting them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vfdir_lab.sandbox.answers import Answer, Refusal, json_answer
from vfdir_lab.sandbox.records import Block, Channel, Connection, ItemKey, Owner
from vfdir_lab.sandbox.service import Call, Endpoint
from vfdir_lab.sandbox.validation import Body, stored_metadata
from vfdir_lab.sandbox.world import ChannelFields, merge_metadata

if TYPE_CHECKING:
    from vfdir_lab.sandbox.records import OwnerKind, Visibility

_VISIBILITIES: tuple[Visibility, ...] = ("public", "private", "closed")
_OWNERS: tuple[OwnerKind, ...] = ("User", "Group")
_CONTENT_SORTS = (
    "position_desc",
    "position_asc",
    "created_at_asc",
    "created_at_desc",
    "updated_at_asc",
    "updated_at_desc",
)
BY_CREATION = ("created_at_desc", "created_at_asc")


def get_channel(call: Call) -> Answer:
    """GET /channels/{id}."""
    return json_answer(call.wire.item(call.channel(), with_can=True))


def get_contents(call: Call) -> Answer:
    """GET /channels/{id}/contents: what the viewer may see of it, each with its connection."""
    channel = call.channel()
    sort = call.query.choice("sort", _CONTENT_SORTS, "position_desc")
    adder = call.query.integer("user_id")
    rows: list[tuple[Connection, Block | Channel]] = []
    for connection in call.world.contents(channel.id):
        item = call.world.item(connection.item)
        if item is not None and call.access.sees(item) and adder in (None, connection.connected_by):
            rows.append((connection, item))
    rows.sort(key=lambda row: _sort_key(sort, *row), reverse=sort.endswith("_desc"))
    return call.page_of(rows, lambda row: call.wire.item(row[1], connection=row[0]))


def _sort_key(sort: str, connection: Connection, item: Block | Channel) -> tuple[int, int]:
    if sort.startswith("position"):
        return connection.position, connection.id
    at = connection.connected_at if sort.startswith("created") else item.updated_at
    return at, connection.id


def get_channel_connections(call: Call) -> Answer:
    """GET /channels/{id}/connections: the channels this one is in."""
    return call.page_of(containing(call, ItemKey("Channel", call.channel().id)), call.wire.item)


def containing(call: Call, item: ItemKey) -> list[Channel]:
    """The channels an item is in, each once, as far as the viewer may see them."""
    sort = call.query.choice("sort", BY_CREATION, "created_at_desc")
    channels = {
        connection.channel_id: call.world.channels[connection.channel_id]
        for connection in call.world.connections_of(item)
    }
    found = [channel for channel in channels.values() if call.access.sees(channel)]
    return found[::-1] if sort == "created_at_desc" else found


def get_followers(call: Call) -> Answer:
    """GET /channels/{id}/followers."""
    channel = call.channel()
    call.query.choice("sort", BY_CREATION, "created_at_desc")
    followers = [person for person in call.world.people.values() if channel.slug in person.following]
    return call.page_of(followers, call.wire.person)


def post_channel(call: Call) -> Answer:
    """POST /channels."""
    body = call.body()
    owner = _owner(call, body) or Owner("User", call.me.id)
    fields = _fields(body, with_null=False)
    if "metadata" in fields:
        fields["metadata"] = stored_metadata(fields["metadata"])
    fields["title"] = body.required_text("title")
    fields["owner"] = owner
    channel = call.world.add_channel(**fields)
    return json_answer(call.wire.item(channel, with_can=True), 201)


def put_channel(call: Call) -> Answer:
    """PUT /channels/{id}: only what is given changes."""
    channel, body = call.channel(), call.body()
    fields = _fields(body, with_null=True)
    if body.has("title"):
        fields["title"] = body.required_text("title")
    given = body.metadata(with_null=True)
    if given:
        fields["metadata"] = stored_metadata(merge_metadata(channel.metadata, given))
    call.demand(may=call.access.belongs_to(channel.owner))
    owner = _owner(call, body)
    if owner:
        fields["owner"] = owner
    changed = call.world.edit_channel(channel.id, **fields)
    return json_answer(call.wire.item(changed, with_can=True))


def delete_channel(call: Call) -> Answer:
    """DELETE /channels/{id}: for good."""
    channel = call.channel()
    call.demand(may=call.access.belongs_to(channel.owner))
    call.world.remove_channel(channel.id)
    return Answer(status=204)


def _fields(body: Body, *, with_null: bool) -> ChannelFields:
    fields = ChannelFields()
    visibility = body.choice("visibility", _VISIBILITIES)
    if visibility:
        fields["visibility"] = visibility
    if body.has("description"):
        fields["description"] = (
            body.nullable_text("description") if with_null else body.text("description")
        ) or None
    given = body.metadata(with_null=with_null)
    if given:
        fields["metadata"] = merge_metadata({}, given)
    return fields


def _owner(call: Call, body: Body) -> Owner | None:
    if not body.has("owner"):
        return None
    given = body.inner("owner")
    number = given.integer("id")
    if number is None:
        raise Refusal(400, "owner id is required")
    owner = Owner(given.choice("type", _OWNERS) or "User", number)
    call.demand(may=call.access.belongs_to(owner))
    return owner


ENDPOINTS = (
    Endpoint("POST", "/v3/channels", post_channel, "write"),
    Endpoint("GET", "/v3/channels/{id}", get_channel),
    Endpoint("PUT", "/v3/channels/{id}", put_channel, "write"),
    Endpoint("DELETE", "/v3/channels/{id}", delete_channel, "write"),
    Endpoint("GET", "/v3/channels/{id}/contents", get_contents),
    Endpoint("GET", "/v3/channels/{id}/connections", get_channel_connections),
    Endpoint("GET", "/v3/channels/{id}/followers", get_followers),
)
