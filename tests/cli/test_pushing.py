"""Pushing on the command line: what went out, what waits and for whom, and how a person decides."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pushing import Hours
from ran import Ran
from shelf import Shelf, new_shelf

from vfdir_lab.archive import Archive
from vfdir_lab.event import Draft
from vfdir_lab.sandbox import Sandbox

Run = Callable[..., Ran]


@pytest.fixture
def settings(settings: dict[str, str], sandbox: Sandbox) -> dict[str, str]:
    return settings | {"ARENA_TOKEN": sandbox.tokens.write}


@pytest.fixture(autouse=True)
def nothing_armed(sandbox: Sandbox) -> Iterator[None]:
    yield
    sandbox.control.disarm()
    sandbox.control.set_clock_offset(0)


@pytest.fixture
def shelf(run: Run, sandbox: Sandbox) -> Shelf:
    """Pulled already."""
    made = new_shelf(sandbox)
    assert run("pull", made.channel.removeprefix("channel:")).code == 0
    sandbox.control.clear_requests()
    return made


def writes(sandbox: Sandbox) -> list[str]:
    """The requests that change something, as far as are.na saw them."""
    return [f"{one['method']} {one['path']}" for one in sandbox.control.requests() if one["method"] != "GET"]


def wish(run: Run, *command: str) -> str:
    """The transaction of a command that wishes."""
    done = run(*command, "--json")
    assert done.code == 0, done
    return str(json.loads(done.out)["tx"])


def standing(run: Run, tx: str) -> dict[str, object]:
    (found,) = (one for one in json.loads(run("outbox", "--json").out) if one["tx"] == tx)
    return dict(found)


def title(run: Run, block: str) -> object:
    return json.loads(run("sql", f"SELECT title FROM blocks WHERE object_id = '{block}'", "--json").out)[0][
        "title"
    ]


def number(object_id: str) -> int:
    return int(object_id.partition(":")[2])


def say(home: Path, tx: str, kind: str, **payload: object) -> None:
    """Record an answer of the transaction's only wish, as a push would."""
    with Archive(home) as archive:
        query = f"SELECT payload ->> '$.intents[0]' FROM events WHERE object_id = '{tx}'"
        intent = archive.sql(query).fetchall()[0][0]
        archive.log.append([Draft(kind=kind, object_id=tx, payload={"intent": intent} | payload, cause=tx)])


def assert_refused(ran: Ran, *words: str) -> None:
    assert ran.code == 1, ran
    (line,) = ran.err.strip().splitlines()
    assert line.startswith("vfdir-lab: ")
    for word in words:
        assert word in line


def test_a_dry_run_says_what_a_push_then_sends_once(run: Run, shelf: Shelf, sandbox: Sandbox) -> None:
    wish(run, "edit", shelf.blocks[0], "title=One")
    tx = wish(run, "add", shelf.channel, "two")
    planned = json.loads(run("push", "--dry-run", "--json").out)["requests"]
    text = run("push", "--dry-run").out
    assert all(one["asked"] in text for one in planned)
    assert "nothing was sent" in text
    assert sandbox.control.requests() == []
    done = run("push")
    assert (done.code, done.err) == (0, "")
    assert done.out.count("settled") == 2
    assert writes(sandbox) == [one["asked"] for one in planned]
    assert standing(run, tx)["waits_for"] == ""
    again = run("push")
    assert (again.code, again.out) == (0, "there is nothing to push\n")
    assert run("push", "--dry-run").out == "there is nothing to push\n"
    assert len(writes(sandbox)) == 2


def test_a_push_without_a_token_sends_nothing_and_says_so(run: Run, shelf: Shelf, sandbox: Sandbox) -> None:
    wish(run, "edit", shelf.blocks[0], "title=One")
    assert_refused(run("push", ARENA_TOKEN=""), "ARENA_TOKEN")
    assert sandbox.control.requests() == []


def test_a_token_that_may_not_write_pauses_and_loses_nothing(
    run: Run, shelf: Shelf, sandbox: Sandbox
) -> None:
    tx = wish(run, "edit", shelf.blocks[0], "title=One")
    paused = run("push", ARENA_TOKEN=sandbox.tokens.read)
    assert paused.code == 3
    assert "write scope" in paused.err
    assert standing(run, tx)["waits_for"] == "push"
    assert run("push").code == 0
    assert standing(run, tx)["state"] == "settled"


def test_a_budget_ends_a_push_that_the_next_one_finishes(run: Run, shelf: Shelf, sandbox: Sandbox) -> None:
    for block in shelf.blocks[:2]:
        wish(run, "edit", block, "title=One")
    first = run("push", "--budget", "1")
    assert first.code == 3
    assert "budget" in first.err
    assert len(writes(sandbox)) == 1
    second = json.loads(run("push", "--json").out)
    assert [one["state"] for one in second["transactions"]] == ["settled"]
    assert len(writes(sandbox)) == 2


def test_what_are_na_refuses_waits_for_the_person_and_comes_first(
    run: Run, shelf: Shelf, sandbox: Sandbox
) -> None:
    theirs = sandbox.control.add_block(number(shelf.channel), "not mine")
    run("pull", shelf.channel.removeprefix("channel:"))
    wish(run, "edit", shelf.blocks[0], "title=One")
    tx = wish(run, "edit", f"block:{theirs['id']}", "title=Mine now")
    done = run("push")
    assert done.code == 3
    assert "1 transaction waits for you" in done.err
    first = run("outbox").out.splitlines()[1]
    assert first.startswith(tx[:11])
    assert "rejected" in first
    assert str(standing(run, tx)["why"])[:20] in first
    assert f"outbox retry {tx[:11]}" in run("outbox").out
    assert json.loads(run("status", "--json").out)["wishes"] == {"open": 0, "waiting": 1, "conflicts": 0}
    assert "1 waiting for you" in run("status").out
    assert run("outbox", "retry", tx[:7]).code == 0
    assert run("push").code == 3
    assert run("outbox", "cancel", tx).code == 0
    assert run("push").code == 0
    assert standing(run, tx)["state"] == "cancelled"


def test_a_conflict_is_shown_and_answered_either_way(run: Run, shelf: Shelf, sandbox: Sandbox) -> None:
    one, two, _ = shelf.blocks
    kept, left = wish(run, "edit", one, "title=Mine"), wish(run, "edit", two, "title=Mine")
    for block in (one, two):
        sandbox.control.edit_block(number(block), title="Theirs")
    run("pull", shelf.channel.removeprefix("channel:"), "--full")
    found = json.loads(run("conflicts", "--json").out)
    assert {(row["object_id"], row["mine"], row["theirs"], row["tx"]) for row in found} == {
        (one, "Mine", "Theirs", kept),
        (two, "Mine", "Theirs", left),
    }
    assert "2 in conflict" in run("status").out
    assert f"outbox resolve {left[:11]} --theirs" in run("conflicts").out
    assert run("outbox", "resolve", left, "--theirs").code == 0
    assert run("outbox", "resolve", kept, "--mine").code == 0
    assert (title(run, one), title(run, two)) == ("Mine", "Theirs")
    assert run("push").code == 0
    assert writes(sandbox) == [f"PUT /v3/blocks/{number(one)}"]
    assert run("conflicts").out == "no conflicts\n"


def test_theirs_is_taken_of_one_object_alone(run: Run, shelf: Shelf, sandbox: Sandbox, home: Path) -> None:
    one, two, _ = shelf.blocks
    with Archive(home) as archive, archive.transaction("both") as tx:
        tx.edit(one, title="Mine")
        tx.edit(two, title="Mine")
    assert_refused(run("outbox", "resolve", str(tx.id), "--theirs"), "in conflict", "outbox cancel")
    sandbox.control.edit_block(number(one), title="Theirs")
    run("pull", shelf.channel.removeprefix("channel:"), "--full")
    assert run("outbox", "resolve", str(tx.id), "--theirs").code == 0
    assert (title(run, one), title(run, two)) == ("Theirs", "Mine")
    assert run("outbox", "resolve", str(tx.id), "--theirs", "--object", two).code == 0
    assert title(run, two) is None


def test_a_person_says_what_became_of_a_wish_without_an_answer(
    run: Run, shelf: Shelf, sandbox: Sandbox, home: Path
) -> None:
    made, not_made = (wish(run, "add", shelf.channel, text) for text in ("low", "other"))
    for tx in (made, not_made):
        say(home, tx, "tx.sent", request="POST /v3/blocks")
        say(home, tx, "tx.unknown", reason="which one?", found=[shelf.blocks[0], shelf.blocks[1]])
    assert standing(run, made)["waits_for"] == "you"
    shown = run("outbox").out
    assert shelf.blocks[1] in shown
    assert f"outbox resolve {made[:11]} --is OBJECT" in shown
    assert run("outbox", "resolve", made, "--is", shelf.blocks[0]).code == 0
    assert run("outbox", "resolve", not_made, "--not-done").code == 0
    assert (standing(run, made)["state"], standing(run, not_made)["state"]) == ("accepted", "committed")
    assert run("push").code == 0
    assert writes(sandbox) == ["POST /v3/blocks"]
    assert standing(run, made)["state"] == standing(run, not_made)["state"] == "settled"


def test_the_wishes_of_a_device_that_is_gone_are_taken_over(
    run: Run, shelf: Shelf, home: Path, tmp_path: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was adopted is looked for twice, a minute apart; here the minute passes at once."""
    tx = wish(run, "add", shelf.channel, "from the other device")
    device = json.loads(run("status", "--json").out)["device"]
    copy = str(tmp_path / "copy")
    shutil.copytree(home, copy)
    run("--home", copy, "pull", shelf.channel.removeprefix("channel:"))
    assert json.loads(run("--home", copy, "outbox", "--json").out)[0]["waits_for"] == f"device {device}"
    assert run("--home", copy, "push").out == "there is nothing to push\n"
    assert_refused(run("--home", copy, "outbox", "cancel", tx), device, "adopt")
    assert run("--home", copy, "outbox", "adopt", device).code == 0
    defaults = Archive.__init__.__kwdefaults__
    assert defaults is not None
    monkeypatch.setitem(defaults, "time", Hours(sandbox).time)
    assert run("--home", copy, "push").code == 0
    assert writes(sandbox) == ["POST /v3/blocks"]


def test_home_is_accepted_before_and_after_the_word_of_outbox(run: Run, shelf: Shelf, home: Path) -> None:
    tx = wish(run, "edit", shelf.blocks[0], "title=One")
    nowhere = {"VFDIR_HOME": str(home.parent / "nowhere")}
    for command in (["outbox", "--home", str(home)], ["outbox", "--home", str(home), "cancel", tx]):
        assert run(*command, **nowhere).code == 0
    assert_refused(run("outbox", "cancel", tx, "--home", str(home), **nowhere), "cancelled")


def test_sync_pulls_what_was_pulled_before_pushes_and_says_what_changed(
    run: Run, shelf: Shelf, sandbox: Sandbox
) -> None:
    wish(run, "add", shelf.channel, "mine")
    wish(run, "edit", shelf.blocks[0], "title=One")
    sandbox.control.add_block(number(shelf.channel), "theirs")
    done = run("sync", "--json")
    assert (done.code, done.err) == (0, "")
    found = json.loads(done.out)
    assert [one["new"] for one in found["pull"]["channels"]] == [1]
    assert [one["state"] for one in found["push"]["transactions"]] == ["settled", "settled"]
    assert found["changed"] == {
        "channels": {"new": 0, "changed": 1, "gone": 0},
        "blocks": {"new": 1, "changed": 2, "gone": 0},
        "connections": {"new": 1, "changed": 1, "gone": 0},
    }
    assert "nothing changed" in run("sync").out


def test_sync_says_where_a_wish_goes_out_over_something_newer(
    run: Run, shelf: Shelf, sandbox: Sandbox
) -> None:
    wish(run, "edit", shelf.channel, "title=Mine")
    sandbox.control.edit_channel(number(shelf.channel), title="Theirs")
    done = run("sync")
    assert done.code == 0
    assert "Theirs" in done.out
    assert "goes out all the same" in done.out
    assert run("conflicts").out == "no conflicts\n"


def test_sync_without_a_channel_still_pushes(run: Run, sandbox: Sandbox) -> None:
    tx = wish(run, "add-channel", "The first")
    done = run("sync")
    assert (done.code, done.err) == (0, "")
    assert "vfdir-lab pull CHANNEL" in done.out
    assert standing(run, tx)["state"] == "settled"


def test_what_has_ended_long_ago_is_left_out_and_it_is_said(run: Run, shelf: Shelf, home: Path) -> None:
    with Archive(home) as archive:
        for n in range(12):
            with archive.transaction(f"edit {n}") as tx:
                tx.edit(shelf.blocks[0], title=str(n))
            archive.outbox.cancel(str(tx.id))
    wish(run, "edit", shelf.blocks[1], "title=open")
    said = run("outbox").out
    assert "edit 11" in said
    assert "edit 1 " not in said
    assert "2 older" in said
    assert said.splitlines()[1].split()[-1] == "push"
    assert len(json.loads(run("outbox", "--json").out)) == 13


def test_an_interrupted_push_goes_on_and_sends_nothing_twice(
    run: Run, shelf: Shelf, sandbox: Sandbox, settings: dict[str, str]
) -> None:
    """The interrupt comes while are.na has the request, and made the block, and has not answered."""
    wish(run, "add", shelf.channel, "once")
    sandbox.control.arm("slow", match="POST /v3/blocks", seconds=5, when="after")
    child = subprocess.Popen(
        [sys.executable, "-m", "vfdir_lab.cli", "push"],
        env=os.environ | settings,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    )
    until = time.monotonic() + 60
    while len(sandbox.control.snapshot(number(shelf.channel))) < 4 and time.monotonic() < until:
        time.sleep(0.05)
    child.send_signal(signal.SIGINT)
    _, err = child.communicate(timeout=60)
    assert child.returncode == 130, err
    assert b"Traceback" not in err
    assert run("push").code == 0
    assert len(sandbox.control.snapshot(number(shelf.channel))) == 4
    assert run("verify").code == 0


def test_an_are_na_that_is_away_loses_nothing(run: Run, shelf: Shelf) -> None:
    tx = wish(run, "edit", shelf.blocks[0], "title=One")
    away = run("push", ARENA_API_URL="http://127.0.0.1:9")
    assert away.code == 3
    assert "127.0.0.1:9" in away.err
    assert standing(run, tx)["waits_for"] == "push"
    assert run("push").code == 0


@pytest.mark.parametrize("command", [["push"], ["push", "--dry-run"], ["sync"], ["outbox"], ["conflicts"],
                                     ["outbox", "cancel", "tx:1"], ["outbox", "adopt", "x"]])  # fmt: skip
def test_nothing_of_this_makes_an_archive(run: Run, home: Path, command: list[str]) -> None:
    assert_refused(run(*command), "no archive")
    assert not home.exists()


BAD: list[tuple[list[str], str]] = [
    (["push", "--budget", "0"], "budget"),
    (["outbox", "cancel", "tx:ffff"], "tx:ffff"),
    (["outbox", "cancel", ""], "no transaction"),
    (["outbox", "cancel", "tx:"], "no transaction"),
    (["outbox", "cancel", "' OR 1=1 --"], "no transaction"),
    (["outbox", "retry", "{tx}"], "committed"),
    (["outbox", "resolve", "{tx}"], "--mine"),
    (["outbox", "resolve", "{tx}", "--mine", "--theirs"], "--mine"),
    (["outbox", "resolve", "{tx}", "--mine", "--object", "block:1"], "--object"),
    (["outbox", "resolve", "{tx}", "--theirs", "--object", "block:1"], "block:1"),
    (["outbox", "resolve", "{tx}", "--not-done"], "committed"),
    (["outbox", "resolve", "{tx}", "--is", "block"], "block"),
    (["outbox", "resolve", "{tx}", "--is", "block:~a.1"], "block:~a.1"),
    (["outbox", "resolve", "{tx}", "--is", "block:1"], "0 wishes"),
    (["outbox", "adopt", "nobody"], "nobody"),
    (["outbox", "adopt", "{device}"], "this device"),
]


def test_what_makes_no_sense_is_one_line_and_records_nothing(
    run: Run, shelf: Shelf, home: Path, subtests: pytest.Subtests
) -> None:
    names = {"tx": wish(run, "edit", shelf.blocks[0], "title=One"), "device": Archive(home).log.device()}
    before = Archive(home).head
    for command, word in BAD:
        with subtests.test(" ".join(command)):
            assert_refused(run(*(one.format(**names) for one in command)), word)
            assert Archive(home).head == before


def test_the_token_is_nowhere(run: Run, shelf: Shelf, sandbox: Sandbox, home: Path, state_home: Path) -> None:
    wish(run, "add", shelf.channel, "mine")
    done = run("sync")
    token = sandbox.tokens.write.encode()
    assert token.decode() not in done.out + done.err
    for folder in (home, state_home):
        for path in folder.rglob("*"):
            assert not path.is_file() or token not in path.read_bytes()
