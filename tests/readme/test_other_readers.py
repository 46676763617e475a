"""The lines of the README that read a bare log without us, run as they stand there."""

import re
from pathlib import Path

import duckdb
import pandas as pd
import polars as pl
import pytest

from vfdir_lab.archive import Archive
from vfdir_lab.event import Draft

README = Path(__file__).parents[2] / "README.md"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with an `archive/` of seven events (the device's own included)."""
    with Archive(tmp_path / "archive", create=True) as archive:
        for number in range(1, 7):
            archive.log.append(
                [Draft(kind="user.observed", object_id=f"user:{number}", payload={"id": number})]
            )
    monkeypatch.chdir(tmp_path)
    return tmp_path


def line(reader: str) -> str:
    """The README's line for this reader."""
    found = re.search(rf"^\| {reader} \| `(.+)` \|$", README.read_text("utf-8"), re.MULTILINE)
    assert found is not None, f"the README has no line for {reader}"
    return found[1]


def test_duckdb_reads_the_log_without_us(here: Path) -> None:
    rows = duckdb.sql(line("DuckDB")).to_arrow_table()
    assert rows.num_rows == 7
    (folder,) = (here / "archive" / "log").iterdir()
    assert {f"device={device}" for device in rows.column("device").to_pylist()} == {folder.name}


def test_polars_reads_the_log_without_us(here: Path) -> None:
    frame = eval(line("Polars"), {"pl": pl})
    assert frame.collect().shape == (7, 11)


def test_pandas_reads_the_log_without_us(here: Path) -> None:
    frame = eval(line("pandas"), {"pd": pd})
    assert frame.shape == (7, 11)
    assert sorted(frame["seq"]) == list(range(1, 8))


def test_the_readme_has_a_line_for_spark() -> None:
    assert line("Spark").startswith("spark.read")
