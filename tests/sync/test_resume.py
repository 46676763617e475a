"""Interrupted pulls: by a budget, by an error, by SIGKILL."""

import os
import random
import signal
import subprocess
import sys
import time

import pytest
from worlds import big_channel, count, held, truly

from vfdir_lab.archive import Archive
from vfdir_lab.arena import SYSTEM_TIME
from vfdir_lab.errors import ArenaNetworkError, BudgetReachedError, UsageError
from vfdir_lab.sandbox import Sandbox


def pull_within(open_archive, names: list, budget: int, runs: int, **options: bool) -> Archive:
    """Pull again and again, each time as a new process would, until nothing is left; at most `runs` times."""
    for _ in range(runs):
        archive = open_archive()
        try:
            if not archive.pull(*names, budget=budget, **options).resumable:
                return archive
        except BudgetReachedError:
            continue
    pytest.fail(f"{runs} runs were not enough")


@pytest.mark.parametrize("budget", [2, 3, 4])
def test_a_budget_is_kept_and_the_next_run_goes_on(sandbox: Sandbox, open_archive, budget: int) -> None:
    channel = big_channel(sandbox, 620)
    sandbox.control.clear_requests()
    archive = pull_within(open_archive, [channel], budget, runs=9)
    assert len(sandbox.control.requests()) <= 9 * budget
    assert held(archive, channel) == truly(sandbox, channel)
    items = archive.sql("SELECT items FROM scans WHERE complete").fetchall()
    assert items == [(620,)]


@pytest.mark.parametrize("budget", [2, 3, 4])
@pytest.mark.parametrize("where", ["top", "middle", "removed"])
def test_a_small_budget_gets_through_what_changed(
    sandbox: Sandbox, open_archive, budget: int, where: str
) -> None:
    channel = big_channel(sandbox, 250)
    open_archive().pull(channel)
    if where == "removed":
        sandbox.control.disconnect(sandbox.control.snapshot(channel)[100]["connection"])
    else:
        sandbox.control.add_block(channel, "new", kind="Text", position=120 if where == "middle" else None)
    archive = pull_within(open_archive, [channel], budget, runs=8)
    assert held(archive, channel) == truly(sandbox, channel)


def test_a_small_budget_gets_through_comments(sandbox: Sandbox, open_archive) -> None:
    channel = big_channel(sandbox, 130)
    for place in sandbox.control.snapshot(channel)[::40]:
        sandbox.control.comment(place["id"], "yes")
    archive = pull_within(open_archive, [channel], 3, runs=14, comments=True)
    assert len(archive.sql("SELECT * FROM comments").fetchall()) == 4


def test_all_of_an_account_is_read_round_by_round(sandbox: Sandbox, open_archive) -> None:
    archive = pull_within(open_archive, [], 4, runs=16, mine=True)
    unread = archive.sql(
        "SELECT count(*) FROM channels WHERE owner = 'user:5001' AND length IS NULL"
    ).fetchall()
    assert unread == [(0,)]


def test_a_budget_of_one_is_refused_with_the_reason(archive: Archive) -> None:
    with pytest.raises(UsageError, match="at least 2"):
        archive.pull("tides", budget=1)


def test_with_the_cache_deleted_a_scan_begins_again_and_nothing_is_lost(
    sandbox: Sandbox, archive: Archive
) -> None:
    channel = big_channel(sandbox, 320)
    with pytest.raises(BudgetReachedError):
        archive.pull(channel, budget=3)
    seen = count(archive)
    for file in sorted((archive.path / "cache").rglob("*.json")):
        file.unlink()
    archive.pull(channel)
    assert count(archive) > seen
    assert held(archive, channel) == truly(sandbox, channel)


def test_a_scan_is_not_continued_after_the_channel_changed(sandbox: Sandbox, open_archive) -> None:
    archive = open_archive(time=SYSTEM_TIME)
    channel = big_channel(sandbox, 320)
    with pytest.raises(BudgetReachedError):
        archive.pull(channel, budget=3)
    sandbox.control.disconnect(sandbox.control.snapshot(channel)[0]["connection"])
    sandbox.control.add_block(channel, "Something else", kind="Text")
    archive.pull(channel)
    assert held(archive, channel) == truly(sandbox, channel)


def test_several_channels_share_a_budget_and_are_finished_in_turn(sandbox: Sandbox, archive: Archive) -> None:
    names = ["tides", "euclid-in-colours", "an-empty-room", "drafts-and-doubts"]
    done: list[str] = []
    for _ in range(4):
        report = archive.pull(*names, budget=5)
        done += [one.name for one in report.channels if one.state == "done"]
        if not report.resumable:
            break
    assert done == names


def test_a_connection_that_dies_half_way_keeps_what_was_seen(sandbox: Sandbox, archive: Archive) -> None:
    channel = big_channel(sandbox, 250)
    sandbox.control.arm("drop_before", match="GET .*/contents", after=1, times=None)
    with pytest.raises(ArenaNetworkError):
        archive.pull(channel)
    assert len(archive.sql("SELECT 1 FROM connections").fetchall()) == 100
    sandbox.control.disarm()
    sandbox.control.clear_requests()
    archive.pull(channel)
    pages = [one["query"]["page"] for one in sandbox.control.requests() if "contents" in str(one["path"])]
    assert pages == ["2", "3"]
    assert held(archive, channel) == truly(sandbox, channel)


PULL = [sys.executable, "-m", "vfdir_lab.cli", "pull"]


def test_killed_at_any_moment_the_log_is_whole_and_a_later_pull_completes_it(
    sandbox: Sandbox, open_archive
) -> None:
    """Law 4, with real processes and SIGKILL."""
    channel = big_channel(sandbox, 420)
    archive = open_archive()
    archive.pull("an-empty-room")
    environment = os.environ | {
        "ARENA_API_URL": sandbox.url,
        "ARENA_TOKEN": sandbox.tokens.read,
        "VFDIR_HOME": str(archive.path),
    }
    rng = random.Random(7)
    killed = 0
    for _ in range(14):
        child = subprocess.Popen(
            [*PULL, str(channel), "--full"],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(rng.uniform(0.5, 2.2))
        child.send_signal(signal.SIGKILL)
        killed += child.wait() == -signal.SIGKILL
        assert archive.verify().ok
    assert killed >= 7
    archive.pull(channel, full=True)
    assert held(archive, channel) == truly(sandbox, channel)
    doubled = archive.sql(
        "SELECT object_id FROM events WHERE kind = 'connection.observed' "
        "GROUP BY object_id HAVING count(*) > 1"
    ).fetchall()
    assert doubled == []


def test_two_processes_pulling_at_once_record_each_thing_once(sandbox: Sandbox, open_archive) -> None:
    channel = big_channel(sandbox, 220)
    archive = open_archive()
    environment = os.environ | {
        "ARENA_API_URL": sandbox.url,
        "ARENA_TOKEN": sandbox.tokens.read,
        "VFDIR_HOME": str(archive.path),
    }
    children = [
        subprocess.Popen([*PULL, str(channel)], env=environment, stdout=subprocess.DEVNULL) for _ in range(2)
    ]
    assert [child.wait(timeout=60) for child in children] == [0, 0]
    assert held(archive, channel) == truly(sandbox, channel)
    doubled = archive.sql(
        "SELECT object_id FROM events WHERE kind IN ('connection.observed', 'block.observed') "
        "GROUP BY object_id HAVING count(*) > 1"
    ).fetchall()
    assert doubled == []
    assert archive.verify().ok
