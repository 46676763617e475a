"""Rows are compared by hashes made in one place: what differs, by key, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vfdir_lab.scale.comparison import Comparison, compare

VALUES = st.one_of(st.none(), st.sampled_from(["", "null", "a", '"', "é", "1"]))
ROWS = st.lists(st.tuples(st.sampled_from(["k1", "k2", "k3"]), VALUES), max_size=6)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("sides")
    (found / "theirs").mkdir()
    return found


def compared(place: Path, ours: pa.Table, *theirs: pa.Table) -> Comparison:
    for part in (place / "theirs").iterdir():
        part.unlink()
    pq.write_table(ours, place / "ours.parquet")
    for number, table in enumerate(theirs):
        pq.write_table(table, place / "theirs" / f"part-{number}.parquet")
    return compare(place / "ours.parquet", place / "theirs", ("k",))


def table(rows: list[tuple[str, str | None]]) -> pa.Table:
    return pa.table({"k": [k for k, _ in rows], "v": pa.array([v for _, v in rows], pa.string())}).cast(
        pa.schema([("k", pa.string()), ("v", pa.string())])
    )


@given(ours=ROWS, theirs=ROWS, cut=st.integers(0, 6))
def test_rows_are_equal_as_often_as_they_are_there_in_whatever_files(
    place: Path, ours: list[tuple[str, str | None]], theirs: list[tuple[str, str | None]], cut: int
) -> None:
    found = compared(place, table(ours), table(theirs[:cut]), table(theirs[cut:]))
    left, right = list(ours), list(theirs)
    for row in ours:
        if row in right:
            right.remove(row)
            left.remove(row)
    assert (found.only_duckdb, found.only_spark) == (len(left), len(right))
    assert found.equal == (sorted(ours, key=str) == sorted(theirs, key=str))
    assert set(found.first) <= {f'["{k}"]' for k, _ in (*left, *right)}


def test_columns_of_another_name_type_or_order_are_told_and_no_rows(place: Path) -> None:
    ours = pa.table({"k": ["a"], "v": pa.array([1], pa.int64())})
    found = compared(place, ours, pa.table({"k": ["a"], "v": pa.array([1], pa.int32())}))
    assert str(found) == "other columns: DuckDB has v BIGINT, Spark v INTEGER"
    assert not found.equal
    turned = compared(place, ours, pa.table({"v": pa.array([1], pa.int64()), "k": ["a"]}))
    assert not turned.equal
