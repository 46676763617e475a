"""Why, what differs and what was: of rows that hang on wishes and their answers."""

from __future__ import annotations

import pytest
from standpoints import OverTable, stand
from stories import Story, intent_id

from vfdir_lab.projection.lens import DEFAULT_VERSIONS, Lens, choice
from vfdir_lab.projection.provenance.difference import difference
from vfdir_lab.projection.provenance.history import history
from vfdir_lab.projection.provenance.why import why

TX = "tx:t1"


@pytest.fixture(scope="module")
def engine() -> OverTable:
    story = Story().channel(3)
    local = f"block:~aaaa.{story.next()}"
    made = {"channel": "channel:1", "item": local, "place": "top", "rank": "a9", "leader": "aaaa"}
    drafted = ("block.drafted", local, {"type": "Text", "content": "x", "title": "Mine"})
    placed = ("connection.made", f"connection:~aaaa.{story.next() + 1}", made)
    edited = ("block.edited", "block:1", {"title": "Neap tide", "base": {"title": "Tide 1"}})
    story.wish(TX, (1, [drafted, placed]), (2, [edited]))
    story.answer(TX, 1, "sent").bind(local, "block:70").answer(TX, 1, "accepted", status=201)
    story.see("block:1", device="bbbb", title="Theirs").answer(TX, 2, "unknown", reason="no answer came")
    return OverTable(story.events)


@pytest.mark.parametrize(
    ("about", "field", "value", "kind"),
    [
        ("block:1", "title", "Neap tide", "block.edited"),
        ("block:70", "title", "Mine", "object.bound"),
        ("connection:~aaaa.11", "item", "block:70", "object.bound"),
        ("channel:1", "length", "4", "tx.committed"),
        (TX, "state", "unknown", "tx.unknown"),
    ],
)
def test_a_cell_that_hangs_on_wishes_has_the_event_that_made_it_so(
    engine: OverTable, about: str, field: str, value: str, kind: str
) -> None:
    found = why(engine, about, field, stand(engine))
    assert found.winner is not None
    assert (found.value, found.winner["kind"]) == (value, kind)
    assert field in str(found)


@pytest.mark.parametrize(
    ("name", "key", "field", "kind"),
    [
        ("wishes", intent_id(2), "last_error", "tx.unknown"),
        ("conflicts", '["block:1","title"]', "theirs", "block.observed"),
    ],
)
def test_rows_of_any_projection_are_explained(
    engine: OverTable, name: str, key: str, field: str, kind: str
) -> None:
    found = why(engine, key, field, stand(engine), projection=name)
    assert found.winner is not None
    assert found.winner["kind"] == kind


def test_the_prediction_differs_from_the_mirror_by_the_wishes(engine: OverTable) -> None:
    mirror = Lens(name="mirror", definitions=tuple(choice({**DEFAULT_VERSIONS, "blocks": 2})))
    found = difference(engine, "blocks", stand(engine), stand(engine, mirror))
    assert "block:70" in str(found)
    assert {(cell.object_id, cell.field) for cell in found.cells()} >= {("block:1", "title")}


def test_events_of_wishes_are_told_in_a_line(engine: OverTable) -> None:
    for about in (TX, "block:1", "block:~aaaa.10"):
        lines = list(history(engine, about))
        assert lines
        assert all(line.startswith("2026-11-03 12:00:00") and "\n" not in line for line in lines)
