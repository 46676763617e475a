"""Law 3: whatever is appended and compacted when, the events and the answers at every head are the same."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vfdir_lab.event import Event
from vfdir_lab.log import Head, compact
from vfdir_lab.log.segment import digest_of

pytestmark = pytest.mark.usefixtures("in_memory")

Place = Any
NewPlace = Callable[[], AbstractContextManager[Place]]

APPENDS = st.tuples(st.just("append"), st.integers(1, 5))
COMPACTIONS = st.tuples(st.sampled_from(["compact", "compact now", "an hour later"]), st.just(0))
OTHERS = st.tuples(st.just("elsewhere"), st.integers(1, 3))
STEPS = st.lists(APPENDS | COMPACTIONS | OTHERS, min_size=1, max_size=10)


def run(place: Place, steps: list[tuple[str, int]]) -> list[Event]:
    """Do the steps; returns what the appends said they recorded, in the order of devices and seqs."""
    log, elsewhere = place.log(), place.stranger("elsewhere")
    said: list[Event] = []
    for what, count in steps:
        place.wall.step(0.001)
        if what == "append":
            said += log.append(place.drafts(count))
        elif what == "elsewhere":
            said += elsewhere.append(place.drafts(count))
        elif what == "an hour later":
            place.wall.step(3600)
            compact(log)
        else:
            compact(log, now=what == "compact now")
    return sorted(said, key=lambda event: (event.device, event.seq))


def rows_at(place: Place, head: Head) -> list[Event]:
    """What is in the log up to `head`, from the segments that count."""
    return [event for event in place.events() if event.seq <= head.seq(event.device)]


@given(steps=STEPS)
def test_any_sequence_of_appends_and_compactions_keeps_every_event(
    new_place: NewPlace, steps: list[tuple[str, int]]
) -> None:
    with new_place() as place:
        said = run(place, steps)
        assert place.events() == said
        report = place.verify()
        assert report.ok, str(report)


@given(steps=STEPS, data=st.data())
def test_the_answer_at_every_head_is_that_of_the_log_that_was_never_compacted(
    new_place: NewPlace, steps: list[tuple[str, int]], data: st.DataObject
) -> None:
    with new_place() as place:
        said = run(place, steps)
        coverage = place.log().coverage()
        head = Head({device: data.draw(st.integers(0, seq)) for device, seq in coverage.head.items()})
        below = [event for event in said if event.seq <= head.seq(event.device)]
        assert rows_at(place, head) == below
        assert list(place.log().events_after(head)) == [event for event in said if event not in below]
        paths = [str(place.root / segment.path) for segment in coverage.upto(head)]
        if paths:
            within = " or ".join(f"(device = '{device}' and seq <= {seq})" for device, seq in head.items())
            found = duckdb.sql(
                f"select count(*), sum(seq) from read_parquet({paths}) where {within or 'false'}"
            )
            assert found.fetchall() == [(len(below), sum(event.seq for event in below) if below else None)]


@given(steps=STEPS)
def test_two_layouts_of_the_same_appends_have_the_same_rows_chain_and_digests(
    new_place: NewPlace, steps: list[tuple[str, int]]
) -> None:
    with new_place() as compacted, new_place() as plain:
        said = run(compacted, steps)
        run(plain, [(what, count) for what, count in steps if what in {"append", "elsewhere"}])
        for device in compacted.log().coverage().head:
            pieces = [p for s in compacted.log().coverage().of(device) for p in s.footer.pieces]
            assert [piece.first for piece in pieces] == [1, *(piece.last + 1 for piece in pieces[:-1])]
            theirs = [p for s in plain.log().coverage().of(device) for p in s.footer.pieces]
            assert [(p.first, p.last) for p in pieces] == [(p.first, p.last) for p in theirs]
        assert compacted.events() == said


@given(steps=STEPS)
def test_each_part_has_the_digest_that_its_append_gave(
    new_place: NewPlace, steps: list[tuple[str, int]]
) -> None:
    with new_place() as place:
        run(place, steps)
        for segment in place.log().coverage().segments:
            table = pq.read_table(place.root / segment.path, partitioning=None)
            for part in segment.footer.pieces:
                rows = table.slice(part.first - segment.footer.first, part.rows)
                assert digest_of(rows) == part.digest
