"""What shows, object by object, against the projections of the mirror and with wishes over it."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from drafting import Desk, ordered
from hypothesis import given, settings
from hypothesis import strategies as st

from vfdir_lab.archive import Archive
from vfdir_lab.errors import UsageError
from vfdir_lab.event import Draft
from vfdir_lab.projection.catalogue import shipped
from vfdir_lab.projection.lens import Lens
from vfdir_lab.sandbox import Sandbox
from vfdir_lab.sync.outbox import Outbox
from vfdir_lab.sync.transaction import Transaction
from vfdir_lab.sync.visible import Visible, mirror_lens


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "archive")


def test_without_wishes_it_is_the_mirror(archive: Archive, sandbox: Sandbox) -> None:
    """Every block, channel and connection of a pulled world, against version 2 of the projections."""
    world = sandbox.world
    numbers = sorted(one.id for one in world.channels.values() if one.visibility != "private")[:6]
    archive.pull(*numbers)
    blocks = Lens(name="blocks", definitions=(shipped()["blocks", 2],))
    visible = Visible(archive.engine, Outbox(archive.log, archive.engine))
    rows = archive.engine.arrow("SELECT * FROM blocks ORDER BY object_id LIMIT 60", lens=blocks).to_pylist()
    assert len({row["type"] for row in rows}) > 3
    for row in rows:
        shown = visible.block(row["object_id"])
        for field in ("type", "title", "description", "content"):
            assert shown.fields[field] == row[field], (row["object_id"], field)
        assert shown.fields["metadata"] == json.loads(row["metadata"] or "{}")
        assert not shown.wished
    channels = archive.engine.arrow("SELECT * FROM channels", lens=mirror_lens()).to_pylist()
    for row in channels:
        shown = visible.channel(row["object_id"])
        for field in ("title", "description", "visibility"):
            assert shown.fields[field] == row[field], (row["object_id"], field)
    found = archive.engine.arrow(
        "SELECT channel, list(object_id ORDER BY position) AS held, list(item ORDER BY position) AS items "
        "FROM connections GROUP BY channel ORDER BY channel",
        lens=mirror_lens(),
    ).to_pylist()
    assert len(found) == len(numbers)
    for row in found:
        shown_row = visible.row(row["channel"])
        assert ordered(shown_row) == row["held"]
        assert [shown_row.items[one] for one in row["held"]] == row["items"]
        assert visible.connection(row["held"][0]).channel == row["channel"]


WISHES: dict[str, Callable[[Transaction], Any]] = {
    "title": lambda tx: tx.edit("block:1", title="A"),
    "no title": lambda tx: tx.edit("block:1", title=None, metadata={"n": 1}),
    "metadata": lambda tx: tx.edit("block:1", metadata={"n": None, "m": "2"}),
    "channel": lambda tx: tx.edit_channel(1, title="C", description="d"),
    "block": lambda tx: tx.add_block(1, "hello", title="T", after="connection:1001"),
    "nested": lambda tx: tx.connect(tx.add_channel("New"), 1),
    "connect": lambda tx: tx.connect("block:2", 1),
    "disconnect": lambda tx: tx.disconnect("connection:1003"),
    "top": lambda tx: tx.move("connection:1001", to="top"),
    "bottom": lambda tx: tx.move("connection:1002", to="bottom"),
    "delete": lambda tx: tx.delete_channel(2, yes=True),
}
HISTORIES = st.lists(
    st.tuples(
        st.lists(st.sampled_from(sorted(WISHES)), min_size=1, max_size=3),
        st.sampled_from(["committed", "sent", "accepted", "bound", "rejected", "cancelled", "requeued"]),
        st.booleans(),
    ),
    max_size=5,
)


@settings(max_examples=settings().max_examples // 20)  # each sets up all projections
@given(HISTORIES)
def test_with_wishes_it_is_version_1_of_the_projections(
    history: list[tuple[list[str], str, bool]],
) -> None:
    """Also where another device has read the channel since, so that ranks of older wishes do not count."""
    with tempfile.TemporaryDirectory() as folder:
        desk = Desk(Path(folder) / "archive")
        desk.show_channel(2, ["block:9"], title="Inside")
        desk.show_channel(1, ["block:1", "block:2", "block:3", "channel:2"])
        for number, (names, state, is_read_anew) in enumerate(history):
            commit(desk, names, state, number)
            if is_read_anew:
                read_elsewhere(desk, Path(folder) / f"other{number}")
        visible = desk.visible()
        rows = desk.engine.arrow("SELECT * FROM blocks").to_pylist()
        for row in rows:
            shown = visible.block(row["object_id"])
            assert {key: shown.fields.get(key) for key in ("title", "description", "content")} == {
                key: row[key] for key in ("title", "description", "content")
            }
            assert (shown.fields.get("metadata") or {}) == json.loads(row["metadata"] or "{}")
        for row in desk.engine.arrow("SELECT * FROM channels").to_pylist():
            fields = visible.channel(row["object_id"]).fields
            assert [fields[key] for key in ("title", "visibility")] == [row["title"], row["visibility"]]
        order = desk.engine.arrow(
            "SELECT object_id, item FROM connections WHERE channel = 'channel:1' ORDER BY position"
        ).to_pylist()
        shown_row = visible.row("channel:1")
        assert [(one, shown_row.items[one]) for one in ordered(shown_row)] == [
            (row["object_id"], row["item"]) for row in order
        ]


def commit(desk: Desk, names: list[str], state: str, number: int) -> None:
    """A transaction of these wishes that make sense by now, and what came of it."""
    with desk.transaction() as tx:
        for name in names:
            with suppress(UsageError):
                WISHES[name](tx)
    if tx.id is None or state == "committed":
        return
    desk.answer(tx.id, "accepted" if state == "bound" else state)
    if state == "bound":
        handles = [one for made in tx.made for one in (made, *made.connections)]
        for place, handle in enumerate(handles):
            remote = f"{handle.space}:{7000 + number * 100 + place}"
            desk.record(Draft(kind="object.bound", object_id=handle.id, payload={"remote": remote}))


def read_elsewhere(desk: Desk, folder: Path) -> None:
    """Another device reads channel 1 through, and its ranks come here."""
    other = Desk(folder, desk.copy.sky)
    other.copy.merge(desk.copy)
    other.show_channel(1, ["block:1", "block:2", "block:3", "channel:2"])
    desk.copy.merge(other.copy)


def test_the_alt_text_of_a_picture_is_where_are_na_has_it(desk: Desk) -> None:
    desk.show_channel(1, [])
    desk.observe("block:5", type="Image", image={"src": "https://example.org/a.png", "alt_text": "a wave"})
    with desk.transaction() as tx:
        tx.edit("block:5", alt_text="a great wave")
    (edit,) = desk.events("block.edited")
    assert edit.fields["base"] == {"alt_text": "a wave"}
    assert desk.visible().block("block:5").fields["alt_text"] == "a great wave"


def test_a_wish_that_came_to_nothing_shows_what_the_mirror_shows_now(desk: Desk) -> None:
    desk.show_channel(1, ["block:1"])
    with desk.transaction() as tx:
        tx.edit("block:1", title="Mine")
    desk.observe("block:1", title="Theirs")
    assert desk.visible().block("block:1").fields["title"] == "Mine"
    desk.answer(tx.id, "rejected", reason="no")
    assert desk.visible().block("block:1").fields["title"] == "Theirs"


@pytest.mark.parametrize("state", ["rejected", "cancelled"])
def test_a_draft_that_came_to_nothing_takes_its_places_along(desk: Desk, state: str) -> None:
    desk.show_channel(1, ["block:1"])
    with desk.transaction() as tx:
        block = tx.add_block(1, "hello")
    with desk.transaction() as later:
        later.connect(block, 1)
    assert desk.items() == ["block:1", block.id, block.id]
    desk.answer(tx.id, state, reason="no")
    assert desk.items() == ["block:1"]
    with pytest.raises(UsageError, match=f"there is no {block.id} in this archive"):
        desk.visible().block(block)


def test_once_are_na_has_it_the_wish_is_that_row(desk: Desk) -> None:
    """Seen by a pull before its answer is known: by the block of the same intent, or by the mark."""
    desk.show_channel(1, ["block:1"])
    with desk.transaction() as tx:
        block = tx.add_block(1, "hello", title="T")
        connection = tx.connect("block:1", 1)
    drafting, connecting = (one.intent for one in desk.intents(tx.id))
    desk.observe("block:7", type="Text", title="T", content={"markdown": "hello"})
    desk.record(Draft(kind="object.bound", object_id=block.id, payload={"remote": "block:7"}))
    desk.observe("connection:70", channel="channel:1", item="block:7", rank="a5")
    desk.observe(
        "connection:71", channel="channel:1", item="block:1", rank="a6", metadata={"vfdir_tx": connecting}
    )
    assert drafting != connecting
    visible = desk.visible()
    assert ordered(visible.row("channel:1")) == ["connection:1001", "connection:70", "connection:71"]
    assert visible.canonical(connection.id) == "connection:71"
    assert visible.connection(block.connections[0]).connection == "connection:70"
    assert visible.block(block).ref == "block:7"


def test_wished_fields_go_over_what_are_na_has_and_foreseen_ones_do_not(desk: Desk) -> None:
    desk.show_channel(1, [])
    with desk.transaction() as tx:
        block = tx.add_block(1, "https://example.org/a.png", title="Mine", metadata={"a": 1})
    desk.record(Draft(kind="object.bound", object_id=block.id, payload={"remote": "block:7"}))
    desk.observe("block:7", type="Image", title="a.png", metadata={"b": 2})
    shown = desk.visible().block(block)
    assert shown.fields | {"metadata": {}} == {
        "type": "Image",
        "title": "Mine",
        "description": None,
        "content": None,
        "alt_text": None,
        "metadata": {},
    }
    assert shown.fields["metadata"] == {"a": 1, "b": 2}
    assert shown.wished == {"title", "metadata"}


def test_what_is_deleted_or_taken_out_does_not_show(desk: Desk) -> None:
    desk.show_channel(2, ["block:2"], title="Inside")
    _, inner = desk.show_channel(1, ["block:1", "channel:2"])
    with desk.transaction() as tx:
        tx.delete_channel("tides-2", yes=True)
        with pytest.raises(UsageError, match="there is no connection"):
            tx.disconnect(inner)
        with pytest.raises(UsageError, match="there is no channel:2"):
            tx.add_block(2, "too late")
    assert desk.items() == ["block:1"]
    desk.answer(tx.id, "cancelled", reason="withdrawn")
    assert desk.items() == ["block:1", "channel:2"]


def test_what_vanished_is_not_there_and_what_came_back_is(desk: Desk) -> None:
    desk.show_channel(1, ["block:1"])
    desk.vanish("block:1")
    with pytest.raises(UsageError, match="there is no block:1"):
        desk.visible().block("block:1")
    desk.observe("block:1", title="Back")
    assert desk.visible().block("block:1").fields["title"] == "Back"


@pytest.mark.parametrize(
    ("given", "stored", "differs"),
    [
        (True, 1, True),
        (1, 1.0, True),
        (1, 1, False),
        (None, None, False),
        ("", None, False),
        ("a", "b", True),
    ],
)
def test_what_differs_is_what_json_would_spell_differently(given: Any, stored: Any, differs: bool) -> None:
    from vfdir_lab.sync.shown import Shown

    fields = {"title": stored, "metadata": {"k": stored}}
    shown = Shown(space="block", ref="block:1", mirror=fields, fields=fields, wished=frozenset())
    assert bool(shown.differing({"title": given})) is differs
    if given != "":
        assert bool(shown.differing({"metadata": {"k": given}})) is differs
