"""The opposite of a wish that went out: what to wish so that things show as they did before.

Owns: one rule for each kind of wish.
Guarantees: nothing is wished that shows already. What are.na cannot take back is a refusal; what it takes
back only in part, or for good, is a note that a person has to agree to.
Leaves to others: which wishes went out (`undo`).
Checked by: `tests/sync/test_undo.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from vfdir_lab.errors import UsageError
from vfdir_lab.event import Event
from vfdir_lab.sync.intents import edited, spot, unmade
from vfdir_lab.sync.normalise import Fields
from vfdir_lab.sync.outbox import Intent
from vfdir_lab.sync.places import BOTTOM, TOP
from vfdir_lab.sync.visible import Connected, Visible
from vfdir_lab.sync.wish import Handle, Ref, Wish, new_wish


@dataclass(frozen=True, slots=True, kw_only=True)
class Opposite:
    """What takes wishes back: other wishes, `notes` a person has to agree to, and `refusals`."""

    wishes: tuple[Wish, ...] = ()
    notes: tuple[str, ...] = ()
    refusals: tuple[str, ...] = ()


def opposite_of(visible: Visible, intents: Sequence[Intent]) -> Opposite:
    """What takes these back, the newest first; `visible` takes in what is wished."""
    found: list[Opposite] = []
    for intent in intents:
        one = _RULES[intent.kind](visible, intent)
        for wish in one.wishes:
            for part in wish.parts:
                visible.add(part)
        found.append(one)
    return Opposite(
        wishes=tuple(wish for one in found for wish in one.wishes),
        notes=tuple(note for one in found for note in one.notes),
        refusals=tuple(refusal for one in found for refusal in one.refusals),
    )


def _of_edit(visible: Visible, intent: Intent) -> Opposite:
    """The values that showed before."""
    try:
        shown = visible.item(intent.object_id)
    except UsageError:
        return Opposite()  # what is gone needs no earlier title
    old = _within(intent, "base") | _within(intent, "before")
    wished = {field: value for field, value in old.items() if field in intent.fields}
    if not isinstance(wished.get("metadata", {}), dict):
        del wished["metadata"]
    change = shown.differing(wished)
    return Opposite(wishes=(edited(shown, change),)) if change else Opposite()


def _within(intent: Intent, name: str) -> Fields:
    """An object of the payload; another device's may hold anything in its place."""
    found = intent.fields.get(name)
    return dict(found) if isinstance(found, dict) else {}


def _of_made(visible: Visible, intent: Intent) -> Opposite:
    return Opposite(wishes=_unmade(visible, intent.events))


def _of_block(visible: Visible, intent: Intent) -> Opposite:
    wishes = _unmade(visible, [event for event in intent.events if event.kind == "connection.made"])
    if not wishes:
        return Opposite()
    block = visible.block(intent.object_id)
    name = f"the block {title!r}" if (title := block.fields.get("title")) else str(block.ref)
    note = f"{name} goes out of its channels, and stays on are.na, which deletes no blocks"
    return Opposite(wishes=wishes, notes=(note,))


def _unmade(visible: Visible, made: Sequence[Event]) -> tuple[Wish, ...]:
    """The connections out again, those that are there."""
    found: list[Wish] = []
    for event in made:
        try:
            found.append(unmade(visible, event.object_id))
        except UsageError:
            continue  # somebody else took it out
    return tuple(found)


def _of_unmade(visible: Visible, intent: Intent) -> Opposite:
    """The item in again, where it was, under a new connection: are.na has no other way."""
    channel, item = str(intent.fields.get("channel")), str(intent.fields.get("item"))
    try:
        into, put = visible.channel(channel).ref, visible.item(item).ref
    except UsageError as error:
        return Opposite(refusals=(str(error),))
    fields = {"channel": into, "item": put} | _back(visible, into, intent.fields.get("place"))
    connection = Handle("connection", f"{put} in {into}")
    return Opposite(wishes=(new_wish(("connection.made", connection, fields)),))


def _of_moved(visible: Visible, intent: Intent) -> Opposite:
    """The item back to where it was."""
    try:
        found = visible.connection(intent.object_id)
    except UsageError:
        return Opposite()  # somebody else took it out
    now = visible.row(found.channel).above(found.connection)
    old = _back(visible, found.channel, _within(intent, "base").get("place"))
    if old["place"] in (now, found.connection):
        return Opposite()
    return Opposite(wishes=(_moved(found, now, old),))


def _moved(found: Connected, now: Ref, place: Fields) -> Wish:
    fields = {"channel": found.channel, "base": {"place": now}} | place
    return new_wish(("connection.moved", found.connection, fields))


def _back(visible: Visible, channel: Ref, place: Any) -> Fields:
    """An earlier place; on top where what it was right below is not there any more."""
    if place in (TOP, BOTTOM):
        return spot(visible, channel, place)
    anchor = visible.stand_in(channel, place) if isinstance(place, str) else None
    return spot(visible, channel, TOP if anchor is None else anchor)


def _of_channel(visible: Visible, intent: Intent) -> Opposite:
    try:
        channel = visible.channel(intent.object_id)
    except UsageError:
        return Opposite()  # somebody else deleted it
    title = channel.fields.get("title")
    note = f"the channel {title!r} is deleted for good; what is in it stays on are.na"
    return Opposite(wishes=(new_wish(("channel.deleted", channel.ref, {})),), notes=(note,))


def _of_deleted(_visible: Visible, intent: Intent) -> Opposite:
    return Opposite(refusals=(f"{intent.object_id} was deleted, and are.na brings no channel back",))


def _of_comment(_visible: Visible, intent: Intent) -> Opposite:
    block = intent.fields.get("block")
    return Opposite(refusals=(f"the comment on {block} was sent: delete it on are.na if it must go",))


_RULES: MappingProxyType[str, Callable[[Visible, Intent], Opposite]] = MappingProxyType(
    {
        "block.edited": _of_edit,
        "channel.edited": _of_edit,
        "connection.made": _of_made,
        "block.drafted": _of_block,
        "connection.unmade": _of_unmade,
        "connection.moved": _of_moved,
        "channel.drafted": _of_channel,
        "channel.deleted": _of_deleted,
        "comment.drafted": _of_comment,
    }
)
