"""The token is sent to are.na and shown to nobody: not printed, not raised, not logged, not kept."""

from __future__ import annotations

import base64
import hashlib
import logging
import pickle
import traceback

import pytest

from vfdir_lab.arena import Accepted, ResponseCache
from vfdir_lab.arena.secret import Secret
from vfdir_lab.errors import ArenaError, BudgetReachedError, UsageError

ME = {"id": 9, "slug": "ada", "name": "Ada"}


def everything_about(error):
    """What a person or a crash report could see of an exception: chain, attributes, frames' variables."""
    seen = []
    link = error
    while link is not None:
        seen += [str(link), repr(link), repr(link.args), repr(vars(link))]
        link = link.__cause__ or link.__context__
    shown = traceback.TracebackException.from_exception(error, capture_locals=True)
    return "\n".join([*seen, *shown.format()])


@pytest.fixture
def logged(caplog):
    """All that any logger says, httpx's and httpcore's included."""
    caplog.set_level(logging.DEBUG)
    for name in ("httpx", "httpcore"):
        caplog.set_level(logging.DEBUG, logger=name)
    return caplog


# The test itself holds the token in a variable, so what is looked at begins below its frame.
def provoke(client):
    try:
        client.block(1)
    except ArenaError as error:
        return everything_about(error.with_traceback(error.__traceback__.tb_next))
    pytest.fail("nothing was raised")


FAULTS = ["401", "403", "404", "422", "429", "html", "drop", "noise", "json", "redirect", "skew"]


@pytest.mark.parametrize("fault", FAULTS)
def test_no_error_shows_the_token_even_if_the_server_repeats_it(server, connect, token, logged, fault):
    told = f"your token {token} is bad"
    replies = {
        "429": server.too_many(told),
        "html": server.bytes(token.encode(), 403, "text/html"),
        "drop": server.drop(),
        "noise": server.raw(token.encode() * 3),
        "json": server.bytes(b'{"' + token.encode() + b'": '),
        "redirect": server.json({}, 302, Location=f"https://{token}.example/"),
        "skew": server.json({}, Date="Mon, 09 Mar 2020 22:00:00 GMT"),
    }
    server.always(replies[fault] if fault in replies else server.error(int(fault), told))
    seen = provoke(connect(token))
    assert "GET /v3/blocks/1" in seen
    assert token not in seen
    assert token.lower() not in seen.lower()
    assert server.heard[0].headers["authorization"] == f"Bearer {token}"
    # httpcore's DEBUG log shows headers of answers: there are.na would have to give the token away itself.
    assert not [record for record in logged.records if token in record.getMessage() and fault != "redirect"]
    assert len(logged.records) > 0


@pytest.mark.parametrize("fault", FAULTS)
def test_no_answer_to_a_write_shows_the_token_even_if_the_server_repeats_it(
    server, connect, token, logged, fault
):
    told = f"your token {token} is bad"
    replies = {
        "429": server.too_many(told),
        "html": server.bytes(token.encode(), 403, "text/html"),
        "drop": server.drop(),
        "noise": server.raw(token.encode() * 3),
        "json": server.bytes(b'{"' + token.encode() + b'": ', 201),
        "redirect": server.json({}, 307, Location=f"https://{token}.example/"),
        "skew": server.json({"id": token}, 201),
    }
    server.always(replies[fault] if fault in replies else server.error(int(fault), told))
    sent = connect(token).create_block("x", [(1, None, None)])
    assert not isinstance(sent, Accepted)
    seen = repr(sent) + everything_about(sent.error)
    assert "POST /v3/blocks" in seen
    assert token.lower() not in seen.lower()
    assert server.heard[0].headers["authorization"] == f"Bearer {token}"
    assert len(server.heard) == 1
    assert not [record for record in logged.records if token in record.getMessage() and fault != "redirect"]


def test_a_used_up_budget_shows_no_token(server, connect, token):
    client = connect(token)
    client.allow(0)
    with pytest.raises(BudgetReachedError):
        client.block(1)
    assert token not in provoke(client)


def test_nothing_of_a_client_shows_the_token(connect, token):
    client = connect(token)
    assert repr(client) == f"ArenaClient({client.base_url!r}, Secret(given))"
    assert (
        token not in f"{client} {client!r} {vars(client)} {vars(client._asking)} {vars(client._asking._line)}"
    )
    assert token not in f"{vars(client._writing)} {vars(client._writing._line)} {vars(client._uploads)}"
    assert repr(Secret("")) == "Secret(none)"
    with pytest.raises(TypeError):
        pickle.dumps(client)
    with pytest.raises(TypeError):
        pickle.dumps(client._secret)


@pytest.mark.parametrize("bad", ["{}\n", "\n{}", "{} {}", "{}\x00", "{}\r\nX-Evil: 1", "{}é", " ", "\x7f{}"])
def test_a_token_that_no_header_can_carry_is_refused_without_showing_it(connect, token, bad):
    with pytest.raises(UsageError, match="ARENA_TOKEN") as caught:
        connect(bad.replace("{}", token))
    assert token not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_the_cache_holds_neither_the_token_nor_anything_made_of_it(server, connect, token, tmp_path):
    import gzip

    server.say(
        server.json(ME, ETag='"m"'), server.json({"id": 1}, ETag='"a"'), server.json({"id": 2}, ETag='"b"')
    )
    client = connect(token, cache=ResponseCache(tmp_path))
    client.block(1)
    client.block(2)
    kept = list(tmp_path.iterdir())
    assert len(kept) == 2
    raw = token.encode()
    traces = [raw, base64.b64encode(raw), f"Bearer {token}".encode()]
    traces += [
        hashlib.new(name, raw).hexdigest()[:16].encode() for name in ("md5", "sha1", "sha256", "blake2b")
    ]
    for path in kept:
        shown = path.name.encode() + path.read_bytes() + gzip.decompress(path.read_bytes())
        assert not any(trace in shown for trace in traces)


def test_an_answer_that_repeats_the_token_is_not_kept(server, connect, token, tmp_path):
    server.say(
        server.json(ME),
        server.json({"id": 1, "title": token}, ETag='"a"'),
        server.json({}, ETag=f'"{token}"'),
    )
    client = connect(token, cache=ResponseCache(tmp_path))
    assert client.block(1)["title"] == token
    client.block(1)
    assert list(tmp_path.iterdir()) == []


def test_the_token_is_not_in_any_address(server, connect, token):
    server.always(server.json(ME))
    client = connect(token)
    client.account()
    client.block(1)
    assert not any(token in target for target in server.targets)
