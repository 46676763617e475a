"""A query that takes only events of some kinds answers the same whatever events of other kinds there are."""

from __future__ import annotations

import pytest
import sqlglot
from folds import histories
from hypothesis import given, settings
from hypothesis import strategies as st

from vfdir_lab.event import Event
from vfdir_lab.log.segment import table_of
from vfdir_lab.projection import default_lens
from vfdir_lab.projection.definition import LEAF, define
from vfdir_lab.projection.kinds import kinds_of
from vfdir_lab.projection.refresh import refresh_rule
from vfdir_lab.projection.scratch import scratch

SEEN = {
    "SELECT seq FROM events WHERE kind = 'a'": {"a"},
    "SELECT seq FROM events WHERE seq > 1 AND (kind IN ('a', 'b'))": {"a", "b"},
    "SELECT seq FROM events WHERE kind IN ('a', 'b') AND kind = 'b'": {"b"},
    "SELECT e.seq FROM events AS e WHERE e.kind = 'a'": {"a"},
    "SELECT x.seq FROM events JOIN blocks AS x USING (object_id) WHERE events.kind = 'a'": {"a"},
    "SELECT x.seq FROM blocks AS x LEFT JOIN events AS e ON x.a = e.seq WHERE e.kind = 'a'": {"a"},
    "SELECT x.seq FROM blocks AS x, events AS e WHERE e.kind = 'a'": {"a"},
    "WITH t AS (SELECT * FROM events WHERE kind = 'a') SELECT * FROM t WHERE kind = 'b'": {"a"},
    "SELECT seq FROM events WHERE kind = 'a' UNION ALL SELECT seq FROM events WHERE kind = 'b'": {"a", "b"},
    "SELECT seq FROM blocks WHERE seq IN (SELECT seq FROM events WHERE kind = 'a')": {"a"},
    "SELECT seq FROM events WHERE kind = 'a' OR (kind = 'b' AND seq > 1)": {"a", "b"},
    "SELECT seq FROM events WHERE (kind = 'a' OR seq = 1) AND kind IN ('a', 'b')": {"a", "b"},
    "SELECT title FROM blocks JOIN users USING (id)": set(),
}


@pytest.mark.parametrize("query", SEEN)
def test_the_kinds_that_every_reading_names(query: str) -> None:
    assert kinds_of(sqlglot.parse_one(query, dialect="duckdb")) == SEEN[query]


NOT_SEEN = [
    "SELECT seq FROM events",
    "SELECT seq FROM events WHERE kind LIKE 'a%'",
    "SELECT seq FROM events WHERE kind <> 'a'",
    "SELECT seq FROM events WHERE kind NOT IN ('a')",
    "SELECT seq FROM events WHERE NOT kind = 'a'",
    "SELECT seq FROM events WHERE kind = 'a' OR seq = 1",
    "SELECT seq FROM events WHERE kind = cause",
    "SELECT seq FROM events WHERE kind IN (SELECT kind FROM blocks)",
    "SELECT seq FROM events WHERE kind IN ('a', cause)",
    "SELECT count(*) FILTER (WHERE kind = 'a') FROM events",
    "SELECT seq FROM events QUALIFY kind = 'a'",
    "SELECT x.seq FROM blocks AS x JOIN events AS e ON e.kind = 'a'",
    "SELECT x.seq FROM blocks AS x LEFT JOIN events AS e ON e.kind = 'a' AND e.seq = x.seq",
    "SELECT x.seq FROM blocks AS x JOIN events AS e USING (seq) WHERE kind = 'a'",
    "SELECT x.seq FROM blocks AS x JOIN events AS e USING (seq) WHERE x.kind = 'a'",
    "SELECT x.seq FROM blocks AS x ASOF JOIN events AS e USING (seq) WHERE e.kind = 'a'",
    "SELECT x.seq FROM blocks AS x ANTI JOIN events AS e USING (seq) WHERE x.kind = 'a'",
    "SELECT seq FROM events USING SAMPLE 3 WHERE kind = 'a'",
    "SELECT seq FROM events TABLESAMPLE 3 WHERE kind = 'a'",
    "SELECT seq FROM events WHERE kind = 'a' AND seq = (SELECT max(seq) FROM events)",
    "SELECT seq FROM (SELECT * FROM events) WHERE kind = 'a'",
    "FROM query_table('events')",
    "SELECT count(*) FROM duckdb_tables() WHERE kind = 'a'",
    "SELECT * FROM information_schema.tables",
    "FROM (DESCRIBE events)",
]


@pytest.mark.parametrize("query", NOT_SEEN)
def test_where_a_reading_may_take_any_kind(query: str) -> None:
    assert kinds_of(sqlglot.parse_one(query, dialect="duckdb")) is None


TAKING = [one.name for one in default_lens().definitions if one.reads == {LEAF} and refresh_rule(one).takes]
"""Over events alone: what others read may take other kinds."""


@settings(max_examples=settings().max_examples // 2)
@given(events=histories().filter(bool), name=st.sampled_from(TAKING))
def test_events_of_other_kinds_change_nothing(events: list[Event], name: str) -> None:
    """Of the shipped projections: without the events that one does not take, it is the same."""
    definition = default_lens()[name]
    takes = refresh_rule(definition).takes
    assert takes
    few = [event for event in events if event.kind in takes]
    with scratch([definition], table_of(events)) as all_, scratch([definition], table_of(few)) as taken:
        query = f"FROM {name} ORDER BY ALL"
        assert all_.sql(query).to_arrow_table().equals(taken.sql(query).to_arrow_table())


def test_what_a_rule_says_names_the_kinds() -> None:
    text = "-- projection: mine\n-- version: 1\n-- title: T\n-- key: kind\n"
    rule = refresh_rule(
        define(f"{text}SELECT kind FROM events WHERE kind = 'a' GROUP BY kind", where="mine", source="own")
    )
    assert str(rule).endswith("; only where one of a is new")
