"""What is gone, and what only looks like it."""

from contextlib import suppress

import pytest
from worlds import big_channel, count, held, kinds_since, truly

from vfdir_lab.archive import Archive
from vfdir_lab.errors import ArenaError, ArenaNotFoundError
from vfdir_lab.sandbox import Sandbox


def blocks(archive: Archive) -> set[int]:
    return {number for (number,) in archive.sql("SELECT remote_id FROM blocks").fetchall()}


def test_a_removed_connection_is_found_and_its_block_stays(sandbox: Sandbox, archive: Archive) -> None:
    channel = big_channel(sandbox, 12)
    archive.pull(channel)
    place = sandbox.control.snapshot(channel)[4]
    sandbox.control.disconnect(place["connection"])
    report = archive.pull(channel, full=True)
    assert report.channels[0].vanished == 1
    assert held(archive, channel) == truly(sandbox, channel)
    asked = f"SELECT visibility FROM blocks WHERE remote_id = {place['id']}"
    assert archive.sql(asked).fetchall() == [("orphan",)]


def test_a_removed_block_is_gone_after_two_pulls_and_not_after_one(
    sandbox: Sandbox, archive: Archive
) -> None:
    channel = big_channel(sandbox, 12)
    archive.pull(channel)
    block = sandbox.control.snapshot(channel)[4]["id"]
    sandbox.control.remove_block(block)
    archive.pull(channel, full=True)
    assert held(archive, channel) == truly(sandbox, channel)
    assert block in blocks(archive)
    archive.pull(channel, full=True)
    assert block not in blocks(archive)


def test_a_block_that_comes_back_is_there_again(sandbox: Sandbox, archive: Archive) -> None:
    channel = big_channel(sandbox, 5)
    archive.pull(channel)
    block = sandbox.control.snapshot(channel)[2]["id"]
    sandbox.control.remove_block(block)
    for _ in range(2):
        archive.pull(channel, full=True)
    sandbox.control.restore_block(block)
    archive.pull(channel, full=True)
    assert block in blocks(archive)
    assert held(archive, channel) == truly(sandbox, channel)
    assert archive.verify().ok


def test_a_reconnected_item_is_a_new_connection(sandbox: Sandbox, archive: Archive) -> None:
    channel = big_channel(sandbox, 5)
    archive.pull(channel)
    place = sandbox.control.snapshot(channel)[2]
    sandbox.control.disconnect(place["connection"])
    archive.pull(channel, full=True)
    again = sandbox.control.connect(place["id"], channel)
    archive.pull(channel)
    assert again != place["connection"]
    assert held(archive, channel) == truly(sandbox, channel)


def test_many_removals_at_once_are_found_by_two_pulls(sandbox: Sandbox, archive: Archive) -> None:
    """More than may be asked for one by one in a single pull."""
    channel = big_channel(sandbox, 80)
    archive.pull(channel)
    for place in sandbox.control.snapshot(channel)[::2]:
        sandbox.control.disconnect(place["connection"])
    sandbox.control.clear_requests()
    archive.pull(channel, full=True)
    assert len(sandbox.control.requests()) < 80
    assert len(held(archive, channel)) > 40
    archive.pull(channel, full=True)
    assert held(archive, channel) == truly(sandbox, channel)


def test_a_removed_channel_vanishes_at_the_second_404(sandbox: Sandbox, archive: Archive) -> None:
    channel = big_channel(sandbox, 3)
    archive.pull(channel)
    sandbox.control.remove_channel(channel)
    known = f"SELECT count(*) FROM channels WHERE remote_id = {channel}"
    with pytest.raises(ArenaNotFoundError):
        archive.pull(channel)
    assert archive.sql(known).fetchall() == [(1,)]
    with pytest.raises(ArenaNotFoundError):
        archive.pull(channel)
    assert archive.sql(known).fetchall() == [(0,)]
    assert held(archive, channel) == []


def test_a_channel_nobody_knows_leaves_no_trace(archive: Archive) -> None:
    for _ in range(3):
        with pytest.raises(ArenaNotFoundError):
            archive.pull("no-such-channel")
    assert count(archive) == 0


@pytest.mark.parametrize("status", [403, 404])
def test_a_channel_turned_private_is_not_gone_for_those_who_may_not_see_it(
    sandbox: Sandbox, open_archive, status: int
) -> None:
    """403 is access lost; 404 twice is all that are.na would ever say of a deleted one."""
    channel = big_channel(sandbox, 3)
    stranger = open_archive(token=sandbox.tokens.other)
    stranger.pull(channel)
    sandbox.control.set_hidden_status(status)
    sandbox.control.set_visibility(channel, "private")
    with pytest.raises(ArenaError):
        stranger.pull(channel)
    assert len(held(stranger, channel)) == 3
    before = count(stranger)
    with pytest.raises(ArenaError):
        stranger.pull(channel)
    lost = stranger.sql("SELECT count(*) FROM events WHERE kind = 'object.access_lost'").fetchall()
    assert lost == [(int(status == 403),)]
    assert kinds_since(stranger, before) == ({} if status == 403 else {"channel.vanished": 1})
    sandbox.control.set_visibility(channel, "public")
    stranger.pull(channel)
    assert held(stranger, channel) == truly(sandbox, channel)


FAULTS = [
    ("fail_before", {}),
    ("drop_before", {}),
    ("drop_after", {}),
    ("truncate", {"mode": "cut"}),
    ("truncate", {"mode": "json"}),
    ("gateway_html", {"status": 200}),
    ("gateway_html", {"status": 403}),
    ("gateway_html", {"status": 404}),
    ("gateway_html", {"status": 502}),
    ("too_many", {"retry_after": 1}),
    ("torn_page", {"missing": 5}),
    ("torn_page", {"missing": 1, "repeated": 1}),
    ("garbage_count", {"total_count": 3}),
    ("unauthorized", {}),
    ("forbidden", {}),
    ("status", {"status": 404}),
]


@pytest.mark.parametrize(("fault", "options"), FAULTS)
@pytest.mark.parametrize("times", [2, None])
def test_nothing_that_exists_is_ever_shown_as_gone(
    sandbox: Sandbox, archive: Archive, fault: str, options: dict[str, object], times: int | None
) -> None:
    """Law 8. Whatever the listing does, two pulls long; and afterwards all is as on the server."""
    channel = big_channel(sandbox, 130)
    archive.pull(channel)
    sandbox.control.arm(fault, match="GET .*/contents", times=times, **options)
    for _ in range(2):
        with suppress(ArenaError):
            archive.pull(channel, full=True)
        assert held(archive, channel) == truly(sandbox, channel)
    sandbox.control.disarm()
    archive.pull(channel, full=True)
    assert held(archive, channel) == truly(sandbox, channel)
    assert archive.verify().ok


@pytest.mark.parametrize("answer", [403, 500])
def test_a_direct_question_that_is_not_answered_proves_nothing_gone(
    sandbox: Sandbox, archive: Archive, answer: int
) -> None:
    """The listing leaves out an item, steadily and with a fitting count; the item itself answers oddly."""
    channel = big_channel(sandbox, 40)
    archive.pull(channel)
    whole = held(archive, channel)
    sandbox.control.arm("torn_page", match="GET .*/contents", times=None, missing=1)
    sandbox.control.arm("garbage_count", match="GET .*/contents", times=None, total_count=39)
    sandbox.control.arm("status", match="GET .*/connections/.*", times=None, status=answer)
    with suppress(ArenaError):
        archive.pull(channel, full=True)
    assert held(archive, channel) == whole


def test_a_list_that_lies_steadily_is_asked_about_before_it_is_believed(
    sandbox: Sandbox, archive: Archive
) -> None:
    """Three items left out, the count fitting: with nothing left to ask with, nothing is concluded."""
    channel = big_channel(sandbox, 250)
    archive.pull(channel)
    whole = held(archive, channel)
    sandbox.control.arm("torn_page", match="GET .*/contents", times=None, missing=1)
    sandbox.control.arm("garbage_count", match="GET .*/contents", times=None, total_count=247)
    for budget in (5, 5, 6, 30, None):
        with suppress(ArenaError):
            archive.pull(channel, full=True, budget=budget)
        assert held(archive, channel) == whole


@pytest.mark.parametrize("deleted", [45])
def test_many_deleted_blocks_are_gone_after_two_pulls(
    sandbox: Sandbox, archive: Archive, deleted: int
) -> None:
    channel = big_channel(sandbox, 60)
    archive.pull(channel)
    gone = [place["id"] for place in sandbox.control.snapshot(channel)[:deleted]]
    for block in gone:
        sandbox.control.remove_block(block)
    reports = [archive.pull(channel, full=True) for _ in range(3)]
    assert held(archive, channel) == truly(sandbox, channel)
    assert not blocks(archive) & set(gone)
    assert [report.resumable for report in reports] == [True, False, False]


def test_a_guest_cannot_make_a_channel_vanish_that_it_never_saw(sandbox: Sandbox, open_archive) -> None:
    mine = open_archive("shared")
    channel = int(sandbox.control.add_channel("Mine", visibility="private", by=sandbox.world.main)["id"])
    mine.pull(channel)
    guest = open_archive("shared", token="")
    for _ in range(4):
        with suppress(ArenaError):
            guest.pull(channel)
    assert mine.sql(f"SELECT count(*) FROM channels WHERE remote_id = {channel}").fetchall() == [(1,)]


def test_a_404_between_two_sights_proves_nothing(sandbox: Sandbox, archive: Archive) -> None:
    """404, then seen by a scan that did not finish, then 404: not twice in a row."""
    channel = big_channel(sandbox, 250)
    archive.pull(channel)
    missing = {"match": f"GET .*/channels/{channel}", "status": 404}
    sandbox.control.arm("status", times=1, **missing)
    with pytest.raises(ArenaNotFoundError):
        archive.pull(channel)
    with suppress(ArenaError):
        archive.pull(channel, full=True, budget=2)
    sandbox.control.arm("status", times=1, **missing)
    with pytest.raises(ArenaNotFoundError):
        archive.pull(channel)
    assert archive.sql(f"SELECT count(*) FROM channels WHERE remote_id = {channel}").fetchall() == [(1,)]
