"""Merge takes what is lacking here, once, whole and proven, and says what it could not take."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
import typer
from copies import Copy, Sky
from typer.testing import CliRunner

from vfdir_lab.cli import merging
from vfdir_lab.errors import ArchiveFormatError, ArchiveNotFoundError, LogLockedError, UsageError
from vfdir_lab.log import Head
from vfdir_lab.log.devices import Regression, devices, regression
from vfdir_lab.log.merge import merge


def test_what_is_lacking_is_copied_byte_by_byte_and_nothing_else(here: Copy, there: Copy) -> None:
    mine = here.append(2)
    theirs = there.append(1, 2)
    before = there.bytes()
    seen: list[tuple[int, int]] = []
    report = merge(here.log, there.root, progress=lambda done, total: seen.append((done, total)))
    assert report.whole
    assert (report.events, len(report.copied), str(report.before)) == (5 - 1, 2, "dev1:3")
    assert report.after == Head({"dev1": 3, "dev2": 4})
    assert here.events() == sorted([*mine, *theirs], key=lambda event: (event.device, event.seq))
    assert there.bytes() == before
    assert all(here.bytes()[path] == before[path] for path in report.copied)
    assert seen == [(1, 2), (2, 2)]
    assert here.verify().ok
    assert here.log.coverage().events == 7  # seen without being reopened


def test_merging_again_changes_nothing(here: Copy, there: Copy) -> None:
    there.append(1, 2)
    here.merge(there)
    before = here.bytes()
    again = here.merge(there)
    assert (again.copied, again.events, again.whole) == ((), 0, True)
    assert here.bytes() == before


def test_a_different_layout_is_no_reason_to_copy(here: Copy, there: Copy, tmp_path: Path, sky: Sky) -> None:
    """Compacted there and small here, and the other way round."""
    there.append(1, 1, 1)
    here.merge(there)
    there.squeeze("dev1", 0, 2)
    assert here.merge(there).copied == ()
    third = Copy(tmp_path / "third", sky)
    third.merge(there)
    assert len(third.segments()) == 1
    assert third.merge(here).copied == ()
    assert third.events() == here.events() == there.events()


def test_a_larger_segment_that_goes_on_is_taken_whole(here: Copy, there: Copy) -> None:
    there.append(1, 1)
    here.merge(there)
    there.append(1)
    there.squeeze("dev1", 0, 2)
    assert len(here.merge(there).copied) == 1
    there.append(1)
    assert here.merge(there).whole
    assert here.events() == there.events()
    assert here.verify().ok


def test_a_merge_needs_no_write_to_the_other_folder(here: Copy, there: Copy) -> None:
    there.append(1, 1)
    folders = [path for path in (there.root, *there.root.rglob("*")) if path.is_dir()]
    for folder in folders:
        folder.chmod(0o500)
    before = {path: path.stat().st_mtime_ns for path in there.root.rglob("*")}
    try:
        assert here.merge(there).whole
    finally:
        for folder in folders:
            folder.chmod(0o755)
    assert {path: path.stat().st_mtime_ns for path in there.root.rglob("*")} == before


def test_the_next_append_comes_after_what_was_merged(here: Copy, there: Copy, sky: Sky) -> None:
    sky.step(30)
    theirs = there.append(2)
    sky.step(-30)
    here.merge(there)
    (_, mine) = here.append(1)
    assert mine.hlc > max(event.hlc for event in theirs)


class TestNoArchive:
    """What cannot be merged is a typed error that says why, and leaves no trace here."""

    @pytest.fixture(autouse=True)
    def no_trace(self, here: Copy) -> Any:
        before = here.bytes()
        yield
        assert here.bytes() == before
        assert not here.home.exists()

    def test_itself_by_whatever_path(self, here: Copy, tmp_path: Path) -> None:
        (tmp_path / "link").symlink_to(here.root)
        for path in (here.root, tmp_path / "link", here.root / ".." / "here"):
            with pytest.raises(UsageError, match="this archive itself"):
                here.merge(path)

    def test_nothing_there(self, here: Copy, tmp_path: Path) -> None:
        (tmp_path / "empty").mkdir()
        (tmp_path / "file").write_text("text")
        (tmp_path / "pipe").mkdir()
        os.mkfifo(tmp_path / "pipe" / "archive.toml")
        for name in ("nowhere", "empty", "file", "pipe"):
            with pytest.raises(ArchiveNotFoundError, match="no archive at"):
                here.merge(tmp_path / name)

    def test_a_newer_format(self, here: Copy, there: Copy) -> None:
        (there.root / "archive.toml").write_text('format = 2\nid = "of-the-tests"\n')
        with pytest.raises(ArchiveFormatError, match="update vfdir_lab"):
            here.merge(there)


def test_one_merge_at_a_time(here: Copy, there: Copy, monkeypatch: pytest.MonkeyPatch) -> None:
    there.append(1)
    lock = type(here.machine).lock
    monkeypatch.setattr(
        type(here.machine), "lock", lambda self, timeout=0.05, **options: lock(self, timeout, **options)
    )
    with here.machine.lock(name="merge"), pytest.raises(LogLockedError, match=f"process {os.getpid()}"):
        here.merge(there)
    assert here.merge(there).whole


def test_appending_goes_on_while_a_merge_runs(here: Copy, there: Copy) -> None:
    """A long merge of another device's part holds no append back."""
    there.append(1)
    merge(here.log, there.root, progress=lambda _done, _all: here.append(1) and None)
    assert here.log.coverage().head == Head({"dev1": 2, "dev2": 2})


class TestHalfSynced:
    """A file sync brings files in any order; what is not there yet comes with a later merge."""

    @pytest.fixture(autouse=True)
    def written(self, there: Copy) -> None:
        there.append(1, 1, 1)

    def test_a_missing_file(self, here: Copy, there: Copy) -> None:
        second = there.segments()[1]
        data = second.read_bytes()
        second.unlink()
        report = here.merge(there)
        assert not report.whole
        assert report.after == Head({"dev1": 2})
        assert [str(gap) for gap in report.missing] == ["dev1:3-3"]
        second.write_bytes(data)
        assert here.merge(there).whole
        assert here.events() == there.events()

    def test_a_truncated_file(self, here: Copy, there: Copy) -> None:
        second = there.segments()[1]
        data = second.read_bytes()
        for length in (0, 10, len(data) // 2, len(data) - 1):
            second.write_bytes(data[:length])
            report = here.merge(there)
            assert [one.path for one in report.refused] == [str(second.relative_to(there.root))]
            assert [str(gap) for gap in report.missing] == ["dev1:3-3"]
            assert len(here.segments()) == 1
        second.write_bytes(data)
        assert here.merge(there).whole
        assert here.verify().ok

    def test_a_gap_here_is_filled_from_there(self, here: Copy, there: Copy) -> None:
        here.merge(there)
        here.segments()[1].unlink()
        assert here.log.coverage().events == 2
        report = here.merge(there)
        assert (report.whole, len(report.copied)) == (True, 1)
        assert here.events() == there.events()

    def test_a_damaged_file_here_is_replaced_by_the_bytes_its_name_proves(
        self, here: Copy, there: Copy
    ) -> None:
        here.merge(there)
        second = here.segments()[1]
        data = second.read_bytes()
        second.write_bytes(data[:-5])
        assert here.merge(there).whole
        assert second.read_bytes() == data
        assert here.verify().ok

    def test_two_halves_make_a_whole(self, here: Copy, there: Copy, tmp_path: Path, sky: Sky) -> None:
        third = Copy(tmp_path / "third", sky)
        third.merge(there)
        there.segments()[1].unlink()
        third.segments()[2].unlink()
        assert not here.merge(there).whole
        here.merge(third)
        assert here.merge(there).whole
        assert here.log.coverage().events == 4


class TestRememberedHead:
    """What counted here once and counts no longer is said, until it does again."""

    def test_a_lost_file_of_another_device(self, here: Copy, there: Copy) -> None:
        there.append(1, 1)
        here.merge(there)
        assert regression(here.opened()) == ()
        last = here.segments()[-1]
        last.unlink()
        assert regression(here.opened()) == (Regression(device="dev1", was=3, now=2),)
        (state,) = (one for one in devices(here.opened()) if one.device == "dev1")
        assert (state.own, state.seq, state.was, state.events) == (False, 2, 3, 2)
        here.merge(there)
        assert regression(here.opened()) == ()

    def test_an_append_remembers_what_a_shared_folder_brought(self, here: Copy, tmp_path: Path) -> None:
        other = Copy(here.root, here.sky, home=tmp_path / "elsewhere")
        other.append(1, 1)
        here.append(1)
        shutil.rmtree(here.root / "log" / "device=dev1")
        assert regression(here.opened()) == (Regression(device="dev1", was=3, now=0),)
        assert regression(other.opened()) == (Regression(device="dev1", was=3, now=0),)

    def test_a_device_that_was_given_up(self, here: Copy) -> None:
        here.append(1, 1)
        here.segments()[-1].unlink()
        assert regression(here.log) == (Regression(device="dev1", was=3, now=2),)
        here.append(1)
        assert here.machine.mark().device == "dev2"  # type: ignore[union-attr]
        assert regression(here.log) == (Regression(device="dev1", was=3, now=2),)
        assert str(regression(here.log)[0]) == "dev1 reached seq 3 and reaches 2 now"

    def test_one_device_alone_writes_no_note(self, here: Copy) -> None:
        here.append(1, 1)
        assert sorted(path.name for path in here.machine.folder.glob("*.json")) == ["device.json"]

    @pytest.mark.parametrize(
        "raw", ["", "[]", '{"dev1": "3"}', '{"../x": 3}', '{"dev1": true}', '{"dev1": -1}']
    )
    def test_a_broken_note_is_none(self, here: Copy, there: Copy, raw: str) -> None:
        there.append(1)
        here.merge(there)
        (here.machine.folder / "seen.json").write_text(raw)
        assert here.machine.levels("seen") == {}
        here.merge(there)
        assert here.machine.levels("seen") == {"dev1": 2}


def test_every_device_is_described(here: Copy, there: Copy) -> None:
    here.append(1)
    there.append(1, 1, 1)
    here.merge(there)
    theirs = here.segments("dev2")
    theirs[1].unlink()
    theirs[2].write_bytes(b"torn")
    own, other = devices(here.opened())
    assert (own.device, own.own, own.seq, own.missing) == ("dev1", True, 2, ())
    assert (other.device, other.own, other.seq, other.was) == ("dev2", False, 2, 4)
    assert [str(gap) for gap in other.missing] == ["dev2:3-3"]
    assert other.newest is not None
    assert own.newest is not None
    assert other.newest > own.newest


class TestCommand:
    """`merge DIR [--accept-future] [--json]`."""

    @pytest.fixture
    def app(self) -> typer.Typer:
        app = typer.Typer()
        merging.add_to(app)
        app.callback()(lambda: None)
        return app

    def test_it_merges_and_says_what(self, app: typer.Typer, here: Copy, there: Copy) -> None:
        there.append(1)
        arguments = ["merge", str(there.root), "--home", str(here.root)]
        found = json.loads(CliRunner().invoke(app, [*arguments, "--json"]).stdout)
        assert (found["events"], found["after"], found["whole"]) == (2, "dev1:2", True)
        said = CliRunner().invoke(app, arguments)
        assert said.stdout.startswith("0 segments with 0 events taken from ")

    def test_a_fork_is_reported_with_the_rest_and_fails(
        self, app: typer.Typer, here: Copy, there: Copy, tmp_path: Path
    ) -> None:
        there.append(1)
        clone = there.clone(tmp_path / "clone")
        there.append(1, text="there")
        clone.append(1, text="clone")
        for number, copy in enumerate([there, clone]):
            arguments = ["merge", str(copy.root), "--home", str(here.root), "--json"]
            done = CliRunner().invoke(app, arguments)
            assert done.exit_code == number
            assert len(json.loads(done.stdout)["forks"]) == number
