"""A throw-away archive folder with a wall clock to turn, and real processes that append to it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from copies import Copy, Sky

from vfdir_lab.event import Draft, Event
from vfdir_lab.event.stamp import utc_now
from vfdir_lab.log import EventLog, Footer, Head, Machine, VerifyReport, segment, verify
from vfdir_lab.log.segment import SegmentName, encode, proof

NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)
WORKER = Path(__file__).with_name("worker.py")


class Wall:
    """A wall clock that is turned by hand."""

    def __init__(self) -> None:
        self.moment = NOON

    def __call__(self) -> datetime:
        return self.moment

    def step(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)


class RealWall(Wall):
    """The wall clock of this machine, for what is written together with real processes."""

    def __call__(self) -> datetime:
        return utc_now()


class Place:
    """An archive folder, the machine state beside it, and the log between them.

    Devices are called `dev1`, `dev2` … in the order they join.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = folder / "archive"
        self.root.mkdir(parents=True)
        self.home = folder / "state"
        self.wall: Wall = Wall()
        self._devices = iter(f"dev{number}" for number in range(1, 1000))

    @property
    def machine(self) -> Machine:
        return Machine("archive-of-the-tests", self.root, self.home)

    def by_real_time(self) -> Place:
        self.wall = RealWall()
        return self

    def log(self, machine: Machine | None = None) -> EventLog:
        """The log, as a process that was just started sees it."""
        return EventLog(
            self.root,
            machine or self.machine,
            now=self.wall,
            new_device=lambda: next(self._devices),
        )

    def stranger(self, name: str) -> EventLog:
        """The same folder as another machine sees it."""
        return self.log(Machine("archive-of-the-tests", self.root, self.folder / name))

    def append(self, *counts: int) -> None:
        """Batches of so many events, a millisecond apart."""
        log = self.log()
        for count in counts:
            log.append(self.drafts(count))
            self.wall.step(0.001)

    def drafts(self, count: int) -> list[Draft]:
        return [
            Draft(kind="block.observed", object_id=f"block:{number}", payload={"title": f"block {number} ✓"})
            for number in range(1, count + 1)
        ]

    def files(self, pattern: str = "*.parquet") -> list[Path]:
        """The segment files in the order of their names."""
        return sorted((self.root / "log").rglob(pattern), key=lambda path: (path.parts[-3], path.name))

    def bytes(self) -> dict[str, bytes]:
        """Everything that is in the folder."""
        return {
            str(path.relative_to(self.folder)): path.read_bytes()
            for path in sorted(self.folder.rglob("*"))
            if path.is_file()
        }

    def verify(self) -> VerifyReport:
        return verify(self.log())

    def events(self) -> list[Event]:
        return list(self.log().events_after(Head()))

    def write(self, events: Sequence[Event], prev: str = "", month: str = "2026-11") -> tuple[Path, Footer]:
        """A segment of these events, put in the folder without a `Writer`."""
        name, footer, data = encode(events, prev)
        return self.put(footer.device, name, data, month), footer

    def put(self, device: str, name: SegmentName, data: bytes, month: str = "2026-11") -> Path:
        path = self.root / "log" / f"device={device}" / f"month={month}" / str(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    def forge(self, path: Path, *, table: pa.Table | None = None, **metadata: str | None) -> Path:
        """Replace a segment by one with other rows or another footer, under a name that proves its bytes."""
        old = pq.read_table(path, partitioning=None)
        footer: dict[str, str | None] = {
            key.decode(): value.decode()
            for key, value in pq.read_metadata(path).metadata.items()
            if key.startswith(b"vfdir.")
        }
        footer |= {f"vfdir.{key}": value for key, value in metadata.items()}
        sink = pa.BufferOutputStream()
        chosen = old if table is None else table
        with pq.ParquetWriter(sink, chosen.schema, compression="zstd", store_schema=False) as writer:
            if chosen.num_rows:
                writer.write_table(chosen)
            writer.add_key_value_metadata({key: value for key, value in footer.items() if value is not None})
        data = sink.getvalue().to_pybytes()
        name = SegmentName.parse(path.name)
        assert name is not None
        path.unlink()
        forged = path.with_name(str(SegmentName(first=name.first, last=name.last, proof=proof(data))))
        forged.write_bytes(data)
        return forged


@pytest.fixture
def in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """For laws about content, so that an example costs little: no flush, no disk, no compressor to set up.

    That what is written survives a power cut is asked by other tests.
    """
    monkeypatch.setattr(os, "fsync", lambda _descriptor: None)
    monkeypatch.setitem(segment.WRITING, "compression", "none")
    if os.access("/dev/shm", os.W_OK):
        monkeypatch.setattr(tempfile, "tempdir", "/dev/shm")


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "place")


@pytest.fixture(scope="session")
def new_place() -> Callable[[], AbstractContextManager[Place]]:
    """A fresh place for each example of a property."""

    @contextmanager
    def fresh() -> Iterator[Place]:
        with TemporaryDirectory() as folder:
            yield Place(Path(folder) / "place")

    return fresh


@pytest.fixture(scope="session")
def make_events() -> Callable[..., list[Event]]:
    """Events of one device, from `first` on, with a stamp a millisecond."""

    def make(device: str, first: int, last: int, **changed: Any) -> list[Event]:
        values: dict[str, Any] = {
            "origin": "arena",
            "origin_at": None,
            "kind": "block.observed",
            "kind_version": 1,
            "cause": None,
            "payload": '{"title":"x"}',
        }
        values |= changed
        return [
            Event(
                **{
                    "device": device,
                    "seq": seq,
                    "hlc": (1_793_700_000_000 + seq) << 16,
                    "recorded_at": NOON + timedelta(milliseconds=seq),
                    "object_id": f"block:{seq}",
                    **values,
                }
            )
            for seq in range(first, last + 1)
        ]

    return make


@pytest.fixture
def sky() -> Sky:
    """The wall clock of copies that are merged."""
    return Sky()


@pytest.fixture
def here(tmp_path: Path, sky: Sky) -> Copy:
    """The copy that is merged into."""
    return Copy(tmp_path / "here", sky)


@pytest.fixture
def there(tmp_path: Path, sky: Sky) -> Copy:
    """The copy that is merged from, unless a module has one of its own."""
    return Copy(tmp_path / "there", sky)


class Nursery:
    """A process that forks workers, so that starting one costs a millisecond."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def start(self, place: Any, **orders: Any) -> int:
        """Start a worker on a place, or whatever has `root` and `home`; returns its process id."""
        assert self._process.stdin is not None
        orders |= {"root": str(place.root), "home": str(place.home)}
        self._process.stdin.write(json.dumps(orders) + "\n")
        self._process.stdin.flush()
        return int(self.line().removeprefix("started "))

    def line(self) -> str:
        """What a worker said: `ack FIRST LAST DEVICE`, `held`, an error; `over STATUS` when it is gone."""
        assert self._process.stdout is not None
        said = self._process.stdout.readline()
        assert said, "the nursery has died"
        return said.strip()

    def rest(self) -> list[str]:
        """What the worker says until it is gone, its end included."""
        said = [self.line()]
        while not said[-1].startswith("over"):
            said.append(self.line())
        return said


@pytest.fixture(scope="session")
def open_nursery() -> Iterator[Callable[[], Nursery]]:
    """More than one nursery: workers at once."""
    processes: list[subprocess.Popen[str]] = []

    def open_one() -> Nursery:
        process = subprocess.Popen(
            [sys.executable, str(WORKER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        processes.append(process)
        return Nursery(process)

    yield open_one
    for process in processes:
        process.communicate()
        assert process.returncode == 0


@pytest.fixture(scope="session")
def nursery(open_nursery: Callable[[], Nursery]) -> Nursery:
    return open_nursery()
