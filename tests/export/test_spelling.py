"""Rows in bulk are spelled as one by one, and no cell computes."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from vfdir_lab.export.rows import plain
from vfdir_lab.export.spelling import Speller, json_line

SCHEMA = pa.schema(
    [
        ("object_id", pa.string()),
        ("remote_id", pa.int64()),
        ("title", pa.string()),
        ("at", pa.timestamp("us", tz="UTC")),
        ("metadata", pa.string()),
        ("pending", pa.bool_()),
        ("tags", pa.list_(pa.string())),
    ]
)
TEXT = st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from(
    [
        "=1+1",
        "+1",
        "-2+3",
        "@SUM(1)",
        "\t=A1",
        " =1",
        "\r\n=1",
        "\uff1d1",
        "'=1",
        "\x00=1",
        '"',
        "a,b",
        "\ufeff=1",
        "\u2028",
        "\x7f",
    ]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
).map(lambda value: json.dumps(value, ensure_ascii=False, separators=(",", ":")))
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "object_id": TEXT,
            "remote_id": st.none() | st.integers(-(2**63), 2**63 - 1),
            "title": st.none() | TEXT,
            "at": st.none()
            | st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001
            | st.just(datetime(2026, 1, 1, tzinfo=UTC)),
            "metadata": st.none() | JSON,
            "pending": st.none() | st.booleans(),
            "tags": st.none() | st.lists(TEXT, max_size=2),
        }
    ),
    min_size=1,
    max_size=5,
)
SPELLER = Speller()
COMPUTED = re.compile(r"[\s\x00]*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n]")


@settings(max_examples=60)
@given(ROWS)
def test_a_line_says_what_the_row_says_by_itself(rows: list[dict[str, Any]]) -> None:
    batch = pa.RecordBatch.from_pylist(rows, schema=SCHEMA)
    lines = [json.loads(line) for line in SPELLER.lines(batch)]
    assert lines == [json.loads(json_line(plain(row))) for row in batch.to_pylist()]
    assert all(list(line) == SCHEMA.names for line in lines)


@settings(max_examples=60)
@given(ROWS)
def test_no_cell_begins_as_a_formula_does(rows: list[dict[str, Any]]) -> None:
    cells = SPELLER.cells(pa.RecordBatch.from_pylist(rows, schema=SCHEMA))
    for row, before in zip(cells.to_pylist(), rows, strict=True):
        for value in row.values():
            assert not (isinstance(value, str) and COMPUTED.match(value))
        title = before["title"]
        if title is not None and not COMPUTED.match(title) and title.isprintable():
            assert row["title"] in {title, f"'{title}"}


def test_metadata_that_is_no_json_is_a_text() -> None:
    batch = pa.RecordBatch.from_pylist([{"metadata": "no json"}, {"metadata": '{"a":1}'}], schema=SCHEMA)
    assert [json.loads(line)["metadata"] for line in SPELLER.lines(batch)] == ["no json", {"a": 1}]
