"""A checkpoint is a cache: whatever is wrong with it, the answer is the one without it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from vfdir_lab.errors import ArchiveWriteError
from vfdir_lab.event import Event
from vfdir_lab.log import Head
from vfdir_lab.projection import Engine, checkpoint, default_lens
from vfdir_lab.projection.checkpoint import Made
from vfdir_lab.projection.checkpoints import Checkpoints
from vfdir_lab.projection.connection import connect, literal
from vfdir_lab.projection.replay import replay
from vfdir_lab.projection.source import open_dataset

MakeEvent = Callable[..., Event]
TITLES = "SELECT title FROM blocks ORDER BY title"
TIDES = ["Tide 1", "Tide 2", "Tide 3"]
MADE = Made(fingerprint="sha256:" + "a" * 64, head=Head({"aaaa": 1}), events="of a test")


def made(desk: Any) -> Path:
    """Checkpoints of what the desk holds now; returns the one of blocks."""
    replay(desk.log(), desk.root / "cache", default_lens(), only={"blocks", "users"})
    return files_of(desk)[0]


def files_of(desk: Any, name: str = "blocks") -> list[Path]:
    folder = desk.root / "cache" / "checkpoints" / default_lens().fingerprints[name].partition(":")[2][:16]
    return sorted(folder.glob("*.parquet"))


def engine_of(desk: Any) -> Engine:
    return Engine(desk.log(), desk.root / "cache")


def titles(engine: Engine) -> list[list[str]]:
    """As all ways of asking give them."""
    answers = [
        engine.arrow(TITLES)["title"].to_pylist(),
        [row for (row,) in engine.relation(TITLES).fetchall()],
        [row["title"] for batch in engine.stream(TITLES) for row in batch.to_pylist()],
    ]
    assert answers[0] == answers[1] == answers[2]
    return answers[0]


def used(engine: Engine) -> int:
    return len(engine._open("blocks", engine._stand(None, None), confined=False).checkpoints)


def test_a_checkpoint_is_read(tides: Any) -> None:
    """So that the tests below test something."""
    made(tides)
    engine = engine_of(tides)
    assert titles(engine) == TIDES
    assert used(engine) == 1


def flipped(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 1
    path.write_bytes(data)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def foreign(path: Path) -> None:
    path.write_bytes(b"PAR1 and not")


BREAKS = {"flipped": flipped, "cut": cut, "empty": emptied, "foreign": foreign, "gone": Path.unlink}


@pytest.mark.parametrize("how", BREAKS)
def test_a_broken_checkpoint_is_removed_and_not_missed(tides: Any, how: str) -> None:
    path = made(tides)
    BREAKS[how](path)
    engine = engine_of(tides)
    assert titles(engine) == TIDES
    assert used(engine) == 0
    assert not path.exists()


@pytest.mark.parametrize("how", BREAKS)
def test_one_that_breaks_while_its_connection_is_kept_is_not_missed(tides: Any, how: str) -> None:
    path = made(tides)
    engine = engine_of(tides)
    assert titles(engine) == TIDES
    BREAKS[how](path)
    assert titles(engine) == TIDES
    assert used(engine) == 0


def test_a_relation_outlives_its_checkpoint(tides: Any) -> None:
    """The file stays open for it."""
    made(tides)
    relation = engine_of(tides).relation(TITLES)
    shutil.rmtree(tides.root / "cache")
    assert [row for (row,) in relation.fetchall()] == TIDES


def test_every_byte_counts(tides: Any, event: MakeEvent) -> None:
    """Flipped anywhere, footer included, nothing else is read from it."""
    path = made(tides)
    whole = path.read_bytes()
    for place in range(0, len(whole), max(1, len(whole) // 40)):
        data = bytearray(whole)
        data[place] ^= 0x10
        path.write_bytes(data)
        assert engine_of(tides).arrow(TITLES)["title"].to_pylist() == TIDES


def test_one_of_another_archive_is_passed_over(tides: Any, new_desk: Any, event: MakeEvent) -> None:
    """With the same device, head and projection, but of other events."""
    with new_desk() as other:
        other.write(
            [event("aaaa", seq, "block.observed", f"block:{seq}", title="Not") for seq in range(1, 11)]
        )
        made(other)
        shutil.copytree(other.root / "cache", tides.root / "cache")
    engine = engine_of(tides)
    assert titles(engine) == TIDES
    assert used(engine) == 0


def test_one_under_the_name_of_another_projection_is_passed_over(tides: Any) -> None:
    path = made(tides)
    for other in files_of(tides, "users"):
        shutil.copy(other, path.parent / other.name)
    path.unlink()
    engine = engine_of(tides)
    assert titles(engine) == TIDES
    assert used(engine) == 0


def test_one_of_another_duckdb_is_reported_once_and_kept(tides: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as then:
        then.setattr(checkpoint, "ENGINE", "duckdb 1")
        path = made(tides)
    engine = engine_of(tides)
    assert titles(engine) == titles(engine) == TIDES
    assert engine.notices == ("checkpoints made by duckdb 1 are not used by duckdb 2; replay makes new ones",)
    assert path.exists()


def test_one_beyond_what_is_here_is_passed_over(tides: Any, event: MakeEvent) -> None:
    """Events that were there are not: a file sync under way, a lost file."""
    made(tides)
    sorted((tides.root / "log").rglob("*.parquet"))[-1].unlink()
    engine = engine_of(tides)
    assert titles(engine) == titles(tides.engine())
    assert used(engine) == 0


def test_without_a_cache_there_are_no_checkpoints(tides: Any) -> None:
    def refuses() -> Path:
        raise ArchiveWriteError("the state folder is read-only")

    for cache in (None, refuses, tides.root / "nowhere"):
        assert titles(Engine(tides.log(), cache)) == TIDES


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_cache_is_still_read(tides: Any) -> None:
    path = made(tides)
    path.parent.chmod(0o500)
    assert used(engine_of(tides)) == 1
    path.parent.chmod(0o700)


VALUES = {
    "JSON": """'{"a": 1}'""",
    "TIMESTAMP WITH TIME ZONE": "'2024-01-01 00:00:00.123456+02'",
    "TIMESTAMP": "'-infinity'",
    "HUGEINT": "170141183460469231731687303715884105727",
    "UHUGEINT": "340282366920938463463374607431768211455",
    "BOOLEAN": "true",
    "UUID": "'6a3c2b7e-0000-4000-8000-000000000001'",
    "TIME": "'12:00:00.5'",
    "INTERVAL": "'1 year 2 months 3 days 04:05:06.5'",
    "DATE": "'2024-02-29'",
    "DECIMAL(18,3)": "1.5",
    "DOUBLE": "'nan'",
    "UTINYINT": "7",
    "BLOB": r"'\xAA'",
    "VARCHAR[]": "['a', NULL]",
    "STRUCT(a INTEGER, b VARCHAR)": "{'a': 1, 'b': 'x'}",
    "MAP(VARCHAR, INTEGER)": "MAP {'a': 1}",
}


@pytest.mark.parametrize("type_", VALUES)
def test_a_value_comes_back_with_its_type(tmp_path: Path, type_: str) -> None:
    checkpoints = Checkpoints(tmp_path)
    with connect() as connection:
        row = f"SELECT 'x' AS id, CAST({VALUES[type_]} AS {type_}) AS value UNION ALL SELECT 'y', NULL"
        connection.execute(f"CREATE VIEW given AS {row}")
        assert checkpoints.write(connection, ["FROM given"], ["id"], MADE) == 2
        (path,) = tmp_path.rglob("*.parquet")
        kept = checkpoint.read(path)
        connection.register("kept", open_dataset(path))
        for table in ("kept", f"read_parquet({literal(str(path))})"):
            told = [
                connection.sql(f"SELECT *, typeof(value), CAST(value AS VARCHAR) FROM ({rows}) ORDER BY id")
                for rows in (kept.select(table), "FROM given")
            ]
            assert str(told[0].fetchall()) == str(told[1].fetchall())


@pytest.mark.parametrize(
    "type_", ["ENUM('x', 'y')", "JSON[]", "HUGEINT[]", "TIMESTAMP_S", "UNION(a INTEGER)"]
)
def test_a_type_that_would_not_come_back_is_not_kept(tmp_path: Path, type_: str) -> None:
    with connect() as connection:
        connection.execute(f"CREATE VIEW given AS SELECT 'x' AS id, CAST(NULL AS {type_}) AS value")
        assert Checkpoints(tmp_path).write(connection, ["FROM given"], ["id"], MADE) is None
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_the_file_is_sorted_by_key_and_says_what_it_is_of(tides: Any, event: MakeEvent) -> None:
    path = made(tides)
    assert pq.read_table(path)["object_id"].to_pylist() == ["block:1", "block:2", "block:3"]
    said = {key.decode(): value.decode() for key, value in pq.read_metadata(path).metadata.items()}
    assert said["vfdir.head"] == "aaaa:10"
    assert said["vfdir.fingerprint"] == default_lens().fingerprints["blocks"]
    assert said["vfdir.engine"] == checkpoint.ENGINE
    assert said["vfdir.rows"] == "3"
