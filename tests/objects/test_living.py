"""Living objects are found as a dictionary of weak references finds them, and dead ones leave nothing."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from vfdir_lab.objects import Block
from vfdir_lab.objects import living as living_module
from vfdir_lab.objects.ids import NUMBER, SPACE, Ids
from vfdir_lab.objects.living import Living

NOBODY: Any = None
KEYS = st.one_of(st.integers(1, 12), st.sampled_from(["block:~dev.1", "block:~dev.2"]))
STEPS = st.one_of(
    st.tuples(st.just("hold"), KEYS),
    st.tuples(st.just("drop"), KEYS),
    st.tuples(st.just("align"), st.sets(st.integers(1, 12))),
)


def ids(numbers: set[int]) -> Ids:
    shown = sorted(numbers)
    columns = {
        "object_id": [f"block:{number}" for number in shown],
        SPACE: ["block"] * len(shown),
        NUMBER: pa.array(shown, pa.int64()),
    }
    return Ids(pa.table(columns))


@given(steps=st.lists(STEPS, max_size=40))
def test_whoever_is_held_is_found_and_nobody_else(steps: list[tuple[str, Any]]) -> None:
    living, held = Living("block"), {}
    for step, what in steps:
        if step == "hold" and what not in held:
            held[what] = Block(NOBODY, what)
            living.put(held[what])
        elif step == "drop":
            held.pop(what, None)
        elif step == "align":
            living.align(ids(what))
        for key in [*range(1, 13), "block:~dev.1", "block:~dev.2"]:
            assert living.get(key) is held.get(key)
        assert {one.key for one in living} == held.keys()


def test_the_dead_are_swept_out(monkeypatch: Any) -> None:
    """A loop that holds nothing leaves few references behind, not one for each object it met."""
    monkeypatch.setattr(living_module, "_FEW_DEAD", 10)
    living = Living("block")
    living.align(ids(set(range(1, 1001))))
    for number in range(1, 1001):
        living.put(Block(NOBODY, number))
    assert sum(one is not None for one in living._placed) <= 1000 // 4 + 2


def test_a_place_counts_only_in_the_table_it_is_of() -> None:
    living, old, new = Living("block"), ids({1, 2}), ids({2, 3})
    living.align(old)
    two = Block(NOBODY, 2)
    living.put(two)
    assert living.at(old, 1) is two
    living.align(new)
    assert living.at(old, 1) is None
    assert living.at(new, 0) is two
