"""What objects show, and what they lead to."""

from __future__ import annotations

import copy
import json
import pickle
from datetime import UTC, datetime
from typing import Any

import pytest

from vfdir_lab.objects import Block, Channel, Connection, User


def test_an_attribute_is_the_cell_of_the_table(home: Any) -> None:
    home.observe("block:1", metadata={"depth": 3}, created_at="2026-01-02T03:04:05Z")
    block = home.objects.block(1)
    (row,) = home.archive.sql("FROM blocks WHERE object_id = 'block:1'").to_arrow_table().to_pylist()
    shown = block.as_dict()
    assert shown.pop("metadata") == json.loads(row.pop("metadata")) == {"depth": 3}
    assert shown == row
    assert (block.title, block.type, block.remote_id) == ("Entry 1", "Text", 1)
    assert block.created_at == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert block.metadata == {"depth": 3}
    assert block.description is None


def test_a_channel_gives_its_items_top_first(home: Any) -> None:
    channel = home.objects.channel("tides-1")
    assert [one.object_id for one in channel.items] == ["block:3", "channel:2", "block:2", "block:1"]
    assert [one.object_id for one in channel.blocks] == ["block:3", "block:2", "block:1"]
    assert [one.position for one in channel.connections] == [4, 3, 2, 1]
    assert channel.length == 4


def test_everything_leads_back_to_where_it_came_from(home: Any) -> None:
    channel = home.objects.channel(1)
    for connection in channel.connections:
        assert connection.channel is channel
        assert connection in connection.item.connections if isinstance(connection.item, Block) else True
        assert connection.by is channel.owner
    for block in channel.blocks:
        assert channel in block.channels
        assert block.author is channel.owner
        assert block in block.author.blocks
    assert channel.owner is home.objects.user(9)
    assert channel.owner.channels == [channel, home.objects.channel(2)]


def test_a_shared_block_is_in_each_of_its_channels_once(home: Any) -> None:
    home.observe("connection:5000", channel="channel:1", item="block:2", connected_at="2027-01-01T00:00:00Z")
    shared = home.objects.block(2)
    assert [one.object_id for one in shared.channels] == ["channel:1", "channel:2"] or [
        one.object_id for one in shared.channels
    ] == ["channel:2", "channel:1"]
    assert len(shared.connections) == 3


def test_connections_of_a_block_come_oldest_first(home: Any) -> None:
    for number, year in ((7001, 2024), (7002, 2022), (7003, 2023)):
        at = f"{year}-01-01T00:00:00Z"
        home.observe(f"connection:{number}", channel="channel:2", item="block:3", connected_at=at)
    dated = [one for one in home.objects.block(3).connections if one.connected_at is not None]
    assert [one.object_id for one in dated] == ["connection:7002", "connection:7003", "connection:7001"]


def test_channels_that_hold_each_other_end(home: Any) -> None:
    home.observe("connection:5001", channel="channel:2", item="channel:1")
    first = home.objects.channel(1)
    second = next(one for one in first.items if isinstance(one, Channel))
    assert first in second.items


def test_comments_come_in_order_with_their_authors(home: Any) -> None:
    for number, at in ((2, "2026-01-01T00:00:00Z"), (1, "2026-01-02T00:00:00Z")):
        body = {"markdown": f"said {number}"}
        shown = {"block": "block:1", "body": body, "user": {"id": 9, "type": "User"}, "created_at": at}
        home.observe(f"comment:{number}", **shown)
    comments = home.objects.block(1).comments
    assert [one.body for one in comments] == ["said 2", "said 1"]
    assert comments[0].author is home.objects.user(9)
    assert comments[0].block is home.objects.block(1)
    assert home.objects.comment(1) is comments[1]


def test_a_group_is_a_user_that_goes_by_its_whole_id(home: Any) -> None:
    home.observe("group:7", name="Harbour office", slug="harbour")
    home.observe("block:50", type="Text", user={"id": 7, "type": "Group"})
    group = home.objects.block(50).author
    assert isinstance(group, User)
    assert group.object_id == "group:7"
    assert group.name == "Harbour office"
    assert group is home.objects.user("group:7")
    assert group.blocks == [home.objects.block(50)]
    assert {one.object_id for one in home.objects.users} == {"user:9", "group:7"}


def test_who_is_not_known_is_there_all_the_same(home: Any) -> None:
    """are.na names an author whom no fact describes: a loop over authors meets no surprise."""
    home.observe("block:51", type="Text", user={"id": 404, "type": "User"})
    author = home.objects.block(51).author
    assert author.object_id == "user:404"
    assert (author.name, author.slug, author.vanished_at) == (None, None, None)
    assert author.blocks == [home.objects.block(51)]


def test_what_a_lens_of_ones_own_adds_is_an_attribute(home: Any) -> None:
    folder = home.archive.path / "projections" / "blocks"
    folder.mkdir(parents=True)
    (folder / "v9_loud.sql").write_text(
        "-- projection: blocks\n-- version: 9\n-- title: Loud\n-- key: object_id\n"
        "SELECT object_id, title, upper(title) AS loud FROM blocks_v2\n"
    )
    block = home.objects.block(1)
    with pytest.raises(AttributeError, match="no 'loud'"):
        _ = block.loud
    home.archive.projections["blocks"].use(9)
    assert block.loud == "ENTRY 1"
    assert block.type is None, "a public column that the version lacks reads as null"
    assert "loud" in dir(block)
    home.archive.projections["blocks"].use(2)
    assert not hasattr(block, "loud")
    assert block.type == "Text"


def test_dir_lists_fields_and_relations_and_nothing_of_the_works(home: Any) -> None:
    listed = set(dir(home.objects.block(1)))
    assert {"title", "metadata", "author", "channels", "comments", "observe", "vanished_at"} <= listed
    assert not {"pool", "key", "TABLE"} & listed


def test_all_of_a_sort_come_by_number(home: Any) -> None:
    assert [one.object_id for one in home.objects.blocks] == ["block:1", "block:2", "block:3"]
    assert len(home.objects.connections) == len(list(home.objects.connections)) == 5
    assert home.objects.block(1) in home.objects.blocks
    assert home.objects.channel(1) not in home.objects.blocks
    assert all(isinstance(one, Connection) for one in home.objects.connections)
    assert repr(home.objects) == "<objects: 3 blocks, 2 channels>"
    assert repr(home.objects.blocks) == "<3 blocks>"


def test_a_copy_of_an_object_is_the_object(home: Any) -> None:
    block = home.objects.block(1)
    assert copy.copy(block) is block
    assert copy.deepcopy([block])[0] is block
    with pytest.raises(TypeError, match="object_id"):
        pickle.dumps(block)


def test_an_empty_archive_has_no_objects_and_no_complaint(tmp_path: Any) -> None:
    from vfdir_lab.archive import Archive

    objects = Archive(tmp_path / "new", create=True).objects
    assert list(objects.blocks) == list(objects.channels) == list(objects.users) == []


@pytest.mark.parametrize("name", ["titel", "loud", "_repr_svg_", "_ipython_display_"])
def test_what_is_no_field_is_no_attribute(home: Any, name: str) -> None:
    block = home.objects.block(1)
    assert not hasattr(block, name)
    with pytest.raises(AttributeError):
        setattr(block, name, "x")
