"""A rehearsal says what a push then sends, and asks nobody."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from wishing import Device, Stage

from vfdir_lab.event import Draft
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


def test_it_is_what_a_push_then_sends(stage: Stage, device: Device) -> None:
    """Every kind of wish, in one order; edits of one field as one."""
    first, second, third = (f"connection:{one}" for one in stage.connections)

    def say(tx: Transaction) -> None:
        tx.add_block(list(stage.channels), "A text", title="T", metadata={"a": 1})
        tx.edit(f"block:{stage.blocks[0]}", title="one")
        tx.edit(f"block:{stage.blocks[0]}", title="two")
        tx.connect(f"block:{stage.blocks[1]}", stage.channels[1])
        tx.move(first, to="top")
        tx.disconnect(second)
        tx.add_channel("New", visibility="private")
        tx.edit(f"channel:{stage.channels[1]}", description="words")
        tx.comment(f"block:{stage.blocks[2]}", "so it is")

    device.wish(say)
    plan = device.archive.rehearse()
    assert stage.writes() == []
    device.archive.push()
    sent = [(f"{one['method']} {one['path']}", one["body"]) for one in stage.writes()]
    planned = [(one.asked, one.body) for one in plan.requests]
    assert sorted(map(str, planned)) == sorted(map(str, sent))
    assert [one for one, _ in planned] == [one for one, _ in sent]
    assert {one.waits for one in plan.requests} == {""}
    assert third


def test_it_asks_nobody_and_records_nothing(stage: Stage, device: Device) -> None:
    device.wish(lambda tx: tx.edit(f"block:{stage.blocks[0]}", title="a"))
    stage.sandbox.control.clear_requests()
    head = device.archive.head
    assert device.archive.rehearse() == device.archive.rehearse()
    assert stage.sandbox.control.requests() == []
    assert device.archive.head == head


def test_a_position_that_has_to_be_read_first_is_named_and_not_made_up(stage: Stage, device: Device) -> None:
    first, _, third = (f"connection:{one}" for one in stage.connections)
    device.wish(lambda tx: tx.move(first, after=third))
    (planned,) = device.archive.rehearse().requests
    assert planned.asked == f"POST /v3/connections/{stage.connections[0]}/move"
    assert planned.body == {"movement": "insert_at"}
    assert planned.waits == f"its position is read first: right below {third}"


@pytest.mark.parametrize("what", ["block", "connection"])
def test_the_place_of_what_comes_in_is_not_made_up_either(stage: Stage, device: Device, what: str) -> None:
    """The body is what is known of it; a position that nobody has read is no part of it."""
    anchor = f"connection:{stage.connections[0]}"
    if what == "block":
        device.wish(lambda tx: tx.add_block(stage.channels[0], "x", after=anchor))
    else:
        device.wish(lambda tx: tx.connect(f"channel:{stage.channels[1]}", stage.channels[0], after=anchor))
    (planned,) = device.archive.rehearse().requests
    assert planned.body is not None
    assert "'position'" not in str(planned.body)
    assert planned.waits == f"its position is read first: right below {anchor}"


def test_a_file_is_named_instead_of_the_address_it_will_have(stage: Stage, device: Device) -> None:
    path = stage.folder / "note.txt"
    path.write_text("a file", encoding="utf-8")
    device.wish(lambda tx: tx.add_block(stage.channels[0], file=path))
    (planned,) = device.archive.rehearse().requests
    assert planned.body is not None
    assert planned.body["value"] == "(the address of note.txt, once it is uploaded)"


def test_what_waits_says_for_what(stage: Stage, device: Device) -> None:
    block = f"block:{stage.blocks[0]}"
    (sent,) = device.wish(lambda tx: tx.edit(block, title="a"), label="first")
    device.answer(sent, "tx.sent")
    device.wish(lambda tx: tx.edit(block, title="b"), label="second")
    found = [(one.label, one.asked, one.body, one.waits) for one in device.archive.rehearse().requests]
    assert found == [
        ("first", "block.edited", None, "its answer is looked up first"),
        ("second", "block.edited", None, f"an earlier change of {block} has no answer yet"),
    ]


def test_what_cannot_be_sent_says_why(device: Device) -> None:
    """Such a wish can come from an older version only: it would not be recorded now."""
    wish = {"intent": "i9", "title": "x", "metadata": {"not a key!": 1}}

    def build(_device: str) -> list[Draft]:
        return [
            Draft(kind="channel.drafted", object_id="channel:~zzzz.9", payload=wish, cause="tx:t9"),
            Draft(kind="tx.committed", object_id="tx:t9", payload={"label": "", "intents": ["i9"]}),
        ]

    device.outbox().record(build)
    (planned,) = device.archive.rehearse().requests
    assert planned.asked == "channel.drafted"
    assert planned.waits.startswith("it cannot be sent: 'not a key!' is no key of metadata")


def test_nothing_to_push_is_an_empty_plan(device: Device) -> None:
    assert device.archive.rehearse().requests == ()
    assert str(device.archive.rehearse()) == "there is nothing to push"
