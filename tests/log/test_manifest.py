"""An archive is made whole or not at all, and never over other things."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from vfdir_lab.errors import ArchiveFormatError, ArchiveNotFoundError, ArchiveWriteError
from vfdir_lab.log.manifest import MANIFEST, create_archive, read_archive_id

NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)


def create(path: Path) -> str:
    create_archive(path, NOON, lens="default")
    return read_archive_id(path)


@pytest.mark.parametrize("there", [False, True], ids=["no folder", "an empty folder"])
def test_a_new_archive_has_an_id_of_its_own(tmp_path: Path, there: bool) -> None:
    path = tmp_path / "deep" / "archive"
    if there:
        path.mkdir(parents=True)
    identity = create(path)
    assert identity != create(tmp_path / "other")
    assert sorted(one.name for one in path.iterdir()) == [MANIFEST, "log"]
    assert [one.name for one in path.parent.iterdir()] == ["archive"]
    assert (path / MANIFEST).read_text() == (
        f'format = 1\nid = "{identity}"\ncreated_at = 2026-11-03T12:00:00Z\nlens = "default"\n'
    )


def test_an_archive_that_is_there_is_left_as_it_is(tmp_path: Path) -> None:
    assert create(tmp_path / "archive") == create(tmp_path / "archive")


def test_nothing_is_made_among_other_things(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    for path in (tmp_path, tmp_path / "notes.txt"):
        with pytest.raises(ArchiveNotFoundError, match="holds other things"):
            create(path)
    assert [one.name for one in tmp_path.iterdir()] == ["notes.txt"]


def refused_by_the_disk(*_: object) -> None:
    raise OSError(28, "No space left on device")


def test_a_disk_that_refuses_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vfdir_lab.log.manifest.write_durably", refused_by_the_disk)
    with pytest.raises(ArchiveWriteError, match="No space left"):
        create(tmp_path / "archive")
    assert list(tmp_path.iterdir()) == []


def test_the_faster_of_two_processes_makes_the_archive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename, identities = Path.rename, []

    def outrun(path: Path, target: Path) -> Path:
        monkeypatch.setattr(Path, "rename", rename)
        identities.append(create(target))
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", outrun)
    assert [create(tmp_path / "archive")] == identities
    assert [one.name for one in tmp_path.iterdir()] == ["archive"]


@pytest.mark.parametrize(
    "text",
    [
        "format = 2\nid = 'x'",
        "id = 'x'",
        "format = 1",
        "format = 1\nid = ''",
        "format = 1\nid = 7",
        "{",
        "\xff",
    ],
)
def test_a_manifest_this_version_cannot_read_is_a_typed_error(tmp_path: Path, text: str) -> None:
    (tmp_path / MANIFEST).write_bytes(text.encode("latin-1"))
    with pytest.raises(ArchiveFormatError):
        read_archive_id(tmp_path)


def test_where_there_is_no_archive_the_error_says_how_to_make_one(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path, tmp_path / "gone", tmp_path / "file"):
        with pytest.raises(ArchiveNotFoundError, match="vfdir-lab pull"):
            read_archive_id(path)
