"""Observers are told which fields changed, once, whatever other observers do."""

from __future__ import annotations

import gc
from typing import Any

import pytest

from vfdir_lab.objects import Change, ObserverWarning


@pytest.fixture
def told() -> list[tuple[str, dict[str, tuple[Any, Any]]]]:
    return []


def teller(told: list[Any]) -> Any:
    def tell(thing: Any, changes: tuple[Change, ...]) -> None:
        told.append((thing.object_id, {one.field: (one.old, one.new) for one in changes}))

    return tell


def test_an_observer_is_told_names_old_and_new(home: Any, told: Any) -> None:
    home.objects.block(1).observe(teller(told))
    home.observe("block:1", title="Neap", description={"markdown": "low"})
    assert told == [("block:1", {"title": ("Entry 1", "Neap"), "description": (None, "low")})]


def test_what_happens_to_others_is_not_told(home: Any, told: Any) -> None:
    home.objects.block(1).observe(teller(told))
    home.observe("block:2", title="Neap")
    home.objects.refresh()
    assert told == []


def test_a_transaction_and_a_lens_are_told(home: Any, told: Any) -> None:
    home.objects.block(1).observe(teller(told))
    with home.archive.transaction() as tx:
        tx.edit("block:1", title="Wished")
    home.archive.projections["blocks"].use(2)
    assert told == [
        ("block:1", {"title": ("Entry 1", "Wished"), "pending": (False, True)}),
        ("block:1", {"title": ("Wished", "Entry 1"), "pending": (True, False)}),
    ]


def test_a_long_piece_of_work_is_told_once(home: Any, told: Any) -> None:
    home.objects.block(1).observe(teller(told))
    with home.archive._pool.together():
        home.observe("block:1", title="Half way")
        home.observe("block:1", title="Done")
    assert told == [("block:1", {"title": ("Entry 1", "Done")})]


def test_vanishing_is_told_and_coming_back(home: Any, told: Any) -> None:
    block = home.objects.block(1)
    block.observe(teller(told))
    home.vanish("block:1")
    ((_, changes),) = told
    assert changes == {"vanished_at": (None, block.vanished_at)}
    told.clear()
    home.observe("block:1", title="Entry 1 again")
    ((_, changes),) = told
    assert changes["title"] == ("Entry 1", "Entry 1 again")
    assert changes["vanished_at"][1] is None


def test_an_observer_that_raises_stops_no_other(home: Any, told: Any) -> None:
    def broken(*_: Any) -> None:
        raise ValueError("broken")

    for number in (1, 2):
        home.objects.block(number).observe(broken)
        home.objects.block(number).observe(teller(told))
    with home.archive._pool.together():
        home.observe("block:1", title="Neap")
        home.observe("block:2", title="Spring")
        with pytest.warns(ObserverWarning, match="raised ValueError") as warned:
            home.objects.refresh()
    assert [one for one, _ in told] == ["block:1", "block:2"]
    assert len(warned) == 2


def test_who_is_removed_is_told_no_more(home: Any, told: Any) -> None:
    block, tell = home.objects.block(1), teller(told)
    block.observe(tell)
    block.observe(tell)
    home.observe("block:1", title="First")
    block.unobserve(tell)
    block.unobserve(tell)
    home.observe("block:1", title="Second")
    assert len(told) == 1


def test_what_is_observed_is_held(home: Any, told: Any) -> None:
    home.objects.block(1).observe(teller(told))
    gc.collect()
    home.observe("block:1", title="Neap")
    assert len(told) == 1


def test_an_observer_may_wish_and_observe_and_leave(home: Any, told: Any) -> None:
    """What observers do in turn is told in a round of its own; it neither nests nor runs for ever."""
    block = home.objects.block(1)

    def answer(thing: Any, changes: tuple[Change, ...]) -> None:
        thing.unobserve(answer)
        thing.observe(teller(told))
        with home.archive.transaction():
            thing.title = "Answered"

    block.observe(answer)
    home.observe("block:1", title="Asked")
    assert block.title == "Answered"
    assert told == [("block:1", {"title": ("Asked", "Answered"), "pending": (False, True)})]


def test_observers_that_never_rest_are_stopped(home: Any) -> None:
    rounds = []

    def restless(thing: Any, _: tuple[Change, ...]) -> None:
        rounds.append(1)
        home.observe("block:1", title=f"Round {len(rounds)}")

    home.objects.block(1).observe(restless)
    home.observe("block:1", title="Begin")
    assert len(rounds) == 10


def test_a_writing_does_not_fail_because_a_lens_cannot_be_shown(home: Any, told: Any) -> None:
    """It was recorded all the same: the error belongs to who reads."""
    from vfdir_lab.errors import LogError

    block = home.objects.block(1)
    block.observe(teller(told))
    pool, lens = home.archive._pool, home.archive._pool._lens

    def broken() -> Any:
        raise LogError("not now")

    pool._lens = broken
    home.observe("block:1", title="Neap")
    with pytest.raises(LogError):
        home.objects.refresh()
    assert "cannot be read: not now" in repr(block)
    assert told == []
    pool._lens = lens
    home.objects.refresh()
    assert told == [("block:1", {"title": ("Entry 1", "Neap")})]
