"""Where a snapshot goes: there is a whole one or none, and nobody else's files are touched."""

from __future__ import annotations

import errno
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vfdir_lab.errors import ExportError
from vfdir_lab.export import manifest, place, verify_snapshot

Contents = Callable[[Path], dict[str, bytes]]
ROUNDS = 8
IS_THOROUGH = os.environ.get("HYPOTHESIS_PROFILE") == "thorough"


def there(folder: Path, *but: str) -> list[str]:
    """The names in a folder, hidden ones too, without the archive."""
    return sorted(path.name for path in folder.iterdir() if path.name not in {"archive", *but})


def is_whole(place: Path) -> bool:
    """Whether a snapshot is there and is all that its manifest says; False when nothing is there."""
    if not os.path.lexists(place):
        return False
    assert verify_snapshot(place).ok
    return True


# ------------------------------------------------------------------------------- what is in the way


def test_a_new_place_is_made_with_its_parents(tides: Any, tmp_path: Path) -> None:
    made = tides.archive.export("tides", tmp_path / "a" / "b" / "out")
    assert is_whole(made.path)
    assert there(tmp_path) == ["a"]
    assert there(tmp_path / "a" / "b") == ["out"]


def in_the_way(place: Path, what: str) -> None:
    match what:
        case "folder":
            place.mkdir()
        case "full folder":
            place.mkdir()
            (place / "mine.txt").write_text("mine")
        case "file":
            place.write_text("mine")
        case "link to nothing":
            place.symlink_to(place.parent / "nothing")
        case "link to a snapshot":
            place.symlink_to(place.parent / "elsewhere")


@pytest.mark.parametrize("what", ["folder", "full folder", "file", "link to nothing", "link to a snapshot"])
@pytest.mark.parametrize("replace", [False, True])
def test_what_is_no_snapshot_is_never_replaced(
    tides: Any, tmp_path: Path, contents: Contents, what: str, replace: bool
) -> None:
    if what == "link to a snapshot":
        tides.archive.export("tides", tmp_path / "elsewhere")
    in_the_way(tmp_path / "out", what)
    before = (contents(tmp_path), there(tmp_path), os.lstat(tmp_path / "out").st_ino)
    said = (
        r"is there already and is no snapshot; choose"
        if replace
        else r"is there already; choose .* --replace"
    )
    with pytest.raises(ExportError, match=said):
        tides.archive.export("tides", tmp_path / "out", replace=replace)
    assert (contents(tmp_path), there(tmp_path), os.lstat(tmp_path / "out").st_ino) == before


def test_a_snapshot_is_replaced_only_when_told_to(tides: Any, tmp_path: Path, contents: Contents) -> None:
    tides.archive.export("tides", tmp_path / "out", format="json")
    before = contents(tmp_path / "out")
    with pytest.raises(ExportError, match="is there already; choose another place, or say --replace"):
        tides.archive.export("tides", tmp_path / "out", format="jsonl")
    assert contents(tmp_path / "out") == before
    tides.archive.export("tides", tmp_path / "out", format="jsonl", replace=True)
    assert is_whole(tmp_path / "out")
    assert "channel.json" not in there(tmp_path / "out")
    assert there(tmp_path) == ["out"]


def test_replace_needs_nothing_to_replace(tides: Any, tmp_path: Path) -> None:
    assert is_whole(tides.archive.export("tides", tmp_path / "out", replace=True).path)


# ---------------------------------------------------------------------------------- what is refused


@pytest.mark.parametrize("name", ["file/out", "file/a/out", "n" * 300, "n" * 300 + "/out"])
def test_a_place_that_cannot_be_is_an_error(tides: Any, tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ExportError, match=r"could not be written to .*; nothing was left there"):
        tides.archive.export("tides", tmp_path / name)
    assert there(tmp_path) == ["file"]


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only to root")
def test_a_read_only_folder_is_an_error(tides: Any, tmp_path: Path) -> None:
    (tmp_path / "locked").mkdir(mode=0o500)
    for name in ("locked/out", "locked/a/out"):
        with pytest.raises(ExportError, match="could not be written"):
            tides.archive.export("tides", tmp_path / name)
    assert there(tmp_path / "locked") == []


@pytest.mark.parametrize("replace", [False, True])
@pytest.mark.parametrize("step", ["mkdir", "rename", "write_durably", "sync_folder"])
def test_a_disk_that_turns_read_only_on_the_way_leaves_what_was(
    tides: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, contents: Contents, step: str, replace: bool
) -> None:
    archive = tides.archive
    if replace:
        archive.export("tides", tmp_path / "out")
    before = contents(tmp_path)

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    home = {"write_durably": manifest, "sync_folder": place}.get(step, Path)
    monkeypatch.setattr(home, step, refuse)
    with pytest.raises(ExportError, match="Read-only file system"):
        archive.export("tides", tmp_path / "out", replace=replace)
    monkeypatch.undo()
    if step != "sync_folder":
        assert contents(tmp_path) == before
    assert is_whole(tmp_path / "out") == (replace or step == "sync_folder")


def test_a_new_snapshot_that_cannot_be_renamed_leaves_the_old_one(
    tides: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, contents: Contents
) -> None:
    archive = tides.archive
    archive.export("tides", tmp_path / "out")
    before = contents(tmp_path)
    rename = Path.rename

    def second_fails(path: Path, target: Path) -> Path:
        if path.parent.name.endswith(".tmp"):
            raise OSError(errno.EIO, "Input/output error")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", second_fails)
    with pytest.raises(ExportError, match="Input/output error"):
        archive.export("tides", tmp_path / "out", replace=True)
    assert contents(tmp_path) == before
    assert there(tmp_path) == ["out"]


@pytest.mark.parametrize("limit", [0, 1000])
@pytest.mark.parametrize("format_", ["json", "jsonl"])
def test_a_full_disk_is_an_error_and_leaves_nothing(
    tides: Any, tmp_path: Path, exporter: Any, format_: str, limit: int
) -> None:
    said = exporter.run(tides, tmp_path / "out", format=format_, limit_bytes=limit)
    assert said[0].startswith(
        f"ExportError: the snapshot could not be written to {tmp_path / 'out'} (File too large)"
    )
    assert said[1:] == ["over 1"]
    assert there(tmp_path) == []
    assert exporter.run(tides, tmp_path / "out", format=format_) == ["over 0"]
    assert exporter.run(tides, tmp_path / "out", format=format_, limit_bytes=limit, replace=True)[1:] == [
        "over 1"
    ]
    assert is_whole(tmp_path / "out")
    assert there(tmp_path) == ["out"]


def test_whoever_interrupts_leaves_nothing(tides: Any, tmp_path: Path) -> None:
    def interrupt(rows: int) -> None:
        if rows == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tides.archive.export("tides", tmp_path / "out", on_progress=interrupt)
    assert there(tmp_path) == []


# ----------------------------------------------------------------------------------------- killed


@pytest.mark.parametrize("replace", [False, True])
def test_killed_just_before_each_step(tides: Any, tmp_path: Path, exporter: Any, replace: bool) -> None:
    """There is nothing or a whole snapshot, and the next export clears away what is left.

    Normally before every third step; under the `thorough` profile before each.
    """
    survived, steps, stride = False, 0, 1 if IS_THOROUGH else 3
    archive = tides.archive
    old = archive.export("tides", tmp_path / "old", format="jsonl")
    while not survived and steps < 100:
        steps += stride
        place = tmp_path / str(steps)
        place.mkdir()
        if replace:
            shutil.copytree(old.path, place / "out")
        (said,) = exporter.run(tides, place / "out", format="json", kill_at=steps, replace=replace)
        survived = said == "over 0"
        assert said in {"over 0", "over -9"}
        whole = is_whole(place / "out")
        if whole or replace:  # an old one that was put aside is put back, and not replaced unasked
            with pytest.raises(ExportError, match="is there already"):
                archive.export("tides", place / "out")
        else:
            archive.export("tides", place / "out")
        assert is_whole(place / "out")
        assert there(place) == ["out"]
        shutil.rmtree(place)
    assert survived
    assert steps >= 8


def test_killed_at_random_moments(desk: Any, tmp_path: Path, exporter: Any) -> None:
    chance = random.Random(20_261_103)
    desk.say(
        desk.channel(1, slug="tides"),
        *[desk.block(number, content="x" * 200) for number in range(800)],
        *[desk.held(number, 1, f"block:{number}") for number in range(800)],
    )
    killed = whole = 0
    for _ in range(ROUNDS):
        orders = {"replace": chance.random() < 0.5, "kill_after": chance.uniform(0.02, 0.4)}
        said = exporter.run(desk, tmp_path / "out", **orders)
        killed += said == ["over -9"]
        whole += is_whole(tmp_path / "out")
    assert killed >= ROUNDS // 4
    assert exporter.run(desk, tmp_path / "out", replace=True) == ["over 0"]
    assert is_whole(tmp_path / "out")
    assert there(tmp_path) == ["out"]


def test_an_old_snapshot_put_aside_by_a_dead_export_comes_back(
    tides: Any, tmp_path: Path, contents: Contents
) -> None:
    archive = tides.archive
    archive.export("tides", tmp_path / "out")
    before = contents(tmp_path / "out")
    (tmp_path / "out").rename(tmp_path / ".out.old")
    with pytest.raises(ExportError, match="is there already"):
        archive.export("tides", tmp_path / "out", format="jsonl")
    assert contents(tmp_path / "out") == before
    assert there(tmp_path) == ["out"]


# --------------------------------------------------------------------------------- others' files


def test_what_only_looks_like_a_leftover_stays(tides: Any, tmp_path: Path) -> None:
    """Only the folders that an export to this very place makes are cleared away."""
    for name in (
        ".out.notes.tmp",
        ".out.b.123.tmp",
        ".other.123.tmp",
        "out.123.tmp",
        ".outX123.tmp",
        ".out.old",
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / "mine.txt").write_text("mine")
    (tmp_path / ".out.4711.tmp").mkdir()
    (tmp_path / ".out.4711.tmp" / "channel.json").write_text("half")
    kept = there(tmp_path, ".out.4711.tmp")
    tides.archive.export("tides", tmp_path / "out")
    assert there(tmp_path, "out") == kept
    assert all((tmp_path / name / "mine.txt").read_text() == "mine" for name in kept)


@pytest.mark.parametrize("name", ["*", "[a-z]*", "**", ".hid den", "-é🌊"])
def test_a_place_may_have_any_name(tides: Any, tmp_path: Path, name: str) -> None:
    (tmp_path / ".other.1.tmp").mkdir()
    (tmp_path / ".a.1.tmp").mkdir()
    archive = tides.archive
    archive.export("tides", tmp_path / name)
    archive.export("tides", tmp_path / name, replace=True)
    assert is_whole(tmp_path / name)
    assert there(tmp_path) == sorted([".a.1.tmp", ".other.1.tmp", name])


@pytest.mark.parametrize("what", ["notes.txt", "blocks/notes.txt", "link"])
def test_what_somebody_put_into_a_snapshot_is_never_deleted(tides: Any, tmp_path: Path, what: str) -> None:
    archive = tides.archive
    archive.export("tides", tmp_path / "out")
    (tmp_path / "out" / "blocks").mkdir()
    if what == "link":
        (tmp_path / "out" / what).symlink_to(tmp_path)
    else:
        (tmp_path / "out" / what).write_text("mine")
    with pytest.raises(ExportError, match=f"holds what no export wrote .{what}.; move it away"):
        archive.export("tides", tmp_path / "out", replace=True)
    assert os.path.lexists(tmp_path / "out" / what)


def test_what_systems_leave_in_folders_is_no_hindrance(tides: Any, tmp_path: Path) -> None:
    archive = tides.archive
    archive.export("tides", tmp_path / "out")
    (tmp_path / "out" / ".DS_Store").write_bytes(b"x")
    assert is_whole(tmp_path / "out")
    archive.export("tides", tmp_path / "out", replace=True)
    assert is_whole(tmp_path / "out")


def test_a_manifest_of_another_tool_is_no_snapshot(tides: Any, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "snapshot.json").write_text('{"files": {}}')
    with pytest.raises(ExportError, match="is no snapshot"):
        tides.archive.export("tides", tmp_path / "out", replace=True)


def test_replacing_touches_only_files_that_changed(tides: Any, tmp_path: Path) -> None:
    archive = tides.archive
    archive.export("tides", tmp_path / "out", format="html")
    long_ago = 1_000_000_000
    for path in (tmp_path / "out").rglob("*"):
        os.utime(path, (long_ago, long_ago))
    tides.say(tides.block(11, title="Another title"))
    tides.archive.export("tides", tmp_path / "out", format="html", replace=True)
    assert is_whole(tmp_path / "out")
    files = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    touched = {path.name for path in files if path.stat().st_mtime != long_ago}
    assert touched == {
        "another-title-11.html",
        "text-2.html",
        "image-2.html",
        "index.html",
        "snapshot.json",
    } - {"text-2.html"}


def test_a_zip_is_replaced_as_a_folder_is(tides: Any, tmp_path: Path) -> None:
    archive = tides.archive
    archive.export("tides", tmp_path / "out.zip", format="jsonl.zip")
    with pytest.raises(ExportError, match="is there already"):
        archive.export("tides", tmp_path / "out.zip", format="jsonl.zip")
    os.utime(tmp_path / "out.zip", (1, 1))
    archive.export("tides", tmp_path / "out.zip", format="jsonl.zip", replace=True)
    assert (tmp_path / "out.zip").stat().st_mtime == 1
    archive.export("tides", tmp_path / "out.zip", format="json", replace=True)
    assert (tmp_path / "out.zip").is_dir()
    assert is_whole(tmp_path / "out.zip")
    assert there(tmp_path) == ["out.zip"]
