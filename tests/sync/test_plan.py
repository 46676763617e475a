"""Which wish goes out next, and what the others wait for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from wishing import Device, Stage

from vfdir_lab.event import Draft
from vfdir_lab.sync.outbox import Intent
from vfdir_lab.sync.plan import Plan, plan
from vfdir_lab.sync.transaction import Transaction


@pytest.fixture
def stage() -> Iterator[Stage]:
    with Stage() as found:
        yield found


@pytest.fixture
def device(stage: Stage) -> Device:
    found = stage.device()
    found.archive.pull(*stage.channels)
    return found


def planned(device: Device, *without: Intent) -> Plan:
    return plan(device.outbox(), device.name, without={one.intent for one in without})


def jobs(device: Device, *without: Intent) -> list[list[str]]:
    return [[one.intent for one in job.intents] for job in planned(device, *without).jobs]


def ids(*intents: Intent) -> list[str]:
    return [one.intent for one in intents]


def test_wishes_about_different_objects_go_out_in_the_order_they_were_committed(
    stage: Stage, device: Device
) -> None:
    (second,) = device.wish(lambda tx: tx.edit(f"block:{stage.blocks[1]}", title="b"))
    (first,) = device.wish(lambda tx: tx.edit(f"block:{stage.blocks[0]}", title="a"))
    assert jobs(device) == [ids(second), ids(first)]
    assert planned(device).waiting == {}


def test_what_had_its_turn_is_left_out_and_holds_up_its_object(stage: Stage, device: Device) -> None:
    (first,) = device.wish(lambda tx: tx.edit(f"block:{stage.blocks[0]}", title="a"))
    (later,) = device.wish(lambda tx: tx.edit(f"block:{stage.blocks[0]}", content="b"))
    (other,) = device.wish(lambda tx: tx.edit(f"block:{stage.blocks[1]}", title="c"))
    assert jobs(device, first) == [ids(other)]
    assert planned(device, first).waiting[later.intent] == (
        f"an earlier change of block:{stage.blocks[0]} has no answer yet"
    )


@pytest.mark.parametrize("state", ["sent", "unknown"])
def test_a_later_change_of_an_object_waits_for_the_answer_to_the_earlier(
    stage: Stage, device: Device, state: str
) -> None:
    (first,) = device.wish(lambda tx: tx.edit(f"block:{stage.blocks[0]}", title="a"))
    device.answer(first, f"tx.{state}")
    (later,) = device.wish(lambda tx: tx.edit(f"block:{stage.blocks[0]}", title="b"))
    assert jobs(device) == []
    assert list(planned(device).waiting) == ids(later)


@pytest.mark.parametrize("state", ["accepted", "settled", "superseded", "rejected", "cancelled"])
def test_an_answer_lets_the_later_change_go(stage: Stage, device: Device, state: str) -> None:
    """Also a refusal: one bad wish holds up no other."""
    (first,) = device.wish(lambda tx: tx.edit(f"block:{stage.blocks[0]}", title="a"))
    (later,) = device.wish(lambda tx: tx.edit(f"block:{stage.blocks[0]}", title="b"))
    device.answer(first, f"tx.{state}")
    assert jobs(device) == [ids(later)]


def test_the_wishes_of_another_device_are_not_for_this_one_to_send(stage: Stage, device: Device) -> None:
    other = stage.device()
    other.archive.pull(*stage.channels)
    device.wish(lambda tx: tx.edit(f"block:{stage.blocks[0]}", title="a"))
    other.archive.merge(device.path)
    assert len(other.outbox().intents()) == 1
    assert jobs(other) == []


# What was born here


def test_what_names_a_draft_waits_until_are_na_has_it(stage: Stage, device: Device) -> None:
    made: list[str] = []

    def say(tx: Transaction) -> None:
        block = tx.add_block(stage.channels[0], "new")
        tx.comment(block, "and this")

    draft, comment = device.wish(say)
    made.append(draft.object_id)
    assert jobs(device) == [ids(draft)]
    assert planned(device).waiting == {comment.intent: f"{made[0]} has to be on are.na first"}
    device.answer(draft, "tx.accepted", status=201)
    device.bind(draft.object_id, "block:77")
    assert jobs(device) == [ids(comment)]


@pytest.mark.parametrize(("state", "word"), [("rejected", "was refused"), ("cancelled", "was cancelled")])
def test_what_names_a_draft_that_came_to_nothing_waits_for_the_person(
    stage: Stage, device: Device, state: str, word: str
) -> None:
    (draft,) = device.wish(lambda tx: tx.add_block(stage.channels[0], "new"))
    (comment,) = device.wish(lambda tx: tx.comment(draft.object_id, "and this"))
    device.answer(draft, f"tx.{state}", reason="no")
    assert jobs(device) == []
    reason = planned(device).waiting[comment.intent]
    assert reason == f"{draft.object_id} {word}: retry that first, or cancel this"


def test_what_names_something_of_a_device_that_is_not_merged_says_so(stage: Stage, device: Device) -> None:
    """Merging one device's part of a log before another's leaves such a gap."""
    wish = {"intent": "i1", "block": "block:~zzzz.9", "body": "x"}
    said = [
        Draft(kind="comment.drafted", object_id="comment:~zzzz.10", payload=wish, cause="tx:t1"),
        Draft(kind="tx.committed", object_id="tx:t1", payload={"label": "", "intents": ["i1"]}),
    ]
    device.outbox().record(lambda _device: said)
    assert jobs(device) == []
    assert planned(device).waiting == {"i1": "block:~zzzz.9 is not here yet: merge the device it was made on"}


# Channels that go


def test_a_deletion_waits_for_what_names_the_channel_before_it_and_later_wishes_for_the_deletion(
    stage: Stage, device: Device
) -> None:
    channel = f"channel:{stage.channels[1]}"
    (before,) = device.wish(lambda tx: tx.connect(f"block:{stage.blocks[0]}", channel))
    (deletion,) = device.wish(lambda tx: tx.delete_channel(channel, yes=True))
    assert jobs(device) == [ids(before)]
    assert planned(device).waiting == {deletion.intent: f"earlier changes in {channel} have no answer yet"}
    device.answer(before, "tx.accepted")
    assert jobs(device) == [ids(deletion)]
    device.answer(deletion, "tx.sent")
    assert jobs(device) == []


def test_what_names_a_channel_that_is_about_to_go_waits(stage: Stage, device: Device) -> None:
    """Wished by another device, adopted here: this one would have refused it."""
    other = stage.device()
    other.archive.pull(*stage.channels)
    channel = f"channel:{stage.channels[1]}"
    (deletion,) = device.wish(lambda tx: tx.delete_channel(channel, yes=True))
    (late,) = other.wish(lambda tx: tx.connect(f"block:{stage.blocks[0]}", channel))
    device.archive.merge(other.path)
    device.archive.outbox.adopt(other.name)
    device.answer(late, "tx.requeued", reason="not done")
    assert jobs(device) == [ids(deletion)]
    assert planned(device).waiting == {late.intent: f"{channel} is about to be deleted"}


# One request for several edits


def test_unsent_edits_of_the_same_fields_are_one_job_with_the_last_values(
    stage: Stage, device: Device
) -> None:
    block = f"block:{stage.blocks[0]}"
    (first,) = device.wish(lambda tx: tx.edit(block, title="a"))
    (second,) = device.wish(lambda tx: tx.edit(block, title="b"))
    (third,) = device.wish(lambda tx: tx.edit(block, title="c", description="d"))
    (job,) = planned(device).jobs
    assert ids(*job.intents) == ids(first, second, third)
    assert job.carrier.fields["title"] == "c"
    assert job.base == {"title": "E1", "description": None}, "what are.na showed before the first of them"


def test_an_edit_that_leaves_a_field_of_the_earlier_alone_is_a_request_of_its_own(
    stage: Stage, device: Device
) -> None:
    block = f"block:{stage.blocks[0]}"
    (first,) = device.wish(lambda tx: tx.edit(block, title="a", description="d"))
    (second,) = device.wish(lambda tx: tx.edit(block, title="b"))
    assert jobs(device) == [ids(first)]
    assert list(planned(device).waiting) == ids(second)


def test_metadata_is_not_sent_as_one(stage: Stage, device: Device) -> None:
    """It merges key by key: the last wish does not say what the earlier ones did."""
    block = f"block:{stage.blocks[0]}"
    (first,) = device.wish(lambda tx: tx.edit(block, metadata={"a": 1}))
    device.wish(lambda tx: tx.edit(block, metadata={"b": 2}))
    assert jobs(device) == [ids(first)]


def test_edits_are_not_joined_past_a_wish_of_another_kind_about_the_object(
    stage: Stage, device: Device
) -> None:
    block = f"block:{stage.blocks[0]}"
    (first,) = device.wish(lambda tx: tx.edit(block, title="a"))
    (put,) = device.wish(lambda tx: tx.connect(block, stage.channels[1]))
    device.wish(lambda tx: tx.edit(block, title="b"))
    assert jobs(device) == [ids(first), ids(put)]


def test_edits_of_a_channel_are_joined_too(stage: Stage, device: Device) -> None:
    channel = f"channel:{stage.channels[0]}"
    (first,) = device.wish(lambda tx: tx.edit(channel, title="a"))
    (other,) = device.wish(lambda tx: tx.edit(f"channel:{stage.channels[1]}", title="b"))
    (second,) = device.wish(lambda tx: tx.edit(channel, title="c"))
    assert jobs(device) == [ids(first, second), ids(other)]


def test_planning_changes_nothing(stage: Stage, device: Device) -> None:
    device.wish(lambda tx: tx.edit(f"block:{stage.blocks[0]}", title="a"))
    head = device.archive.head
    assert planned(device) == planned(device)
    assert device.archive.head == head
