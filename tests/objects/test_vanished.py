"""What is not shown any more is readable: its last values, and since when it is gone."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest


def recorded_at(home: Any, kind: str, object_id: str) -> datetime:
    query = f"SELECT max(recorded_at) FROM events WHERE kind = '{kind}' AND object_id = '{object_id}'"
    ((found,),) = home.archive.sql(query).fetchall()
    assert isinstance(found, datetime)
    return found


def test_a_block_that_vanished_shows_its_last_values(home: Any) -> None:
    home.observe("block:1", title="Last words", description={"markdown": "ebb"})
    block = home.objects.block(1)
    assert block.vanished_at is None
    home.vanish("block:1")
    assert (block.title, block.description, block.type) == ("Last words", "ebb", "Text")
    assert block.vanished_at == recorded_at(home, "block.vanished", "block:1")
    assert block.author is home.objects.user(9)
    assert block.channels == []
    assert block not in home.objects.blocks
    assert "vanished" in repr(block)


def test_what_vanished_long_ago_can_be_asked_for(home: Any) -> None:
    home.vanish("block:1")
    home.observe("block:2", title="Later")
    block = home.objects.block(1)
    assert (block.title, block.remote_id) == ("Entry 1", 1)
    assert block.vanished_at == recorded_at(home, "block.vanished", "block:1")


def test_what_came_back_is_not_vanished(home: Any) -> None:
    block = home.objects.block(1)
    home.vanish("block:1")
    assert block.vanished_at is not None
    home.observe("block:1", title="Back")
    assert (block.title, block.vanished_at) == ("Back", None)


def test_a_loop_over_what_is_vanishing_meets_no_surprise(home: Any) -> None:
    channel, blocks = home.objects.channel(1), list(home.objects.blocks)
    home.vanish("channel:1")
    for number in (1, 2, 3):
        home.vanish(f"block:{number}")
    assert [one.title for one in blocks] == ["Entry 1", "Entry 2", "Entry 3"]
    assert all(one.vanished_at is not None for one in blocks)
    assert (channel.title, channel.slug, channel.items, channel.length) == ("Tides", "tides-1", [], None)
    assert channel.vanished_at == recorded_at(home, "channel.vanished", "channel:1")
    assert home.objects.channel("channel:1") is channel


def test_many_that_vanished_are_found_out_about_at_once(home: Any, monkeypatch: Any) -> None:
    from vfdir_lab.objects import pool as pool_module
    from vfdir_lab.objects.vanished import last_shown

    asked = []

    def counted(*arguments: Any) -> Any:
        asked.append(arguments[-1])
        return last_shown(*arguments)

    monkeypatch.setattr(pool_module, "last_shown", counted)
    blocks = list(home.objects.blocks)
    for number in (1, 2, 3):
        home.vanish(f"block:{number}")
    assert [one.title for one in blocks] == ["Entry 1", "Entry 2", "Entry 3"]
    assert [len(one) for one in asked] == [3]


def test_a_connection_is_gone_with_itself_its_channel_or_its_item(home: Any) -> None:
    own, by_item, by_channel = (home.objects.connection(number) for number in (1001, 1002, 2001))
    home.vanish("connection:1001")
    home.vanish("block:2")
    assert own.vanished_at == recorded_at(home, "connection.vanished", "connection:1001")
    assert by_item.vanished_at == recorded_at(home, "block.vanished", "block:2")
    assert by_channel.vanished_at == recorded_at(home, "block.vanished", "block:2")
    assert (own.channel, own.item) == (home.objects.channel(1), home.objects.block(1))
    assert own.position is None, "what is gone has no place"
    assert by_item.item.title == "Entry 2"


def test_a_draft_that_came_to_nothing_shows_what_was_wished(home: Any) -> None:
    with home.archive.transaction() as tx:
        handle = tx.add_block("channel:1", "a text", title="Draft")
    block = home.objects.block(handle.id)
    assert (block.title, block.vanished_at) == ("Draft", None)
    home.answer(tx.id, "cancelled")
    assert (block.title, block.content) == ("Draft", "a text")
    assert block.vanished_at == recorded_at(home, "tx.cancelled", tx.id)
    assert home.objects.block(handle.id) is block


def test_what_is_taken_out_by_a_wish_is_gone_until_the_wish_is_cancelled(home: Any) -> None:
    connection = home.objects.connection(1001)
    with home.archive.transaction() as tx:
        tx.disconnect("connection:1001")
    assert connection.vanished_at == recorded_at(home, "connection.unmade", "connection:1001")
    assert connection.item is home.objects.block(1)
    home.answer(tx.id, "cancelled")
    assert connection.vanished_at is None


def test_what_only_the_lens_leaves_out_has_not_vanished(home: Any) -> None:
    folder = home.archive.path / "projections" / "blocks"
    folder.mkdir(parents=True)
    (folder / "v9_first.sql").write_text(
        "-- projection: blocks\n-- version: 9\n-- title: First\n-- key: object_id\n"
        "SELECT * FROM blocks_v2 WHERE object_id = 'block:1'\n"
    )
    block = home.objects.block(2)
    home.archive.projections["blocks"].use(9)
    assert [one.object_id for one in home.objects.blocks] == ["block:1"]
    assert block.vanished_at is None
    assert block.title is None
    assert home.objects.block(2) is block


@pytest.mark.parametrize("version", [1, 2, 3])
def test_every_shipped_version_shows_the_last_values(home: Any, version: int) -> None:
    home.archive.projections["blocks"].use(version)
    block = home.objects.block(1)
    home.vanish("block:1")
    assert block.title == "Entry 1"
    assert block.vanished_at is not None
