"""Readers see what counts now, never lock, and say what waits and why."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vfdir_lab.errors import HeadError, LogDamagedError, LogError
from vfdir_lab.event import Event
from vfdir_lab.log import Head, eventlog
from vfdir_lab.log.segment import read_footer, table_of

Place = Any
NewPlace = Callable[[], AbstractContextManager[Place]]


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files whose footers are read, in order."""
    names: list[str] = []

    def watched(path: str, **expected: Any) -> Any:
        names.append(Path(path).name)
        return read_footer(path, **expected)

    monkeypatch.setattr(eventlog, "read_footer", watched)
    return names


def test_an_empty_folder_is_an_empty_log(place: Place) -> None:
    log = place.log()
    assert log.coverage().head == Head()
    assert list(log.events_after(Head())) == []
    assert log.head_at(place.wall.moment) == Head()
    assert log.require(Head()).events == 0
    place.root.rmdir()
    assert log.coverage().head == Head()


def test_what_others_append_is_seen_without_reopening(place: Place) -> None:
    reader = place.log()
    assert reader.coverage().events == 0
    place.append(2)
    assert reader.coverage().events == 3
    place.stranger("there").append(place.drafts(1))
    assert reader.coverage().head == Head({"dev1": 3, "dev2": 2})
    shutil.rmtree(place.root / "log" / "device=dev2")
    assert reader.coverage().head == Head({"dev1": 3})


def test_footers_that_were_seen_are_not_read_again(place: Place, opened: list[str]) -> None:
    place.append(1, 1, 1)
    opened.clear()
    reader = place.log()
    first = reader.coverage()
    assert opened == [path.name for path in place.files()]
    assert reader.coverage() is first
    place.append(1)
    opened.clear()
    assert reader.coverage().events == 5
    assert opened == [place.files()[-1].name]


def test_a_larger_segment_takes_the_place_of_those_it_holds(place: Place, make_events: Any) -> None:
    """As a compaction leaves it, interrupted at any moment."""
    events = make_events("k3f9", 1, 9)
    for first, last in [(1, 2), (3, 5), (6, 9)]:
        place.write(events[first - 1 : last])
    reader = place.log()
    assert len(reader.coverage().segments) == 3
    place.write(events[:5], month="2026-12")
    assert [one.footer.last for one in reader.coverage().segments] == [5, 9]
    place.write(events, month="2026-10")
    assert [one.footer.last for one in reader.coverage().segments] == [9]
    assert list(reader.events_after(Head())) == events
    place.files("000000000001-000000000002-*")[0].unlink()
    assert list(reader.events_after(Head())) == events
    place.files("000000000001-000000000009-*")[0].write_bytes(b"torn")
    assert list(place.log().events_after(Head())) == events


def test_a_file_that_goes_between_listing_and_opening_is_no_error(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.append(2, 3)
    last = place.files()[-1]

    def vanishing(path: str, **expected: Any) -> Any:
        if path.endswith(last.name):
            last.unlink(missing_ok=True)
        return read_footer(path, **expected)

    monkeypatch.setattr(eventlog, "read_footer", vanishing)
    assert place.log().coverage().head == Head({"dev1": 3})


def test_a_folder_that_never_rests_is_given_up_after_three_looks(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.append(1)
    looks: list[Path] = []

    def restless(path: str, **expected: Any) -> Any:
        looks.append(Path(path))
        looks[-1].rename(looks[-1].with_name(f"000000000001-000000000002-{len(looks):016x}.parquet"))
        return read_footer(path, **expected)

    monkeypatch.setattr(eventlog, "read_footer", restless)
    with pytest.raises(LogError, match="keep changing"):
        place.log().coverage()
    assert len(looks) == 3


def test_a_gap_keeps_what_is_behind_it_waiting_and_is_named(place: Place) -> None:
    place.append(1, 2, 3)
    middle = place.files()[1]
    data = middle.read_bytes()
    middle.unlink()
    reader = place.log()
    assert reader.coverage().head == Head({"dev1": 2})
    assert [str(gap) for gap in reader.coverage().missing] == ["dev1:3-4"]
    assert [event.seq for event in reader.events_after(Head())] == [1, 2]
    middle.write_bytes(data)
    assert reader.coverage().head == Head({"dev1": 7})
    assert reader.coverage().missing == ()


def test_a_file_that_was_still_arriving_counts_once_it_is_whole(place: Place) -> None:
    """Copied in place under its own name: the name does not change when the content does."""
    place.append(1, 2)
    last = place.files()[-1]
    data = last.read_bytes()
    last.write_bytes(data[:100])
    reader = place.log()
    assert reader.coverage().head == Head({"dev1": 2})
    assert "not readable as Parquet" in reader.coverage().refused[0].reason
    assert [str(gap) for gap in reader.coverage().missing] == ["dev1:3-4"]
    last.write_bytes(data)
    assert reader.coverage().head == Head({"dev1": 4})
    assert reader.coverage().refused == ()


def test_a_folder_that_may_not_be_listed_does_not_seem_to_be_empty(place: Place, nursery: Any) -> None:
    """A log that seemed shorter than it is would make this copy a new device."""
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        here = type(place)(Path(folder) / "place")
        here.append(1)
        for path in [here.root, *here.home.rglob("*"), here.home]:
            path.chmod(0o777)
        month = here.files()[0].parent
        month.chmod(0)
        nursery.start(here, batches=1, nobody=os.geteuid() == 0)
        error, over = nursery.rest()
        month.chmod(0o755)
        assert error.startswith("LogDamagedError: ")
        assert "cannot be listed (Permission denied)" in error
        assert over == "over 1"
        assert [path.name for path in (here.root / "log").iterdir()] == ["device=dev1"]


class TestLinks:
    """A link that stays inside is read (git-annex); one that leads out is refused."""

    @pytest.fixture
    def segment(self, place: Place) -> Path:
        place.append(1, 2)
        last: Path = place.files()[-1]
        return last

    def test_inside(self, place: Place, segment: Path) -> None:
        objects = place.root / ".git" / "annex" / "objects"
        objects.mkdir(parents=True)
        segment.rename(objects / "SHA256E-s1--abc.parquet")
        segment.symlink_to(os.path.relpath(objects / "SHA256E-s1--abc.parquet", segment.parent))
        assert place.log().coverage().head == Head({"dev1": 4})
        assert [event.seq for event in place.events()] == [1, 2, 3, 4]
        assert place.verify().ok

    def test_outside(self, place: Place, segment: Path) -> None:
        segment.rename(place.folder / "secret")
        segment.symlink_to(place.folder / "secret")
        found = place.log().coverage()
        assert found.head == Head({"dev1": 2})
        assert ["leads out of the archive" in one.reason for one in found.refused] == [True]
        report = place.verify()
        assert not report.ok
        assert any(segment.name in problem.path for problem in report.problems)

    def test_a_folder_outside(self, place: Place, segment: Path) -> None:
        segment.parent.rename(place.folder / "outside")
        segment.parent.symlink_to(place.folder / "outside")
        assert place.log().coverage().events == 0
        assert place.verify().foreign == ("log/device=dev1/month=2026-11",)

    def test_a_folder_inside(self, place: Place, segment: Path) -> None:
        segment.parent.rename(place.root / "elsewhere")
        segment.parent.symlink_to(place.root / "elsewhere")
        assert place.log().coverage().events == 4
        assert place.verify().ok

    def test_content_that_is_not_here_yet(self, place: Place, segment: Path) -> None:
        """git-annex leaves a link to nothing until the content is fetched."""
        content = place.root / "annex"
        segment.rename(place.folder / "far-away")
        segment.symlink_to(content)
        reader = place.log()
        assert reader.coverage().head == Head({"dev1": 2})
        assert [str(gap) for gap in reader.coverage().missing] == ["dev1:3-4"]
        assert not place.verify().ok
        (place.folder / "far-away").rename(content)
        assert reader.coverage().head == Head({"dev1": 4})
        assert place.verify().ok

    @pytest.mark.parametrize("level", ["segment", "month", "device"])
    def test_a_link_to_itself(self, place: Place, segment: Path, level: str) -> None:
        path = {"segment": segment, "month": segment.parent, "device": segment.parent.parent}[level]
        path.rename(place.folder / "elsewhere")
        path.symlink_to(path)
        assert place.log().coverage().head == Head({"dev1": 2} if level == "segment" else {})
        place.verify()


@pytest.mark.parametrize(
    "name",
    [
        "log/notes.txt",
        "log/000000000001-000000000001-0123456789abcdef.parquet",
        "log/device=DEV1/month=2026-11/000000000001-000000000001-0123456789abcdef.parquet",
        "log/device=dev1/000000000001-000000000001-0123456789abcdef.parquet",
        "log/device=dev1/month=2026-11/Icon\r",
        "log/device=dev1/month=2026-11/copy (1).parquet",
        "log/device=dev1/month=November/000000000001-000000000001-0123456789abcdef.parquet",
    ],
)
def test_foreign_files_are_named_and_passed_over(place: Place, name: str) -> None:
    place.append(2)
    (place.root / name).parent.mkdir(parents=True, exist_ok=True)
    (place.root / name).write_bytes(b"not ours")
    report = place.verify()
    assert report.ok
    assert report.events == 3
    (foreign,) = report.foreign
    assert name.startswith(foreign)
    assert f"not ours, passed over: {foreign}" in str(report)


@pytest.mark.parametrize("what", ["folder", "pipe"])
def test_a_segments_name_on_what_is_no_file_does_not_count(place: Place, what: str) -> None:
    """A named pipe would keep a reader waiting for ever."""
    place.append(1)
    odd = place.files()[0].with_name(f"000000000003-000000000003-{0:016x}.parquet")
    if what == "folder":
        odd.mkdir()
    else:
        os.mkfifo(odd)
    assert place.log().coverage().head == Head({"dev1": 2})
    report = place.verify()
    assert any(odd.name in named for named in [*report.foreign, *(one.path for one in report.problems)])


class TestFuture:
    """A foreign segment from the future waits until the wall has caught up; our own never does."""

    @pytest.mark.parametrize(("ahead", "waits"), [(60, False), (60.1, True), (86_400 * 3650, True)])
    def test_the_bound_is_a_minute(self, place: Place, ahead: float, waits: bool) -> None:
        there = place.stranger("there")
        there.append(place.drafts(1))
        place.wall.step(ahead)
        there.append(place.drafts(1))
        place.wall.step(-ahead)
        here = place.log()
        assert here.coverage().head == Head({"dev1": 2 if waits else 3})
        assert [one.reason for one in here.coverage().refused] == (
            ["its stamps are ahead of this machine's clock; it waits"] if waits else []
        )
        assert place.verify().ok != waits

    def test_it_counts_once_the_wall_has_caught_up(self, place: Place) -> None:
        there, here = place.stranger("there"), place.log()
        place.wall.step(3600)
        there.append(place.drafts(1))
        place.wall.step(-3600)
        assert here.coverage().head == Head()
        place.wall.step(3539)
        assert here.coverage().head == Head()
        place.wall.step(1)
        assert here.coverage().head == Head({"dev1": 2})
        assert here.coverage() is here.coverage()

    def test_our_own_does_not_wait(self, place: Place) -> None:
        place.wall.step(3600)
        place.append(2)
        place.wall.step(-3600)
        assert place.log().coverage().head == Head({"dev1": 3})


MOMENTS = st.integers(-90_000, 90_000)


@pytest.mark.usefixtures("in_memory")
@given(
    archive=st.dictionaries(
        st.sampled_from(["aaaa", "bbbb"]), st.lists(st.lists(MOMENTS, min_size=1, max_size=4), max_size=4)
    ),
    asked=st.lists(MOMENTS, min_size=1, max_size=6),
)
def test_the_head_at_a_moment_is_the_longest_prefix_recorded_before_it(
    new_place: NewPlace, make_events: Any, archive: dict[str, list[list[int]]], asked: list[int]
) -> None:
    """Also with clock steps inside a segment and between segments."""
    with new_place() as place:
        noon = place.wall.moment
        recorded: dict[str, list[int]] = {}
        for device, batches in archive.items():
            recorded[device] = [seconds for batch in batches for seconds in batch]
            seq = 1
            for batch in batches:
                events: list[Event] = []
                for seconds in batch:
                    at = noon + timedelta(seconds=seconds)
                    events += make_events(device, seq, seq, recorded_at=at)
                    seq += 1
                place.write(events)
        log = place.log()
        for seconds in [*asked, *(one for seen in recorded.values() for one in seen[:2])]:
            prefix = {}
            for device, seen in recorded.items():
                runs = groupby(seen, key=lambda at, asked=seconds: at < asked)
                before, run = next(runs, (False, iter(())))
                prefix[device] = len(list(run)) if before else 0
            assert log.head_at(noon + timedelta(seconds=seconds)) == Head(prefix)


@pytest.mark.usefixtures("in_memory")
@given(
    batches=st.lists(st.tuples(st.sampled_from(["aaaa", "bbbb"]), st.integers(1, 4)), max_size=6),
    head=st.dictionaries(st.sampled_from(["aaaa", "bbbb", "cccc"]), st.integers(0, 12)),
)
def test_the_events_after_a_head_are_those_above_it_in_order(
    new_place: NewPlace, make_events: Any, batches: list[tuple[str, int]], head: dict[str, int]
) -> None:
    with new_place() as place:
        last = {"aaaa": 0, "bbbb": 0}
        written: list[Event] = []
        for device, count in batches:
            events = make_events(device, last[device] + 1, last[device] + count)
            last[device] += count
            place.write(events)
            written += events
        found = list(place.log().events_after(Head(head)))
        assert found == sorted(
            (event for event in written if event.seq > head.get(event.device, 0)),
            key=lambda event: (event.device, event.seq),
        )


def test_a_head_that_is_reached_gives_the_coverage(place: Place) -> None:
    place.append(2)
    log = place.log()
    for seq in (0, 1, 3):
        assert log.require(Head({"dev1": seq})) is log.coverage()


@pytest.mark.parametrize("asked", [{"dev1": 4}, {"dev9": 1}, {"dev1": 3, "dev9": 1}])
def test_a_head_that_is_not_reached_is_an_error_that_says_what_is_missing(
    place: Place, asked: dict[str, int]
) -> None:
    place.append(2)
    (device, seq) = max(asked.items())
    reached = 3 if device == "dev1" else 0
    with pytest.raises(HeadError, match=rf"reaches {device}:{reached}, the head asks for {device}:{seq}"):
        place.log().require(Head(asked))


def test_rows_that_cannot_be_read_are_a_typed_error_and_recheck_takes_the_file_out(place: Place) -> None:
    """Footers are checked always; bytes when reading fails."""
    place.append(1, 200)
    last = place.files()[-1]
    good = last.read_bytes()
    last.write_bytes(good[:4] + b"\xff" * 800 + good[804:])
    log = place.log()
    assert log.coverage().head == Head({"dev1": 202})
    with pytest.raises(LogDamagedError, match="vfdir-lab verify"):
        list(log.events_after(Head()))
    assert [one.path.endswith(last.name) for one in log.recheck()] == [True]
    assert log.coverage().head == Head({"dev1": 2})
    assert [event.seq for event in log.events_after(Head())] == [1, 2]
    assert log.recheck() == ()
    last.unlink()
    assert log.coverage().head == Head({"dev1": 2})
    last.write_bytes(good)
    assert log.coverage().head == Head({"dev1": 202})
    last.unlink()
    assert log.recheck() == ()


def test_recheck_takes_out_what_cannot_be_opened(place: Place) -> None:
    place.append(1, 1)
    log = place.log()
    assert log.coverage().events == 3
    last = place.files()[-1]
    last.unlink()
    last.symlink_to(last)
    assert ["cannot be read" in one.reason for one in log.recheck()] == [True]
    assert log.coverage().events == 2
    shutil.rmtree(place.root / "log")
    assert log.coverage().events == 0


def invalid_text(count: int) -> pa.Array:
    """Strings that are not UTF-8, as only a crafted file can hold them."""
    offsets = pa.array(range(count + 1), pa.int32()).buffers()[1]
    return pa.Array.from_buffers(pa.string(), count, [None, offsets, pa.py_buffer(b"\xff" * count)])


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("payload", invalid_text(2)),
        ("recorded_at", pa.array([2**62, 2**62], pa.timestamp("us", tz="UTC"))),
        ("origin_at", pa.array([-(2**62), None], pa.timestamp("us", tz="UTC"))),
    ],
    ids=["text that is not UTF-8", "a time after year 9999", "a time before year 1"],
)
def test_rows_that_python_has_no_values_for_are_damage(
    place: Place, make_events: Any, column: str, values: pa.Array
) -> None:
    path, _ = place.write(make_events("k3f9", 1, 2))
    table = table_of(make_events("k3f9", 1, 2))
    place_of = table.schema.get_field_index(column)
    forged = place.forge(path, table=table.set_column(place_of, table.schema.field(column), values))
    assert pq.read_metadata(forged).num_rows == 2
    with pytest.raises(LogDamagedError):
        place.events()
    report = place.verify()
    assert not report.ok
    assert {problem.lost for problem in report.problems} == {"k3f9:1-2"}


def test_a_damaged_footer_never_stops_reading(place: Place) -> None:
    """Whatever byte of a segment is wrong, the log opens, and gives the events or a typed error."""
    place.append(1, 1)
    last = place.files()[-1]
    good = last.read_bytes()
    for position in range(0, len(good), 3):
        last.write_bytes(good[:position] + bytes([good[position] ^ 0xFF]) + good[position + 1 :])
        log = place.log()
        assert log.coverage().events in (2, 3)
        try:
            assert len(list(log.events_after(Head()))) in (2, 3)
        except LogDamagedError:
            assert log.coverage().events == 3
