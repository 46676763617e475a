"""Laws of a difference, for every history and every pair of standpoints that Hypothesis can think of."""

from __future__ import annotations

import json
from typing import Any

from folds import histories
from hypothesis import given, settings
from hypothesis import strategies as st
from standpoints import OverTable, lens_with, own, stand

from vfdir_lab.event import Event
from vfdir_lab.log import Head
from vfdir_lab.projection import default_lens
from vfdir_lab.projection.engine import Standpoint
from vfdir_lab.projection.provenance import Difference, difference

BLOCKS = """
SELECT object_id, latest('title') ->> '$' AS title, latest('metadata') AS metadata, 1 AS more,
    count(*) AS remote_id
FROM events WHERE object_id LIKE 'block:%' OR kind LIKE 'connection.%' GROUP BY object_id
"""
CONNECTIONS = """
SELECT object_id, channel, item, row_number() OVER (PARTITION BY channel ORDER BY object_id) AS position
FROM (SELECT object_id, latest('channel') ->> '$' AS channel, latest('item') ->> '$' AS item
      FROM events WHERE kind LIKE 'connection.%' GROUP BY object_id)
"""
LENSES = (
    default_lens(),
    lens_with(own("blocks", 9, BLOCKS)),
    lens_with(own("connections", 9, CONNECTIONS, by="channel")),
)
TABLES = ("blocks", "connections", "channels")
LENS, TABLE = st.sampled_from(range(len(LENSES))), st.sampled_from(TABLES)
Rows = dict[str, dict[str, Any]]
FEWER = settings(max_examples=settings().max_examples // 4)
"""For laws that follow from the first where it holds."""


@st.composite
def standpoints(draw: st.DrawFn) -> tuple[OverTable, Standpoint, Standpoint]:
    """An engine, and two standpoints of it: any head, any lens."""
    engine = OverTable(draw(histories()))
    head = st.fixed_dictionaries({one: st.integers(0, seq) for one, seq in engine.head.items()}).map(Head)
    heads = [draw(st.one_of(st.just(engine.head), head)) for _ in range(2)]
    left, right = (stand(engine, LENSES[draw(LENS)], one) for one in heads)
    return engine, left, right


def rows(engine: OverTable, table: str, where: Standpoint) -> Rows:
    """A table as Python has it; metadata as what it says."""
    found = engine.arrow(f"FROM {table}", head=where.head, lens=where.lens).to_pylist()
    filled = {column for column, _ in where.lens[table].fills}
    kept = [{name: value for name, value in row.items() if name not in filled} for row in found]
    return {row["object_id"]: row | said(row) for row in kept}


def said(row: dict[str, Any]) -> dict[str, Any]:
    """What metadata says, with true and 1 told apart, as JSON does."""
    text = row.get("metadata")
    return {} if text is None else {"metadata": json.dumps(json.loads(text), sort_keys=True)}


def expected(here: Rows, there: Rows) -> list[tuple[str, str, str | None]]:
    cells: list[tuple[str, str, str | None]] = [
        (key, "only here", None) for key in here.keys() - there.keys()
    ]
    cells += [(key, "only there", None) for key in there.keys() - here.keys()]
    for key in here.keys() & there.keys():
        common = here[key].keys() & there[key].keys()
        cells += [(key, "changed", name) for name in common if here[key][name] != there[key][name]]
    return sorted(cells, key=str)


def cells(found: Difference) -> list[tuple[Any, ...]]:
    return found.relation(events=False).fetchall()


@given(points=standpoints(), table=TABLE)
def test_a_difference_is_what_a_comparison_of_dictionaries_says(
    points: tuple[OverTable, Standpoint, Standpoint], table: str
) -> None:
    engine, left, right = points
    found = difference(engine, table, left, right)
    here, there = rows(engine, table, left), rows(engine, table, right)
    differing = expected(here, there)
    assert sorted((cell[:3] for cell in cells(found)), key=str) == differing
    assert len(found) == len({key for key, *_ in differing})
    assert found.same == len(here.keys() & there.keys()) - found.changed
    assert sum(found.columns.values()) == sum(what == "changed" for _, what, _ in differing)
    for key, what, name, a, b in cells(found):
        if what == "changed" and name in {"title", "channel", "item", "position"}:
            texts = [None if row[key][name] is None else str(row[key][name]) for row in (here, there)]
            assert [a, b] == texts


@FEWER
@given(points=standpoints(), table=TABLE)
def test_swapping_the_sides_swaps_the_answers(
    points: tuple[OverTable, Standpoint, Standpoint], table: str
) -> None:
    engine, left, right = points
    one, other = difference(engine, table, left, right), difference(engine, table, right, left)
    swap = {"only here": "only there", "only there": "only here", "changed": "changed"}
    swapped = [(key, swap[what], name, b, a) for key, what, name, a, b in cells(one)]
    assert sorted(cells(other), key=str) == sorted(swapped, key=str)  # columns are in the left one's order
    assert (one.same, one.changed, one.columns) == (other.same, other.changed, other.columns)
    assert (one.left_columns, one.right_columns) == (other.right_columns, other.left_columns)


@FEWER
@given(points=standpoints(), table=TABLE)
def test_a_standpoint_does_not_differ_from_itself(
    points: tuple[OverTable, Standpoint, Standpoint], table: str
) -> None:
    engine, here, _ = points
    found = difference(engine, table, here, here)
    assert not found
    assert cells(found) == []


@FEWER
@given(events=histories(), cut=st.integers(0, 30))
def test_an_event_that_explains_a_change_is_among_those_of_its_side(events: list[Event], cut: int) -> None:
    """And between two heads of one rule a changed cell has two different events behind it."""
    engine = OverTable(events)
    early = Head({device: min(seq, cut // 3) for device, seq in engine.head.items()})
    found = difference(engine, "blocks", stand(engine, head=early), stand(engine))
    known = {event.event_id for event in engine.upto(early)}
    for cell in found.cells():
        assert cell.left_event is None or cell.left_event in known
        if cell.what != "only here":
            assert cell.right_event is not None
            assert cell.left_event != cell.right_event
