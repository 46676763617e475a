"""Whatever is wrong, a person gets one clear line and the right exit code, and the log is as it was."""

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ran import Ran

from vfdir_lab.sandbox import Sandbox

Run = Callable[..., Ran]


@pytest.fixture(autouse=True)
def nothing_armed(sandbox: Sandbox) -> Iterator[None]:
    yield
    sandbox.control.disarm()


def assert_one_line(ran: Ran, code: int, *words: str) -> None:
    assert ran.code == code, ran
    lines = ran.err.strip().splitlines()
    assert len(lines) == 1, ran.err
    assert lines[0].startswith("vfdir-lab: ")
    assert "Traceback" not in ran.err
    for word in words:
        assert word in lines[0]


@pytest.mark.parametrize("name", ["no-such-channel", "999999999"])
def test_an_unknown_channel(run: Run, name: str) -> None:
    assert_one_line(run("pull", name), 1, name)


@pytest.mark.parametrize(
    "name", ["a/b/c", "two words", "../../etc/passwd", "a\nb", "", "https://example.org/x"]
)
def test_a_name_that_is_none(run: Run, home: Path, name: str) -> None:
    assert_one_line(run("pull", name), 1, "channel")
    assert not home.exists()


def test_no_name_at_all(run: Run) -> None:
    assert_one_line(run("pull"), 1, "--mine")


def test_a_wrong_token(run: Run) -> None:
    assert_one_line(run("pull", "tides", ARENA_TOKEN="not-a-token"), 1, "token", "ARENA_TOKEN")


def test_mine_without_a_token(run: Run) -> None:
    assert_one_line(run("pull", "--mine", ARENA_TOKEN=""), 1, "ARENA_TOKEN")


def test_an_address_that_is_none(run: Run) -> None:
    assert_one_line(run("pull", "tides", ARENA_API_URL="tides"), 1, "ARENA_API_URL")


FAULTS: list[tuple[str, dict[str, object], int, str]] = [
    ("gateway_html", {"status": 200}, 1, "are.na"),
    ("gateway_html", {"status": 404}, 1, "are.na"),
    ("truncate", {"mode": "json"}, 1, "are.na"),
    ("truncate", {"mode": "cut"}, 1, "cut off"),
    ("fail_before", {}, 1, "500"),
    ("too_many", {"retry_after": 600}, 3, "600 seconds"),
    ("redirect", {}, 1, "redirect"),
    ("forbidden", {}, 1, "may not"),
    ("endless_pages", {"mode": "invent"}, 1, "without end"),
    ("garbage_count", {"total_count": 12345}, 3, "12345"),
    ("torn_page", {"missing": 2}, 3, "did not agree"),
]


@pytest.mark.parametrize(("fault", "options", "code", "word"), FAULTS, ids=lambda value: str(value)[:24])
def test_an_are_na_that_misbehaves(
    run: Run, sandbox: Sandbox, fault: str, options: dict[str, object], code: int, word: str
) -> None:
    assert run("pull", "an-empty-room").code == 0
    sandbox.control.arm(fault, match="GET .*/contents", times=None, **options)
    ran = run("pull", "tides")
    assert ran.code == code, ran
    assert word in ran.err
    assert len(ran.err.strip().splitlines()) == 1
    assert "Traceback" not in ran.err
    assert run("verify").code == 0
    sandbox.control.disarm()
    # What a list invented is asked about, and where it is much, a second reading has to agree.
    assert 0 in {run("pull", "tides").code for _ in range(2)}


def test_no_network(run: Run) -> None:
    ran = run("pull", "tides", ARENA_API_URL="http://127.0.0.1:9")
    assert_one_line(ran, 1, "127.0.0.1:9")


def test_a_clock_that_is_wrong(run: Run, sandbox: Sandbox) -> None:
    sandbox.control.set_clock_offset(3600)
    try:
        assert_one_line(run("pull", "tides"), 1, "clock")
    finally:
        sandbox.control.set_clock_offset(0)


@pytest.mark.parametrize("command", [["status"], ["sql", "SELECT 1"], ["log"], ["verify"],
                                     ["export", "tides", "--format", "json", "--out", "x"]])  # fmt: skip
def test_a_home_that_is_no_archive(run: Run, tmp_path: Path, command: list[str]) -> None:
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "dear.txt").write_text("dear")
    for place in (tmp_path / "letters", tmp_path / "letters" / "dear.txt", tmp_path / "nowhere"):
        assert_one_line(run("--home", str(place), *command), 1, "no archive", str(place))


def test_a_pull_into_a_folder_of_other_things(run: Run, tmp_path: Path) -> None:
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "dear.txt").write_text("dear")
    assert_one_line(run("--home", str(tmp_path / "letters"), "pull", "tides"), 1, "letters")
    assert [path.name for path in (tmp_path / "letters").iterdir()] == ["dear.txt"]


def test_a_place_that_cannot_be_written(run: Run) -> None:
    assert_one_line(run("--home", "/proc/archive", "pull", "tides"), 1, "/proc/archive")


@pytest.mark.parametrize("text", ["", "format = 7\nid = 'x'\n", "format = ", "format = 1\n", "\x00"])
def test_a_manifest_that_is_broken(run: Run, home: Path, text: str) -> None:
    run("pull", "an-empty-room")
    (home / "archive.toml").write_text(text)
    for command in (["status"], ["pull", "tides"]):
        assert_one_line(run(*command), 1, "archive")


@pytest.mark.parametrize(
    "query",
    [
        "SELEC 1",
        "SELECT nope FROM blocks",
        "SELECT * FROM nowhere",
        "SELECT 1; SELECT 2",
        "",
        "DROP VIEW events",
        "COPY (SELECT 1) TO 'x.csv'",
        "WITH x AS (COPY (SELECT 1) TO 'x.csv') SELECT 1",
        "SELECT * FROM read_text('/etc/hostname')",
        "ATTACH 'x.db'",
        "SET threads = 1",
        "INSTALL httpfs",
        "SELECT CAST('x' AS INTEGER)",
        "SELECT error('stop')",
    ],
)
def test_sql_that_is_wrong_or_would_write(run: Run, home: Path, query: str) -> None:
    run("pull", "an-empty-room")
    ran = run("sql", query)
    assert ran.code == 1
    assert ran.err.startswith("vfdir-lab: ")
    assert "Traceback" not in ran.err
    assert not list(home.parent.rglob("x.csv"))


@pytest.mark.parametrize("moment", ["yesterday", "2026-13-01", "abcd", "abcdef:12", ""])
def test_a_moment_that_is_none(run: Run, moment: str) -> None:
    run("pull", "an-empty-room")
    ran = run("sql", "SELECT 1", "--as-of", moment)
    assert_one_line(ran, 1)


def test_a_full_disk_during_a_pull(run: Run, run_process: Run) -> None:
    """The disk refuses anything above 2 KiB: small notes can be written, a page of items cannot."""
    run("pull", "an-empty-room")

    def small_files_only() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (2048, 2048))

    assert_one_line(run_process("pull", "tides", preexec=small_files_only), 1, "could not be written")
    assert run("verify").code == 0
    assert run("pull", "tides").code == 0


def test_an_interrupt_ends_quietly_and_the_next_pull_goes_on(run: Run, sandbox: Sandbox, home: Path) -> None:
    run("pull", "an-empty-room")
    sandbox.control.arm("slow", match="GET .*/contents", times=None, seconds=5)
    sandbox.control.clear_requests()
    environment = os.environ | {
        "ARENA_API_URL": sandbox.url,
        "ARENA_TOKEN": sandbox.tokens.read,
        "VFDIR_HOME": str(home),
    }
    child = subprocess.Popen(
        [sys.executable, "-m", "vfdir_lab.cli", "pull", "tides"],
        env=environment,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    )
    until = time.monotonic() + 30
    while not sandbox.control.requests() and time.monotonic() < until:
        time.sleep(0.1)
    child.send_signal(signal.SIGINT)
    _, err = child.communicate(timeout=20)
    assert child.returncode == 130
    assert err.decode().strip().splitlines() == [
        "vfdir-lab: interrupted; what was recorded is kept, run it again to go on"
    ]
    sandbox.control.disarm()
    assert run("verify").code == 0
    assert run("pull", "tides").code == 0


@pytest.mark.parametrize(
    "arguments", [["pul"], ["pull", "--depth", "x"], ["sql"], ["export", "tides"], ["log", "--limit", "0"]]
)
def test_wrong_usage_is_exit_code_two(run: Run, arguments: list[str]) -> None:
    ran = run(*arguments)
    assert ran.code == 2
    assert "Traceback" not in ran.err


def test_a_hostile_title_does_not_steer_the_terminal(run: Run, sandbox: Sandbox) -> None:
    made = sandbox.control.add_channel("Bell \x07 red \x1b[31m and \u202eback", by=sandbox.world.main)
    ran = run("pull", str(made["id"]))
    assert ran.code == 0
    assert not {"\x1b", "\x07", "\u202e"} & set(ran.out + ran.err)


def test_an_export_that_may_not_be(run: Run, sandbox: Sandbox, tmp_path: Path) -> None:
    secret = str(sandbox.control.add_channel("Mine alone", visibility="private", by=sandbox.world.main)["id"])
    run("pull", "tides", secret)
    (tmp_path / "there").mkdir()
    out = ["--format", "json", "--out"]
    assert_one_line(run("export", secret, *out, str(tmp_path / "s")), 1, "--private")
    assert_one_line(run("export", "tides", *out, str(tmp_path / "there")), 1, "there already")
    assert_one_line(run("export", "nothing", *out, str(tmp_path / "n")), 1, "nothing")
    assert_one_line(run("export", "tides", "--format", "papyrus", "--out", str(tmp_path / "p")), 1, "papyrus")
    assert_one_line(run("export", "tides", *out, "/proc/x"), 1, "/proc/x")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["archive", "there"]
    assert run("export", secret, *out, str(tmp_path / "s"), "--private").code == 0
