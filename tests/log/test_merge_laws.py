"""Law 1: merge is set union on (device, seq). Any order, split, repetition, layout: the same events."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from copies import Copy, Sky, held
from hypothesis import given, settings
from hypothesis import strategies as st

from vfdir_lab.errors import ForkedDeviceError
from vfdir_lab.event import Event


@pytest.fixture(autouse=True)
def no_flush(monkeypatch: pytest.MonkeyPatch) -> None:
    """These are laws about content; that it survives a power cut is not asked here."""
    monkeypatch.setattr(os, "fsync", lambda _descriptor: None)


@contextmanager
def copies(number: int) -> Iterator[list[Copy]]:
    with TemporaryDirectory() as folder:
        sky = Sky()
        yield [Copy(Path(folder) / f"copy{one}", sky) for one in range(number)]


WHICH = st.integers(0, 3)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("append"), WHICH, st.integers(1, 3)),
        st.tuples(st.just("append"), WHICH, st.integers(1, 3)),
        st.tuples(st.just("merge"), WHICH, WHICH),
        st.tuples(st.just("squeeze"), WHICH, st.integers(0, 5)),
    ),
    min_size=3,
    max_size=10,
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


@given(number=st.integers(2, 4), steps=STEPS, order=st.permutations(range(4)))
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


@settings(max_examples=25)
@given(steps=STEPS)
def test_merging_each_into_the_other_gives_equal_rows(steps: list[tuple[str, int, int]]) -> None:
    """Commutative: A into B and B into A, without a third to settle it."""
    with copies(2) as (one, two):
        written = play([one, two], steps)
        one.merge(two)
        two.merge(one)
        assert one.events() == two.events() == written


@settings(max_examples=30)
@given(
    shared=st.lists(st.integers(1, 3), min_size=1, max_size=3),
    alone=st.tuples(st.lists(st.integers(1, 3), max_size=2), st.lists(st.integers(1, 3), max_size=2)),
    squeezed=st.tuples(st.integers(0, 5), st.integers(0, 5)),
    order=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=5),
)
def test_under_forks_no_agreed_event_is_lost_and_nothing_is_overwritten(
    shared: list[int],
    alone: tuple[list[int], list[int]],
    squeezed: tuple[int, int],
    order: list[tuple[int, int]],
) -> None:
    """A cloned machine: both go on as one device. Two bystanders merge with either, in any order."""
    with copies(3) as (first, third, fourth):
        agreed = [*first.append(*shared), *third.append(1)]
        clone = first.clone(first.root.parent / "clone")
        own = [(first, first.append(*alone[0])), (clone, clone.append(*alone[1], text="clone "))]
        squeeze(first, squeezed[0])
        squeeze(clone, squeezed[1])
        every = [first, clone, third, fourth]
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
        for copy in (first, clone, third, fourth):  # each is one device again, and what it says is merged
            copy.append(1)
