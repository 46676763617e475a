"""Every way in which are.na, a gateway or the network can refuse, over real sockets."""

from __future__ import annotations

import socket
from itertools import pairwise

import pytest

from vfdir_lab.errors import (
    ArenaApiError,
    ArenaAuthError,
    ArenaForbiddenError,
    ArenaNetworkError,
    ArenaNotFoundError,
    ArenaRateLimitError,
    ArenaServerError,
    ArenaValidationError,
)

REFUSALS = [
    (400, ArenaValidationError),
    (401, ArenaAuthError),
    (403, ArenaForbiddenError),
    (404, ArenaNotFoundError),
    (409, ArenaApiError),
    (410, ArenaApiError),
    (422, ArenaValidationError),
]


@pytest.mark.parametrize(("status", "kind"), REFUSALS)
def test_are_nas_refusal_is_typed_once_and_says_what_and_why(server, client, status, kind):
    server.always(server.error(status, "The resource you are looking for does not exist."))
    with pytest.raises(ArenaApiError) as caught:
        client.channel("my-channel")
    error = caught.value
    assert type(error) is kind
    assert (error.status, error.path, error.is_retryable) == (status, "/v3/channels/my-channel", False)
    assert "GET /v3/channels/my-channel" in str(error)
    assert 'are.na says: "The resource you are looking for does not exist."' in str(error)
    assert "\n" not in str(error)
    assert client.requests == 1


def test_a_refused_token_and_a_missing_one_are_told_apart(server, connect, token):
    server.always(server.error(401))
    with pytest.raises(ArenaAuthError, match=r"refused the token \(GET /v3/me\): check ARENA_TOKEN"):
        connect(token).account()
    with pytest.raises(
        ArenaAuthError,
        match=r"wants a token for this \(GET /v3/blocks/1\): .vfdir-lab auth login., or set ARENA_TOKEN",
    ):
        connect().block(1)


@pytest.mark.parametrize("status", [200, 201, 400, 401, 403, 404, 408, 422, 429, 500, 502, 503, 504, 520])
def test_a_gateways_page_is_never_taken_for_are_nas_word(server, connect, clock, status):
    server.always(server.html(status))
    with pytest.raises(ArenaServerError) as caught:
        connect().block(1)
    assert caught.value.status == status
    assert len(server.heard) == 5


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"null",
        b"[]",
        b'{"error": "Not Found"}',
        b'{"error": "Not Found", "code": "404"}',
        b'{"error": "Not Found", "code": true}',
        b'{"error": "Not Found", "code": 500}',
        b'{"error": {}, "code": 404}',
        b'{"error": "Not Found", "code": 404',
        b"[" * 200_000,
    ],
)
def test_a_404_without_are_nas_own_body_does_not_mean_gone(server, connect, body):
    server.always(server.bytes(body, 404))
    with pytest.raises(ArenaServerError):
        connect(attempts=2).block(1)
    assert len(server.heard) == 2


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
def test_are_nas_own_trouble_is_tried_five_times(server, client, status):
    server.always(server.error(status, "Sorry"))
    with pytest.raises(ArenaServerError, match=f"answered {status} to GET /v3/blocks/1.*Sorry"):
        client.block(1)
    assert client.requests == 5


@pytest.mark.parametrize("fault", ["drop", "half a head", "half a body", "half a chunk", "no http", "reset"])
def test_a_broken_connection_is_tried_again_and_then_named(server, connect, fault):
    faults = {
        "drop": server.drop(),
        "half a head": server.raw(b"HTTP/1.1 200 OK\r\nContent-Le"),
        "half a body": server.raw(b'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"id": 1}'),
        "half a chunk": server.raw(
            b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{"id": 1}\r\n'
        ),
        "no http": server.raw(b"SSH-2.0-OpenSSH_9.6\r\n"),
        "reset": server.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nContent-Length: 10\r\n\r\n"),
    }
    server.say(faults[fault], faults[fault], server.json({"id": 1}))
    client = connect()
    assert client.block(1) == {"id": 1}
    assert client.requests == 3
    server.always(faults[fault])
    with pytest.raises(ArenaNetworkError, match=r"GET /v3/blocks/2\).*again") as caught:
        client.block(2)
    assert caught.value.is_retryable
    assert client.requests == 8


def test_a_body_that_ends_early_without_saying_its_length_is_tried_again(server, client):
    server.say(server.raw(b'HTTP/1.1 200 OK\r\n\r\n{"id": 1, "title": "Hal'), server.json({"id": 1}))
    assert client.block(1) == {"id": 1}
    assert client.requests == 2


def test_nobody_listening_is_told_plainly(connect):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    client = connect(base_url=f"http://127.0.0.1:{port}")
    with pytest.raises(ArenaNetworkError, match=rf"no connection to http://127.0.0.1:{port} .*network up"):
        client.block(1)
    assert client.requests == 5


def test_a_name_that_cannot_be_looked_up_is_told_plainly(connect):
    client = connect(base_url="http://" + "a" * 70 + ".invalid", attempts=1)
    with pytest.raises(ArenaNetworkError, match="no connection to"):
        client.block(1)


def test_backing_off_doubles_with_jitter_and_says_why(server, connect, clock):
    waits = []
    server.say(server.html(502), server.drop(), server.error(503), server.json([]), server.json({"id": 1}))
    assert connect(on_wait=waits.append, rng=lambda: 1.0).block(1) == {"id": 1}
    assert clock.slept == [0.5, 1.0, 2.0, 4.0]
    assert [(wait.seconds, wait.reason) for wait in waits] == [
        (0.5, "are.na answered 502, trying again (2 of 5)"),
        (1.0, "no answer, trying again (3 of 5)"),
        (2.0, "are.na answered 503, trying again (4 of 5)"),
        (4.0, "an answer that makes no sense, trying again (5 of 5)"),
    ]


def test_jitter_halves_a_wait_at_most(server, connect, clock):
    server.always(server.html(502))
    client = connect(rng=lambda: 0.0, attempts=9)
    with pytest.raises(ArenaServerError):
        client.block(1)
    assert clock.slept == [0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 15.0]
    assert all(later >= earlier for earlier, later in pairwise(clock.slept))
    assert client.waited_seconds == sum(clock.slept)


def test_a_pause_that_are_na_asks_for_is_kept(server, connect, clock):
    waits = []
    server.say(server.too_many(Retry_After="7"), server.json({"id": 1}))
    assert connect(on_wait=waits.append).block(1) == {"id": 1}
    assert clock.slept == [7.0]
    assert waits[0].reason == "are.na asks for a pause, trying again (2 of 5)"


@pytest.mark.parametrize(
    ("header", "in_body", "seconds"),
    [
        (None, 9, 9),
        (None, None, 60),
        (None, True, 60),
        (None, -3, 60),
        ("soon", 9, 9),
        ("0", 9, 0),
        ("Mon, 09 Mar 2026 22:00:30 GMT", 9, 30),
        ("Mon, 09 Mar 2026 21:00:00 -0000", 9, 0),
        ("-5", "x", 60),
    ],
)
def test_a_pause_is_read_from_header_then_body_then_assumed(server, connect, header, in_body, seconds):
    headers = {} if header is None else {"Retry_After": header}
    server.say(server.too_many(retry_after=in_body, **headers), server.json({"id": 1}))
    client = connect()
    assert client.block(1) == {"id": 1}
    assert client.waited_seconds == seconds


def test_a_pause_above_two_minutes_is_left_to_the_person(server, client, clock):
    server.always(server.too_many("Come back later", Retry_After="121"))
    with pytest.raises(ArenaRateLimitError, match=r"pause of 121 seconds.*Come back later") as caught:
        client.block(1)
    assert (caught.value.retry_after_seconds, caught.value.status, clock.slept) == (121.0, 429, [])


def test_a_rate_limit_that_stays_ends_after_five_tries(server, client, clock):
    server.always(server.too_many(Retry_After="1"))
    with pytest.raises(ArenaRateLimitError):
        client.block(1)
    assert (client.requests, clock.slept) == (5, [1.0] * 4)


def test_a_429_with_a_plain_error_is_a_rate_limit_too(server, connect):
    server.always(server.error(429, "calm down"))
    with pytest.raises(ArenaRateLimitError, match="calm down") as caught:
        connect(attempts=1).block(1)
    assert caught.value.retry_after_seconds is None


@pytest.mark.parametrize("status", [429, 503])
def test_a_gateway_that_asks_for_a_pause_gets_it(server, client, clock, status):
    server.say(server.html(status, Retry_After="11"), server.json({"id": 1}))
    assert client.block(1) == {"id": 1}
    assert clock.slept == [11.0]


def test_a_gateway_that_finds_it_too_many_without_saying_for_how_long_gets_a_minute(server, client, clock):
    server.say(server.html(429), server.json({"id": 1}))
    assert client.block(1) == {"id": 1}
    assert clock.slept == [60.0]


def test_hostile_text_of_a_server_cannot_move_the_terminal(server, client):
    nasty = "\x1b[2J\x07evil\u202e\r\nGET it\u0000" + "A" * 5000 + "\ud800"
    server.say(server.error(404, nasty))
    with pytest.raises(ArenaNotFoundError) as caught:
        client.block(1)
    assert str(caught.value).isprintable()
    assert "evil GET it" in str(caught.value)
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize(
    ("details", "said"),
    [
        ({"errors": ["per is too big", "sort?", "x", "fourth"]}, "per is too big; sort?; x"),
        ({"errors": {"per": "big"}}, None),
        ({"message": 7}, None),
        ("text", None),
        (None, None),
    ],
)
def test_validation_errors_are_shown_when_there_is_no_message(server, client, details, said):
    server.say(server.json({"error": "Bad Request", "code": 400, "details": details}, 400))
    with pytest.raises(ArenaValidationError) as caught:
        client.block(1)
    assert (
        (f'are.na says: "{said}"' in str(caught.value)) if said else ("are.na says" not in str(caught.value))
    )


def test_a_rate_limit_without_a_message_still_reads_well(server, connect):
    server.always(server.json({"error": {}}, 429))
    with pytest.raises(ArenaRateLimitError, match="asks for a pause of 60 seconds"):
        connect(attempts=1).block(1)
