"""A segment: a frozen schema, a name that proves its bytes, a footer that says what it holds."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vfdir_lab.errors import EventError, LogDamagedError
from vfdir_lab.event import Event
from vfdir_lab.log import SCHEMA, Footer
from vfdir_lab.log.segment import (
    SegmentName,
    digest_of,
    encode,
    events_of,
    microseconds,
    moment,
    proof,
    read_footer,
    table_of,
)

Place = Any
MakeEvents = Callable[..., list[Event]]

GOLDEN = Path(__file__).parent / "golden" / "000000000001-000000000003-13ae1acc14cedbe0.parquet"
GOLDEN_DIGEST = "sha256:94772ab0862022136f66cec2d29f8591913cb6570f1519e2bc6bd4a901a89899"
NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)


def fixed_events() -> list[Event]:
    """Three events that touch every column, null and not, and every sort of text."""
    shared = {"device": "k3f9a2", "kind_version": 1}
    return [
        Event(
            seq=1,
            hlc=1_793_707_200_000 << 16,
            recorded_at=NOON,
            origin="k3f9a2",
            origin_at=None,
            kind="device.joined",
            object_id="device:k3f9a2",
            cause=None,
            payload="{}",
            **shared,
        ),
        Event(
            seq=2,
            hlc=(1_793_707_200_000 << 16) + 1,
            recorded_at=NOON + timedelta(microseconds=1),
            origin="arena",
            origin_at=datetime(2013, 1, 2, 3, 4, 5, 678901, tzinfo=UTC),
            kind="block.observed",
            object_id="block:123",
            cause="scan:k3f9a2.1",
            payload='{"description":null,"title":"Zoë 😀 \\"q\\" \\u0000\u2028"}',
            **shared,
        ),
        Event(
            seq=3,
            hlc=(1_793_707_200_001 << 16) + 65_535,
            recorded_at=NOON - timedelta(days=1),
            origin="arena",
            origin_at=datetime(1969, 12, 31, tzinfo=UTC),
            kind="kind.of_tomorrow",
            object_id="page:9",
            cause="",
            payload='{"big":9007199254740993,"n":-0.0}',
            **shared,
        ),
    ]


def test_the_schema_is_frozen_as_format_1() -> None:
    assert [(field.name, str(field.type), field.nullable) for field in SCHEMA] == [
        ("device", "string", False),
        ("seq", "int64", False),
        ("hlc", "int64", False),
        ("recorded_at", "timestamp[us, tz=UTC]", False),
        ("origin", "string", False),
        ("origin_at", "timestamp[us, tz=UTC]", True),
        ("kind", "string", False),
        ("kind_version", "int16", False),
        ("object_id", "string", False),
        ("cause", "string", True),
        ("payload", "string", False),
    ]


def test_the_digest_of_fixed_events_never_changes() -> None:
    assert digest_of(table_of(fixed_events())) == GOLDEN_DIGEST


def test_the_digest_can_be_computed_without_us() -> None:
    """One JSON array a row, times in µs since 1970, a line feed after each; sha256 of that."""
    lines = []
    for event in fixed_events():
        row = [getattr(event, name) for name in SCHEMA.names]
        row = [
            (value - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
            if isinstance(value, datetime)
            else value
            for value in row
        ]
        lines.append(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n")
    assert (
        digest_of(table_of(fixed_events())) == "sha256:" + hashlib.sha256("".join(lines).encode()).hexdigest()
    )


def test_a_segment_of_format_1_is_read_for_ever() -> None:
    """The golden file was written by the first version; its name proves that it still is that file."""
    name = SegmentName.parse(GOLDEN.name)
    assert name is not None
    assert proof(GOLDEN.read_bytes()) == name.proof
    footer = read_footer(str(GOLDEN), name=name, device="k3f9a2")
    assert footer == Footer(
        device="k3f9a2",
        first=1,
        last=3,
        recorded_min=NOON - timedelta(days=1),
        recorded_max=NOON + timedelta(microseconds=1),
        hlc_min=1_793_707_200_000 << 16,
        hlc_max=(1_793_707_200_001 << 16) + 65_535,
        digest=GOLDEN_DIGEST,
        prev="",
    )
    assert list(events_of(pq.read_table(GOLDEN, partitioning=None))) == fixed_events()


def test_the_footer_in_the_file_is_a_contract() -> None:
    metadata = pq.read_metadata(GOLDEN).metadata
    assert {key.decode(): value.decode() for key, value in metadata.items() if key[:6] == b"vfdir."} == {
        "vfdir.format": "1",
        "vfdir.device": "k3f9a2",
        "vfdir.first": "1",
        "vfdir.last": "3",
        "vfdir.rows": "3",
        "vfdir.recorded_min": "1793620800000000",
        "vfdir.recorded_max": "1793707200000001",
        "vfdir.hlc_min": "117552395059200000",
        "vfdir.hlc_max": "117552395059331071",
        "vfdir.digest": GOLDEN_DIGEST,
        "vfdir.prev": "",
    }


def test_any_engine_reads_a_segment_without_us() -> None:
    rows = [
        (event.device, event.seq, event.hlc, event.recorded_at, event.origin_at, event.cause, event.payload)
        for event in fixed_events()
    ]
    columns = ["device", "seq", "hlc", "recorded_at", "origin_at", "cause", "payload"]
    with duckdb.connect() as connection:
        found = connection.execute(
            f"""select device, seq, hlc, epoch_us(recorded_at), epoch_us(origin_at), cause, payload
                from '{GOLDEN}' order by seq"""
        ).fetchall()
        types = connection.execute(f"select typeof(columns(*)) from '{GOLDEN}' limit 1").fetchone()
    in_us = [
        (*row[:3], microseconds(row[3]), None if row[4] is None else microseconds(row[4]), *row[5:])
        for row in rows
    ]
    assert found == in_us
    assert types is not None
    assert [types[SCHEMA.get_field_index(name)] for name in ("recorded_at", "kind_version")] == [
        "TIMESTAMP WITH TIME ZONE",
        "SMALLINT",
    ]
    assert pl.read_parquet(GOLDEN).select(columns).rows() == rows
    table = pq.read_table(GOLDEN, columns=columns, partitioning=None)
    assert [tuple(row.values()) for row in table.to_pylist()] == rows


def test_the_name_gives_the_range_and_proves_the_bytes(make_events: MakeEvents) -> None:
    name, footer, data = encode(make_events("k3f9", 241, 245), "sha256:before")
    assert str(name) == f"000000000241-000000000245-{hashlib.sha256(data).hexdigest()[:16]}.parquet"
    assert SegmentName.parse(str(name)) == name
    assert (footer.first, footer.last, footer.rows, footer.prev) == (241, 245, 5, "sha256:before")


@pytest.mark.parametrize(
    "name",
    [
        "",
        "1-2-0123456789abcdef.parquet",
        "000000000001-000000000002-0123456789abcdef.parquet.tmp",
        ".000000000001-000000000002-0123456789abcdef.parquet",
        "000000000001-000000000002-0123456789ABCDEF.parquet",
        "000000000001-000000000002-0123456789abcde.parquet",
        "000000000002-000000000001-0123456789abcdef.parquet",
        "000000000000-000000000001-0123456789abcdef.parquet",
        "000000000001-000000000002-0123456789abcdef.parquet\n",
        "00000000000\u0661-000000000002-0123456789abcdef.parquet",
        "000000000001-000000000002-0123456789abcdef (1).parquet",
        "000000000001-000000000002-0123456789abcdef.sync-conflict-20261103.parquet",
    ],
)
def test_another_name_is_not_a_segments(name: str) -> None:
    assert SegmentName.parse(name) is None


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
TIMES = st.datetimes(timezones=st.just(UTC))


@st.composite
def event_lists(draw: st.DrawFn) -> list[Event]:
    first = draw(st.integers(1, 10**12 - 10))
    return [
        Event(
            device="k3f9",
            seq=first + number,
            hlc=draw(st.integers(0, 2**63 - 1)),
            recorded_at=draw(TIMES),
            origin=draw(TEXT),
            origin_at=draw(st.none() | TIMES),
            kind=draw(TEXT),
            kind_version=draw(st.integers(-(2**15), 2**15 - 1)),
            object_id=draw(TEXT),
            cause=draw(st.none() | TEXT),
            payload=draw(TEXT),
        )
        for number in range(draw(st.integers(1, 4)))
    ]


@given(event_lists(), TEXT)
def test_events_and_footer_survive_the_round_trip(events: list[Event], prev: str) -> None:
    _, footer, data = encode(events, prev)
    table = pq.read_table(pa.BufferReader(data))
    assert list(events_of(table)) == events
    assert digest_of(table) == footer.digest
    written = {key.encode(): value.encode() for key, value in footer.metadata().items()}
    assert Footer.from_metadata(written) == footer
    assert footer.recorded_min == min(event.recorded_at for event in events)
    assert footer.recorded_max == max(event.recorded_at for event in events)


@given(event_lists(), st.data())
def test_the_digest_depends_on_every_value(events: list[Event], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(events) - 1))
    column = data.draw(
        st.sampled_from(["hlc", "recorded_at", "origin", "origin_at", "kind", "cause", "payload"])
    )
    other = getattr(data.draw(event_lists())[0], column)
    changed = [*events]
    changed[place] = replace(events[place], **{column: other})
    assert (digest_of(table_of(changed)) == digest_of(table_of(events))) == (changed == events)


@given(st.datetimes())
def test_microseconds_since_1970_read_back_exactly(naive: datetime) -> None:
    at = naive.replace(tzinfo=UTC)
    assert moment(microseconds(at)) == at


def test_times_of_other_zones_are_stored_in_utc(make_events: MakeEvents) -> None:
    there = timezone(timedelta(hours=-7))
    _, footer, data = encode(make_events("k3f9", 1, 1, recorded_at=NOON.astimezone(there)), "")
    assert footer.recorded_max.utcoffset() == timedelta(0)
    assert pq.read_table(pa.BufferReader(data)).column("recorded_at").to_pylist() == [NOON]


@pytest.mark.parametrize("seqs", [[1, 3], [2, 1], [1, 1], [1, 2, 2]])
def test_a_gap_is_no_segment(make_events: MakeEvents, seqs: list[int]) -> None:
    with pytest.raises(EventError, match="without a gap"):
        encode([event for seq in seqs for event in make_events("k3f9", seq, seq)], "")


def test_two_devices_are_no_segment(make_events: MakeEvents) -> None:
    with pytest.raises(EventError, match="one device"):
        encode([*make_events("k3f9", 1, 1), *make_events("m2aa", 2, 2)], "")


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"origin_at": "2026-01-01"}, id="a time as text"),
        pytest.param({"cause": 7}, id="a cause that is no text"),
        pytest.param({"cause": "scan:\ud800"}, id="a cause that UTF-8 cannot hold"),
        pytest.param({"hlc": 2**63}, id="a stamp of the year 6430"),
    ],
)
def test_what_breaks_the_envelope_is_an_event_error(make_events: MakeEvents, changed: dict[str, Any]) -> None:
    with pytest.raises(EventError):
        encode(make_events("k3f9", 1, 1, **changed), "")


def write(folder: Path, data: bytes) -> tuple[str, SegmentName]:
    name = SegmentName(first=1, last=3, proof=proof(data))
    path = folder / str(name)
    path.write_bytes(data)
    return str(path), name


def refuse(path: str, name: SegmentName, device: str = "k3f9a2") -> str:
    with pytest.raises(LogDamagedError) as refused:
        read_footer(path, name=name, device=device)
    return str(refused.value)


@pytest.mark.parametrize("data", [b"", b"PAR1", b"PAR1" * 3, b"\0" * 5000, GOLDEN.name.encode()])
def test_what_is_no_parquet_is_refused(tmp_path: Path, data: bytes) -> None:
    assert "not readable as Parquet" in refuse(*write(tmp_path, data))


def test_a_truncated_segment_is_refused_at_any_length(tmp_path: Path) -> None:
    whole = GOLDEN.read_bytes()
    for length in range(0, len(whole), 7):
        assert refuse(*write(tmp_path, whole[:length]))


def test_other_columns_are_refused(tmp_path: Path, make_events: MakeEvents) -> None:
    table = table_of(make_events("k3f9a2", 1, 3))
    others = [
        table.drop_columns("cause"),
        table.append_column("extra", pa.array([1, 2, 3])),
        table.select(list(reversed(table.column_names))),
        table.set_column(1, "seq", table.column("seq").cast(pa.int32())),
        table.cast(pa.schema([field.with_nullable(True) for field in table.schema])),
    ]
    for other in others:
        sink = pa.BufferOutputStream()
        pq.write_table(other, sink)
        assert "its columns are not those" in refuse(*write(tmp_path, sink.getvalue().to_pybytes()))


@pytest.mark.parametrize(
    ("forged", "reason"),
    [
        ({"format": "2"}, "written in format 2, this version reads 1"),
        ({"format": None}, "its footer is not a segment's"),
        ({"digest": None}, "its footer is not a segment's"),
        ({"first": "one"}, "its footer is not a segment's"),
        ({"hlc_max": "9" * 5000}, "its footer is not a segment's"),
        ({"recorded_max": "9" * 30}, "its footer is not a segment's"),
        ({"recorded_max": "9" * 18}, "its footer is not a segment's"),
        ({"device": "m2aa"}, "another device or range"),
        ({"first": "2"}, "another device or range"),
        ({"last": "4"}, "another device or range"),
    ],
)
def test_a_footer_that_is_not_its_files_is_refused(
    place: Place, make_events: MakeEvents, forged: dict[str, str | None], reason: str
) -> None:
    path, _ = place.write(make_events("k3f9", 1, 3))
    path = place.forge(path, **forged)
    name = SegmentName.parse(path.name)
    assert name is not None
    assert reason in refuse(str(path), name, "k3f9")


def test_a_footer_of_other_rows_is_refused(place: Place, make_events: MakeEvents) -> None:
    path, _ = place.write(make_events("k3f9", 1, 3))
    path = place.forge(path, table=table_of(make_events("k3f9", 1, 2)))
    name = SegmentName.parse(path.name)
    assert name is not None
    assert "holds 2 rows" in refuse(str(path), name, "k3f9")


def test_a_footer_that_is_no_text_is_refused() -> None:
    with pytest.raises(LogDamagedError):
        Footer.from_metadata({b"vfdir.format": b"1", b"vfdir.device": b"\xff"})


def test_a_file_that_went_away_is_told_from_one_that_is_broken(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_footer(str(tmp_path / "gone"), name=SegmentName(first=1, last=1, proof="0" * 16), device="k3f9")


def test_a_folder_with_the_name_of_a_segment_is_refused(tmp_path: Path) -> None:
    assert "not readable" in refuse(str(tmp_path), SegmentName(first=1, last=1, proof="0" * 16))
