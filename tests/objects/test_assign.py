"""Assigning to an attribute inside a transaction is a wish; outside it says how to make one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from vfdir_lab.archive import Archive
from vfdir_lab.errors import UsageError


def wishes(home: Any) -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = home.archive.sql(
        "SELECT kind, object_id FROM wishes ORDER BY ALL"
    ).fetchall()
    return rows


def test_an_assignment_is_an_intent_of_the_transaction_in_force(home: Any) -> None:
    block, channel = home.objects.block(1), home.objects.channel(1)
    with home.archive.transaction("tidy") as tx:
        block.title = "New"
        block.description = "Words"
        channel.title = "Ebb and flow"
        assert block.title == "Entry 1", "nothing is recorded before the transaction ends"
    assert (block.title, block.description, channel.title) == ("New", "Words", "Ebb and flow")
    assert wishes(home) == [("block.edited", "block:1")] * 2 + [("channel.edited", "channel:1")]
    assert home.archive.sql("SELECT tx, label FROM outbox").fetchall() == [(tx.id, "tidy")]


def test_outside_of_a_transaction_the_error_says_how(home: Any) -> None:
    block = home.objects.block(1)
    with pytest.raises(UsageError, match=r"block:1.*assign title inside `with archive.transaction\(\):`"):
        block.title = "New"
    assert wishes(home) == []


def test_a_transaction_is_in_force_as_long_as_its_body(home: Any) -> None:
    block = home.objects.block(1)

    def give_up() -> None:
        with home.archive.transaction():
            block.title = "Never"
            raise RuntimeError

    with pytest.raises(RuntimeError):
        give_up()
    with pytest.raises(UsageError, match="inside"):
        block.title = "New"
    assert wishes(home) == []
    assert block.title == "Entry 1"


def test_the_innermost_transaction_takes_the_wish_then_the_outer_one_again(home: Any) -> None:
    block = home.objects.block(1)
    with home.archive.transaction("outer") as outer:
        with home.archive.transaction("inner") as inner:
            block.title = "Inner"
        block.description = "Outer"
    rows = home.archive.sql("SELECT tx, attempts FROM outbox").fetchall()
    assert {tx for tx, _ in rows} == {outer.id, inner.id}
    assert (block.title, block.description) == ("Inner", "Outer")


def test_the_transaction_of_another_archive_or_thread_is_not_in_force(home: Any, tmp_path: Any) -> None:
    block = home.objects.block(1)

    def assign() -> None:
        block.title = "From elsewhere"

    with Archive(tmp_path / "other", create=True).transaction(), pytest.raises(UsageError, match="inside"):
        assign()
    with home.archive.transaction(), ThreadPoolExecutor(1) as thread:
        assert isinstance(thread.submit(assign).exception(), UsageError)
    assert wishes(home) == []


def test_what_shows_already_is_no_wish(home: Any) -> None:
    """So a loop may assign to every object, and the outbox holds only what changes."""
    with home.archive.transaction():
        for block in home.objects.blocks:
            block.title = (block.title or "").replace("Entry 2", "Second entry")
            block.description = ""
    assert wishes(home) == [("block.edited", "block:2")]


def test_within_a_transaction_the_last_assignment_counts_also_back(home: Any) -> None:
    block = home.objects.block(1)
    with home.archive.transaction():
        block.title = "Away"
        block.title = "Entry 1"
    assert block.title == "Entry 1"


def test_metadata_becomes_what_is_assigned(home: Any) -> None:
    home.observe("block:1", metadata={"kept": 1, "gone": 2, "vfdir_tx": "a" * 32})
    block = home.objects.block(1)
    with home.archive.transaction():
        block.metadata = {"kept": 1, "new": "x"}
    assert block.metadata == {"kept": 1, "new": "x", "vfdir_tx": "a" * 32}
    with home.archive.transaction():
        block.metadata = dict(block.metadata)
        block.metadata = None
    assert block.metadata == {"vfdir_tx": "a" * 32}


@pytest.mark.parametrize(("field", "value"), [("type", "Image"), ("created_at", None), ("title", 5)])
def test_what_cannot_be_wished_is_refused_as_the_transaction_does(home: Any, field: str, value: Any) -> None:
    with home.archive.transaction(), pytest.raises(UsageError):
        setattr(home.objects.block(1), field, value)
    assert wishes(home) == []


def test_a_connection_and_a_vanished_block_are_refused(home: Any) -> None:
    block = home.objects.block(1)
    home.vanish("block:1")
    with home.archive.transaction():
        with pytest.raises(UsageError, match="is a connection"):
            home.objects.connection(1001).pinned = True
        with pytest.raises(UsageError, match="not any more"):
            block.title = "New"


def test_a_draft_can_be_assigned_to(home: Any) -> None:
    with home.archive.transaction() as tx:
        handle = tx.add_block("channel:1", "a text")
    block = home.objects.block(handle.id)
    with home.archive.transaction():
        block.title = "Named"
    assert block.title == "Named"
    assert home.objects.channel(1).blocks[0] is block
