"""Law 1: merge is set union on (device, seq). Any order, split, repetition, layout: the same events."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from copies import Copy, Sky, held
from hypothesis import given
from hypothesis import strategies as st

from vfdir_lab.errors import ForkedDeviceError
from vfdir_lab.event import Event

pytestmark = pytest.mark.usefixtures("in_memory")


@contextmanager
def copies(number: int) -> Iterator[list[Copy]]:
    with TemporaryDirectory() as folder:
        sky = Sky()
        yield [Copy(Path(folder) / f"copy{one}", sky) for one in range(number)]


WHICH = st.integers(0, 2)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("append"), WHICH, st.integers(1, 3)),
        st.tuples(st.just("append"), WHICH, st.integers(1, 3)),
        st.tuples(st.just("merge"), WHICH, WHICH),
        st.tuples(st.just("squeeze"), WHICH, st.integers(0, 5)),
    ),
    min_size=3,
    max_size=8,
)


def squeeze(copy: Copy, choice: int) -> None:
    """Compact a run of this copy's own segments, keeping the small ones or not."""
    device = copy.log.device()
    count = len(copy.log.coverage().of(device))
    if count > 1:
        first = choice % (count - 1)
        copy.squeeze(device, first, count - 1 - (choice > 3 and count - 2 > first), keep=choice % 2 == 0)


def play(all_copies: list[Copy], steps: list[tuple[str, int, int]]) -> list[Event]:
    """Do the steps; returns every event that was acknowledged."""
    written: list[Event] = []
    for what, one, two in steps:
        copy, other = all_copies[one % len(all_copies)], all_copies[two % len(all_copies)]
        if what == "append":
            written += copy.append(two)
        elif what == "squeeze":
            squeeze(copy, two)
        elif copy is not other:
            before = copy.events()
            assert copy.merge(other).forks == ()
            assert {event.event_id for event in before} <= {event.event_id for event in copy.events()}
    return sorted(written, key=lambda event: (event.device, event.seq))


@given(number=st.integers(2, 3), steps=STEPS, order=st.permutations(range(3)))
def test_any_order_split_repetition_and_layout_gives_the_same_events(
    number: int, steps: list[tuple[str, int, int]], order: list[int]
) -> None:
    with copies(number) as every:
        written = play(every, steps)
        chosen = [every[one] for one in order if one < number]
        for copy in chosen:
            for other in reversed(chosen):
                if other is not copy:
                    assert copy.merge(other).whole
        assert all(events == written for events in held(every))
        for copy in every:
            report = copy.verify()
            assert report.ok, str(report)
            files = copy.bytes()
            other = every[0] if copy is not every[0] else every[1]
            assert copy.merge(other).copied == ()
            assert copy.bytes() == files


@given(steps=STEPS)
def test_merging_each_into_the_other_gives_equal_rows(steps: list[tuple[str, int, int]]) -> None:
    """Commutative: A into B and B into A, without a third to settle it."""
    with copies(2) as (one, two):
        written = play([one, two], steps)
        one.merge(two)
        two.merge(one)
        assert one.events() == two.events() == written


@given(
    shared=st.lists(st.integers(1, 3), min_size=1, max_size=3),
    alone=st.tuples(st.lists(st.integers(1, 2), max_size=2), st.lists(st.integers(1, 2), max_size=2)),
    squeezed=st.tuples(st.integers(0, 5), st.integers(0, 5)),
    order=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=4),
)
def test_under_forks_no_agreed_event_is_lost_and_nothing_is_overwritten(
    shared: list[int],
    alone: tuple[list[int], list[int]],
    squeezed: tuple[int, int],
    order: list[tuple[int, int]],
) -> None:
    """A cloned machine: both go on as one device. A bystander merges with either, in any order."""
    with copies(2) as (first, third):
        agreed = [*first.append(*shared), *third.append(1)]
        clone = first.clone(first.root.parent / "clone")
        own = [(first, first.append(*alone[0])), (clone, clone.append(*alone[1], text="clone "))]
        squeeze(first, squeezed[0])
        squeeze(clone, squeezed[1])
        every = [first, clone, third]
        for one, two in order:
            kept = every[one].bytes()
            before = every[one].events()
            if one != two:
                with suppress(ForkedDeviceError):
                    every[one].merge(every[two])
            after = every[one].bytes()
            assert kept.items() <= after.items()
            assert set(before) <= set(every[one].events())
        for copy in every:
            for other in every:
                if other is not copy:
                    with suppress(ForkedDeviceError):
                        copy.merge(other)
        for copy, theirs in own:
            assert set(theirs) <= set(copy.events())
        for copy in every:
            assert set(agreed) <= set(copy.events())
            assert copy.verify().ok
        for copy in every:  # each is one device again, and what it says is merged
            copy.append(1)
