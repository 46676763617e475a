"""`compact`, `merge`, `import-export`: keeping an archive, run as processes."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from ran import Ran

from vfdir_lab.archive import Archive
from vfdir_lab.sandbox import Sandbox

Run = Callable[..., Ran]
ROWS = "SELECT object_id, title FROM blocks ORDER BY object_id"
CSV = """ID,Filename,Title,Description,Created At,Updated At,Source
901,,Tide table,By hand,2020-01-31 12:00:00 UTC,2020-02-01 12:00:00 UTC,https://example.org/tides
902,gauge.png,Gauge,,2020-01-31 12:00:00 UTC,2020-02-01 12:00:00 UTC,
"""


def test_compact_makes_few_segments_of_many_and_changes_no_answer(run: Run, home: Path) -> None:
    for _ in range(3):
        run("pull", "tides", "--full")
    before, head = run("sql", ROWS, "--json").out, json.loads(run("status", "--json").out)["head"]
    done = json.loads(run("compact", "--now", "--json").out)
    assert done["merged"] >= 3
    assert len(list((home / "log").rglob("*.parquet"))) == done["written"] == 1
    assert run("sql", ROWS, "--json").out == before
    assert json.loads(run("status", "--json").out)["head"] == head
    assert run("verify").code == 0
    assert run("compact").code == 0


def test_a_pull_compacts_by_itself_when_there_are_many_small_segments(run: Run, home: Path) -> None:
    run("pull", "an-empty-room")
    with Archive(home) as archive:
        (draft,) = [event for event in archive.log.events_after(archive.head.__class__()) if event.seq == 1]
        assert draft.kind == "device.joined"
        from vfdir_lab.event import Draft

        for number in range(70):
            archive.log.append([Draft(kind="user.observed", object_id=f"user:{number + 1}", payload={})])
    run("pull", "an-empty-room")
    status = json.loads(run("status", "--json").out)
    assert status["segments"] < 10
    assert run("verify").code == 0


def test_two_archives_merged_both_ways_answer_alike(run: Run, sandbox: Sandbox, tmp_path: Path) -> None:
    one, two = str(tmp_path / "one"), str(tmp_path / "two")
    run("--home", one, "pull", "tides", "an-empty-room")
    run("--home", two, "pull", "tides", "euclid-in-colours")
    assert run("--home", one, "merge", two).code == 0
    assert run("--home", two, "merge", one).code == 0
    for table in ("blocks", "channels", "connections", "users", "scans", "events"):
        query = f"SELECT * FROM {table} ORDER BY ALL"
        assert (
            run("--home", one, "sql", query, "--json").out == run("--home", two, "sql", query, "--json").out
        )
    again = json.loads(run("--home", one, "merge", two, "--json").out)
    assert again["copied"] == []
    for home in (one, two):
        assert run("--home", home, "verify").code == 0
        assert run("--home", home, "pull", "tides").code == 0


def test_a_merge_with_what_is_no_archive_is_one_line(run: Run, home: Path, tmp_path: Path) -> None:
    run("pull", "an-empty-room")
    for place in (tmp_path / "nowhere", home):
        ran = run("merge", str(place))
        assert ran.code == 1
        assert len(ran.err.strip().splitlines()) == 1
        assert "Traceback" not in ran.err


def test_a_fork_is_named_and_quarantined(run: Run, home: Path, tmp_path: Path, state_home: Path) -> None:
    """A copy that was made with its machine state goes on as the same device: both write its next seq."""
    run("pull", "an-empty-room")
    shutil.copytree(home, tmp_path / "clone")
    (kept,) = (state_home / "archives").iterdir()
    state = kept / "device.json"
    text = state.read_text()
    assert run("--home", str(tmp_path / "clone"), "status").code == 0
    from vfdir_lab.log import Machine

    with Archive(tmp_path / "clone") as clone:
        machine = Machine(clone.id, clone.path)
        machine.folder.mkdir(parents=True, exist_ok=True)
        (machine.folder / "device.json").write_text(text)
    run("--home", str(tmp_path / "clone"), "pull", "tides")
    run("pull", "euclid-in-colours")
    ran = run("merge", str(tmp_path / "clone"))
    assert ran.code == 1
    assert "Traceback" not in ran.err
    assert len(ran.err.strip().splitlines()) == 1
    assert list((home / "quarantine").rglob("*.parquet"))
    assert run("verify").code == 0


@pytest.mark.parametrize("arguments", [[], ["--channel", "harbour", "--title", "Harbour"]])
def test_an_export_of_are_na_is_imported(run: Run, tmp_path: Path, arguments: list[str]) -> None:
    file = tmp_path / "harbour.csv"
    file.write_text(CSV, encoding="utf-8")
    first = run("import-export", str(file), *arguments, "--json")
    assert first.code == 0
    assert json.loads(run("sql", ROWS, "--json").out) == [
        {"object_id": "block:901", "title": "Tide table"},
        {"object_id": "block:902", "title": "Gauge"},
    ]
    events = json.loads(run("status", "--json").out)["events"]
    assert run("import-export", str(file), *arguments).code == 0
    assert json.loads(run("status", "--json").out)["events"] == events
    assert run("verify").code == 0


def test_a_file_that_is_no_export_is_one_line(run: Run, home: Path, tmp_path: Path) -> None:
    (tmp_path / "no.csv").write_bytes(b"\x00\x01binary")
    (tmp_path / "no.zip").write_bytes(b"PK\x03\x04 cut off")
    for name in ("no.csv", "no.zip", "nothing.csv"):
        ran = run("import-export", str(tmp_path / name))
        assert ran.code == 1
        assert len(ran.err.strip().splitlines()) == 1
        assert "Traceback" not in ran.err
