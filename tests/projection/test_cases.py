"""Every shipped projection answers its cases, and a released version never changes its meaning."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import datetime
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import vfdir_lab.projection
from vfdir_lab.event import Event, canonical
from vfdir_lab.projection import DEFAULT_LENS
from vfdir_lab.projection.catalogue import shipped

SQL = Path(vfdir_lab.projection.__file__).parent / "sql"
CASES = sorted(SQL.glob("*/cases/*"), key=lambda case: (case.parts[-3], case.name))

GOLDEN: dict[tuple[str, int], str] = {
    ("blocks", 2): "f6c8e182c601b3ea65ac93c086a70e51278eba8d045b6aa9858eadb831b5c9d9",
    ("channels", 2): "52f78ab7b58e8a68ecdf7c6a0f1685321aecfcc3745bdeaa5f8373ca2f2fe81b",
    ("comments", 1): "eaec9912e512376f774d9fbb688e30ca80c37cf4dbb1a6c28d2258437596db89",
    ("connections", 2): "fdaf4fb01e002330907b1e03faf3fbc6b65d6f4dff1fca7f6bc8d1d80d402fde",
    ("scans", 1): "818e68214d25a1cf3bd19c8dd3c48b05bb8042bf78bfe5eba6054c406c767cc1",
    ("users", 1): "d3d36f1775dc05ce22a02b1d134d641bf8c0a31948b9400b0c745fd73c7997bf",
}
"""The meaning of each released version: a digest of its answers to all of its cases. A change here is a new
version of the projection, not a new digest; new cases are the one reason to write another."""

Lines = Callable[[pa.Table], list[str]]


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").split("\n") if line]


def events_of(case: Path) -> list[Event]:
    """The events of a case: the envelope as JSON, stamps as text, payloads as objects."""
    found = []
    for row in read(case / "events.jsonl"):
        times = {
            key: None if row[key] is None else datetime.fromisoformat(row[key])
            for key in ("recorded_at", "origin_at")
        }
        found.append(Event(**row | times | {"hlc": int(row["hlc"]), "payload": canonical(row["payload"])}))
    return found


@pytest.fixture(scope="module")
def answer(new_desk: Any, lines: Lines) -> Callable[[Path], list[str]]:
    """What the projection says of a case, in the version of the default lens; each is asked once."""

    @cache
    def of(case: Path) -> list[str]:
        with new_desk() as desk:
            engine = desk.write(events_of(case), lambda: 3).engine()
            return lines(engine.arrow(f'SELECT * FROM "{case.parts[-3]}"'))

    return of


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parts[-3]}-{case.name}")
def test_a_case_gives_its_expected_rows(case: Path, answer: Callable[[Path], list[str]]) -> None:
    expected = read(case / "expected.jsonl")
    key = shipped()[case.parts[-3], DEFAULT_LENS.versions[case.parts[-3]]].key
    assert [row[key] for row in expected] == sorted({row[key] for row in expected})
    assert answer(case) == sorted(json.dumps(row, ensure_ascii=False, sort_keys=True) for row in expected)


@pytest.mark.parametrize("name", sorted(DEFAULT_LENS.versions))
def test_every_shipped_projection_has_several_cases(name: str) -> None:
    assert len([case for case in CASES if case.parts[-3] == name]) >= 3


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parts[-3]}-{case.name}")
def test_a_case_is_a_log_that_can_be(case: Path) -> None:
    """Devices count without a gap and their stamps increase."""
    events = events_of(case)
    for device in {event.device for event in events}:
        own = [event for event in events if event.device == device]
        assert [event.seq for event in own] == list(range(1, len(own) + 1))
        assert all(later.hlc > earlier.hlc for earlier, later in pairwise(own))


@pytest.mark.parametrize(("name", "version"), sorted(DEFAULT_LENS.versions.items()))
def test_a_released_version_never_changes_its_meaning(
    name: str, version: int, answer: Callable[[Path], list[str]]
) -> None:
    running = hashlib.sha256()
    for case in CASES:
        if case.parts[-3] == name:
            running.update("\n".join([case.name, *answer(case), ""]).encode())
    assert running.hexdigest() == GOLDEN[name, version]


def test_every_shipped_version_has_a_golden_digest() -> None:
    assert GOLDEN.keys() == {(definition.name, definition.version) for definition in shipped()}
