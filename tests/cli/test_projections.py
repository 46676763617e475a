"""Rewriting the interpretation from the command line, from `projection list` to `replay`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from ran import Ran

from vfdir_lab.archive import Archive
from vfdir_lab.event import Draft
from vfdir_lab.projection.lint import RULES

Run = Callable[..., Ran]
SHOUT = """-- projection: blocks
-- version: 4
-- title: Shouting
-- key: object_id
-- refresh by: object_id
/* Titles in capitals. */
SELECT object_id, upper(latest('title') ->> '$') AS title
FROM events WHERE kind = 'block.observed' GROUP BY object_id
"""
TITLES = "SELECT title FROM blocks ORDER BY title"


@pytest.fixture
def archive(home: Path) -> Archive:
    """Two blocks, one of them renamed since."""
    opened = Archive(home, create=True)
    for number, title in ((1, "Ebb"), (2, "Flood"), (1, "Ebb tide")):
        opened.log.append(
            [
                Draft(
                    kind="block.observed",
                    object_id=f"block:{number}",
                    payload={"title": title},
                    origin="arena",
                )
            ]
        )
    return opened


@pytest.fixture
def own(archive: Archive) -> Path:
    """The person's own version of `blocks`."""
    folder = archive.path / "projections" / "blocks"
    folder.mkdir(parents=True)
    (folder / "v4_shouting.sql").write_text(SHOUT)
    return folder / "v4_shouting.sql"


def titles(run: Run, *options: str) -> list[str]:
    done = run("sql", TITLES, "--json", *options)
    assert done.code == 0, done.err
    return [row["title"] for row in json.loads(done.out)]


# -------------------------------------------------------------------------------- list, use, go back


def test_a_persons_version_is_listed_used_and_undone(own: Path, run: Run) -> None:
    listed = json.loads(run("projection", "list", "--json").out)
    mine = {(one["name"], one["version"]): one for one in listed["projections"]}["blocks", 4]
    assert (mine["title"], mine["source"], mine["lenses"], mine["refresh"]) == (
        "Shouting",
        "own",
        [],
        "by object",
    )
    done = run("projection", "use", "blocks", "4")
    assert done.out.splitlines() == [
        "reading blocks v4 (Shouting)",
        "back: vfdir-lab projection use blocks 1",
    ]
    done = run("sql", TITLES, "--format", "csv")
    assert (done.code, done.out.split()) == (0, ['"title"', '"EBB', 'TIDE"', '"FLOOD"'])
    assert "blocks v4 gives no remote_id, type, description" in done.err
    assert run("projection", "use", "blocks", "v2").code == 0
    assert titles(run) == ["Ebb tide", "Flood"]


def test_a_lens_changes_only_what_asks_through_it(own: Path, run: Run, tmp_path: Path) -> None:
    assert run("projection", "use", "blocks", "4", "--lens", "loud").out.startswith("the lens loud reads")
    assert titles(run, "--lens", "loud") == ["EBB TIDE", "FLOOD"]
    assert titles(run) == ["Ebb tide", "Flood"]
    listed = json.loads(run("projection", "list", "--json").out)["projections"]
    used = {one["version"]: one["lenses"] for one in listed if one["name"] == "blocks"}
    assert (used[1], used[4]) == (["default"], ["loud"])
    done = run("sql", TITLES, "--lens", "other")
    assert (done.code, done.err.count("\n")) == (1, 1)
    assert "there is no lens 'other'; there are default, loud" in done.err


def test_status_says_what_is_read_through(own: Path, run: Run) -> None:
    assert "lens     default: as shipped" in run("status").out
    run("projection", "use", "blocks", "4")
    assert "lens     default: blocks v4" in run("status").out
    assert json.loads(run("status", "--json").out)["lens"] == {"name": "default", "chosen": {"blocks": 4}}


def test_going_back_to_the_default_is_a_word(own: Path, run: Run) -> None:
    run("projection", "use", "blocks", "4")
    assert run("projection", "use", "blocks", "default").out.startswith("reading blocks v1")
    assert titles(run) == ["Ebb tide", "Flood"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("use", "blocks", "9"), "there is no blocks v9; there are v1, v2"),
        (("use", "blocks", "new"), "'new' is no version; give a number, or `default`"),
        (("use", "nothing", "1"), "there is no projection 'nothing'; there are answers, bindings, blocks"),
        (("use", "a/b", "1"), "'a/b' cannot be a projection's name"),
        (("use", "blocks", "2", "--lens", "a/b"), "'a/b' cannot be a lens's name"),
        (("show", "blocks", "9"), "there is no blocks v9"),
        (("show", "nothing"), "no version of 'nothing' is in use"),
        (("diff", "blocks", "2", "9"), "there is no blocks v9"),
        (
            ("diff", "blocks", "yesterday"),
            "'yesterday' is no side of a difference: give a version (2), a lens",
        ),
        (("diff", "nothing", "2"), "there is no projection 'nothing'"),
        (("lint", "nowhere.sql"), "nowhere.sql: No such file or directory; give a file of SQL"),
        (("lint", "--explain", "beauty"), "there is no rule 'beauty'; there are header"),
    ],
    ids=lambda one: " ".join(one) if isinstance(one, tuple) else "",
)
def test_bad_input_is_one_line(archive: Archive, run: Run, arguments: tuple[str, ...], said: str) -> None:
    done = run("projection", *arguments)
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("vfdir-lab: ")
    assert done.err.count("\n") == 1
    assert said in done.err


# ------------------------------------------------------------------------------------------- show, new


def test_show_prints_the_file_and_what_runs(archive: Archive, run: Run) -> None:
    done = run("projection", "show", "users")
    assert done.out.startswith("-- projection: users\n-- version: 1\n")
    assert "latest('slug')" in done.out
    assert "by object" in done.err
    expanded = run("projection", "show", "users", "1", "--expanded").out
    assert "latest" not in expanded
    assert Archive(archive.path).engine.arrow(f"SELECT count(*) FROM ({expanded})").num_rows == 1
    told = json.loads(run("projection", "show", "blocks", "--json").out)
    assert told["projection"] == "blocks v1"
    assert told["fingerprint"].startswith("sha256:")
    assert told["sql"].startswith("-- projection: blocks")


def test_new_writes_a_file_that_answers_as_before(archive: Archive, run: Run) -> None:
    path = Path(run("projection", "new", "blocks", "--title", "As I see it").out.strip())
    assert path.parent == archive.path / "projections" / "blocks"
    number = path.name[1]
    assert path.name == f"v{number}_as_i_see_it.sql"
    assert run("projection", "lint").code == 0
    done = run("projection", "diff", "blocks", "2", number, "--json")
    assert json.loads(done.out)["changed"] == 0
    assert run("projection", "use", "blocks", number).code == 0
    assert titles(run) == ["Ebb tide", "Flood"]


# ------------------------------------------------------------------------------------------------ diff


def test_diff_shows_the_cells_and_the_events_behind_them(own: Path, run: Run, archive: Archive) -> None:
    device = archive.log.device()
    found = json.loads(run("projection", "diff", "blocks", "2", "4", "--json").out)
    cells = {(cell["object_id"], cell["field"]): cell for cell in found["cells"]}
    title = cells["block:1", "title"]
    assert (title["what"], title["left"], title["right"]) == ("changed", "Ebb tide", "EBB TIDE")
    assert title["left_event"] == title["right_event"] == f"{device}:4"
    assert found["columns"]["title"] == 2
    text = run("projection", "diff", "blocks", "2", "4").out
    assert "EBB TIDE" in text
    assert f"{device}:4" in text


def test_diff_of_heads_lenses_and_now(own: Path, run: Run, archive: Archive) -> None:
    device = archive.log.device()
    found = json.loads(run("projection", "diff", "blocks", f"{device}:3", "--json").out)
    assert [(one["field"], one["left"], one["right"]) for one in found["cells"]] == [
        ("title", "Ebb", "Ebb tide")
    ]
    run("projection", "use", "blocks", "4", "--lens", "loud")
    found = json.loads(run("projection", "diff", "blocks", "default", "loud", "--json").out)
    assert found["columns"] == {"title": 2} | {k: v for k, v in found["columns"].items() if k != "title"}
    assert "no difference" in run("projection", "diff", "blocks", "2").out


# ------------------------------------------------------------------------------------------------ lint


def test_lint_names_file_line_rule_and_mend(own: Path, run: Run) -> None:
    own.write_text(SHOUT.replace("upper(latest('title') ->> '$')", "now()"))
    done = run("projection", "lint")
    assert done.code == 1
    assert "blocks/v4_shouting.sql:7:" in done.out
    assert ": clock: " in done.out
    (finding,) = json.loads(run("projection", "lint", str(own), "--json").out)["findings"]
    assert (finding["rule"], finding["line"]) == ("clock", 7)
    refused = run("projection", "use", "blocks", "4")
    assert (refused.code, refused.err.count("\n")) == (1, 1)
    assert "clock" in refused.err


@pytest.mark.parametrize("rule", sorted(RULES))
def test_each_rule_is_explained(archive: Archive, run: Run, rule: str) -> None:
    done = run("projection", "lint", "--explain", rule)
    assert done.code == 0
    assert RULES[rule].title in done.out
    assert "But so:" in done.out


def test_lint_runs_the_cases_beside_a_file(own: Path, run: Run) -> None:
    case = own.parent / "cases" / "in_capitals"
    case.mkdir(parents=True)
    event = {
        "device": "aaaa", "seq": 1, "hlc": "65536", "recorded_at": "2026-11-03T12:00:00Z", "origin": "arena",
        "kind": "block.observed", "kind_version": 1, "object_id": "block:7", "payload": {"title": "ebb"},
    }  # fmt: skip
    (case / "events.jsonl").write_text(json.dumps(event) + "\n")
    (case / "expected.v4.jsonl").write_text('{"object_id":"block:7","title":"EBB"}\n')
    assert "1 of 1 case(s) passed" in run("projection", "lint", str(own)).out
    (case / "expected.v4.jsonl").write_text('{"object_id":"block:7","title":"ebb"}\n')
    done = run("projection", "lint", str(own))
    assert done.code == 1
    assert "case in_capitals: other rows than expected" in done.out
    (case / "events.jsonl").write_text("{\n")
    done = run("projection", "lint", str(own))
    assert done.code == 1
    assert "events.jsonl:1" in done.out


def test_a_broken_file_is_listed_and_stands_in_nobodys_way(own: Path, run: Run) -> None:
    own.with_name("v5_torn.sql").write_text("-- projection: blocks\nSELECT")
    assert titles(run) == ["Ebb tide", "Flood"]
    done = run("projection", "list")
    assert done.code == 0
    assert "v5_torn.sql:1: the header lacks version, title, key" in done.err
    assert run("projection", "lint").code == 1
    assert json.loads(run("projection", "list", "--json").out)["problems"]


# --------------------------------------------------------------------------------- why, search, replay


def test_why_names_winner_losers_and_rule(archive: Archive, run: Run) -> None:
    device = archive.log.device()
    told = json.loads(run("why", "block:1", "title", "--json").out)
    assert (told["value"], told["winner"]["event_id"]) == ("Ebb tide", f"{device}:4")
    assert [loser["value"] for loser in told["losers"]] == ["Ebb"]
    assert told["rule"]["projection"] == "blocks"
    text = run("why", "block:1", "title").out
    assert f"from   {device}:4" in text
    for arguments in (("block:9", "title"), ("block:1", "colour"), ("moon:1", "title")):
        done = run("why", *arguments)
        assert (done.code, done.err.count("\n")) == (1, 1)


def test_search_ranks_and_folds(archive: Archive, run: Run) -> None:
    found = json.loads(run("search", "EBB", "--json").out)
    assert [(one["object_id"], one["title"]) for one in found] == [("block:1", "Ebb tide")]
    assert "Flood" in run("search", "flóod").out
    assert run("search", "nowhere to be found").code == 0
    done = run("search", " ")
    assert (done.code, done.err) == (1, "vfdir-lab: search for at least one word\n")


def test_replay_changes_no_answer_and_says_what_it_did(archive: Archive, run: Run) -> None:
    before = titles(run)
    done = json.loads(run("replay", "--json").out)
    assert done["rows"]["blocks"] == 2
    assert json.loads(run("replay", "--json").out)["reused"]
    assert titles(run) == before
    assert run("replay", "--full").code == 0
    assert "there is no lens 'x'" in run("replay", "--lens", "x").err


def test_an_interrupt_ends_a_query_without_end(archive: Archive, settings: dict[str, str]) -> None:
    """Within seconds, with one line, and the archive is as it was."""
    endless = "WITH RECURSIVE r AS (SELECT 1 AS i UNION ALL SELECT i % 9 + 1 FROM r) SELECT count(*) FROM r"
    running = subprocess.Popen(
        [sys.executable, "-m", "vfdir_lab.cli", "sql", endless],
        env=os.environ | settings,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        time.sleep(6)
        assert running.poll() is None
        running.send_signal(signal.SIGINT)
        _, err = running.communicate(timeout=30)
    finally:
        running.kill()
    assert running.returncode == 130
    assert err.decode().count("\n") == 1
    assert archive.verify().ok


@pytest.mark.parametrize("format_", ["table", "csv", "json"])
@pytest.mark.parametrize(
    "value",
    [
        "TIMESTAMPTZ 'infinity'",
        "TIMESTAMP '0044-03-15 (BC) 12:00:00'",
        "DATE '-infinity'",
        "INTERVAL 3 MONTH",
        "TIME '12:00:00'",
        "[INTERVAL 1 DAY]",
        "'NaN'::DOUBLE",
        "['Infinity'::DOUBLE]",
    ],
)
def test_a_value_python_has_no_word_for_is_shown_all_the_same(
    archive: Archive, run: Run, value: str, format_: str
) -> None:
    done = run("sql", f"SELECT {value} AS odd, 1 AS one", "--format", format_)
    assert (done.code, done.err) == (0, "")
    if format_ == "json":
        assert set(json.loads(done.out, parse_constant=pytest.fail)[0]) == {"odd", "one"}


@pytest.mark.parametrize("arguments", [("search", "\udcff"), ("log", "\udcff"), ("sql", "SELECT '\udcff'")])
def test_an_argument_that_is_no_text_is_one_line(
    archive: Archive, run: Run, arguments: tuple[str, ...]
) -> None:
    done = run(*arguments)
    assert (done.code, done.err.count("\n")) == (1, 1)
