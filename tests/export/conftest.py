"""A desk with a small channel on it, and a process that exports, so that it can be killed or starved."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from vfdir_lab.archive import Archive
from vfdir_lab.arena import SYSTEM_TIME
from vfdir_lab.event import Event, canonical
from vfdir_lab.log.manifest import create_archive
from vfdir_lab.log.segment import encode
from vfdir_lab.projection import Lens, default_lens
from vfdir_lab.projection.definition import define
from vfdir_lab.projection.lens import DEFAULT, lens_of

NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)
LATER = datetime(2100, 1, 1, tzinfo=UTC)


class Desk:
    """An archive whose events the test chooses, all of one device: `aaaa`."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "archive"
        self.seq = 0
        create_archive(self.root, NOON, lens=DEFAULT)

    @property
    def archive(self) -> Archive:
        return Archive(self.root, time=replace(SYSTEM_TIME, now=lambda: LATER))

    def say(self, *said: tuple[str, str, dict[str, Any]]) -> Desk:
        """Record (kind, object, payload), a second apart, as one segment."""
        events = [self._event(*one) for one in said]
        name, footer, data = encode(events, "")
        folder = self.root / "log" / f"device={footer.device}" / "month=2026-11"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / str(name)).write_bytes(data)
        return self

    def _event(self, kind: str, object_id: str, payload: dict[str, Any]) -> Event:
        self.seq += 1
        return Event(
            device="aaaa",
            seq=self.seq,
            hlc=(int(NOON.timestamp()) + self.seq) * 1000 << 16,
            recorded_at=NOON + timedelta(seconds=self.seq),
            origin="arena",
            origin_at=None,
            kind=kind,
            kind_version=1,
            object_id=object_id,
            cause=None,
            payload=canonical(payload),
        )

    def channel(self, number: int, **fields: Any) -> tuple[str, str, dict[str, Any]]:
        given = {"slug": f"channel-{number}", "title": f"Channel {number}", "visibility": "public"}
        return "channel.observed", f"channel:{number}", given | fields

    def block(self, number: int, **fields: Any) -> tuple[str, str, dict[str, Any]]:
        return "block.observed", f"block:{number}", {"type": "Text", "title": f"Block {number}"} | fields

    def held(self, number: int, channel: int, item: str, **fields: Any) -> tuple[str, str, dict[str, Any]]:
        where = {
            "channel": f"channel:{channel}",
            "item": item,
            "connected_at": f"2026-01-{number % 28 + 1:02d}",
        }
        return "connection.observed", f"connection:{number}", where | fields


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.fixture
def tides(desk: Desk) -> Desk:
    """A small channel with one of everything: texts of any script, a picture, channels, what is unknown."""
    ada, weavers = {"id": 9, "type": "User"}, {"id": 7, "type": "Group"}
    return desk.say(
        ("user.observed", "user:9", {"name": "Ada", "slug": "ada"}),
        ("user.observed", "user:10", {"name": "نورا 🧵", "slug": "nura"}),
        ("user.observed", "group:7", {"name": "The Weavers", "slug": "weavers"}),
        ("user.observed", "user:66", {"name": "Hush Hushsson", "slug": "hush-person"}),
        ("user.observed", "user:404", {"name": "Somebody else", "slug": "else"}),
        desk.channel(
            1,
            slug="tides",
            title="Tides & “swell”",
            description={"markdown": "of the *sea*", "html": "<p>of the <em>sea</em></p>"},
            owner=weavers,
            created_at="2020-02-29T23:59:59.123456Z",
            updated_at="2026-01-01T01:00:00+01:00",
            metadata={"z": 1, "a": {"é": [1.5, None, "\u2028"], "big": 10**25}},
            state="available",
        ),
        desk.channel(2, slug="moons", title="Moons", owner={"id": 10, "type": "User"}),
        desk.channel(
            3,
            slug="hush-slug",
            title="Hush title",
            description="hush description",
            owner={"id": 66, "type": "User"},
            visibility="private",
            created_at="1999-09-09",
            metadata={"hush": "hush"},
        ),
        desk.block(11, content={"markdown": "twice\na day\x00\u202e"}, user=ada, metadata={"b": 2, "a": 1}),
        desk.block(
            2,
            type="Image",
            title=None,
            image={
                "src": "https://i.example/m.png",
                "filename": "m.png",
                "content_type": "image/png",
                "file_size": 9,
            },
            source={"url": "https://s.example/?a=1&b=<2>", "title": "</script>"},
            created_at="2026-01-01",
        ),
        desk.held(104, 1, "block:11", rank="a1", pinned=True, connected_by=ada, metadata={"note": "x"}),
        desk.held(103, 1, "block:2", rank="a2", connected_at="someday"),
        desk.held(102, 1, "channel:2", rank="a3"),
        desk.held(101, 1, "channel:3", rank="a4", connected_by=ada),
        desk.held(100, 1, "block:404", rank="a5"),
        desk.held(99, 1, "channel:405", rank="a6"),
        desk.held(98, 1, "block:11", rank="a7"),
        desk.held(97, 2, "block:405"),
        ("scan.started", "scan:s", {"channel": "channel:1"}),
        ("scan.finished", "scan:s", {"channel": "channel:1", "complete": True}),
    )


def read(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="session")
def contents() -> Callable[[Path], dict[str, bytes]]:
    """Every file below a folder, with its bytes."""
    return read


class Exporter:
    """A process that forks one export for each order it is given."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("exporter.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env=os.environ | environment,
        )

    def start(self, desk: Desk, target: Path, **orders: Any) -> None:
        """Start an export."""
        assert self._process.stdin is not None
        orders |= {"root": str(desk.root), "target": str(target)}
        self._process.stdin.write(json.dumps(orders) + "\n")
        self._process.stdin.flush()
        assert self.line().startswith("started")

    def line(self) -> str:
        assert self._process.stdout is not None
        said = self._process.stdout.readline()
        assert said, "the exporter has died"
        return said.strip()

    def run(self, desk: Desk, target: Path, **orders: Any) -> list[str]:
        """Export to the end; returns what it said: an error if there was one, and `over STATUS`."""
        self.start(desk, target, **orders)
        said = [self.line()]
        while not said[-1].startswith("over"):
            said.append(self.line())
        return said

    def close(self) -> None:
        self._process.communicate()
        assert self._process.returncode == 0


@pytest.fixture(scope="session")
def open_exporter() -> Iterator[Callable[..., Exporter]]:
    """Exporters, one for each environment."""
    opened: dict[str, Exporter] = {}

    def open_one(**environment: str) -> Exporter:
        key = json.dumps(environment, sort_keys=True)
        if key not in opened:
            opened[key] = Exporter(environment)
        return opened[key]

    yield open_one
    for exporter in opened.values():
        exporter.close()


@pytest.fixture(scope="session")
def exporter(open_exporter: Callable[..., Exporter]) -> Exporter:
    return open_exporter()


@pytest.fixture(scope="session")
def same_lines() -> Callable[[bytes], Sequence[Any]]:
    """The rows of a jsonl file."""
    return lambda data: [json.loads(line) for line in data.decode().split("\n")[:-1]]


NASTY = (
    '<script>alert("x")</script>',
    '"><img src=x onerror=alert(1)>',
    "[a](javascript:alert(1)) <iframe src=https://evil.example></iframe>",
    '=HYPERLINK("https://evil.example")',
    "\u202etxt.exe",
    "../../../etc/passwd",
    "---\ntitle: no\n---\n```\nunclosed",
    "[[wiki]] {{template}} %%c%% #tag",
    "</dd></dl></main></body></html>",
    "\x00\x1b[31m",
)


@pytest.fixture
def hostile(desk: Desk) -> Desk:
    """A channel in which every text, address, embed and file name is meant badly."""
    said = [desk.channel(1, slug="hostile", title=NASTY[0], description=" ".join(NASTY), owner={"id": 9})]
    for number, text in enumerate(NASTY, start=1):
        kinds = ("Text", "Image", "Link", "Embed", "Attachment")
        fields: dict[str, Any] = {
            "type": kinds[number % 5],
            "title": text,
            "description": {"markdown": text},
            "content": {"markdown": f"{text}\n\n{text}"},
            "source": {"url": "javascript:alert(1)" if number % 2 else f"https://evil.example/{text}"},
            "embed": {"url": "data:text/html,x", "html": text},
            "image": {"src": f"https://evil.example/{text}", "filename": text},
            "attachment": {"url": "file:///etc/passwd", "filename": text, "content_type": text},
        }
        said += [desk.block(number, **fields), desk.held(number, 1, f"block:{number}", rank=f"a{number:02}")]
    return desk.say(*said, ("user.observed", "user:9", {"name": NASTY[1], "slug": NASTY[5]}))


@pytest.fixture
def kept(desk: Desk) -> Callable[..., Lens]:
    """Keeps copies of files by address, and gives a lens that knows of them."""

    def keep(**files: tuple[str, bytes, str]) -> Lens:
        rows = []
        for url, data, sort in files.values():
            digest = hashlib.sha256(data).hexdigest()
            path = desk.root / "media" / "sha256" / digest[:2] / digest[2:4] / digest
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            rows.append(f"('{url}', '{digest}', '{sort}')")
        table = f"(VALUES {', '.join(rows)}) AS told(url, sha256, content_type)"
        sql = (
            "-- projection: media\n-- version: 1\n-- title: Kept\n-- key: url\n"
            f"SELECT url, sha256, content_type, TIMESTAMPTZ '2026-01-01' AS saved_at FROM {table}"
        )
        own = define(sql, where="a test", source="own")
        return lens_of("with-media", [*default_lens().definitions, own])

    return keep
