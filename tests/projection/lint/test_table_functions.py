"""What gives rows out of its arguments alone may stand in FROM: for the rules and for the catalogue alike."""

from __future__ import annotations

import pytest

from vfdir_lab.projection.definition import PURE_TABLES, define
from vfdir_lab.projection.lens import default_lens, lens_of
from vfdir_lab.projection.lint.rules import names

HEADER = "-- projection: mine\n-- version: 1\n-- title: T\n-- key: a\n"


def test_the_rules_and_the_catalogue_name_the_same() -> None:
    assert names("rows") == PURE_TABLES


@pytest.mark.parametrize(
    ("sql", "reads"),
    [
        ("SELECT i AS a FROM range(10) t(i)", set()),
        ("SELECT i AS a FROM generate_series(1, 3) t(i)", set()),
        ("SELECT key AS a FROM events, json_each(payload)", {"events"}),
        ("SELECT key AS a FROM blocks, LATERAL json_tree(metadata)", {"blocks"}),
        ("SELECT unnest(range(3)) AS a", set()),
    ],
)
def test_they_read_no_table_and_run(sql: str, reads: set[str]) -> None:
    definition = define(HEADER + sql, where="mine/v1_x.sql", source="own")
    assert definition.reads == reads
    assert lens_of("mine", [*default_lens().definitions, definition]).get("mine")


@pytest.mark.parametrize(
    "source", ["read_text('x')", "glob('*')", "query('SELECT 1')", "query_table('blocks')"]
)
def test_others_stay_tables_that_are_none(source: str) -> None:
    (read,) = define(f"{HEADER}SELECT * FROM {source}", where="mine/v1_x.sql").reads
    assert read not in default_lens().versions
