"""JSON arrows behind a bare name in a call: the parser takes them for lambdas, the definition does not."""

from __future__ import annotations

import duckdb
import pytest
import sqlglot
from sqlglot import exp

from vfdir_lab.errors import ProjectionFileError
from vfdir_lab.projection.definition import LAMBDAS, Definition, define

HEADER = "-- projection: mine\n-- version: 1\n-- title: Mine\n-- key: object_id\n"
SPELLED = [
    ("max(payload->'$.title')", "MAX((payload -> '$.title'))"),
    ("max(payload->'title')", "MAX((payload -> '$.title'))"),
    ("coalesce(payload->'$.title', '0')", "COALESCE((payload -> '$.title'), '0')"),
    ("json_type(payload->'$.a')", "JSON_TYPE((payload -> '$.a'))"),
    ("json_array_length(payload->'$.a')", "JSON_ARRAY_LENGTH((payload -> '$.a'))"),
    ("arg_min(payload->'$.a', {'h': hlc})", "ARG_MIN((payload -> '$.a'), {'h': hlc})"),
    ("greatest(payload->'$.a', payload->'$.b')", "GREATEST((payload -> '$.a'), (payload -> '$.b'))"),
    ("max(payload->'$.a'->'$.b')", "MAX((payload -> '$.a' -> '$.b'))"),
    ("max(payload->'$.a'->>'$.b')", "MAX(((payload -> '$.a') ->> '$.b'))"),
    ("max(\"payload\"->'$.a')", "MAX((\"payload\" -> '$.a'))"),
    ("max(payload->0)", "MAX((payload -> '$[0]'))"),
    ("list_transform(['b'], lambda x: 'a')", "LIST_TRANSFORM(['b'], LAMBDA x : 'a')"),
    ("list_filter(['b'], lambda x: 'a')", "LIST_FILTER(['b'], LAMBDA x : 'a')"),
]


def defined(value: str) -> Definition:
    return define(f"{HEADER}SELECT object_id, {value} AS x FROM events", where="mine/v1_test.sql")


@pytest.mark.parametrize(("value", "plain"), SPELLED, ids=[value for value, _ in SPELLED])
def test_an_arrow_in_a_call_stays_an_arrow_and_a_lambda_a_lambda(value: str, plain: str) -> None:
    tree = sqlglot.parse_one(defined(value).plain, dialect="duckdb")
    assert isinstance(tree, exp.Select)
    assert tree.expressions[1].unalias().sql("duckdb") == plain


@pytest.mark.parametrize(
    "value", [value for value, _ in SPELLED if value.startswith(("max", "coal", "json"))]
)
def test_what_is_carried_answers_as_what_was_written(value: str) -> None:
    rows = """(VALUES ('{"title": "A", "a": {"b": [1]}}'::JSON), ('[7]'::JSON)) AS events(payload)"""
    written = f"SELECT 1 AS object_id, {value} AS x FROM {rows} GROUP BY ALL ORDER BY ALL"
    if not value.startswith("max"):
        written = written.replace("GROUP BY ALL", "")
    carried = define(HEADER + written, where="mine/v1_test.sql").plain
    with duckdb.connect() as connection:
        expected = connection.execute(written).fetchall()
        assert connection.execute(carried).fetchall() == expected


def test_an_arrow_that_the_parser_cannot_read_is_told_to_be_put_in_brackets() -> None:
    with pytest.raises(ProjectionFileError, match=r"; put brackets around \(payload->'title'\)$"):
        defined("list(payload->'title' ORDER BY hlc)")
    assert "payload -> '$.title'" in defined("list((payload->'title') ORDER BY hlc)").plain


def test_the_functions_that_take_a_lambda_are_those_of_duckdb() -> None:
    with duckdb.connect() as connection:
        rows = connection.execute(
            "SELECT DISTINCT function_name FROM duckdb_functions() "
            "WHERE list_contains(parameter_types, 'LAMBDA')"
        ).fetchall()
    assert {name for (name,) in rows} == LAMBDAS - {"transform"}
