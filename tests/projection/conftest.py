"""A desk: events laid down as segments of a log, an engine over them, rows that can be compared."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pytest

from vfdir_lab.archive import Archive
from vfdir_lab.arena import SYSTEM_TIME
from vfdir_lab.event import Event, canonical
from vfdir_lab.log import EventLog, Machine
from vfdir_lab.log.manifest import create_archive
from vfdir_lab.log.segment import encode
from vfdir_lab.projection import Engine
from vfdir_lab.projection.lens import DEFAULT

NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)
LATER = datetime(2100, 1, 1, tzinfo=UTC)


class Desk:
    """An archive folder whose events the test chooses, devices and stamps included."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "archive"
        self.home = folder / "state"
        create_archive(self.root, NOON, lens=DEFAULT)

    @property
    def archive(self) -> Archive:
        """The folder as an `Archive`, opened anew."""
        return Archive(self.root, time=replace(SYSTEM_TIME, now=lambda: LATER))

    def log(self) -> EventLog:
        """The log, as a process that was just started sees it."""
        return EventLog(self.root, Machine("of-the-tests", self.root, self.home), now=lambda: LATER)

    def engine(self) -> Engine:
        return Engine(self.log())

    def write(self, events: Sequence[Event], sizes: Callable[[], int] = lambda: 10**6) -> Desk:
        """Lay these events down, each device's in its order, in segments of the sizes that `sizes` gives."""
        for device in sorted({event.device for event in events}):
            own = sorted((event for event in events if event.device == device), key=lambda event: event.seq)
            prev = ""
            while own:
                part, own = own[: (size := sizes())], own[size:]
                prev = self._segment(part, prev)
        return self

    def _segment(self, events: Sequence[Event], prev: str) -> str:
        name, footer, data = encode(events, prev)
        folder = self.root / "log" / f"device={footer.device}" / f"month={events[0].recorded_at:%Y-%m}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / str(name)).write_bytes(data)
        return footer.digest

    def segments(self) -> list[Path]:
        return sorted(self.root.rglob("*.parquet"))

    def bytes(self) -> dict[str, bytes]:
        """Everything that is in the archive."""
        return {
            str(path.relative_to(self.root)): path.read_bytes()
            for path in sorted(self.root.rglob("*"))
            if path.is_file()
        }


def spelled(value: object) -> Any:
    """A value as JSON has it."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return value


@pytest.fixture(scope="session")
def lines() -> Callable[[pa.Table], list[str]]:
    """The rows of a table as sorted lines of canonical JSON: what two answers are compared by."""

    def of(table: pa.Table) -> list[str]:
        rows = ({name: spelled(value) for name, value in row.items()} for row in table.to_pylist())
        return sorted(json.dumps(row, ensure_ascii=False, sort_keys=True) for row in rows)

    return of


@pytest.fixture
def as_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every log counts as one too large to be held in memory: queries read its files."""
    monkeypatch.setattr("vfdir_lab.projection.source.HELD_BYTES", -1)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.fixture(scope="session")
def new_desk() -> Callable[[], AbstractContextManager[Desk]]:
    """A fresh desk for each example of a property."""

    @contextmanager
    def fresh() -> Iterator[Desk]:
        with TemporaryDirectory() as folder:
            yield Desk(Path(folder))

    return fresh


@pytest.fixture(scope="session")
def event() -> Callable[..., Event]:
    """An event; `at` counts milliseconds from noon, and gives stamp and clock unless they are given."""

    def make(device: str, seq: int, kind: str, object_id: str, /, at: int = 0, **fields: Any) -> Event:
        moment = NOON + timedelta(milliseconds=at or seq)
        return Event(
            device=device,
            seq=seq,
            hlc=(int(NOON.timestamp() * 1000) + (at or seq)) << 16,
            recorded_at=moment,
            origin="arena",
            origin_at=None,
            kind=kind,
            kind_version=1,
            object_id=object_id,
            cause=None,
            payload=canonical(fields),
        )

    return make


@pytest.fixture
def tides(desk: Desk, event: Callable[..., Event]) -> Desk:
    """A small archive: one channel of three blocks and a channel, in three segments."""
    events = [
        event("aaaa", 1, "scan.started", "scan:s", channel="channel:1"),
        event("aaaa", 2, "channel.observed", "channel:1", slug="tides", title="Tides"),
        event("aaaa", 3, "user.observed", "user:9", name="Ada", slug="ada"),
    ]
    for number in (1, 2, 3):
        seq = 2 * number + 2
        item = {"channel": "channel:1", "item": f"block:{number}", "rank": f"a{number}"}
        events += [
            event("aaaa", seq, "block.observed", f"block:{number}", type="Text", title=f"Tide {number}"),
            event("aaaa", seq + 1, "connection.observed", f"connection:{number}", **item),
        ]
    events.append(event("aaaa", 10, "scan.finished", "scan:s", channel="channel:1", complete=True))
    return desk.write(events, iter([3, 4, 9]).__next__)
