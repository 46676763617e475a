"""Each method asks exactly one address, with the parameters are.na documents."""

from __future__ import annotations

import re

import pytest

from vfdir_lab.errors import ArenaServerError, UsageError

LISTING = {"data": [{"id": 1, "strange": {"key": []}}], "meta": {"total_count": 1}}


@pytest.mark.parametrize(
    ("ask", "target"),
    [
        (lambda c: c.channel("my-channel"), "/v3/channels/my-channel"),
        (lambda c: c.channel(12), "/v3/channels/12"),
        (lambda c: c.channel("日本"), "/v3/channels/%E6%97%A5%E6%9C%AC"),
        (lambda c: c.block(7), "/v3/blocks/7"),
        (lambda c: c.connection(10**30), f"/v3/connections/{10**30}"),
        (
            lambda c: c.contents(3, page=2, sort="position_asc"),
            "/v3/channels/3/contents?page=2&per=100&sort=position_asc",
        ),
        (
            lambda c: c.contents(3, page=1, sort="created_at_desc", per=5),
            "/v3/channels/3/contents?page=1&per=5&sort=created_at_desc",
        ),
        (lambda c: c.comments(3, page=1), "/v3/blocks/3/comments?page=1&per=100&sort=created_at_asc"),
        (
            lambda c: c.user_channels(9, page=4),
            "/v3/users/9/contents?page=4&per=100&type=Channel&sort=created_at_asc",
        ),
    ],
)
def test_a_method_asks_its_address_and_nothing_else(server, client, ask, target):
    server.always(server.json(LISTING))
    ask(client)
    assert [(heard.method, heard.target) for heard in server.heard] == [("GET", target)]
    assert client.requests == 1


def test_a_request_says_who_asks_and_how_to_reach_them(server, client):
    server.always(server.json({}))
    client.block(1)
    headers = server.heard[0].headers
    assert re.fullmatch(r"vfdir_lab/[\w.]+ \(\+https://\S+\)", headers["user-agent"])
    assert headers["accept"] == "application/json"


def test_a_guest_sends_no_authorization_and_a_member_sends_the_token(server, connect, token):
    server.always(server.json({}))
    connect().block(1)
    connect(token).block(1)
    assert [heard.headers.get("authorization") for heard in server.heard] == [None, f"Bearer {token}"]


def test_unknown_keys_and_types_come_through_untouched(server, client):
    block = {"id": 1, "type": "Hologram", "new": {"deep": [1, 2.5, None, "é"]}, "big": 10**400}
    server.say(server.json(block))
    assert client.block(1) == block


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a/b", "a b", "a?b", "a#b", "a%2fb", "a\nb", "a\\b", "\x7f", "\u202e"]
)
def test_a_name_that_could_only_be_404_is_refused_before_asking(server, client, name):
    with pytest.raises(UsageError, match="is not a channel"):
        client.channel(name)
    assert server.heard == []


@pytest.mark.parametrize("number", [0, -1, True, 1.5, "7", None])
def test_a_number_that_are_na_never_gives_is_refused_before_asking(server, client, number):
    with pytest.raises(UsageError, match="counts from 1"):
        client.block(number)
    assert server.heard == []


@pytest.mark.parametrize(
    "options", [{"sort": "position"}, {"page": 0}, {"page": True}, {"per": 0}, {"per": 101}, {"per": True}]
)
def test_parameters_that_are_na_would_refuse_are_refused_before_asking(server, client, options):
    with pytest.raises(UsageError):
        client.contents(1, **{"page": 1, "sort": "position_asc", **options})
    assert server.heard == []


def test_a_closed_client_says_so(server, client):
    client.close()
    with pytest.raises(UsageError, match="closed"):
        client.block(1)


def test_a_client_is_a_context_that_hangs_up(server, connect):
    server.always(server.json({}))
    with connect() as client:
        client.block(1)
    with pytest.raises(UsageError):
        client.block(1)


@pytest.mark.parametrize(
    "options",
    [{"attempts": 0}, {"timeout_seconds": 0}, {"pause_seconds": -1}, {"pause_seconds": float("nan")}],
)
def test_settings_that_make_no_sense_are_refused(connect, options):
    with pytest.raises(UsageError):
        connect(**options)


def test_one_connection_serves_many_questions(server, client):
    server.always(server.json({}))
    for number in range(1, 6):
        client.block(number)
    assert (server.connections, client.requests) == (1, 5)


def test_a_question_is_answered_whatever_content_type_is_claimed(server, client):
    server.say(server.bytes(b'{"id": 1}', 200, "text/plain"))
    assert client.block(1) == {"id": 1}


def test_json_that_is_no_object_is_not_are_nas(server, connect):
    server.always(server.json([1, 2]))
    with pytest.raises(ArenaServerError, match="not an object"):
        connect(attempts=1).block(1)
