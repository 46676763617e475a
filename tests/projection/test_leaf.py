"""What every projection reads: old payloads lifted, and the facts as they were so."""

import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vfdir_lab.archive import Archive
from vfdir_lab.errors import HeadError, UsageError
from vfdir_lab.event import UPCASTERS, Draft, lift
from vfdir_lab.event.canonical import canonical
from vfdir_lab.log import EventLog, Machine
from vfdir_lab.projection import Engine, Lens
from vfdir_lab.projection.catalogue import shipped
from vfdir_lab.projection.leaf import _upcasts

OLD = Path(__file__).parent / "old" / "archive"
DAY = datetime(2026, 3, 1, tzinfo=UTC)


def test_every_upcaster_is_there_in_both_tongues() -> None:
    assert {(kind, version) for kind, version, _ in _upcasts()} == set(UPCASTERS)


def test_old_segments_are_read_as_if_written_today_and_stay_as_they_are(tmp_path: Path) -> None:
    """The segments were written when `object.access_lost` was at version 1."""
    root = tmp_path / "archive"
    shutil.copytree(OLD, root)
    before = {path: path.read_bytes() for path in root.rglob("*.parquet")}
    log = EventLog(root, Machine("old", root))
    asked = "SELECT kind_version, payload FROM events WHERE kind = 'object.access_lost'"
    assert Engine(log).relation(asked).fetchall() == [(2, '{"status":null}')]
    in_python = {event.event_id: lift(event) for event in log.events_after(log.coverage().head.__class__())}
    rows = Engine(log).relation("SELECT event_id, kind_version, payload FROM events").fetchall()
    assert rows == [(name, event.kind_version, event.payload) for name, event in sorted(in_python.items())]
    assert {path: path.read_bytes() for path in root.rglob("*.parquet")} == before


class Clock:
    def __init__(self) -> None:
        self.moment = DAY

    def __call__(self) -> datetime:
        self.moment += timedelta(milliseconds=5)
        return self.moment


def laid(root: Path) -> tuple[EventLog, Clock]:
    root.mkdir(parents=True, exist_ok=True)
    clock = Clock()
    return EventLog(root, Machine("effective", root, root.with_name(root.name + "-state")), now=clock), clock


def block(number: int, at: datetime | None = None, **fields: Any) -> Draft:
    return Draft(
        kind="block.observed", object_id=f"block:{number}", payload=fields, origin="arena", origin_at=at
    )


def titles(log: EventLog, at: datetime) -> dict[str, str | None]:
    blocks = Lens(name="blocks alone", definitions=(shipped()["blocks", 2],))
    query = "SELECT object_id, title FROM blocks"
    return dict(Engine(log).relation(query, at=at, lens=blocks).fetchall())


def test_what_was_so_reaches_back_to_when_are_na_made_it(tmp_path: Path) -> None:
    log, _ = laid(tmp_path / "a")
    made = DAY - timedelta(days=300)
    log.append([block(1, at=DAY - timedelta(days=20), id=1, title="old", created_at=made.isoformat())])
    assert titles(log, made) == {}
    assert titles(log, made + timedelta(microseconds=1)) == {"block:1": "old"}
    assumed = (
        Engine(log).relation("SELECT assumed FROM events WHERE object_id = 'block:1'", at=DAY).fetchall()
    )
    assert assumed == [(True,)]


def test_a_later_value_counts_from_when_are_na_says_else_from_when_we_saw_it(tmp_path: Path) -> None:
    log, clock = laid(tmp_path / "a")
    made = DAY - timedelta(days=300)
    log.append([block(1, id=1, title="first", created_at=made.isoformat())])
    edited = DAY - timedelta(days=2)
    log.append([block(1, at=edited, title="second")])
    assert titles(log, edited) == {"block:1": "first"}
    assert titles(log, edited + timedelta(seconds=1)) == {"block:1": "second"}
    seen = clock.moment
    log.append([block(1, title="third")])
    assert titles(log, seen) == {"block:1": "second"}
    assert titles(log, clock.moment + timedelta(days=1)) == {"block:1": "third"}


@pytest.mark.parametrize("said", ["-infinity", "infinity", "0044-03-15 (BC) 00:00:00+00", "12026-01-01"])
def test_a_time_that_no_calendar_holds_is_no_time(tmp_path: Path, said: str) -> None:
    log, _ = laid(tmp_path / "a")
    log.append([block(1, id=1, title="x", created_at=said)])
    assert titles(log, DAY) == {"block:1": "x"}
    since = Engine(log).relation("SELECT valid_from FROM events", at=DAY).fetchall()
    assert since == [(datetime(1970, 1, 1, tzinfo=UTC),)]


def test_what_vanished_is_there_until_it_was_seen_gone(tmp_path: Path) -> None:
    log, clock = laid(tmp_path / "a")
    log.append([block(1, id=1, title="x", created_at=(DAY - timedelta(days=9)).isoformat())])
    still = clock.moment
    clock.moment += timedelta(days=3)
    log.append([Draft(kind="block.vanished", object_id="block:1", payload={}, origin="arena")])
    assert titles(log, still + timedelta(days=2)) == {"block:1": "x"}
    assert titles(log, still + timedelta(days=4)) == {}


def test_a_channel_has_its_order_before_it_was_ever_read(tmp_path: Path) -> None:
    log, _ = laid(tmp_path / "a")
    when = [DAY - timedelta(days=days) for days in (30, 20, 10)]
    drafts = [
        Draft(kind="scan.started", object_id="scan:1", payload={"channel": "channel:1", "account": "guest"})
    ]
    for number, (rank, moment) in enumerate(zip(("a2", "a0", "a1"), when, strict=True), 1):
        payload = {
            "channel": "channel:1",
            "item": f"block:{number}",
            "rank": rank,
            "connected_at": moment.isoformat(),
        }
        drafts.append(
            Draft(
                kind="connection.observed", object_id=f"connection:{number}", payload=payload, origin="arena"
            )
        )
    log.append(drafts)
    query = "SELECT item FROM connections ORDER BY position"
    assert Engine(log).relation(query, at=DAY - timedelta(days=15)).fetchall() == [("block:2",), ("block:1",)]
    assert Engine(log).relation(query, at=DAY).fetchall() == [("block:2",), ("block:3",), ("block:1",)]


STEPS = st.lists(
    st.tuples(st.integers(1, 2), st.integers(0, 9), st.sampled_from(["a", "b", None])), max_size=6
)


@given(STEPS, st.integers(0, 11))
def test_what_was_so_is_what_a_plain_fold_by_valid_time_says(
    monkeypatch: pytest.MonkeyPatch, steps: list[tuple[int, int, str | None]], moment: int
) -> None:
    monkeypatch.setattr(os, "fsync", lambda _descriptor: None)  # about content: no disk is asked
    with TemporaryDirectory(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None) as folder:
        check_against_a_plain_fold(laid(Path(folder) / "a")[0], steps, moment)


def check_against_a_plain_fold(log: EventLog, steps: list[tuple[int, int, str | None]], moment: int) -> None:
    history: list[tuple[datetime, int, int, str | None]] = []
    seen: set[int] = set()
    drafts = []
    for order, (number, day, title) in enumerate(steps):
        at = DAY - timedelta(days=10 - day)
        fields = {"title": title}
        if number not in seen:
            made = DAY - timedelta(days=12)
            fields |= {"created_at": made.isoformat()}
            history.append((made, order, number, title))
            seen.add(number)
        else:
            history.append((at, order, number, title))
        drafts.append(block(number, at=at, **fields))
    log.append(drafts)
    asked = DAY - timedelta(days=11 - moment, hours=1)
    expected: dict[str, str | None] = {}
    for valid, _, number, title in sorted(history, key=lambda one: one[:2]):
        if valid < asked:
            expected[f"block:{number}"] = title
    assert titles(log, asked) == expected


def test_both_axes_are_asked_of_an_archive(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "archive", create=True)
    made = datetime(2020, 1, 1, tzinfo=UTC)
    archive.log.append([block(1, id=1, title="x", created_at=made.isoformat())])
    count = "SELECT count(*) FROM blocks"
    assert archive.as_of("2021-06-01").sql(count).fetchall() == [(0,)]
    assert archive.as_of("2021-06-01", axis="effective").sql(count).fetchall() == [(1,)]
    assert archive.as_of("2019-06-01", axis="effective").sql(count).fetchall() == [(0,)]
    assert archive.as_of("2021-06-01", axis="effective", head="empty").sql(count).fetchall() == [(0,)]
    with pytest.raises(UsageError, match="no axis"):
        archive.as_of("2021-06-01", axis="sideways")
    with pytest.raises(UsageError, match="date or a time"):
        archive.as_of(axis="effective")
    with pytest.raises(HeadError, match="not what was so"):
        archive.as_of(str(archive.head), axis="effective")


def test_an_answer_about_a_moment_at_a_head_does_not_change_when_more_is_learnt(tmp_path: Path) -> None:
    """Law 9, on the effective axis: more knowledge makes a new head, and the old one answers as before."""
    archive = Archive(tmp_path / "archive", create=True)
    archive.log.append([block(1, id=1, title="x", created_at="2020-01-01T00:00:00Z")])
    head = archive.head
    asked = archive.as_of("2021-01-01", axis="effective", head=head)
    before = asked.sql("SELECT * FROM blocks").fetchall()
    archive.log.append([block(1, at=datetime(2020, 6, 1, tzinfo=UTC), title="y")])
    again = archive.as_of("2021-01-01", axis="effective", head=head)
    assert again.sql("SELECT * FROM blocks").fetchall() == before
    now = archive.as_of("2021-01-01", axis="effective").sql("SELECT title FROM blocks").fetchall()
    assert now == [("y",)]


def test_the_sql_of_an_upcaster_gives_canonical_payloads() -> None:
    for (kind, version), step in UPCASTERS.items():
        assert canonical(step({})), (kind, version)
