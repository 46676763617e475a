"""Blocks and their comments. There is no way to delete a block, as on are.na."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from vfdir_lab.sandbox.answers import Answer, Refusal, invalid, json_answer
from vfdir_lab.sandbox.processing import is_address
from vfdir_lab.sandbox.records import Channel, ItemKey, Source
from vfdir_lab.sandbox.routes_channels import BY_CREATION, containing
from vfdir_lab.sandbox.service import Call, Endpoint
from vfdir_lab.sandbox.validation import stored_metadata
from vfdir_lab.sandbox.world import BlockFields, merge_metadata

if TYPE_CHECKING:
    from vfdir_lab.sandbox.records import Metadata
    from vfdir_lab.sandbox.validation import Body

_FILTERS: tuple[Literal["ALL", "OWN", "EXCLUDE_OWN"], ...] = ("ALL", "OWN", "EXCLUDE_OWN")
MOST_CHANNELS = 20


@dataclass(frozen=True, slots=True)
class Target:
    """A channel to connect to, and how."""

    channel: Channel
    position: int | None
    metadata: Metadata


def targets(call: Call, body: Body, position_field: str) -> list[Target]:
    """Read where to connect, in the newer form (`channels`) or the older (`channel_ids`)."""
    if body.has("channels") == body.has("channel_ids"):
        raise invalid("either channels or channel_ids is required")
    if body.has("channels"):
        if body.has(position_field):
            raise invalid(f"{position_field} belongs to channel_ids; give position inside channels")
        wanted = [
            (one.name("id"), one.integer("position"), merge_metadata({}, one.metadata()))
            for one in body.objects("channels", MOST_CHANNELS)
        ]
    else:
        names = body.names("channel_ids", MOST_CHANNELS)
        position = body.integer(position_field)
        if position is not None and len(names) > 1:
            raise invalid(f"{position_field} is only valid for a single channel")
        wanted = [(name, position, {}) for name in names]
    found = [Target(call.channel(name), position, stored_metadata(data)) for name, position, data in wanted]
    for target in found:
        call.demand(may=call.access.may_add_to(target.channel))
    return found


def get_block(call: Call) -> Answer:
    """GET /blocks/{id}; asking for a processing block moves it along."""
    call.service.processing.poll(call.number)
    return json_answer(call.wire.item(call.block(), with_can=True))


def post_block(call: Call) -> Answer:
    """POST /blocks: text stays text, an address becomes a block that is processed first."""
    body = call.body()
    value = body.required_text("value")
    fields = _new_fields(body)
    alt_text = body.text("alt_text")
    places = targets(call, body, "insert_at")
    world = call.world
    if is_address(value):
        block = world.add_block(call.me.id, **fields | {"kind": "PendingBlock", "state": "processing"})
        call.service.processing.start(block, value.strip(), alt_text)
    else:
        block = world.add_block(call.me.id, **fields | {"kind": "Text", "content": value})
    answer = json_answer(call.wire.fresh_block(block), 201)
    for place in places:
        key = ItemKey("Block", block.id)
        world.connect(key, place.channel.id, call.me.id, place.position, place.metadata)
    return answer


def put_block(call: Call) -> Answer:
    """PUT /blocks/{id}: only what is given changes; only its maker may."""
    block, body = call.block(), call.body()
    fields = _texts(body)
    content, alt_text = body.text("content"), body.text("alt_text")
    given = body.metadata(with_null=True)
    call.demand(may=call.access.may_manage(block))
    if content is not None:
        if block.kind != "Text":
            raise Refusal(422, "Only text blocks have content.")
        fields["content"] = content
    if alt_text is not None:
        if block.picture is None:
            raise Refusal(422, "Only blocks with an image have an alt text.")
        fields["picture"] = replace(block.picture, alt_text=alt_text)
    if given:
        fields["metadata"] = stored_metadata(merge_metadata(block.metadata, given))
    return json_answer(call.wire.item(call.world.edit_block(block.id, **fields), with_can=True))


def get_block_connections(call: Call) -> Answer:
    """GET /blocks/{id}/connections: the channels it is in (not the connections)."""
    block = call.block()
    wanted = call.query.choice("filter", _FILTERS, "ALL")
    found = containing(call, ItemKey("Block", block.id))
    if wanted != "ALL":
        found = [channel for channel in found if call.access.is_of(channel) == (wanted == "OWN")]
    return call.page_of(found, call.wire.item)


def get_comments(call: Call) -> Answer:
    """GET /blocks/{id}/comments, oldest first unless asked otherwise."""
    found = call.world.comments_on(call.block().id)
    if call.query.choice("sort", BY_CREATION, "created_at_asc") == "created_at_desc":
        found.reverse()
    return call.page_of(found, call.wire.comment)


def post_comment(call: Call) -> Answer:
    """POST /blocks/{id}/comments."""
    block = call.block()
    text = call.body().required_text("body")
    call.demand(may=call.access.may_comment(block))
    return json_answer(call.wire.comment(call.world.add_comment(block.id, call.me.id, text)), 201)


def delete_comment(call: Call) -> Answer:
    """DELETE /comments/{id}: only its author may."""
    comment = call.world.comments.get(call.number)
    if comment is None:
        raise Refusal(404)
    call.block(comment.block_id)
    call.demand(may=call.access.may_delete_comment(comment))
    del call.world.comments[comment.id]
    return Answer(status=204)


def _new_fields(body: Body) -> BlockFields:
    fields = _texts(body)
    address, title = body.address("original_source_url"), body.text("original_source_title")
    if address:
        fields["source"] = Source(url=address, title=title)
    given = body.metadata()
    if given:
        fields["metadata"] = stored_metadata(merge_metadata({}, given))
    return fields


def _texts(body: Body) -> BlockFields:
    fields = BlockFields()
    title, description = body.text("title"), body.text("description")
    if title is not None:
        fields["title"] = title
    if description is not None:
        fields["description"] = description or None
    return fields


ENDPOINTS = (
    Endpoint("POST", "/v3/blocks", post_block, "write"),
    Endpoint("GET", "/v3/blocks/{id}", get_block),
    Endpoint("PUT", "/v3/blocks/{id}", put_block, "write"),
    Endpoint("GET", "/v3/blocks/{id}/connections", get_block_connections),
    Endpoint("GET", "/v3/blocks/{id}/comments", get_comments),
    Endpoint("POST", "/v3/blocks/{id}/comments", post_comment, "write"),
    Endpoint("DELETE", "/v3/comments/{id}", delete_comment, "write"),
)
