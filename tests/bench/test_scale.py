"""The benchmark of growth runs and says what it promises to say; how quick anything was is not asserted."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from vfdir_lab.bench import replay_material, scale
from vfdir_lab.bench.__main__ import main
from vfdir_lab.bench.measure import Figure
from vfdir_lab.bench.replay_once import once
from vfdir_lab.bench.scale_plot import lines
from vfdir_lab.log import CompactReport

KEYS = {"what", "value", "unit", "baseline", "ratio", "bound", "holds", "kind"}
MEASURES = ("listing", "replay", "memory", "as of", "a query after", "compaction")
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scale, "NEW_EVENTS", 5)
    monkeypatch.setattr(replay_material, "SEGMENT_EVENTS", 10)
    monkeypatch.setattr(scale, "in_a_process", once)  # starting one costs seconds; test_bench starts some


def test_every_cost_is_given_at_each_size_with_its_slope(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    plot = tmp_path / "plot.svg"
    code = main(
        ["scale", "--size", "300", "--seconds", "600", "--repetitions", "1", "--json", "--plot", str(plot)]
    )
    said = capsys.readouterr()
    found = json.loads(said.out)
    assert code == 0
    assert all(set(one) == KEYS and one["value"] > 0 and one["kind"] == "informs" for one in found)
    for measure in MEASURES:
        first, second = (one for one in found if one["what"].startswith(measure))
        assert (first["baseline"], "slope" in first["what"]) == (None, False)
        assert second["baseline"] == first["value"]
        assert "30 events" in first["what"]
        assert "300 events : 30 (slope " in second["what"]
    assert "not reached" not in said.err
    drawn = ElementTree.fromstring(plot.read_text("utf-8"))
    assert len(drawn.findall(f"{SVG}polyline")) == len(MEASURES) - 1  # memory is not milliseconds


def test_a_size_that_time_does_not_allow_is_not_begun_and_named(capsys: pytest.CaptureFixture[str]) -> None:
    main(["scale", "--size", "300", "--seconds", "0", "--repetitions", "1", "--json"])
    said = capsys.readouterr()
    assert {one["baseline"] for one in json.loads(said.out)} == {None}
    assert "not reached: 300 events" in said.err


def test_a_compaction_with_nothing_to_do_is_no_cost(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scale, "compact", lambda *_, **__: CompactReport())
    main(["scale", "--size", "20", "--seconds", "0", "--repetitions", "1", "--json"])
    assert not [one for one in json.loads(capsys.readouterr().out) if "compaction" in one["what"]]


def test_the_slope_is_that_of_a_power() -> None:
    def cost(events: int, value: float) -> scale.Cost:
        return scale.Cost(what="x", value=value, unit="ms", kind="informs", measure="x", events=events)

    compared = scale._compared(cost(1000, 8.0), cost(100, 2.0))
    assert compared.slope == pytest.approx(0.602, abs=0.001)
    assert compared.ratio == 4


@pytest.mark.parametrize(
    ("largest", "sizes"),
    [(5, [1]), (300, [30, 300]), (99, [9, 90]), (10_000_000, [1_000_000, 10_000_000])],
)
def test_sizes_grow_tenfold_up_to_the_largest(largest: int, sizes: list[int]) -> None:
    assert scale._sizes(largest) == sizes


def test_a_picture_of_nothing_is_a_picture() -> None:
    figure = Figure(what="x", value=1.0, unit="ms", kind="informs")
    assert ElementTree.fromstring(lines([figure])).findall(f"{SVG}polyline") == []
