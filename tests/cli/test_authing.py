"""`auth`: a token goes into the keyring and never onto a screen."""

import io
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends.fail import Keyring as NoKeyring
from keyring.errors import KeyringLocked, PasswordDeleteError
from ran import Ran

from vfdir_lab.archive import Archive
from vfdir_lab.arena.keyring import SERVICE, kept_token
from vfdir_lab.errors import KeyringRefusedError
from vfdir_lab.sandbox import Sandbox

Run = Callable[..., Ran]


class MemoryKeyring(KeyringBackend):
    """A keyring that lives as long as a test."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if self.kept.pop((service, username), None) is None:
            raise PasswordDeleteError("not found")


class LockedKeyring(MemoryKeyring):
    """A keyring that is there and lets nobody in; what it raises repeats what it was given."""

    def get_password(self, service: str, username: str) -> str | None:
        raise KeyringLocked("locked")

    def set_password(self, service: str, username: str, password: str) -> None:
        raise KeyringLocked(f"locked, so {password} was not stored")


def use(backend: KeyringBackend) -> Iterator[KeyringBackend]:
    before = keyring.get_keyring()
    keyring.set_keyring(backend)
    yield backend
    keyring.set_keyring(before)


@pytest.fixture
def ring() -> Iterator[MemoryKeyring]:
    yield from use(MemoryKeyring())  # type: ignore[misc]


@pytest.fixture
def locked() -> Iterator[KeyringBackend]:
    yield from use(LockedKeyring())


@pytest.fixture
def without() -> Iterator[KeyringBackend]:
    yield from use(NoKeyring())


@pytest.fixture
def settings(settings: dict[str, str]) -> dict[str, str]:
    """A person who has set no token."""
    return {name: value for name, value in settings.items() if name != "ARENA_TOKEN"}


@pytest.fixture
def login(run: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`login(token)`: pipes it in."""

    def piped(token: str, **others: str) -> Ran:
        monkeypatch.setattr(sys, "stdin", io.StringIO(token + "\n"))
        return run("auth", "login", **others)

    return piped


def test_login_keeps_a_token_that_are_na_knows(login: Run, ring: MemoryKeyring, sandbox: Sandbox) -> None:
    ran = login(sandbox.tokens.read)
    assert ran.code == 0
    assert "ines-havel" in ran.out
    assert ring.kept == {(SERVICE, sandbox.url): sandbox.tokens.read}
    assert sandbox.tokens.read not in ran.out + ran.err


def test_a_token_that_are_na_does_not_know_is_not_kept(login: Run, ring: MemoryKeyring) -> None:
    wrong = "a-token-that-nobody-has"
    ran = login(wrong)
    assert (ran.code, ran.out, ring.kept) == (1, "", {})
    assert ran.err.count("\n") == 1
    assert wrong not in ran.err


@pytest.mark.parametrize("line", ["", "   "])
def test_no_token_is_a_line(login: Run, ring: MemoryKeyring, line: str) -> None:
    ran = login(line)
    assert (ran.code, ring.kept) == (1, {})
    assert "no token was given" in ran.err


def test_a_person_types_it_unseen(
    run: Run, ring: MemoryKeyring, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr("getpass.getpass", lambda prompt: sandbox.tokens.write)
    assert run("auth", "login").code == 0
    assert ring.kept == {(SERVICE, sandbox.url): sandbox.tokens.write}


def test_what_is_kept_is_used_where_no_token_is_set(
    login: Run, run: Run, ring: MemoryKeyring, sandbox: Sandbox
) -> None:
    login(sandbox.tokens.write)
    assert run("pull", "tides").code == 0
    assert run("edit", "block:40000006", "title=Low water").code == 0
    ran = run("push")
    assert ran.code == 0, ran.err
    assert sandbox.world.blocks[40000006].title == "Low water"


def test_the_environment_goes_before_the_keyring_even_when_it_says_guest(
    login: Run, run: Run, ring: MemoryKeyring, sandbox: Sandbox
) -> None:
    login(sandbox.tokens.write)
    assert "from this machine's keyring" in run("auth", "status").out
    assert "from ARENA_TOKEN" in run("auth", "status", ARENA_TOKEN=sandbox.tokens.other).out
    assert "guest" in run("auth", "status", ARENA_TOKEN="").out


def test_status_says_whether_the_token_was_seen_to_write(
    login: Run, run: Run, ring: MemoryKeyring, sandbox: Sandbox
) -> None:
    login(sandbox.tokens.write)
    assert "unknown" in run("auth", "status").out
    run("pull", "tides")
    run("edit", "block:40000006", "title=High water")
    assert "unknown" in run("auth", "status").out
    run("push")
    ran = run("auth", "status", "--json")
    told = json.loads(ran.out)
    assert told["writes"] is True
    assert told["account"]["tier"] == "premium"
    assert sandbox.tokens.write not in ran.out
    assert json.loads(run("auth", "status", "--json", ARENA_TOKEN=sandbox.tokens.other).out)["writes"] is None


def test_status_of_a_guest_asks_nothing(run: Run, ring: MemoryKeyring, sandbox: Sandbox) -> None:
    sandbox.control.clear_requests()
    ran = run("auth", "status", "--json")
    assert json.loads(ran.out) == {"are_na": sandbox.url, "account": None, "token": "none", "writes": None}
    assert sandbox.control.requests() == []


def test_logout_takes_it_away(login: Run, run: Run, ring: MemoryKeyring, sandbox: Sandbox) -> None:
    login(sandbox.tokens.read)
    assert "no longer" in run("auth", "logout").out
    assert ring.kept == {}
    assert "there was no token" in run("auth", "logout").out


def test_a_token_is_used_at_its_own_address_only(ring: MemoryKeyring) -> None:
    ring.set_password(SERVICE, "https://api.are.na", "kept-for-are-na")
    assert kept_token("https://api.are.na/") == "kept-for-are-na"
    assert kept_token("http://127.0.0.1:9") == ""


def test_without_a_keyring_everybody_is_a_guest(run: Run, without: KeyringBackend) -> None:
    assert run("pull", "tides").code == 0
    assert "guest" in run("auth", "status").out
    assert run("auth", "logout").code == 0


def test_without_a_keyring_a_token_cannot_be_kept(
    login: Run, without: KeyringBackend, sandbox: Sandbox
) -> None:
    ran = login(sandbox.tokens.read)
    assert ran.code == 1
    assert "set ARENA_TOKEN instead" in ran.err


def test_a_locked_keyring_makes_nobody_a_guest_unawares(run: Run, locked: KeyringBackend) -> None:
    ran = run("pull", "tides")
    assert ran.code == 1
    assert "unlock it" in ran.err
    assert run("pull", "tides", ARENA_TOKEN="").code == 0


def test_a_keyring_that_repeats_the_token_is_not_quoted(
    login: Run, locked: KeyringBackend, sandbox: Sandbox
) -> None:
    ran = login(sandbox.tokens.read)
    assert ran.code == 1
    assert "keyring refuses" in ran.err
    assert sandbox.tokens.read not in ran.err


def test_what_a_keyring_raised_is_no_part_of_our_error(locked: KeyringBackend) -> None:
    """A crash report walks the causes of an error; the token must not be among them."""
    from vfdir_lab.arena.keyring import keep_token

    with pytest.raises(KeyringRefusedError) as caught:
        keep_token("http://127.0.0.1:9", "a-token-of-some-length")
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_opening_and_reading_an_archive_ask_no_keyring(tmp_path: Path, locked: KeyringBackend) -> None:
    assert "ARENA_TOKEN" not in os.environ
    archive = Archive(tmp_path / "archive", create=True)
    assert archive.sql("SELECT count(*) FROM blocks").fetchall() == [(0,)]
    assert archive.status().blocks == 0
