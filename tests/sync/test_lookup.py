"""What became of a wish whose answer never came, kind by kind; nothing is changed by looking."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pushing import FAST, Scene, build

from vfdir_lab.errors import ArenaForbiddenError
from vfdir_lab.sandbox import Sandbox
from vfdir_lab.sync.lookup import BETWEEN_LOOKS_SECONDS, INDEX_LAG, LATE_BY, Lookup
from vfdir_lab.sync.outbox import Intent
from vfdir_lab.sync.sending import answer, bound


@pytest.fixture(scope="module")
def server() -> Iterator[Sandbox]:
    with Sandbox(rate_limits=FAST) as running:
        yield running


class Lost:
    """A wish that was sent and never answered, and what is found when it is looked up."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.control = scene.sandbox.control
        self.me = scene.sandbox.world.main
        self.sleeps: list[float] = []
        scene.hours.on_sleep = self.sleeps.append

    def wish(self, kind: str) -> Intent:
        """Wish it, and record that it was sent."""
        tx = self.scene.wish(kind)
        outbox = self.scene.outbox()
        (intent,) = [one for one in outbox.intents() if one.tx == tx]
        outbox.record(lambda _device: [answer(intent, "tx.sent", {"request": "of a test"})])
        self.control.clear_requests()
        found = outbox.intent(intent.intent)
        assert found is not None
        return found

    def look(self, intent: Intent) -> str:
        """Look it up; the state it is in then."""
        outbox = self.scene.outbox()
        now = outbox.intent(intent.intent)
        assert now is not None
        client = self.scene.archive._connect()
        state = Lookup(client, outbox, self.scene.hours.time).look_up(now)
        assert {one["method"] for one in self.control.requests()} == {"GET"}
        return state

    def now(self, intent: Intent) -> Intent:
        """The wish as the log has it."""
        found = self.scene.outbox().intent(intent.intent)
        assert found is not None
        return found

    def add(self, text: str, by: str | None = None, mark: str | None = None) -> str:
        """A text in the row, as if a request had made it."""
        metadata = {} if mark is None else {"vfdir_tx": mark}
        made = self.control.add_block(self.scene.row, text, kind="Text", by=by or self.me, metadata=metadata)
        return f"block:{made['id']}"

    def name(self, intent: Intent) -> str:
        """are.na's name for what it made, once that is known."""
        return self.scene.outbox().canonical(intent.object_id)


@pytest.fixture
def lost(server: Sandbox, tmp_path: Path) -> Iterator[Lost]:
    server.control.disarm()
    scene = build(server, tmp_path)
    yield Lost(scene)
    scene.archive.close()


TEXT = "Two lines\nof a text"
WORDS = "Said once & for all"


def number(identifier: str) -> int:
    return int(identifier.partition(":")[2])


def test_what_bears_the_mark_is_ours_at_once(lost: Lost) -> None:
    intent = lost.wish("text")
    made = lost.add(TEXT, mark=intent.intent)
    assert lost.look(intent) == "accepted"
    assert lost.name(intent) == made
    connection = lost.scene.outbox().canonical(intent.events[1].object_id)
    assert connection == f"connection:{lost.control.snapshot(lost.scene.row)[-1]['connection']}"
    assert lost.sleeps == []


def test_what_is_absent_is_looked_for_again_a_minute_after_the_answer_was_lost(lost: Lost) -> None:
    """are.na may still be at work on the request; only then it was surely never done."""
    intent = lost.wish("text")
    assert lost.look(intent) == "committed"
    assert LATE_BY.total_seconds() - 5 < sum(lost.sleeps) <= LATE_BY.total_seconds()
    assert "does not have it" in str(lost.now(intent).reason)


def test_long_after_the_answer_was_lost_two_looks_are_a_moment_apart(lost: Lost) -> None:
    intent = lost.wish("connect")
    lost.scene.hours.sleep(3600)
    lost.sleeps.clear()
    assert lost.look(intent) == "committed"
    assert lost.sleeps == [BETWEEN_LOOKS_SECONDS]


def test_what_comes_between_two_looks_is_found(lost: Lost) -> None:
    intent = lost.wish("text")
    lost.scene.hours.on_sleep = lambda _seconds: lost.add(TEXT, mark=intent.intent)
    assert lost.look(intent) == "accepted"


def test_what_is_there_twice_is_for_the_person_and_is_said_once(lost: Lost) -> None:
    intent = lost.wish("text")
    both = tuple(sorted(lost.add(TEXT, mark=intent.intent) for _ in range(2)))
    assert lost.look(intent) == "unknown"
    assert lost.now(intent).found == both
    said = lost.scene.archive.head
    assert lost.look(intent) == "unknown"
    assert lost.scene.archive.head == said


def test_what_looks_like_it_and_bears_no_mark_is_for_the_person(lost: Lost) -> None:
    intent = lost.wish("text")
    alike = lost.add(TEXT.replace("\n", "\r\n"))
    assert lost.look(intent) == "unknown"
    assert lost.now(intent).found == (alike,)
    assert lost.name(intent) == intent.object_id


@pytest.mark.parametrize(
    "why", ["other words", "another person's", "another wish's", "another mark", "older"]
)
def test_what_cannot_be_it_is_no_candidate(lost: Lost, why: str) -> None:
    if why == "older":
        lost.add(TEXT)
        lost.scene.hours.sleep(600)
    intent = lost.wish("text")
    if why == "another wish's":
        other = lost.wish("text")
        made = lost.add(TEXT)
        lost.scene.outbox().record(lambda _device: [bound(other, other.object_id, made)])
    elif why != "older":
        lost.add(
            "Something else" if why == "other words" else TEXT,
            by=lost.scene.sandbox.world.other if why == "another person's" else None,
            mark="0" * 32 if why == "another mark" else None,
        )
    assert lost.look(intent) == "committed"


def test_a_connection_of_the_same_item_without_a_mark_is_for_the_person(lost: Lost) -> None:
    intent = lost.wish("connect")
    beside = number(lost.scene.beside)
    lost.control.connect(beside, lost.scene.row, by=lost.scene.sandbox.world.other)
    ours = lost.control.connect(beside, lost.scene.row, by=lost.me)
    assert lost.look(intent) == "unknown"
    assert lost.now(intent).found == (f"connection:{ours}",)


def test_a_channel_is_not_missed_before_the_index_has_caught_up(lost: Lost) -> None:
    intent = lost.wish("add channel")
    assert lost.look(intent) == "unknown"
    assert sum(lost.sleeps) == BETWEEN_LOOKS_SECONDS
    assert "may lag" in str(lost.now(intent).reason)
    lost.scene.hours.sleep(INDEX_LAG.total_seconds())
    assert lost.look(intent) == "committed"


def test_a_channel_is_found_by_its_mark_among_those_of_the_account(lost: Lost) -> None:
    intent = lost.wish("add channel")
    title = f"New beside {lost.scene.row}"
    made = lost.control.add_channel(title, by=lost.me)["id"]
    lost.control.refresh_index()
    assert lost.look(intent) == "unknown"
    assert lost.now(intent).found == (f"channel:{made}",)
    lost.control.edit_channel(int(made), metadata={"vfdir_tx": intent.intent})
    lost.control.refresh_index()
    assert lost.look(intent) == "accepted"
    assert lost.name(intent) == f"channel:{made}"


def test_a_comment_is_found_by_its_author_and_its_words(lost: Lost) -> None:
    intent = lost.wish("comment")
    block = number(lost.scene.blocks[3])
    lost.control.comment(block, WORDS, by=lost.scene.sandbox.world.other)
    lost.control.comment(block, "Something else", by=lost.me)
    assert lost.look(intent) == "committed"


def test_two_comments_of_the_same_words_are_for_the_person_unless_one_is_known(lost: Lost) -> None:
    intent = lost.wish("comment")
    block = number(lost.scene.blocks[3])
    first, second = (f"comment:{lost.control.comment(block, WORDS, by=lost.me)}" for _ in range(2))
    assert lost.look(intent) == "unknown"
    assert lost.now(intent).found == (first, second)
    other = lost.wish("comment")
    lost.scene.outbox().record(lambda _device: [bound(other, other.object_id, first)])
    assert lost.look(intent) == "accepted"
    assert lost.name(intent) == second


@pytest.mark.parametrize(
    ("shown", "state"),
    [("Another title", "accepted"), (None, "committed"), ("Somebody's title", "accepted")],
    ids=["the wish", "what was there before", "somebody's"],
)
def test_an_edit_is_sent_again_only_if_what_was_there_before_still_is(
    lost: Lost, shown: str | None, state: str
) -> None:
    intent = lost.wish("edit block")
    description = "And a line" if shown == "Another title" else None
    lost.control.edit_block(number(lost.scene.blocks[2]), title=shown, description=description)
    assert lost.look(intent) == state
    assert lost.scene.sandbox.world.blocks[number(lost.scene.blocks[2])].title == shown


def test_an_edit_of_what_is_gone_is_rejected(lost: Lost) -> None:
    intent = lost.wish("edit block")
    lost.control.remove_block(number(lost.scene.blocks[2]))
    assert lost.look(intent) == "rejected"


@pytest.mark.parametrize("is_done", [True, False])
@pytest.mark.parametrize("kind", ["disconnect", "delete channel", "move", "edit channel"])
def test_a_change_that_is_there_is_done_and_one_that_is_not_is_sent_again(
    lost: Lost, kind: str, is_done: bool
) -> None:
    scene = lost.scene
    intent = lost.wish(kind)
    if is_done and kind == "disconnect":
        lost.control.disconnect(number(scene.connections[0]))
    elif is_done and kind == "delete channel":
        lost.control.remove_channel(scene.spare)
    elif is_done and kind == "move":
        lost.control.move(number(scene.connections[1]), 3)
    elif is_done:
        lost.control.edit_channel(scene.side, title="Beside, renamed")
    assert lost.look(intent) == ("accepted" if is_done else "committed")


@pytest.mark.parametrize("kind", ["text", "connect", "comment"])
def test_where_it_was_is_gone_so_it_is_rejected(lost: Lost, kind: str) -> None:
    intent = lost.wish(kind)
    if kind == "comment":
        lost.control.remove_block(number(lost.scene.blocks[3]))
    else:
        lost.control.remove_channel(lost.scene.row)
    assert lost.look(intent) == "rejected"


def test_a_block_wished_into_two_channels_is_found_in_the_one_that_is_left(lost: Lost) -> None:
    with lost.scene.archive.transaction() as tx:
        tx.add_block([lost.scene.spare, lost.scene.row], TEXT)
    outbox = lost.scene.outbox()
    (intent,) = outbox.intents()
    outbox.record(lambda _device: [answer(intent, "tx.sent", {"request": "of a test"})])
    lost.control.remove_channel(lost.scene.spare)
    made = lost.add(TEXT, mark=intent.intent)
    lost.control.clear_requests()
    assert lost.look(intent) == "accepted"
    assert lost.name(intent) == made


def test_what_cannot_be_seen_stays_as_it_was(lost: Lost) -> None:
    intent = lost.wish("text")
    lost.control.arm("forbidden", match="GET /v3/channels/.*/contents")
    with pytest.raises(ArenaForbiddenError):
        lost.look(intent)
    assert lost.now(intent).state == "sent"


def test_a_wish_that_is_withdrawn_meanwhile_stays_withdrawn(lost: Lost) -> None:
    intent = lost.wish("text")
    lost.scene.hours.on_sleep = lambda _seconds: lost.scene.archive.outbox.cancel(intent.tx)
    assert lost.look(intent) == "cancelled"
    assert lost.now(intent).state == "cancelled"
