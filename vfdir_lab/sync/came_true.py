"""Whether are.na shows what was wished: the fields of a wish, found in an answer.

Pure. Checked by: `tests/sync/test_came_true.py`.
"""

from __future__ import annotations

from typing import Any

from vfdir_lab.arena import means_the_same
from vfdir_lab.sync.normalise import Fields
from vfdir_lab.sync.outbox import Intent, Outbox
from vfdir_lab.sync.plan import wished

TRIED = frozenset({"sent", "unknown", "accepted", "settled"})
"""The states of a wish that may have reached are.na, and was not refused there."""

_INSIDE = {
    "alt_text": ("image", "alt_text"),
    "original_source_url": ("source", "url"),
    "original_source_title": ("source", "title"),
}
_DRAFTED = ("title", "description", "metadata", "visibility", "alt_text", "original_source_url")


def value_in(fields: Fields, name: str) -> Any:
    """What an answer of are.na's shows of a field that can be wished."""
    if name not in _INSIDE:
        return fields.get(name)
    outer, inner = _INSIDE[name]
    within = fields.get(outer)
    return within.get(inner) if isinstance(within, dict) else None


def wanted(intent: Intent) -> Fields:
    """The fields that a wish sets, by are.na's names for writing.

    Of a new block, only what was said of it: what are.na makes of an address or a file is its own affair.
    """
    if intent.kind == "comment.drafted":
        return {"body": intent.fields.get("body")}
    if intent.kind not in {"block.drafted", "channel.drafted"}:
        return wished(intent)
    found = {name: intent.fields[name] for name in _DRAFTED if intent.fields.get(name) is not None}
    if intent.fields.get("type") == "Text" and "value" in intent.fields:
        found["content"] = intent.fields["value"]
    return found


def differing(intent: Intent, fields: Fields, outbox: Outbox) -> Fields:
    """What are.na shows instead of what was wished, by field; empty where it shows the wish.

    A field that a later wish of our own sets anew is that wish's affair.
    """
    covered = _set_later(intent, outbox)
    if fields.get("type") == "PendingBlock":
        covered |= _INSIDE.keys()  # are.na is still making the picture and the source
    return {
        name: value_in(fields, name)
        for name, value in wanted(intent).items()
        if name not in covered and not means_the_same(name, value, value_in(fields, name))
    }


def _set_later(intent: Intent, outbox: Outbox) -> set[str]:
    """The fields of the same object that wishes committed later set, and that may have reached are.na."""
    about = outbox.canonical(intent.object_id)
    return {
        name
        for later in outbox.intents()
        if later.events[0].order > intent.events[0].order
        and later.state in TRIED
        and later.kind.endswith(".edited")
        and outbox.canonical(later.object_id) == about
        for name in wished(later)
    }
