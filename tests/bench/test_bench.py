"""The benchmark runs and says what it promises to say; how quick anything was is never asserted here."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from xml.etree import ElementTree

import duckdb
import pytest

from vfdir_lab.bench import log, replay, replay_material, replay_rivals
from vfdir_lab.bench.__main__ import main
from vfdir_lab.bench.measure import Figure
from vfdir_lab.log import verify
from vfdir_lab.projection.definition import define

KEYS = {"what", "value", "unit", "baseline", "ratio", "bound", "holds", "kind"}


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "APPENDED", 3)
    monkeypatch.setattr(log, "LISTED", (1, 1000))


def test_the_log_is_measured_and_given_as_json(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    plot = tmp_path / "plot.svg"
    code = main(["log", "--json", "--size", "20", "--repetitions", "1", "--plot", str(plot)])
    found = json.loads(capsys.readouterr().out)
    assert all(set(one) == KEYS for one in found)
    assert {one["kind"] for one in found} == {"gate", "informs"}
    assert code == int(any(one["kind"] == "gate" and not one["holds"] for one in found))
    for word in ("append", "scan", "verify", "compact", "unchanged"):
        assert any(word in one["what"].replace("nothing changed", "unchanged") for one in found)
    ElementTree.fromstring(plot.read_text("utf-8"))


def test_the_log_is_measured_and_given_as_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    main(["log", "--size", "20", "--repetitions", "1"])
    said = capsys.readouterr().out
    assert "ratio" in said
    assert "informs" in said


@pytest.mark.parametrize(
    ("value", "baseline", "bound", "holds"),
    [(3.0, 1.0, 3.0, True), (3.1, 1.0, 3.0, False), (1.9, None, 2.0, True), (2.1, None, 2.0, False)],
)
def test_a_bound_is_of_the_ratio_or_of_the_value(
    value: float, baseline: float | None, bound: float, holds: bool
) -> None:
    figure = Figure(what="x", value=value, unit="ms", kind="gate", baseline=baseline, bound=bound)
    assert figure.holds == holds


@pytest.mark.parametrize(("value", "code"), [(1.0, 0), (9.0, 1)])
def test_the_exit_code_says_whether_every_gate_holds(
    monkeypatch: pytest.MonkeyPatch, value: float, code: int
) -> None:
    found = [
        Figure(what="gate", value=value, unit="ms", kind="gate", bound=2.0),
        Figure(what="no gate", value=9.0, unit="ms", kind="informs", bound=2.0),
    ]
    monkeypatch.setattr(log, "figures", lambda *_, **__: iter(found))
    assert main(["log", "--json"]) == code


def test_replay_is_measured_and_given_as_json(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay, "LIBRARY_SLICE", 20)
    main(["replay", "--json", "--size", "300", "--repetitions", "1"])
    found = json.loads(capsys.readouterr().out)
    assert all(set(one) == KEYS and one["value"] > 0 for one in found)
    for words in (
        "all columns",
        "four fields, 300 events",
        "kept columns, 300 events",
        "as of",
        "SQLite",
        "Python loop",
        "first query",
        "new events",
    ):
        assert any(words in one["what"] for one in found)


def test_what_is_compared_gives_the_same_rows(tmp_path: Path) -> None:
    """The fold of four fields, cleared ones null: from the payloads, over kept columns, and in SQLite."""
    made = replay_material.log_of_blocks(tmp_path, events=3_000)
    with duckdb.connect() as connection:
        replay.look_at(connection, made)
        four = define(replay.FOUR_FIELDS, where="four").plain
        connection.execute(f"CREATE VIEW four_columns AS {replay.COLUMNS.view}")
        ours, over_columns = (
            connection.sql(f"FROM ({query}) ORDER BY object_id").fetchall()
            for query in (four, replay.OVER_COLUMNS)
        )
        facts = connection.sql("SELECT object_id, hlc, payload FROM events").fetchall()
    sql = (Path(replay_rivals.__file__).parent / "replay_sqlite.sql").read_text("utf-8")
    with closing(sqlite3.connect(":memory:")) as theirs:
        theirs.execute("CREATE TABLE events (object_id TEXT, hlc INTEGER, payload TEXT)")
        theirs.executemany("INSERT INTO events VALUES (?, ?, ?)", facts)
        assert ours == over_columns == theirs.execute(f"SELECT * FROM ({sql}) ORDER BY object_id").fetchall()
    assert len(ours) == 2_000
    assert any(description is None for *_, description, _ in ours)


def test_growth_is_measured_in_processes_of_its_own(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay, "LARGE", 20)
    monkeypatch.setattr(log, "figures", lambda *_, **__: iter(()))
    main(["log", "--json", "--growth"])
    time, memory = json.loads(capsys.readouterr().out)
    assert (time["unit"], memory["unit"]) == ("ms", "MiB")
    assert time["value"] > 0 < memory["value"]


def test_the_log_of_blocks_is_one_that_verify_proves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay_material, "SEGMENT_EVENTS", 100)
    made = replay_material.log_of_blocks(tmp_path, events=250)
    assert made.coverage().events == 250
    assert verify(made).ok
