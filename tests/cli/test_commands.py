"""The commands, run as processes against a local are.na."""

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from ran import Ran

from vfdir_lab.sandbox import Sandbox

Run = Callable[..., Ran]


def test_a_pull_makes_the_archive_and_says_what_it_found(run: Run, home: Path) -> None:
    done = run("pull", "tides")
    assert (done.code, done.err) == (0, "")
    assert "Tides" in done.out
    assert (home / "archive.toml").is_file()
    report = json.loads(run("pull", "tides", "--json").out)
    assert [one["new"] for one in report["channels"]] == [0]


def test_home_is_accepted_before_and_after_the_command(run: Run, tmp_path: Path) -> None:
    first, second = str(tmp_path / "one"), str(tmp_path / "two")
    assert run("--home", first, "pull", "an-empty-room").code == 0
    assert run("pull", "an-empty-room", "--home", second).code == 0
    assert json.loads(run("--home", first, "status", "--json").out)["path"] == first
    assert json.loads(run("status", "--json", "--home", second).out)["path"] == second


def test_status_tells_what_is_there(run: Run) -> None:
    run("pull", "tides", "an-empty-room")
    status = json.loads(run("status", "--json").out)
    assert {one["slug"]: one["length"] for one in status["channels"]}["an-empty-room"] == 0
    assert status["missing"] == status["refused"] == []
    text = run("status").out
    assert "Tides" in text
    assert status["head"] in text


@pytest.mark.parametrize("format_", ["table", "csv", "json"])
def test_sql_answers_as_text_in_every_format(run: Run, format_: str) -> None:
    run("pull", "an-empty-room")
    done = run("sql", "SELECT 7 AS n, 'a,b' AS t, [1, 2] AS l", "--format", format_)
    assert done.code == 0
    assert "a,b" in done.out
    if format_ == "json":
        assert json.loads(done.out) == [{"n": 7, "t": "a,b", "l": [1, 2]}]
    if format_ == "csv":
        assert list(csv.reader(done.out.splitlines())) == [["n", "t", "l"], ["7", "a,b", "[1, 2]"]]


def test_sql_answers_as_parquet(run: Run, tmp_path: Path) -> None:
    run("pull", "an-empty-room")
    done = run("sql", "SELECT 7 AS n, [1, 2] AS l", "--format", "parquet")
    (tmp_path / "answer.parquet").write_bytes(done.out.encode("latin-1"))
    assert pq.read_table(tmp_path / "answer.parquet").to_pylist() == [{"n": 7, "l": [1, 2]}]


def test_sql_reads_a_query_from_standard_input(run: Run, run_process: Run) -> None:
    run("pull", "an-empty-room")
    ran = run_process("sql", "-", "--json", stdin="SELECT count(*) AS n FROM channels")
    assert json.loads(ran.out) == [{"n": 1}]


def test_a_terminal_that_lacks_a_character_is_no_reason_to_stop(run: Run, run_process: Run) -> None:
    run("pull", "an-empty-room")
    ran = run_process("sql", "SELECT '\u6f6e' AS t", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert (ran.code, ran.err) == (0, "")
    assert "\\u6f6e" in ran.out


def test_sql_as_of_a_head_answers_as_it_was_then(run: Run, sandbox: Sandbox) -> None:
    channel = str(sandbox.control.add_channel("Before and after", by=sandbox.world.main)["id"])
    run("pull", channel)
    head = json.loads(run("status", "--json").out)["head"]
    sandbox.control.edit_channel(int(channel), title="Afterwards")
    run("pull", channel)
    query = "SELECT title FROM channels"
    assert json.loads(run("sql", query, "--json").out) == [{"title": "Afterwards"}]
    assert json.loads(run("sql", query, "--json", "--as-of", head).out) == [{"title": "Before and after"}]
    assert json.loads(run("sql", query, "--json", "--as-of", "2001-01-01").out) == []


def test_log_shows_the_facts_about_an_object_newest_last(run: Run) -> None:
    run("pull", "tides")
    everything = json.loads(run("log", "--json").out)
    assert all(isinstance(event["hlc"], str) for event in everything)
    assert [int(e["hlc"]) for e in everything] == sorted(int(e["hlc"]) for e in everything)
    block = json.loads(run("sql", "SELECT object_id FROM blocks LIMIT 1", "--json").out)[0]["object_id"]
    assert {event["object_id"] for event in json.loads(run("log", block, "--json").out)} == {block}
    assert block in run("log", block).out


def test_verify_passes_and_then_names_a_broken_file(run: Run, home: Path) -> None:
    run("pull", "tides")
    assert run("verify").code == 0
    assert json.loads(run("verify", "--json").out)["ok"] is True
    segment = next((home / "log").rglob("*.parquet"))
    data = bytearray(segment.read_bytes())
    data[len(data) // 2] ^= 1
    segment.write_bytes(data)
    broken = run("verify")
    assert broken.code == 1
    assert segment.name in broken.out


def test_export_writes_the_same_bytes_twice(run: Run, tmp_path: Path) -> None:
    run("pull", "tides")
    for name in ("one", "two"):
        assert run("export", "tides", "--format", "jsonl", "--out", str(tmp_path / name)).code == 0
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert files == ["blocks.jsonl", "channels.jsonl", "connections.jsonl", "snapshot.json", "users.jsonl"]
    for name in files:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_the_demo_runs_through_and_shows_each_step(run_process: Run, tmp_path: Path) -> None:
    done = run_process("demo", "--home", str(tmp_path / "demo" / "archive"))
    assert (done.code, done.err) == (0, "")
    for step in ("Pull", "Ask in SQL", "out of reach", "The facts this added", "in conflict", "Take theirs",
                 "Push", "Look back", "Export", "everything proven"):  # fmt: skip
        assert step in done.out
    lines = [line.split() for line in done.out.splitlines()]
    assert lines[lines.index(["requests", "to", "make", "it", "blocks", "on", "are.na"]) + 1] == ["1", "1"]
    assert (tmp_path / "demo" / "tides-snapshot" / "snapshot.json").is_file()


def test_help_and_version_cost_no_archive(run: Run, home: Path) -> None:
    assert "pull" in run("--help").out
    assert run("--version").out.startswith("vfdir_lab ")
    assert not home.exists()


def test_the_token_is_nowhere(run: Run, sandbox: Sandbox, home: Path, state_home: Path) -> None:
    done = run("pull", "tides", "--comments")
    run("status")
    token = sandbox.tokens.read.encode()
    assert token.decode() not in done.out + done.err
    for folder in (home, state_home):
        for path in folder.rglob("*"):
            assert not path.is_file() or token not in path.read_bytes()


def test_a_copied_archive_becomes_a_new_device(run: Run, home: Path, tmp_path: Path) -> None:
    run("pull", "tides")
    shutil.copytree(home, tmp_path / "copy")
    assert run("--home", str(tmp_path / "copy"), "pull", "tides").code == 0
    devices = json.loads(run("--home", str(tmp_path / "copy"), "status", "--json").out)["devices"]
    assert [one["own"] for one in devices].count(True) == 1
    assert len(devices) == 2
    assert run("--home", str(tmp_path / "copy"), "verify").code == 0
