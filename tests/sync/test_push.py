"""A push as a whole: how far it goes, where it stops, and that two of them are one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
from wishing import Device, Stage

from vfdir_lab.archive import Archive
from vfdir_lab.errors import LogLockedError, UsageError
from vfdir_lab.sandbox import Sandbox
from vfdir_lab.sync.push import PATIENCE_SECONDS, UNKNOWN_MAX
from vfdir_lab.sync.push_report import PushProgress
from vfdir_lab.sync.transaction import Transaction


@pytest.fixture
def stage() -> Iterator[Stage]:
    with Stage(entries=5) as found:
        yield found


@pytest.fixture
def device(stage: Stage) -> Device:
    found = stage.device()
    found.archive.pull(*stage.channels)
    return found


def edit_all(stage: Stage, device: Device) -> None:
    """One wish for each of five blocks, in a transaction of its own."""
    for number, block in enumerate(stage.blocks):
        device.wish(edit(block), label=f"edit {number}")


def edit(block: int) -> Callable[[Transaction], None]:
    return lambda tx: tx.edit(f"block:{block}", title="New")


def test_each_wish_goes_out_once_in_the_order_it_was_committed(stage: Stage, device: Device) -> None:
    edit_all(stage, device)
    report = device.archive.push()
    assert [one["path"] for one in stage.writes()] == [f"/v3/blocks/{one}" for one in stage.blocks]
    assert [(one.label, one.state, one.attempts) for one in report.transactions] == [
        (f"edit {number}", "settled", 1) for number in range(5)
    ]
    assert not report.resumable
    assert (report.paused, report.notes) == ("", ())


def test_a_push_with_nothing_to_do_asks_nobody(stage: Stage, device: Device) -> None:
    stage.sandbox.control.clear_requests()
    report = device.archive.push()
    assert str(report) == "there is nothing to push"
    assert stage.sandbox.control.requests() == []


def test_one_bad_wish_holds_up_no_other(stage: Stage, device: Device) -> None:
    edit_all(stage, device)
    stage.sandbox.control.arm("status", match="PUT .*", status=422, message="No.")
    report = device.archive.push()
    assert device.states() == ["rejected", *["settled"] * 4]
    assert report.transactions[0].waits_for_person
    assert "No." in report.transactions[0].why


# Where it stops


def test_a_budget_caps_the_writes_and_the_next_push_goes_on(stage: Stage, device: Device) -> None:
    edit_all(stage, device)
    report = device.archive.push(budget=2)
    assert device.states() == ["settled", "settled", *["committed"] * 3]
    assert report.paused == "the budget of 2 writes is used up; push again to go on"
    assert report.resumable
    device.archive.push(budget=3)
    assert device.states() == ["settled"] * 5
    assert len(stage.writes()) == 5


def test_a_budget_that_is_just_enough_is_no_pause(stage: Stage, device: Device) -> None:
    edit_all(stage, device)
    assert device.archive.push(budget=5).paused == ""


@pytest.mark.parametrize("budget", [0, -1])
def test_a_budget_of_nothing_is_refused(device: Device, budget: int) -> None:
    with pytest.raises(UsageError, match=f"a budget of {budget} writes sends nothing: give 1 or more"):
        device.archive.push(budget=budget)


def test_a_refused_token_pauses_and_refuses_no_wish(stage: Stage, device: Device) -> None:
    edit_all(stage, device)
    stage.sandbox.control.arm("unauthorized", match="PUT .*", times=None)
    report = device.archive.push()
    assert device.states() == ["committed"] * 5
    assert len(stage.writes()) == 1, "it does not go on trying"
    assert report.paused
    stage.sandbox.control.disarm()
    device.archive.push()
    assert device.states() == ["settled"] * 5


def test_a_token_that_may_not_write_holds_everything_and_refuses_nothing(stage: Stage) -> None:
    device = stage.device(token=stage.sandbox.tokens.read)
    device.archive.pull(*stage.channels)
    edit_all(stage, device)
    report = device.archive.push()
    assert device.states() == ["committed"] * 5
    assert "`vfdir-lab auth login` with a token that has the write scope" in report.paused


def test_without_a_token_nothing_is_tried(stage: Stage, device: Device) -> None:
    edit_all(stage, device)
    guest = Archive(device.path, api_url=stage.sandbox.url, token="", time=stage.sky.time)
    with pytest.raises(UsageError, match="a push needs a token with the write scope: set ARENA_TOKEN"):
        guest.push()


def test_a_short_wait_that_are_na_asks_for_is_waited(stage: Stage, device: Device) -> None:
    edit_all(stage, device)
    stage.sandbox.control.arm("too_many", match="PUT .*", retry_after=7)
    began = stage.sky.passed()
    said: list[PushProgress] = []
    device.archive.push(on_progress=said.append)
    assert device.states() == ["settled"] * 5
    assert stage.sky.passed() - began >= 7
    assert [one["status"] for one in stage.writes()] == [429, *[200] * 5]
    assert any(one.waiting.startswith("waits 7 s") for one in said)


def test_a_long_wait_ends_the_push(stage: Stage, device: Device) -> None:
    edit_all(stage, device)
    stage.sandbox.control.arm("too_many", match="PUT .*", retry_after=int(PATIENCE_SECONDS) + 1, times=None)
    began = stage.sky.passed()
    report = device.archive.push()
    assert device.states() == ["committed"] * 5
    assert report.paused
    assert stage.sky.passed() - began < PATIENCE_SECONDS


def test_waits_have_an_end(stage: Stage, device: Device) -> None:
    edit_all(stage, device)
    stage.sandbox.control.arm("too_many", match="PUT .*", retry_after=1, times=None)
    assert device.archive.push().paused
    assert device.states() == ["committed"] * 5
    assert len(stage.writes()) == 4


def test_wishes_in_a_row_without_an_answer_end_the_push(stage: Stage, device: Device) -> None:
    edit_all(stage, device)
    stage.sandbox.control.arm("drop_before", match="PUT .*", times=None)
    report = device.archive.push()
    assert len(stage.writes()) == UNKNOWN_MAX
    assert device.states() == ["unknown"] * 3 + ["committed"] * 2
    assert report.paused == "3 wishes in a row got no answer: are.na is not well, push later"
    stage.sandbox.control.disarm()
    device.archive.push()
    assert device.states() == ["settled"] * 5


def test_an_answer_in_between_lets_the_push_go_on(stage: Stage, device: Device) -> None:
    """Two are silent, one answers, two are silent: never three in a row."""
    edit_all(stage, device)
    stage.sandbox.control.arm("drop_after", match="PUT .*", times=2)
    stage.sandbox.control.arm("drop_after", match="PUT .*", times=2, after=1)
    assert device.archive.push().paused == ""
    assert device.states() == ["settled"] * 5
    assert len(stage.writes()) == 5


# What is told while it runs


def test_progress_counts_the_wishes_that_have_an_end_and_names_what_is_at_work(
    stage: Stage, device: Device
) -> None:
    edit_all(stage, device)
    said: list[PushProgress] = []
    device.archive.push(on_progress=said.append)
    assert [one.label for one in said if not one.waiting] == [f"edit {number}" for number in range(5)]
    assert {one.total for one in said} == {5}
    assert [one.done for one in said] == sorted(one.done for one in said)
    assert said[-1].waiting == "reading back what was accepted"


def test_what_is_withdrawn_while_a_push_runs_does_not_go_out(stage: Stage, device: Device) -> None:
    edit_all(stage, device)
    last = device.outbox().intents()[-1]
    device.first(1, lambda: device.archive.outbox.cancel(last.tx))
    device.run(lambda archive: archive.push())
    assert device.states() == [*["settled"] * 4, "cancelled"]
    assert len(stage.writes()) == 4


def test_what_is_wished_while_a_push_runs_goes_out_with_it(stage: Stage, device: Device) -> None:
    edit_all(stage, device)

    def wish() -> None:
        device.wish(lambda tx: tx.edit(f"channel:{stage.channels[0]}", title="Late"))

    device.first(3, wish)
    device.run(lambda archive: archive.push())
    assert device.states() == ["settled"] * 6


# One push at a time

PUSHER = """
import json, sys
from vfdir_lab.archive import Archive
from vfdir_lab.errors import LogLockedError

path, url, token = sys.argv[1:]
try:
    report = Archive(path, api_url=url, token=token, pause_seconds=0).push()
    print(json.dumps([one.state for one in report.transactions]))
except LogLockedError as error:
    print(json.dumps(str(error)))
"""


def test_of_two_processes_that_push_one_sends_each_wish_and_the_other_waits_or_says_so(
    sandbox: Sandbox, open_archive: Callable[..., Archive]
) -> None:
    archive = open_archive(token=sandbox.tokens.write)
    channel = int(sandbox.control.add_channel("Row", by=sandbox.world.main)["id"])
    archive.pull(channel)
    for number in range(3):
        with archive.transaction() as tx:
            tx.add_block(channel, f"once {number}")
    sandbox.control.arm("slow", match="POST .*", seconds=0.3, times=None)
    command = [sys.executable, "-c", PUSHER, str(archive.path), sandbox.url, sandbox.tokens.write]
    running = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=dict(os.environ)) for _ in range(2)
    ]
    said = [json.loads(process.communicate(timeout=120)[0]) for process in running]
    assert [process.returncode for process in running] == [0, 0]
    assert ["settled"] * 3 in said
    texts = [str(one.content) for one in sandbox.world.blocks.values()]
    assert sorted(one for one in texts if one.startswith("once ")) == ["once 0", "once 1", "once 2"]
    assert sum(one["method"] == "POST" for one in sandbox.control.requests()) == 3


def test_a_push_that_cannot_have_its_turn_says_who_has_it(
    device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vfdir_lab.sync.push.LOCK_TIMEOUT_SECONDS", 0.05)
    with (
        device.archive.log.machine.lock(1, name="push"),
        pytest.raises(LogLockedError, match=str(os.getpid())),
    ):
        device.archive.push()


def test_a_push_that_waits_for_its_turn_keeps_nobody_from_wishing(stage: Stage, device: Device) -> None:
    with device.archive.log.machine.lock(1, name="push"):
        edit_all(stage, device)
    assert device.states() == ["committed"] * 5
