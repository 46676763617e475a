"""The lists of functions against what DuckDB says of its own: a new version of it cannot slip one past."""

from __future__ import annotations

import duckdb
import pytest

from vfdir_lab.projection.definition import PURE_TABLES
from vfdir_lab.projection.lint.purity import rule_of
from vfdir_lab.projection.lint.rules import names


def functions(condition: str) -> set[str]:
    rows = duckdb.sql(f"SELECT DISTINCT function_name FROM duckdb_functions() WHERE {condition}").fetchall()
    return {name for (name,) in rows if name.isidentifier()}


def test_what_duckdb_calls_volatile_breaks_a_rule() -> None:
    """`error` only fails; nothing of it is in an answer."""
    found = functions("stability IN ('VOLATILE', 'CONSISTENT_WITHIN_QUERY')")
    assert len(found) > 20
    assert {name for name in found if rule_of(name) is None} == {"error"}


def test_every_table_function_breaks_a_rule_but_those_that_make_rows_of_their_arguments() -> None:
    found = functions("function_type = 'table'")
    free = {name for name in found if rule_of(name) is None} - names("rows")
    assert free == {
        "checkpoint",
        "create_external_resource",
        "deregister_external_resource",
        "destroy_external_resource",
        "disable_logging",
        "disable_profiling",
        "enable_logging",
        "enable_profiling",
        "force_checkpoint",
        "icu_calendar_names",
        "register_external_resource",
        "register_external_resource_type",
        "summary",
        "test_all_types",
        "test_vector_types",
        "truncate_duckdb_logs",
    }  # these break `outside` where they stand in FROM, the one place for them; see test_purity


def test_no_function_that_only_computes_breaks_a_rule() -> None:
    found = functions("function_type = 'scalar' AND stability = 'CONSISTENT'")
    assert len(found) > 300
    assert {name for name in found if rule_of(name) is not None} == {
        "current_localtime",
        "current_localtimestamp",
        "version",
    }


def test_the_definition_takes_the_same_table_functions_for_pure() -> None:
    assert names("rows") == PURE_TABLES


def test_aggregates_that_take_no_order_are_macros() -> None:
    assert names("unorderable") == names("in_order") & functions("function_type = 'macro'")


def test_every_aggregate_is_known_as_one() -> None:
    assert functions("function_type = 'aggregate'") <= names("aggregates")


@pytest.mark.parametrize(
    "group", ["by_key", "in_order", "estimates", "floats", "sums", "skip_nulls", "at_row", "numbering"]
)
def test_the_lists_name_functions_that_there_are(group: str) -> None:
    windows = {"first_value", "last_value", "nth_value", "row_number", "ntile", "lag", "lead"}
    assert names(group) <= functions("true") | windows
