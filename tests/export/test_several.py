"""Snapshots of several channels: all that were read, or those inside one; and every format, in any place."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from vfdir_lab.errors import ExportError, UsageError
from vfdir_lab.export import FORMATS, verify_snapshot

Contents = Callable[[Path], dict[str, bytes]]
EVERY = [*FORMATS, "zip", "csv.zip"]


@pytest.fixture
def rooms(desk: Any) -> Any:
    """Five rooms: 1 holds 2, 3 and 4; 2 holds 1 and 5; 4 is private; a block in three of them."""
    scans = [
        event
        for number in (1, 2, 3, 4)
        for event in (
            ("scan.started", f"scan:s{number}", {"channel": f"channel:{number}"}),
            ("scan.finished", f"scan:s{number}", {"channel": f"channel:{number}", "complete": True}),
        )
    ]
    return desk.say(
        *[desk.channel(number, title=f"Room {number}", slug=f"room-{number}") for number in (1, 2, 3, 5)],
        desk.channel(4, title="Hush", slug="hush", visibility="private"),
        desk.block(1, title="Shared"),
        desk.block(2, title="Concealed"),
        *[desk.held(10 + number, 1, f"channel:{number}", rank=f"a{number}") for number in (2, 3, 4)],
        desk.held(21, 2, "channel:1"),
        desk.held(22, 2, "channel:5"),
        *[desk.held(30 + number, number, "block:1") for number in (1, 2, 4)],
        desk.held(40, 4, "block:2"),
        *scans,
    )


@pytest.mark.parametrize("format_", EVERY)
def test_the_same_bytes_in_any_place(
    tides: Any, tmp_path: Path, contents: Contents, format_: str, open_exporter: Any
) -> None:
    """Two processes, under other time zones, locales and hash seeds."""
    places = [
        {"TZ": "Asia/Kathmandu", "LC_ALL": "C", "LANG": "C", "PYTHONHASHSEED": "1", "PYTHONUTF8": "0"},
        {"TZ": "America/St_Johns", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "2"},
    ]
    for number, environment in enumerate(places):
        (tmp_path / str(number)).mkdir()
        elsewhere = open_exporter(**environment)
        assert elsewhere.run(tides, tmp_path / str(number) / "out", format=format_) == ["over 0"]
    assert contents(tmp_path / "0") == contents(tmp_path / "1")
    assert verify_snapshot(tmp_path / "0" / "out").ok


@pytest.mark.parametrize("format_", FORMATS)
def test_nothing_private_leaves_by_any_way(
    rooms: Any, tmp_path: Path, contents: Contents, format_: str
) -> None:
    archive = rooms.archive
    archive.export("room-1", tmp_path / "one", format=format_, depth=3)
    archive.export(None, tmp_path / "all", format=format_)
    for name, data in (contents(tmp_path / "one") | contents(tmp_path / "all")).items():
        assert b"hush" not in data.lower() + name.lower().encode(), name
        assert b"concealed" not in data.lower() + name.lower().encode(), name


def test_depth_takes_channels_along_each_once(rooms: Any, tmp_path: Path) -> None:
    archive = rooms.archive
    made = [
        archive.export("room-1", tmp_path / str(depth), format="jsonl", depth=depth).manifest
        for depth in (0, 1, 9)
    ]
    exported = [[one["object_id"] for one in manifest["channels"]] for manifest in made]
    assert exported == [["channel:1"], *[["channel:1", "channel:2", "channel:3"]] * 2]
    assert [manifest["counts"]["blocks"] for manifest in made] == [1, 1, 1]
    private = archive.export("room-1", tmp_path / "private", format="jsonl", depth=1, private=True).manifest
    assert [one["object_id"] for one in private["channels"]][1:] == ["channel:2", "channel:3", "channel:4"]
    with pytest.raises(UsageError, match="a depth of -1 means nothing"):
        archive.export("room-1", tmp_path / "x", depth=-1)


def test_every_channel_that_was_read_has_an_index(rooms: Any, tmp_path: Path) -> None:
    made = rooms.archive.export(None, tmp_path / "out", format="html")
    assert made.title == "3 channels"
    assert made.channel is None
    index = (tmp_path / "out" / "index.html").read_text("utf-8")
    for number in (1, 2, 3):
        assert f'href="channels/room-{number}-{number}/index.html"' in index
    assert (tmp_path / "out" / "blocks" / "shared-1.html").is_file()
    document = rooms.archive.export(None, tmp_path / "json", format="json").path / "index.json"
    listed = json.loads(document.read_text("utf-8"))["channels"]
    assert [one["file"] for one in listed] == [
        f"channels/room-{number}-{number}.json" for number in (1, 2, 3)
    ]
    assert all((document.parent / one["file"]).is_file() for one in listed)


def test_an_archive_without_channels_has_nothing_to_export(desk: Any, tmp_path: Path) -> None:
    desk.say(desk.block(1))
    with pytest.raises(ExportError, match="no channel was read"):
        desk.archive.export(None, tmp_path / "out")


def test_a_second_export_of_all_touches_only_what_changed(rooms: Any, tmp_path: Path) -> None:
    """The page of room 1 shows how much is in room 3."""
    import os

    place = rooms.archive.export(None, tmp_path / "out", format="html").path
    for path in place.rglob("*"):
        os.utime(path, (1, 1))
    rooms.say(rooms.block(7, title="New"), rooms.held(70, 3, "block:7"))
    rooms.archive.export(None, place, format="html", replace=True)
    touched = {
        path.relative_to(place).as_posix()
        for path in place.rglob("*")
        if path.is_file() and path.stat().st_mtime > 1
    }
    assert touched == {"index.html", "snapshot.json", "blocks/new-7.html"} | {
        f"channels/room-{number}-{number}/index.html" for number in (1, 3)
    }


def test_a_place_inside_the_archive_is_refused(rooms: Any, tmp_path: Path) -> None:
    (tmp_path / "way").symlink_to(rooms.root)
    for place in (rooms.root / "out", tmp_path / "way" / "out", rooms.root / "log" / ".." / "out"):
        with pytest.raises(UsageError, match="is inside the archive"):
            rooms.archive.export("room-1", place)


def test_tables_are_read_by_others(hostile: Any, tmp_path: Path) -> None:
    archive = hostile.archive
    for format_ in ("csv", "parquet", "jsonl"):
        archive.export("hostile", tmp_path / format_, format=format_)
    parquet = pl.read_parquet(tmp_path / "parquet" / "blocks.parquet")
    lines = pl.read_ndjson(tmp_path / "jsonl" / "blocks.jsonl", infer_schema_length=None)
    assert parquet["title"].to_list() == lines["title"].to_list()
    for name in ("blocks", "connections", "channels", "users"):
        with (tmp_path / "csv" / f"{name}.csv").open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
        assert len(rows) == pl.read_parquet(tmp_path / "parquet" / f"{name}.parquet").height
        for row in rows:
            assert not any(str(cell).lstrip().startswith(("=", "+", "-", "@")) for cell in row.values())


def test_an_empty_table_has_its_columns(desk: Any, tmp_path: Path) -> None:
    desk.say(desk.channel(1))
    archive = desk.archive
    for format_ in ("csv", "parquet"):
        archive.export(1, tmp_path / format_, format=format_)
    header = (tmp_path / "csv" / "blocks.csv").read_text("utf-8-sig").strip()
    assert (
        header.replace('"', "").split(",") == pl.read_parquet(tmp_path / "parquet" / "blocks.parquet").columns
    )


@pytest.mark.parametrize("format_", ["json", "jsonl", "csv", "parquet"])
def test_copies_come_along_with_tables_and_documents_too(
    tides: Any, tmp_path: Path, kept: Callable[..., Any], format_: str
) -> None:
    from vfdir_lab.export import SnapshotOptions, export_channel

    lens = kept(picture=("https://i.example/m.png", b"picture", "image/png"))
    archive = tides.archive
    store = tides.root / "media" / "sha256"
    options = SnapshotOptions(format=format_, head=archive.head, lens=lens, store=store)
    made = export_channel(archive.engine, "tides", tmp_path / "out", options)
    assert (tmp_path / "out" / "images" / "image-2.png").read_bytes() == b"picture"
    assert made.manifest["counts"]["copies"] == 1
    if format_ == "json":
        (told,) = json.loads((tmp_path / "out" / "channel.json").read_text("utf-8"))["media"]
        assert (told["block"], told["file"], told["size"]) == ("block:2", "images/image-2.png", 7)
    else:
        assert made.manifest["counts"]["media"] == 1
