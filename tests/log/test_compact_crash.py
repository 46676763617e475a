"""A process that is killed at any moment of a compaction loses nothing, and the next one finishes."""

from __future__ import annotations

import os
import random
import signal
import time
from typing import Any

import pytest

Place = Any

ROUNDS = 15


@pytest.mark.parametrize("how", ["later", "now"])
def test_killed_at_every_step(nursery: Any, new_place: Any, how: str) -> None:
    """Just before each open, fsync, rename and unlink that a compaction does, one after the other."""
    steps, survived = 0, False
    while not survived and steps < 200:
        steps += 1
        with new_place() as place:
            place.by_real_time()
            place.append(2, 3, 1)
            events = place.events()
            nursery.start(place, batches=-1, compact=how, kill_at=steps)
            said = nursery.rest()
            survived = said == ["compacted", "over 0"]
            assert survived or said == ["over -9"]
            assert place.events() == events
            report = place.verify()
            assert report.ok, str(report)
            nursery.start(place, batches=-1, compact="now")
            assert nursery.rest() == ["compacted", "over 0"]
            assert place.events() == events
            assert len(place.files()) == 1
            assert place.files(".*") == []
            place.append(1)
            assert place.verify().ok
            assert {event.device for event in place.events()} == {"dev1"}
    assert survived
    assert steps >= 10


def check(place: Place, acks: set[str]) -> None:
    """Every acknowledged event once, nothing torn, no gap, and everything proven."""
    events = place.events()
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert acks <= {event.event_id for event in events}
    report = place.verify()
    assert report.ok, str(report)


def test_killed_at_random_moments_between_appends(place: Place, nursery: Any) -> None:
    place.by_real_time()
    chance = random.Random(20_261_104)
    acks: set[str] = set()
    for rounds in range(ROUNDS):
        process = nursery.start(place, name=rounds, compact=chance.choice(["now", "later"]))
        said = [nursery.line() for _ in range(chance.randint(1, 4))]
        time.sleep(chance.uniform(0, 0.02))
        os.kill(process, signal.SIGKILL)
        said += nursery.rest()
        assert said[-1] == "over -9"
        for _, first, last, device in (line.split() for line in said if line.startswith("ack")):
            acks |= {f"{device}:{seq}" for seq in range(int(first), int(last) + 1)}
        check(place, acks)
    nursery.start(place, batches=-1, compact="now")
    assert nursery.rest()[-1] == "over 0"
    check(place, acks)
    assert place.files(".*") == []
    assert {event.device for event in place.events()} == {place.machine.mark().device}


def test_what_a_dead_compaction_left_is_removed_by_the_next(place: Place, nursery: Any) -> None:
    place.append(1, 1)
    leftover = place.files()[0].with_name(".1-3.4711.tmp")
    leftover.write_bytes(b"half")
    nursery.start(place, batches=-1, compact="later")
    assert nursery.rest() == ["compacted", "over 0"]
    assert not leftover.exists()
