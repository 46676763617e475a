"""A push to another are.na, which does in other ways what is not known of the real one."""

import os
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest
from another_arena import TOKEN, AnotherArena
from another_world import Ways

from vfdir_lab.archive import Archive
from vfdir_lab.sync.outbox import Outbox, Transaction
from vfdir_lab.sync.push_report import PushReport

IS_THOROUGH = os.environ.get("HYPOTHESIS_PROFILE") == "thorough"
RELATIVE = {"move_up", "move_down"}


@pytest.fixture
def arena() -> Iterator[AnotherArena]:
    """A channel of five texts."""
    with AnotherArena() as running:
        channel = running.world.add_channel("A row")
        for number in range(5):
            running.world.connect("Block", running.world.add_block(f"Text {number}"), channel)
        yield running


@pytest.fixture
def channel(arena: AnotherArena) -> int:
    return next(iter(arena.world.channels))


@pytest.fixture
def archive(arena: AnotherArena, channel: int, tmp_path: Path) -> Iterator[Archive]:
    """An archive that has pulled the channel, on the server's clock."""
    made = Archive(
        tmp_path / "archive", create=True, api_url=arena.url, token=TOKEN, pause_seconds=0, time=arena.time
    )
    made.pull(channel)
    yield made
    made.close()


def push(archive: Archive, arena: AnotherArena, pushes: int = 5) -> PushReport:
    """Push until nothing is left, or nothing goes on without a person; six minutes apart."""
    for _ in range(pushes):
        report = archive.push()
        if not report.resumable:
            break
        arena.time.sleep(360)
    return report


def transactions(archive: Archive) -> tuple[Transaction, ...]:
    return Outbox(archive.log, archive.engine).transactions()


def row(arena: AnotherArena, channel: int) -> list[str]:
    """The connections of the channel, from the bottom up."""
    return [f"connection:{one}" for one in arena.world.rows[channel]]


def shown(archive: Archive, channel: int) -> list[str]:
    query = f"SELECT object_id FROM connections WHERE channel = 'channel:{channel}' ORDER BY position"
    return [one for (one,) in archive.sql(query).fetchall()]


def wish_all(archive: Archive, channel: int) -> None:
    """One wish of each kind but of a file, and one that goes below another item."""
    items = shown(archive, channel)
    (block,) = archive.sql(f"SELECT item FROM connections WHERE object_id = '{items[0]}'").fetchall()[0]
    with archive.transaction("one of each") as tx:
        tx.add_block(
            channel, "  Ends with blanks \r\n and <tags> & more  ", title=" A title ", after=items[2]
        )
        tx.add_block(channel, "https://example.org/", description="Salt & <pepper>")
        made = tx.add_channel("A second row ", description="One & two")
        tx.connect(block, made)
        tx.edit(block, title="Another", description="a < b")
        tx.edit_channel(channel, title="The row", description="R & B")
        tx.move(items[1], to="top")
        tx.disconnect(items[3])
        tx.comment(block, "Quite so & <so> ")


def assert_each_once(archive: Archive, arena: AnotherArena, channel: int) -> None:
    world = arena.world
    assert (len(world.blocks), len(world.channels), len(world.links)) == (7, 2, 7)
    assert sum(len(said) for said in world.comments.values()) == 1
    assert {one.state for one in transactions(archive)} == {"settled"}
    assert shown(archive, channel) == row(arena, channel)
    archive.pull(channel, full=True, comments=True)
    assert shown(archive, channel) == row(arena, channel)
    assert archive.verify().ok


@pytest.mark.parametrize("has_gaps", [False, True], ids=["dense", "gaps"])
@pytest.mark.parametrize("delay", [0.0, 1.5], ids=["at once", "a moment later"])
@pytest.mark.parametrize("tidies", [False, True], ids=["as it is", "tidied"])
def test_each_wish_is_done_once(
    arena: AnotherArena, archive: Archive, channel: int, has_gaps: bool, delay: float, tidies: bool
) -> None:
    arena.ways.has_gaps, arena.ways.connects_after_seconds, arena.ways.tidies = has_gaps, delay, tidies
    wish_all(archive, channel)
    push(archive, arena)
    assert_each_once(archive, arena, channel)


@pytest.mark.parametrize("delay", [0.0, 1.5], ids=["at once", "a moment later"])
@pytest.mark.parametrize("answers", ["empty", "nothing"])
def test_what_is_done_and_not_answered_is_done_once(
    arena: AnotherArena, archive: Archive, channel: int, answers: str, delay: float
) -> None:
    arena.ways.answers, arena.ways.connects_after_seconds = answers, delay
    wish_all(archive, channel)
    push(archive, arena, pushes=12)
    assert_each_once(archive, arena, channel)


def test_a_connection_that_is_made_long_after_the_answer_was_lost_is_not_made_twice(
    arena: AnotherArena, archive: Archive, channel: int
) -> None:
    arena.ways.answers, arena.ways.connects_after_seconds = "nothing", 45.0
    with archive.transaction() as tx:
        tx.add_block(channel, "Late")
    assert not archive.push().resumable
    assert len(arena.writes()) == 1
    assert len(arena.world.blocks) == 6


@pytest.mark.parametrize("kind", ["block", "channel", "connection"])
def test_without_a_mark_a_lost_answer_waits_for_the_person(
    arena: AnotherArena, archive: Archive, channel: int, kind: str
) -> None:
    arena.ways.strips_metadata = True
    beside = arena.world.add_channel("Beside")
    archive.pull(beside)
    before = (set(arena.world.blocks), set(arena.world.channels), set(arena.world.links))
    (block,) = archive.sql("SELECT item FROM connections LIMIT 1").fetchall()[0]
    with archive.transaction() as tx:
        if kind == "block":
            tx.add_block(channel, "Without a mark")
        elif kind == "channel":
            tx.add_channel("Without a mark")
        else:
            tx.connect(block, beside)
    arena.ways.answers = "nothing"
    report = push(archive, arena)
    after = (set(arena.world.blocks), set(arena.world.channels), set(arena.world.links))
    (made,) = [new - old for new, old in zip(after, before, strict=True)][
        ["block", "channel", "connection"].index(kind)
    ]
    (transaction,) = transactions(archive)
    assert transaction.state == "unknown"
    assert transaction.intents[0].found == (f"{kind}:{made}",)
    assert report.transactions[0].waits_for_person
    assert "looks like it" in report.transactions[0].why
    archive.outbox.resolve(transaction.tx, f"{kind}:{made}")
    assert not push(archive, arena).resumable
    assert transactions(archive)[0].state == "settled"
    assert len(arena.writes()) == 1


def test_without_marks_what_is_answered_settles_by_the_names_in_the_answers(
    arena: AnotherArena, archive: Archive, channel: int
) -> None:
    arena.ways.strips_metadata = True
    wish_all(archive, channel)
    push(archive, arena)
    assert_each_once(archive, arena, channel)


PLACES = ["top", "bottom", 0, 1, 2, 3, 4]
WAYS = {
    "dense": Ways(),
    "gaps": Ways(has_gaps=True),
    "by index": Ways(inserts_by_index=True),
    "gaps, by index": Ways(inserts_by_index=True, has_gaps=True),
}


@pytest.mark.parametrize("ways", WAYS)
def test_an_item_comes_to_stand_where_it_was_wished_or_the_wish_is_superseded(
    arena: AnotherArena, archive: Archive, channel: int, ways: str
) -> None:
    """Items to places, one push each; whatever positions mean there, no relative move is sent."""
    arena.ways.has_gaps, arena.ways.inserts_by_index = WAYS[ways].has_gaps, WAYS[ways].inserts_by_index
    arena.world.number(channel)
    archive.pull(channel, full=True)
    ends = []
    for item, place in list(product(range(5), PLACES))[:: 1 if IS_THOROUGH else 4]:
        items = shown(archive, channel)
        if items[item] == (items[place] if isinstance(place, int) else None):
            continue
        anchor = {"after": items[place]} if isinstance(place, int) else {"to": place}
        with archive.transaction() as tx:
            tx.move(items[item], **anchor)
        archive.push()
        state = transactions(archive)[-1].state
        ends.append(state)
        assert shown(archive, channel) == row(arena, channel)
        assert (state == "settled") == stands(row(arena, channel), items[item], anchor)
    assert set(ends) <= {"settled", "superseded"}
    assert set(ends) == {"settled"} or ways == "gaps, by index"
    moves = [body["movement"] for _, path, body in arena.writes() if path.endswith("/move")]
    assert len(moves) == len(ends)
    assert not RELATIVE & set(moves)


def stands(order: list[str], item: str, anchor: dict[str, str]) -> bool:
    """Whether an item is where it was wished, in a row from the bottom up."""
    if "to" in anchor:
        return order[-1 if anchor["to"] == "top" else 0] == item
    return order.index(item) + 1 == order.index(anchor["after"])
