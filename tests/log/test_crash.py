"""A process that is killed at any moment of an append loses nothing it acknowledged and tears nothing."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from typing import Any

import pytest

Place = Any

ROUNDS = 25


def acknowledged(said: list[str]) -> Counter[str]:
    """The ids of the events in `ack FIRST LAST DEVICE` lines."""
    found: Counter[str] = Counter()
    for line in said:
        word, *rest = line.split()
        if word == "ack":
            found.update(f"{rest[2]}:{seq}" for seq in range(int(rest[0]), int(rest[1]) + 1))
    return found


def check(place: Place, acks: Counter[str]) -> None:
    """Every acknowledged event once, nothing torn, no gap, and everything proven."""
    events = place.events()
    ids = Counter(event.event_id for event in events)
    assert set(ids.values()) <= {1}
    assert acks <= ids
    for device in {event.device for event in events}:
        seqs = [event.seq for event in events if event.device == device]
        assert seqs == list(range(1, len(seqs) + 1))
    theirs = [event for event in events if "batch" in event.fields]
    whole = Counter((event.device, event.fields["from"], event.fields["batch"]) for event in theirs)
    assert set(whole.values()) <= {3}
    report = place.verify()
    assert report.ok, str(report)


def test_killed_at_random_moments(place: Place, nursery: Any) -> None:
    place.by_real_time()
    chance = random.Random(20_261_103)
    acks: Counter[str] = Counter()
    for rounds in range(ROUNDS):
        process = nursery.start(place, name=rounds)
        said = [nursery.line() for _ in range(chance.randint(0, 3))]
        time.sleep(chance.uniform(0, 0.008))
        os.kill(process, signal.SIGKILL)
        said += nursery.rest()
        assert said[-1] == "over -9"
        acks += acknowledged(said)
        assert set(acks.values()) <= {1}
        check(place, acks)
    place.append(1)
    check(place, acks)
    assert place.files(".*") == []
    assert {event.device for event in place.events()} == {place.machine.mark().device}


@pytest.mark.parametrize("before", [0, 1, 2], ids=["first append", "second append", "after a lost tail"])
def test_killed_at_every_step(place: Place, nursery: Any, new_place: Any, before: int) -> None:
    """Just before each open, mkdir, fsync, rename and unlink that an append does, one after the other."""
    steps = 0
    survived = False
    while not survived and steps < 100:
        steps += 1
        with new_place() as fresh:
            fresh.by_real_time()
            fresh.append(*[1] * before)
            if before == 2:
                fresh.files()[-1].unlink()
            nursery.start(fresh, batches=1, kill_at=steps)
            said = nursery.rest()
            survived = said[-1] == "over 0"
            assert survived == any(line.startswith("ack") for line in said)
            check_steps(fresh, said)
            fresh.append(1)
            check_steps(fresh, said)
            assert fresh.files(".*") == []
            joins = [event for event in fresh.events() if event.kind == "device.joined"]
            assert len(joins) == 1 + (before == 2)
            reasons = [event.fields["instead_of"] for event in joins if event.device != "dev1" and before]
            assert reasons == ["dev1"] * (before == 2)
    assert survived
    assert steps >= 8


def check_steps(place: Place, said: list[str]) -> None:
    acks = acknowledged(said)
    events = place.events()
    assert acks <= Counter(event.event_id for event in events)
    batch = [event for event in events if "batch" in event.fields]
    assert len(batch) in ((3,) if acks else (0, 3))
    report = place.verify()
    known = {"the end of the log is missing"}  # that of the lost tail, until the new device has written
    assert {problem.what for problem in report.problems} <= known


def test_what_dead_processes_left_is_removed_by_the_next_append(place: Place) -> None:
    place.append(1)
    (segment,) = place.files()
    months = [segment.parent, segment.parent.with_name("month=2026-10")]
    months[1].mkdir()
    for month in months:
        (month / f".{segment.name}.4711.tmp").write_bytes(b"half")
        (month / ".DS_Store").write_bytes(b"not ours")
    assert place.verify().ok
    place.append(1)
    assert sorted(path.name for path in place.files(".*")) == [".DS_Store", ".DS_Store"]
    assert place.verify().ok
