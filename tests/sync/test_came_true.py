"""Whether an answer shows what was wished, once are.na has tidied it up."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from wishing import Device, Stage

from vfdir_lab.sync.came_true import differing, value_in, wanted
from vfdir_lab.sync.transaction import Transaction


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with Stage() as found:
        yield found


@pytest.fixture
def device(stage: Stage) -> Device:
    found = stage.device()
    found.archive.pull(*stage.channels)
    return found


Shows = Callable[[Callable[[Transaction], object], dict[str, Any]], dict[str, Any]]


@pytest.fixture
def shows(device: Device) -> Shows:
    """What differs when are.na shows this after that was wished."""

    def against(say: Callable[[Transaction], object], shown: dict[str, Any]) -> dict[str, Any]:
        (intent,) = device.wish(say)
        return differing(intent, shown, device.outbox())

    return against


def prose(text: str) -> dict[str, str]:
    return {"markdown": text, "html": f"<p>{text}</p>", "plain": text}


@pytest.mark.parametrize(
    ("wish", "shown"),
    [
        ({"title": "New"}, {"title": "New"}),
        ({"title": "e\u0301t\u0065\u0301"}, {"title": "été"}),
        ({"title": " New "}, {"title": "New"}),
        ({"title": "A & B"}, {"title": "A &amp; B"}),
        ({"title": None}, {"title": ""}),
        ({"title": None}, {}),
        ({"description": "a\r\nb  \nc"}, {"description": prose("a\nb\nc")}),
        ({"description": None}, {"description": None}),
        ({"content": "So"}, {"content": prose("So")}),
        ({"metadata": {"a": 1, "b": None}}, {"metadata": {"a": 1, "c": 2}}),
    ],
)
def test_the_same_after_tidying_is_what_was_wished(
    stage: Stage, shows: Shows, wish: dict[str, Any], shown: dict[str, Any]
) -> None:
    block = f"block:{stage.blocks[0]}"
    before = {name: "something else" for name in wish if name != "metadata"}
    if before:
        shows(lambda tx: tx.edit(block, **before), {})
    assert shows(lambda tx: tx.edit(block, **wish), {"id": 7, "updated_at": "later"} | shown) == {}


@pytest.mark.parametrize(
    ("wish", "shown", "instead"),
    [
        ({"title": "New"}, {"title": "new"}, {"title": "new"}),
        ({"title": "New", "content": "C"}, {"title": "New", "content": prose("D")}, {"content": prose("D")}),
        ({"metadata": {"a": 1}}, {"metadata": {"a": True}}, {"metadata": {"a": True}}),
        ({"metadata": {"a": 1}}, {"metadata": None}, {"metadata": None}),
        ({"title": "New"}, {}, {"title": None}),
    ],
)
def test_what_is_shown_instead_is_told_by_field(
    stage: Stage, shows: Shows, wish: dict[str, Any], shown: dict[str, Any], instead: dict[str, Any]
) -> None:
    assert shows(lambda tx: tx.edit(f"block:{stage.blocks[0]}", **wish), shown) == instead


@pytest.mark.parametrize("state", ["sent", "unknown", "accepted", "settled"])
def test_a_field_that_a_later_wish_sets_is_that_wishs_affair(
    stage: Stage, device: Device, state: str
) -> None:
    block = f"block:{stage.blocks[0]}"
    (first,) = device.wish(lambda tx: tx.edit(block, title="a", content="c"))
    (later,) = device.wish(lambda tx: tx.edit(block, title="b"))
    device.answer(later, f"tx.{state}")
    outbox = device.outbox()
    assert differing(first, {"title": "b", "content": prose("c")}, outbox) == {}
    assert differing(first, {"title": "b", "content": prose("d")}, outbox) == {"content": prose("d")}
    assert differing(later, {"title": "a"}, outbox) == {"title": "a"}, "the later one is not covered"


@pytest.mark.parametrize("state", ["committed", "rejected", "cancelled", "superseded"])
def test_a_later_wish_that_cannot_have_reached_are_na_covers_nothing(
    stage: Stage, device: Device, state: str
) -> None:
    block = f"block:{stage.blocks[0]}"
    (first,) = device.wish(lambda tx: tx.edit(block, title="a"))
    (later,) = device.wish(lambda tx: tx.edit(block, title="b"))
    if state != "committed":
        device.answer(later, f"tx.{state}", reason="no")
    assert differing(first, {"title": "b"}, device.outbox()) == {"title": "b"}


def test_a_later_wish_about_another_block_covers_nothing(stage: Stage, device: Device) -> None:
    (first,) = device.wish(lambda tx: tx.edit(f"block:{stage.blocks[0]}", title="a"))
    (later,) = device.wish(lambda tx: tx.edit(f"block:{stage.blocks[1]}", title="b"))
    device.answer(later, "tx.accepted")
    assert differing(first, {"title": "b"}, device.outbox()) == {"title": "b"}


def test_a_later_edit_by_the_name_that_a_draft_got_covers_it(stage: Stage, device: Device) -> None:
    (made,) = device.wish(lambda tx: tx.add_block(stage.channels[0], "new", title="a"))
    (edit,) = device.wish(lambda tx: tx.edit(made.object_id, title="b"))
    device.answer(made, "tx.accepted")
    device.bind(made.object_id, "block:77")
    device.answer(edit, "tx.sent")
    assert differing(made, {"type": "Text", "title": "b", "content": prose("new")}, device.outbox()) == {}


def test_of_a_new_block_only_what_was_said_of_it_is_wanted(stage: Stage, device: Device) -> None:
    """What are.na makes of an address, such as its title, is its own affair."""
    (text,) = device.wish(lambda tx: tx.add_block(stage.channels[0], "words", title="T", metadata={"a": 1}))
    assert wanted(text) == {"title": "T", "metadata": {"a": 1}, "content": "words"}
    (link,) = device.wish(lambda tx: tx.add_block(stage.channels[0], "https://example.org/a"))
    assert wanted(link) == {}


def test_a_comment_is_wanted_by_its_words(stage: Stage, device: Device) -> None:
    (said,) = device.wish(lambda tx: tx.comment(f"block:{stage.blocks[0]}", "so it is"))
    assert wanted(said) == {"body": "so it is"}
    assert differing(said, {"body": prose("so it is ")}, device.outbox()) == {}
    assert differing(said, {"body": prose("not so")}, device.outbox()) == {"body": prose("not so")}


def test_some_fields_are_found_further_in() -> None:
    shown = {"image": {"alt_text": "a cat"}, "source": {"url": "https://example.org/", "title": "Ex"}}
    names = ("alt_text", "original_source_url", "original_source_title", "title")
    assert [value_in(shown, name) for name in names] == ["a cat", "https://example.org/", "Ex", None]
    assert value_in({"image": None, "source": "odd"}, "original_source_url") is None
