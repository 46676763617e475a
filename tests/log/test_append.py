"""Append: all or nothing, durable when it returns, one writer of a device at a time."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vfdir_lab.errors import EventError, LogWriteError
from vfdir_lab.event import Draft
from vfdir_lab.log import EventLog, Head, Machine
from vfdir_lab.log.files import write_durably

Place = Any
NewPlace = Callable[[], AbstractContextManager[Place]]


def draft(**changed: Any) -> Draft:
    return Draft(**{"kind": "block.observed", "object_id": "block:1", "payload": {"title": "x"}, **changed})


def joined(place: Place, device: str) -> dict[str, Any]:
    """What a device said when it joined."""
    (event,) = [e for e in place.events() if e.kind == "device.joined" and e.device == device]
    assert event.seq == 1
    assert event.object_id == f"device:{device}"
    fields: dict[str, Any] = event.fields
    return fields


def test_what_append_returns_is_what_the_log_holds(place: Place) -> None:
    at = datetime(2020, 1, 2, 3, 4, 5, 6, tzinfo=UTC)
    events = place.log().append(
        [
            draft(payload={"b": None, "a": "é😀"}, origin="arena", origin_at=at, cause="scan:1"),
            draft(kind="block.edited", payload={}),
        ]
    )
    assert place.events() == list(events)
    first, second, third = events
    assert (first.kind, first.payload, first.origin) == ("device.joined", "{}", "dev1")
    assert (second.payload, second.origin, second.origin_at) == ('{"a":"é😀","b":null}', "arena", at)
    assert (second.kind_version, second.cause, second.recorded_at) == (1, "scan:1", place.wall.moment)
    assert (third.origin, third.origin_at, third.cause) == ("dev1", None, None)
    assert [event.event_id for event in events] == ["dev1:1", "dev1:2", "dev1:3"]


def test_an_append_is_one_segment_in_the_month_of_its_first_event(place: Place) -> None:
    place.append(2)
    place.wall.moment = datetime(2026, 12, 1, tzinfo=UTC)
    place.append(1)
    assert [str(path.relative_to(place.root))[:-25] for path in place.files()] == [
        "log/device=dev1/month=2026-11/000000000001-000000000003",
        "log/device=dev1/month=2026-12/000000000004-000000000004",
    ]


def test_nothing_is_appended_by_appending_nothing(place: Place) -> None:
    assert place.log().append([]) == ()
    assert place.files() == []
    assert place.machine.mark() is None


@pytest.mark.usefixtures("in_memory")
@given(
    batches=st.lists(
        st.tuples(st.integers(1, 4), st.booleans(), st.integers(-200_000, 200_000)), min_size=1, max_size=6
    )
)
def test_seq_has_no_gap_and_stamps_increase_through_restarts_and_clock_steps(
    new_place: NewPlace, batches: list[tuple[int, bool, int]]
) -> None:
    with new_place() as place:
        log = place.log()
        for count, restarts, seconds in batches:
            place.wall.step(seconds)
            log = place.log() if restarts else log
            log.append(place.drafts(count))
        events = place.events()
        assert [event.seq for event in events] == list(range(1, len(events) + 1))
        assert len(events) == 1 + sum(count for count, _, _ in batches)
        stamps = [event.hlc for event in events]
        assert stamps == sorted(set(stamps))
        assert {event.device for event in events} == {"dev1"}
        assert place.verify().ok


def test_several_appends_under_one_lock_follow_on_each_other(place: Place) -> None:
    with place.log().writing() as writer:
        head = writer.coverage.head
        first, second = writer.append([draft()]), writer.append([draft(), draft()])
        assert writer.device == "dev1"
    assert head == Head()
    assert [event.seq for event in [*first, *second]] == [1, 2, 3, 4]
    assert place.events() == [*first, *second]
    assert place.verify().ok


def test_the_next_seq_is_the_one_that_the_next_draft_gets(place: Place) -> None:
    log = place.log()
    for _ in range(2):  # the first append of a device begins with its `device.joined`
        with log.writing() as writer:
            for _ in range(2):
                expected = writer.next_seq
                events = writer.append([draft(), draft()])
                assert [event.seq for event in events[-2:]] == [expected, expected + 1]


def test_append_is_visible_only_when_complete(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever looks at any step of an append sees the log before it or the log after it."""
    place.append(2)
    before, seen = place.log().coverage().head, []
    fsync, rename = os.fsync, Path.replace

    def look() -> None:
        seen.append(EventLog(place.root, place.machine, now=place.wall).coverage().head)

    def watched_fsync(descriptor: int) -> None:
        look()
        fsync(descriptor)
        look()

    def watched_replace(path: Path, target: Path) -> Path:
        look()
        return rename(path, target)

    monkeypatch.setattr(os, "fsync", watched_fsync)
    monkeypatch.setattr(Path, "replace", watched_replace)
    place.log().append(place.drafts(5))
    after = place.log().coverage().head
    assert (before, after) == (Head({"dev1": 3}), Head({"dev1": 8}))
    assert seen[:3] == [before] * 3
    assert seen[3:] == [after] * len(seen[3:])
    assert len(seen) >= 5


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param({"kind": "block.painted"}, id="unknown kind"),
        pytest.param({"object_id": "channel:1"}, id="kind about something else"),
        pytest.param({"object_id": "block:x"}, id="no object id"),
        pytest.param({"payload": {"n": float("nan")}}, id="no canonical payload"),
        pytest.param({"payload": ["title"]}, id="payload that is no object"),
        pytest.param({"origin_at": datetime(2026, 1, 1)}, id="time without a zone"),  # noqa: DTZ001
        pytest.param({"cause": "scan:\ud800"}, id="text that UTF-8 cannot hold"),
        pytest.param({"cause": 7}, id="cause that is no text"),
        pytest.param({"origin": 7}, id="origin that is no text"),
    ],
)
def test_a_bad_draft_refuses_the_whole_batch_and_the_log_goes_on(place: Place, bad: dict[str, Any]) -> None:
    with place.log().writing() as writer:
        with pytest.raises(EventError):
            writer.append([draft(), draft(**bad), draft()])
        assert place.files() == []
        writer.append([draft()])
    assert [event.seq for event in place.events()] == [1, 2]
    assert place.verify().ok


class TestDiskRefuses:
    """What was written before is safe, nothing of the batch counts, and the next append works."""

    def test_a_file_that_may_not_grow_any_more(self, place: Place, nursery: Any) -> None:
        place.by_real_time()
        place.append(1)
        before = place.bytes()
        noise = os.urandom(60_000).hex()
        nursery.start(place, batches=1, text=noise, limit_bytes=20_000)
        error, over = nursery.rest()
        assert error.startswith("LogWriteError: ")
        assert "not recorded" in error
        assert over == "over 1"
        assert {path: data for path, data in place.bytes().items() if "append.holder" not in path} == {
            path: data for path, data in before.items() if "append.holder" not in path
        }
        nursery.start(place, batches=1, text=noise)
        assert nursery.rest() == ["ack 3 5 dev1", "over 0"]
        assert place.verify().ok

    @pytest.fixture
    def small_disk(self, place: Place) -> Iterator[None]:
        """A real file system of 64 kB under the archive."""
        mount = shutil.which("mount")
        if os.geteuid() != 0 or mount is None:
            pytest.skip("only root may mount a small disk")
        done = subprocess.run(
            [mount, "-t", "tmpfs", "-o", "size=64k", "none", str(place.root)],
            capture_output=True,
            check=False,
        )
        if done.returncode:
            pytest.skip("this system does not let root mount a small disk")
        yield
        subprocess.run(["umount", str(place.root)], check=True)

    @pytest.mark.usefixtures("small_disk")
    def test_a_full_disk(self, place: Place) -> None:
        log, acknowledged = place.log(), 0
        with suppress(LogWriteError):
            while acknowledged < 1000:
                acknowledged += len(log.append(place.drafts(20)))
        with pytest.raises(LogWriteError, match="No space left"):
            log.append(place.drafts(20))
        assert 1000 > acknowledged > 20
        assert place.log().coverage().events == acknowledged
        assert place.verify().ok
        assert list(place.root.rglob(".*")) == []
        with pytest.raises(LogWriteError):
            place.log().append(place.drafts(2000))
        assert place.log().coverage().events == acknowledged

    @pytest.mark.usefixtures("small_disk")
    def test_a_disk_that_is_full_from_the_start(self, place: Place) -> None:
        """The device joins with the first batch that is recorded, and still says why."""
        filler = place.root / "filler"
        with pytest.raises(OSError, match="No space left"):
            filler.write_bytes(b"\0" * 100_000)
        for _ in range(3):
            with pytest.raises(LogWriteError):
                place.log().append(place.drafts(100))
        filler.unlink()
        place.append(1)
        assert joined(place, "dev1") == {}
        assert place.verify().ok

    def test_a_new_device_says_why_even_after_its_first_batch_failed(
        self, place: Place, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        place.append(1, 1)
        place.files()[-1].unlink()
        with monkeypatch.context() as patched:
            patched.setattr("vfdir_lab.log.append.write_durably", _full)
            for _ in range(2):
                with pytest.raises(LogWriteError, match="No space left"):
                    place.log().append(place.drafts(1))
        place.append(1)
        assert joined(place, "dev2") == {
            "instead_of": "dev1",
            "because": "the log ends at seq 2, 3 was written",
        }

    def test_what_was_renamed_but_not_surely_durable_does_not_count(
        self, place: Place, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        place.append(1)

        def write_then_fail(path: Path, data: bytes) -> None:
            write_durably(path, data)
            _full()

        with place.log().writing() as writer:
            with monkeypatch.context() as patched:
                patched.setattr("vfdir_lab.log.append.write_durably", write_then_fail)
                with pytest.raises(LogWriteError):
                    writer.append(place.drafts(2))
            assert place.log().coverage().events == 2
            assert [event.seq for event in writer.append(place.drafts(1))] == [3]
        assert place.verify().ok

    def test_a_file_where_the_folder_should_be(self, place: Place) -> None:
        (place.root / "log").write_text("no folder")
        with pytest.raises(LogWriteError):
            place.log().append(place.drafts(1))
        assert place.log().coverage().events == 0

    def test_a_read_only_folder(self, nursery: Any) -> None:
        with tempfile.TemporaryDirectory() as folder:
            Path(folder).chmod(0o755)
            root, home = Path(folder) / "archive", Path(folder) / "state"
            root.mkdir(mode=0o555)
            home.mkdir()
            home.chmod(0o777)
            nursery.start(_Folders(root, home), batches=1, nobody=os.geteuid() == 0)
            error, over = nursery.rest()
            assert error.startswith("LogWriteError: ")
            assert "Permission denied" in error
            assert over == "over 1"
            root.chmod(0o755)
            assert list(root.iterdir()) == []

    def test_a_state_folder_that_may_not_be_written(self, nursery: Any) -> None:
        with tempfile.TemporaryDirectory() as folder:
            Path(folder).chmod(0o755)
            root, home = Path(folder) / "archive", Path(folder) / "state"
            root.mkdir()
            root.chmod(0o777)
            home.mkdir(mode=0o555)
            nursery.start(_Folders(root, home), batches=1, nobody=os.geteuid() == 0)
            error, over = nursery.rest()
            assert error.startswith("ArchiveWriteError: ")
            assert over == "over 1"
            assert list(root.iterdir()) == []

    def test_a_mark_that_cannot_be_kept_may_lag(self, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        """The events are durable; the next writer finds the end in the log itself."""
        place.append(1)
        with monkeypatch.context() as patched:
            patched.setattr("vfdir_lab.log.machine.write_atomically", _full)
            place.append(2)
        assert place.machine.mark().seq == 2
        place.append(1)
        assert place.machine.mark().seq == 5
        assert place.verify().ok
        assert {event.device for event in place.events()} == {"dev1"}


class _Folders:
    """As much of a place as an appender needs."""

    def __init__(self, root: Path, home: Path) -> None:
        self.root = root
        self.home = home


def _full(*_: object) -> None:
    raise OSError(28, "No space left on device")


class TestNewDevice:
    """A copy whose part of the log is not the one it wrote goes on as a new device, and says why."""

    def test_a_lost_tail(self, place: Place) -> None:
        place.append(2, 3, 1)
        place.files()[-1].unlink()
        place.append(1, 1)
        assert joined(place, "dev2") == {
            "instead_of": "dev1",
            "because": "the log ends at seq 6, 7 was written",
        }
        assert place.log().coverage().head == Head({"dev1": 6, "dev2": 3})
        assert place.verify().ok

    def test_a_lost_middle(self, place: Place) -> None:
        place.append(2, 3, 1)
        place.files()[1].unlink()
        place.append(1)
        assert joined(place, "dev2")["instead_of"] == "dev1"
        assert place.log().coverage().head == Head({"dev1": 3, "dev2": 2})

    def test_a_lost_middle_while_the_mark_lags(self, place: Place) -> None:
        place.append(2)
        mark = place.machine.mark()
        place.append(1, 1)
        place.machine.remember(mark)
        place.files()[1].unlink()
        place.append(1)
        assert joined(place, "dev2")["because"] == "segments after seq 3 are there, those between are not"

    def test_a_lost_log(self, place: Place) -> None:
        place.append(2)
        shutil.rmtree(place.root / "log")
        place.append(1)
        assert joined(place, "dev2") == {
            "instead_of": "dev1",
            "because": "the log ends at seq 0, 3 was written",
        }
        assert place.verify().ok

    def test_another_end_than_the_one_written(self, place: Place, make_events: Any) -> None:
        place.append(2, 1)
        first, last = place.files()
        last.unlink()
        place.write(make_events("dev1", 4, 4), prev="sha256:other")
        place.append(1)
        assert joined(place, "dev2") == {"instead_of": "dev1", "because": "seq 4 is not what was written"}
        assert first.exists()

    def test_a_copy_of_the_folder(self, place: Place) -> None:
        """Both go on; nothing of the one has the name of something of the other."""
        place.append(2)
        copy = place.folder / "copy"
        shutil.copytree(place.root, copy)
        there = EventLog(
            copy,
            Machine("archive-of-the-tests", copy, place.home),
            now=place.wall,
            new_device=lambda: "other",
        )
        there.append(place.drafts(1))
        place.append(1)
        shutil.copytree(copy / "log", place.root / "log", dirs_exist_ok=True)
        assert joined(place, "other") == {}
        assert place.log().coverage().head == Head({"dev1": 4, "other": 2})
        assert place.verify().ok

    def test_lost_state(self, place: Place) -> None:
        place.append(2)
        shutil.rmtree(place.home)
        place.append(1)
        assert joined(place, "dev2") == {}
        assert place.log().coverage().head == Head({"dev1": 3, "dev2": 2})
        assert place.verify().ok

    def test_state_from_a_backup_goes_on_as_the_same_device(self, place: Place) -> None:
        place.append(1)
        shutil.copytree(place.home, place.folder / "backup")
        place.append(2, 3)
        shutil.rmtree(place.home)
        (place.folder / "backup").rename(place.home)
        place.append(1)
        assert place.log().coverage().head == Head({"dev1": 8})
        assert place.verify().ok

    def test_a_stamp_remembered_but_lost_with_the_tail_is_not_given_again(self, place: Place) -> None:
        place.append(1)
        mark = place.machine.mark()
        place.files()[-1].unlink()
        place.append(1)
        assert min(event.hlc for event in place.events()) > 0
        assert place.machine.mark().device != mark.device


class TestClock:
    """Stamps of a device increase whatever its wall does, and come after what it has seen of others."""

    def test_a_wall_that_stepped_back_between_two_runs(self, place: Place) -> None:
        place.append(2)
        place.wall.moment -= timedelta(days=40)
        place.append(2)
        events = place.events()
        assert [event.hlc for event in events] == sorted({event.hlc for event in events})
        assert events[-1].recorded_at < events[0].recorded_at
        assert place.log().coverage().events == 5
        assert place.verify().ok

    def test_the_mark_keeps_the_stamp_when_the_log_does_not(self, place: Place) -> None:
        """The greatest stamp is the log's or the mark's, whichever is greater."""
        place.append(1)
        mark = place.machine.mark()
        place.machine.remember(replace(mark, hlc=mark.hlc + 1000))
        (event,) = place.log().append(place.drafts(1))
        assert event.hlc > mark.hlc + 1000

    def test_what_is_said_comes_after_what_was_seen_of_others(self, place: Place) -> None:
        ahead = place.stranger("ahead")
        place.wall.step(50)
        seen = ahead.append(place.drafts(2))
        place.wall.step(-50)
        assert place.log().append(place.drafts(1))[0].hlc > max(event.hlc for event in seen)

    def test_a_stranger_from_2035_does_not_poison_the_clock(self, place: Place) -> None:
        place.wall.step(86_400 * 3650)
        place.stranger("future").append(place.drafts(2))
        place.wall.step(-86_400 * 3650)
        event = place.log().append(place.drafts(1))[-1]
        assert event.hlc >> 16 <= (event.recorded_at.timestamp() + 60) * 1000


class TestAtOnce:
    """Real processes that append at the same time."""

    @pytest.mark.parametrize("machines", [1, 2])
    def test_every_event_is_there_once_and_without_a_gap(
        self, place: Place, open_nursery: Callable[[], Any], machines: int
    ) -> None:
        place.by_real_time()
        nurseries = [open_nursery(), open_nursery()]
        for number, nursery in enumerate(nurseries):
            home = place.home if machines == 1 else place.folder / f"home-{number}"
            nursery.start(_Folders(place.root, home), batches=15, size=3, name=number)
        said = [nursery.rest() for nursery in nurseries]
        assert [lines[-1] for lines in said] == ["over 0", "over 0"]

        events = place.events()
        blocks = Counter(
            (event.fields["from"], event.fields["batch"], event.object_id)
            for event in events
            if event.kind == "block.observed"
        )
        assert blocks == Counter(
            (number, batch, f"block:{block}")
            for number in (0, 1)
            for batch in range(15)
            for block in (1, 2, 3)
        )
        devices = {event.device for event in events}
        assert len(devices) == machines
        for device in devices:
            seqs = [event.seq for event in events if event.device == device]
            assert seqs == list(range(1, len(seqs) + 1))
        assert place.verify().ok
        with ExitStack() as held:
            held.enter_context(place.log().writing(1))


def test_the_device_of_a_copy_is_settled_once(place: Place) -> None:
    """Asked for before the first append, it is still the device that joins."""
    assert place.log().device() == "dev1"
    assert place.log().device() == "dev1"
    place.append(1)
    assert joined(place, "dev1") == {}
    assert place.log().coverage().head == Head({"dev1": 2})


def test_an_archive_that_went_away_is_not_made_again(place: Place) -> None:
    """A disk that was unplugged must not find a second log where it is mounted again."""
    log = place.log()
    log.append([Draft(kind="user.observed", object_id="user:1", payload={})])
    place.root.rename(place.root.with_name("elsewhere"))
    with pytest.raises(LogWriteError, match="not there any more"):
        log.append([Draft(kind="user.observed", object_id="user:2", payload={})])
    assert not place.root.exists()
