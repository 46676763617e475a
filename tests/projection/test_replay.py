"""Replay makes checkpoints and nothing else; interrupted, it goes on; two at once do no harm."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vfdir_lab.errors import ArchiveWriteError, QueryError
from vfdir_lab.event import Event
from vfdir_lab.projection import Engine, Lens, checkpoint, default_lens
from vfdir_lab.projection import replay as module
from vfdir_lab.projection.checkpoints import KEPT_HEADS
from vfdir_lab.projection.definition import define
from vfdir_lab.projection.lens import lens_of
from vfdir_lab.projection.replay import ReplayReport, needs_replay, replay

MakeEvent = Callable[..., Event]
SOME = {"blocks", "users", "scans"}
REPLAYER = Path(__file__).with_name("replayer.py")
TITLES = "SELECT title FROM blocks ORDER BY title"
TIDES = ["Tide 1", "Tide 2", "Tide 3"]


def run(desk: Any, lens: Lens | None = None, **options: Any) -> ReplayReport:
    options.setdefault("only", SOME)
    return replay(desk.log(), desk.root / "cache", lens or default_lens(), **options)


def files(desk: Any) -> list[Path]:
    return sorted(path for path in (desk.root / "cache").rglob("*") if path.is_file())


def titles(desk: Any) -> list[str]:
    return Engine(desk.log(), desk.root / "cache").arrow(TITLES)["title"].to_pylist()


def own(name: str, select: str) -> Lens:
    text = f"-- projection: {name}\n-- version: 1\n-- title: T\n-- key: object_id\n{select}"
    return lens_of("own", [*default_lens().definitions, define(text, where=name, source="own")])


def test_every_projection_of_the_lens_is_kept(tides: Any) -> None:
    told: list[tuple[int, int, str]] = []
    report = run(tides, only=None, on_progress=lambda *step: told.append(step))
    names = [one.name for one in default_lens().definitions]
    assert [*report.rows] == names
    assert (report.rows["blocks"], report.rows["connections"], report.reused) == (3, 3, ())
    assert told == [(n, len(names), name) for n, name in enumerate([*names, ""])]
    assert len(files(tides)) == len(names)


def test_nothing_is_written_but_below_the_cache(tides: Any) -> None:
    before = tides.bytes()
    run(tides)
    after = tides.bytes()
    assert {name: after[name] for name in before} == before
    assert {name.partition("/")[0] for name in after.keys() - before.keys()} == {"cache"}


def test_what_is_there_is_not_computed_again_unless_asked(tides: Any) -> None:
    run(tides)
    again = run(tides)
    assert (again.rows, set(again.reused)) == ({}, SOME)
    assert set(run(tides, full=True).rows) == SOME
    assert "3 reused" in str(again)


def test_it_goes_on_from_what_was_there(tides: Any, event: MakeEvent) -> None:
    run(tides)
    for seq in range(1, 5):
        tides.write(
            [event("bbbb", seq, "block.observed", f"block:{10 + seq}", at=50 + seq, title=f"X {seq}")]
        )
        assert run(tides).rows["blocks"] == 3 + seq
    assert titles(tides) == [*TIDES, "X 1", "X 2", "X 3", "X 4"]
    assert len(files(tides)) == KEPT_HEADS * len(SOME)


def test_an_interrupted_one_is_gone_on_with(tides: Any) -> None:
    def interrupt(done: int, _all: int, _name: str) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(tides, on_progress=interrupt)
    report = run(tides)
    assert (len(report.rows), len(report.reused)) == (1, 2)


def test_killed_at_every_step_it_leaves_right_answers_and_is_gone_on_with(tides: Any) -> None:
    """Just before each open, rename and unlink below the cache."""
    steps, survived = 0, False
    while not survived and steps < 60:
        steps += 3
        command = [sys.executable, str(REPLAYER), str(tides.root), str(tides.home), str(steps)]
        survived = subprocess.run(command, check=False, capture_output=True).returncode == 0
        assert titles(tides) == TIDES
    assert survived
    assert steps > 2
    assert len(run(tides).reused) == 3


def test_two_at_once_do_no_harm(tides: Any) -> None:
    command = [sys.executable, str(REPLAYER), str(tides.root), str(tides.home)]
    both = [subprocess.Popen(command) for _ in range(2)]
    assert [one.wait() for one in both] == [0, 0]
    assert titles(tides) == TIDES
    assert len(run(tides).reused) == 3


def test_a_full_disk_is_one_clear_line(tides: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as then:
        then.setattr(checkpoint.os, "fsync", full)
        with pytest.raises(ArchiveWriteError, match=r"^no checkpoint could be kept in .* \(No space left"):
            run(tides)
    assert files(tides) == []
    assert titles(tides) == TIDES


def test_a_cache_that_cannot_be_made_is_one_clear_line(tides: Any) -> None:
    (tides.root / "cache").write_text("a file")
    with pytest.raises(ArchiveWriteError, match=r"make room or mend the folder\. Queries go on without$"):
        run(tides)
    assert titles(tides) == TIDES


def test_what_is_another_each_time_is_not_kept(tides: Any) -> None:
    lens = own("ages", "SELECT object_id, now() - max(recorded_at) AS age FROM events GROUP BY object_id")
    report = run(tides, lens, only={"ages"})
    assert report.rows == {}
    assert report.kept_out == {"ages": "now() is another each time it is asked for"}
    assert files(tides) == []


def test_what_has_types_that_parquet_has_not_is_not_kept(tides: Any) -> None:
    lens = own(
        "sorts", "SELECT object_id, CAST(max('b') AS ENUM('a', 'b')) AS sort FROM events GROUP BY object_id"
    )
    report = run(tides, lens, only={"sorts"})
    assert report.kept_out == {"sorts": "a column is of a type that Parquet does not keep"}
    assert Engine(tides.log(), tides.root / "cache").relation("FROM sorts", lens=lens).fetchall()


def test_a_projection_that_fails_is_named(tides: Any) -> None:
    lens = own("odd", "SELECT object_id, CAST(max(kind) AS INTEGER) AS n FROM events GROUP BY object_id")
    with pytest.raises(QueryError, match="Could not convert string"):
        run(tides, lens, only={"odd"})


def test_it_is_due_after_many_events(tides: Any, event: MakeEvent, monkeypatch: pytest.MonkeyPatch) -> None:
    def due() -> bool:
        return needs_replay(tides.log(), tides.root / "cache", default_lens())

    assert not due()
    monkeypatch.setattr(module, "MANY_EVENTS", 5)
    assert due()
    run(tides, only=None)
    assert not due()
    tides.write([event("bbbb", seq, "block.observed", "block:1", at=seq) for seq in range(1, 7)])
    assert due()


def test_checkpoints_of_lenses_no_longer_used_go_when_there_are_many(
    tides: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vfdir_lab.projection.checkpoints.KEPT_FINGERPRINTS", 3)
    run(tides)
    kept = files(tides)
    lens = own("mine", "SELECT object_id FROM events GROUP BY object_id")
    run(tides, lens, only={"mine"}, used_by=[default_lens()])
    assert len(files(tides)) == 4
    bare = Lens(name="bare", definitions=(lens["mine"],))
    run(tides, bare, only=None)
    assert len(files(tides)) == 3
    assert len(set(files(tides)) & set(kept)) == 2


def test_what_a_dead_replay_left_half_written_goes(tides: Any) -> None:
    run(tides)
    leftover = files(tides)[0].with_name(".0123.4711.tmp")
    leftover.write_bytes(b"half")
    run(tides)
    assert leftover.exists()
    os.utime(leftover, (0, 0))
    run(tides)
    assert not leftover.exists()
