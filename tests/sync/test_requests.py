"""Each kind of wish is one call of are.na's: its method, its path, its body."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from wishing import NOON, Device, Stage

from vfdir_lab.arena import NotSent, Sent
from vfdir_lab.arena.writes import Writes
from vfdir_lab.errors import BudgetReachedError, UsageError
from vfdir_lab.event import Draft
from vfdir_lab.sync.outbox import Intent
from vfdir_lab.sync.plan import Job
from vfdir_lab.sync.requests import MARK, Asked, marked, number_of, request
from vfdir_lab.sync.transaction import Transaction


class Overheard(Writes):
    """Hears what would be sent."""

    def __init__(self) -> None:
        self.said: list[tuple[str, Any]] = []

    def _write(self, method: str, path: str, body: Mapping[str, object] | None, _read: Any) -> Sent:
        self.said.append((f"{method} {path}", body))
        return NotSent(asked=path, begun_at=NOON, got_at=NOON, error=BudgetReachedError("nothing is sent"))


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with Stage() as found:
        yield found


@pytest.fixture(scope="module")
def device(stage: Stage) -> Device:
    found = stage.device()
    found.archive.pull(*stage.channels)
    return found


@pytest.fixture
def wished(device: Device) -> Callable[..., tuple[Any, list[Intent]]]:
    """The call that the only (or last) wish of a transaction becomes, and the intents."""

    def wish(
        say: Callable[[Transaction], object], *, value: str | None = None, **positions: int
    ) -> tuple[Any, list[Intent]]:
        intents = device.wish(say)
        overheard = Overheard()
        known = {name.replace("_", ":"): at for name, at in positions.items()}
        asked = Asked(value=value, positions=known)
        request(Job(intents=intents[-1:]), device.outbox(), asked)(overheard)
        (said,) = overheard.said
        return said, list(intents)

    return wish


Wished = Callable[..., tuple[Any, list[Intent]]]


def test_a_block_goes_with_its_places_and_its_mark(stage: Stage, wished: Wished) -> None:
    said, (intent,) = wished(
        lambda tx: tx.add_block(
            list(stage.channels), "A text", title="T", description="D", metadata={"mood": "calm"}
        )
    )
    mark = {MARK: intent.intent}
    assert said == (
        "POST /v3/blocks",
        {
            "value": "A text",
            "channels": [{"id": one, "metadata": mark} for one in stage.channels],
            "title": "T",
            "description": "D",
            "metadata": {"mood": "calm"} | mark,
        },
    )


def test_a_place_is_said_as_the_position_that_was_read(stage: Stage, device: Device) -> None:
    anchor = f"connection:{stage.connections[0]}"
    (intent,) = device.wish(lambda tx: tx.add_block(stage.channels[0], "Below", after=anchor))
    overheard = Overheard()
    asked = Asked(positions={intent.events[1].object_id: 1})
    request(Job(intents=(intent,)), device.outbox(), asked)(overheard)
    ((_, body),) = overheard.said
    assert body["channels"][0]["position"] == 1


def test_a_file_goes_as_the_address_it_was_put_at(stage: Stage, device: Device, wished: Wished) -> None:
    path = stage.folder / "note.txt"
    path.write_text("a file", encoding="utf-8")
    (_, body), _ = wished(
        lambda tx: tx.add_block(stage.channels[0], file=path), value="https://example.org/f"
    )
    assert body["value"] == "https://example.org/f"


def test_an_edit_sends_what_changes_and_nothing_of_what_was(stage: Stage, wished: Wished) -> None:
    block = stage.blocks[0]
    said, _ = wished(lambda tx: tx.edit(f"block:{block}", title="N", content="C", metadata={"b": 1}))
    assert said == (f"PUT /v3/blocks/{block}", {"title": "N", "content": "C", "metadata": {"b": 1}})
    said, _ = wished(lambda tx: tx.edit(f"block:{block}", metadata={"b": None}))
    assert said[1] == {"metadata": {"b": None}}


def test_clearing_is_said(stage: Stage, wished: Wished) -> None:
    """A block takes no null for its texts, a channel does."""
    said, _ = wished(lambda tx: tx.edit(f"block:{stage.blocks[1]}", title=None))
    assert said[1] == {"title": ""}
    number = stage.channels[1]
    wished(lambda tx: tx.edit(f"channel:{number}", description="words"))
    said, _ = wished(lambda tx: tx.edit(f"channel:{number}", description=None))
    assert said == (f"PUT /v3/channels/{number}", {"description": None})


def test_a_channel_is_closed_unless_said_otherwise_and_has_its_mark(wished: Wished) -> None:
    said, (intent,) = wished(lambda tx: tx.add_channel("New", description="D", metadata={"a": 1}))
    assert said == (
        "POST /v3/channels",
        {
            "title": "New",
            "visibility": "closed",
            "description": "D",
            "metadata": {"a": 1, MARK: intent.intent},
        },
    )
    said, _ = wished(lambda tx: tx.add_channel("Open", visibility="public"))
    assert said[1]["visibility"] == "public"


def test_a_channel_is_deleted_by_number(stage: Stage, device: Device) -> None:
    made = stage.sandbox.control.add_channel("To go", by=stage.sandbox.world.main)["id"]
    device.archive.pull(made)
    (intent,) = device.wish(lambda tx: tx.delete_channel(made, yes=True))
    overheard = Overheard()
    request(Job(intents=(intent,)), device.outbox(), Asked(positions={}))(overheard)
    assert overheard.said == [(f"DELETE /v3/channels/{made}", None)]


@pytest.mark.parametrize("kind", ["Block", "Channel"])
def test_an_item_is_connected_as_what_it_is(stage: Stage, wished: Wished, kind: str) -> None:
    item = stage.blocks[0] if kind == "Block" else stage.channels[0]
    into = stage.channels[1]
    said, (intent,) = wished(lambda tx: tx.connect(f"{kind.lower()}:{item}", into))
    assert said == (
        "POST /v3/connections",
        {
            "connectable_id": item,
            "connectable_type": kind,
            "channels": [{"id": into, "metadata": {MARK: intent.intent}}],
        },
    )


def test_a_disconnection_is_one_of_the_connection(stage: Stage, wished: Wished) -> None:
    said, _ = wished(lambda tx: tx.disconnect(f"connection:{stage.connections[2]}"))
    assert said == (f"DELETE /v3/connections/{stage.connections[2]}", None)


@pytest.mark.parametrize("end", ["top", "bottom"])
def test_a_move_to_an_end_is_said_as_that(stage: Stage, wished: Wished, end: str) -> None:
    said, _ = wished(lambda tx: tx.move(f"connection:{stage.connections[0]}", to=end))
    assert said == (f"POST /v3/connections/{stage.connections[0]}/move", {"movement": f"move_to_{end}"})


def test_a_move_below_another_is_never_relative(stage: Stage, wished: Wished) -> None:
    """What is done twice has to come to the same."""
    mover, anchor = (f"connection:{one}" for one in stage.connections[:2])
    said, _ = wished(lambda tx: tx.move(mover, after=anchor), **{mover.replace(":", "_"): 2})
    assert said[1] == {"movement": "insert_at", "position": 2}


def test_a_comment_goes_to_its_block(stage: Stage, wished: Wished) -> None:
    said, _ = wished(lambda tx: tx.comment(f"block:{stage.blocks[0]}", "so *it* is"))
    assert said == (f"POST /v3/blocks/{stage.blocks[0]}/comments", {"body": "so *it* is"})


def test_what_was_born_here_goes_by_the_name_it_got(stage: Stage, device: Device) -> None:
    (made,) = device.wish(lambda tx: tx.add_block(stage.channels[0], "born here"))
    (edit,) = device.wish(lambda tx: tx.edit(made.object_id, title="T"))
    assert number_of(device.outbox(), made.object_id) == 0
    overheard = Overheard()
    with pytest.raises(UsageError):
        request(Job(intents=(edit,)), device.outbox(), Asked(positions={}))(overheard)
    assert overheard.said == []
    device.bind(made.object_id, "block:77")
    request(Job(intents=(edit,)), device.outbox(), Asked(positions={}))(overheard)
    assert overheard.said == [("PUT /v3/blocks/77", {"title": "T"})]


def test_a_wish_beyond_are_nas_limits_is_not_said(device: Device) -> None:
    """Such a wish can come from another device's log only."""
    wish = {"intent": "i9", "title": "x", "metadata": {"not a key!": 1}}
    said = [
        Draft(kind="channel.drafted", object_id="channel:~zzzz.9", payload=wish, cause="tx:t9"),
        Draft(kind="tx.committed", object_id="tx:t9", payload={"label": "", "intents": ["i9"]}),
    ]
    device.outbox().record(lambda _device: said)
    intent = device.outbox().intent("i9")
    assert intent is not None
    overheard = Overheard()
    with pytest.raises(UsageError, match="is no key of metadata"):
        request(Job(intents=(intent,)), device.outbox(), Asked(positions={}))(overheard)
    assert overheard.said == []


def test_the_mark_is_added_to_what_there_is(device: Device) -> None:
    (intent,) = device.wish(lambda tx: tx.add_channel("Marked"))
    assert marked(intent) == {MARK: intent.intent}
    assert marked(intent, {"a": 1, MARK: "forged"}) == {"a": 1, MARK: intent.intent}
    assert marked(intent, "no metadata at all") == {MARK: intent.intent}
