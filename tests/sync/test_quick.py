"""Looking again at what is known."""

import pytest
from worlds import big_channel, count, held, kinds_since, truly

from vfdir_lab.archive import Archive
from vfdir_lab.sandbox import Sandbox


def test_an_unchanged_channel_costs_two_requests_and_records_only_the_scan(
    sandbox: Sandbox, open_archive
) -> None:
    """Also in a new process: whom the token belongs to is remembered, the token is not."""
    channel = big_channel(sandbox, 250)
    open_archive().pull(channel)
    archive = open_archive()
    before = count(archive)
    sandbox.control.clear_requests()
    report = archive.pull(channel)
    assert len(sandbox.control.requests()) == report.requests == 2
    assert kinds_since(archive, before) == {}
    assert [one["status"] for one in sandbox.control.requests()] == [304, 200]


def test_an_unchanged_page_is_not_sent_twice(sandbox: Sandbox, archive: Archive) -> None:
    channel = big_channel(sandbox, 20)
    for _ in range(2):
        archive.pull(channel)
    sandbox.control.clear_requests()
    archive.pull(channel)
    assert [one["status"] for one in sandbox.control.requests()] == [304, 304]


@pytest.mark.parametrize("position", [None, 250, 240, 130, 2, 1])
def test_one_new_item_is_few_events_wherever_it_is(
    sandbox: Sandbox, archive: Archive, position: int | None
) -> None:
    channel = big_channel(sandbox, 250)
    archive.pull(channel)
    before = count(archive)
    sandbox.control.add_block(channel, "Something new", kind="Text", position=position)
    archive.pull(channel)
    assert held(archive, channel) == truly(sandbox, channel)
    assert kinds_since(archive, before) == {"block.observed": 1, "connection.observed": 1}


def test_a_new_item_on_top_costs_three_more_pages_at_most(sandbox: Sandbox, archive: Archive) -> None:
    channel = big_channel(sandbox, 350)
    archive.pull(channel)
    sandbox.control.add_block(channel, "On top", kind="Text")
    sandbox.control.clear_requests()
    report = archive.pull(channel)
    assert report.channels[0].mode == "quick"
    assert len(sandbox.control.requests()) <= 4


def test_a_new_item_by_a_new_person_brings_the_person(sandbox: Sandbox, archive: Archive) -> None:
    channel = big_channel(sandbox, 5)
    archive.pull(channel)
    stranger = next(
        p.slug
        for p in sandbox.world.people.values()
        if p.slug not in {sandbox.world.main, sandbox.world.other}
    )
    sandbox.control.add_block(channel, "Hello", kind="Text", by=stranger)
    archive.pull(channel)
    slugs = {slug for (slug,) in archive.sql("SELECT slug FROM users").fetchall()}
    assert stranger in slugs


def test_a_removal_is_noticed_by_the_count(sandbox: Sandbox, archive: Archive) -> None:
    channel = big_channel(sandbox, 150)
    archive.pull(channel)
    sandbox.control.disconnect(sandbox.control.snapshot(channel)[70]["connection"])
    report = archive.pull(channel)
    assert report.channels[0].mode == "full"
    assert held(archive, channel) == truly(sandbox, channel)


def test_many_new_items_are_all_found(sandbox: Sandbox, archive: Archive) -> None:
    channel = big_channel(sandbox, 20)
    archive.pull(channel)
    for number in range(230):
        sandbox.control.add_block(channel, f"Later {number}", kind="Text")
    archive.pull(channel)
    assert held(archive, channel) == truly(sandbox, channel)


def test_an_edit_of_a_recent_item_is_found(sandbox: Sandbox, archive: Archive) -> None:
    channel = big_channel(sandbox, 150)
    archive.pull(channel)
    block = sandbox.control.snapshot(channel)[-1]["id"]
    sandbox.control.edit_block(block, title="Renamed")
    report = archive.pull(channel)
    assert report.channels[0].changed == 1
    assert archive.sql(f"SELECT title FROM blocks WHERE remote_id = {block}").fetchall() == [("Renamed",)]


def test_a_replaced_item_is_noticed_though_the_count_is_the_same(sandbox: Sandbox, archive: Archive) -> None:
    """One removed and one added: the new one makes the expected count one more than are.na's."""
    channel = big_channel(sandbox, 120)
    archive.pull(channel)
    sandbox.control.disconnect(sandbox.control.snapshot(channel)[3]["connection"])
    sandbox.control.add_block(channel, "instead", kind="Text")
    archive.pull(channel)
    assert held(archive, channel) == truly(sandbox, channel)
