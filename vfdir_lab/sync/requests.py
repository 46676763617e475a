"""What a wish is, said as one request of are.na's.

Owns: which call each intent becomes, and the mark that goes with what is made (`vfdir_tx`: the intent's id,
random, so that a lost answer can be looked up; decision 0013).
Guarantees: pure but for what the given `Writes` does with the call.
Leaves to others: when to send (`plan`), what the answer means (`sending`), files and positions, which have to
be asked of are.na first (`sending`).
Checked by: `tests/sync/test_requests.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from vfdir_lab.arena import Place, Sent
from vfdir_lab.arena.writes import Writes
from vfdir_lab.event import remote_number
from vfdir_lab.sync.normalise import Fields
from vfdir_lab.sync.outbox import Intent, Outbox
from vfdir_lab.sync.plan import Job, wished

MARK = "vfdir_tx"
_EXTRAS = ("title", "description", "alt_text", "original_source_url", "original_source_title")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What has to be known before a request can be put together.

    `value` is the address of an uploaded file; `positions` are are.na's positions of the connections that
    have a place, by the name they were wished under.
    """

    value: str | None = None
    positions: Mapping[str, int]


def request(job: Job, outbox: Outbox, asked: Asked) -> Callable[[Writes], Sent]:
    """The call that a job becomes.

    Raises (the call):
        UsageError: are.na's documented limits forbid it; nothing was sent.
    """
    intent = job.carrier
    make = _CALLS[intent.kind]

    def call(writes: Writes) -> Sent:
        return make(writes, intent, outbox, asked)

    return call


def number_of(outbox: Outbox, identifier: object) -> int:
    """are.na's number of an object; 0, which no request takes, for what are.na does not know."""
    return remote_number(outbox.canonical(str(identifier))) or 0


def marked(intent: Intent, metadata: Any = None) -> Fields:
    """Metadata with the mark of the intent."""
    return {**(metadata if isinstance(metadata, dict) else {}), MARK: intent.intent}


def _draft_block(writes: Writes, intent: Intent, outbox: Outbox, asked: Asked) -> Sent:
    fields = intent.fields
    places: list[Place] = [
        (
            number_of(outbox, connection.get("channel")),
            asked.positions.get(event.object_id),
            marked(intent, connection.get("metadata")),
        )
        for event, connection in intent.parts()
        if event.kind == "connection.made"
    ]
    extras: Any = {name: fields[name] for name in _EXTRAS if fields.get(name) is not None}
    value = asked.value if asked.value is not None else fields.get("value")
    return writes.create_block(
        str(value or ""), places, **extras, metadata=marked(intent, fields.get("metadata"))
    )


def _edit_block(writes: Writes, intent: Intent, outbox: Outbox, _asked: Asked) -> Sent:
    change: Any = wished(intent)
    return writes.update_block(number_of(outbox, intent.object_id), **change)


def _draft_channel(writes: Writes, intent: Intent, _outbox: Outbox, _asked: Asked) -> Sent:
    fields = intent.fields
    return writes.create_channel(
        fields.get("title", ""),
        visibility=fields.get("visibility") or "closed",
        description=fields.get("description"),
        metadata=marked(intent, fields.get("metadata")),
    )


def _edit_channel(writes: Writes, intent: Intent, outbox: Outbox, _asked: Asked) -> Sent:
    change: Any = wished(intent)
    return writes.update_channel(number_of(outbox, intent.object_id), **change)


def _delete_channel(writes: Writes, intent: Intent, outbox: Outbox, _asked: Asked) -> Sent:
    return writes.delete_channel(number_of(outbox, intent.object_id))


def _connect(writes: Writes, intent: Intent, outbox: Outbox, asked: Asked) -> Sent:
    fields = intent.fields
    item = outbox.canonical(str(fields.get("item")))
    return writes.connect(
        number_of(outbox, item),
        "Channel" if item.startswith("channel:") else "Block",
        number_of(outbox, fields.get("channel")),
        position=asked.positions.get(intent.object_id),
        metadata=marked(intent, fields.get("metadata")),
    )


def _disconnect(writes: Writes, intent: Intent, outbox: Outbox, _asked: Asked) -> Sent:
    return writes.disconnect(number_of(outbox, intent.object_id))


def _move(writes: Writes, intent: Intent, outbox: Outbox, asked: Asked) -> Sent:
    place = intent.fields.get("place")
    to = place if place in {"top", "bottom"} else asked.positions[intent.object_id]
    return writes.move(number_of(outbox, intent.object_id), to)


def _comment(writes: Writes, intent: Intent, outbox: Outbox, _asked: Asked) -> Sent:
    return writes.create_comment(number_of(outbox, intent.fields.get("block")), intent.fields.get("body", ""))


_CALLS: dict[str, Callable[[Writes, Intent, Outbox, Asked], Sent]] = {
    "block.drafted": _draft_block,
    "block.edited": _edit_block,
    "channel.drafted": _draft_channel,
    "channel.edited": _edit_channel,
    "channel.deleted": _delete_channel,
    "connection.made": _connect,
    "connection.unmade": _disconnect,
    "connection.moved": _move,
    "comment.drafted": _comment,
}
