"""Connections: an item's place in a channel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from vfdir_lab.sandbox import positions
from vfdir_lab.sandbox.answers import Answer, Refusal, invalid, json_answer
from vfdir_lab.sandbox.records import ItemKey
from vfdir_lab.sandbox.routes_blocks import targets
from vfdir_lab.sandbox.service import Call, Endpoint
from vfdir_lab.sandbox.validation import stored_metadata
from vfdir_lab.sandbox.world import merge_metadata

if TYPE_CHECKING:
    from vfdir_lab.sandbox.records import Connection, ItemKind

_KINDS: tuple[ItemKind, ...] = ("Block", "Channel")
Movement = Literal["insert_at", "move_to_top", "move_to_bottom", "move_up", "move_down"]
_MOVEMENTS: tuple[Movement, ...] = ("insert_at", "move_to_top", "move_to_bottom", "move_up", "move_down")


def post_connection(call: Call) -> Answer:
    """POST /connections: one item into one or several channels."""
    body = call.body()
    number, kind = body.integer("connectable_id"), body.choice("connectable_type", _KINDS)
    if number is None or kind is None:
        raise invalid("connectable_id and connectable_type are required")
    key = ItemKey(kind, number)
    places = targets(call, body, "position")
    call.seen(call.world.item(key))
    if any(key == ItemKey("Channel", place.channel.id) for place in places):
        raise Refusal(422, "A channel cannot be connected to itself.")
    made = [
        call.world.connect(key, place.channel.id, call.me.id, place.position, place.metadata)
        for place in places
    ]
    return json_answer({"data": [call.wire.connection(connection) for connection in made]}, 201)


def get_connection(call: Call) -> Answer:
    """GET /connections/{id}."""
    return json_answer(call.wire.connection(call.connection()))


def put_connection(call: Call) -> Answer:
    """PUT /connections/{id}: its metadata, nothing else."""
    connection = call.connection()
    given = call.body().metadata(with_null=True)
    call.demand(may=call.access.may_remove(connection))
    merged = stored_metadata(merge_metadata(connection.metadata, given))
    return json_answer(call.wire.connection(call.world.set_connection(connection.id, metadata=merged)))


def delete_connection(call: Call) -> Answer:
    """DELETE /connections/{id}: the item stays, if only as an orphan."""
    connection = call.connection()
    call.demand(may=call.access.may_remove(connection))
    call.world.disconnect(connection.id)
    return Answer(status=204)


def move_connection(call: Call) -> Answer:
    """POST /connections/{id}/move. The top is the highest position."""
    connection, body = call.connection(), call.body()
    movement = body.choice("movement", _MOVEMENTS) or "insert_at"
    position = body.integer("position")
    if movement == "insert_at" and position is None:
        raise invalid("position is required when movement is insert_at")
    call.demand(may=call.access.may_arrange(connection))
    goal = _goal(call, connection, movement, position)
    return json_answer(call.wire.connection(call.world.move(connection.id, goal)))


def _goal(call: Call, connection: Connection, movement: Movement, position: int | None) -> int:
    places = call.world.places(connection.channel_id)
    if movement == "insert_at" and position is not None:
        return position
    if movement == "move_to_top":
        return max(places.values())
    if movement == "move_to_bottom":
        return 1
    beside = positions.neighbour(places, connection.id, up=movement == "move_up")
    return connection.position if beside is None else places[beside]


ENDPOINTS = (
    Endpoint("POST", "/v3/connections", post_connection, "write"),
    Endpoint("GET", "/v3/connections/{id}", get_connection),
    Endpoint("PUT", "/v3/connections/{id}", put_connection, "write"),
    Endpoint("DELETE", "/v3/connections/{id}", delete_connection, "write"),
    Endpoint("POST", "/v3/connections/{id}/move", move_connection, "write"),
)
