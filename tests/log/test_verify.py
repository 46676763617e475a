"""Verify finds a single flipped byte, names what is lost, and repairs nothing."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vfdir_lab.event import Event
from vfdir_lab.log import Head, Problem, VerifyReport, compact, verify
from vfdir_lab.log.row_check import row_problems
from vfdir_lab.log.segment import SegmentName, digest_of, encode, proof, table_of

Place = Any
NewPlace = Callable[[], AbstractContextManager[Place]]


def losses(report: VerifyReport) -> set[str]:
    return {problem.lost for problem in report.problems if problem.lost}


def named(report: VerifyReport, path: Path) -> bool:
    return any(problem.path.endswith(path.name) for problem in report.problems)


@pytest.fixture
def whole(place: Place) -> Place:
    """Four segments of one device (1-3, 4-6, 7-7, 8-9) and two of another."""
    place.append(2, 3, 1, 2)
    there = place.stranger("there")
    there.append(place.drafts(1))
    place.wall.step(1)
    there.append(place.drafts(2))
    place.wall.step(1)
    return place


def test_a_whole_log_is_proven(whole: Place) -> None:
    report = whole.verify()
    assert report == VerifyReport(segments=6, events=13, head=Head({"dev1": 9, "dev2": 4}), problems=())
    assert report.ok
    assert str(report) == "6 segments, 13 events, head dev1:9,dev2:4\neverything proven"


def test_an_empty_log_is_proven(place: Place) -> None:
    assert str(place.verify()) == "0 segments, 0 events, head empty\neverything proven"


def test_progress_counts_the_files(whole: Place) -> None:
    seen: list[tuple[int, int]] = []
    verify(whole.log(), lambda done, count: seen.append((done, count)))
    assert seen == [(done, 6) for done in range(7)]


def test_every_single_flipped_byte_of_a_segment_is_found(place: Place) -> None:
    """Exhaustive: each byte of the file, its footer and statistics included."""
    place.append(1)
    (path,) = place.files()
    good = path.read_bytes()
    bits = random.Random(7)
    for position in range(len(good)):
        flipped = bytearray(good)
        flipped[position] ^= 1 << bits.randrange(8)
        path.write_bytes(flipped)
        report = place.verify()
        assert (
            Problem(
                path=f"log/device=dev1/month=2026-11/{path.name}",
                what="its bytes are not those its name proves",
                lost="dev1:1-2",
            )
            in report.problems
        ), f"byte {position}"
    path.write_bytes(good)
    assert place.verify().ok


def test_a_flipped_byte_in_any_segment_is_found_and_only_that_segment_is_named(whole: Place) -> None:
    chance = random.Random(11)
    for path in whole.files():
        name = SegmentName.parse(path.name)
        assert name is not None
        device = path.parts[-3].removeprefix("device=")
        good = path.read_bytes()
        for position in chance.sample(range(len(good)), 25):
            path.write_bytes(good[:position] + bytes([good[position] ^ 0x80]) + good[position + 1 :])
            report = whole.verify()
            assert named(report, path)
            assert f"{device}:{name.first}-{name.last}" in losses(report)
            assert {one.path.rsplit("/", 1)[-1] for one in report.problems} <= {path.name, f"device={device}"}
        path.write_bytes(good)
    assert whole.verify().ok


def test_a_log_that_was_read_before_the_damage_finds_it_too(whole: Place) -> None:
    log = whole.log()
    assert verify(log).ok
    path = whole.files()[1]
    data = path.read_bytes()
    path.write_bytes(data[:50] + bytes([data[50] ^ 1]) + data[51:])
    assert named(verify(log), path)


@pytest.mark.parametrize(
    ("gone", "lost"), [(0, "dev1:1-3"), (1, "dev1:4-6"), (2, "dev1:7-7"), (3, "dev1:8-9")]
)
def test_each_deleted_segment_of_our_own_is_found(whole: Place, gone: int, lost: str) -> None:
    whole.files()[gone].unlink()
    report = whole.verify()
    assert losses(report) == {lost}
    assert "1 problem found" in str(report)
    assert f"lost: {lost}" in str(report)


def test_a_deleted_segment_of_another_device_is_found_when_a_later_one_is_here(whole: Place) -> None:
    whole.files()[4].unlink()
    assert losses(whole.verify()) == {"dev2:1-2"}


def test_a_deleted_log_is_found(whole: Place) -> None:
    for path in whole.files():
        path.unlink()
    assert losses(whole.verify()) == {"dev1:1-9"}


@pytest.mark.usefixtures("in_memory")
@given(st.integers(0, 3), st.floats(0, 1, exclude_max=True))
def test_each_truncation_is_found(new_place: NewPlace, index: int, share: float) -> None:
    with new_place() as place:
        place.append(2, 3, 1, 2)
        path = place.files()[index]
        data = path.read_bytes()
        path.write_bytes(data[: int(len(data) * share)])
        assert named(place.verify(), path)
        path.write_bytes(data + b"\0")
        assert named(place.verify(), path)


@pytest.mark.parametrize(("one", "two"), [(0, 1), (0, 3), (1, 2), (0, 4), (4, 5)])
def test_swapped_segments_are_found(whole: Place, one: int, two: int) -> None:
    first, second = whole.files()[one], whole.files()[two]
    contents = first.read_bytes(), second.read_bytes()
    second.write_bytes(contents[0])
    first.write_bytes(contents[1])
    report = whole.verify()
    assert named(report, first)
    assert named(report, second)


@pytest.mark.parametrize(
    "name",
    [
        "000000000004-000000000007-{proof}.parquet",
        "000000000005-000000000006-{proof}.parquet",
        "000000000010-000000000012-{proof}.parquet",
        "000000000004-000000000006-0123456789abcdef.parquet",
        "000000000004-000000000006-{proof}.parquet.bak",
        ".000000000004-000000000006-{proof}.parquet",
    ],
)
def test_a_renamed_segment_is_found(whole: Place, name: str) -> None:
    path = whole.files()[1]
    path.rename(path.with_name(name.format(proof=path.name[26:42])))
    report = whole.verify()
    assert not report.ok
    assert any(lost.startswith(("dev1:4-", "dev1:5-")) for lost in losses(report))


def test_a_segment_in_the_folder_of_another_device_is_found(whole: Place) -> None:
    path = whole.files()[1]
    path.rename(whole.files()[4].with_name(path.name))
    assert losses(whole.verify()) >= {"dev1:4-6"}


def test_a_segment_in_the_folder_of_another_month_is_no_damage(whole: Place) -> None:
    path = whole.files()[1]
    path.parent.with_name("month=1999-01").mkdir()
    path.rename(path.parent.with_name("month=1999-01") / path.name)
    assert whole.verify().ok


def test_segments_that_overlap_in_part_are_found(whole: Place, make_events: Any) -> None:
    whole.write(make_events("dev1", 8, 12, origin="x"), prev="")
    whole.write(make_events("dev2", 2, 6))
    assert "dev2:5-6" in losses(whole.verify())


def whats(place: Place) -> set[str]:
    return {problem.what for problem in place.verify().problems}


class TestForged:
    """The name proves the bytes and the footer is in place; the rows or the chain are not what they say."""

    @pytest.fixture
    def events(self, make_events: Any) -> list[Event]:
        found: list[Event] = make_events("k3f9", 1, 3)
        return found

    def test_an_honest_copy_is_none(self, place: Place, events: list[Event]) -> None:
        path, _ = place.write(events)
        place.forge(path)
        assert place.verify().ok

    @pytest.mark.parametrize(
        ("forged", "what"),
        [
            ({"digest": "sha256:" + "0" * 64}, "its rows do not have the digest its footer gives"),
            ({"prev": "sha256:" + "0" * 64}, "it does not follow on the segment before it"),
            ({"hlc_min": "1"}, "its footer gives other stamps than its rows"),
            ({"hlc_max": "1"}, "its footer gives other stamps than its rows"),
            ({"recorded_min": "0"}, "its footer gives other times than its rows"),
            ({"recorded_max": "0"}, "its footer gives other times than its rows"),
        ],
    )
    def test_a_footer(self, place: Place, events: list[Event], forged: dict[str, str], what: str) -> None:
        path, _ = place.write(events)
        path = place.forge(path, **forged)
        report = place.verify()
        assert what in {problem.what for problem in report.problems}
        assert named(report, path)

    @pytest.mark.parametrize(
        ("column", "value"),
        [
            ("origin", "someone"),
            ("origin_at", None),
            ("kind", "block.edited"),
            ("kind_version", 2),
            ("object_id", "block:99"),
            ("cause", ""),
            ("payload", "{}"),
        ],
    )
    def test_a_row(self, place: Place, events: list[Event], column: str, value: Any) -> None:
        changed = [replace(event, origin_at=event.recorded_at, cause="scan:1") for event in events]
        path, _ = place.write(changed)
        place.forge(path, table=table_of([changed[0], replace(changed[1], **{column: value}), changed[2]]))
        assert whats(place) >= {"its rows do not have the digest its footer gives"}
        assert losses(place.verify()) == {"k3f9:1-3"}

    def reforge(self, place: Place, events: list[Event], path: Path) -> set[str]:
        """Other rows with the footer that is theirs, but for what the rows must be in themselves."""
        table = table_of(events)
        place.forge(
            path,
            table=table,
            digest=digest_of(table),
            hlc_min=str(events[0].hlc),
            hlc_max=str(events[-1].hlc),
        )
        return whats(place)

    def test_reordered_rows(self, place: Place, events: list[Event]) -> None:
        path, _ = place.write(events)
        found = self.reforge(place, [events[0], events[2], events[1]], path)
        assert found == {"its seqs are not contiguous"}

    def test_rows_of_another_device(self, place: Place, events: list[Event]) -> None:
        path, _ = place.write(events)
        found = self.reforge(place, [events[0], replace(events[1], device="m2aa"), events[2]], path)
        assert found == {"it holds another device's events"}

    @pytest.mark.parametrize("step", [0, -1])
    def test_stamps_that_do_not_increase_within(self, place: Place, events: list[Event], step: int) -> None:
        path, _ = place.write(events)
        found = self.reforge(
            place, [events[0], replace(events[1], hlc=events[0].hlc + step), events[2]], path
        )
        assert found == {"its stamps do not increase"}

    @pytest.mark.parametrize("step", [0, -1])
    def test_stamps_that_do_not_increase_between(
        self, place: Place, events: list[Event], make_events: Any, step: int
    ) -> None:
        _, footer = place.write(events)
        path, _ = place.write(
            [replace(make_events("k3f9", 4, 4)[0], hlc=events[-1].hlc + step)], footer.digest
        )
        report = place.verify()
        assert {problem.what for problem in report.problems} == {
            "its stamps do not come after those before it"
        }
        assert named(report, path)

    def test_a_chain_with_another_link(self, place: Place, events: list[Event], make_events: Any) -> None:
        """The middle is replaced by a segment that is sound in itself."""
        _, first = place.write(events)
        _, second = place.write(make_events("k3f9", 4, 5), first.digest)
        place.write(make_events("k3f9", 6, 6), second.digest)
        assert place.verify().ok
        place.files()[1].unlink()
        place.write(make_events("k3f9", 4, 5, payload='{"title":"forged"}'), first.digest)
        report = place.verify()
        assert {problem.what for problem in report.problems} == {
            "it does not follow on the segment before it"
        }
        assert named(report, place.files()[2])

    def test_another_end_than_the_one_this_machine_wrote(self, place: Place, make_events: Any) -> None:
        """Nothing comes after it that could prove it, but the machine remembers."""
        place.append(2, 1)
        first, last = place.files()
        (event,) = [event for event in place.events() if event.seq == 4]
        last.unlink()
        before = place.log().coverage().segments[-1].footer.digest
        place.write([replace(event, payload='{"title":"forged"}')], before)
        report = place.verify()
        assert losses(report) == {"dev1:4-4"}
        assert first.exists()

    @pytest.mark.parametrize(
        "payload",
        [
            '{"b":1,"a":2}',
            '{"a": 1}',
            "[]",
            "",
            "null",
            '{"a":1}\n',
            '{"a":"\\u0041"}',
            '{"a":NaN}',
            "{" * 9999,
        ],
        ids=range(9),
    )
    def test_a_payload_in_another_spelling(self, place: Place, events: list[Event], payload: str) -> None:
        place.write([events[0], replace(events[1], payload=payload), events[2]])
        assert whats(place) == {"it holds a payload that is not canonical"}
        assert losses(place.verify()) == {"k3f9:1-3"}

    @pytest.mark.parametrize("about", ["", "block:x", "page:1", "block:1' or 1=1"])
    def test_an_event_about_no_object_id(self, place: Place, events: list[Event], about: str) -> None:
        place.write([replace(events[0], object_id=about)])
        assert whats(place) == {"it holds an event about something that is no object id"}

    def test_nulls(self, place: Place, events: list[Event]) -> None:
        """A column that may hold them is not a segment's; one that may not is looked at all the same."""
        path, _ = place.write(events)
        table = table_of(events)
        payloads = pa.array(["{}", None, "{}"])
        loose = table.set_column(10, pa.field("payload", pa.string(), nullable=True), payloads)
        place.forge(path, table=loose)
        assert whats(place) >= {"its columns are not those of a segment"}
        assert losses(place.verify()) == {"k3f9:1-3"}
        lying = pa.Table.from_arrays([*table.columns[:10], payloads], schema=table.schema)
        _, footer, _ = encode(events, "")
        assert list(row_problems(lying.to_batches(), footer, set())) == [
            "it holds nulls where the envelope has none"
        ]

    def test_a_count_of_rows_that_are_not_there(self, place: Place, events: list[Event]) -> None:
        """The thrift footer says three rows; there is no row group."""
        path, _ = place.write(events)
        path = place.forge(path, table=table_of([]))
        data = path.read_bytes()
        empty = b"\x16\x00\x19\x0c"  # num_rows 0, row_groups []
        assert data.count(empty) == 1
        lying = data.replace(empty, b"\x16\x06\x19\x0c")
        path.unlink()
        place.put("k3f9", SegmentName(first=1, last=3, proof=proof(lying)), lying)
        report = place.verify()
        assert losses(report) == {"k3f9:1-3"}


class TestUnknown:
    """What a newer version wrote is named, and is no problem."""

    @pytest.mark.parametrize(
        ("changed", "unknown"),
        [
            ({"kind": "block.painted"}, "block.painted v1"),
            ({"kind": "block.painted", "object_id": "easel:1"}, "block.painted v1"),
            ({"kind_version": 2}, "block.observed v2"),
        ],
    )
    def test_kinds(self, place: Place, make_events: Any, changed: dict[str, Any], unknown: str) -> None:
        place.write(make_events("k3f9", 1, 3, **changed))
        report = place.verify()
        assert report.ok
        assert report.unknown_kinds == (unknown,)
        assert f"kinds this version does not know, kept: {unknown}" in str(report)
        assert [event.event_id for event in place.events()] == ["k3f9:1", "k3f9:2", "k3f9:3"]


def damage(place: Place, path: Path, chance: random.Random) -> None:
    data = path.read_bytes()
    what = chance.choice(["flip", "cut", "delete", "rename", "swap", "junk"])
    if what == "flip":
        position = chance.randrange(len(data))
        path.write_bytes(data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :])
    elif what == "cut":
        path.write_bytes(data[: chance.randrange(len(data))])
    elif what == "delete":
        path.unlink()
    elif what == "rename":
        path.rename(path.with_name("000000000001-000000000001-" + path.name[26:]))
    elif what == "swap":
        others = [one.read_bytes() for one in place.files() if one != path]
        path.write_bytes(chance.choice([b"", *others]))
    else:
        path.write_bytes(os.urandom(500))


@pytest.mark.usefixtures("in_memory")
@given(st.randoms(use_true_random=False), st.integers(1, 3))
def test_any_damage_is_found_and_nothing_is_repaired(
    new_place: NewPlace, chance: random.Random, times: int
) -> None:
    with new_place() as place:
        place.append(2, 3, 1)
        for path in chance.sample(place.files(), times):
            damage(place, path, chance)
        before = place.bytes()
        report = place.verify()
        assert not report.ok
        assert losses(report)
        assert place.bytes() == before


def test_every_problem_is_said_in_one_line(whole: Place) -> None:
    first, second = whole.files()[:2]
    first.unlink()
    second.write_bytes(b"")
    lines = str(whole.verify()).splitlines()
    assert lines[0] == "5 segments, 4 events, head dev2:4"
    assert lines[-1].endswith("problems found")
    what = "its bytes are not those its name proves; lost: dev1:4-6"
    assert f"log/device=dev1/month=2026-11/{second.name}: {what}" in lines
    assert "log/device=dev1: segments are missing; lost: dev1:1-3" in lines


def test_a_segment_that_is_gone_when_its_turn_comes_is_found_missing(whole: Place) -> None:
    """A file sync may take it away while verify runs; nothing holds what it held."""
    path = whole.files()[3]
    report = verify(whole.log(), lambda done, _: path.unlink(missing_ok=True) if done == 1 else None)
    assert [str(problem) for problem in report.problems] == [
        "log/device=dev1: the end of the log is missing; lost: dev1:8-9"
    ]


def test_a_lost_range_is_found_though_the_wall_is_wrong(whole: Place) -> None:
    whole.wall.moment -= timedelta(days=1)
    report = whole.verify()
    assert {problem.what for problem in report.problems} >= {
        "its stamps are ahead of this machine's clock; it waits"
    }
    assert all("dev2" in problem.path for problem in report.problems)


class TestCompacted:
    """A log with a compacted segment beside the small ones that it has superseded."""

    @pytest.fixture
    def mixed(self, place: Place) -> Place:
        """1-3, 4-6, 7-7 and, of all three, 1-7; then 8-8."""
        place.append(2, 3, 1)
        compact(place.log())
        place.append(1)
        return place

    def long(self, place: Place) -> Path:
        (path,) = [path for path in place.files() if path.name.startswith("000000000001-000000000007")]
        return path

    def test_it_is_proven(self, mixed: Place) -> None:
        assert str(mixed.verify()) == "5 segments, 8 events, head dev1:8\neverything proven"

    def test_each_flipped_byte_is_found_whether_its_segment_counts_or_not(self, mixed: Place) -> None:
        for path in mixed.files():
            good = path.read_bytes()
            for position in range(0, len(good), 97):
                path.write_bytes(good[:position] + bytes([good[position] ^ 1]) + good[position + 1 :])
                assert named(mixed.verify(), path)
            path.write_bytes(good)
        assert mixed.verify().ok

    @pytest.mark.parametrize(
        ("forge", "what"),
        [
            (lambda parts: parts.replace("sha256:", "sha256:0")[:-1], "its footer is not a segment's"),
            (
                lambda parts: parts[:-1] + ("1" if parts[-1] == "0" else "0"),
                "its parts do not have the digests",
            ),
            (lambda parts: " ".join(parts.split(" ")[:-1]), "parts that do not make up its range"),
            (lambda parts: " ".join(reversed(parts.split(" "))), "parts that do not make up its range"),
            (lambda parts: parts.replace("1-3=", "1-4=").replace("4-6=", "5-6="), "its parts do not have"),
            (lambda _parts: "", "its footer is not a segment's"),
        ],
        ids=range(6),
    )
    def test_parts_that_are_not_those_of_its_rows(
        self, mixed: Place, forge: Callable[[str], str], what: str
    ) -> None:
        path = self.long(mixed)
        parts = pq.read_metadata(path).metadata[b"vfdir.parts"].decode()
        path = mixed.forge(path, parts=forge(parts))
        report = mixed.verify()
        assert any(what in one.what and one.path.endswith(path.name) for one in report.problems), str(report)
        assert "dev1:1-7" in losses(report)

    def test_a_superseded_segment_that_differs(self, mixed: Place, make_events: Any) -> None:
        mixed.files()[2].unlink()
        path, _ = mixed.write(make_events("dev1", 4, 6))
        report = mixed.verify()
        assert any("which stands in its place" in problem.what for problem in report.problems)
        assert named(report, path)
        assert losses(report) == {"dev1:4-6"}

    def test_a_fork_two_readable_segments_of_one_range(self, mixed: Place, make_events: Any) -> None:
        path, _ = mixed.write(make_events("dev1", 8, 8, payload="{}"))
        report = mixed.verify()
        assert any("two copies wrote as one device" in problem.what for problem in report.problems)
        assert losses(report) >= {"dev1:8-8"}
        assert path.exists()

    def test_the_same_events_compacted_twice_are_no_fork(self, mixed: Place) -> None:
        path = self.long(mixed)
        data = path.read_bytes()
        mixed.forge(path, compacted_at="0")
        path.write_bytes(data)
        assert mixed.verify().ok

    def test_a_partial_overlap_is_named_though_it_hides_nothing(self, mixed: Place, make_events: Any) -> None:
        path, _ = mixed.write(make_events("dev1", 6, 8))
        assert mixed.log().coverage().missing == ()
        report = mixed.verify()
        assert any(one.path.endswith(path.name) and "overlaps" in one.what for one in report.problems)

    def test_another_end_than_this_machine_wrote_is_found_inside_a_compacted_segment(
        self, mixed: Place
    ) -> None:
        mark = mixed.machine.mark()
        mixed.machine.remember(replace(mark, seq=6, digest="sha256:" + "0" * 64))
        assert "it is not what this machine wrote" in whats(mixed)

    def test_a_lost_compacted_segment_is_no_loss_while_the_small_ones_are_there(self, mixed: Place) -> None:
        self.long(mixed).unlink()
        assert mixed.verify().ok

    def test_a_lost_compacted_segment_is_named_when_the_small_ones_are_gone(self, mixed: Place) -> None:
        compact(mixed.log(), now=True)
        mixed.append(1)
        mixed.files()[0].unlink()
        assert losses(mixed.verify()) == {"dev1:1-8"}
