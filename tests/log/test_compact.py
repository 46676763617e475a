"""Compaction: few large segments of many small ones, and nothing lost, hidden or removed too early."""

from __future__ import annotations

import resource
import shutil
import threading
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vfdir_lab.errors import LogDamagedError, LogLockedError, LogWriteError
from vfdir_lab.event import Event
from vfdir_lab.log import EventLog, Head, compact, needs_compaction, rewrite
from vfdir_lab.log.compact import LEAST_WEIGHT, SMALL_SEGMENTS, CompactReport, runs
from vfdir_lab.log.segment import Part, SegmentName, digest_of, table_of

Place = Any

HOUR = 3600
FORTNIGHT = 14 * 24 * HOUR


def ranges(place: Place) -> list[tuple[int, int]]:
    """The seq ranges of all files, in the order of their names."""
    names = [SegmentName.parse(path.name) for path in place.files()]
    return [(name.first, name.last) for name in names if name is not None]


@pytest.fixture
def small(place: Place) -> Place:
    """Four small segments of one device: 1-3, 4-6, 7-7, 8-9."""
    place.append(2, 3, 1, 2)
    return place


class TestWhatItWrites:
    def test_small_segments_become_one_with_the_same_events(self, small: Place) -> None:
        before = small.events()
        report = compact(small.log())
        assert report == CompactReport(
            merged=4, written=1, events=9, waiting=4, next_due=small.wall.moment + timedelta(hours=1)
        )
        (segment,) = small.log().coverage().segments
        assert (segment.footer.first, segment.footer.last) == (1, 9)
        assert small.events() == before
        assert small.verify().ok

    def test_the_footer_keeps_ranges_and_digests_of_what_was_appended(self, small: Place) -> None:
        before = small.log().coverage().segments
        compact(small.log())
        (segment,) = small.log().coverage().segments
        footer = segment.footer
        assert footer.parts == tuple(
            Part(first=s.footer.first, last=s.footer.last, digest=s.footer.digest) for s in before
        )
        assert footer.digest == digest_of(table_of(small.events()))
        assert (footer.prev, footer.link) == (before[0].footer.prev, before[-1].footer.digest)
        assert footer.compacted_at == small.wall.moment
        assert footer.recorded_min == min(s.footer.recorded_min for s in before)
        assert footer.recorded_max == max(s.footer.recorded_max for s in before)
        assert (footer.hlc_min, footer.hlc_max) == (before[0].footer.hlc_min, before[-1].footer.hlc_max)

    def test_the_parts_stay_flat_when_the_compacted_is_compacted(self, small: Place) -> None:
        appended = [s.footer.digest for s in small.log().coverage().segments]
        compact(small.log())
        small.append(1, *[1] * 9)
        appended += [s.footer.digest for s in small.log().coverage().segments[1:]]
        compact(small.log())
        (segment,) = small.log().coverage().segments
        assert [part.digest for part in segment.footer.parts] == appended
        assert small.verify().ok

    def test_the_chain_goes_on_over_the_last_part(self, small: Place) -> None:
        last = small.log().coverage().segments[-1].footer.digest
        compact(small.log(), now=True)
        small.append(1)
        assert small.log().coverage().segments[-1].footer.prev == last
        assert {event.device for event in small.events()} == {"dev1"}
        assert small.verify().ok

    def test_a_mark_that_lags_behind_is_found_among_the_parts(self, small: Place) -> None:
        mark = small.machine.mark()
        middle = small.log().coverage().segments[1].footer
        compact(small.log(), now=True)
        small.machine.remember(replace(mark, seq=middle.last, digest=middle.digest))
        small.append(1)
        assert {event.device for event in small.events()} == {"dev1"}

    def test_it_is_written_beside_its_first_part_in_row_groups(
        self, small: Place, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(rewrite, "ROW_GROUP_ROWS", 4)
        small.wall.moment += timedelta(days=40)
        small.append(3)
        compact(small.log(), now=True)
        (path,) = small.files()
        assert path.parent.name == "month=2026-11"
        metadata = pq.read_metadata(path)
        assert [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)] == [6, 6]
        assert small.verify().ok

    def test_a_folder_it_emptied_goes_too(self, small: Place) -> None:
        small.wall.moment += timedelta(days=40)
        small.append(3)
        compact(small.log(), now=True)
        (device,) = (small.root / "log").iterdir()
        assert [month.name for month in device.iterdir()] == ["month=2026-11"]

    def test_any_engine_reads_it_without_us(self, small: Place) -> None:
        compact(small.log(), now=True)
        (path,) = small.files()
        assert duckdb.sql(f"select count(*), max(seq) from '{path}'").fetchall() == [(9, 9)]

    def test_answers_at_a_date_are_the_same(self, small: Place) -> None:
        moments = [
            event.recorded_at + timedelta(microseconds=step) for event in small.events() for step in (0, 1)
        ]
        before = [small.log().head_at(moment) for moment in moments]
        compact(small.log(), now=True)
        assert [small.log().head_at(moment) for moment in moments] == before

    def test_progress_counts_the_events(self, small: Place) -> None:
        seen: list[tuple[int, int]] = []
        compact(small.log(), progress=lambda done, total: seen.append((done, total)))
        assert seen == [(0, 9), (9, 9)]

    def test_a_second_time_there_is_nothing_to_do(self, small: Place) -> None:
        compact(small.log(), now=True)
        before = small.bytes()
        assert compact(small.log(), now=True) == CompactReport()
        assert {path: data for path, data in small.bytes().items() if "state" not in path} == {
            path: data for path, data in before.items() if "state" not in path
        }


class TestWhatItRemoves:
    def test_old_files_stay_for_an_hour(self, small: Place) -> None:
        compact(small.log())
        small.wall.step(HOUR - 1)
        assert (compact(small.log()).removed, len(small.files())) == (0, 5)
        small.wall.step(1)
        assert (compact(small.log()).removed, len(small.files())) == (4, 1)
        assert small.verify().ok

    def test_old_files_stay_for_a_fortnight_once_another_device_is_here(self, small: Place) -> None:
        there = small.stranger("there")
        there.append(small.drafts(1))
        report = compact(small.log())
        assert report.next_due == small.wall.moment + timedelta(days=14)
        small.wall.step(FORTNIGHT - 1)
        assert compact(small.log()).removed == 0
        small.wall.step(1)
        assert compact(small.log()).removed == 4

    def test_a_device_that_joins_meanwhile_lengthens_the_wait(self, small: Place) -> None:
        compact(small.log())
        small.wall.step(HOUR)
        small.stranger("there").append(small.drafts(1))
        assert compact(small.log()).removed == 0

    def test_a_clock_that_steps_back_removes_nothing(self, small: Place) -> None:
        compact(small.log())
        small.wall.step(-FORTNIGHT)
        report = compact(small.log())
        assert (report.removed, report.waiting) == (0, 4)

    def test_the_wait_begins_with_the_first_longer_segment(self, small: Place) -> None:
        compact(small.log())
        small.wall.step(HOUR / 2)
        small.append(*[1] * 12)
        compact(small.log())
        assert len(small.files()) == 4 + 1 + 12 + 1
        small.wall.step(HOUR / 2)
        assert compact(small.log()).removed == 4
        assert ranges(small)[:2] == [(1, 9), (1, 21)]
        small.wall.step(HOUR / 2)
        assert compact(small.log()).removed == 13
        assert ranges(small) == [(1, 21)]
        assert small.verify().ok

    def test_segments_of_other_devices_are_untouched(self, small: Place) -> None:
        there = small.stranger("there")
        for _ in range(5):
            there.append(small.drafts(1))
        theirs = {p: d for p, d in small.bytes().items() if "device=dev2" in p}
        compact(small.log(), now=True)
        assert {p: d for p, d in small.bytes().items() if "device=dev2" in p} == theirs
        assert len(small.log().coverage().of("dev1")) == 1

    @pytest.mark.parametrize("damage", ["flipped", "cut", "forged"])
    def test_an_old_file_that_cannot_be_shown_to_be_superseded_stays(
        self, small: Place, make_events: Any, damage: str
    ) -> None:
        compact(small.log())
        path = small.files()[2]
        if damage == "cut":
            path.write_bytes(path.read_bytes()[:-9])
        elif damage == "flipped":
            data = path.read_bytes()
            path.write_bytes(data[:-20] + bytes([data[-20] ^ 1]) + data[-19:])
        else:
            path.unlink()
            path, _ = small.write(make_events("dev1", 4, 6))
        report = compact(small.log(), now=True)
        assert (report.removed, [one.path for one in report.kept]) == (
            3,
            [path.relative_to(small.root).as_posix()],
        )
        assert f"kept: {report.kept[0].path}" in str(report)
        assert path.exists()
        assert not small.verify().ok

    def test_nothing_goes_while_the_longer_segment_is_damaged(self, small: Place) -> None:
        """Its footer is whole, so it counts; only reading all of it shows the damage."""
        before = small.events()
        compact(small.log())
        (long,) = [path for path in small.files() if path.name.startswith("000000000001-000000000009")]
        data = long.read_bytes()
        long.write_bytes(data[:50] + bytes([data[50] ^ 1]) + data[51:])
        with pytest.raises(LogDamagedError, match=long.name):
            compact(small.log(), now=True)
        assert len(small.files()) == 5
        long.unlink()
        assert small.events() == before


class TestRefusal:
    def test_where_nothing_was_written_nothing_is_done(self, place: Place) -> None:
        assert compact(place.log()) == CompactReport()
        assert place.bytes() == {}

    def test_a_cloned_copy_leaves_the_part_of_the_original_alone(self, small: Place, new_place: Any) -> None:
        with new_place() as clone:
            shutil.copytree(small.root, clone.root, dirs_exist_ok=True)
            before = clone.bytes()
            assert compact(clone.log(), now=True) == CompactReport()
            assert clone.bytes() == before
            log = EventLog(clone.root, clone.machine, now=clone.wall, new_device=lambda: "copy")
            for _ in range(3):
                log.append(clone.drafts(1))
            assert compact(log, now=True).removed == 3
            coverage = clone.log().coverage()
            assert [len(coverage.of(device)) for device in ("dev1", "copy")] == [4, 1]
            assert clone.verify().ok

    @pytest.mark.parametrize("position", range(4))
    @pytest.mark.parametrize("damage", ["flip", "cut", "delete"])
    def test_damage_is_named_and_nothing_is_changed(self, small: Place, position: int, damage: str) -> None:
        path = small.files()[position]
        data = path.read_bytes()
        if damage == "delete":
            path.unlink()
        else:
            at = len(data) // 3
            path.write_bytes(
                data[:at] + (bytes([data[at] ^ 1]) + data[at + 1 :] if damage == "flip" else b"")
            )
        before = [(one.name, one.read_bytes()) for one in small.files()]
        with pytest.raises(LogDamagedError) as refused:
            compact(small.log(), now=True)
        seqs = [(1, 3), (4, 6), (7, 7), (8, 9)][position]
        if damage == "delete":
            assert "missing" in str(refused.value) or f"{seqs[1]} was written" in str(refused.value)
        else:
            assert path.name in str(refused.value)
        assert "Nothing was changed" in str(refused.value)
        assert [(one.name, one.read_bytes()) for one in small.files()] == before

    def test_rows_that_are_not_those_of_the_footer_are_not_merged(
        self, small: Place, make_events: Any
    ) -> None:
        path = small.forge(small.files()[1], table=table_of(make_events("dev1", 4, 6)))
        with pytest.raises(LogDamagedError, match=path.name):
            compact(small.log(), now=True)
        assert len(small.files()) == 4
        assert small.files(".*") == []

    def test_a_broken_chain_is_not_merged_away(self, small: Place) -> None:
        path = small.forge(small.files()[1], prev="sha256:" + "0" * 64)
        with pytest.raises(LogDamagedError, match=f"{path.name} does not follow"):
            compact(small.log(), now=True)
        assert len(small.files()) == 4

    def test_a_restored_backup_is_not_compacted(self, small: Place) -> None:
        small.files()[-1].unlink()
        with pytest.raises(LogDamagedError, match="not the log that this copy wrote"):
            compact(small.log(), now=True)
        assert len(small.files()) == 3

    def test_while_another_process_appends_it_waits(
        self, small: Place, nursery: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        process = nursery.start(small, hold=True)
        assert nursery.line() == "held"
        monkeypatch.setattr("vfdir_lab.log.eventlog.LOCK_TIMEOUT_SECONDS", 0.05)
        monkeypatch.setattr(EventLog.writing.__wrapped__, "__defaults__", (0.05,))
        with pytest.raises(LogLockedError):
            compact(small.log())
        import os
        import signal

        os.kill(process, signal.SIGKILL)
        assert nursery.rest()[-1] == "over -9"
        assert compact(small.log()).merged == 4

    def test_a_full_disk_changes_nothing(self, place: Place) -> None:
        place.append(*[40] * 6)
        before = {path.name: path.read_bytes() for path in place.files()}
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (3000, limits[1]))
        try:
            with pytest.raises(LogWriteError, match="reads as before"):
                compact(place.log(), now=True)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        assert {path.name: path.read_bytes() for path in place.files()} == before
        assert place.files(".*") == []
        assert compact(place.log(), now=True).removed == 6
        assert place.verify().ok

    @pytest.mark.parametrize("step", ["vfdir_lab.log.rewrite.os.fsync", "vfdir_lab.log.rewrite.sync_folder"])
    def test_a_disk_that_refuses_to_flush_removes_nothing(
        self, small: Place, monkeypatch: pytest.MonkeyPatch, step: str
    ) -> None:
        def refuse(_: object) -> None:
            raise OSError(5, "Input/output error")

        before = small.events()
        with monkeypatch.context() as patch:
            patch.setattr(step, refuse)
            with pytest.raises(LogWriteError, match="Input/output error"):
                compact(small.log(), now=True)
        assert set(ranges(small)) >= {(1, 3), (4, 6), (7, 7), (8, 9)}
        assert small.events() == before
        assert small.verify().ok

    def test_a_disk_that_lies_is_found_before_the_segment_is_seen(
        self, small: Place, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What is read back is not what was written."""
        write = rewrite._write

        def lying(temporary: Path, *rest: Any) -> Any:
            footer = write(temporary, *rest)
            data = temporary.read_bytes()
            temporary.write_bytes(data[:60] + bytes([data[60] ^ 1]) + data[61:])
            return footer

        monkeypatch.setattr(rewrite, "_write", lying)
        with pytest.raises(LogDamagedError):
            compact(small.log(), now=True)
        assert len(small.files()) == 4
        assert small.files(".*") == []


class TestReaders:
    def test_a_reader_sees_every_event_while_files_go(self, place: Place) -> None:
        """`now` does without the grace: readers list again, and never see less than was there."""
        place.by_real_time()
        place.append(*[1] * 30)
        stop, heads, failures = threading.Event(), [], []

        def read() -> None:
            log = place.log()
            while not stop.is_set():
                try:
                    heads.append(log.coverage().head.seq("dev1"))
                except Exception as error:  # noqa: BLE001 - told below
                    failures.append(error)

        reader = threading.Thread(target=read)
        reader.start()
        for _ in range(10):
            place.append(*[1] * 3)
            compact(place.log(), now=True)
        stop.set()
        reader.join()
        assert failures == []
        assert heads == sorted(heads)
        assert heads[-1] >= 31
        assert place.verify().ok

    def test_a_log_that_was_open_reads_on(self, small: Place) -> None:
        log = small.log()
        before = list(log.events_after(Head()))
        compact(small.log(), now=True)
        assert list(log.events_after(Head())) == before


class TestNeed:
    def test_more_than_64_small_segments_need_it(self, place: Place) -> None:
        place.append(*[1] * SMALL_SEGMENTS)
        assert not needs_compaction(place.log().coverage(), "dev1")
        place.append(1)
        coverage = place.log().coverage()
        assert needs_compaction(coverage, "dev1")
        assert not needs_compaction(coverage, "dev2")
        assert not needs_compaction(coverage, None)
        compact(place.log())
        assert not needs_compaction(place.log().coverage(), "dev1")


class TestPlan:
    @given(st.lists(st.floats(0, 1.5), max_size=40))
    def test_runs_are_disjoint_in_order_and_never_more_than_full(self, weights: list[float]) -> None:
        end = 0
        for first, after in runs(weights):
            merged = [max(weight, LEAST_WEIGHT) for weight in weights[first:after]]
            assert end <= first < after - 1 < len(weights)
            assert 2 * max(merged) <= sum(merged) * (1 + 1e-9)
            assert sum(merged) <= 1
            end = after

    def test_a_huge_segment_is_not_rewritten_for_a_few_small_ones(self) -> None:
        assert runs([0.4, *[0.001] * 64]) == [(1, 65)]
        assert runs([*[0.001] * 64, 0.4, *[0.001] * 64]) == [(0, 64), (65, 129)]

    def test_a_full_segment_is_never_rewritten(self) -> None:
        assert runs([1, 1, 0.9, 0.9]) == []

    def test_equal_ones_fill_up_segments(self) -> None:
        assert runs([0.1] * 25) == [(0, 10), (10, 20), (20, 25)]

    @pytest.mark.parametrize("rows", [1 / 8000, 1 / 1000, 1 / 100])
    def test_an_event_is_rewritten_logarithmically_often(self, rows: float) -> None:
        """However often compaction runs: by turns of 64 appends, up to eight full segments."""
        weights: list[float] = []
        rewrites: list[Counter[int]] = []
        while sum(weights) < 8:
            weights += [rows] * 64
            rewrites += [Counter({0: 1}) for _ in range(64)]
            for first, after in reversed(runs(weights)):
                weights[first:after] = [sum(weights[first:after])]
                deepest = max(max(one) for one in rewrites[first:after]) + 1
                rewrites[first:after] = [Counter({deepest: 1})]
            if len(weights) > 2000:
                break
        assert max(max(one) for one in rewrites) <= 14
        assert len(weights) <= 8 * 2 + 16


def test_every_event_survives_many_rounds(place: Place) -> None:
    """Appends and compactions by turns, as pulls do them."""
    said: list[Event] = []
    for _ in range(12):
        place.append(*[2] * 7)
        place.wall.step(HOUR / 3)
        compact(place.log())
        assert len(place.log().coverage().segments) <= 8
    said = place.events()
    assert [event.seq for event in said] == list(range(1, 12 * 14 + 2))
    assert len(place.files()) < 60
    assert place.verify().ok
