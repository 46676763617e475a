"""Causes against brute force: the event behind a cell is where the naive fold last saw it change."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from folds import Fold, histories
from hypothesis import given, settings
from hypothesis import strategies as st
from standpoints import OverTable, lens_with, own, stand

from vfdir_lab.errors import QueryError
from vfdir_lab.event import Event
from vfdir_lab.log import Head
from vfdir_lab.projection.engine import Standpoint
from vfdir_lab.projection.provenance.causes import Causes, causes, causes_apart, is_object_wise
from vfdir_lab.projection.provenance.walk import Asked, Place

MakeEvent = Callable[..., Event]
KEYS = {"scans": "scan"}
TABLES = ("blocks", "channels", "connections", "users", "comments", "scans")
GONE = object()


def asked(engine: OverTable, table: str, where: Standpoint) -> list[Asked]:
    """Every cell of a table, as a question."""
    relation = engine.relation(
        f"SELECT CAST(COLUMNS(*) AS VARCHAR) FROM {table}", head=where.head, lens=where.lens
    )
    key = KEYS.get(table, "object_id")
    rows = relation.to_arrow_table().to_pylist()
    return [
        Asked(key=row[key], owner=row[key], cells={k: v for k, v in row.items() if k != key}) for row in rows
    ]


def ids(found: Causes) -> dict[Place, str]:
    return {place: event["event_id"] for place, event in found.items()}


def states(table: str, events: Sequence[Event], held: Sequence[Event] = ()) -> list[dict[str, Any]]:
    """The rows by key after the first 0, 1, 2, … events, as the fold has them."""
    key = KEYS.get(table, "object_id")
    prefixes = ([*held, *events[:count]] for count in range(len(events) + 1))
    return [{row[key]: row for row in getattr(Fold(prefix), table)()} for prefix in prefixes]


def cell(state: dict[str, Any], place: Place) -> Any:
    key, name = place
    if key not in state:
        return GONE
    return True if name is None else state[key][name]


def by_force(events: Sequence[Event], walked: list[dict[str, Any]], place: Place) -> str | None:
    """The last event at whose arrival the cell changed."""
    final = cell(walked[-1], place)
    for count in reversed(range(len(events))):
        if cell(walked[count], place) != final:
            return events[count].event_id
    return None


@given(events=histories(), table=st.sampled_from(TABLES))
def test_the_cause_is_the_last_event_that_changed_the_cell(events: list[Event], table: str) -> None:
    """Also of what is not there any more: what made it vanish."""
    engine = OverTable(events)
    where = stand(engine)
    walked = states(table, engine.events)
    gone = sorted({key for state in walked for key in state} - walked[-1].keys())
    rows = asked(engine, table, where) + [Asked(key=key, owner=key, present=False) for key in gone]
    expected = {place: by_force(engine.events, walked, place) for row in rows for place in row.finals}
    assert ids(causes(engine, table, where, rows)) == expected


@settings(max_examples=settings().max_examples // 4)  # each walks from another point, and takes long
@given(events=histories(), table=st.sampled_from(("blocks", "connections", "channels")), data=st.data())
def test_apart_is_the_last_of_the_exclusive_events_that_changed_the_cell(
    events: list[Event], table: str, data: st.DataObject
) -> None:
    """Everything that the other side has too is held."""
    engine = OverTable(events)
    head = data.draw(heads(engine))
    held = engine.upto(head)
    exclusive = [event for event in engine.events if event not in held]
    rows = asked(engine, table, stand(engine))
    walked = states(table, exclusive, held)
    expected = {place: by_force(exclusive, walked, place) for row in rows for place in row.finals}
    found = ids(causes_apart(engine, table, stand(engine), stand(engine, head=head), rows))
    assert found == {place: one for place, one in expected.items() if one is not None}


def heads(engine: OverTable) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries({one: st.integers(0, seq) for one, seq in engine.head.items()}).map(Head)


# ---------------------------------------------------------------------------------- bounds and odd rules


def titles(event: MakeEvent, words: Sequence[str], about: str = "block:1") -> list[Event]:
    return [event("aaaa", n, "block.observed", about, title=word) for n, word in enumerate(words, 1)]


def others(event: MakeEvent, until: int) -> list[Event]:
    """Later events about another block."""
    return [event("bbbb", n, "block.observed", "block:2", at=1000 + n, title=f"{n}") for n in range(1, until)]


SHARED = own("titles", 1, "SELECT object_id, title FROM blocks", by=None)
"""Over another projection, and with no promise which partition changes: walked in time."""


def title_of(engine: OverTable, definition: Any = SHARED, owner: str = "block:1") -> dict[Place, str]:
    where = stand(engine, lens_with(definition))
    query = f"SELECT title FROM {definition.name} WHERE object_id = 'block:1'"
    text = engine.relation(query, lens=where.lens).fetchall()[0][0]
    return ids(
        causes(engine, definition.name, where, [Asked(key="block:1", owner=owner, cells={"title": text})])
    )


@pytest.mark.parametrize("length", [1, 63, 64, 65, 300])
def test_a_change_of_long_ago_is_found(event: MakeEvent, length: int) -> None:
    """One by one among the newest, by bisection before: one value came, then many that changed nothing."""
    other = others(event, length)
    engine = OverTable([*titles(event, ["a", "b", "c"]), *other])
    place = ("block:1", "title")
    assert title_of(engine) == {place: "aaaa:3"}
    assert title_of(engine, owner="nobody") == {place: "aaaa:3"}


def test_a_search_gives_up_and_leaves_the_cell_out(event: MakeEvent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vfdir_lab.projection.provenance.walk.EVALUATIONS", 66)
    other = others(event, 300)
    engine = OverTable([*titles(event, ["a", "b", "c"]), *other])
    assert title_of(engine, owner="nobody") == {}


def test_a_header_that_promises_too_much_is_found_out(event: MakeEvent) -> None:
    """It says that rows depend on their own object alone; they take the least title of any."""
    select = "SELECT 'block:1' AS object_id, min(payload ->> '$.title') AS title FROM events"
    liar = own("titles", 2, select, by="object_id")
    engine = OverTable([*titles(event, ["a"]), *others(event, 2)])
    assert not is_object_wise(lens_with(liar), "titles")
    assert title_of(engine, liar) == {("block:1", "title"): "bbbb:1"}


def test_a_value_without_any_event_has_no_cause(event: MakeEvent) -> None:
    constant = own("titles", 3, "SELECT 'block:1' AS object_id, 'always' AS title", by=None)
    assert title_of(OverTable(titles(event, ["a", "b"])), constant) == {}


def test_a_large_log_is_walked_around_the_row(event: MakeEvent, monkeypatch: pytest.MonkeyPatch) -> None:
    """The channel, its scans, its other connections and their items are near; the rest is not asked for."""
    monkeypatch.setattr("vfdir_lab.projection.provenance.causes.WHOLE", 3)
    place = {"channel": "channel:1"}
    events = [
        event("aaaa", 1, "scan.started", "scan:1", **place),
        event("aaaa", 2, "connection.observed", "connection:1", item="block:1", rank="a1", **place),
        event("aaaa", 3, "connection.observed", "connection:2", item="block:2", rank="a0", **place),
        event("aaaa", 4, "connection.observed", "connection:3", item="block:3", rank="Zz", **place),
        event("aaaa", 5, "block.observed", "block:3", title="c"),
        event("aaaa", 6, "block.vanished", "block:3"),
        event("aaaa", 7, "block.observed", "block:99", title="far away"),
    ]
    engine = OverTable(events)
    where = stand(engine)
    rows = [row for row in asked(engine, "connections", where) if row.key == "connection:1"]
    found = ids(causes(engine, "connections", where, rows))
    assert found["connection:1", "item"] == "aaaa:2"
    assert found["connection:1", "position"] == "aaaa:6"
    assert rows[0].cells["position"] == "2"


def test_a_definition_that_does_not_run_is_a_typed_error(event: MakeEvent) -> None:
    broken = own("titles", 4, "SELECT object_id, CAST(payload AS BIGINT) AS title FROM events")
    engine = OverTable(titles(event, ["a"]))
    with pytest.raises(QueryError, match="Conversion"):
        causes(
            engine,
            "titles",
            stand(engine, lens_with(broken)),
            [Asked(key="a", owner="block:1", cells={"title": "a"})],
        )


@pytest.mark.parametrize(
    ("select", "is_own"),
    [
        ("SELECT * REPLACE (upper(title) AS title) FROM blocks_v2", True),
        ("SELECT object_id, latest('title') ->> '$' AS title FROM events GROUP BY object_id", True),
        (
            "SELECT * REPLACE (count(*) OVER (PARTITION BY title) AS title) FROM blocks_v2",
            False,
        ),
        ("SELECT * REPLACE ((SELECT max(title) FROM blocks_v2) AS title) FROM blocks_v2", False),
        ("SELECT * REPLACE ('block:1' AS object_id) FROM blocks_v2", False),
        ("SELECT item AS object_id, max(position) AS title FROM connections GROUP BY item", False),
    ],
)
def test_what_a_header_of_ones_own_says_has_to_be_proven(select: str, is_own: bool) -> None:
    assert is_object_wise(lens_with(own("blocks", 9, select)), "blocks") == is_own


def test_a_cause_in_another_object_is_found_where_the_header_denies_it(event: MakeEvent) -> None:
    """Two blocks of one title are twins; the second one's new title frees the first."""
    twins = "CASE WHEN count(*) OVER (PARTITION BY title) > 1 THEN title || ' (twin)' ELSE title END"
    definition = own("blocks", 9, f"SELECT * REPLACE ({twins} AS title) FROM blocks_v2")
    events = [
        event("aaaa", 1, "block.observed", "block:1", title="Tide"),
        event("aaaa", 2, "block.observed", "block:2", title="Tide"),
        event("aaaa", 3, "block.observed", "block:2", title="Moon"),
        event("aaaa", 4, "block.observed", "block:3", title="Sea"),
    ]
    engine, lens = OverTable(events), lens_with(definition)
    for seq, cause in ((2, "aaaa:2"), (4, "aaaa:3")):
        where = stand(engine, lens, Head({"aaaa": seq}))
        rows = [row for row in asked(engine, "blocks", where) if row.key == "block:1"]
        assert ids(causes(engine, "blocks", where, rows))["block:1", "title"] == cause
