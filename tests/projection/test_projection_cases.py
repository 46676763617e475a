"""Cases beside a projection are read, run and compared; what is wrong with one is told with file and line."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import vfdir_lab.projection
from vfdir_lab.errors import ProjectionFileError, QueryError
from vfdir_lab.projection.cases import CaseResult, read_cases, run_case
from vfdir_lab.projection.definition import Definition, define
from vfdir_lab.projection.lens import default_lens
from vfdir_lab.projection.opening import named

SQL = Path(vfdir_lab.projection.__file__).parent / "sql"
HEADER = "-- projection: mine\n-- version: 1\n-- title: Mine\n-- key: object_id\n"
EVENT: dict[str, Any] = {
    "device": "aaaa",
    "seq": 1,
    "hlc": "117552395059265536",
    "recorded_at": "2026-11-03T12:00:00Z",
    "origin": "arena",
    "kind": "block.observed",
    "kind_version": 1,
    "object_id": "block:1",
    "payload": {"title": "Tides"},
}


def mine(sql: str) -> list[Definition]:
    return [define(HEADER + sql, where="mine/v1_test.sql", source="own")]


def put(folder: Path, **files: str) -> Path:
    """A projection's folder with the case `one`: `expected_v3=…` is the file expected.v3.jsonl."""
    place = folder / "cases" / "one"
    place.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (place / (name.replace("_", ".") + ".jsonl")).write_text(text, "utf-8")
    return folder


def lines(*rows: dict[str, Any]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def ran(folder: Path, sql: str) -> CaseResult:
    (case,) = read_cases(folder, version=1)
    return run_case(mine(sql), case)


@pytest.mark.parametrize("name", sorted(place.parent.name for place in SQL.glob("*/cases")))
def test_every_shipped_case_holds_in_the_default_lens(name: str) -> None:
    needed = named(default_lens(), name)
    definitions = [one for one in default_lens().definitions if one.name in needed]
    cases = read_cases(SQL / name, version=definitions[-1].version)
    assert len(cases) >= 3
    assert [case.name for case in cases if not run_case(definitions, case).ok] == []


def test_rows_that_lack_and_rows_too_many_are_told(tmp_path: Path) -> None:
    put(tmp_path, events=lines(EVENT), expected=lines({"object_id": "block:2"}))
    result = ran(tmp_path, "SELECT object_id FROM events")
    assert not result.ok
    assert result.missing == ('{"object_id": "block:2"}',)
    assert result.unexpected == ('{"object_id": "block:1"}',)


def test_a_row_twice_is_not_a_row_once(tmp_path: Path) -> None:
    put(tmp_path, events=lines(EVENT), expected=lines({"object_id": "block:1"}))
    result = ran(tmp_path, "SELECT object_id FROM events, range(2)")
    assert result.unexpected == ('{"object_id": "block:1"}',)


def test_values_that_json_lacks_are_compared_as_text(tmp_path: Path) -> None:
    row = {"t": "2026-11-03T12:00:00Z", "d": "2026-11-03", "n": "1.50", "b": "AQ==", "l": [{"x": None}]}
    put(tmp_path, events=lines(EVENT), expected=lines(row))
    sql = "recorded_at AS t, recorded_at::DATE AS d, 1.50 AS n, '\\x01'::BLOB AS b, [{'x': NULL}] AS l"
    assert ran(tmp_path, f"SELECT {sql} FROM events").ok


def test_a_version_is_held_to_its_own_rows_else_to_those_of_all(tmp_path: Path) -> None:
    put(tmp_path, events=lines(EVENT), expected=lines({"v": "all"}), expected_v3=lines({"v": "three"}))
    assert [read_cases(tmp_path, version=version)[0].expected for version in (1, 2, 3)] == [
        ('{"v": "all"}',),
        ('{"v": "all"}',),
        ('{"v": "three"}',),
    ]


def test_a_case_for_another_version_says_nothing_of_this_one(tmp_path: Path) -> None:
    put(tmp_path, events=lines(EVENT), expected_v3=lines({"v": "three"}))
    assert read_cases(tmp_path, version=2) == ()


def test_a_projection_without_cases_has_none(tmp_path: Path) -> None:
    assert read_cases(tmp_path, version=1) == ()


def test_an_event_may_leave_out_what_may_be_null(tmp_path: Path) -> None:
    put(tmp_path, events=lines(EVENT), expected="")
    ((event,),) = [case.events for case in read_cases(tmp_path, version=1)]
    assert (event.origin_at, event.cause) == (None, None)
    assert event.recorded_at == datetime(2026, 11, 3, 12, tzinfo=UTC)


def without(key: str) -> str:
    return lines({name: value for name, value in EVENT.items() if name != key})


WRONG = {
    "not-json": ("{", r"events\.jsonl:1: not JSON"),
    "no-object": ("[1]", r"events\.jsonl:1: a line is one JSON object"),
    "second-line": (lines(EVENT) + "\n\nnope\n", r"events\.jsonl:4: not JSON"),
    "no-seq": (without("seq"), r"events\.jsonl:1: not an event: it lacks 'seq'"),
    "no-time": (without("recorded_at"), r"events\.jsonl:1: not an event: it lacks 'recorded_at'"),
    "odd-time": (lines(EVENT | {"recorded_at": "noon"}), r"events\.jsonl:1: not an event: Invalid iso"),
    "no-zone": (lines(EVENT | {"recorded_at": "2026-11-03T12:00:00"}), "has no time zone"),
    "odd-hlc": (lines(EVENT | {"hlc": "x"}), r"events\.jsonl:1: not an event: invalid literal"),
    "huge-hlc": (lines(EVENT | {"hlc": str(2**70)}), r"events\.jsonl:1: not an event: an event breaks"),
    "odd-kind": (lines(EVENT | {"kind": 3}), "kind is 3, not a text"),
    "odd-payload": (lines(EVENT | {"payload": []}), "a payload is a JSON object"),
    "unknown": (lines(EVENT | {"mood": "good"}), r"events\.jsonl:1: an event has no mood; take it out"),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_malformed_line_is_told_with_file_and_line(tmp_path: Path, what: str) -> None:
    text, told = WRONG[what]
    put(tmp_path, events=text, expected="")
    with pytest.raises(ProjectionFileError, match=f"^cases/one/{told}" if told[0] == "e" else told) as error:
        read_cases(tmp_path, version=1)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["events", "expected"])
def test_a_case_that_lacks_a_file_is_told(tmp_path: Path, name: str) -> None:
    put(tmp_path, **{name: ""})
    with pytest.raises(ProjectionFileError, match="cases/one: a case is two files"):
        read_cases(tmp_path, version=1)


def test_a_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    put(tmp_path, events="", expected="")
    (tmp_path / "cases/one/events.jsonl").write_bytes(b"\xff")
    with pytest.raises(ProjectionFileError, match=r"cases/one/events\.jsonl: cannot be read"):
        read_cases(tmp_path, version=1)


def test_a_projection_that_does_not_run_is_a_query_error(tmp_path: Path) -> None:
    put(tmp_path, events=lines(EVENT), expected="")
    with pytest.raises(QueryError, match=r"mine v1: .*nowhere"):
        ran(tmp_path, "SELECT * FROM nowhere")


def test_a_case_cannot_read_a_file(tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("word\ncanary-4711\n")
    put(tmp_path, events=lines(EVENT), expected="")
    with pytest.raises(QueryError) as error:
        ran(tmp_path, f"SELECT * FROM read_csv('{secret}')")
    assert "canary" not in str(error.value)
