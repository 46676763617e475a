"""`Right below that one`, said as positions: proven with the service's own arithmetic, gaps included."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wishing import Device, Stage

from vfdir_lab.arena import ArenaClient
from vfdir_lab.errors import ArenaNotFoundError, UsageError
from vfdir_lab.sandbox import positions
from vfdir_lab.sync.places import BOTTOM, TOP, Places, read_places

Held = dict[int, int]
"""Connection by number -> position, counted from the bottom, with gaps."""

NEW = 99


@st.composite
def channels(draw: st.DrawFn, least: int = 1) -> Held:
    size = draw(st.integers(least, 6))
    gaps = draw(st.lists(st.integers(1, 3), min_size=size, max_size=size))
    names = draw(st.permutations(range(1, size + 1)))
    return {name: sum(gaps[: rank + 1]) for rank, name in enumerate(names)}


def places_of(held: Held) -> Places:
    rows = sorted(held.items(), key=lambda one: one[1])
    return Places(channel="channel:1", rows=tuple((f"connection:{one}", at) for one, at in rows))


def order(held: Held) -> list[int]:
    return sorted(held, key=lambda one: held[one])


@given(held=channels(least=2), picks=st.tuples(st.integers(0, 5), st.integers(0, 5)))
def test_a_move_puts_the_item_right_below_the_other_and_leaves_the_rest_in_order(
    held: Held, picks: tuple[int, int]
) -> None:
    names = order(held)
    mover = names[picks[0] % len(names)]
    anchor = [one for one in names if one != mover][picks[1] % (len(names) - 1)]
    position = places_of(held).for_move(f"connection:{mover}", f"connection:{anchor}")
    after = held | positions.move(held, mover, position)
    found = order(after)
    assert len(set(after.values())) == len(after)
    assert found.index(mover) + 1 == found.index(anchor)
    assert [one for one in found if one != mover] == [one for one in names if one != mover]
    assert places_of(after).is_at(f"connection:{mover}", f"connection:{anchor}")


@given(held=channels(), pick=st.integers(0, 7))
def test_a_newcomer_comes_to_stand_where_it_was_wished(held: Held, pick: int) -> None:
    names = order(held)
    place = [TOP, BOTTOM, *(f"connection:{one}" for one in names)][pick % (len(names) + 2)]
    position, pushed = positions.insert(held, places_of(held).for_new(place))
    after = held | pushed | {NEW: position}
    assert places_of(after).is_at(f"connection:{NEW}", place)
    assert [one for one in order(after) if one != NEW] == names


@given(held=channels())
def test_what_an_item_stands_below_is_where_it_is(held: Held) -> None:
    places = places_of(held)
    for one in held:
        assert places.is_at(f"connection:{one}", places.above(f"connection:{one}"))


@given(held=channels(least=2))
def test_an_item_is_at_one_place_besides_an_end(held: Held) -> None:
    """Otherwise a move that went wrong could be taken for one that went right."""
    places = places_of(held)
    names = [f"connection:{one}" for one in order(held)]
    for one in names:
        at = [place for place in (TOP, BOTTOM, *names) if places.is_at(one, place)]
        assert (TOP in at) == (one == names[-1])
        assert (BOTTOM in at) == (one == names[0])
        assert len([place for place in at if ":" in place]) == (one != names[-1])


def test_what_has_left_is_at_no_place_and_nothing_can_be_put_below_it() -> None:
    places = places_of({1: 1, 2: 2})
    assert not places.is_at("connection:3", TOP)
    assert not places.is_at("connection:1", "connection:3")
    with pytest.raises(UsageError, match=r"connection:3 is not in channel:1 any more: choose another place"):
        places.for_new("connection:3")
    with pytest.raises(UsageError, match="connection:3 is not in"):
        places.for_move("connection:3", "connection:1")


def test_on_top_of_an_empty_channel() -> None:
    places = Places(channel="channel:1", rows=())
    assert (places.for_new(TOP), places.for_new(BOTTOM)) == (None, 1)


@pytest.fixture
def stage() -> Iterator[Stage]:
    with Stage() as found:
        yield found


@pytest.fixture
def client(stage: Stage) -> Iterator[ArenaClient]:
    with ArenaClient(
        stage.sandbox.tokens.write, stage.sandbox.url, time=stage.sky.time, pause_seconds=0
    ) as found:
        yield found


def test_a_channel_is_read_from_the_bottom_up_with_the_gaps_it_has(stage: Stage, client: ArenaClient) -> None:
    stage.sandbox.control.disconnect(stage.connections[1])
    places = read_places(client, stage.channels[0])
    assert places.channel == f"channel:{stage.channels[0]}"
    assert places.rows == (
        (f"connection:{stage.connections[0]}", 1),
        (f"connection:{stage.connections[2]}", 3),
    )


def test_every_page_is_read(stage: Stage, client: ArenaClient) -> None:
    for number in range(120):
        stage.sandbox.control.add_block(stage.channels[1], f"Entry {number}", kind="Text")
    places = read_places(client, stage.channels[1])
    assert [one for one, _ in places.rows] == [one for one, _ in stage.row(stage.channels[1])]


def test_a_channel_that_is_not_there_has_no_places(client: ArenaClient) -> None:
    with pytest.raises(ArenaNotFoundError):
        read_places(client, 12345)


def test_a_wished_place_is_kept_when_the_channel_has_gaps(stage: Stage) -> None:
    """The same over HTTP, from the wish to the row."""
    device = Device(stage, stage.folder / "archive")
    stage.sandbox.control.add_block(stage.channels[0], "Entry 4", kind="Text", by=stage.sandbox.world.main)
    stage.sandbox.control.disconnect(stage.connections[1])
    device.archive.pull(*stage.channels)
    bottom, middle, top = (one for one, _ in stage.row(stage.channels[0]))
    device.wish(lambda tx: tx.move(bottom, after=top))
    device.archive.push()
    assert [one for one, _ in stage.row(stage.channels[0])] == [middle, bottom, top]
    assert device.states() == ["settled"]
    device.archive.close()
