"""The time machine: each place of the slider is what `as_of` answers; what differs from now is counted."""

import re
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import ipywidgets as widgets
import pytest
from hypothesis import given
from hypothesis import strategies as st
from widgetry import every, markup

from vfdir_lab.archive import Archive
from vfdir_lab.errors import QueryError, UnknownObjectError
from vfdir_lab.event import Draft
from vfdir_lab.notebook.look import TimeMachine, time_machine
from vfdir_lab.notebook.look.moments import MOST_STEPS, thinned
from vfdir_lab.notebook.look.newest import Newest
from vfdir_lab.notebook.look.room import changes_between, room_of, sql
from vfdir_lab.notebook.look.time_machine import bars

LONG = 60.0
HOSTILE = "<img src=x onerror=alert(1)>\u202etxt"
START = datetime(2026, 1, 1, 12, tzinfo=UTC)


def seen(kind: str, object_id: str, **payload: Any) -> Draft:
    return Draft(kind=f"{kind}.observed", object_id=object_id, payload=payload, origin="arena")


def block(number: int, title: str, day: int = 1) -> Draft:
    created = f"2023-03-{day:02}T00:00:00Z"
    return seen("block", f"block:{number}", type="Text", title=title, created_at=created)


def held(number: int, item: str, rank: str, day: int = 1) -> Draft:
    at = f"2023-03-{day:02}T00:00:00Z"
    return seen(
        "connection", f"connection:{number}", channel="channel:7", item=item, connected_at=at, rank=rank
    )


def channel(title: str = "Tides") -> Draft:
    return seen("channel", "channel:7", title=title, slug="tides", created_at="2023-01-01T00:00:00Z")


class Clock:
    """A clock that says the day it is set to."""

    def __init__(self) -> None:
        self.day = 0

    def __call__(self) -> datetime:
        return START + timedelta(days=self.day)


@pytest.fixture
def archive(make_archive: Callable[..., Archive], monkeypatch: pytest.MonkeyPatch) -> Archive:
    """A channel that was read on four days: two blocks, a third, another title, one gone."""
    made = make_archive()
    clock = Clock()
    monkeypatch.setattr(made.log, "_now", clock)
    made.log.append([channel(), block(1, "One"), block(2, "Two", 2)])
    made.log.append([held(1, "block:1", "a1"), held(2, "block:2", "a2", 2)])
    clock.day = 1
    made.log.append([block(3, "Three", 9), held(3, "block:3", "a3", 9)])
    clock.day = 2
    made.log.append([block(1, HOSTILE)])
    clock.day = 3
    made.log.append([Draft(kind="connection.vanished", object_id="connection:2", payload={}, origin="arena")])
    return made


@pytest.fixture
def machine(archive: Archive) -> TimeMachine:
    return archive.time_machine("tides")


def shown(machine: TimeMachine) -> list[str]:
    """The items that were there, by id, top first."""
    return [item["item"] for item in machine.shelf.page.items if not item["is_gone"]]


def go(machine: TimeMachine, index: int) -> None:
    machine.slider.index = index
    assert machine.join(LONG)


def test_it_begins_now_and_has_a_place_for_each_moment(machine: TimeMachine) -> None:
    assert shown(machine) == ["block:3", "block:1"]
    ends = [START + timedelta(days=day, seconds=1) for day in range(4)]
    assert list(machine.moments) == ends
    assert [name for name, _ in machine.slider.options][-1] == "now"
    assert machine.slider.index == 4


@pytest.mark.parametrize("axis", ["knew", "effective"])
def test_each_place_shows_what_as_of_answers_there(archive: Archive, axis: str) -> None:
    machine = archive.time_machine(7)
    machine.axis.value = axis
    assert machine.join(LONG)
    assert len(machine.moments) >= 3
    query = "SELECT item FROM connections WHERE channel = 'channel:7' ORDER BY position DESC"
    last = len(machine.moments) - 1
    for index in (0, last // 2, last):
        moment = machine.moments[index]
        go(machine, index)
        said = archive.as_of(moment, axis=axis).sql(query)
        assert shown(machine) == [row[0] for row in said.fetchall()], moment


def test_the_axes_have_moments_of_their_own(machine: TimeMachine) -> None:
    machine.axis.value = "effective"
    assert machine.join(LONG)
    assert machine.moments[0] == datetime(2023, 1, 1, 0, 0, 1, tzinfo=UTC)
    assert "as it was so" in machine.lines()[0]


def test_what_was_said_of_a_block_before_it_came_in_is_no_moment(
    make_archive: Callable[..., Archive],
) -> None:
    archive = make_archive(channel(), block(1, "Old", 2), held(1, "block:1", "a1", 20))
    machine = archive.time_machine(7)
    machine.axis.value = "effective"
    assert machine.join(LONG)
    days = [f"{one:%Y-%m-%d}" for one in machine.moments]
    assert days == ["2023-01-01", "2023-03-20"]


def test_what_differs_from_now_is_counted_and_named(machine: TimeMachine, archive: Archive) -> None:
    go(machine, 0)
    head = archive.as_of(machine.moments[0]).head
    said = f"2 items then, 2 now: 1 added since, 1 gone, 1 renamed. Head {head}"
    assert machine.lines()[1] == said
    assert "One → &lt;img" in machine._changed.value
    go(machine, 4)
    assert "no difference" in machine.lines()[1]


def test_moved_are_the_fewest_that_have_to_move(make_archive: Callable[..., Archive]) -> None:
    """One block put on top moves one item, not all that it passed."""
    scan = "scan:dev.1"
    begun = Draft(kind="scan.started", object_id=scan, payload={"channel": "channel:7"})
    blocks = [block(one, f"Block {one}") for one in range(1, 7)]
    archive = make_archive(channel(), begun, *blocks)
    archive.log.append([held(one, f"block:{one}", f"a{one}") for one in range(1, 7)])
    archive.log.append([ranked(one, f"a{one}", scan) for one in range(1, 7)])
    then = room_of(archive.as_of(), "channel:7")
    archive.log.append([ranked(1, "a9", scan)])
    now = room_of(archive.as_of(), "channel:7")
    changes = changes_between(then, now, archive.sql(sql("bound")).to_arrow_table())
    assert changes.moved == (("block:1", "Block 1"),)
    assert (changes.added, changes.gone, changes.renamed) == ((), (), ())


def ranked(number: int, rank: str, scan: str) -> Draft:
    payload = {"channel": "channel:7", "rank": rank}
    return Draft(kind="connection.ranked", object_id=f"connection:{number}", payload=payload, cause=scan)


def test_remote_text_stays_text(machine: TimeMachine) -> None:
    for index in (4, 0):
        go(machine, index)
        (place,) = [n for n, one in enumerate(machine.shelf.page.items) if one["item"] == "block:1"]
        machine.shelf._cards[place]._button.click()
        assert "<img" not in markup(machine)
        assert "\u202e" not in markup(machine)
    assert "<img" not in machine._repr_mimebundle_()["text/html"]


def test_an_opened_block_is_told_as_it_was_known_then(machine: TimeMachine) -> None:
    go(machine, 1)
    place = [item["item"] for item in machine.shelf.page.items].index("block:1")
    machine.shelf._cards[place]._button.click()
    assert "onerror" not in markup(machine._opened)
    go(machine, 2)
    assert machine._opened.children == ()
    place = [item["item"] for item in machine.shelf.page.items].index("block:1")
    machine.shelf._cards[place]._button.click()
    assert "onerror" in markup(machine._opened)


def test_the_buttons_beside_the_slider_go_one_moment(machine: TimeMachine) -> None:
    found = {one.description: one for one in every(machine) if isinstance(one, widgets.Button)}
    found["Next moment"].click()
    assert machine.slider.index == 4
    found["Moment before"].click()
    assert machine.join(LONG)
    assert machine.slider.index == 3
    assert machine.lines()[0] == "Tides, 2026-01-04 12:00:01 UTC, as we knew it"


def test_a_step_leaves_the_widgets_where_they_are(machine: TimeMachine) -> None:
    before = [id(one) for one in every(machine)]
    for index in (3, 2, 4):
        go(machine, index)
    assert set(before) - {id(one) for one in every(machine)} == set()


def test_what_goes_wrong_is_a_line_and_the_next_step_is_shown(
    machine: TimeMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise QueryError(f"no {HOSTILE}")

    with monkeypatch.context() as patch:
        patch.setattr(time_machine, "room_of", refuse)
        go(machine, 0)
        assert 'role="alert"' in machine._said.value
        assert "<img" not in machine._said.value
        assert "reading" not in machine._head.value
    go(machine, 1)
    assert machine._said.value == ""
    assert shown(machine) == ["block:3", "block:2", "block:1"]


def test_what_is_recorded_meanwhile_is_there_at_the_next_step(machine: TimeMachine, archive: Archive) -> None:
    archive.log.append([block(4, "Four"), held(4, "block:4", "a4")])
    go(machine, 0)
    assert "2 items then, 3 now" in machine.lines()[1]


def test_a_channel_that_is_not_there_is_an_error_at_once(archive: Archive) -> None:
    with pytest.raises(UnknownObjectError, match="nothing is known of channel:8"):
        archive.time_machine(8)


def test_slow_answers_never_pile_up() -> None:
    """While one question is being read, ten more come: only the newest is read, and only it is shown."""
    began, may_end = threading.Event(), threading.Event()
    read: list[int] = []
    answers: list[tuple[int, int]] = []

    def slowly(question: int) -> int:
        read.append(question)
        began.set()
        assert may_end.wait(LONG)
        return question * 10

    newest = Newest(slowly, lambda question, answer: answers.append((question, answer)))
    newest.want(0)
    assert began.wait(LONG)
    for question in range(1, 11):
        newest.want(question)
    may_end.set()
    assert newest.join(LONG)
    assert read == [0, 10]
    assert answers == [(10, 100)]


def test_it_answers_again_after_a_question_that_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading, "excepthook", lambda _args: None)
    answers: list[float] = []
    newest: Newest[int, float] = Newest(lambda one: 1 / one, lambda _question, answer: answers.append(answer))
    newest.want(0)
    assert newest.join(LONG)
    newest.want(2)
    assert newest.join(LONG)
    assert answers == [0.5]


@given(st.lists(st.integers(0, 200_000_000), max_size=900))
def test_moments_are_few_in_order_and_after_what_they_show(times: list[int]) -> None:
    seconds = [START + timedelta(seconds=one) for one in times]
    found = thinned(seconds)
    assert len(found) <= MOST_STEPS
    assert list(found) == sorted(set(found))
    assert not seconds or found[-1] > max(seconds)
    assert all(any(second < moment for second in seconds) for moment in found)


def test_the_drawing_is_higher_where_more_happened_and_marks_where_one_is() -> None:
    moments = tuple(START + timedelta(seconds=one) for one in (0, 1, 2, 3, 1000, 2000))
    drawn = re.findall(r'height="([\d.]+)" opacity="([\d.]+)"', bars(moments, moments[-2]))
    heights, marked = zip(*((float(height), opacity == "1") for height, opacity in drawn), strict=True)
    assert len(heights) == 3
    assert heights[0] > heights[1] == heights[2]
    assert marked == (False, True, False)
    assert bars(moments[:1], None) == ""
