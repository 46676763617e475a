"""`export`, and what it can be asked of a snapshot later, as a person types it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from ran import Ran

from vfdir_lab.sandbox import Sandbox

Run = Callable[..., Ran]


def one_line(ran: Ran, *words: str) -> None:
    assert ran.code == 1
    assert len(ran.err.strip().splitlines()) == 1
    assert "Traceback" not in ran.err
    for word in words:
        assert word in ran.err


def test_a_snapshot_is_written_verified_taken_again_and_compared(
    run: Run, sandbox: Sandbox, tmp_path: Path
) -> None:
    run("pull", "tides")
    place = str(tmp_path / "tides")
    assert run("export", "tides", "--format", "html", "--out", place).code == 0
    for question in ("--verify", "--again"):
        assert run("export", question, place).code == 0
    sandbox.control.add_block("tides", "Low water tonight is at 21:40.")
    run("pull", "tides")
    assert json.loads(run("export", "--again", place, "--json").out)["ok"]
    said = run("export", "--diff", place, "now").out.splitlines()
    assert said[1].startswith("added ")
    assert said[-1] == "1 added, 0 removed, 0 moved, 0 changed"
    assert len(json.loads(run("export", "--diff", place, "now", "--json").out)["added"]) == 1
    (Path(place) / "index.html").write_text("changed")
    for question in ("--verify", "--again"):
        ran = run("export", question, place)
        assert ran.code == 1
        assert ran.out.startswith("changed  index.html\n")
    assert json.loads(run("export", "--verify", place, "--json").out)["changed"] == ["index.html"]


def test_all_channels_are_exported_and_replaced(run: Run, tmp_path: Path) -> None:
    run("pull", "tides", "drafts-and-doubts", "an-empty-room")
    out = str(tmp_path / "all.zip")
    ran = run("export", "--all", "--format", "zip", "--out", out, "--json")
    assert {one["slug"] for one in json.loads(ran.out)["channels"]} == {"tides", "an-empty-room"}
    assert run("export", "--verify", out).code == 0
    one_line(run("export", "--all", "--format", "zip", "--out", out), "--replace")
    assert run("export", "--all", "--format", "zip", "--out", out, "--replace").code == 0
    private = run("export", "--all", "--private", "--format", "json", "--out", str(tmp_path / "p"), "--json")
    assert "drafts-and-doubts" in {one["slug"] for one in json.loads(private.out)["channels"]}


def test_bad_orders_are_one_line_and_leave_nothing(run: Run, home: Path, tmp_path: Path) -> None:
    run("pull", "tides", "drafts-and-doubts")
    out = str(tmp_path / "out")
    (tmp_path / "file").write_text("mine")
    before = sorted(tmp_path.iterdir())
    html = ("--format", "html", "--out")
    one_line(run("export", "nothing", *html, out), "nothing")
    one_line(run("export", "drafts-and-doubts", *html, out), "--private")
    one_line(run("export", "tides", "--format", "pdf", "--out", out), "pdf", "csv.zip")
    one_line(run("export", "tides", *html, str(home / "out")), "inside the archive")
    one_line(run("export", "tides", *html, str(tmp_path / "file" / "out")), "file")
    one_line(run("export", "tides", *html, str(tmp_path / "file"), "--replace"), "no snapshot")
    one_line(run("export", "tides", *html, out, "--depth", "-1"), "depth")
    for question in (("--verify", out), ("--again", out), ("--diff", out, "now")):
        one_line(run("export", *question), "no snapshot")
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["tides"],
        ["tides", "--all", "--format", "json", "--out", "x"],
        ["tides", "--verify", "x"],
        ["--verify", "x", "--again", "x"],
        ["--diff", "x"],
    ],
)
def test_wrong_usage_is_2(run: Run, arguments: list[str]) -> None:
    assert run("export", *arguments).code == 2
