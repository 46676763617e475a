"""Law 6, no flicker: what was wished shows once, from that moment until it is settled and after.

With nobody else writing and nothing refused; whatever happens on the way, at every head.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stories import HERE, MIRROR, THERE, Part, Shown, Story, intent_id

ITEMS = 3
Rows = dict[str, list[dict[str, Any]]]
TX = "tx:t1"
MARK = {"metadata": {"vfdir_tx": intent_id(1)}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A wish: its events, how a device sees it done, the names it gives, and whether it shows."""

    parts: list[Part]
    see: Callable[[Story, str], object]
    shows: Callable[[Rows], bool]
    names: tuple[tuple[str, str], ...] = ()


@pytest.fixture(scope="module")
def predicted() -> Iterator[Shown]:
    shown = Shown()
    yield shown
    shown.close()


def of(rows: Rows, name: str, **values: Any) -> list[dict[str, Any]]:
    return [row for row in rows[name] if all(row[key] == value for key, value in values.items())]


def an_edit(_story: Story) -> Wish:
    fields = {"title": "Neap tide", "content": "new"}
    return Wish(
        parts=[("block.edited", "block:1", {**fields, "base": {"title": "Tide 1", "content": "text 1"}})],
        see=lambda story, device: story.see(
            "block:1", device=device, title="Neap tide", content={"markdown": "new"}
        ),
        shows=lambda rows: len(of(rows, "blocks", object_id="block:1", **fields)) == 1,
    )


def a_clearing(_story: Story) -> Wish:
    return Wish(
        parts=[("channel.edited", "channel:1", {"title": None, "metadata": {"kept": None, "mood": "calm"}})],
        see=lambda story, device: story.see(
            "channel:1", device=device, title=None, metadata={"mood": "calm"}
        ),
        shows=lambda rows: (
            [json.loads(row["metadata"]) for row in of(rows, "channels", title=None, length=ITEMS)]
            == [{"mood": "calm"}]
        ),
    )


def a_new_block(story: Story) -> Wish:
    block, connection = f"block:~{HERE}.{story.next()}", f"connection:~{HERE}.{story.next() + 1}"

    def see(told: Story, device: str) -> None:
        told.together().see("block:70", device=device, type="Text", title="Mine", content="x", **MARK)
        rank = "a9" if device == HERE else "b1"
        told.see("connection:71", device=device, channel="channel:1", item="block:70", rank=rank).apart()

    def shows(rows: Rows) -> bool:
        ids = {row["object_id"] for row in of(rows, "blocks", title="Mine", content="x")}
        top = of(rows, "connections", channel="channel:1", position=ITEMS + 1)
        return (
            len(ids) == len(of(rows, "blocks", title="Mine")) == 1
            and {row["item"] for row in top} == ids
            and len(of(rows, "connections", channel="channel:1")) == ITEMS + 1
        )

    made = {"channel": "channel:1", "item": block, "place": "top", "rank": "a9", "leader": HERE}
    drafted = {"value": "x", "type": "Text", "content": "x", "title": "Mine"}
    return Wish(
        parts=[("block.drafted", block, drafted), ("connection.made", connection, made)],
        see=see,
        shows=shows,
        names=((block, "block:70"), (connection, "connection:71")),
    )


def a_new_channel(story: Story) -> Wish:
    local = f"channel:~{HERE}.{story.next()}"
    return Wish(
        parts=[("channel.drafted", local, {"title": "Deeps", "visibility": "private"})],
        see=lambda told, device: told.see(
            "channel:72", device=device, title="Deeps", visibility="private", slug="deeps", **MARK
        ),
        shows=lambda rows: (
            len(of(rows, "channels", title="Deeps", visibility="private"))
            == len(of(rows, "channels", title="Deeps"))
            == 1
        ),
        names=((local, "channel:72"),),
    )


def a_connection(story: Story) -> Wish:
    local = f"connection:~{HERE}.{story.next()}"
    made = {"channel": "channel:1", "item": "block:2", "place": "bottom", "rank": "a0", "leader": HERE}
    return Wish(
        parts=[("connection.made", local, made)],
        see=lambda told, device: told.see(
            "connection:73", device=device, channel="channel:1", item="block:2", rank="a0", **MARK
        ),
        shows=lambda rows: (
            len(of(rows, "connections", item="block:2", position=1)) == 1
            and len(of(rows, "connections", channel="channel:1")) == ITEMS + 1
        ),
        names=((local, "connection:73"),),
    )


def a_disconnection(_story: Story) -> Wish:
    return Wish(
        parts=[("connection.unmade", "connection:2", {"channel": "channel:1", "item": "block:2"})],
        see=lambda told, device: told.tell("connection.vanished", "connection:2", device=device),
        shows=lambda rows: (
            not of(rows, "connections", object_id="connection:2")
            and len(of(rows, "channels", object_id="channel:1", length=ITEMS - 1)) == 1
        ),
    )


def a_move(_story: Story) -> Wish:
    moved = {"channel": "channel:1", "place": "top", "rank": "a9", "leader": HERE}
    return Wish(
        parts=[("connection.moved", "connection:1", moved)],
        see=lambda told, device: told.tell(
            "connection.ranked", "connection:1", device=device, rank="a8" if device == HERE else "b1"
        ),
        shows=lambda rows: len(of(rows, "connections", object_id="connection:1", position=ITEMS)) == 1,
    )


def a_deletion(_story: Story) -> Wish:
    return Wish(
        parts=[("channel.deleted", "channel:1", {})],
        see=lambda told, device: told.tell("channel.vanished", "channel:1", device=device),
        shows=lambda rows: not rows["channels"] and not rows["connections"],
    )


WISHES: dict[str, Callable[[Story], Wish]] = {
    one.__name__: one
    for one in (
        *(an_edit, a_clearing, a_new_block, a_new_channel),
        *(a_connection, a_disconnection, a_move, a_deletion),
    )
}


def told(draw: Callable[..., Any], story: Story, wish: Wish) -> None:
    """The way of a wish from being sent to being settled, readings of are.na in between."""

    def readings() -> None:
        for device in draw(st.lists(st.sampled_from([HERE, THERE]), max_size=2)):
            wish.see(story, device)

    for turned_away in draw(st.lists(st.booleans(), max_size=2)):
        story.answer(TX, 1, "sent")
        if not turned_away:
            story.answer(TX, 1, "unknown", reason="no answer came")
        story.answer(TX, 1, "requeued", reason="not done")
    story.answer(TX, 1, "sent")
    readings()
    if draw(st.booleans()):
        story.answer(TX, 1, "unknown", reason="no answer came")
        readings()
    story.together()
    for local, remote in wish.names:
        story.bind(local, remote)
    story.answer(TX, 1, "accepted", status=200).apart()
    readings()
    settled = len(story.batches)
    wish.see(story, HERE)
    story.answer(TX, 1, "settled")
    story.batches[settled:] = [[event for batch in story.batches[settled:] for event in batch]]


@settings(max_examples=5)
@given(data=st.data(), lag=st.sampled_from([0, 40]))
@pytest.mark.parametrize("name", WISHES)
def test_what_was_wished_shows_once_at_every_head_until_it_is_settled_and_then(
    predicted: Shown, name: str, data: st.DataObject, lag: int
) -> None:
    """Also where the clock of another device that reads are.na is behind."""
    story = Story(lag=lag).channel(ITEMS)
    before = len(story.batches)
    assert not WISHES[name](story).shows(predicted.rows(story.events, *MIRROR))
    wish = WISHES[name](story)
    story.wish(TX, (1, wish.parts))
    told(data.draw, story, wish)
    for batches in range(before + 1, len(story.batches) + 1):
        shown = predicted.rows(story.upto(batches), *MIRROR)
        assert wish.shows(shown), f"{[event.kind for event in story.batches[batches - 1]]}: {shown}"
    pending = [row for name in MIRROR for row in shown[name] if row["pending"]]
    assert not pending
