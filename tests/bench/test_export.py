"""The benchmark of export runs and says what it promises to say."""

from __future__ import annotations

import json

import pytest

from vfdir_lab.bench.__main__ import main


def test_export_is_measured_and_given_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    main(["export", "--json", "--size", "20", "--repetitions", "1"])
    found = json.loads(capsys.readouterr().out)
    assert all(one["value"] > 0 for one in found)
    for words in ("polars", "resident memory", "csv", "parquet", "html"):
        assert any(words in one["what"] for one in found)
    assert {one["kind"] for one in found} == {"gate", "informs"}
