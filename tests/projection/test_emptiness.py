"""A query is empty where what all its rows are made of is, whatever events there are."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest
import sqlglot

from vfdir_lab.projection import default_lens
from vfdir_lab.projection.emptiness import base_of
from vfdir_lab.projection.refresh import refresh_rule

BASED = {
    "WITH a AS (SELECT * FROM wishes) SELECT * FROM a JOIN events USING (seq)": "a",
    "WITH a AS (SELECT * FROM wishes), b AS (SELECT a.seq FROM a LEFT JOIN events USING (seq)) "
    "SELECT seq, count(*) FROM b GROUP BY seq ORDER BY seq LIMIT 3": "a",
    "WITH a AS (SELECT count(*) AS seq FROM wishes) SELECT * FROM a, events": "a",
    "WITH a AS (SELECT * FROM wishes), b AS (SELECT seq FROM a WHERE seq IN (SELECT seq FROM events)) "
    "SELECT DISTINCT seq FROM b QUALIFY row_number() OVER (ORDER BY seq) = 1": "a",
    "WITH a AS (SELECT * FROM wishes), b AS (FROM a) SELECT b.seq FROM b ANTI JOIN events USING (seq)": "b",
}


@pytest.fixture(name="empty")
def empty_log() -> Iterator[duckdb.DuckDBPyConnection]:
    """Events there are, and not a single wish."""
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE events AS SELECT 1 AS seq, 'a' AS kind")
        connection.execute("CREATE TABLE wishes AS FROM events LIMIT 0")
        yield connection


@pytest.mark.parametrize("query", BASED)
def test_what_all_rows_are_made_of(query: str, empty: duckdb.DuckDBPyConnection) -> None:
    base = base_of(sqlglot.parse_one(query, dialect="duckdb"))
    assert base is not None
    assert base.endswith(f'SELECT 1 FROM "{BASED[query]}"')
    if not empty.execute(base).fetchall():
        assert empty.execute(query).fetchall() == []


UNBASED = {
    "no named part": "SELECT * FROM wishes JOIN events USING (seq)",
    "events": "WITH a AS (SELECT * FROM events) SELECT * FROM a",
    "events further down": "WITH e AS (FROM events), a AS (SELECT * FROM wishes JOIN e USING (seq)) "
    "SELECT * FROM a",
    "an aggregate": "WITH a AS (SELECT * FROM wishes), b AS (SELECT max(seq) AS seq FROM a, events) "
    "SELECT * FROM b",
    "an aggregate in ORDER BY": "WITH a AS (SELECT seq FROM wishes), "
    "b AS (SELECT 1 AS seq FROM a, events ORDER BY count(*)) SELECT * FROM b",
    "a right join": "WITH a AS (SELECT * FROM wishes) SELECT * FROM a RIGHT JOIN events USING (seq)",
    "a full join": "WITH a AS (SELECT * FROM wishes) SELECT * FROM a FULL JOIN events USING (seq)",
    "a positional join": "WITH a AS (SELECT * FROM wishes) SELECT * FROM a POSITIONAL JOIN events",
    "grouping sets": "WITH a AS (SELECT * FROM wishes), "
    "b AS (SELECT count(*) AS n FROM a, events GROUP BY GROUPING SETS (())) SELECT * FROM b",
    "a union": "WITH a AS (SELECT seq FROM wishes) SELECT * FROM a UNION ALL SELECT seq FROM events",
    "a name of before": "WITH b AS (SELECT events.* FROM events), a AS (FROM b) SELECT * FROM a",
    "a function": "WITH a AS (SELECT * FROM query_table('events')) SELECT * FROM a",
    "recursion": "WITH RECURSIVE a AS (SELECT 1 AS seq UNION SELECT seq FROM a) SELECT * FROM a",
}


@pytest.mark.parametrize("case", UNBASED)
def test_where_rows_may_come_from_elsewhere(case: str) -> None:
    assert base_of(sqlglot.parse_one(UNBASED[case], dialect="duckdb")) is None


def test_a_part_does_not_see_what_comes_after_it() -> None:
    """There `blocks` is the projection, which is not what the part of that name is."""
    query = "WITH a AS (SELECT * FROM blocks, events), blocks AS (SELECT * FROM wishes) SELECT * FROM a"
    assert base_of(sqlglot.parse_one(query, dialect="duckdb")) is None


def test_while_no_wish_is_open_there_are_no_open_wishes() -> None:
    """The one it was made for: without, each refresh would look through the log for their marks."""
    base = refresh_rule(default_lens()["open_wishes"]).base
    assert base is not None
    assert base.endswith('SELECT 1 FROM "open"')
