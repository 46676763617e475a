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
from vfdir_lab.log.segment import table_of
from vfdir_lab.projection.catalogue import shipped
from vfdir_lab.projection.lens import DEFAULT_VERSIONS, Lens, choice
from vfdir_lab.projection.opening import named
from vfdir_lab.projection.scratch import answers

SQL = Path(vfdir_lab.projection.__file__).parent / "sql"
CASES = sorted(SQL.glob("*/cases/*"), key=lambda case: (case.parts[-3], case.name))
VERSIONS = sorted((one.name, one.version) for one in shipped())


def expected_of(case: Path, version: int) -> Path | None:
    """The rows that a version should give; None where the case is for other versions only."""
    own = case / f"expected.v{version}.jsonl"
    common = case / "expected.jsonl"
    return next((file for file in (own, common) if file.is_file()), None)


QUESTIONS = [
    (case, version)
    for case in CASES
    for name, version in VERSIONS
    if name == case.parts[-3] and expected_of(case, version)
]
"""Every case with each version that it says something of."""

GOLDEN: dict[tuple[str, int], str] = {
    ("answers", 1): "8986e23596482c84102cbdcca9337f2887d857af639b537ba97845a0b0ca9584",
    ("bindings", 1): "3d004a7989666e41ba198984fbfad9b46f23f28dac4a12d7dc015978d2f6d0b3",
    ("blocks", 1): "17b2a945d1a00c84b9b031cfbdb5e965bf75bbe71f6727d84554c8ca663d0c64",
    ("blocks", 2): "f6c8e182c601b3ea65ac93c086a70e51278eba8d045b6aa9858eadb831b5c9d9",
    ("blocks", 3): "c36291937151a7f1f8846e9bdc491592669f2c344079b794d72803d94641ce53",
    ("channel_states", 1): "4feecbf839bd4058d974da0f779d5f9bac95025d63d55089f35ef1087bbdc35a",
    ("channel_writes", 1): "87da05086bb088eeeb99ea268ffe37315f1c31fde6331e3fd8ee3e36bd74a01b",
    ("channels", 1): "345d68a8f29feaf37dbdadede16aeef523913fa50d7f24e22c741376aec3e75c",
    ("channels", 2): "52f78ab7b58e8a68ecdf7c6a0f1685321aecfcc3745bdeaa5f8373ca2f2fe81b",
    ("channels", 3): "7eff0e9e445bc6c20a2d5e14f2166fa0130fd6ab721fd1c9642d1e1ab34ff906",
    ("comments", 1): "eaec9912e512376f774d9fbb688e30ca80c37cf4dbb1a6c28d2258437596db89",
    ("commits", 1): "8c8042dc890d979591ef387bd20428d74c4303197bd27c2a806cf084774c5fee",
    ("conflicts", 1): "01d6b4faf03cc716df6ff60b7a4e163bd8f7c831c1a8b3a645abc8c1c201a2ba",
    ("connection_ranks", 1): "1912e033a614c9294c4cf23b5b8b322814b22051ab29e9575b7a4b4def57e31b",
    ("connection_states", 1): "9c57e13f795b5a9b7d004456a2e1994fcac113c5108581fcbd975e64d8839742",
    ("connections", 1): "98dd48e783023b01bee6c72ab06e7ad68663efdee27e75dff7c33f598633186c",
    ("connections", 2): "fdaf4fb01e002330907b1e03faf3fbc6b65d6f4dff1fca7f6bc8d1d80d402fde",
    ("connections", 3): "458dcdb55af8eb3b2ded5675bea9685ef8d96cd28fb6a1e573062fec7951b406",
    ("gone", 1): "c7461dedd8b023f843ed763e18d44c85b7592e2b9a9fb698aaca0406a37892d4",
    ("intents", 1): "c4410f1cbe4431bf807faac882f98651cffb9954ff081d5aaf0965d5f682b793",
    ("media", 1): "8772f340a4230b8a1d7668d8573335b7c1836db78f82574ae11ce08835a2d612",
    ("open_wishes", 1): "9e87a3dfa92cdd089f54f44bdbb1379a90d91fd443d9e1d410f2cf1c4481678e",
    ("outbox", 1): "3a450cd36cc2154ca89beb57fb58c960d7b8d4504e0e753c3582a3ea52218f62",
    ("readings", 1): "4ca8b242c2edcd85cc72937d4b7c36c01e837bdb367c93b509f9bf8129ba23a9",
    ("scans", 1): "818e68214d25a1cf3bd19c8dd3c48b05bb8042bf78bfe5eba6054c406c767cc1",
    ("users", 1): "d3d36f1775dc05ce22a02b1d134d641bf8c0a31948b9400b0c745fd73c7997bf",
    ("wishes", 1): "03959951bde99c5ca39ed78ded14b072ba3239a8ff0f38a6d9c1569d6ff5e895",
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
def answer(lines: Lines) -> Callable[[Path, int], list[str]]:
    """What a version says of a case, over the default choice of all else; each is asked once."""

    @cache
    def of(case: Path, version: int) -> list[str]:
        name = case.parts[-3]
        lens = Lens(name="asked", definitions=tuple(choice({**DEFAULT_VERSIONS, name: version})))
        needed = named(lens, name)
        chosen = [one for one in lens.definitions if one.name in needed]
        return lines(answers(chosen, table_of(events_of(case)), f'SELECT * FROM "{name}"'))

    return of


@pytest.mark.parametrize(
    ("case", "version"),
    QUESTIONS,
    ids=[f"{case.parts[-3]}-v{version}-{case.name}" for case, version in QUESTIONS],
)
def test_a_case_gives_its_expected_rows(
    case: Path, version: int, answer: Callable[[Path, int], list[str]]
) -> None:
    file = expected_of(case, version)
    assert file is not None
    expected = read(file)
    keys = shipped()[case.parts[-3], version].keys
    identities = [tuple((row[key] is not None, row[key]) for key in keys) for row in expected]
    assert identities == sorted(set(identities))
    assert answer(case, version) == sorted(
        json.dumps(row, ensure_ascii=False, sort_keys=True) for row in expected
    )


@pytest.mark.parametrize(("name", "version"), VERSIONS)
def test_every_shipped_version_has_several_cases(name: str, version: int) -> None:
    assert len([case for case, of in QUESTIONS if (case.parts[-3], of) == (name, version)]) >= 3


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parts[-3]}-{case.name}")
def test_a_case_is_a_log_that_can_be(case: Path) -> None:
    """Devices count without a gap and their stamps increase."""
    events = events_of(case)
    for device in {event.device for event in events}:
        own = [event for event in events if event.device == device]
        assert [event.seq for event in own] == list(range(1, len(own) + 1))
        assert all(later.hlc > earlier.hlc for earlier, later in pairwise(own))


@pytest.mark.parametrize(("name", "version"), VERSIONS)
def test_a_released_version_never_changes_its_meaning(
    name: str, version: int, answer: Callable[[Path, int], list[str]]
) -> None:
    running = hashlib.sha256()
    for case, of in QUESTIONS:
        if (case.parts[-3], of) == (name, version):
            running.update("\n".join([case.name, *answer(case, version), ""]).encode())
    assert running.hexdigest() == GOLDEN[name, version]


def test_every_shipped_version_has_a_golden_digest() -> None:
    assert GOLDEN.keys() == set(VERSIONS)
