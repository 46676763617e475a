"""Whom the token belongs to."""

from __future__ import annotations

import pytest

from vfdir_lab.arena import GUEST, Account
from vfdir_lab.errors import ArenaServerError

ME = {"id": 9, "slug": "ada", "name": "Ada", "tier": "premium", "email": "ada@example.com"}


def test_the_account_is_asked_once(server, connect, token):
    server.say(server.json(ME))
    client = connect(token)
    expected = Account(id=9, slug="ada", name="Ada", tier="premium")
    assert (client.account(), client.account(), client.account().key) == (expected, expected, "user:9")
    assert server.targets == ["/v3/me"]


def test_a_guest_is_known_without_asking(client):
    assert client.account() == GUEST
    assert (GUEST.key, client.requests) == ("guest", 0)


def test_an_account_known_from_before_is_not_asked(connect, token):
    known = Account(id=3, slug="a", name="A", tier=None)
    client = connect(token, account=known)
    assert (client.account(), client.requests) == (known, 0)


def test_keys_missing_from_the_account_are_tolerated(server, connect, token):
    server.say(server.json({"id": 9, "name": None, "tier": 3}))
    assert connect(token).account() == Account(id=9, slug="", name="", tier=None)


@pytest.mark.parametrize("number", [None, True, 0, -1, "9", 9.0])
def test_an_account_without_a_number_is_nobody(server, connect, token, number):
    server.say(server.json({**ME, "id": number}))
    with pytest.raises(ArenaServerError, match="an account that has no `id`"):
        connect(token).account()
