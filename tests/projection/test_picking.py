"""Few rows out of many segments: whichever engine picks them, they are the same."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pytest
from folds import histories
from hypothesis import given
from hypothesis import strategies as st

from vfdir_lab.event import Event
from vfdir_lab.log import SCHEMA
from vfdir_lab.log.segment import table_of
from vfdir_lab.projection.picking import LARGE, rows_about

BOTH = pytest.mark.parametrize("among", [1, LARGE], ids=["by duckdb", "by polars"])


def picked(
    objects: Sequence[str], paths: Sequence[Path], among: int, at_most: int = 10**6
) -> pa.Table | None:
    about = pa.table({"object_id": pa.array(objects, pa.string())})
    return rows_about(about, paths, among=among, at_most=at_most)


@given(events=histories().filter(bool), seed=st.integers(0, 999))
def test_both_ways_pick_the_rows_of_these_objects_and_no_others(
    new_desk: Any, events: list[Event], seed: int
) -> None:
    chance = Random(seed)
    there = sorted({event.object_id for event in events})
    objects = [*chance.sample(there, chance.randint(0, len(there))), "block:none"]
    expected = table_of(
        sorted(
            (event for event in events if event.object_id in objects), key=lambda one: (one.device, one.seq)
        )
    )
    with new_desk() as desk:
        desk.write(events, lambda: chance.randint(1, 5))
        for among in (1, LARGE):
            found = picked(objects, desk.segments(), among)
            assert found is not None
            assert found.schema == SCHEMA
            assert found.sort_by([("device", "ascending"), ("seq", "ascending")]).equals(expected)


@BOTH
def test_more_than_is_asked_for_is_none(tides: Any, among: int) -> None:
    objects = ["block:1", "block:2"]
    found = picked(objects, tides.segments(), among)
    assert found is not None
    assert picked(objects, tides.segments(), among, found.num_rows) is not None
    assert picked(objects, tides.segments(), among, found.num_rows - 1) is None


@BOTH
def test_a_folder_whose_name_is_a_pattern_is_read_as_it_is_called(
    tides: Any, tmp_path: Path, among: int
) -> None:
    odd = tmp_path / "a*[b]?.d" / "device=other"
    odd.mkdir(parents=True)
    paths = [odd / path.name for path in tides.segments()]
    for path, copy in zip(tides.segments(), paths, strict=True):
        copy.write_bytes(path.read_bytes())
    found = picked(["block:1"], paths, among)
    assert found == picked(["block:1"], tides.segments(), among)
    assert found is not None
    assert set(found["device"].to_pylist()) == {"aaaa"}


def test_a_file_that_polars_cannot_read_is_an_error_of_the_disk(tides: Any, tmp_path: Path) -> None:
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(b"PAR1" + b"x" * 100 + b"PAR1")
    with pytest.raises(OSError, match="segments cannot be read"):
        picked(["block:1"], [*tides.segments(), broken], LARGE)
    with pytest.raises(FileNotFoundError):
        picked(["block:1"], [tmp_path / "gone.parquet"], LARGE)
