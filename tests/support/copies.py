"""Copies of one archive, each with a device and a machine state of its own, under one wall clock."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from vfdir_lab.event import Draft, Event
from vfdir_lab.log import EventLog, Head, Machine, VerifyReport, verify
from vfdir_lab.log.merge import merge
from vfdir_lab.log.merged import MergeReport
from vfdir_lab.log.segment import Footer, SegmentName, digest_of, proof

NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)
MANIFEST = 'format = 1\nid = "of-the-tests"\ncreated_at = 2026-11-03T12:00:00Z\nlens = "mirror"\n'


class Sky:
    """The wall clock of all copies, and the names that their devices get: `dev1`, `dev2` and so on."""

    def __init__(self) -> None:
        self.moment = NOON
        self.names = (f"dev{number}" for number in count(1))

    def now(self) -> datetime:
        return self.moment

    def step(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)


class Copy:
    """One copy of the archive, in a folder of its own."""

    def __init__(self, folder: Path, sky: Sky, home: Path | None = None) -> None:
        self.sky = sky
        self.root = folder
        self.home = home or folder.parent / "states"
        (folder / "log").mkdir(parents=True, exist_ok=True)
        if not (folder / "archive.toml").exists():
            (folder / "archive.toml").write_text(MANIFEST)
        self.log = self.opened()

    @property
    def machine(self) -> Machine:
        return Machine("of-the-tests", self.root, self.home)

    def opened(self) -> EventLog:
        """The log, as a process that was just started sees it."""
        return EventLog(self.root, self.machine, now=self.sky.now, new_device=lambda: next(self.sky.names))

    def append(self, *counts: int, text: str = "") -> tuple[Event, ...]:
        """Batches of so many events, a millisecond apart."""
        events: tuple[Event, ...] = ()
        for number in counts:
            self.sky.step(0.001)
            events += self.log.append(
                [
                    Draft(
                        kind="block.observed",
                        object_id=f"block:{one}",
                        payload={"title": f"{text}{self.root.name} {one}"},
                    )
                    for one in range(1, number + 1)
                ]
            )
        return events

    def merge(self, other: Copy | Path, **options: bool) -> MergeReport:
        return merge(self.log, other.root if isinstance(other, Copy) else other, **options)

    def events(self) -> list[Event]:
        return list(self.opened().events_after(Head()))

    def verify(self) -> VerifyReport:
        return verify(self.opened())

    def segments(self, device: str = "*") -> list[Path]:
        """The segment files by device and name."""
        found = (self.root / "log").glob(f"device={device}/*/*.parquet")
        return sorted(found, key=lambda path: (path.parts[-3], path.name))

    def bytes(self) -> dict[str, bytes]:
        """Everything in the folder."""
        return {
            str(path.relative_to(self.root)): path.read_bytes()
            for path in sorted(self.root.rglob("*"))
            if path.is_file()
        }

    def clone(self, folder: Path) -> Copy:
        """A copy of the whole machine: folder and state, as a cloned disk has it."""
        shutil.copytree(self.root, folder)
        twin = Copy(folder, self.sky)
        if self.machine.folder.exists():
            shutil.copytree(self.machine.folder, twin.machine.folder, dirs_exist_ok=True)
        return twin

    def squeeze(self, device: str, first: int, last: int, *, keep: bool = False, bare: bool = False) -> Path:
        """Make one segment of those that are covered between two indexes, as a compaction does.

        `bare`: without naming them as its parts.
        """
        taken = self.log.coverage().of(device)[first : last + 1]
        table = pa.concat_tables([self.log.read(one) for one in taken])
        head, tail = taken[0].footer, taken[-1].footer
        footer = replace(
            head,
            last=tail.last,
            recorded_min=min(one.footer.recorded_min for one in taken),
            recorded_max=max(one.footer.recorded_max for one in taken),
            hlc_max=tail.hlc_max,
            digest=digest_of(table),
            parts=() if bare else tuple(piece for one in taken for piece in one.footer.pieces),
            compacted_at=None if bare else self.sky.now(),
        )
        path = put(self.root / taken[0].path, table, footer)
        for one in taken if not keep else ():
            if (self.root / one.path) != path:
                (self.root / one.path).unlink()
        return path


def put(beside: Path, table: pa.Table, footer: Footer) -> Path:
    """Write a segment of these rows with this footer, under a name that proves its bytes."""
    sink = pa.BufferOutputStream()
    with pq.ParquetWriter(sink, table.schema, compression="zstd", store_schema=False) as writer:
        if table.num_rows:
            writer.write_table(table)
        writer.add_key_value_metadata(footer.metadata())
    data = sink.getvalue().to_pybytes()
    path = beside.with_name(str(SegmentName(first=footer.first, last=footer.last, proof=proof(data))))
    path.write_bytes(data)
    return path


def held(copies: Iterable[Copy]) -> list[list[Event]]:
    """What each copy counts, read anew."""
    return [copy.events() for copy in copies]
