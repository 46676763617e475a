"""What proves that a wish came true, and what proves that it did not."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from wishing import Device, Stage

from vfdir_lab.event import Event
from vfdir_lab.sync.transaction import Transaction

ANSWERED = 3
"""Of the times that the pushing of an edit takes the lock: for the look, for the sending, for the answer."""


@pytest.fixture
def stage() -> Iterator[Stage]:
    with Stage() as found:
        yield found


@pytest.fixture
def device(stage: Stage) -> Device:
    found = stage.device()
    found.archive.pull(*stage.channels)
    return found


def answer(device: Device, kind: str) -> Event:
    """The only answer of a kind."""
    (found,) = [event for event in device.events() if event.kind == kind]
    return found


def together(device: Device, *events: Event) -> bool:
    """Whether these events became durable in one append."""
    footers = [segment.footer for segment in device.archive.log.coverage().of(device.name)]
    return any(all(one.first <= event.seq <= one.last for event in events) for one in footers)


def title(device: Device, block: int) -> object:
    query = f"SELECT title FROM blocks WHERE object_id = 'block:{block}'"
    return device.archive.sql(query).fetchall()[0][0]


def row(device: Device, channel: int) -> list[str]:
    query = f"SELECT object_id FROM connections WHERE channel = 'channel:{channel}' ORDER BY position"
    return [str(one) for (one,) in device.archive.sql(query).fetchall()]


# What is read afterwards


def test_an_edit_is_settled_by_a_reading_that_began_after_the_answer(stage: Stage, device: Device) -> None:
    device.wish(lambda tx: tx.edit(f"block:{stage.blocks[0]}", title="New"))
    stage.sandbox.control.clear_requests()
    device.archive.push()
    asked = [(one["method"], one["path"]) for one in stage.sandbox.control.requests()]
    page = f"/v3/blocks/{stage.blocks[0]}"
    assert asked[asked.index(("PUT", page)) :] == [("PUT", page), ("GET", page)]
    assert device.states() == ["settled"]


def test_the_observation_and_what_it_proves_are_one_append(stage: Stage, device: Device) -> None:
    """No reader sees a wish settled and the old value again."""
    device.wish(lambda tx: tx.edit(f"block:{stage.blocks[0]}", title="New"))
    device.archive.push()
    settled = answer(device, "tx.settled")
    seen = [event for event in device.events() if event.kind == "block.observed"][-1]
    assert (seen.fields["title"], seen.cause) == ("New", settled.object_id)
    assert together(device, seen, settled)


def test_that_something_is_gone_is_recorded_with_the_answer_it_proves(stage: Stage, device: Device) -> None:
    connection = f"connection:{stage.connections[0]}"
    device.wish(lambda tx: tx.disconnect(connection))
    device.archive.push()
    gone = answer(device, "connection.vanished")
    assert gone.object_id == connection
    assert together(device, gone, answer(device, "tx.settled"))


def test_what_others_recorded_as_gone_is_not_recorded_again(stage: Stage, device: Device) -> None:
    connection = f"connection:{stage.connections[0]}"
    device.wish(lambda tx: tx.disconnect(connection))
    stage.sandbox.control.disconnect(stage.connections[0])
    device.archive.pull(stage.channels[0], full=True)
    device.archive.push()
    assert answer(device, "connection.vanished").object_id == connection


@pytest.mark.parametrize("what", ["edit", "clear", "disconnect", "move"])
def test_a_page_that_was_asked_for_before_the_answer_reverts_nothing(
    stage: Stage, device: Device, what: str
) -> None:
    """Law 7: a pull reads the channel, a push of another process sends and settles, then the pull records."""
    block, connection = f"block:{stage.blocks[0]}", f"connection:{stage.connections[0]}"
    wishes: dict[str, Callable[[Transaction], object]] = {
        "edit": lambda tx: tx.edit(block, title="New"),
        "clear": lambda tx: tx.edit(block, title=None),
        "disconnect": lambda tx: tx.disconnect(connection),
        "move": lambda tx: tx.move(connection, to="top"),
    }
    device.wish(wishes[what])

    def push() -> None:
        with device.another() as archive:
            archive.push()

    device.first(1, push)
    device.run(lambda archive: archive.pull(stage.channels[0], full=True))
    assert device.states() == ["settled"]
    assert (title(device, stage.blocks[0]) or None) == {"edit": "New", "clear": None}.get(what, "E1")
    assert row(device, stage.channels[0]) == [one for one, _ in stage.row(stage.channels[0])]


def test_what_was_asked_for_after_the_answer_is_recorded(stage: Stage, device: Device) -> None:
    """A scan that goes on after a push sees what somebody wrote since."""
    device.wish(lambda tx: tx.edit(f"block:{stage.blocks[0]}", title="Mine"))

    def push() -> None:
        with device.another() as archive:
            archive.push()
        stage.sandbox.control.edit_block(stage.blocks[0], title="Theirs")

    device.first(1, push)
    device.run(lambda archive: archive.pull(stage.channels[1], stage.channels[0], full=True))
    assert device.states() == ["settled"]
    assert title(device, stage.blocks[0]) == "Theirs"


# What somebody else did


def test_what_somebody_wrote_after_us_supersedes_the_wish(stage: Stage, device: Device) -> None:
    """Before the answer is recorded, and so before it is read back."""
    block = stage.blocks[0]
    device.wish(lambda tx: tx.edit(f"block:{block}", title="Mine", content="And mine"))
    device.first(ANSWERED, lambda: stage.sandbox.control.edit_block(block, title="Theirs"))
    device.run(lambda archive: archive.push())
    assert device.states() == ["superseded"]
    superseded = answer(device, "tx.superseded")
    assert superseded.fields["shown"] == {"title": "Theirs"}
    seen = [event for event in device.events() if event.kind == "block.observed"][-1]
    assert together(device, seen, superseded)
    assert title(device, block) == "Theirs"


def test_what_somebody_wrote_into_another_field_does_not(stage: Stage, device: Device) -> None:
    block = stage.blocks[0]
    device.wish(lambda tx: tx.edit(f"block:{block}", title="Mine"))
    device.first(ANSWERED, lambda: stage.sandbox.control.edit_block(block, description="Theirs"))
    device.run(lambda archive: archive.push())
    assert device.states() == ["settled"]


@pytest.mark.parametrize("what", ["block", "channel", "comment"])
def test_what_is_gone_supersedes_a_wish_about_it(stage: Stage, device: Device, what: str) -> None:
    control = stage.sandbox.control
    extra = int(control.add_channel("Extra", by=stage.sandbox.world.main)["id"])
    device.archive.pull(extra)
    wishes: dict[str, Callable[[Transaction], object]] = {
        "block": lambda tx: tx.edit(f"block:{stage.blocks[0]}", title="New"),
        "channel": lambda tx: tx.edit(f"channel:{extra}", title="New"),
        "comment": lambda tx: tx.comment(f"block:{stage.blocks[0]}", "so it is"),
    }
    acts: dict[str, Callable[[], object]] = {
        "block": lambda: control.remove_block(stage.blocks[0]),
        "channel": lambda: control.remove_channel(extra),
        "comment": stage.sandbox.world.comments.clear,
    }
    device.wish(wishes[what])
    device.first(2 if what == "comment" else ANSWERED, acts[what])
    device.run(lambda archive: archive.push())
    assert device.states() == ["superseded"]
    assert answer(device, "tx.superseded").fields["shown"] == {"id": None}


def test_what_came_back_supersedes_its_deletion(stage: Stage, device: Device) -> None:
    (intent,) = device.wish(lambda tx: tx.disconnect(f"connection:{stage.connections[0]}"))
    device.answer(intent, "tx.accepted", status=204)
    device.archive.push()
    assert stage.writes() == []
    assert device.states() == ["superseded"]
    assert answer(device, "tx.superseded").fields["shown"] == {"id": stage.connections[0]}


def test_what_are_na_has_not_shown_yet_is_waited_for_a_minute(stage: Stage, device: Device) -> None:
    """It connects a block a moment after it answers."""
    (intent,) = device.wish(lambda tx: tx.connect(f"block:{stage.blocks[0]}", stage.channels[1]))
    device.answer(intent, "tx.accepted", status=201)
    device.bind(intent.object_id, "connection:777")
    device.archive.push()
    assert device.states() == ["accepted"]
    stage.later(61)
    device.archive.push()
    assert device.states() == ["superseded"]
    assert answer(device, "tx.superseded").fields["shown"] == {"channel": None}


def test_a_move_that_somebody_moved_on_says_where_the_item_is(stage: Stage, device: Device) -> None:
    first, second, third = stage.connections
    device.wish(lambda tx: tx.move(f"connection:{first}", to="top"))
    device.first(2, lambda: stage.sandbox.control.move(first, 2))
    device.run(lambda archive: archive.push())
    assert [one for one, _ in stage.row(stage.channels[0])] == [
        f"connection:{one}" for one in (second, first, third)
    ]
    assert answer(device, "tx.superseded").fields["shown"] == {"place": f"connection:{third}"}


def test_a_place_that_a_later_wish_of_ours_changed_is_settled(stage: Stage, device: Device) -> None:
    first, second, _ = (f"connection:{one}" for one in stage.connections)
    device.wish(lambda tx: tx.move(first, to="top"))
    device.wish(lambda tx: tx.move(second, to="top"))
    device.archive.push()
    assert device.states() == ["settled", "settled"]


# What cannot be read


def test_what_cannot_be_read_back_stays_accepted_and_the_report_says_so(stage: Stage, device: Device) -> None:
    block = stage.blocks[0]
    device.wish(lambda tx: tx.edit(f"block:{block}", title="New"))
    stage.sandbox.control.arm("fail_before", match=f"GET /v3/blocks/{block}", times=None, after=1)
    report = device.archive.push()
    assert device.states() == ["accepted"]
    assert report.notes[0].startswith(f"block:{block} is accepted, but cannot be read back: ")
    assert report.resumable
    assert title(device, block) == "New"
    stage.sandbox.control.disarm()
    device.archive.push()
    assert device.states() == ["settled"]
    assert len(stage.writes()) == 1


def test_a_channel_that_cannot_be_read_holds_up_its_wishes_only(stage: Stage, device: Device) -> None:
    device.wish(lambda tx: tx.connect(f"block:{stage.blocks[0]}", stage.channels[1]))
    device.wish(lambda tx: tx.edit(f"block:{stage.blocks[1]}", title="New"))
    pages = f"GET /v3/channels/{stage.channels[1]}/contents"
    stage.sandbox.control.arm("fail_before", match=pages, times=None)
    report = device.archive.push()
    assert device.states() == ["accepted", "settled"]
    assert report.notes[0].startswith(f"channel:{stage.channels[1]} cannot be read back: ")


# Names


def test_the_connections_of_a_new_block_get_their_names_from_the_reading(
    stage: Stage, device: Device
) -> None:
    """No answer names them."""
    (intent,) = device.wish(lambda tx: tx.add_block(list(stage.channels), "new"))
    device.archive.push()
    outbox = device.outbox()
    block = outbox.canonical(intent.object_id)
    made = [outbox.canonical(event.object_id) for event in intent.events[1:]]
    assert [(one, block) for one in made] == [stage.row(number)[-1] for number in stage.channels]


def test_a_wish_that_got_another_answer_meanwhile_keeps_it(stage: Stage, device: Device) -> None:
    (intent,) = device.wish(lambda tx: tx.edit(f"block:{stage.blocks[0]}", title="New"))
    device.first(ANSWERED + 1, lambda: device.answer(intent, "tx.cancelled", reason="withdrawn"))
    device.run(lambda archive: archive.push())
    assert device.states() == ["cancelled"]
