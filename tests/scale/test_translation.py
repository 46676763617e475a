"""The words of Spark for what DuckDB says, construct by construct. What they answer is for test_answers."""

from __future__ import annotations

import re
from typing import cast

import pytest
import sqlglot
from sqlglot import exp

from vfdir_lab.errors import ProjectionFileError
from vfdir_lab.projection.catalogue import shipped
from vfdir_lab.scale.functions import NAMES, definitions
from vfdir_lab.scale.translation import spark_sql, starless, translated

SAID = {
    "payload ->> '$.a'": "vfdir_json_text(payload, '$.a')",
    "payload ->> 'a'": "vfdir_json_text(payload, '$.a')",
    "payload -> '$.a.b'": "vfdir_json(payload, '$.a.b')",
    "json_extract(payload, ['$.a', '$.b'])": "ARRAY(vfdir_json(payload, '$.a'), vfdir_json(payload, '$.b'))",
    "json_extract(payload, '$.' || name)": "vfdir_json(payload, '$.' || name)",
    "json_extract_string(payload, '$.\"a b\"[0]')": "vfdir_json_text(payload, '$[\\'a b\\'][0]')",
    "json_extract_string(found, '$[*]')": "vfdir_json_list(found)",
    "json_type(payload, '$.a')": "vfdir_json_type(vfdir_json(payload, '$.a'))",
    "json_keys(payload)": "vfdir_json_keys(payload)",
    "json_merge_patch(a, b)": "vfdir_json_merged(a, b)",
    "TRY_CAST(size AS BIGINT)": "vfdir_whole_number(CAST(size AS STRING))",
    "TRY_CAST(size AS SMALLINT)": "TRY_CAST(vfdir_whole_number(CAST(size AS STRING)) AS SMALLINT)",
    "TRY_CAST(said AS TIMESTAMPTZ)": "vfdir_instant(CAST(said AS STRING))",
    "TRY_CAST(said AS BOOLEAN)": "vfdir_truth(CAST(said AS STRING))",
    "arg_max(a, k)": "MAX_BY(a, k) FILTER(WHERE NOT a IS NULL AND NOT k IS NULL)",
    "arg_min(a, {'h': h})": "MIN_BY(a, STRUCT(h AS h)) FILTER(WHERE NOT a IS NULL)",
    "arg_max(a, {'h': h}) FILTER (WHERE b)": "MAX_BY(a, STRUCT(h AS h)) FILTER(WHERE b AND NOT a IS NULL)",
    "arg_max({'v': a}, {'h': h})": (
        "MAX_BY(STRUCT(a AS v), STRUCT(h AS h)) FILTER(WHERE NOT STRUCT(a AS v) IS NULL)"
    ),
    "string_agg(a, ',' ORDER BY b)": "listagg(a, ',') WITHIN GROUP (ORDER BY b NULLS LAST)",
    "regexp_full_match(a, '[a-z]+')": "a RLIKE '\\\\A(?:' || '[a-z]+' || ')\\\\z'",
    "said[1]": "said[0]",
    "struct_extract(reading, 'device')": "reading.device",
    "unnest(json_keys(payload, '$.m')) AS k": (
        "EXPLODE(json_object_keys(to_json(variant_get(parse_json(payload), '$.m', 'variant')))) AS k"
    ),
    "unnest(json_extract_string(found, '$[*]')) AS k": "EXPLODE(from_json(found, 'array<string>')) AS k",
}


def carried(expression: str) -> str:
    tree = sqlglot.parse_one(f"SELECT {expression} FROM t", dialect="duckdb")
    told = " ".join(spark_sql(cast("exp.Query", tree), where="mine v1").split())
    told = re.sub(r"\( ", "(", re.sub(r" \)", ")", told))
    return re.sub(
        "VFDIR_[A-Z_]+|LISTAGG|FROM_JSON|TO_JSON|VARIANT_GET|PARSE_JSON|JSON_OBJECT_KEYS",
        lambda match: match[0].lower(),
        told.removeprefix("SELECT ").removesuffix(" FROM t"),
    )


@pytest.mark.parametrize("said", SAID)
def test_a_construct_is_said_so(said: str) -> None:
    assert carried(said) == SAID[said]


@pytest.mark.parametrize("key", sorted((one.name, one.version) for one in shipped()), ids=str)
def test_a_shipped_projection_calls_no_function_that_only_duckdb_has(key: tuple[str, int]) -> None:
    text = translated(shipped()[key]).upper()
    for name in ("JSON_EXTRACT", "JSON_TYPE(", "JSON_MERGE", "ARG_MAX", "ARG_MIN", "UNNEST", "MATERIALIZED"):
        assert name not in text.replace("VFDIR_JSON_TYPE(", "").replace("VFDIR_JSON_MERGED", "")


def test_the_functions_it_calls_are_defined_each_after_those_it_calls_itself() -> None:
    done: set[str] = set()
    for name, statement in zip(NAMES, definitions(), strict=True):
        assert statement.startswith(f"CREATE OR REPLACE TEMPORARY FUNCTION {name}(")
        assert set(re.findall(r"vfdir_\w+(?=\()", statement)) <= done | {name}
        done.add(name)


@pytest.mark.parametrize("path", ["$.a[*].b", "$..a", "$.*", "$[#-1]"])
def test_a_path_that_spark_has_no_word_for_is_refused_by_name(path: str) -> None:
    with pytest.raises(ProjectionFileError, match=r"mine v1: .*take the value apart in steps|spell it as"):
        carried(f"payload -> '{path}'")


def test_stars_are_spelled_out_with_what_replaces_their_columns() -> None:
    query = starless("SELECT * REPLACE (1 AS b) FROM (SELECT * FROM t)", {"t": ["a", "b"]})
    assert "*" not in query.sql("duckdb")
    assert "1 AS b" in query.sql("duckdb")
