"""A large log is folded slice by slice, and that is the same."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from every_case import awkward_archive
from standpoints import lens_with, own

from vfdir_lab.event import Event
from vfdir_lab.log import EventLog, Machine, state_home
from vfdir_lab.projection import Engine, Lens, default_lens
from vfdir_lab.projection import replay as module
from vfdir_lab.projection.checkpoints import Checkpoints
from vfdir_lab.projection.connection import connect
from vfdir_lab.projection.refresh import refresh_rule
from vfdir_lab.projection.replay import replay
from vfdir_lab.projection.slices import Slices, cut, slices_needed

Lines = Callable[[pa.Table], list[str]]
BY_OBJECT = [one.name for one in default_lens().definitions if refresh_rule(one).kind == "by object"]


@pytest.fixture
def awkward(tmp_path: Path) -> EventLog:
    """The events of every case; a log of 200 is large."""
    folder = awkward_archive(tmp_path / "my [log] {a,b} 'o\"clock")
    return EventLog(folder, Machine("sliced", folder, tmp_path / "state"))


@pytest.fixture
def is_cut(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Let slices be small; gives into how many each log was cut."""
    counts: list[int] = []

    def counted(*given: Any, count: int, **more: Any) -> Slices:
        made = cut(*given, count=count, **more)
        counts.append(len(made.parts))
        return made

    monkeypatch.setattr("vfdir_lab.projection.slices.SLICE_EVENTS", 40)
    monkeypatch.setattr(module, "cut", counted)
    return counts


def kept(log: EventLog, cache: Path, lens: Lens, name: str) -> pa.Table:
    coverage = log.coverage()
    found = Checkpoints(cache).newest(lens.fingerprints[name], coverage.head, coverage)
    assert found is not None
    return pq.read_table(found.path)


def test_every_shipped_projection_by_object_is_the_same_in_slices(
    awkward: EventLog, lines: Lines, is_cut: list[int], tmp_path: Path
) -> None:
    """The same rows, sorted alike; one over others reads what was made in slices."""
    lens = default_lens()
    replay(awkward, tmp_path / "cache", lens)
    whole = Engine(awkward)
    assert len(is_cut) == 1
    assert is_cut[0] > 4
    for name in [*BY_OBJECT, "blocks", "connections", "channels"]:
        rows = kept(awkward, tmp_path / "cache", lens, name)
        keys = [(key, "ascending") for key in lens[name].keys]
        assert rows.equals(rows.sort_by(keys)), name
        spelled = Engine(awkward, tmp_path / "cache").arrow(f"FROM {name}")
        assert lines(spelled) == lines(whole.arrow(f"FROM {name}")), name


def test_so_is_a_persons_own(awkward: EventLog, lines: Lines, is_cut: list[int], tmp_path: Path) -> None:
    """It is confined: what it reads is registered, no file."""
    select = "SELECT object_id, count(*) AS said, latest('title') AS title FROM events GROUP BY object_id"
    lens = lens_with(own("told", 1, select))
    report = replay(awkward, tmp_path / "cache", lens, only=["told"])
    assert is_cut
    assert report.rows["told"] > 40
    ours = Engine(awkward, tmp_path / "cache").arrow("FROM told", lens=lens)
    assert lines(ours) == lines(Engine(awkward).arrow("FROM told", lens=lens))


def test_nothing_is_left_behind(awkward: EventLog, is_cut: list[int], tmp_path: Path) -> None:
    """Not by this run, whatever comes of it, and nothing old by one that was killed."""
    spill = state_home() / "spill"
    dead, alive = spill / "slices-dead", spill / "slices-alive"
    for folder in (dead, alive):
        folder.mkdir(parents=True)
    os.utime(dead, (time.time() - 90_000,) * 2)

    def interrupt(_done: int, _all: int, name: str) -> None:
        if name == "answers":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        replay(awkward, tmp_path / "cache", default_lens(), only=BY_OBJECT, on_progress=interrupt)
    assert is_cut
    assert [path.name for path in spill.iterdir()] == ["slices-alive"]


def test_a_log_that_is_no_longer_there_leaves_no_slices(awkward: EventLog) -> None:
    coverage = awkward.coverage()
    for segment in coverage.segments:
        awkward.path(segment).unlink()
    with pytest.raises(duckdb.Error):
        cut(connect(), awkward, coverage.segments, coverage.head, count=3)
    assert list((state_home() / "spill").glob("slices-*")) == []


def test_a_few_objects_with_all_the_events_are_few_slices(desk: Any, event: Callable[..., Event]) -> None:
    """An object is never divided."""
    desk.write([event("aaaa", seq, "block.observed", f"block:{seq % 2}", at=seq) for seq in range(1, 101)])
    log = desk.log()
    made = cut(connect(), log, log.coverage().segments, log.coverage().head, count=20)
    try:
        found = [pq.read_table(list(files))["object_id"].unique().to_pylist() for files in made.parts]
        assert sorted(found) == [["block:0"], ["block:1"]]
    finally:
        made.close()


def test_how_many_slices_there_are_hangs_on_events_and_bytes(
    tides: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tides.log()
    segments = log.coverage().segments
    assert slices_needed(log, segments) == 1
    monkeypatch.setattr("vfdir_lab.projection.slices.SLICE_EVENTS", 4)
    assert slices_needed(log, segments) == 3
    monkeypatch.setattr("vfdir_lab.projection.slices.SLICE_BYTES", 1)
    assert slices_needed(log, segments) == sum(log.path(one).stat().st_size for one in segments)


def test_what_the_bound_of_memory_is_too_small_for_takes_more(
    tides: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some operators do not spill; a replay that was begun with little memory begins again with more."""
    asked: list[dict[str, int]] = []
    real, write = module.connect, Checkpoints.write

    def connected(**means: int) -> duckdb.DuckDBPyConnection:
        asked.append(means)
        return real(**means)

    def short(self: Checkpoints, *given: Any) -> int | None:
        if asked[-1]:
            raise duckdb.OutOfMemoryException("could not allocate block")
        return write(self, *given)

    monkeypatch.setattr(module, "connect", connected)
    monkeypatch.setattr(Checkpoints, "write", short)
    report = replay(tides.log(), tides.root / "cache", default_lens(), only={"users", "blocks"})
    assert set(report.rows) == {"users", "blocks"}
    assert asked == [*module.MEANS]
