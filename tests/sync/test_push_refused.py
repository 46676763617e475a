"""What are.na will not do, or not for this token: nothing is lost, nothing else waits, the reason stays."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pushed import assert_done_once
from pushing import FAST, KINDS, Scene, build, opened
from worlds import held, truly

from vfdir_lab.errors import UsageError
from vfdir_lab.sandbox import Sandbox
from vfdir_lab.sync.outbox import Intent


@pytest.fixture(scope="module")
def server() -> Iterator[Sandbox]:
    with Sandbox(rate_limits=FAST) as running:
        yield running


@pytest.fixture
def scene(server: Sandbox, tmp_path: Path) -> Iterator[Scene]:
    """A row of texts of its own, and an archive that pulled it."""
    server.control.disarm()
    server.control.clear_requests()
    made = build(server, tmp_path)
    yield made
    made.archive.close()


def intents(scene: Scene) -> list[Intent]:
    return list(scene.outbox().intents())


def ends(scene: Scene) -> list[str]:
    """The states of the wishes, in the order they were wished."""
    return [one.state for one in intents(scene)]


def number(identifier: str) -> int:
    return int(identifier.partition(":")[2])


def somebody_elses(scene: Scene) -> str:
    """A block of another person's in the row, known to the archive."""
    made = scene.sandbox.control.add_block(scene.row, "Not mine", kind="Text")
    scene.archive.pull(scene.row)
    return f"block:{made['id']}"


def test_a_token_that_may_only_read_pauses_the_queue_and_rejects_nothing(scene: Scene) -> None:
    scene.wish(*KINDS)
    writing = scene.archive
    scene.archive = opened(scene.sandbox, scene.folder, scene.hours, token=scene.sandbox.tokens.read)
    for _ in range(2):
        report = scene.archive.push()
        assert "write scope" in report.paused
        assert set(ends(scene)) == {"committed"}
    scene.archive.close()
    scene.archive = writing
    scene.push()
    assert_done_once(scene)


def test_without_a_token_nothing_is_asked_and_nothing_is_lost(scene: Scene) -> None:
    scene.wish(*KINDS)
    scene.sandbox.control.clear_requests()
    guest = opened(scene.sandbox, scene.folder, scene.hours, token="")
    with pytest.raises(UsageError, match="set ARENA_TOKEN"):
        guest.push()
    assert scene.sandbox.control.requests() == []
    scene.push()
    assert_done_once(scene)


@pytest.mark.parametrize("is_first", [True, False], ids=["first", "last"])
def test_a_block_of_somebody_elses_is_rejected_by_itself(scene: Scene, is_first: bool) -> None:
    """Whether or not a write has shown before that the token may write."""
    block = somebody_elses(scene)
    with scene.archive.transaction() as tx:
        if is_first:
            tx.edit(block, title="Mine now")
        tx.edit(scene.blocks[2], title="Another title")
        if not is_first:
            tx.edit(block, title="Mine now")
    report = scene.archive.push()
    assert ends(scene) == (["rejected", "settled"] if is_first else ["settled", "rejected"])
    assert report.paused == ""
    assert report.transactions[0].why
    assert scene.sandbox.world.blocks[number(block)].title is None
    titles = scene.archive.sql(f"SELECT title FROM blocks WHERE object_id = '{block}'").fetchall()
    assert titles == [(None,)]


def test_what_goes_into_a_channel_deleted_meanwhile_is_rejected_by_itself(scene: Scene) -> None:
    with scene.archive.transaction() as tx:
        tx.add_block(scene.spare, "Too late")
        tx.connect(scene.beside, scene.spare)
        tx.edit(f"channel:{scene.spare}", title="Too late as well")
        tx.add_block(scene.row, "In time")
    scene.sandbox.control.remove_channel(scene.spare)
    scene.archive.push()
    assert ends(scene) == ["rejected", "rejected", "rejected", "settled"]
    assert all("404" in str(one.reason) or "no such thing" in str(one.reason) for one in intents(scene)[:3])
    assert held(scene.archive, scene.row) == truly(scene.sandbox, scene.row)


@pytest.mark.parametrize("fault", ["drop_before", "drop_after"])
def test_a_lost_answer_about_a_channel_deleted_meanwhile_holds_nothing_up(scene: Scene, fault: str) -> None:
    """Where it was, nothing can be looked up any more."""
    with scene.archive.transaction() as tx:
        tx.add_block(scene.spare, "Lost")
        tx.connect(scene.beside, scene.spare)
        tx.add_block(scene.row, "In time")
    deleted: list[int] = []

    def delete(_seconds: float) -> None:
        if not deleted and len([one for one in scene.sandbox.control.requests() if one["fault"]]) == 2:
            deleted.append(scene.spare)
            scene.sandbox.control.remove_channel(scene.spare)

    scene.sandbox.control.arm(fault, match="POST /v3/(blocks|connections)", times=2)
    scene.hours.on_sleep = delete
    scene.archive.push()
    scene.archive.push()
    assert deleted
    assert ends(scene) == ["rejected", "rejected", "settled"]


def test_a_lost_answer_about_a_channel_that_is_hidden_now_holds_nothing_up(scene: Scene) -> None:
    """It stays unknown, since it may be there, and the others go on."""
    control = scene.sandbox.control
    theirs = int(control.add_channel("Theirs", visibility="public")["id"])
    scene.archive.pull(theirs)
    with scene.archive.transaction() as tx:
        tx.connect(scene.beside, theirs)
    control.arm("drop_before", match="POST /v3/connections")
    control.arm("forbidden", match=f"GET /v3/channels/{theirs}/contents", times=None)
    for text in ("One", "Two"):
        with scene.archive.transaction() as tx:
            tx.add_block(scene.row, text)
        report = scene.archive.push()
        assert "cannot be looked up" in report.notes[0]
    assert ends(scene) == ["unknown", "settled", "settled"]


def test_what_was_accepted_into_a_channel_deleted_before_it_is_read_back_ends(scene: Scene) -> None:
    with scene.archive.transaction() as tx:
        tx.add_block(scene.spare, "Gone with it")
        tx.add_block(scene.row, "In time")
    scene.sandbox.control.arm("fail_before", match=f"GET /v3/channels/{scene.spare}", times=None)
    scene.archive.push()
    assert ends(scene) == ["accepted", "settled"]
    scene.sandbox.control.disarm()
    scene.sandbox.control.remove_channel(scene.spare)
    assert not scene.archive.push().resumable
    assert ends(scene) == ["superseded", "settled"]


@pytest.mark.parametrize("status", [400, 422])
def test_what_is_refused_is_rejected_with_are_nas_words_and_can_be_tried_again(
    scene: Scene, status: int
) -> None:
    """Metadata it does not like, or a limit of blocks that is reached and raised later."""
    tx = scene.wish("text", "connect")
    words = "You have reached your limit of blocks"
    scene.sandbox.control.arm("status", match="POST /v3/blocks", status=status, message=words)
    report = scene.archive.push()
    assert ends(scene) == ["rejected", "settled"]
    assert words in str(intents(scene)[0].reason)
    assert report.transactions[0].waits_for_person
    scene.archive.push()
    assert ends(scene) == ["rejected", "settled"]
    scene.archive.outbox.retry(tx)
    scene.push()
    assert_done_once(scene)


def test_a_move_below_something_that_left_is_rejected_and_a_new_item_comes_in_on_top(scene: Scene) -> None:
    with scene.archive.transaction() as tx:
        tx.move(scene.connections[0], after=scene.connections[3])
        tx.add_block(scene.row, "Below it", after=scene.connections[3])
    scene.sandbox.control.disconnect(number(scene.connections[3]))
    scene.archive.push()
    assert ends(scene) == ["rejected", "superseded"]
    assert "not in" in str(intents(scene)[0].reason)
    assert held(scene.archive, scene.row) == truly(scene.sandbox, scene.row)
    titles = scene.archive.sql(
        f"SELECT content FROM connections JOIN blocks ON item = blocks.object_id "
        f"WHERE channel = 'channel:{scene.row}' ORDER BY position DESC"
    ).fetchall()
    assert titles[0] == ("Below it",)
