"""What is here of a file: gone on with only as far as it is surely there."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vfdir_lab.errors import ArchiveWriteError
from vfdir_lab.media import part as part_module
from vfdir_lab.media.part import LEFTOVER_SECONDS, Part, remove_leftovers

URL = "https://a.example/file"


def write(folder: Path, pieces: list[bytes], *, mark: str = "v1") -> Part:
    part = Part(folder, URL)
    with part.writing(mark, goes_on=False):
        for piece in pieces:
            part.append(piece)
    return part


@given(
    runs=st.lists(st.lists(st.binary(min_size=1, max_size=30), max_size=4), min_size=1, max_size=5),
    torn=st.binary(max_size=40),
    note_bytes=st.integers(1, 40),
)
def test_however_it_was_interrupted_it_goes_on_as_if_it_had_not_been(
    runs: list[list[bytes]], torn: bytes, note_bytes: int
) -> None:
    """After each run the disk holds some bytes more than were noted, which say nothing."""
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patched:
        patched.setattr(part_module, "NOTE_BYTES", note_bytes)
        folder, whole = Path(name), b"".join(b"".join(run) for run in runs)
        for pieces in runs:
            part = Part(folder, URL)
            with part.writing("v1", goes_on=part.size > 0):
                for piece in pieces:
                    part.append(piece)
            if Part(folder, URL).size:
                with part.path.open("ab") as file:
                    file.write(torn)
        left = Part(folder, URL)
        assert left.path.read_bytes()[: left.size] == whole


def test_bytes_that_nobody_noted_are_not_gone_on_from(tmp_path: Path) -> None:
    part = write(tmp_path, [b"x" * 100])
    part.path.write_bytes(b"x" * 100 + bytes(50))
    assert Part(tmp_path, URL).size == 100
    part.path.write_bytes(b"x" * 99)
    assert Part(tmp_path, URL).size == 0


@pytest.mark.parametrize(
    "note", ["", "{", "[]", '{"size": 5}', '{"size": "5", "mark": "v1"}', '{"size": -1, "mark": "v1"}']
)
def test_a_note_that_is_none_means_begin_anew(tmp_path: Path, note: str) -> None:
    part = write(tmp_path, [b"12345"])
    part.path.with_suffix(".json").write_text(note)
    assert Part(tmp_path, URL).size == 0


def test_what_has_no_mark_is_not_gone_on_with(tmp_path: Path) -> None:
    write(tmp_path, [b"12345"], mark="")
    assert Part(tmp_path, URL).size == 0


def test_how_far_it_came_is_noted_on_the_way_and_when_it_breaks_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(part_module, "NOTE_BYTES", 10)
    part = Part(tmp_path, URL)
    seen = []

    def interrupted() -> None:
        with part.writing("v1", goes_on=False):
            for piece in (b"x" * 9, b"x", b"x" * 3):
                part.append(piece)
                seen.append(Part(tmp_path, URL).size)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert seen == [0, 10, 10]
    assert Part(tmp_path, URL).size == 13


def test_each_address_has_a_part_of_its_own_whatever_is_in_it(tmp_path: Path) -> None:
    odd = ["https://a.example/../../x", "https://a.example/\udc80", "https://a.example/" + "x" * 5000]
    for url in odd:
        part = Part(tmp_path, url)
        with part.writing("v1", goes_on=False):
            part.append(url.encode("utf-8", "replace"))
        assert part.path.parent == tmp_path
    assert len(list(tmp_path.glob("*.part"))) == len(odd)


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "parts").write_text("a file")
    with pytest.raises(ArchiveWriteError, match="could not be kept"):
        write(tmp_path / "parts", [b"x"])


def test_parts_that_nobody_went_on_with_are_removed(tmp_path: Path) -> None:
    part = write(tmp_path, [b"x"])
    remove_leftovers(tmp_path)
    assert part.path.exists()
    old = time.time() - LEFTOVER_SECONDS - 60
    for path in tmp_path.iterdir():
        os.utime(path, (old, old))
    remove_leftovers(tmp_path)
    assert list(tmp_path.iterdir()) == []
    remove_leftovers(tmp_path / "nowhere")
