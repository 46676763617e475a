"""Objects show what the archive shows now, and find that out cheaply."""

from __future__ import annotations

from typing import Any

import pytest

from vfdir_lab.archive import Archive
from vfdir_lab.event import Draft
from vfdir_lab.objects import pool as pool_module


@pytest.mark.usefixtures("unlooked")
def test_what_this_process_records_shows_at_once(home: Any) -> None:
    block, channel = home.objects.block(1), home.objects.channel(1)
    assert block.title == "Entry 1"
    home.observe("block:1", title="Neap tide")
    assert block.title == "Neap tide"
    home.show_channel(3, ["block:1"])
    assert [one.object_id for one in block.channels] == ["channel:1", "channel:3"]
    home.vanish("connection:1001")
    assert block not in channel.blocks


@pytest.mark.usefixtures("unlooked")
def test_another_lens_shows_at_once_and_back(home: Any) -> None:
    with home.archive.transaction():
        home.objects.block(1).title = "Wished"
    block = home.objects.block(1)
    assert (block.title, block.pending) == ("Wished", True)
    home.archive.projections["blocks"].use(2)
    assert (block.title, block.pending) == ("Entry 1", False)
    home.archive.lens().use(blocks=3)
    assert block.title == "Wished"
    home.archive.lens().use(blocks=None)
    assert (block.title, block.pending) == ("Wished", True)


@pytest.mark.usefixtures("unlooked")
def test_undo_and_cancel_show_at_once(home: Any) -> None:
    block = home.objects.block(1)
    with home.archive.transaction():
        block.title = "Wished"
    home.archive.undo()
    assert block.title == "Entry 1"


@pytest.mark.usefixtures("unlooked")
def test_what_another_process_records_shows_after_refresh(home: Any) -> None:
    block = home.objects.block(1)
    assert block.title == "Entry 1"
    other = Archive(home.archive.path)
    other.log.append([Draft(kind="block.observed", object_id="block:1", payload={"title": "Elsewhere"})])
    assert block.title == "Entry 1", "nobody has looked"
    home.objects.refresh()
    assert block.title == "Elsewhere"


def test_what_another_process_records_shows_by_itself_soon(home: Any, monkeypatch: Any) -> None:
    clock = [1000.0]
    monkeypatch.setattr(pool_module, "monotonic", lambda: clock[0])
    block = home.objects.block(1)
    assert block.title == "Entry 1"
    other = Archive(home.archive.path)
    other.log.append([Draft(kind="block.observed", object_id="block:1", payload={"title": "Elsewhere"})])
    clock[0] += pool_module.LOOK_SECONDS
    assert block.title == "Elsewhere"


@pytest.mark.usefixtures("unlooked")
def test_reading_does_not_list_the_log_each_time(home: Any, monkeypatch: Any) -> None:
    looked: list[int] = []
    block = home.objects.block(1)
    assert block.channels[0].title == "Tides", "the tables are read once"
    coverage = home.archive.log.coverage

    def counted() -> Any:
        looked.append(1)
        return coverage()

    monkeypatch.setattr(home.archive.log, "coverage", counted)
    for _ in range(200):
        assert block.title == "Entry 1"
        assert len(block.channels) == 1
    assert not looked


@pytest.mark.usefixtures("unlooked")
def test_a_long_piece_of_work_shows_when_it_is_over(home: Any) -> None:
    block = home.objects.block(1)
    assert block.title == "Entry 1"
    with home.archive._pool.together():
        home.observe("block:1", title="Half way")
        assert block.title == "Entry 1"
        home.observe("block:1", title="Done")
    assert block.title == "Done"


@pytest.mark.usefixtures("unlooked")
def test_a_merge_shows_when_it_is_over(home: Any, tmp_path: Any) -> None:
    import shutil

    copy = tmp_path / "copy"
    shutil.copytree(home.archive.path, copy)
    block = home.objects.block(1)
    assert block.title == "Entry 1"
    Archive(copy).log.append(
        [Draft(kind="block.observed", object_id="block:1", payload={"title": "From the other copy"})]
    )
    home.archive.merge(copy)
    assert block.title == "From the other copy"


@pytest.mark.usefixtures("unlooked")
def test_a_loop_goes_over_what_was_there_when_it_began(home: Any) -> None:
    met = []
    for block in home.objects.blocks:
        met.append((block.object_id, block.title))
        if len(met) == 1:
            home.vanish("block:2")
            home.observe("block:4", type="Text", title="Entry 4")
            home.observe("block:0", type="Text", title="Entry 0")
    assert met == [(f"block:{number}", f"Entry {number}") for number in (1, 2, 3)]
    assert len(home.objects.blocks) == 4


def test_a_writing_that_fails_is_noticed_and_fails_as_it_did(home: Any) -> None:
    """The notice comes when the lock is free again, whatever became of the writing."""
    with pytest.raises(RuntimeError, match="in between"), home.archive.log.writing():
        raise RuntimeError("in between")
    assert home.objects.block(1).title == "Entry 1"
