"""What a person may decide about a wish, in each of its states."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from wishing import Device, Stage

from vfdir_lab.errors import UsageError
from vfdir_lab.sync.outbox import Intent
from vfdir_lab.sync.transaction import Transaction

STATES = ("committed", "sent", "unknown", "accepted", "rejected", "superseded", "cancelled", "settled")


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with Stage() as found:
        yield found


@pytest.fixture
def device(stage: Stage) -> Device:
    found = stage.device()
    found.archive.pull(*stage.channels)
    return found


def edit(stage: Stage, device: Device, state: str = "committed") -> Intent:
    """An edit in that state."""
    (intent,) = device.wish(lambda tx: tx.edit(f"block:{stage.blocks[0]}", title="New"))
    return brought_to(device, intent, state)


def edit_each(*blocks: str) -> Callable[[Transaction], None]:
    """An edit of each of these."""

    def say(tx: Transaction) -> None:
        for block in blocks:
            tx.edit(block, title="New")

    return say


def brought_to(device: Device, intent: Intent, state: str) -> Intent:
    if state != "committed":
        device.answer(intent, f"tx.{state}", reason="so it is")
    found = device.outbox().intent(intent.intent)
    assert found is not None
    assert found.state == state
    return found


def title(stage: Stage, device: Device) -> str:
    rows = device.archive.sql(
        f"SELECT title FROM blocks WHERE object_id = 'block:{stage.blocks[0]}'"
    ).fetchall()
    return str(rows[0][0])


@pytest.mark.parametrize("state", STATES)
def test_a_wish_can_be_withdrawn_until_are_na_has_accepted_it(
    stage: Stage, device: Device, state: str
) -> None:
    intent = edit(stage, device, state)
    head = device.archive.head
    if state in {"committed", "sent", "unknown", "rejected"}:
        assert device.archive.outbox.cancel(intent.tx) == 1
        assert device.states() == ["cancelled"]
        return
    with pytest.raises(UsageError, match=f"nothing in {intent.tx} is .*: it is {state}") as refused:
        device.archive.outbox.cancel(intent.tx)
    assert ("undo it instead" in str(refused.value)) == (state in {"accepted", "settled"})
    assert device.archive.head == head


def test_what_was_withdrawn_shows_no_more(stage: Stage, device: Device) -> None:
    intent = edit(stage, device)
    assert title(stage, device) == "New"
    device.archive.outbox.cancel(intent.tx)
    assert title(stage, device) == "E1"


def test_theirs_is_taken_object_by_object(stage: Stage, device: Device) -> None:
    blocks = [f"block:{one}" for one in stage.blocks[:2]]
    intents = device.wish(edit_each(*blocks))
    assert device.archive.outbox.cancel(intents[0].tx, about=blocks[1], reason="theirs") == 1
    assert device.states() == ["committed", "cancelled"]
    with pytest.raises(UsageError, match=f"nothing about {blocks[1]} in {intents[0].tx} is "):
        device.archive.outbox.cancel(intents[0].tx, about=blocks[1])


def test_an_object_can_be_named_as_it_was_born_or_as_are_na_has_it(stage: Stage, device: Device) -> None:
    (made,) = device.wish(lambda tx: tx.add_block(stage.channels[0], "new"))
    device.answer(made, "tx.unknown", reason="silence")
    device.bind(made.object_id, "block:77")
    assert device.archive.outbox.cancel(made.tx, about="block:77") == 1


@pytest.mark.parametrize("state", STATES)
def test_only_what_was_refused_is_tried_again(stage: Stage, device: Device, state: str) -> None:
    """What may have been done is looked up first, or decided about with `resolve`."""
    intent = edit(stage, device, state)
    if state == "rejected":
        assert device.archive.outbox.retry(intent.tx) == 1
        assert device.states() == ["committed"]
        return
    with pytest.raises(UsageError, match=f"is rejected: it is {state}"):
        device.archive.outbox.retry(intent.tx)


def test_a_wish_tried_again_goes_out_again(stage: Stage, device: Device) -> None:
    stage.sandbox.control.arm("status", match="PUT .*", status=422)
    intent = edit(stage, device)
    device.archive.push()
    assert device.states() == ["rejected"]
    device.archive.outbox.retry(intent.tx)
    device.archive.push()
    assert device.states() == ["settled"]
    stage.sandbox.control.edit_block(stage.blocks[0], title="E1")


@pytest.mark.parametrize("state", STATES)
def test_a_person_says_what_became_of_a_wish_without_an_answer(
    stage: Stage, device: Device, state: str
) -> None:
    (made,) = device.wish(lambda tx: tx.add_block(stage.channels[0], "new"))
    brought_to(device, made, state)
    if state in {"sent", "unknown"}:
        assert device.archive.outbox.resolve(made.tx, "block:77") == 1
        assert device.states() == ["accepted"]
        assert device.outbox().canonical(made.object_id) == "block:77"
        return
    with pytest.raises(UsageError, match="has 0 wishes for a block without an answer"):
        device.archive.outbox.resolve(made.tx, "block:77")


@pytest.mark.parametrize("state", ["sent", "unknown"])
def test_a_wish_that_was_not_done_says_the_person_goes_out_again(
    stage: Stage, device: Device, state: str
) -> None:
    intent = edit(stage, device, state)
    assert device.archive.outbox.resolve(intent.tx, None) == 1
    assert device.states() == ["committed"]


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ("channel:77", "has 0 wishes for a channel without an answer"),
        ("block:~aaaa.1", "is not an id of are.na's: give one like block:123"),
        ("nonsense", "is no object id"),
    ],
)
def test_what_a_wish_cannot_have_made_is_refused(stage: Stage, device: Device, found: str, said: str) -> None:
    (made,) = device.wish(lambda tx: tx.add_block(stage.channels[0], "new"))
    device.answer(made, "tx.unknown", reason="silence")
    with pytest.raises(UsageError, match=said):
        device.archive.outbox.resolve(made.tx, found)
    assert device.states() == ["unknown"]


def test_of_two_wishes_alike_nobody_guesses_which_is_meant(stage: Stage, device: Device) -> None:
    made = device.wish(lambda tx: [tx.add_block(stage.channels[0], "new") for _ in range(2)])
    for one in made:
        device.answer(one, "tx.unknown", reason="silence")
    with pytest.raises(UsageError, match="has 2 wishes for a block without an answer"):
        device.archive.outbox.resolve(made[0].tx, "block:77")


def test_a_transaction_that_is_not_there_is_named(device: Device) -> None:
    for decide in (device.archive.outbox.cancel, device.archive.outbox.retry):
        with pytest.raises(UsageError, match=r"there is no transaction 'tx:none'; `vfdir-lab outbox`"):
            decide("tx:none")


# Another device's wishes


@pytest.fixture
def other(stage: Stage, device: Device) -> Device:
    """A second device, with an edit that the first does not know yet."""
    found = stage.device()
    found.archive.merge(device.path)
    found.wish(lambda tx: tx.edit(f"block:{stage.blocks[1]}", title="Theirs"))
    return found


def test_the_wishes_of_another_device_are_decided_there(device: Device, other: Device) -> None:
    device.archive.merge(other.path)
    (intent,) = device.outbox().intents(other.name)
    for decide in (device.archive.outbox.cancel, device.archive.outbox.retry):
        with pytest.raises(UsageError, match=f"is for {other.name} to send: decide there, or"):
            decide(intent.tx)


def test_a_device_that_is_gone_is_taken_over_once(device: Device, other: Device) -> None:
    """What it may have sent is looked up before anything is sent."""
    device.archive.merge(other.path)
    (before,) = device.outbox().intents(other.name)
    assert device.archive.outbox.adopt(other.name) == 1
    (after,) = device.outbox().intents(device.name)
    assert (after.intent, after.state) == (before.intent, "unknown")
    assert after.reason == f"taken over from {other.name}, which may have sent it"
    with pytest.raises(UsageError, match="has no open wishes here; open wishes are of"):
        device.archive.outbox.adopt(other.name)


def test_nobody_takes_over_itself(stage: Stage, device: Device) -> None:
    edit(stage, device)
    with pytest.raises(UsageError, match="is this device: its wishes are its own to push"):
        device.archive.outbox.adopt(device.name)


def test_a_decision_is_one_append_and_nothing_where_it_is_refused(stage: Stage, device: Device) -> None:
    intents = device.wish(edit_each(*(f"block:{one}" for one in stage.blocks)))
    segments = len(device.archive.log.coverage().segments)
    assert device.archive.outbox.cancel(intents[0].tx) == 3
    assert len(device.archive.log.coverage().segments) == segments + 1
