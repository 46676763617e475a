"""A compaction that leaves nothing behind cuts no reader off: what went away is looked for, and found."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from copies import Copy

from vfdir_lab.errors import HeadError, LogDamagedError, LogError
from vfdir_lab.event import lift
from vfdir_lab.log import EventLog, Head, Machine, compact, foreign, listing, verify

Place = Any
Interrupt = Callable[[Callable[[], object]], list[str]]


@pytest.fixture
def before_opening(monkeypatch: pytest.MonkeyPatch) -> Interrupt:
    """Do something between the listing of a segment and its first opening; gives what is opened from then."""
    real = pq.ParquetFile

    def arrange(act: Callable[[], object]) -> list[str]:
        names: list[str] = []

        def opened(path: Path, **options: Any) -> Any:
            names.append(Path(path).name)
            if len(names) == 1:
                act()
            return real(path, **options)

        monkeypatch.setattr("vfdir_lab.log.reading.pq.ParquetFile", opened)
        return names

    return arrange


@pytest.fixture
def elsewhere(place: Place, nursery: Any) -> Callable[[], None]:
    """Another process compacts this place's own part, and leaves the small segments to nobody."""
    place.by_real_time()

    def compacted() -> None:
        nursery.start(place, batches=-1, compact="now")
        assert nursery.rest() == ["compacted", "over 0"]

    return compacted


@pytest.mark.parametrize("told", range(11))
def test_a_compaction_in_the_middle_of_an_iteration_is_not_noticed(
    place: Place, elsewhere: Callable[[], None], told: int
) -> None:
    place.append(2, 1, 3, 1)
    place.stranger("there").append(place.drafts(2))
    everything = place.events()
    assert len(everything) == 11
    iteration = place.log().events_after(Head())
    found = [next(iteration) for _ in range(told)]
    elsewhere()
    assert len(place.files()) == 2
    found += iteration
    assert found == everything


def test_what_is_recorded_meanwhile_comes_with_the_next_reading(
    place: Place, elsewhere: Callable[[], None]
) -> None:
    """What an iteration gives is settled when it begins, whether it lists again or not."""
    place.append(1, 1)
    log = place.log()
    before, head = place.events(), log.coverage().head
    iteration = log.events_after(Head())
    found = [next(iteration)]
    place.append(2)
    elsewhere()
    assert [*found, *iteration] == before
    assert [event.seq for event in log.events_after(head)] == [4, 5]


def test_a_compaction_between_listing_and_opening_is_not_noticed(
    place: Place, before_opening: Interrupt
) -> None:
    place.append(2, 3, 1)
    everything = place.events()
    names = before_opening(lambda: compact(place.log(), now=True))
    assert list(place.log().events_after(Head())) == everything
    assert names[0].startswith("000000000001-000000000003-")
    assert names[-1].startswith("000000000001-000000000007-")


def test_a_log_whose_files_always_went_away_is_given_up_after_three_looks(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.append(2)
    looks: list[Path] = []

    def gone(path: Path) -> None:
        looks.append(path)
        raise FileNotFoundError(path)

    monkeypatch.setattr("vfdir_lab.log.reading.pq.ParquetFile", gone)
    with pytest.raises(LogError, match="keep changing"):
        place.events()
    assert len(looks) == 3


@pytest.mark.parametrize("link", [False, True], ids=["file", "link"])
def test_events_that_went_away_for_good_are_an_error_and_not_a_short_answer(place: Place, link: bool) -> None:
    place.append(2, 3)
    last = place.files()[-1]
    if link:
        content = place.root / "content"
        last.rename(content)
        last.symlink_to(os.path.relpath(content, last.parent))
        last = content
    iteration = place.log().events_after(Head())
    assert next(iteration).seq == 1
    last.unlink()
    with pytest.raises(HeadError, match="reaches dev1:3, the head asks for dev1:6"):
        list(iteration)


def test_a_moment_is_found_though_its_segment_is_compacted_away(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.append(2, 1, 1)
    log, real, paths = place.log(), pq.read_table, []

    def interrupted(path: Path, **options: Any) -> Any:
        paths.append(path)
        if len(paths) == 1:
            compact(place.log(), now=True)
        return real(path, **options)

    moment = list(place.events())[3].recorded_at
    monkeypatch.setattr("vfdir_lab.log.eventlog.pq.read_table", interrupted)
    assert log.head_at(moment) == Head({"dev1": 3})
    assert len(paths) == 2


def test_a_head_at_a_moment_is_given_up_when_the_files_keep_changing(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.append(2)

    def gone(path: Path, **_: Any) -> None:
        raise FileNotFoundError(path)

    monkeypatch.setattr("vfdir_lab.log.eventlog.pq.read_table", gone)
    with pytest.raises(LogError, match="keep changing"):
        place.log().head_at(place.wall.moment.replace(year=2020))
    assert place.log().head_at(place.wall.moment) == Head({"dev1": 3})


def test_verify_proves_the_segment_that_takes_the_place_of_those_that_went_away(
    place: Place, elsewhere: Callable[[], None]
) -> None:
    place.append(2, 1, 1)
    place.stranger("there").append(place.drafts(2))
    report = verify(place.log(), lambda done, of: elsewhere() if (done, of) == (1, 4) else None)
    assert report.ok, str(report)
    assert (report.segments, report.events) == (2, 8)


def test_verify_names_a_file_that_is_listed_and_never_there(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.append(2, 1)
    last, real, looks = place.files()[-1], Path.read_bytes, []

    def restless(path: Path) -> bytes:
        if path == last:
            looks.append(path)
            raise FileNotFoundError(path)
        return real(path)

    monkeypatch.setattr(Path, "read_bytes", restless)
    assert [problem.what for problem in place.verify().problems] == ["it went away while being read"]
    assert len(looks) == 3


def test_bytes_that_were_compacted_away_while_they_were_checked_are_no_damage(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.append(2, 1)
    log, real, looks = place.log(), Path.read_bytes, []
    log.coverage()

    def interrupted(path: Path) -> bytes:
        looks.append(path)
        if len(looks) == 1:
            compact(place.log(), now=True)
        return real(path)

    monkeypatch.setattr(Path, "read_bytes", interrupted)
    assert log.recheck() == ()
    assert log.coverage().events == 4


def test_one_look_that_misses_both_the_long_segment_and_the_short_ones_is_not_believed(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The long one was written into a folder after it was listed, the short ones removed before theirs.

    To a reader that knows the footer of the first short one already, nothing would seem to be amiss.
    """
    place.append(2)
    place.wall.moment = datetime(2026, 12, 1, tzinfo=UTC)
    place.append(1, 2)
    assert len({path.parent for path in place.files()}) == 2
    real = listing._entries
    acted: list[str | Path] = []

    def entries(folder: str | Path) -> list[os.DirEntry[str]]:
        if str(folder).endswith("month=2026-12") and not acted:
            acted.append(folder)
            compact(place.log(), now=True)
        return sorted(real(folder), key=lambda entry: entry.name)

    reader = place.log()
    assert reader.coverage().head == Head({"dev1": 6})
    monkeypatch.setattr(listing, "_entries", entries)
    assert reader.coverage().head == Head({"dev1": 6})
    assert len(acted) == 1


@pytest.mark.parametrize("copied", [0, 1])
def test_merge_takes_the_segment_that_took_the_place_of_those_that_went_away(
    here: Copy, there: Copy, monkeypatch: pytest.MonkeyPatch, copied: int
) -> None:
    """Where it comes from is compacted after it was listed; before the first file was copied, and after."""
    there.append(1, 2, 1)
    real = foreign._opened
    opened: list[Path] = []

    def interrupted(source: Path) -> Any:
        if len(opened) == copied:
            compact(there.log, now=True)
        opened.append(source)
        return real(source)

    monkeypatch.setattr(foreign, "_opened", interrupted)
    report = here.merge(there)
    assert len(there.segments()) == 1
    assert report.whole, str(report)
    assert here.events() == there.events()
    assert here.verify().ok


def test_merge_looks_again_when_another_machine_compacts_its_part_in_the_shared_folder(
    here: Copy, there: Copy, monkeypatch: pytest.MonkeyPatch
) -> None:
    third = Copy(here.root.with_name("third"), here.sky)
    third.append(1, 2)
    here.merge(third)
    there.merge(third)
    path = there.squeeze(third.log.device(), 0, 1, bare=True)  # so that its rows must be looked at
    assert path.exists()
    sharing = EventLog(
        here.root, Machine("of-the-tests", here.root, here.home.with_name("other")), now=here.sky.now
    )
    sharing.machine.remember(third.machine.mark() or pytest.fail("no mark"))
    real, reads = EventLog.read, []

    def interrupted(log: EventLog, segment: Any, columns: Any = None) -> Any:
        reads.append(segment.path)
        if len(reads) == 1:
            compact(sharing, now=True)
        return real(log, segment, columns)

    monkeypatch.setattr(EventLog, "read", interrupted)
    assert here.merge(there).whole
    assert len(reads) == 2
    assert here.events() == third.events()


class TestLifted:
    """Events come as SQL shows them; what proves, copies or compares rows sees them as they were recorded."""

    @pytest.fixture
    def old(self, place: Place, make_events: Any) -> Any:
        """A log of a device whose events are at version 1 of their kind."""
        place.append(1)
        kind = {"kind": "object.access_lost", "kind_version": 1, "payload": "{}"}
        events = make_events("dev1", 3, 4, hlc=None, **kind)
        prev = place.log().coverage().segments[-1].footer.link
        last = place.events()[-1].hlc
        events = [type(event)(**{**fields(event), "hlc": last + event.seq}) for event in events]
        place.write(events, prev)
        return events

    def test_events_are_lifted(self, place: Place, old: Any) -> None:
        found = place.events()[2:]
        assert found == [lift(event) for event in old]
        assert [(event.kind_version, event.payload) for event in found] == [(2, '{"status":null}')] * 2

    def test_rows_are_not(self, place: Place, old: Any) -> None:
        log = place.log()
        table = log.read(log.coverage().segments[-1])
        assert table.column("payload").to_pylist() == ["{}", "{}"]
        assert table.column("kind_version").to_pylist() == [1, 1]

    def test_verify_and_compact_keep_what_was_recorded(
        self, place: Place, old: Any, make_events: Any
    ) -> None:
        digest = place.log().coverage().segments[-1].footer.digest
        mark = place.machine.mark()
        place.machine.remember(type(mark)(device="dev1", seq=4, hlc=old[-1].hlc, digest=digest))
        assert place.verify().ok
        before = place.events()
        assert compact(place.log(), now=True).written == 1
        assert place.verify().ok
        log = place.log()
        (segment,) = log.coverage().segments
        assert log.read(segment).column("kind_version").to_pylist()[2:] == [1, 1]
        assert segment.footer.pieces[-1].digest == digest
        assert place.events() == before

    def test_a_payload_that_cannot_be_lifted_is_damage(self, place: Place, make_events: Any) -> None:
        place.write(make_events("dev9", 1, 1, kind="object.access_lost", payload="[1]"))
        with pytest.raises(LogDamagedError, match="dev9:1 holds what no event can"):
            place.events()


def fields(event: Any) -> dict[str, Any]:
    return {name: getattr(event, name) for name in type(event).__slots__}
