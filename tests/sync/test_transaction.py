"""What a transaction records: all of it at once, in the payloads of decision 0013."""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from drafting import Desk
from hypothesis import given, settings
from hypothesis import strategies as st

from vfdir_lab.errors import LogLockedError, UsageError
from vfdir_lab.event import Event
from vfdir_lab.sync.order import between

HEX = re.compile(r"[0-9a-f]{32}")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "archive")


def payloads(events: list[Event], kind: str) -> list[dict[str, Any]]:
    return [event.fields for event in events if event.kind == kind]


def only(desk: Desk, kind: str) -> dict[str, Any]:
    """The payload of the one event of a kind, without its intent."""
    (fields,) = payloads(desk.wished(), kind)
    assert HEX.fullmatch(fields.pop("intent"))
    return fields


class TestRecording:
    def test_everything_is_one_append_with_the_commit_last(self, desk: Desk) -> None:
        desk.show_channel(1, ["block:1", "block:2"])
        before = len(desk.copy.segments())
        with desk.transaction("tidy") as tx:
            tx.edit("block:1", title="New")
            tx.add_block(1, "hello")
            assert len(desk.copy.segments()) == before
            assert tx.id is None
        assert len(desk.copy.segments()) == before + 1
        events = desk.wished()
        assert [event.kind for event in events] == [
            "block.edited",
            "block.drafted",
            "connection.made",
            "tx.committed",
        ]
        assert [event.seq for event in events] == list(range(events[0].seq, events[0].seq + 4))
        assert events[-1].object_id == tx.id
        edit, draft, made = (event.fields["intent"] for event in events[:3])
        assert draft == made != edit
        assert events[-1].fields == {"label": "tidy", "intents": [edit, draft]}
        assert {event.cause for event in events[:3]} == {tx.id}
        assert {event.origin for event in events} == {"dev1"}

    def test_nothing_is_recorded_when_the_body_raises(self, desk: Desk) -> None:
        desk.show_channel(1, ["block:1"])
        before = desk.copy.bytes()
        tx = desk.transaction()
        made = []

        def wish() -> None:
            with tx:
                made.append(tx.add_block(1, "hello"))
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            wish()
        assert desk.copy.bytes() == before
        assert tx.id is None
        with pytest.raises(UsageError, match="has no id before its transaction has ended"):
            _ = made[0].id

    def test_an_empty_body_records_nothing(self, desk: Desk) -> None:
        before = desk.copy.bytes()
        with desk.transaction("nothing") as tx:
            pass
        assert desk.copy.bytes() == before
        assert (tx.id, tx.made) == (None, ())

    def test_the_first_thing_a_device_ever_records_may_be_a_wish(self, desk: Desk) -> None:
        """The device says that it joined before: the ids count that."""
        with desk.transaction() as tx:
            channel = tx.add_channel("New")
        assert channel.id == "channel:~dev1.2"
        assert next(event.kind for event in desk.events()) == "device.joined"

    def test_a_local_id_is_the_seq_of_the_event_that_drafts_it(self, desk: Desk) -> None:
        desk.show_channel(1, [])
        with desk.transaction() as tx:
            channel = tx.add_channel("New")
            block = tx.add_block([1, channel], "hello")
            tx.comment(block, "so it is")
        born = {event.object_id: event for event in desk.wished() if ":~" in event.object_id}
        assert len(born) == 5
        for identifier, event in born.items():
            assert identifier == f"{event.kind.partition('.')[0]}:~dev1.{event.seq}"
        ids = {channel.id, block.id, *(one.id for one in block.connections), tx.made[-1].id}
        assert ids == set(born)

    def test_what_goes_wrong_with_the_log_is_raised_and_nothing_has_an_id(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        desk.show_channel(1, [])

        def locked() -> None:
            raise LogLockedError("another process is appending")

        tx = desk.transaction().__enter__()
        made = tx.add_block(1, "hello")
        monkeypatch.setattr(desk.log, "writing", locked)
        with pytest.raises(LogLockedError):
            tx.__exit__(None, None, None)
        assert tx.id is None
        assert not made.is_recorded

    def test_a_transaction_is_used_once(self, desk: Desk) -> None:
        desk.show_channel(1, ["block:1"])
        tx = desk.transaction()
        with pytest.raises(UsageError, match="has not begun"):
            tx.edit("block:1", title="x")
        with tx:
            tx.edit("block:1", title="x")
        with pytest.raises(UsageError, match="has ended"):
            tx.edit("block:1", title="y")
        with pytest.raises(UsageError, match="entered once"), tx:
            pass
        assert len(payloads(desk.wished(), "tx.committed")) == 1

    def test_ids_of_intents_and_transactions_are_never_given_twice(self, desk: Desk) -> None:
        desk.show_channel(1, [])
        for _ in range(20):
            with desk.transaction() as tx:
                tx.add_block(1, "a")
                tx.add_channel("b")
        commits = [event for event in desk.wished() if event.kind == "tx.committed"]
        intents = [one for event in commits for one in event.fields["intents"]]
        assert len(set(intents)) == len(intents) == 40
        assert len({event.object_id for event in commits}) == 20
        assert all(re.fullmatch(r"tx:[0-9a-f]{32}", event.object_id) for event in commits)


class TestHandles:
    def test_a_handle_stands_for_its_object_at_once(self, desk: Desk) -> None:
        desk.show_channel(1, ["block:1"])
        with desk.transaction() as tx:
            channel = tx.add_channel("New")
            assert str(channel) == "the new channel 'New'"
            block = tx.add_block(channel, "hello")
            tx.edit(block, title="Greeting")
            tx.connect(block, 1)
            tx.connect("block:1", channel, after=block.connections[0])
        assert desk.items(channel.id) == ["block:1", block.id]
        assert desk.items() == ["block:1", block.id]
        assert desk.visible().block(block.id).fields["title"] == "Greeting"
        assert tx.made[0] is channel
        assert str(channel) == channel.id

    def test_a_handle_goes_on_standing_for_it_in_later_transactions(self, desk: Desk) -> None:
        desk.show_channel(1, [])
        with desk.transaction() as tx:
            block = tx.add_block(1, "hello")
        with desk.transaction() as tx:
            tx.edit(block, title="Later")
        with desk.transaction() as tx:
            tx.edit(block.id, description="and by its id")
        assert desk.visible().block(block).fields["description"] == "and by its id"
        assert Counter(event.object_id for event in desk.events("block.edited")) == {block.id: 2}

    def test_a_local_id_stays_good_once_are_na_has_given_its_own(self, desk: Desk) -> None:
        from vfdir_lab.event import Draft

        connections = desk.show_channel(1, ["block:1"])
        with desk.transaction() as tx:
            block = tx.add_block(1, "hello")
        bound = {"kind": "object.bound", "cause": tx.id}
        desk.record(
            Draft(**bound, object_id=block.id, payload={"remote": "block:77"}),
            Draft(**bound, object_id=block.connections[0].id, payload={"remote": "connection:78"}),
        )
        desk.answer(tx.id, "accepted", status=201)
        with desk.transaction() as tx:
            tx.edit(block.id, title="By its first name")
            tx.edit("block:77", description="By are.na's")
            tx.move(connections[0], after=block.connections[0].id)
        assert desk.items() == ["block:1", "block:77"]
        moved = payloads(desk.wished(), "connection.moved")[0]
        assert moved["place"] == "connection:78"
        assert {event.object_id for event in desk.events("block.edited")} == {"block:77"}

    def test_a_handle_of_a_transaction_that_came_to_nothing_is_refused(self, desk: Desk) -> None:
        desk.show_channel(1, [])
        lost = desk.transaction().__enter__().add_block(1, "hello")
        with pytest.raises(UsageError, match="not of this transaction"), desk.transaction() as tx:
            tx.edit(lost, title="x")


class TestPayloads:
    def test_a_text(self, desk: Desk) -> None:
        (connection,) = desk.show_channel(1, ["block:1"])
        with desk.transaction() as tx:
            tx.add_block(
                "tides-1",
                "hello *you*",
                title="T",
                original_source_url="https://example.org/a",
                after=connection,
            )
        assert only(desk, "block.drafted") == {
            "value": "hello *you*",
            "title": "T",
            "original_source_url": "https://example.org/a",
            "type": "Text",
            "content": "hello *you*",
            "source": {"url": "https://example.org/a", "title": None},
            "user": {"id": 9, "type": "User"},
        }
        made = only(desk, "connection.made")
        assert made.pop("rank") < "a0"
        assert made == {
            "channel": "channel:1",
            "item": desk.wished()[0].object_id,
            "place": connection,
            "leader": "dev1",
        }

    def test_an_address(self, desk: Desk) -> None:
        desk.show_channel(1, [])
        with desk.transaction() as tx:
            tx.add_block("https://www.are.na/ada/tides-1", " https://example.org/a ", metadata={"mine": 1})
        assert only(desk, "block.drafted") == {
            "value": " https://example.org/a ",
            "metadata": {"mine": 1},
            "type": "Link",
            "source": {"url": "https://example.org/a", "title": None},
            "user": {"id": 9, "type": "User"},
        }

    def test_a_picture_and_another_file_are_copied_into_the_archive(self, desk: Desk, tmp_path: Path) -> None:
        desk.show_channel(1, [])
        picture, paper = tmp_path / "wave.png", tmp_path / "paper.PDF"
        picture.write_bytes(b"\x89PNG\r\n\x1a\nrest")
        paper.write_bytes(b"%PDF-1.7 rest")
        with desk.transaction() as tx:
            tx.add_block(1, file=picture, alt_text="a wave")
            tx.add_block(1, file=str(paper), title="Paper")
            picture.unlink()
        image, attachment = payloads(desk.wished(), "block.drafted")
        assert image["file"] == {
            "sha256": image["file"]["sha256"],
            "name": "wave.png",
            "content_type": "image/png",
            "size": 12,
        }
        about = {"filename": "wave.png", "content_type": "image/png", "file_size": 12}
        assert image["image"] == about | {"alt_text": "a wave"}
        assert (image["type"], image["alt_text"]) == ("Image", "a wave")
        assert attachment["attachment"] == {
            "filename": "paper.PDF",
            "content_type": "application/pdf",
            "file_size": 13,
            "file_extension": "pdf",
        }
        assert (attachment["type"], attachment["title"]) == ("Attachment", "Paper")
        for one in (image, attachment):
            assert desk.ground.store.check(one["file"]["sha256"]).size == one["file"]["size"]

    def test_a_channel(self, desk: Desk) -> None:
        with desk.transaction() as tx:
            tx.add_channel("New", visibility="private", description="for me", metadata={"a": True})
        assert only(desk, "channel.drafted") == {
            "title": "New",
            "visibility": "private",
            "description": "for me",
            "metadata": {"a": True},
            "owner": {"id": 9, "type": "User"},
        }

    def test_an_edit_says_what_are_na_showed_and_what_a_wish_covered(self, desk: Desk) -> None:
        desk.show_channel(1, ["block:1"])
        desk.observe("block:1", metadata={"keep": 1, "old": 2})
        with desk.transaction() as tx:
            tx.edit("block:1", title="One", metadata={"old": None, "new": 3})
            tx.edit("block:1", title="Two", description="d", metadata={"new": 4})
        first, second = payloads(desk.wished(), "block.edited")
        assert first | {"intent": ""} == {
            "intent": "",
            "title": "One",
            "metadata": {"old": None, "new": 3},
            "base": {"title": "Entry 1", "metadata": {"old": 2, "new": None}},
        }
        assert second | {"intent": ""} == {
            "intent": "",
            "title": "Two",
            "description": "d",
            "metadata": {"new": 4},
            "base": {"title": "Entry 1", "description": None, "metadata": {"new": None}},
            "before": {"title": "One", "metadata": {"new": 3}},
        }

    def test_what_shows_already_is_not_wished_again(self, desk: Desk) -> None:
        desk.show_channel(1, ["block:1"])
        desk.observe("block:1", metadata={"n": 1})
        with desk.transaction() as tx:
            tx.edit("block:1", title="Entry 1", description="new", metadata={"n": 1, "absent": None})
        assert only(desk, "block.edited") == {"description": "new", "base": {"description": None}}
        with pytest.raises(UsageError, match="shows this title already"), desk.transaction() as tx:
            tx.edit("block:1", title="Entry 1")
        with desk.transaction() as tx:
            tx.edit("block:1", metadata={"n": True})  # true is not 1
        assert len(desk.events("block.edited")) == 2

    def test_a_cleared_text_is_a_null(self, desk: Desk) -> None:
        desk.show_channel(1, ["block:1", "block:2"])
        with desk.transaction() as tx:
            tx.edit("block:1", title=None)
            tx.edit("block:2", title="", content="other")
            tx.edit_channel(1, description="so")
        assert [one["title"] for one in payloads(desk.wished(), "block.edited")] == [None, None]
        assert desk.visible().block("block:1").fields["title"] is None

    def test_a_channel_is_edited_by_any_of_its_names(self, desk: Desk) -> None:
        desk.show_channel(1, [])
        with desk.transaction() as tx:
            tx.edit_channel("tides-1", title="A")
            tx.edit("channel:1", visibility="private")
            tx.edit_channel(1, description="d")
        assert [event.object_id for event in desk.events("channel.edited")] == ["channel:1"] * 3
        assert payloads(desk.wished(), "channel.edited")[1]["base"] == {"visibility": "closed"}

    def test_in_and_out_and_elsewhere(self, desk: Desk) -> None:
        one, two, three = desk.show_channel(1, ["block:1", "block:2", "block:3"])
        with desk.transaction() as tx:
            tx.disconnect(two)
            tx.move(one, after=three)
            tx.connect("block:2", "channel:1", after=three)
        assert only(desk, "connection.unmade") == {
            "channel": "channel:1",
            "item": "block:2",
            "place": three,
        }
        moved, made = only(desk, "connection.moved"), only(desk, "connection.made")
        assert moved == {
            "channel": "channel:1",
            "place": three,
            "rank": moved["rank"],
            "leader": "dev1",
            "base": {"place": three},
        }
        assert moved["rank"] < made["rank"]
        assert (made["item"], made["place"]) == ("block:2", three)
        assert desk.items() == ["block:1", "block:2", "block:3"]

    def test_the_ends_of_a_channel(self, desk: Desk) -> None:
        one, _, three = desk.show_channel(1, ["block:1", "block:2", "block:3"])
        with desk.transaction() as tx:
            tx.move(one, to="top")
            tx.move(three, to="bottom")
        assert [moved["place"] for moved in payloads(desk.wished(), "connection.moved")] == ["top", "bottom"]
        assert [moved["base"] for moved in payloads(desk.wished(), "connection.moved")] == [
            {"place": "connection:1002"},
            {"place": one},
        ]
        assert desk.items() == ["block:3", "block:2", "block:1"]

    def test_a_comment_and_a_deleted_channel(self, desk: Desk) -> None:
        desk.show_channel(1, ["block:1"])
        with desk.transaction() as tx:
            tx.comment("block:1", "well said")
            tx.delete_channel(1, yes=True)
        assert only(desk, "comment.drafted") == {
            "block": "block:1",
            "body": "well said",
            "user": {"id": 9, "type": "User"},
        }
        assert only(desk, "channel.deleted") == {}

    def test_who_wishes_is_left_out_where_it_is_not_known(self, desk: Desk) -> None:
        from dataclasses import replace

        from vfdir_lab.arena import GUEST

        desk.show_channel(1, [])
        for account in (None, GUEST):
            desk.ground = replace(desk.ground, account=account)
            with desk.transaction() as tx:
                tx.add_block(1, "a")
                tx.add_channel("b")
        for event in desk.events("block.drafted", "channel.drafted"):
            assert not {"user", "owner"} & event.fields.keys()

    def test_what_the_label_says_is_kept(self, desk: Desk) -> None:
        desk.show_channel(1, [])
        with desk.transaction("Ordnung 🌊 \u202e") as tx:
            tx.add_channel("x")
        assert desk.outbox().transactions()[0].label == "Ordnung 🌊 \u202e"


class TestOrder:
    def test_a_channel_nobody_has_read_is_led_by_this_device(self, desk: Desk) -> None:
        desk.observe("channel:5", title="Met inside another", slug="met")
        with desk.transaction() as tx:
            tx.add_block("met", "a")
            tx.add_block(5, "b")
        assert [made["leader"] for made in payloads(desk.wished(), "connection.made")] == ["dev1", "dev1"]
        assert [str(item) for item in desk.items("channel:5")] == [one.id for one in tx.made]

    def test_ranks_are_those_of_the_device_that_read_the_channel_last(self, tmp_path: Path) -> None:
        """This device has ranks of its own there, from an older reading, in another order."""
        here = Desk(tmp_path / "here")
        one, two = here.show_channel(1, ["block:1", "block:2"])
        there = Desk(tmp_path / "there", here.copy.sky)
        there.copy.merge(here.copy)
        there.show_channel(1, ["block:1", "block:2"])
        ranks = between("b00", None, [two, one])
        for connection in (one, two):
            from vfdir_lab.event import Draft

            there.record(
                Draft(kind="connection.ranked", object_id=connection, payload={"rank": ranks[connection]})
            )
        here.copy.merge(there.copy)
        assert here.items() == ["block:2", "block:1"]
        with here.transaction() as tx:
            tx.add_block(1, "between them", after=one)
        made = only(here, "connection.made")
        assert made["leader"] == there.events()[-1].device
        assert ranks[two] < made["rank"] < ranks[one]
        assert here.items()[1] == tx.made[0].id

    @settings(max_examples=settings().max_examples // 10)  # each commits, and reads its events
    @given(
        st.integers(0, 4),
        st.lists(
            st.tuples(
                st.booleans(),
                st.integers(0, 8),
                st.one_of(st.sampled_from(["top", "bottom"]), st.integers(0, 8)),
                st.booleans(),
            ),
            max_size=10,
        ),
    )
    def test_wishes_in_any_order_sort_by_rank_as_a_list_is_rearranged(
        self, size: int, wishes: list[tuple[bool, int, str | int, bool]]
    ) -> None:
        """Ranks as recorded, over those of the reading; a True at the end begins another transaction."""
        with tempfile.TemporaryDirectory() as folder:
            desk = Desk(Path(folder) / "archive")
            model: list[Any] = list(desk.show_channel(1, [f"block:{n}" for n in range(1, size + 1)]))
            tx = desk.transaction().__enter__()
            for is_new, which, where, ends in wishes:
                place = where if isinstance(where, str) else model[where % len(model)] if model else "top"
                moved = None if is_new or not model else model[which % len(model)]
                if moved is not None and moved is place:
                    continue
                after = None if place in ("top", "bottom") else place
                if moved is None:
                    new = tx.add_block(1, "a", after=after).connections[0]
                    place = "top" if place == "bottom" else place
                else:
                    tx.move(moved, after=after, to=None if after else place)
                    model.remove(moved)
                    new = moved
                spot = {"top": len(model), "bottom": 0}.get(place) if after is None else model.index(after)
                model.insert(spot or 0, new)
                if ends:
                    tx.__exit__(None, None, None)
                    tx = desk.transaction().__enter__()
            tx.__exit__(None, None, None)
            ranks: dict[str, str] = {}
            for event in desk.events("connection.observed", "connection.made", "connection.moved"):
                ranks[event.object_id] = event.fields["rank"]
            names = [str(one) for one in model]
            assert sorted(ranks, key=lambda one: ranks[one]) == names
            assert len(set(ranks.values())) == len(ranks)
