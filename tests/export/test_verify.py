"""A snapshot asked later: every changed byte is found, and the archive still gives the old bytes."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from vfdir_lab.errors import ExportError
from vfdir_lab.export import FORMATS, verify_snapshot


def is_sound(place: Path) -> bool:
    """Whether a snapshot is as it was written; one that cannot even be read is not."""
    try:
        return verify_snapshot(place).ok
    except ExportError:
        return False


EVERY = [*FORMATS, "zip", "jsonl.zip"]


@pytest.mark.parametrize("format_", EVERY)
def test_a_snapshot_is_as_it_was_written_and_can_be_taken_again(
    tides: Any, tmp_path: Path, format_: str
) -> None:
    """After later edits, the archive gives the same bytes for the head and the lens written in it."""
    place = tides.archive.export("tides", tmp_path / "out", format=format_).path
    assert verify_snapshot(place).ok
    tides.say(tides.block(11, title="Later"), tides.held(1, 1, "block:1"), tides.channel(1, title="Later"))
    verdict = tides.archive.export_again(place)
    assert verdict.ok, str(verdict)
    assert str(verdict).startswith(f"{place} is what the archive gives: ")


@pytest.mark.parametrize("format_", ["html", "csv"])
def test_any_changed_missing_or_added_file_is_named(tides: Any, tmp_path: Path, format_: str) -> None:
    place = tides.archive.export("tides", tmp_path / "out", format=format_).path
    files = sorted(path for path in place.rglob("*") if path.is_file())
    for path in files:
        name, data = path.relative_to(place).as_posix(), path.read_bytes()
        for at in (0, len(data) // 2, len(data) - 1):
            path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
            try:
                assert verify_snapshot(place).changed == (name,)
            except ExportError:
                assert name == "snapshot.json"
        path.write_bytes(data)
    assert verify_snapshot(place).ok
    files[0].rename(place / "other")
    found = verify_snapshot(place)
    assert not found.ok
    assert (found.missing, found.extra) == ((files[0].relative_to(place).as_posix(),), ("other",))
    assert str(found).endswith(f"{place} is not as it was written: 2 of its files differ")


def test_any_changed_byte_of_a_zip_is_found(tides: Any, tmp_path: Path) -> None:
    place = tides.archive.export("tides", tmp_path / "out.zip", format="jsonl.zip").path
    data = place.read_bytes()
    for at in range(0, len(data), max(1, len(data) // 150)):
        place.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        assert not is_sound(place), at
    for cut in (0, 10, len(data) - 1):
        place.write_bytes(data[:cut])
        with pytest.raises(ExportError, match="no snapshot"):
            verify_snapshot(place)
    place.write_bytes(data)
    assert verify_snapshot(place).ok


def test_a_zip_is_a_bag(tides: Any, tmp_path: Path) -> None:
    """As RFC 8493 has it: the declaration, a manifest of the payload, one of the tags, all in one folder."""
    import hashlib

    place = tides.archive.export("tides", tmp_path / "out.zip", format="markdown.zip").path
    with zipfile.ZipFile(place) as packed:
        data = {name: packed.read(name) for name in packed.namelist()}
        assert {one.date_time for one in packed.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    (top,) = {name.partition("/")[0] for name in data}
    assert top == "tides-swell-1"
    inside = {name.removeprefix(f"{top}/"): content for name, content in data.items()}
    assert inside["bagit.txt"] == b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
    payload = {name: content for name, content in inside.items() if name.startswith("data/")}
    for manifest, files in (
        ("manifest-sha256.txt", payload),
        ("tagmanifest-sha256.txt", {name: inside[name] for name in inside if "/" not in name}),
    ):
        listed = dict(reversed(line.split("  ", 1)) for line in inside[manifest].decode().splitlines())
        digests = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
        assert listed == {name: digests[name] for name in digests if not name.startswith("tagmanifest")}
    oxum = f"Payload-Oxum: {sum(map(len, payload.values()))}.{len(payload)}"
    assert oxum in inside["bag-info.txt"].decode().splitlines()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"files": {"../../x": {"sha256": "0"}}}',
        '{"files": 1}',
        "[" * 100_000,
        '{"snapshot": 2, "files": null}',
    ],
)
def test_a_manifest_from_elsewhere_leads_nowhere(tmp_path: Path, text: str) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "snapshot.json").write_text(text)
    with pytest.raises(ExportError, match="was damaged or comes from elsewhere"):
        verify_snapshot(tmp_path / "out")


@pytest.mark.parametrize("name", ["/etc/passwd", "../x", "a/../../x", "..", "a\\..\\x"])
def test_a_manifest_never_leads_out_of_its_folder(tides: Any, tmp_path: Path, name: str) -> None:
    place = tides.archive.export("tides", tmp_path / "out").path
    manifest = json.loads((place / "snapshot.json").read_text())
    manifest["files"][name] = {"sha256": "0" * 64, "bytes": 1}
    (place / "snapshot.json").write_text(json.dumps(manifest))
    with pytest.raises(ExportError, match="comes from elsewhere"):
        verify_snapshot(place)


def test_a_link_in_place_of_a_file_is_a_change(tides: Any, tmp_path: Path) -> None:
    place = tides.archive.export("tides", tmp_path / "out").path
    (place / "channel.json").rename(tmp_path / "elsewhere")
    (place / "channel.json").symlink_to(tmp_path / "elsewhere")
    assert verify_snapshot(place).changed == ("channel.json",)


def test_what_is_no_snapshot_is_one_line(tides: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    for place in (tmp_path / "file", tmp_path, tmp_path / "nothing"):
        for ask in (verify_snapshot, tides.archive.export_again, tides.archive.diff_snapshots):
            with pytest.raises(ExportError, match="no snapshot"):
                ask(place)


def test_a_changed_file_does_not_match_the_archive(tides: Any, tmp_path: Path) -> None:
    place = tides.archive.export("tides", tmp_path / "out").path
    (place / "channel.json").write_text("{}")
    found = tides.archive.export_again(place)
    assert (found.ok, found.changed) == (False, ("channel.json",))


def test_a_snapshot_of_another_archive_cannot_be_taken_again(
    tides: Any, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    place = tides.archive.export("tides", tmp_path / "out").path
    other = type(tides)(tmp_path_factory.mktemp("other"))
    other.say(other.channel(1, slug="tides"))
    with pytest.raises(ExportError, match="at a head that this archive does not reach"):
        other.archive.export_again(place)


def test_a_snapshot_through_an_own_version_outlives_edits_of_the_file(tides: Any, tmp_path: Path) -> None:
    """The text that was put to use is in the log; the file may change or go."""
    file = tides.root / "projections" / "blocks" / "v9_shouting.sql"
    file.parent.mkdir(parents=True)
    header = "-- projection: blocks\n-- version: 9\n-- title: Shouting\n-- key: object_id\n"
    file.write_text(f"{header}SELECT * REPLACE (upper(title) AS title) FROM blocks_v2")
    archive = tides.archive
    archive.projections["blocks"].use(9)
    place = archive.export("tides", tmp_path / "out", format="jsonl").path
    assert "BLOCK 11" in (place / "blocks.jsonl").read_text()
    archive.projections["blocks"].use(2)
    file.write_text(f"{header}SELECT * REPLACE (lower(title) AS title) FROM blocks_v2")
    assert tides.archive.export_again(place).ok
    file.unlink()
    assert tides.archive.export_again(place).ok
