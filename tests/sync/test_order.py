"""Ranks: the remote order with the fewest moves."""

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from vfdir_lab.sync.order import between, fewest_moves, place


def ranked(size: int) -> dict[str, str]:
    return between(None, None, [f"c{number}" for number in range(size)])


@st.composite
def reorderings(draw: st.DrawFn) -> tuple[dict[str, str], list[str]]:
    """Ranks of some ids, and a new order of some of them with newcomers in between."""
    ranks = ranked(draw(st.integers(0, 9)))
    kept = draw(st.permutations(sorted(ranks)))[: draw(st.integers(0, len(ranks)))]
    order = list(kept)
    for number in range(draw(st.integers(0, 4))):
        order.insert(draw(st.integers(0, len(order))), f"new{number}")
    return ranks, order


@given(reorderings())
def test_the_new_ranks_give_the_new_order(case: tuple[dict[str, str], list[str]]) -> None:
    ranks, order = case
    after = ranks | fewest_moves([(one, ranks.get(one)) for one in order])
    assert sorted(order, key=lambda one: after[one]) == order
    assert len({after[one] for one in order}) == len(order)


@given(reorderings())
def test_no_smaller_set_of_moves_would_do(case: tuple[dict[str, str], list[str]]) -> None:
    """Law 12, against every subset: what stays put must be increasing already."""
    ranks, order = case
    moved = {one for one in fewest_moves([(one, ranks.get(one)) for one in order]) if one in ranks}
    old = [one for one in order if one in ranks]
    for size in range(len(old), len(old) - len(moved), -1):
        for staying in combinations(old, size):
            assert [ranks[one] for one in staying] != sorted(ranks[one] for one in staying)


@given(reorderings(), st.integers(1, 4))
def test_placing_page_by_page_moves_nothing_when_only_newcomers_came(
    case: tuple[dict[str, str], list[str]], size: int
) -> None:
    ranks, order = case
    old = iter(sorted((one for one in order if one in ranks), key=lambda one: ranks[one]))
    order = [next(old) if one in ranks else one for one in order]  # newcomers among what stayed in order
    known = dict(ranks)
    below: str | None = None
    for start in range(0, len(order), size):
        page = order[start : start + size]
        top = start + size >= len(order)
        given_ranks = place([(one, known.get(one)) for one in page], sorted(known.values()), below, top=top)
        assert given_ranks.keys() == {one for one in page if one not in known}
        known |= given_ranks
        below = known[page[-1]]
    assert sorted(order, key=lambda one: known[one]) == order
    assert fewest_moves([(one, known[one]) for one in order]) == {}


@given(st.lists(st.integers(0, 20), max_size=60))
def test_ranks_between_ranks_never_run_out(spots: list[int]) -> None:
    order: list[str] = []
    for wished in spots:
        spot = min(wished, len(order))
        low = order[spot - 1] if spot else None
        high = order[spot] if spot < len(order) else None
        order.insert(spot, between(low, high, ["x"])["x"])
    assert order == sorted(order)
    assert len(set(order)) == len(order)
