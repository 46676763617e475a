"""The desk: pull, push and decide in the worker's thread, against a local are.na."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from vfdir_lab.archive import Archive
from vfdir_lab.notebook.sync.desk import SyncDesk, desk_of
from vfdir_lab.sandbox import Sandbox

LONG = 60.0
FAST = dict.fromkeys(("guest", "free", "premium", "supporter"), 1_000_000)
OWN_BLOCK = "block:40000004"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(rate_limits=FAST) as running:
        yield running


@pytest.fixture
def archive(sandbox: Sandbox, tmp_path: Path) -> Iterator[Archive]:
    opened = Archive(
        tmp_path / "archive", create=True, api_url=sandbox.url, token=sandbox.tokens.write, pause_seconds=0
    )
    opened.pull("tides")
    yield opened
    opened.close()


@pytest.fixture
def desk(archive: Archive) -> Iterator[SyncDesk]:
    made = desk_of(archive)
    yield made
    made.worker.stop()
    assert made.worker.join(LONG)


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < end, "it did not come to be"
        time.sleep(0.01)


def said(desk: SyncDesk) -> str:
    return "\n".join(desk.state.said)


def test_an_archive_has_one_desk_in_a_process(archive: Archive, desk: SyncDesk) -> None:
    again = Archive(archive.path, api_url="http://127.0.0.1:9", token="")
    assert desk_of(again) is desk


def test_a_desk_knows_what_is_there_at_once(desk: SyncDesk) -> None:
    (tides,) = desk.state.channels
    assert (tides.title, tides.object_id in desk.chosen) == ("Tides", True)
    assert desk.state.blocks > 10
    assert desk.state.account.startswith("ines-havel")


def test_pull_reads_the_chosen_channels_and_says_what_it_found(desk: SyncDesk, sandbox: Sandbox) -> None:
    sandbox.control.add_block("tides", "A new text")
    desk.pull()
    assert desk.worker.join(LONG)
    assert "Tides: 1 new" in said(desk)
    assert desk.state.changes[desk.state.channels[0].object_id] == "1 new"


def test_a_channel_that_is_not_chosen_is_not_asked_for(desk: SyncDesk, sandbox: Sandbox) -> None:
    desk.choose(desk.state.channels[0].object_id, is_chosen=False)
    sandbox.control.clear_requests()
    desk.pull()
    assert desk.worker.join(LONG)
    assert sandbox.control.requests() == []
    assert "no channel is chosen" in said(desk)


def test_a_channel_is_added_by_slug_and_chosen(desk: SyncDesk) -> None:
    desk.add("  clouds-after-luke-howard ")
    assert desk.worker.join(LONG)
    assert {one.title for one in desk.state.channels} == {"Tides", "Clouds, after Luke Howard"}
    assert {one.object_id for one in desk.state.channels} == desk.chosen


def test_what_goes_wrong_is_said_and_the_desk_works_on(desk: SyncDesk) -> None:
    desk.add("no-such-channel-at-all")
    assert desk.worker.join(LONG)
    assert "no-such-channel-at-all" in said(desk)
    desk.pull()
    assert desk.worker.join(LONG)
    assert "Tides: nothing new" in said(desk)


def test_push_sends_what_was_wished_in_another_cell(archive: Archive, desk: SyncDesk) -> None:
    with archive.transaction("Rename") as tx:
        tx.edit(OWN_BLOCK, title="Tide tables")
    desk.refresh()
    assert desk.worker.join(LONG)
    assert [(one.label, one.state) for one in desk.state.wishes] == [("Rename", "committed")]
    desk.push()
    assert desk.worker.join(LONG)
    assert desk.state.wishes == ()
    assert "Rename: settled" in said(desk)


def test_a_wish_is_withdrawn(archive: Archive, desk: SyncDesk) -> None:
    with archive.transaction("Rename") as tx:
        tx.edit(OWN_BLOCK, title="Tide tables")
    desk.withdraw(str(tx.id))
    assert desk.worker.join(LONG)
    assert desk.state.wishes == ()


def test_theirs_is_taken(archive: Archive, desk: SyncDesk, sandbox: Sandbox) -> None:
    with archive.transaction("Rename") as tx:
        tx.edit(OWN_BLOCK, title="Tide tables")
    sandbox.control.edit_block(int(OWN_BLOCK.removeprefix("block:")), title="Somebody else's")
    archive.pull("tides", full=True)
    desk.refresh()
    assert desk.worker.join(LONG)
    (conflict,) = desk.state.conflicts
    assert (conflict.mine, conflict.theirs) == ("Tide tables", "Somebody else's")
    desk.take_theirs(conflict)
    assert desk.worker.join(LONG)
    assert (desk.state.conflicts, desk.state.wishes) == ((), ())
    assert archive.sql(f"SELECT title FROM blocks WHERE object_id = '{OWN_BLOCK}'").fetchall() == [
        ("Somebody else's",)
    ]


def test_cancel_answers_at_once_and_leaves_a_whole_log(
    archive: Archive, desk: SyncDesk, sandbox: Sandbox
) -> None:
    sandbox.control.arm("slow", match="GET /v3/channels/.*", times=None, seconds=1.0)
    sandbox.control.clear_requests()
    desk.add("a-small-dictionary-of-plain-words")
    until(lambda: desk.state.doing.name != "")
    begun = time.monotonic()
    desk.cancel()
    assert time.monotonic() - begun < 0.5
    assert desk.worker.join(LONG)
    assert "cancelled: what was recorded stays" in said(desk)
    assert archive.verify().ok
    sandbox.control.disarm()
    desk.add("a-small-dictionary-of-plain-words")
    assert desk.worker.join(LONG)
    assert "A small dictionary of plain words" in {one.title for one in desk.state.channels}


def test_pause_rests_between_requests_and_goes_on(archive: Archive, desk: SyncDesk, sandbox: Sandbox) -> None:
    """Paused before the first request of two channels: from then on nothing is asked."""
    archive.pull("an-empty-room")
    sandbox.control.clear_requests()
    sandbox.control.arm("slow", match="GET /v3/channels/.*", times=1, seconds=2.0)
    desk.pull()
    desk.pause()
    assert desk.worker.is_paused
    until(lambda: desk.worker.is_resting)
    asked = len(sandbox.control.requests())
    time.sleep(0.5)
    assert len(sandbox.control.requests()) == asked
    assert desk.worker.is_busy
    assert desk.worker.is_paused
    desk.pause()
    assert desk.worker.join(LONG)
    assert not desk.worker.is_paused
    assert "Tides" in said(desk)
    assert len(sandbox.control.requests()) > asked


def test_the_kernel_reads_while_the_worker_pulls(archive: Archive, desk: SyncDesk, sandbox: Sandbox) -> None:
    sandbox.control.arm("slow", match="GET /v3/channels/.*", times=None, seconds=0.2)
    desk.pull()
    while desk.worker.is_busy:
        assert archive.sql("SELECT count(*) FROM blocks").fetchall()[0][0] > 10
    sandbox.control.disarm()


def test_listeners_hear_of_it_from_another_thread_until_they_are_forgotten(desk: SyncDesk) -> None:
    threads: set[int] = set()

    def listener(_state: object) -> None:
        threads.add(threading.get_ident())

    desk.listen(listener)
    desk.pull()
    assert desk.worker.join(LONG)
    assert threads - {threading.get_ident()}
    desk.forget(listener)
    threads.clear()
    desk.pull()
    assert desk.worker.join(LONG)
    assert threads == set()
