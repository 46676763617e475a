"""Each write is one request with one body, and at the sandbox it does what it says."""

from __future__ import annotations

import json
import re

import pytest

from vfdir_lab.arena import SYSTEM_TIME, Accepted, ArenaClient, NotSent, Refused, Time, Unknown
from vfdir_lab.errors import (
    ArenaAuthError,
    ArenaForbiddenError,
    ArenaNotFoundError,
    ArenaValidationError,
    BudgetReachedError,
    UsageError,
)
from vfdir_lab.sandbox import Sandbox, World

PLENTY = dict.fromkeys(("guest", "free", "premium", "supporter"), 1_000_000)


@pytest.mark.parametrize(
    ("write", "request_line", "body"),
    [
        (
            lambda c: c.create_block("text", [(3, None, None), (4, 2, {"a": 1})]),
            "POST /v3/blocks",
            {
                "value": "text",
                "channels": [{"id": 3}, {"id": 4, "position": 2, "metadata": {"a": 1}}],
            },
        ),
        (
            lambda c: c.create_block(
                "https://example.org/é",
                [(3, None, {})],
                title="T",
                description="",
                alt_text=None,
                original_source_url="https://example.org/",
                original_source_title="S",
                metadata={"vfdir_tx": "m"},
            ),
            "POST /v3/blocks",
            {
                "value": "https://example.org/é",
                "channels": [{"id": 3}],
                "title": "T",
                "description": "",
                "original_source_url": "https://example.org/",
                "original_source_title": "S",
                "metadata": {"vfdir_tx": "m"},
            },
        ),
        (
            lambda c: c.update_block(7, title=None, content="new", metadata={"gone": None}),
            "PUT /v3/blocks/7",
            {"title": "", "content": "new", "metadata": {"gone": None}},
        ),
        (
            lambda c: c.create_channel("A title"),
            "POST /v3/channels",
            {"title": "A title", "visibility": "closed"},
        ),
        (
            lambda c: c.create_channel("T", visibility="private", description="d", metadata={"a": True}),
            "POST /v3/channels",
            {"title": "T", "visibility": "private", "description": "d", "metadata": {"a": True}},
        ),
        (
            lambda c: c.update_channel(7, description=None, visibility="public"),
            "PUT /v3/channels/7",
            {"description": None, "visibility": "public"},
        ),
        (
            lambda c: c.update_channel(7, title="T", metadata={"a": None}),
            "PUT /v3/channels/7",
            {"title": "T", "metadata": {"a": None}},
        ),
        (lambda c: c.delete_channel(7), "DELETE /v3/channels/7", None),
        (
            lambda c: c.connect(5, "Channel", 3, position=1, metadata={"a": "b"}),
            "POST /v3/connections",
            {
                "connectable_id": 5,
                "connectable_type": "Channel",
                "channels": [{"id": 3, "position": 1, "metadata": {"a": "b"}}],
            },
        ),
        (lambda c: c.disconnect(7), "DELETE /v3/connections/7", None),
        (lambda c: c.update_connection(7, {}), "PUT /v3/connections/7", {"metadata": {}}),
        (
            lambda c: c.move(7, 3),
            "POST /v3/connections/7/move",
            {"movement": "insert_at", "position": 3},
        ),
        (lambda c: c.move(7, "top"), "POST /v3/connections/7/move", {"movement": "move_to_top"}),
        (lambda c: c.move(7, "bottom"), "POST /v3/connections/7/move", {"movement": "move_to_bottom"}),
        (lambda c: c.create_comment(7, "hm"), "POST /v3/blocks/7/comments", {"body": "hm"}),
        (lambda c: c.delete_comment(7), "DELETE /v3/comments/7", None),
        (
            lambda c: c.presign([("a b.png", "image/png")]),
            "POST /v3/uploads/presign",
            {"files": [{"filename": "a b.png", "content_type": "image/png"}]},
        ),
    ],
)
def test_a_write_is_one_request_with_this_body(server, connect, token, write, request_line, body):
    server.always(server.json({"id": 7}, 201))
    client = connect(token)
    write(client)
    (heard,) = server.heard
    assert f"{heard.method} {heard.target}" == request_line
    assert (json.loads(heard.body) if heard.body else None) == body
    assert heard.headers.get("content-type") == ("application/json" if body else None)
    assert heard.headers["authorization"] == f"Bearer {token}"
    assert "transfer-encoding" not in heard.headers
    assert client.requests == 1


def test_texts_travel_as_they_are(server, connect, token):
    server.always(server.json({"id": 7}, 201))
    text = "  é \U0001f600 \r\n\ttwo  \n"
    connect(token).create_block(text, [(1, None, None)], title=text)
    assert json.loads(server.heard[0].body)["value"] == text
    assert json.loads(server.heard[0].body)["title"] == text


def test_the_moments_enclose_the_exchange_and_not_the_waiting(server, connect, clock, token):
    server.always(server.json({"id": 7}, 201))
    client = connect(token, write_pause_seconds=0.5)
    first, second = client.create_comment(1, "a"), client.create_comment(1, "b")
    assert (second.begun_at - first.got_at).total_seconds() == 0.5
    assert first.begun_at <= first.got_at <= second.begun_at <= second.got_at
    assert first.asked == "POST /v3/blocks/1/comments"


def test_a_used_up_budget_sends_nothing_and_says_so(server, connect, token):
    client = connect(token)
    client.allow(0)
    sent = client.delete_channel(7)
    assert isinstance(sent, NotSent)
    assert isinstance(sent.error, BudgetReachedError)
    assert sent.error.__traceback__ is None
    assert server.heard == []


def test_reads_and_writes_draw_on_one_budget(server, connect, token):
    server.say(server.json({"id": 1}), server.json({"id": 1}, 201))
    client = connect(token)
    client.allow(2)
    client.block(1)
    assert isinstance(client.create_comment(1, "a"), Accepted)
    assert isinstance(client.create_comment(1, "b"), NotSent)
    assert len(server.heard) == 2


def test_a_closed_client_writes_nothing(server, connect, token):
    client = connect(token)
    client.close()
    with pytest.raises(UsageError, match="closed"):
        client.delete_comment(1)
    assert server.heard == []


def test_relative_moves_are_not_offered(server, connect, token):
    for to in ("up", "down", 0, -1, True, 1.5):
        with pytest.raises(UsageError):
            connect(token).move(7, to)
    assert server.heard == []


def test_a_write_keeps_the_tier_that_are_na_tells(server, connect, token):
    server.say(server.json({"id": 1}, 201, X_RateLimit_Limit="300", X_RateLimit_Tier="premium"))
    client = connect(token)
    client.create_comment(1, "a")
    assert client.rate.limit == 300


# At the sandbox


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox(rate_limits=PLENTY, world=World()) as running:
        yield running


@pytest.fixture
def client_of(sandbox, make_clock):
    clients = []

    def make(token):
        clock = make_clock()
        time = Time(now=SYSTEM_TIME.now, monotonic=lambda: clock.elapsed, sleep=clock.sleep)
        clients.append(ArenaClient(token, sandbox.url, time=time, timeout_seconds=5))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def writer(sandbox, client_of):
    return client_of(sandbox.tokens.write)


@pytest.fixture
def channel(writer):
    return accepted(writer.create_channel("Harbour", visibility="public"))["id"]


def accepted(sent):
    assert isinstance(sent, Accepted), sent
    return sent.body


def test_a_block_is_made_changed_commented_on_and_taken_out(sandbox, writer, channel):
    block = accepted(writer.create_block("one", [(channel, None, {"a": 1})], title="T"))["id"]
    assert [place["id"] for place in sandbox.control.snapshot(channel)] == [block]
    assert accepted(writer.update_block(block, title=None, content="two"))["content"]["markdown"] == "two"
    assert not writer.block(block)["title"]
    comment = accepted(writer.create_comment(block, "hm"))["id"]
    assert writer.block(block)["comment_count"] == 1
    assert accepted(writer.delete_comment(comment)) is None
    assert writer.block(block)["comment_count"] == 0
    assert accepted(writer.disconnect(sandbox.control.snapshot(channel)[0]["connection"])) is None
    assert sandbox.control.snapshot(channel) == []


def test_a_channel_is_made_changed_and_deleted(sandbox, writer):
    made = accepted(writer.create_channel("Old", description="d", metadata={"a": 1}))
    assert (made["visibility"], made["metadata"]) == ("closed", {"a": 1})
    changed = accepted(
        writer.update_channel(made["id"], title="New name", description=None, metadata={"a": None, "b": 2})
    )
    assert (changed["title"], changed["slug"]) == ("New name", "new-name")
    assert (changed["description"], changed["metadata"]) == (None, {"b": 2})
    accepted(writer.delete_channel(made["id"]))
    assert isinstance(writer.delete_channel(made["id"]), Refused)


def test_an_item_is_connected_moved_and_annotated(sandbox, writer, channel):
    for value in ("one", "two", "three"):
        accepted(writer.create_block(value, [(channel, None, None)]))
    inner = accepted(writer.create_channel("Inner"))["id"]
    connection = accepted(writer.connect(inner, "Channel", channel, position=2, metadata={"a": 1}))["id"]

    def rank():
        order = [place["connection"] for place in sandbox.control.snapshot(channel)]
        return order.index(connection) + 1

    assert rank() == 2
    for to, found in (("top", 4), (1, 1), ("bottom", 1), (3, 3)):
        accepted(writer.move(connection, to))
        assert rank() == found
    shown = accepted(writer.update_connection(connection, {"a": None, "b": "x"}))
    assert shown["metadata"] == {"b": "x"}


@pytest.mark.parametrize(
    "write",
    [
        lambda c: c.update_block(10**9, title="x"),
        lambda c: c.create_block("x", [(10**9, None, None)]),
        lambda c: c.disconnect(10**9),
        lambda c: c.create_comment(10**9, "x"),
    ],
    ids=["change", "make", "disconnect", "comment"],
)
def test_what_is_not_there_is_refused_with_a_reason(writer, write):
    sent = write(writer)
    assert isinstance(sent, Refused)
    assert type(sent.error) is ArenaNotFoundError
    assert sent.error.status == 404
    assert sent.asked in str(sent.error)
    assert "\n" not in str(sent.error)


def test_a_channel_in_itself_is_refused(writer, channel):
    sent = writer.connect(channel, "Channel", channel)
    assert isinstance(sent, Refused)
    assert isinstance(sent.error, ArenaValidationError)


def test_a_guest_and_a_wrong_token_are_told_that_nothing_was_sent(client_of, channel, token):
    for who in ("", token):
        sent = client_of(who).create_block("x", [(channel, None, None)])
        assert isinstance(sent, NotSent)
        assert isinstance(sent.error, ArenaAuthError)


def test_a_token_that_may_only_read_pauses_and_rejects_nothing(sandbox, client_of, channel):
    reader = client_of(sandbox.tokens.read)
    sent = reader.create_block("x", [(channel, None, None)])
    assert isinstance(sent, NotSent)
    assert isinstance(sent.error, ArenaForbiddenError)
    assert re.search(r"POST /v3/blocks.*needs the write scope", str(sent.error))
    assert not reader.may_write
    assert sandbox.control.snapshot(channel) == []


def test_a_403_is_about_the_thing_once_the_token_is_known_to_write(sandbox, client_of, writer, channel):
    """Without that, nothing in the answer tells a missing scope from a thing of somebody else's."""
    closed = accepted(writer.create_channel("Closed"))["id"]
    other = client_of(sandbox.tokens.other)
    assert isinstance(other.create_block("x", [(closed, None, None)]), NotSent)
    accepted(other.create_block("y", [(channel, None, None)]))
    assert other.may_write
    sent = other.create_block("x", [(closed, None, None)])
    assert isinstance(sent, Refused)
    assert isinstance(sent.error, ArenaForbiddenError)


def test_a_token_known_to_write_from_the_start_needs_no_proof(sandbox, make_clock, writer):
    closed = accepted(writer.create_channel("Closed"))["id"]
    with ArenaClient(sandbox.tokens.other, sandbox.url, may_write=True) as other:
        assert isinstance(other.update_channel(closed, title="Mine"), Refused)


def test_asking_for_an_upload_proves_nothing_about_the_scope(writer):
    """Its description lists no 403, so it may not ask for the scope at all."""
    accepted(writer.presign([("a.png", "image/png")]))
    assert not writer.may_write


@pytest.mark.parametrize(
    ("write", "answer"),
    [
        (lambda c: c.update_block(7, title="x"), {"id": 8}),
        (lambda c: c.update_block(7, title="x"), {}),
        (lambda c: c.move(7, "top"), {"id": "7"}),
        (lambda c: c.create_block("x", [(1, None, None)]), {"id": True}),
        (lambda c: c.create_block("x", [(1, None, None)]), []),
        (lambda c: c.connect(7, "Block", 1), {"id": 7}),
        (lambda c: c.connect(7, "Block", 1), {"data": []}),
        (lambda c: c.connect(7, "Block", 1), {"data": [{"id": 1}, {"id": 2}]}),
        (lambda c: c.connect(7, "Block", 1), {"data": ["x"]}),
        (lambda c: c.presign([("a", "a/b")]), {"files": []}),
        (lambda c: c.presign([("a", "a/b")]), {"files": [{"upload_url": "x", "key": "y"}]}),
        (lambda c: c.delete_channel(7), {"id": 7}),
    ],
    ids=[
        *("another block", "no block", "a text for a number", "true for a number", "a list"),
        *("no list of connections", "none", "two", "no connection"),
        *("no address", "half an address", "a body after a delete"),
    ],
)
@pytest.mark.parametrize("status", [200, 201])
def test_a_2xx_about_something_else_proves_nothing(server, connect, token, write, answer, status):
    server.always(server.json(answer, status))
    sent = write(connect(token))
    assert isinstance(sent, Unknown)
    assert sent.status == status
    assert "look before sending it again" in str(sent.error)
