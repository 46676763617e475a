"""A channel's row: ranks that put things where they were wished, against a plain list."""

from __future__ import annotations

import pytest
from drafting import ordered
from hypothesis import given
from hypothesis import strategies as st

from vfdir_lab.sync.order import between
from vfdir_lab.sync.row import Row

MOVES = st.lists(
    st.tuples(st.integers(0, 12), st.one_of(st.sampled_from(["top", "bottom"]), st.integers(0, 12))),
    max_size=25,
)


def row_of(names: list[str], leader: str | None = "dev1") -> Row:
    row = Row(leader)
    for name, rank in between(None, None, names).items():
        row.put(name, f"item of {name}", rank)
    return row


@given(st.integers(0, 5), MOVES)
def test_any_sequence_of_wishes_sorts_by_rank_as_a_list_is_rearranged(
    size: int, moves: list[tuple[int, str | int]]
) -> None:
    """Who is there already moves, who is not comes in; the list model knows nothing of ranks."""
    model = [f"c{number}" for number in range(size)]
    row = row_of(model)
    ranks = between(None, None, model)
    for number, where in moves:
        name = f"c{number}"
        place = where if isinstance(where, str) else model[where % len(model)] if model else "top"
        if place == name:
            continue
        rank = ranks[name] = row.rank(place)
        if name in row:
            row.move(name, rank)
            model.remove(name)
        else:
            row.put(name, "item", rank)
        spot = {"top": len(model), "bottom": 0}.get(place)
        model.insert(model.index(place) if spot is None else spot, name)
        assert sorted(ranks, key=lambda one: ranks[one]) == model
        assert ordered(row) == model
    assert len(set(ranks.values())) == len(ranks)


@given(st.integers(1, 6), st.lists(st.integers(0, 5), max_size=6))
def test_the_rank_of_what_was_taken_out_is_not_given_again(size: int, taken: list[int]) -> None:
    row = row_of([f"c{number}" for number in range(size)])
    old = set(between(None, None, [f"c{number}" for number in range(size)]).values())
    for number in taken:
        row.take(f"c{number}")
    places = ["top", "bottom", *row.items]
    assert not {row.rank(place) for place in places} & old


def test_above_says_what_a_connection_stands_right_below() -> None:
    row = row_of(["a", "b", "c"])
    assert [row.above(one) for one in ("a", "b", "c")] == ["b", "c", "top"]
    row.take("b")
    assert [row.above(one) for one in ("a", "c")] == ["c", "top"]


def test_what_has_no_rank_stands_on_top_and_what_goes_below_it_is_above_all_ranks() -> None:
    row = row_of(["a", "b"])
    row.put("later", "item", None)
    row.put("latest", "item", None)
    assert ordered(row) == ["a", "b", "later", "latest"]
    rank = row.rank("latest")
    assert rank == row.rank("top") > max(between(None, None, ["a", "b"]).values())
    row.move("a", rank)
    assert ordered(row) == ["b", "a", "later", "latest"]


def test_without_a_rank_that_counts_a_connection_goes_back_to_where_it_was_read() -> None:
    row = Row("dev1")
    for name, rank in between(None, None, ["a", "b", "c"]).items():
        row.read(name, "item", rank)
    row.move("a", row.rank("top"))
    row.put("new", "item", row.rank("bottom"))
    assert ordered(row) == ["new", "b", "c", "a"]
    row.move("a", None)
    row.move("new", None)
    assert ordered(row) == ["a", "b", "c", "new"]


def test_equal_ranks_of_two_devices_leave_the_order_they_were_read_in() -> None:
    row = Row("dev1")
    for name in ("a", "b", "c"):
        row.put(name, "item", "a0")
    assert ordered(row) == ["a", "b", "c"]
    assert row.rank("b") < "a0"


@pytest.mark.parametrize("place", ["top", "bottom"])
def test_the_first_rank_of_an_empty_row_needs_no_neighbour(place: str) -> None:
    assert Row().rank(place) == between(None, None, ["x"])["x"]
