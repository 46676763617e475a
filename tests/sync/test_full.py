"""Reading a channel whole."""

import json
from datetime import datetime

import httpx
import pytest
from worlds import big_channel, count, held, kinds_since, truly

from vfdir_lab.archive import Archive
from vfdir_lab.arena import SYSTEM_TIME
from vfdir_lab.errors import ArenaServerError
from vfdir_lab.sandbox import Sandbox


def every_channel(sandbox: Sandbox) -> list[int]:
    return [channel.id for channel in sandbox.world.channels.values()]


def test_a_first_pull_of_everything_equals_the_server(sandbox: Sandbox, archive: Archive) -> None:
    report = archive.pull(mine=True, depth=5)
    assert all(one.state == "done" and one.complete for one in report.channels)
    for one in report.channels:
        number = int(one.channel.removeprefix("channel:"))
        visible = {
            row[1]
            for row in archive.sql(
                "SELECT object_id, object_id FROM channels UNION ALL SELECT object_id, object_id FROM blocks"
            ).fetchall()
        }
        shown = [row for row in truly(sandbox, number) if row[1] in visible]
        assert held(archive, number) == shown
    assert archive.verify().ok


def test_every_public_column_of_a_block_is_what_are_na_showed(sandbox: Sandbox, archive: Archive) -> None:
    archive.pull(mine=True)
    rows = archive.sql("SELECT * FROM blocks").to_arrow_table().to_pylist()
    assert {row["type"] for row in rows} >= {"Text", "Image", "Link", "Attachment", "Embed"}
    headers = {"Authorization": f"Bearer {sandbox.tokens.read}"}
    with httpx.Client(base_url=sandbox.url, headers=headers) as client:
        for row in rows[::3]:
            wire = client.get(f"/v3/blocks/{row['remote_id']}").json()
            if wire["state"] == "processing" or row["state"] == "processing":
                continue
            assert row == row | expected_block(wire)


def expected_block(wire: dict) -> dict:
    """The columns by the design's words, written a second time."""
    image, attachment = wire.get("image") or {}, wire.get("attachment") or {}
    embed, source = wire.get("embed") or {}, wire.get("source") or {}
    markdown = lambda value: value["markdown"] if value else None  # noqa: E731
    bare = lambda url: url.partition("?")[0] if url else None  # noqa: E731
    return {
        "object_id": f"block:{wire['id']}",
        "type": wire["type"],
        "title": wire["title"],
        "description": markdown(wire.get("description")),
        "content": markdown(wire.get("content")),
        "source_url": source.get("url"),
        "source_title": source.get("title"),
        "image_url": bare(image.get("src")),
        "attachment_url": bare(attachment.get("url")),
        "filename": attachment.get("filename") or image.get("filename"),
        "file_size": attachment.get("file_size") or image.get("file_size"),
        "embed_url": embed.get("url"),
        "embed_html": embed.get("html"),
        "visibility": wire["visibility"],
        "state": wire["state"],
        "author": f"user:{wire['user']['id']}",
        "created_at": datetime.fromisoformat(wire["created_at"]),
        "metadata": json.dumps(wire["metadata"], separators=(",", ":"), sort_keys=True, ensure_ascii=False)
        if wire.get("metadata") is not None
        else None,
        "pending": False,
    }


def test_a_long_channel_takes_one_request_a_page_and_two_for_the_channel(
    sandbox: Sandbox, archive: Archive
) -> None:
    channel = big_channel(sandbox, 250)
    sandbox.control.clear_requests()
    report = archive.pull(channel)
    assert report.requests == len(sandbox.control.requests()) == 6  # /v3/me too, once for this token
    assert report.channels[0].requests == 5
    assert held(archive, channel) == truly(sandbox, channel)
    assert report.channels[0].new == 250


def test_an_unchanged_channel_read_whole_again_records_only_the_scan(
    sandbox: Sandbox, archive: Archive
) -> None:
    archive.pull(mine=True, comments=True)
    before = count(archive)
    archive.pull(mine=True, full=True, comments=True)
    assert kinds_since(archive, before) == {}


@pytest.mark.parametrize("where", [1, 60, 125, 249])
def test_one_move_is_one_event(sandbox: Sandbox, archive: Archive, where: int) -> None:
    channel = big_channel(sandbox, 250)
    archive.pull(channel)
    before = count(archive)
    sandbox.control.move(sandbox.control.snapshot(channel)[200]["connection"], where)
    report = archive.pull(channel, full=True)
    assert held(archive, channel) == truly(sandbox, channel)
    assert kinds_since(archive, before) == {"connection.ranked": 1}
    assert report.channels[0].moved == 1


def test_moves_inserts_and_removals_at_once_end_in_the_right_order(
    sandbox: Sandbox, archive: Archive
) -> None:
    channel = big_channel(sandbox, 230)
    archive.pull(channel)
    places = sandbox.control.snapshot(channel)
    for index, target in ((3, 220), (120, 1), (201, 100), (5, 6), (219, 218)):
        sandbox.control.move(places[index]["connection"], target)
    for index in (0, 99, 100, 150, 229):
        sandbox.control.disconnect(places[index]["connection"])
    for position in (1, 50, 101, 225, None):
        sandbox.control.add_block(channel, f"at {position}", kind="Text", position=position)
    report = archive.pull(channel, full=True)
    assert held(archive, channel) == truly(sandbox, channel)
    assert (report.channels[0].new, report.channels[0].vanished) == (5, 5)
    assert report.channels[0].moved <= 5


def test_a_renamed_channel_is_found_under_its_old_slug(sandbox: Sandbox, archive: Archive) -> None:
    archive.pull("tides")
    sandbox.control.edit_channel("tides", title="Ebb and flow")
    report = archive.pull("tides")
    assert report.channels[0].state == "done"
    assert archive.sql("SELECT slug, title FROM channels WHERE slug = 'ebb-and-flow'").fetchall() == [
        ("ebb-and-flow", "Ebb and flow")
    ]


def test_a_cleared_field_is_null_and_stays_so(sandbox: Sandbox, archive: Archive) -> None:
    channel = big_channel(sandbox, 2)
    block = sandbox.control.snapshot(channel)[0]["id"]
    sandbox.control.edit_block(block, description="for a while")
    archive.pull(channel)
    sandbox.control.edit_block(block, description=None, title=None)
    archive.pull(channel, full=True)
    archive.pull(channel, full=True)
    asked = f"SELECT title, description FROM blocks WHERE remote_id = {block}"
    assert archive.sql(asked).fetchall() == [(None, None)]
    sandbox.control.edit_block(block, description="for a while")
    archive.pull(channel, full=True)
    assert archive.sql(asked).fetchall() == [(None, "for a while")]


def test_a_pin_is_one_event(sandbox: Sandbox, archive: Archive) -> None:
    channel = big_channel(sandbox, 3)
    archive.pull(channel)
    before = count(archive)
    sandbox.control.pin(sandbox.control.snapshot(channel)[1]["connection"])
    archive.pull(channel, full=True)
    assert kinds_since(archive, before) == {"connection.observed": 1}
    assert held(archive, channel) == truly(sandbox, channel)


def test_connecting_a_block_elsewhere_is_no_edit_of_it(sandbox: Sandbox, archive: Archive) -> None:
    """are.na moves `updated_at` of a block when it is connected anywhere."""
    channel = big_channel(sandbox, 3)
    archive.pull(channel)
    before = count(archive)
    sandbox.control.connect(sandbox.control.snapshot(channel)[1]["id"], "tides")
    archive.pull(channel, full=True)
    assert kinds_since(archive, before) == {}


def test_a_shared_block_is_recorded_once(sandbox: Sandbox, archive: Archive) -> None:
    channel = big_channel(sandbox, 1)
    block = sandbox.control.snapshot(channel)[0]["id"]
    sandbox.control.connect(block, "tides")
    archive.pull(channel)
    archive.pull("tides")
    seen = archive.sql(f"SELECT count(*) FROM events WHERE object_id = 'block:{block}'").fetchall()
    assert seen == [(1,)]


def test_a_torn_page_is_read_again(sandbox: Sandbox, archive: Archive) -> None:
    channel = big_channel(sandbox, 230)
    sandbox.control.arm("torn_page", match="GET .*/contents", after=1, times=1, missing=2)
    report = archive.pull(channel)
    assert report.channels[0].complete
    assert held(archive, channel) == truly(sandbox, channel)


def test_pages_that_never_agree_are_not_believed(sandbox: Sandbox, archive: Archive) -> None:
    channel = big_channel(sandbox, 130)
    archive.pull(channel)
    sandbox.control.arm("torn_page", match="GET .*/contents", times=None, missing=3)
    report = archive.pull(channel, full=True)
    assert report.resumable
    assert "did not agree" in str(report)
    assert held(archive, channel) == truly(sandbox, channel)


def test_a_count_that_lies_is_not_believed(sandbox: Sandbox, archive: Archive) -> None:
    channel = big_channel(sandbox, 30)
    archive.pull(channel)
    sandbox.control.arm("garbage_count", match="GET .*/contents", times=None, total_count=7)
    assert archive.pull(channel).resumable
    assert held(archive, channel) == truly(sandbox, channel)


def test_pages_that_repeat_without_end_are_left_when_nothing_new_comes(
    sandbox: Sandbox, archive: Archive
) -> None:
    channel = big_channel(sandbox, 120)
    sandbox.control.arm("endless_pages", match="GET .*/contents", times=None, mode="repeat")
    archive.pull(channel)
    assert len(sandbox.control.requests()) < 20
    assert held(archive, channel) == truly(sandbox, channel)


def test_pages_invented_without_end_are_an_error_that_says_so(sandbox: Sandbox, archive: Archive) -> None:
    channel = big_channel(sandbox, 120)
    sandbox.control.arm("endless_pages", match="GET .*/contents", times=None, mode="invent")
    with pytest.raises(ArenaServerError, match="without end"):
        archive.pull(channel)
    assert len(sandbox.control.requests()) < 60
    assert archive.verify().ok


def test_items_that_shift_while_being_read_are_all_found(sandbox: Sandbox, open_archive) -> None:
    """Someone removes an item of the first page and adds one on top, between two requests."""
    channel = big_channel(sandbox, 250)
    archive = open_archive(time=SYSTEM_TIME)
    pages = iter(range(100))

    def meddle(progress: object) -> None:
        if next(pages) == 1:
            sandbox.control.disconnect(sandbox.control.snapshot(channel)[2]["connection"])
            sandbox.control.add_block(channel, "came meanwhile", kind="Text")

    report = archive.pull(channel, on_progress=meddle)
    assert report.channels[0].complete
    assert held(archive, channel) == truly(sandbox, channel)


def test_a_guest_sees_no_private_channels_and_loses_none(sandbox: Sandbox, open_archive) -> None:
    mine = open_archive("shared")
    channel = big_channel(sandbox, 3)
    secret = sandbox.control.add_channel("Only mine", visibility="private", by=sandbox.world.main)
    sandbox.control.connect(f"channel:{secret['id']}", channel, by=sandbox.world.main)
    mine.pull(channel)
    whole = held(mine, channel)
    assert len(whole) == 4
    guest = open_archive("shared", token="")
    for _ in range(3):
        guest.pull(channel, full=True)
    assert held(guest, channel) == whole
    sandbox.control.clear_requests()
    guest.pull(channel)
    assert len(sandbox.control.requests()) == 2
    mine.pull(channel)
    assert held(mine, channel) == whole


def test_cycles_end(sandbox: Sandbox, archive: Archive) -> None:
    first = sandbox.control.add_channel("First", by=sandbox.world.main)
    second = sandbox.control.add_channel("Second", by=sandbox.world.main)
    sandbox.control.connect(f"channel:{second['id']}", first["id"])
    sandbox.control.connect(f"channel:{first['id']}", second["id"])
    report = archive.pull(int(first["id"]), depth=9)
    assert sorted(one.channel for one in report.channels) == [
        f"channel:{first['id']}",
        f"channel:{second['id']}",
    ]


def test_an_empty_channel_has_length_zero_and_a_channel_only_met_has_none(
    sandbox: Sandbox, archive: Archive
) -> None:
    inner = sandbox.control.add_channel("Inner", by=sandbox.world.main)
    outer = sandbox.control.add_channel("Outer", by=sandbox.world.main)
    empty = sandbox.control.add_channel("Empty", by=sandbox.world.main)
    sandbox.control.connect(f"channel:{inner['id']}", outer["id"])
    archive.pull(int(outer["id"]), int(empty["id"]))
    lengths = dict(archive.sql("SELECT title, length FROM channels").fetchall())
    assert lengths == {"Inner": None, "Outer": 1, "Empty": 0}


def test_a_block_still_processing_is_looked_at_again_until_it_settles(
    sandbox: Sandbox, archive: Archive
) -> None:
    sandbox.control.set_processing(polls=3, seconds=3600)
    channel = int(sandbox.control.add_channel("Fresh", by=sandbox.world.main)["id"])
    block = sandbox.control.add_block(channel, f"{sandbox.url}/media/page.html")["id"]
    archive.pull(channel)
    asked = f"SELECT type, state FROM blocks WHERE remote_id = {block}"
    assert archive.sql(asked).fetchall() == [("PendingBlock", "processing")]
    sandbox.control.finish_processing()
    archive.pull(channel)
    (settled,) = archive.sql(asked).fetchall()
    assert settled[0] in {"Link", "Image", "Embed", "Attachment"}
    sandbox.control.clear_requests()
    archive.pull(channel)
    assert len(sandbox.control.requests()) == 2


def test_comments_are_read_where_their_count_changed_and_nowhere_else(
    sandbox: Sandbox, archive: Archive
) -> None:
    channel = big_channel(sandbox, 4)
    block = sandbox.control.snapshot(channel)[2]["id"]
    sandbox.control.comment(block, "I have one of these.")
    archive.pull(channel)
    assert archive.sql("SELECT * FROM comments").fetchall() == []
    sandbox.control.clear_requests()
    report = archive.pull(channel, comments=True)
    assert report.channels[0].comments == 1
    asked = [one["path"] for one in sandbox.control.requests() if "comments" in str(one["path"])]
    assert asked == [f"/v3/blocks/{block}/comments"]
    assert archive.sql("SELECT block, body FROM comments").fetchall() == [
        (f"block:{block}", "I have one of these.")
    ]
    sandbox.control.clear_requests()
    archive.pull(channel, comments=True)
    assert len(sandbox.control.requests()) == 2


def test_comments_that_come_after_others_went_are_read(sandbox: Sandbox, archive: Archive) -> None:
    """Five, then three, then five others: the count changed each time."""
    channel = big_channel(sandbox, 2)
    block = sandbox.control.snapshot(channel)[0]["id"]
    first = [sandbox.control.comment(block, f"first {number}") for number in range(5)]
    archive.pull(channel, full=True, comments=True)
    with httpx.Client(headers={"Authorization": f"Bearer {sandbox.tokens.other}"}) as client:
        for number in first[:2]:
            client.delete(f"{sandbox.url}/v3/comments/{number}").raise_for_status()
    archive.pull(channel, full=True, comments=True)
    for number in range(2):
        sandbox.control.comment(block, f"later {number}")
    archive.pull(channel, full=True, comments=True)
    bodies = {body for (body,) in archive.sql("SELECT body FROM comments").fetchall()}
    assert {"later 0", "later 1"} <= bodies
