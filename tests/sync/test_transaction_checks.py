"""What makes no sense is said at once, in one line, and nothing is recorded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from drafting import Desk

from vfdir_lab.arena.uploads import LARGEST_FILE_BYTES
from vfdir_lab.errors import UsageError
from vfdir_lab.sync.transaction import Transaction

Wish = Callable[[Transaction], Any]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path / "archive")
    desk.show_channel(2, ["block:9"], title="Other")
    desk.show_channel(1, ["block:1", "channel:2", "block:3"])
    desk.observe("block:3", type="Image", content=None)
    desk.observe("block:4", type="Attachment", title="Paper")
    desk.observe("block:5", type="PendingBlock", title=None)
    return desk


def refused(desk: Desk, wish: Wish) -> str:
    """What is said of a wish, which must be one line and leave the log as it was."""
    before = desk.head()
    with pytest.raises(UsageError) as raised, desk.transaction() as tx:
        wish(tx)
    assert desk.head() == before
    said = str(raised.value)
    assert "\n" not in said
    return said


BAD: dict[str, tuple[Wish, str]] = {
    "no such block": (lambda tx: tx.edit("block:404", title="x"), "no block:404 in this archive"),
    "no such channel": (lambda tx: tx.add_block(404, "x"), "no channel:404 in this archive"),
    "no such slug": (lambda tx: tx.add_block("nowhere", "x"), "no channel 'nowhere' in this archive"),
    "no such connection": (lambda tx: tx.disconnect("connection:404"), "no connection:404"),
    "no such local block": (lambda tx: tx.edit("block:~dev1.99", title="x"), "no block:~dev1.99"),
    "a channel where a block should be": (
        lambda tx: tx.comment("channel:1", "x"),
        "is a channel, not a block",
    ),
    "a block where a channel should be": (
        lambda tx: tx.add_block("block:1", "x"),
        "is a block, not a channel",
    ),
    "the address of a block": (
        lambda tx: tx.add_block("https://www.are.na/block/1", "x"),
        "address of a block, not of a channel",
    ),
    "a connection to be edited": (lambda tx: tx.edit("connection:1001", title="x"), "is a connection, not a"),
    "a number where an id should be": (lambda tx: tx.edit(1, title="x"), "say block:123 or channel:123"),  # type: ignore[arg-type]
    "a number as an item": (lambda tx: tx.connect("1", 1), "say block:123 or channel:123"),
    "a truth value as a channel": (lambda tx: tx.add_block(True, "x"), "is no channel"),
    "no name at all": (lambda tx: tx.move("", to="top"), "names no object"),
    "no value": (lambda tx: tx.add_block(1), "give one of them"),
    "a value and a file": (lambda tx: tx.add_block(1, "x", file="y"), "give one of them"),
    "a blank text": (lambda tx: tx.add_block(1, "  \n"), "value must not be empty"),
    "half a character": (lambda tx: tx.add_block(1, "\ud800"), "half a character"),
    "a password in an address": (lambda tx: tx.add_block(1, "https://a:b@example.org/"), "password in it"),
    "a source that is no address": (
        lambda tx: tx.add_block(1, "x", original_source_url="ftp://a"),
        "original_source_url is no web address",
    ),
    "an unknown option": (lambda tx: tx.add_block(1, "x", colour="red"), "give title, description, alt_text"),  # type: ignore[call-arg]
    "an alt text of a text": (lambda tx: tx.add_block(1, "x", alt_text="y"), "will be a block of type Text"),
    "no channel": (lambda tx: tx.add_block([], "x"), "1 to 20 channels"),
    "a place in one of two channels": (
        lambda tx: tx.add_block([1, 2], "x", after="connection:1001"),
        "there are several",
    ),
    "a place in another channel": (
        lambda tx: tx.add_block(1, "x", after="connection:2001"),
        "connection:2001 is not in channel:1",
    ),
    "a place below a block": (
        lambda tx: tx.add_block(1, "x", after="block:1"),
        "is a block, not a connection",
    ),
    "our own mark": (lambda tx: tx.add_block(1, "x", metadata={"vfdir_tx": "1"}), "use another key"),
    "our own mark in an edit": (lambda tx: tx.edit("block:1", metadata={"vfdir_tx": None}), "another key"),
    "a bad key": (lambda tx: tx.add_block(1, "x", metadata={"a b": 1}), "no key of metadata"),
    "no room for the mark": (
        lambda tx: tx.add_block(1, "x", metadata={f"k{n}": n for n in range(50)}),
        "at most 50 keys",
    ),
    "metadata that is none": (lambda tx: tx.edit("block:1", metadata="x"), "must be keys and values"),
    "a channel without a title": (lambda tx: tx.add_channel(" "), "title must not be empty"),
    "an unknown visibility": (lambda tx: tx.add_channel("x", visibility="open"), "give one of public"),
    "a channel that loses its title": (lambda tx: tx.edit_channel(1, title=None), "title must be a text"),
    "an unknown field of a block": (
        lambda tx: tx.edit("block:1", colour="red"),
        "there is no colour to wish for here: give title, description, content, alt_text, metadata",
    ),
    "an unknown field of a channel": (
        lambda tx: tx.edit("channel:1", content="x"),
        "give title, description, visibility, metadata",
    ),
    "nothing to change": (lambda tx: tx.edit("block:1"), "nothing to change of block:1 was named"),
    "a change that changes nothing": (
        lambda tx: tx.edit("block:1", title="Entry 1", content="Entry 1"),
        "block:1 shows this title and content already",
    ),
    "the content of a picture": (lambda tx: tx.edit("block:3", content="x"), "only a block of type Text"),
    "the alt text of a text": (lambda tx: tx.edit("block:1", alt_text="x"), "only a block of type Image"),
    "the alt text of a file": (lambda tx: tx.edit("block:4", alt_text="x"), "of type Attachment"),
    "the content of what is not ready": (lambda tx: tx.edit("block:5", content="x"), "of type PendingBlock"),
    "a channel into itself": (lambda tx: tx.connect("channel:1", "tides-1"), "cannot be put into itself"),
    "a move to nowhere": (lambda tx: tx.move("connection:1001"), "give `after` or `to`"),
    "a move to two places": (
        lambda tx: tx.move("connection:1001", after="connection:1002", to="top"),
        "give `after` or `to`",
    ),
    "a move to no end": (lambda tx: tx.move("connection:1001", to="left"), "give one of top, bottom"),
    "a move below itself": (
        lambda tx: tx.move("connection:1001", after="connection:1001"),
        "cannot go below itself",
    ),
    "a deletion without a yes": (lambda tx: tx.delete_channel(1), "would be deleted for good"),
    "a comment that says nothing": (lambda tx: tx.comment("block:1", " "), "body must not be empty"),
    "a file that is not there": (lambda tx: tx.add_block(1, file="/no/such"), "there is no file /no/such"),
    "a folder": (lambda tx: tx.add_block(1, file="/"), "/ is a folder: give a file in it"),
    "no ordinary file": (lambda tx: tx.add_block(1, file="/dev/null"), "no ordinary file"),
    "a name that is none": (lambda tx: tx.add_block(1, file="\0"), "there is no file"),
    "a person that is not there": (lambda tx: tx.add_block(1, file="~nobody-here/x"), "cannot be read"),
    "no file name": (lambda tx: tx.add_block(1, file=7), "cannot be read"),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("case", BAD)
def test_it_is_said_at_once(desk: Desk, case: str) -> None:
    wish, said = BAD[case]
    assert said in refused(desk, wish)


def test_a_label_that_is_no_text(desk: Desk) -> None:
    with pytest.raises(UsageError, match="label must be a text"):
        desk.transaction(7)  # type: ignore[arg-type]


def test_an_empty_file_and_one_that_is_too_large(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch()
    assert "is empty" in refused(desk, lambda tx: tx.add_block(1, file=path))
    with path.open("wb") as file:
        file.truncate(LARGEST_FILE_BYTES + 1)
    assert f"at most {LARGEST_FILE_BYTES} are sent" in refused(desk, lambda tx: tx.add_block(1, file=path))
    assert not (desk.copy.root / "media").exists()


def test_an_alt_text_of_a_file_that_is_no_picture(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "lies.png").write_text("words")
    said = refused(desk, lambda tx: tx.add_block(1, file=tmp_path / "lies.png", alt_text="x"))
    assert "type Attachment" in said


def test_what_was_refused_leaves_the_rest_of_the_transaction_as_it_was(desk: Desk) -> None:
    with desk.transaction() as tx:
        tx.edit("block:1", title="kept")
        with pytest.raises(UsageError):
            tx.edit("block:1", colour="red")
    assert [event.kind for event in desk.wished()] == ["block.edited", "tx.committed"]


def test_twenty_channels_and_not_one_more(desk: Desk) -> None:
    with desk.transaction() as tx:
        channels = [tx.add_channel(f"C{number}") for number in range(21)]
        with pytest.raises(UsageError, match="1 to 20 channels at once, not 21"):
            tx.add_block(channels, "x")
        block = tx.add_block([*channels[:20], channels[0]], "x")
    assert len(block.connections) == 20


def test_an_item_by_the_address_of_its_page(desk: Desk) -> None:
    with desk.transaction() as tx:
        tx.connect("https://www.are.na/block/4", 1)
        tx.connect("https://www.are.na/ada/tides-2", 1)
    assert desk.items()[-2:] == ["block:4", "channel:2"]
