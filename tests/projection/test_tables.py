"""What a statement reads, and what reads what: asked by the catalogue, the rules and the notebook alike."""

from __future__ import annotations

import pytest
import sqlglot

from vfdir_lab.projection import default_lens
from vfdir_lab.projection.catalogue import needed
from vfdir_lab.projection.definition import tables_of
from vfdir_lab.projection.lint import lint

HEADER = "-- projection: mine\n-- version: 1\n-- title: T\n-- key: kind\n"


@pytest.mark.parametrize(
    ("query", "tables"),
    [
        ("SELECT * FROM a JOIN b USING (x)", {"a", "b"}),
        ("WITH a AS (SELECT 1 AS x) SELECT * FROM a", set()),
        ("WITH a AS (SELECT * FROM b) SELECT * FROM a WHERE x IN (SELECT y FROM c)", {"b", "c"}),
        ("PIVOT a ON kind USING count(*)", {"a"}),
        ("SELECT * FROM (PIVOT a ON kind USING count(*))", {"a"}),
        ("WITH b AS (SELECT * FROM c) SELECT * FROM (PIVOT b ON kind USING count(*))", {"c"}),
    ],
)
def test_the_tables_of_a_statement_are_found_wherever_they_stand(query: str, tables: set[str]) -> None:
    assert {one.name for one in tables_of(sqlglot.parse_one(query, dialect="duckdb"))} == tables


def test_a_table_that_there_is_not_is_found_behind_a_pivot() -> None:
    text = f"{HEADER}SELECT * FROM nowhere PIVOT (count(*) FOR kind IN ('a', 'b'))\n"
    found = lint(text, where="mine/v1_t.sql", known=())
    assert ("unknown-name", "there is no table nowhere") in {(one.rule, one.message) for one in found}


def test_what_is_needed_is_all_that_is_read_each_after_what_it_reads() -> None:
    definitions = default_lens().definitions
    found = needed(definitions, {"connections"})
    names = [one.name for one in found]
    assert "connections" in names
    assert len(set(names)) == len(names) < len(definitions)
    for place, one in enumerate(found):
        assert one.reads - {"events"} <= set(names[:place])
    assert needed(definitions, {"nothing"}) == []
