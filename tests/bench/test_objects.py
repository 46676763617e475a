"""The benchmark of objects runs, and holds the bound that does not depend on how busy the machine is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from vfdir_lab.bench.__main__ import main
from vfdir_lab.bench.objects_once import WAYS, once
from vfdir_lab.bench.replay_material import log_of_blocks


def test_objects_are_measured_beside_dictionaries_and_dataclasses(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["objects", "--json", "--size", "3000"])
    gate, *others = json.loads(capsys.readouterr().out)
    assert (gate["kind"], gate["unit"], gate["bound"]) == ("gate", "bytes", 200)
    assert code == int(not gate["holds"])
    assert all(one["kind"] == "informs" and one["value"] > 0 for one in others)
    for words in ("dictionaries", "dataclasses", "read again"):
        assert any(words in one["what"] for one in others)


def test_an_object_takes_no_more_than_it_may(tmp_path: Path) -> None:
    log_of_blocks(tmp_path / "log", events=30_000)
    taken = {way: once(tmp_path / "log", way, 5_000) for way in WAYS}
    assert {one.blocks for one in taken.values()} == {5_000}
    assert taken["objects"].bytes_each <= 200
    assert taken["objects"].bytes_each * 3 < taken["dataclasses"].bytes_each
