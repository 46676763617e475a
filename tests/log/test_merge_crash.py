"""A merge killed at any moment tears nothing and a later one completes; live processes share a folder."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

import pytest
from copies import Copy, Sky

from vfdir_lab.errors import ForkedDeviceError
from vfdir_lab.event.stamp import utc_now
from vfdir_lab.log import EventLog, Head, Machine, verify

ROUNDS = 25
Start = Callable[..., int]


@pytest.fixture
def start(nursery: Any) -> Start:
    """`start(here, there, **orders)` merges in a process of its own, and gives its id."""

    def merging(here: Copy, there: Copy, **orders: object) -> int:
        return int(nursery.start(here, archive="of-the-tests", merge=str(there.root), **orders))

    return merging


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """A copy with the events of two devices, written by the real clock."""
    sky = Sky()
    sky.moment = utc_now()
    there, third = (Copy(tmp_path_factory.mktemp("merged") / name, sky) for name in ("there", "third"))
    third.append(1, 1)
    there.append(2)
    there.merge(third)
    return there


def copy_at(folder: Path, there: Copy) -> Copy:
    """A copy that has written something of its own."""
    here = Copy(folder / "here", there.sky)
    here.append(1)
    return here


def check(here: Copy, there: Copy) -> None:
    """A whole, proven prefix of each device; ours untouched."""
    report = here.verify()
    assert report.ok, str(report)
    mine = here.log.device()
    assert {event for event in here.events() if event.device != mine} <= set(there.events())
    assert here.opened().coverage().head.seq(mine) == 2


def test_killed_at_random_moments(tmp_path: Path, there: Copy, nursery: Any, start: Start) -> None:
    chance = random.Random(20_261_104)
    stopped = 0
    for number in range(ROUNDS):
        here = copy_at(tmp_path / str(number), there)
        process = start(here, there)
        for _ in range(chance.randint(0, 2)):
            assert nursery.line().startswith("copied")
        time.sleep(chance.uniform(0, 0.004))
        with suppress(ProcessLookupError):  # it was faster
            os.kill(process, signal.SIGKILL)
        stopped += nursery.rest()[-1] == "over -9"
        check(here, there)
        assert here.merge(there).whole
        assert not list((here.root / "log").glob(".*"))
        assert len(here.events()) == len(there.events()) + 2
    assert stopped >= ROUNDS // 3


def test_killed_at_every_step(there: Copy, nursery: Any, start: Start) -> None:
    """Just before each open, mkdir, fsync, rename and unlink that a merge does, one after the other."""
    steps, survived = 0, False
    while not survived and steps < 200:
        steps += 1
        with TemporaryDirectory() as folder:
            here = copy_at(Path(folder), there)
            start(here, there, kill_at=steps)
            said = nursery.rest()
            survived = said[-1] == "over 0"
            check(here, there)
            assert here.merge(there).whole
            assert len(here.events()) == len(there.events()) + 2
    assert 20 < steps < 200


def test_killed_while_it_puts_a_fork_aside(nursery: Any, start: Start) -> None:
    """The cloned device is given up at the latest by the next merge, and nothing is put aside twice."""
    steps, survived = 0, False
    while not survived and steps < 200:
        steps += 1
        with TemporaryDirectory() as folder:
            sky = Sky()
            sky.moment = utc_now()
            here = Copy(Path(folder) / "here", sky)
            here.append(1)
            clone = here.clone(Path(folder) / "clone")
            clone.append(1, text="clone")
            mine = here.append(1, text="here")
            start(here, clone, kill_at=steps)
            said = nursery.rest()
            survived = said[-1] == "over 1"
            with pytest.raises(ForkedDeviceError):
                here.merge(clone)
            assert set(mine) <= set(here.events())
            (kept,) = here.root.glob("quarantine/*/*")
            assert kept.read_bytes() == clone.segments()[-1].read_bytes()
            assert {event.device for event in here.append(1)} != {"dev1"}
            assert here.verify().ok
    assert 10 < steps < 200


def test_two_devices_live_in_one_folder_without_a_merge(
    tmp_path: Path, open_nursery: Callable[[], Any]
) -> None:
    """Two processes with machine states of their own append to one folder; a third reads all the while."""
    root = tmp_path / "archive"
    root.mkdir()
    nurseries = [open_nursery(), open_nursery()]
    for number, nursery in enumerate(nurseries):
        nursery.start(SimpleNamespace(root=root, home=tmp_path / f"state{number}"), batches=40, name=number)
    reader = EventLog(root, Machine("archive-of-the-tests", root, tmp_path / "reader"))
    before, looks, told = Head(), 0, [nursery.line() for nursery in nurseries]
    ends = time.monotonic() + 20
    while sum(before.values()) < 2 * 121 and time.monotonic() < ends:
        head = reader.coverage().head
        assert head.covers(before)
        events = list(reader.events_after(before))
        assert all(event.seq > before.seq(event.device) for event in events)
        assert len(events) >= sum(head.values()) - sum(before.values())
        before, looks = head, looks + 1
    for nursery, first in zip(nurseries, told, strict=True):
        said = [first, *nursery.rest()]
        assert said[-1] == "over 0"
        assert sum(one.startswith("ack") for one in said) == 40
    assert sorted(reader.coverage().head.values()) == [121, 121]
    assert looks > 2
    assert verify(reader).ok
    stamps = [event.hlc for event in reader.events_after(Head())]
    assert len(stamps) == 242
    assert not reader.machine.folder.exists()


def test_two_processes_merge_both_ways_while_both_append(tmp_path: Path, nursery: Any, start: Start) -> None:
    """Merging reads a folder that is written to, and writes one that is; both end with the same events."""
    sky = Sky()
    sky.moment = utc_now()
    here, there = Copy(tmp_path / "here", sky), Copy(tmp_path / "there", sky)
    here.append(1, 1)
    there.append(1, 1)
    for _ in range(10):
        start(here, there)
        sky.moment = utc_now()
        here.append(1)
        there.append(1)
        there.merge(here)
        assert nursery.rest()[-1] == "over 0"
    assert here.merge(there).whole
    assert there.merge(here).whole
    assert here.events() == there.events()
    assert here.verify().ok
    assert there.verify().ok
