"""`auth`: a token in the machine's keyring, looked at without ever being shown."""

from __future__ import annotations

import getpass
import os
import sys

import typer

from vfdir_lab.archive import DEFAULT_API_URL, Archive
from vfdir_lab.arena import Account, ArenaClient
from vfdir_lab.arena.keyring import forget_token, keep_token, kept_token
from vfdir_lab.cli.options import AsJson, Home, home_of
from vfdir_lab.cli.screen import complain, say, say_json
from vfdir_lab.errors import ArchiveNotFoundError, UsageError

VARIABLE = "ARENA_TOKEN"
_FIRST = f"{VARIABLE} is set, and goes before the keyring"


def add_to(app: typer.Typer) -> None:
    """Add this group's commands."""
    group = typer.Typer(help="Your are.na token, in this machine's keyring.", no_args_is_help=True)
    group.command("login")(login)
    group.command("status")(status)
    group.command("logout")(logout)
    app.add_typer(group, name="auth")


def login() -> None:
    """Keep a personal token in this machine's keyring; it is asked for, or read from standard input.

    are.na makes one at https://www.are.na/settings/personal-access-tokens.
    """
    address = _address()
    token = _asked_for()
    account = _whose(token, address)
    keep_token(address, token)
    say(f"{_named(account)}; the token is in this machine's keyring, for {address}")
    if VARIABLE in os.environ:
        complain(_FIRST)


def status(home: Home = None, as_json: AsJson = False) -> None:
    """Say whose token is used and whether it was ever seen to write; asks are.na."""
    address = _address()
    is_given = VARIABLE in os.environ
    token = os.environ[VARIABLE] if is_given else kept_token(address)
    account = _whose(token, address) if token else None
    writes = token != "" and _is_proven(home)
    source = (VARIABLE if is_given else "keyring") if token else "none"
    if as_json:
        told = {"slug": account.slug, "name": account.name, "tier": account.tier} if account else {}
        say_json({"are_na": address, "account": told or None, "token": source, "writes": writes or None})
        return
    say(f"are.na   {address}")
    say(f"account  {_named(account) if account else 'guest: only what is public is seen'}")
    say(f"token    {_SOURCES[source]}")
    if token:
        say(f"writes   {'yes: are.na accepted one' if writes else 'unknown: the first push proves it'}")


def logout() -> None:
    """Take the token out of this machine's keyring. are.na is not asked: revoke it there, too."""
    address = _address()
    if forget_token(address):
        say(f"the token for {address} is no longer in this machine's keyring")
    else:
        say(f"there was no token for {address} in this machine's keyring")
    if VARIABLE in os.environ:
        complain(_FIRST)


_SOURCES = {
    VARIABLE: f"from {VARIABLE}",
    "keyring": "from this machine's keyring",
    "none": "none: `vfdir-lab auth login`, or set ARENA_TOKEN",
}


def _address() -> str:
    return os.environ.get("ARENA_API_URL") or DEFAULT_API_URL


def _asked_for() -> str:
    """The token that a person types unseen, or the first line of what is piped in.

    Raises:
        UsageError: there is none.
    """
    if sys.stdin.isatty():
        token = getpass.getpass("are.na token (it is not shown): ").strip()
    else:
        token = sys.stdin.readline().strip()
    if not token:
        raise UsageError("no token was given; nothing was changed")
    return token


def _whose(token: str, address: str) -> Account:
    with ArenaClient(token, address) as client:
        return client.account()


def _named(account: Account) -> str:
    """An account in words: its name, slug and tier as far as are.na says."""
    slug = f" ({account.slug})" if account.slug else ""
    return f"{account.name or account.key}{slug}, {account.tier or 'tier not told'}"


def _is_proven(home: Home) -> bool:
    """Whether a push from the archive at hand was ever accepted with this token."""
    try:
        return Archive(home_of(home)).may_write
    except ArchiveNotFoundError:
        return False
