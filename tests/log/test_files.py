"""Files appear whole or not at all, and a failure leaves nothing behind."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from vfdir_lab.log import files


@pytest.mark.parametrize("write", [files.write_durably, files.write_atomically])
@pytest.mark.parametrize("failing", ["replace", "write"])
def test_a_failed_write_leaves_the_old_content_and_no_temporary_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: object, failing: str
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    if failing == "replace":
        monkeypatch.setattr(Path, "replace", _refuse)
        data: object = b"new"
    else:
        data = "text is no bytes"
    with pytest.raises((OSError, TypeError)):
        write(path, data)  # type: ignore[operator]
    assert {one.name: one.read_bytes() for one in tmp_path.iterdir()} == {"file": b"old"}


def test_a_durable_write_flushes_the_file_before_its_name_and_the_folder_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The order is what survives a power cut: content, name, entry of the folder."""
    steps: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def watched_fsync(descriptor: int) -> None:
        steps.append("folder" if os.fstat(descriptor).st_mode & 0o040000 else "file")
        fsync(descriptor)

    def watched_replace(path: Path, target: Path) -> Path:
        steps.append("rename")
        assert path.name.startswith(".")
        return replace(path, target)

    monkeypatch.setattr(os, "fsync", watched_fsync)
    monkeypatch.setattr(Path, "replace", watched_replace)
    files.write_durably(tmp_path / "file", b"new")
    assert steps == ["file", "rename", "folder"]
    assert (tmp_path / "file").read_bytes() == b"new"


def test_each_new_folder_is_made_durable_in_the_one_above(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[Path] = []
    monkeypatch.setattr(files, "sync_folder", flushed.append)
    files.make_folder(tmp_path / "a" / "b" / "c")
    assert flushed == [tmp_path, tmp_path / "a", tmp_path / "a" / "b"]
    files.make_folder(tmp_path / "a" / "b" / "c")
    assert len(flushed) == 3


def test_where_folders_cannot_be_flushed_there_is_nothing_to_flush(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files.os, "name", "nt")
    monkeypatch.setattr(files.os, "open", _refuse)
    files.sync_folder(tmp_path)


def _refuse(*_: object) -> None:
    raise OSError(28, "No space left on device")
