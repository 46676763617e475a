"""A small log is read into memory once; what that answers is what its files answer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from every_case import awkward_archive

from vfdir_lab.log import EventLog, Head, Machine
from vfdir_lab.projection import Engine, default_lens

NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)
TABLES = ["events", "log_segments", *(one.name for one in default_lens().definitions)]
Lines = Callable[[pa.Table], list[str]]


@pytest.fixture(scope="module")
def awkward(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return awkward_archive(tmp_path_factory.mktemp("home") / "my [log] {a,b} 'o\"clock")


def engine_over(folder: Path) -> Engine:
    later = datetime(2100, 1, 1, tzinfo=UTC)
    return Engine(EventLog(folder, Machine("held", folder, folder.parent / "state"), now=lambda: later))


@pytest.mark.parametrize("at", [None, NOON])
@pytest.mark.parametrize("reach", [1, 0.5])
def test_held_and_read_answer_alike(
    awkward: Path, lines: Lines, monkeypatch: pytest.MonkeyPatch, at: datetime | None, reach: float
) -> None:
    whole = EventLog(awkward, Machine("h", awkward, awkward.parent / "s"), now=lambda: NOON).coverage().head
    head = Head({device: int(seq * reach) for device, seq in whole.items()})
    held, read = engine_over(awkward), engine_over(awkward)
    for table in TABLES:
        kept = held.relation(f"FROM {table}", head=head, at=at).to_arrow_table()
        with monkeypatch.context() as patch:
            patch.setattr("vfdir_lab.projection.source.HELD_BYTES", -1)
            there = read.relation(f"FROM {table}", head=head, at=at).to_arrow_table()
        assert kept.schema == there.schema, table
        assert lines(kept) == lines(there), table
        assert kept.num_rows or table not in {"events", "blocks"}, "nothing was compared"


def test_a_small_log_answers_on_when_its_files_are_gone(tides: Any) -> None:
    """The rows are in memory; an archive that is opened now finds no files."""
    relation = tides.archive.sql("SELECT count(*) FROM events")
    for segment in tides.segments():
        segment.unlink()
    assert relation.fetchall() == [(10,)]
    assert tides.archive.sql("SELECT count(*) FROM events").fetchall() == [(0,)]
