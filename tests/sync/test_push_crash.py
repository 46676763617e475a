"""A process that pushes is killed at any moment; the next goes on from the log and repeats nothing."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pushed import assert_done_once
from pushing import FAST, KINDS, Scene, arm, build

from vfdir_lab.sandbox import Sandbox

PUSHER = Path(__file__).parents[1] / "support" / "pusher.py"
KILLED = -signal.SIGKILL
IS_THOROUGH = os.environ.get("HYPOTHESIS_PROFILE") == "thorough"


class Pushers:
    """Processes that push, one after the other: forks of one that has loaded everything."""

    def __init__(self) -> None:
        self._parent = subprocess.Popen(
            [sys.executable, str(PUSHER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def start(self, scene: Scene, *, share: float = 0.0, **order: Any) -> int:
        """Let a process push, its waits as short as `share` says; its process id."""
        order |= {
            "archive": str(scene.archive.path),
            "home": os.environ["VFDIR_STATE_HOME"],
            "url": scene.sandbox.url,
            "token": scene.sandbox.tokens.write,
            "offset_seconds": scene.sandbox.world.clock.offset_seconds,
            "share": share,
        }
        assert self._parent.stdin is not None
        self._parent.stdin.write(f"{json.dumps(order)}\n")
        self._parent.stdin.flush()
        return self._said("pushing")

    def ended(self) -> int:
        """How the process that pushes ended."""
        return self._said("over")

    def push(self, scene: Scene, kill_at: int, kind: str = "", *, after: bool) -> int:
        """Let a process push until it is killed, or done; how it ended."""
        self.start(scene, kill_at=kill_at, kind=kind, after=after)
        return self.ended()

    def end(self) -> None:
        """Take no more orders."""
        self._parent.communicate(timeout=30)

    def _said(self, word: str) -> int:
        assert self._parent.stdout is not None
        said, number = self._parent.stdout.readline().split()
        assert said == word
        return int(number)


@pytest.fixture(scope="module")
def pushers() -> Iterator[Pushers]:
    made = Pushers()
    yield made
    made.end()


@pytest.fixture(scope="module")
def server() -> Iterator[Sandbox]:
    with Sandbox(rate_limits=FAST) as running:
        yield running


@pytest.fixture
def scene(server: Sandbox, tmp_path: Path) -> Iterator[Scene]:
    """A row of texts of its own, and an archive that pulled it."""
    server.control.disarm()
    server.control.clear_requests()
    made = build(server, tmp_path)
    yield made
    made.archive.close()


@pytest.mark.parametrize("after", [False, True], ids=["before the answer is recorded", "before it is sent"])
def test_killed_at_each_wish_in_turn(scene: Scene, pushers: Pushers, after: bool) -> None:
    """Between `tx.sent` and the request, or between are.na's answer and its record, one wish after the other.

    From the second process on, the first such event is about the wish that the one before it was killed at;
    but for a channel that was not made: that is sent again once are.na's index has caught up.
    """
    scene.wish(*KINDS)
    kind = "tx.sent" if after else "tx.accepted"
    ends = [pushers.push(scene, 1 if n == 0 else 2, kind, after=after) for n in range(len(KINDS))]
    assert ends.count(KILLED) >= len(KINDS) - 1
    scene.push()
    assert_done_once(scene)


@pytest.mark.parametrize("seed", range(20 if IS_THOROUGH else 1))
def test_killed_again_and_again(scene: Scene, pushers: Pushers, seed: int) -> None:
    """At appends by chance, before or after; a process makes some progress, or the next one does."""
    scene.wish(*KINDS)
    chance = random.Random(seed)
    ends: list[int] = []
    while 0 not in ends and len(ends) < 60:
        ends.append(pushers.push(scene, chance.randint(1, 9), after=chance.random() < 0.5))
    assert set(ends) <= {0, KILLED}
    assert ends.count(KILLED) >= 4
    scene.push()
    assert_done_once(scene)


@pytest.mark.parametrize("after", [False, True] if IS_THOROUGH else [False], ids=repr)
@pytest.mark.parametrize("number", range(1, 9) if IS_THOROUGH else [2, 3])
@pytest.mark.parametrize("kind", KINDS if IS_THOROUGH else ["comment"])
def test_killed_at_each_append_of_a_wish_alone(
    scene: Scene, pushers: Pushers, kind: str, number: int, after: bool
) -> None:
    """Before it is in the log, or after; there are no more than eight."""
    scene.wish(kind)
    assert pushers.push(scene, number, after=after) in {0, KILLED}
    scene.push()
    assert_done_once(scene)


@pytest.mark.parametrize("fault", ["slow before", "slow after"])
def test_killed_while_the_server_holds_each_request(scene: Scene, pushers: Pushers, fault: str) -> None:
    """Done or not, the server goes on with it; the next process starts at once and sends no second."""
    scene.wish(*KINDS)
    for number, kind in enumerate(KINDS, 1):
        arm(scene, fault, [kind])
        process = pushers.start(scene, share=0.01)
        wait_until_held(scene.sandbox, number)
        os.kill(process, signal.SIGKILL)
        assert pushers.ended() == KILLED
    scene.hours.share = 0.01
    scene.push()
    assert_done_once(scene)


def wait_until_held(sandbox: Sandbox, number: int) -> None:
    """Until so many requests have been held by the server."""
    for _ in range(2000):
        if sum(one["fault"] == "slow" for one in sandbox.control.requests()) == number:
            return
        time.sleep(0.01)
    pytest.fail(f"the server did not get {number} requests that it holds")
