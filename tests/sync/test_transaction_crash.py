"""A transaction is all there or not at all, whoever is killed and whoever else is committing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from copies import Sky
from drafting import Desk

from vfdir_lab.event.stamp import utc_now

WISHER = Path(__file__).with_name("wisher.py")
KINDS = ["channel.drafted", "block.drafted", "connection.made", "connection.made", "block.edited"]


class RealSky(Sky):
    """The wall clock of this machine, for what is written together with real processes."""

    def now(self) -> datetime:
        return utc_now()


class Wisher:
    """A process that has others commit; `said` are their lines, without those that it says itself."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(WISHER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.said: list[str] = []

    def start(self, desk: Desk, name: str, **orders: int) -> int:
        """Have one begin; gives its process id."""
        assert self._process.stdin is not None
        where = {"root": str(desk.copy.root), "home": str(desk.copy.home), "name": name}
        self._process.stdin.write(json.dumps(where | orders) + "\n")
        self._process.stdin.flush()
        return int(self.line().removeprefix("started "))

    def line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def hear(self, lines: int) -> None:
        """So many transactions, and no more for now."""
        self.said += [self.line() for _ in range(lines)]

    def over(self) -> int:
        """The rest, and the exit code."""
        while not (line := self.line()).startswith("over "):
            self.said.append(line)
        return int(line.removeprefix("over "))

    def end(self) -> None:
        self._process.kill()
        self._process.communicate()


@pytest.fixture
def wishers() -> Iterator[list[Wisher]]:
    both = [Wisher(), Wisher()]
    yield both
    for one in both:
        one.end()


def new_desk(folder: Path) -> Desk:
    desk = Desk(folder / "archive", RealSky())
    desk.show_channel(1, ["block:1"])
    return desk


def check(desk: Desk, said: list[str]) -> int:
    """Every transaction that was acknowledged is there, each that is there is whole; gives how many."""
    events = desk.events()
    commits = [event for event in events if event.kind == "tx.committed"]
    for commit in commits:
        parts = [event for event in events if event.cause == commit.object_id]
        assert [event.kind for event in parts] == KINDS
        assert {event.fields["intent"] for event in parts} == set(commit.fields["intents"])
        assert [event.seq for event in parts] == list(range(commit.seq - len(KINDS), commit.seq))
    assert len([event for event in events if event.kind in KINDS]) == len(KINDS) * len(commits)
    born = Counter(event.object_id for event in events if event.kind in KINDS[:4])
    assert set(born.values()) <= {1}
    for line in said:
        tx, *ids = line.split()
        assert tx in {commit.object_id for commit in commits}
        assert set(ids) <= set(born)
    report = desk.copy.verify()
    assert report.ok, str(report)
    return len(commits)


def test_two_processes_that_commit_at_once_give_distinct_ids_and_both_survive(
    tmp_path: Path, wishers: list[Wisher]
) -> None:
    desk = new_desk(tmp_path)
    for number, one in enumerate(wishers):
        one.start(desk, f"process {number}", count=8)
    assert [one.over() for one in wishers] == [0, 0]
    said = [line for one in wishers for line in one.said]
    assert check(desk, said) == len(said) == 16
    assert len({word for line in said for word in line.split()}) == 16 * 5
    assert len(desk.items()) == 17


def test_killed_at_any_moment_each_transaction_is_whole_or_not_there(
    tmp_path: Path, wishers: list[Wisher]
) -> None:
    desk, wisher = new_desk(tmp_path), wishers[0]
    for rounds in range(5):
        process = wisher.start(desk, f"round {rounds}")
        wisher.hear(rounds % 3)
        os.kill(process, signal.SIGKILL)
        assert wisher.over() == -signal.SIGKILL
        assert check(desk, wisher.said) >= len(wisher.said)
    assert len(wisher.said) >= 4


def test_killed_at_every_step_of_a_commit(tmp_path: Path, wishers: list[Wisher]) -> None:
    """Just before each open, mkdir, flush, rename and unlink, one after the other."""
    codes = []
    while 0 not in codes and len(codes) < 80:
        desk, wisher = new_desk(tmp_path / str(len(codes))), wishers[0]
        wisher.said.clear()
        wisher.start(desk, "x", count=1, kill_at=len(codes) + 1)
        codes.append(wisher.over())
        assert len(wisher.said) <= check(desk, wisher.said) <= 1
        with desk.transaction() as tx:
            tx.edit("block:1", title="after")
        assert tx.id in {event.object_id for event in desk.events("tx.committed")}
    assert codes[-1] == 0
    assert set(codes[:-1]) == {-signal.SIGKILL}
    assert len(codes) >= 5
