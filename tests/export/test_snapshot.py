"""What a snapshot says: true, whole, in order, the same bytes for the same head, and nothing private."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from vfdir_lab.errors import ExportError, HeadError, LogDamagedError, UsageError
from vfdir_lab.export import SnapshotOptions, export_channel, snapshot, wording
from vfdir_lab.export.rows import BATCH_ROWS
from vfdir_lab.log import Head
from vfdir_lab.projection import Engine, Lens, default_lens

GOLDEN = Path(__file__).with_name("golden")
MIRROR = Lens(name="mirror", definitions=default_lens().definitions)
PUBLIC = ("blocks", "channels", "connections", "users", "comments", "scans")
Contents = Callable[[Path], dict[str, bytes]]
Lines = Callable[[bytes], Sequence[Any]]


@pytest.fixture(params=["json", "jsonl"])
def format_(request: pytest.FixtureRequest) -> str:
    return str(request.param)


# ----------------------------------------------------------------------------------------- bytes


@pytest.mark.parametrize("format_", ["json", "jsonl", "csv", "markdown", "html"])
def test_the_bytes_are_a_contract(
    tides: Any, tmp_path: Path, contents: Contents, format_: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Against files; the software's version and the fingerprints, which move on their own, are held still."""
    for module in (snapshot, wording):
        monkeypatch.setattr(module, "__version__", "0.0.0")
    monkeypatch.setattr(Lens, "fingerprints", dict.fromkeys(PUBLIC, "sha256:0"))
    monkeypatch.setattr(Lens, "fingerprint", "sha256:0")
    archive = tides.archive
    options = SnapshotOptions(format=format_, head=archive.head, as_of="2026-11-04", lens=MIRROR)
    export_channel(archive.engine, "tides", tmp_path / "out", options)
    assert contents(tmp_path / "out") == contents(GOLDEN / format_)


def test_the_same_head_gives_the_same_bytes_anywhere(
    tides: Any, tmp_path: Path, contents: Contents, format_: str, open_exporter: Any
) -> None:
    archive = tides.archive
    archive.export("tides", tmp_path / "out", format=format_)
    archive.export(1, tmp_path / "again", format=format_)
    places = [
        {"TZ": "Asia/Kathmandu", "LC_ALL": "C", "LANG": "C", "PYTHONHASHSEED": "1", "PYTHONUTF8": "0"},
        {"TZ": "America/St_Johns", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "2"},
    ]
    for number, environment in enumerate(places):
        elsewhere = open_exporter(**environment)
        assert elsewhere.run(tides, tmp_path / str(number), format=format_) == ["over 0"]
    found = [contents(tmp_path / name) for name in ("out", "again", "0", "1")]
    assert found[1:] == found[:1] * 3


def test_an_answer_at_a_head_stays_when_more_is_known(
    tides: Any, tmp_path: Path, contents: Contents, format_: str
) -> None:
    head = tides.archive.head
    tides.archive.export("tides", tmp_path / "before", format=format_, as_of=head)
    tides.say(tides.block(11, title="New"), tides.held(1, 1, "block:1"), tides.channel(1, title="New"))
    archive = tides.archive
    archive.export("tides", tmp_path / "then", format=format_, as_of=head)
    made = archive.export("channel-1", tmp_path / "now", format=format_)
    assert contents(tmp_path / "then") == contents(tmp_path / "before")
    assert made.title == "New"
    assert (made.manifest["head"], made.manifest["as_of"]) == (f"aaaa:{head['aaaa'] + 3}", None)


# -------------------------------------------------------------------------------------- manifest


def test_the_manifest_is_true(
    tides: Any, tmp_path: Path, contents: Contents, format_: str, same_lines: Lines
) -> None:
    made = tides.archive.export("tides", tmp_path / "out", format=format_, as_of="2026-11-04")
    files = contents(tmp_path / "out")
    manifest = json.loads(files.pop("snapshot.json"))
    assert manifest == made.manifest
    assert manifest["files"] == {
        name: {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)} for name, data in files.items()
    }
    assert (manifest["head"], manifest["as_of"]) == (str(tides.archive.head), "2026-11-04")
    assert manifest["options"] == {"format": format_, "depth": 0, "media": False, "private": False}
    assert manifest["known_at"] == "2026-11-03T12:00:20Z"
    assert manifest["channel"]["title"] == "Tides & “swell”"
    if format_ == "jsonl":
        counted = {name.removesuffix(".jsonl"): len(same_lines(data)) for name, data in files.items()}
    else:
        document = json.loads(files["channel.json"])
        kinds = ["block" if "block" in item else "channel" for item in document["items"]]
        counted = {"blocks": kinds.count("block"), "channels": kinds.count("channel")}
        counted["users"] = len(document["users"])
        assert document["provenance"] == {key: manifest[key] for key in ("head", "known_at", "as_of", "lens")}
    assert manifest["counts"] == counted


def test_a_snapshot_says_what_it_is(tides: Any, tmp_path: Path) -> None:
    told: list[int] = []
    made = tides.archive.export("tides", tmp_path / "out", format="json", on_progress=told.append)
    assert str(made) == f"Tides & “swell”: 4 blocks, 3 channels, 3 users, in {tmp_path / 'out'}"
    assert told == list(range(1, 8))
    assert made.manifest["channels"] == [made.manifest["channel"]]
    tides.say(tides.channel(5, title=None, slug="no-title"), tides.channel(6, title=None, slug=None))
    assert tides.archive.export("no-title", tmp_path / "5").title == "no-title"
    assert tides.archive.export(6, tmp_path / "6").title == ""


# ---------------------------------------------------------------------------------------- content


def test_json_has_the_items_in_order_each_as_what_it_is(tides: Any, tmp_path: Path) -> None:
    tides.archive.export("tides", tmp_path / "out", format="json")
    document = json.loads((tmp_path / "out" / "channel.json").read_text("utf-8"))
    items = document["items"]
    assert [item["position"] for item in items] == [1, 2, 3, 4, 5, 6, 7]
    assert [item["connection"]["item"] for item in items] == [
        *["block:11", "block:2", "channel:2", "channel:3", "block:404", "channel:405", "block:11"]
    ]
    seen = [(set(item) - {"position", "connection"}).pop() for item in items]
    assert seen == ["block", "block", "channel", "channel", "block", "channel", "block"]
    assert [item[kind] and item[kind]["object_id"] for item, kind in zip(items, seen, strict=True)] == [
        *["block:11", "block:2", "channel:2", "channel:3", None, None, "block:11"]
    ]
    assert items[0]["block"]["content"] == "twice\na day\x00\u202e"
    assert items[0]["block"]["metadata"] == {"a": 1, "b": 2}
    assert items[2]["channel"]["title"] == "Moons"
    assert document["channel"]["metadata"] == {"a": {"big": 10**25, "é": [1.5, None, "\u2028"]}, "z": 1}
    assert document["channel"]["created_at"] == "2020-02-29T23:59:59.123456Z"
    assert document["channel"]["updated_at"] == "2026-01-01T00:00:00Z"
    assert [user["object_id"] for user in document["users"]] == ["group:7", "user:10", "user:9"]


def test_jsonl_has_each_row_once_in_order(
    tides: Any, tmp_path: Path, contents: Contents, same_lines: Lines
) -> None:
    tides.archive.export("tides", tmp_path / "out", format="jsonl")
    rows = {
        name: same_lines(data) for name, data in contents(tmp_path / "out").items() if name != "snapshot.json"
    }
    ids = {name: [row["object_id"] for row in found] for name, found in rows.items()}
    assert ids == {
        "blocks.jsonl": ["block:2", "block:11"],
        "channels.jsonl": ["channel:1", "channel:2", "channel:3"],
        "connections.jsonl": [f"connection:{number}" for number in (104, 103, 102, 101, 100, 99, 98)],
        "users.jsonl": ["group:7", "user:10", "user:9"],
    }
    assert [row["position"] for row in rows["connections.jsonl"]] == list(range(1, 8))


def test_channels_in_a_circle_end(desk: Any, tmp_path: Path, format_: str) -> None:
    desk.say(
        *[desk.channel(number) for number in (1, 2)],
        *[desk.held(1, 1, "channel:2"), desk.held(2, 2, "channel:1"), desk.held(3, 1, "channel:1")],
    )
    made = desk.archive.export(1, tmp_path / "out", format=format_)
    assert made.manifest["counts"]["channels"] == 2


def test_an_empty_channel_is_a_snapshot_too(desk: Any, tmp_path: Path, format_: str) -> None:
    desk.say(desk.channel(1))
    made = desk.archive.export(1, tmp_path / "out", format=format_)
    assert set(made.manifest["counts"].values()) <= {0, 1}
    if format_ == "json":
        document = json.loads((tmp_path / "out" / "channel.json").read_text("utf-8"))
        assert (document["items"], document["users"]) == ([], [])


def test_times_that_no_calendar_holds_do_not_stop_an_export(desk: Any, tmp_path: Path, format_: str) -> None:
    times = [
        "infinity",
        "-infinity",
        "12026-01-01",
        "0000-01-01",
        "0001-01-01",
        "9999-12-31T23:59:59.999999Z",
    ]
    desk.say(
        desk.channel(1, created_at="infinity", updated_at="-infinity"),
        *[desk.block(number, created_at=time) for number, time in enumerate(times)],
        *[desk.held(number, 1, f"block:{number}", connected_at=time) for number, time in enumerate(times)],
    )
    desk.archive.export(1, tmp_path / "out", format=format_)
    text = "".join(path.read_text("utf-8") for path in (tmp_path / "out").iterdir())
    assert '"0001-01-01T00:00:00Z"' in text
    assert '"9999-12-31T23:59:59.999999Z"' in text
    assert "infinity" not in text


# ---------------------------------------------------------------------------------------- private


def test_nothing_tells_of_a_private_channel_inside(
    tides: Any, tmp_path: Path, contents: Contents, format_: str
) -> None:
    """Its number and that it is private are all that leaves the archive."""
    tides.archive.export("tides", tmp_path / "out", format=format_)
    files = contents(tmp_path / "out")
    assert files
    for name, data in files.items():
        for secret in (b"hush", b"1999-09", b"user:66"):
            assert secret not in data.lower(), name
    if format_.startswith("json"):
        text = b"".join(files.values()).decode()
        assert '"object_id":"channel:3","remote_id":null,"slug":null,"title":null' in text


def test_a_private_channel_leaves_only_when_told_to(tides: Any, tmp_path: Path, format_: str) -> None:
    tides.say(
        tides.held(1, 3, "block:2"),
        tides.held(2, 3, "channel:4"),
        tides.channel(4, title="Deeper title", slug="deeper", visibility="private"),
    )
    archive = tides.archive
    for name in ("hush-slug", 3, "3"):
        with pytest.raises(ExportError, match="is private; say --private to let it leave"):
            archive.export(name, tmp_path / "out", format=format_)
    assert not (tmp_path / "out").exists()
    made = archive.export("hush-slug", tmp_path / "out", format=format_, private=True)
    text = "".join(path.read_text("utf-8") for path in (tmp_path / "out").iterdir())
    assert "Hush title" in text
    assert "Hush Hushsson" in text
    assert "deeper" not in text.lower()
    assert made.manifest["options"]["private"] is True


def test_what_was_public_at_a_head_is_exported_as_it_was(tides: Any, tmp_path: Path, format_: str) -> None:
    head = tides.archive.head
    tides.say(tides.channel(2, visibility="private", title="Now hidden"))
    archive = tides.archive
    archive.export("tides", tmp_path / "then", format=format_, as_of=head)
    archive.export("tides", tmp_path / "now", format=format_)
    for place, seen in (("then", True), ("now", False)):
        text = "".join(path.read_text("utf-8") for path in (tmp_path / place).iterdir())
        assert ("Moons" in text) == seen
        assert "Now hidden" not in text


def test_a_private_block_in_a_channel_that_leaves_goes_with_it(
    desk: Any, tmp_path: Path, format_: str
) -> None:
    desk.say(desk.channel(1), desk.block(1, visibility="private", title="Mine"), desk.held(1, 1, "block:1"))
    desk.archive.export(1, tmp_path / "out", format=format_)
    assert "Mine" in "".join(path.read_text("utf-8") for path in (tmp_path / "out").iterdir())


# ----------------------------------------------------------------------------------------- asking


def test_an_unknown_channel_is_an_error(tides: Any, tmp_path: Path) -> None:
    archive = tides.archive
    for name in ("nowhere", 999, "0999", "block:2", "user:9", "", "Tides", "'; DROP VIEW blocks; --"):
        with pytest.raises(ExportError, match=r"there is no channel .* at that head; `pull` it first"):
            archive.export(name, tmp_path / "out")
    assert list(tmp_path.iterdir()) == [tides.root]


def test_a_channel_not_known_yet_at_a_head_is_an_error(tides: Any, tmp_path: Path) -> None:
    for moment in ("2026-11-03", "aaaa:5", "empty", Head()):
        with pytest.raises(ExportError, match="there is no channel 'tides'"):
            tides.archive.export("tides", tmp_path / "out", as_of=moment)
    with pytest.raises(HeadError):
        tides.archive.export("tides", tmp_path / "out", as_of="aaaa:999")


def test_a_slug_that_several_channels_bear_needs_a_number(desk: Any, tmp_path: Path) -> None:
    desk.say(*[desk.channel(number, slug="same", title=f"Number {number}") for number in (1, 2, 10)])
    with pytest.raises(ExportError, match="several channels are called 'same'; give the number: "):
        desk.archive.export("same", tmp_path / "out")
    assert desk.archive.export(10, tmp_path / "out").title == "Number 10"


def test_an_unknown_format_is_a_usage_error(tides: Any, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"there is no format 'pdf'; there are json, jsonl, csv"):
        tides.archive.export("tides", tmp_path / "out", format="pdf")


# ----------------------------------------------------------------------------------------- streams


class Watched(Engine):
    """An engine that notes how many rows had been written whenever another batch was read."""

    def __init__(self, engine: Engine, written: list[int]) -> None:
        super().__init__(engine._log)
        self._written = written
        self.batches: list[tuple[int, int]] = []

    def stream(self, *args: Any, **kwargs: Any) -> Iterator[pa.RecordBatch]:
        for batch in super().stream(*args, **kwargs):
            self.batches.append((max(self._written, default=0), batch.num_rows))
            yield batch


def test_rows_are_written_before_more_are_read(desk: Any, tmp_path: Path, format_: str) -> None:
    """So memory holds a batch, however long the channel is."""
    size = 12_000
    desk.say(
        desk.channel(1),
        *[desk.block(number) for number in range(size)],
        *[desk.held(number, 1, f"block:{number}") for number in range(size)],
    )
    written: list[int] = []
    engine = Watched(desk.archive.engine, written)
    options = SnapshotOptions(format=format_, head=desk.archive.head)
    export_channel(engine, 1, tmp_path / "out", options, written.append)
    assert max(written) >= size
    assert max(rows for _, rows in engine.batches) < size
    read = 0
    for had_been_written, rows in engine.batches:
        assert had_been_written >= read - BATCH_ROWS
        read += rows


def test_damage_found_on_the_way_is_named_and_leaves_nothing(
    tides: Any, tmp_path: Path, format_: str
) -> None:
    archive = tides.archive
    (segment,) = tides.root.rglob("*.parquet")
    data = bytearray(segment.read_bytes())
    end = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    data[4:end] = bytes(byte ^ 0xFF for byte in data[4:end])
    assert archive.head
    segment.write_bytes(data)
    with pytest.raises(LogDamagedError, match=segment.name):
        archive.export("tides", tmp_path / "out", format=format_)
    assert list(tmp_path.iterdir()) == [tides.root]
