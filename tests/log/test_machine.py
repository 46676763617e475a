"""What a machine knows of its copy: kept outside of the archive, keyed by archive and real path."""

from __future__ import annotations

import json
import os
import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from vfdir_lab.errors import ArchiveWriteError, LogLockedError
from vfdir_lab.log import Machine, state_home
from vfdir_lab.log.machine import Mark, new_device_id

Place = Any
MARK = Mark(device="k3f9", seq=7, hlc=9, digest="sha256:x")


def test_the_state_folder_can_be_chosen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VFDIR_STATE_HOME", str(tmp_path / "mine"))
    assert state_home() == tmp_path / "mine"
    assert Machine("a", tmp_path).folder.is_relative_to(tmp_path / "mine")
    monkeypatch.setenv("VFDIR_STATE_HOME", "")
    assert state_home().name == "vfdir_lab"


def test_a_mark_is_remembered(place: Place) -> None:
    assert place.machine.mark() is None
    place.machine.remember(MARK)
    assert place.machine.mark() == MARK


def test_reading_creates_nothing(place: Place) -> None:
    place.machine.mark()
    place.machine.recall("note")
    place.log().coverage()
    assert place.verify().ok
    assert not place.home.exists()


def test_another_archive_or_another_real_path_has_other_state(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "one")
    one, two, link = (Machine("a", tmp_path / name, tmp_path / "state") for name in ("one", "two", "link"))
    assert one.folder != two.folder
    assert one.folder != Machine("b", tmp_path / "one", tmp_path / "state").folder
    assert one.folder == link.folder


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"device"',
        b"\xff\xfe",
        pytest.param(b"[" * 100_000, id="nested without end"),
        b"{}",
        *(
            json.dumps(asdict(MARK) | changed).encode()
            for changed in [
                {"device": 5},
                {"device": ""},
                {"device": "K3F9"},
                {"device": "../k3f9"},
                {"seq": "1"},
                {"seq": -1},
                {"hlc": 1.5},
                {"hlc": None},
                {"digest": 5},
            ]
        ),
    ],
)
def test_a_broken_mark_is_no_mark_and_the_copy_goes_on_as_a_new_device(place: Place, raw: bytes) -> None:
    place.append(2)
    (place.machine.folder / "device.json").write_bytes(raw)
    assert place.machine.mark() is None
    events = place.log().append(place.drafts(1))
    assert [(event.event_id, event.kind) for event in events] == [
        ("dev2:1", "device.joined"),
        ("dev2:2", "block.observed"),
    ]
    assert place.verify().ok
    assert place.log().coverage().events == 5


def test_a_note_is_recalled_or_none(place: Place) -> None:
    machine = place.machine
    assert machine.recall("push") is None
    machine.note("push", {"at": [1, None]})
    assert machine.recall("push") == {"at": [1, None]}
    (machine.folder / "push.json").write_text("{")
    assert machine.recall("push") is None


def test_a_state_folder_that_cannot_be_written_is_a_typed_error(place: Place) -> None:
    place.home.write_text("a file where the folder should be")
    for write in (lambda: place.machine.remember(MARK), lambda: place.machine.note("push", 1)):
        with pytest.raises(ArchiveWriteError, match="VFDIR_STATE_HOME"):
            write()
    with pytest.raises(ArchiveWriteError, match="VFDIR_STATE_HOME"):
        place.log().append(place.drafts(1))
    assert place.files() == []


def test_state_is_replaced_whole_and_leaves_nothing_behind(place: Place) -> None:
    for seq in range(5):
        place.machine.remember(Mark(device="k3f9", seq=seq))
    assert [path.name for path in place.machine.folder.iterdir()] == ["device.json"]
    assert json.loads((place.machine.folder / "device.json").read_text())["seq"] == 4


def test_the_lock_is_one_at_a_time_and_free_again_after_an_error(place: Place) -> None:
    with pytest.raises(LogLockedError), place.machine.lock(), place.machine.lock(0.05):
        raise AssertionError
    with place.machine.lock(0.05):
        pass


def test_waiting_for_the_lock_is_bounded_and_the_error_names_the_holder(place: Place, nursery: Any) -> None:
    holder = nursery.start(place, hold=True)
    assert nursery.line() == "held"
    with pytest.raises(LogLockedError, match=rf"process {holder}\b.*0.1 s"), place.log().writing(0.1):
        raise AssertionError
    place.log().coverage()  # readers do not wait
    os.kill(holder, 9)
    assert nursery.line() == "over -9"
    place.append(1)
    assert place.verify().ok


@pytest.mark.parametrize("content", [None, b"", b" \n"])
def test_a_holder_without_a_name_is_unknown(place: Place, content: bytes | None) -> None:
    with place.machine.lock():
        name = place.machine.folder / "append.holder"
        name.unlink()
        if content is not None:
            name.write_bytes(content)
        with pytest.raises(LogLockedError, match="unknown"), place.machine.lock(0.05):
            raise AssertionError


def test_device_ids_are_short_legal_and_never_the_same() -> None:
    ids = {new_device_id() for _ in range(1000)}
    assert len(ids) == 1000
    assert all(re.fullmatch("[a-z0-9]{10}", one) for one in ids)
