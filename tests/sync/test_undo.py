"""Undo and redo: what never went out is cancelled, of what did the opposite is wished."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from drafting import Desk

from vfdir_lab.errors import UsageError
from vfdir_lab.event import Draft


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path / "archive")
    desk.show_channel(1, ["block:1", "block:2", "block:3"])
    return desk


def edit(desk: Desk, title: str, block: str = "block:1") -> str:
    with desk.transaction(f"call it {title}") as tx:
        tx.edit(block, title=title)
    assert tx.id is not None
    return tx.id


def go_out(desk: Desk, tx: str | None, state: str = "settled") -> None:
    """Everything of a transaction was sent, and came to this."""
    desk.answer(tx, "sent")
    if state != "sent":
        desk.answer(tx, state)


def title(desk: Desk, block: str = "block:1") -> Any:
    return desk.visible().block(block).fields["title"]


def nothing(desk: Desk, said: str, *arguments: Any, **options: Any) -> None:
    """An undo is refused, and nothing is recorded."""
    before = desk.head()
    with pytest.raises(UsageError, match=said) as raised:
        desk.undo(*arguments, **options)
    assert "\n" not in str(raised.value)
    assert desk.head() == before


class TestNeverSent:
    def test_it_is_cancelled_and_the_undo_is_a_transaction_of_its_own(self, desk: Desk) -> None:
        tx = edit(desk, "A")
        (intent,) = (one.intent for one in desk.intents(tx))
        done = desk.undo()
        cancelled, committed = desk.wished()[-2:]
        assert (cancelled.kind, cancelled.object_id, cancelled.cause) == ("tx.cancelled", tx, done.tx)
        assert cancelled.fields == {"intent": intent, "reason": "undone"}
        assert (committed.kind, committed.object_id) == ("tx.committed", done.tx)
        assert committed.fields == {"label": "undo: call it A", "undoes": tx, "intents": []}
        assert (done.of, done.cancelled, done.wished, done.notes) == (tx, (intent,), (), ())
        assert str(done) == "undo: call it A: 1 cancelled"
        assert title(desk) == "Entry 1"

    def test_undo_goes_further_back_and_redo_forward(self, desk: Desk) -> None:
        transactions = [edit(desk, name) for name in "ABC"]
        assert [desk.undo().of for _ in range(3)] == transactions[::-1]
        assert title(desk) == "Entry 1"
        nothing(desk, "nothing to undo")
        assert [(desk.redo().label, title(desk)) for _ in range(3)] == [
            (f"redo: call it {name}", name) for name in "ABC"
        ]
        with pytest.raises(UsageError, match="nothing to redo"):
            desk.redo()

    def test_what_was_redone_can_be_undone_again(self, desk: Desk) -> None:
        edit(desk, "A")
        for _ in range(4):
            desk.undo()
            assert title(desk) == "Entry 1"
            done = desk.redo()
            assert done.label == "redo: call it A"
            assert title(desk) == "A"
        assert desk.undo(done.tx).label == "undo: call it A"

    def test_a_wish_again_is_about_the_same_objects_under_a_new_intent(self, desk: Desk) -> None:
        with desk.transaction() as tx:
            block = tx.add_block(1, "hello")
        desk.undo()
        assert desk.items() == ["block:1", "block:2", "block:3"]
        undone = desk.events("tx.committed")[-1].object_id
        desk.redo()
        drafts = desk.events("block.drafted")
        assert [event.object_id for event in drafts] == [block.id] * 2
        first, second = (event.fields for event in drafts)
        assert first.pop("intent") != second.pop("intent")
        assert first == second
        assert desk.events("tx.committed")[-1].fields["redoes"] == undone
        assert desk.items()[-1] == block.id

    def test_redo_is_over_once_something_else_is_committed(self, desk: Desk) -> None:
        edit(desk, "A")
        desk.undo()
        edit(desk, "B")
        with pytest.raises(UsageError, match="nothing to redo"):
            desk.redo()
        desk.undo()
        nothing(desk, "nothing to undo")

    def test_one_that_is_named_is_undone_out_of_turn(self, desk: Desk) -> None:
        first, second = edit(desk, "A"), edit(desk, "B", "block:2")
        assert desk.undo(first).of == first
        assert (title(desk), title(desk, "block:2")) == ("Entry 1", "B")
        assert desk.undo().of == second
        nothing(desk, "is undone already", first)

    def test_what_a_later_transaction_builds_on_is_not_taken_from_under_it(self, desk: Desk) -> None:
        with desk.transaction() as first:
            block = first.add_block(1, "hello")
        with desk.transaction() as second:
            second.edit(block, title="T")
        nothing(desk, f"{block.id} is what a later transaction \\({second.id}\\) builds on", first.id)
        desk.undo(second.id)
        desk.undo(first.id)
        assert not desk.open_wishes()

    def test_a_draft_and_a_comment_that_never_went_out_need_no_yes(self, desk: Desk) -> None:
        with desk.transaction() as tx:
            tx.add_channel("New")
            tx.comment(tx.add_block(1, "hello"), "so it is")
        assert len(desk.undo().cancelled) == 3
        assert not desk.open_wishes()

    def test_what_was_turned_away_at_the_door_never_went_out(self, desk: Desk) -> None:
        tx = edit(desk, "A")
        desk.answer(tx, "sent")
        desk.answer(tx, "requeued", reason="429")
        assert len(desk.undo().cancelled) == 1
        assert not desk.open_wishes()


class TestSent:
    @pytest.mark.parametrize("state", ["sent", "unknown", "accepted"])
    def test_an_edit_goes_back_to_what_was_visible(self, desk: Desk, state: str) -> None:
        """Visible, not what are.na showed: another wish was open when it was made."""
        edit(desk, "A")
        go_out(desk, edit(desk, "B"), state)
        done = desk.undo()
        assert (done.cancelled, len(done.wished)) == ((), 1)
        assert title(desk) == "A"
        fields = desk.events("block.edited")[-1].fields
        assert (fields["base"], fields["before"]) == ({"title": "Entry 1"}, {"title": "B"})

    def test_a_settled_edit_goes_back_to_what_are_na_showed(self, desk: Desk) -> None:
        desk.observe("block:1", metadata={"keep": 1, "old": 2})
        with desk.transaction() as tx:
            tx.edit("block:1", title=None, metadata={"old": None, "new": 3})
        desk.observe("block:1", title=None, metadata={"keep": 1, "new": 3})
        go_out(desk, tx.id)
        desk.undo()
        fields = desk.events("block.edited")[-1].fields
        assert (fields["title"], fields["metadata"]) == ("Entry 1", {"old": 2, "new": None})
        assert fields["base"] == {"title": None, "metadata": {"old": None, "new": 3}}

    def test_what_somebody_else_put_back_already_needs_no_wish(self, desk: Desk) -> None:
        go_out(desk, edit(desk, "A"))
        done = desk.undo()
        assert done.wished == ()
        assert str(done) == "undo: call it A: nothing had to be done"
        assert desk.events("tx.committed")[-1].fields["intents"] == []

    def test_in_is_out_again(self, desk: Desk) -> None:
        desk.observe("block:4", title="Four")
        with desk.transaction() as tx:
            made = tx.connect("block:4", 1, after="connection:1002")
        go_out(desk, tx.id, "accepted")
        desk.undo()
        unmade = desk.events("connection.unmade")[-1]
        assert unmade.object_id == made.id
        fields = unmade.fields
        assert (fields["channel"], fields["item"], fields["place"]) == (
            "channel:1",
            "block:4",
            "connection:1002",
        )

    @pytest.mark.parametrize("which", [1, 2, 3])
    def test_out_is_in_again_where_it_was(self, desk: Desk, which: int) -> None:
        with desk.transaction() as tx:
            tx.disconnect(f"connection:100{which}")
        desk.vanish(f"connection:100{which}")
        go_out(desk, tx.id)
        assert len(desk.items()) == 2
        desk.undo()
        assert desk.items() == ["block:1", "block:2", "block:3"]
        assert ":~" in desk.events("connection.made")[-1].object_id

    def test_places_are_found_again_by_what_was_put_in_again(self, desk: Desk) -> None:
        """The neighbour that a move went away from is put back under another connection first."""
        with desk.transaction() as tx:
            tx.move("connection:1002", to="bottom")
            tx.disconnect("connection:1003")
        desk.vanish("connection:1003")
        go_out(desk, tx.id, "accepted")
        desk.undo()
        assert desk.items() == ["block:1", "block:2", "block:3"]

    def test_in_again_goes_on_top_where_its_neighbour_is_gone(self, desk: Desk) -> None:
        with desk.transaction() as tx:
            tx.disconnect("connection:1001")
        desk.vanish("connection:1001")
        desk.vanish("connection:1002")
        go_out(desk, tx.id)
        desk.undo()
        assert desk.items() == ["block:3", "block:1"]

    @pytest.mark.parametrize("place", ["top", "bottom", "connection:1002"])
    def test_a_move_is_moved_back(self, desk: Desk, place: str) -> None:
        moved = "connection:1002" if place in ("top", "bottom") else "connection:1003"
        with desk.transaction() as tx:
            tx.move(moved, **({"to": place} if place in ("top", "bottom") else {"after": place}))
        before = desk.items()
        assert before != ["block:1", "block:2", "block:3"]
        go_out(desk, tx.id, "accepted")
        done = desk.undo()
        assert len(done.wished) == 1
        assert desk.items() == ["block:1", "block:2", "block:3"]
        assert desk.redo().cancelled == done.wished
        assert desk.items() == before

    def test_a_block_stays_on_are_na_and_that_takes_a_yes(self, desk: Desk) -> None:
        with desk.transaction("add") as tx:
            block = tx.add_block([1, tx.add_channel("Mine")], "hello", title="Greeting")
        draft = next(one for one in desk.intents(tx.id) if one.kind == "block.drafted")
        channel = next(one for one in desk.intents(tx.id) if one.kind == "channel.drafted")
        for one in (draft, channel):
            desk.record(Draft(kind="tx.sent", object_id=str(tx.id), payload={"intent": one.intent}))
        nothing(desk, "the block 'Greeting' goes out of its channels, and stays on are.na.*yes=True")
        done = desk.undo(yes=True)
        assert len(done.wished) == 3
        assert len(done.notes) == 2
        assert "stays on are.na" in str(done)
        unmade = [event.object_id for event in desk.events("connection.unmade")]
        assert unmade == [one.id for one in block.connections]
        assert desk.events("channel.deleted")[0].object_id == tx.made[0].id
        assert len({event.fields["intent"] for event in desk.wished()[-4:-1]}) == 3
        assert desk.items() == ["block:1", "block:2", "block:3"]

    def test_a_deleted_channel_does_not_come_back(self, desk: Desk) -> None:
        with desk.transaction() as tx:
            tx.delete_channel(1, yes=True)
            tx.add_channel("Other")
        go_out(desk, tx.id, "accepted")
        nothing(desk, "channel:1 was deleted, and are.na brings no channel back", yes=True)

    def test_a_comment_is_said(self, desk: Desk) -> None:
        with desk.transaction() as tx:
            tx.edit("block:2", title="x")
            tx.comment("block:1", "so it is")
        go_out(desk, tx.id, "sent")
        nothing(desk, "the comment on block:1 was sent")

    def test_what_has_partly_gone_out_is_partly_cancelled(self, desk: Desk) -> None:
        with desk.transaction() as tx:
            tx.edit("block:1", title="A")
            tx.edit("block:2", title="B")
        first, second = (one.intent for one in desk.intents(tx.id))
        desk.record(Draft(kind="tx.sent", object_id=str(tx.id), payload={"intent": first}))
        done = desk.undo()
        assert done.cancelled == (second,)
        assert len(done.wished) == 1
        assert (title(desk), title(desk, "block:2")) == ("Entry 1", "Entry 2")
        again = desk.redo()
        assert (again.cancelled, len(again.wished)) == (done.wished, 1)
        assert (title(desk), title(desk, "block:2")) == ("A", "B")

    @pytest.mark.parametrize("state", ["rejected", "superseded", "cancelled"])
    def test_what_came_to_nothing_needs_nothing(self, desk: Desk, state: str) -> None:
        first, second = edit(desk, "A"), edit(desk, "B", "block:2")
        desk.answer(second, state)
        nothing(desk, "nothing of tx:.* is left to undo", second)
        assert desk.undo().of == first

    def test_what_was_made_is_taken_back_though_somebody_changed_it_since(self, desk: Desk) -> None:
        with desk.transaction() as tx:
            block = tx.add_block(1, "hello", title="T")
        desk.record(
            Draft(kind="object.bound", object_id=block.id, payload={"remote": "block:7"}),
            Draft(
                kind="object.bound", object_id=block.connections[0].id, payload={"remote": "connection:70"}
            ),
        )
        desk.observe("block:7", type="Text", title="Theirs", content={"markdown": "hello"})
        desk.observe("connection:70", channel="channel:1", item="block:7", rank="a5")
        go_out(desk, tx.id, "superseded")
        assert len(desk.undo(yes=True).wished) == 1
        assert desk.items() == ["block:1", "block:2", "block:3"]

    def test_a_block_that_is_in_no_channel_any_more_needs_no_yes(self, desk: Desk) -> None:
        with desk.transaction() as tx:
            tx.add_block(1, "hello")
        go_out(desk, tx.id)
        assert desk.undo().notes == ()

    def test_an_undo_that_went_out_is_redone_by_its_opposite(self, desk: Desk) -> None:
        go_out(desk, edit(desk, "A"), "accepted")
        done = desk.undo()
        desk.answer(done.tx, "sent")
        assert title(desk) == "Entry 1"
        again = desk.redo()
        assert (again.cancelled, len(again.wished)) == ((), 1)
        assert title(desk) == "A"


class TestWhich:
    def test_only_this_devices_transactions_are_found_without_a_name(
        self, desk: Desk, tmp_path: Path
    ) -> None:
        there = Desk(tmp_path / "there", desk.copy.sky)
        there.copy.merge(desk.copy)
        theirs = edit(there, "Theirs", "block:2")
        desk.copy.merge(there.copy)
        nothing(desk, "nothing to undo")
        ours = edit(desk, "Ours")
        assert desk.undo().of == ours
        device = there.events("tx.committed")[0].device
        nothing(desk, f"is for device {device} to send.*adopt {device}", theirs)
        desk.answer(theirs, "settled")
        desk.observe("block:2", title="Theirs")
        assert desk.undo(theirs).of == theirs
        assert title(desk, "block:2") == "Entry 2"

    def test_what_this_device_has_taken_over_is_its_own(self, desk: Desk, tmp_path: Path) -> None:
        there = Desk(tmp_path / "there", desk.copy.sky)
        there.copy.merge(desk.copy)
        theirs = edit(there, "Theirs")
        (intent,) = (one.intent for one in there.intents(theirs))
        desk.copy.merge(there.copy)
        adopted = {"label": "call it Theirs", "intents": [intent], "adopts": "dev2"}
        desk.record(Draft(kind="tx.committed", object_id=theirs, payload=adopted))
        assert desk.undo().of == theirs
        assert title(desk) == "Entry 1"

    def test_an_unknown_transaction_and_an_undo(self, desk: Desk) -> None:
        edit(desk, "A")
        done = desk.undo()
        nothing(desk, "no transaction 'tx:404'", "tx:404")
        nothing(desk, "is an undo itself", done.tx)

    def test_what_a_person_withdrew_is_not_wished_again_by_a_redo(self, desk: Desk) -> None:
        """Withdrawing is no undo, though it leaves the same event behind."""
        with desk.transaction() as tx:
            tx.edit("block:1", title="A")
            tx.edit("block:2", title="B")
        first, _ = (one.intent for one in desk.intents(tx.id))
        withdrawn = {"intent": first, "reason": "withdrawn"}
        desk.record(Draft(kind="tx.cancelled", object_id=str(tx.id), payload=withdrawn, cause=tx.id))
        assert len(desk.undo().cancelled) == 1
        assert len(desk.redo().wished) == 1
        assert (title(desk), title(desk, "block:2")) == ("Entry 1", "B")


HOSTILE: dict[str, dict[str, Any]] = {
    "block.edited": {"title": 7, "metadata": "x", "base": "y", "before": [1]},
    "block.drafted": {"metadata": 7, "title": {"a": 1}, "file": None},
    "channel.edited": {"title": None, "base": {"title": 3, "metadata": 4}, "metadata": {}},
    "channel.drafted": {},
    "connection.made": {"channel": "channel:1", "rank": 5},
    "connection.unmade": {"channel": 5, "item": None},
    "connection.moved": {"channel": "channel:1", "rank": 5, "base": "x", "place": 9},
    "comment.drafted": {},
}


@pytest.mark.parametrize("state", ["committed", "settled"])
@pytest.mark.parametrize("kind", HOSTILE)
def test_what_another_program_recorded_badly_does_no_harm(desk: Desk, kind: str, state: str) -> None:
    """A wish that says nonsense: others go on, and taking it back ends in a word or an undo."""
    about = {
        "block": "block:1",
        "channel": "channel:1",
        "connection": "connection:1001",
        "comment": "comment:5",
    }
    identifier = about[kind.partition(".")[0]]
    desk.record(
        Draft(kind=kind, object_id=identifier, payload=HOSTILE[kind] | {"intent": "i"}, cause="tx:bad"),
        Draft(kind="tx.committed", object_id="tx:bad", payload={"intents": ["i", 7], "label": 9}),
    )
    if state != "committed":
        desk.answer("tx:bad", state)
    with desk.transaction() as tx:
        tx.edit("block:2", title="A")
        tx.add_block(1, "hello")
        tx.move("connection:1003", to="bottom")
    assert tx.id is not None
    try:
        desk.undo("tx:bad", yes=True)
    except UsageError as error:
        assert "\n" not in str(error)  # noqa: PT017
    assert desk.undo().of == tx.id
