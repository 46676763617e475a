"""What an answer to a write proves: the whole table, and the laws that any answer obeys."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vfdir_lab.arena import Accepted, NotSent, Refused, Unknown, expected
from vfdir_lab.arena.answers import Asked, Reply
from vfdir_lab.arena.failure import Failure
from vfdir_lab.arena.secret import Secret
from vfdir_lab.arena.verdict import Exchange, judge
from vfdir_lab.errors import ArenaForbiddenError, ArenaNetworkError, VfdirError

AT = datetime(2026, 3, 9, 22, 0, tzinfo=UTC)
TOKEN = "tok-Zm9vYmFy-0123456789"
ASKED = Asked(method="PUT", path="/v3/blocks/7")


BLOCK = expected.thing(7)


def judged(result, *, read=BLOCK, proven=True):
    exchange = Exchange(asked=ASKED, result=result, read=read, begun_at=AT, got_at=AT + timedelta(seconds=1))
    return judge(exchange, Secret(TOKEN), is_write_proven=proven)


def reply(status, body=b"", **headers):
    if not isinstance(body, bytes):
        body = json.dumps(body).encode()
    return Reply(status=status, headers=headers, body=body, sent_at=AT, got_at=AT)


def arenas(status, message="Because."):
    return reply(status, {"error": "Some Error", "code": status, "details": {"message": message}})


TABLE = {
    200: Accepted,
    **dict.fromkeys([400, 403, 404, 405, 409, 410, 413, 415, 418, 422, 423, 451], Refused),
    **dict.fromkeys([401, 429], NotSent),
    **dict.fromkeys([301, 302, 303, 304, 307, 308, 408, 500, 501, 502, 503, 504, 520, 599], Unknown),
}


@pytest.mark.parametrize("status", TABLE)
def test_a_status_of_are_nas_own_has_one_meaning(status):
    answer = reply(200, {"id": 7}) if status == 200 else arenas(status)
    sent = judged(answer)
    assert type(sent) is TABLE[status]
    assert (sent.asked, sent.begun_at, sent.got_at) == ("PUT /v3/blocks/7", AT, AT + timedelta(seconds=1))
    if status >= 400:
        assert "Because." in str(sent.error)
        assert sent.error.status == status


@pytest.mark.parametrize("status", TABLE)
@pytest.mark.parametrize(
    "body",
    [b"", b"<html></html>", b"{", b"[]", b"null", b'{"error":"x"}', b'{"error":"x","code":1}', b"\xff"],
    ids=["nothing", "page", "half", "list", "null", "no code", "another code", "no text"],
)
def test_a_status_without_are_nas_own_body_proves_nothing(status, body):
    sent = judged(reply(status, body, **{"content-type": "text/html"}))
    assert type(sent) is Unknown
    assert sent.status == status
    assert "it may have been done, so look before sending it again" in str(sent.error).lower()


@given(
    status=st.integers(200, 599),
    body=st.binary(max_size=60)
    | st.dictionaries(st.sampled_from(["id", "error", "code"]), st.integers(0, 599) | st.text() | st.none()),
    proven=st.booleans(),
    deletes=st.booleans(),
)
def test_no_answer_is_said_to_prove_more_than_it_does(status, body, proven, deletes):
    sent = judged(reply(status, body), read=None if deletes else expected.thing(7), proven=proven)
    own = isinstance(body, dict) and isinstance(body.get("error"), str) and body.get("code") == status
    match sent:
        case Accepted():
            assert (status == 204) if deletes else (200 <= status < 300 and body.get("id") == 7)
        case NotSent():
            assert own
            assert status in {401, 403, 429}
        case Refused():
            assert own
            assert 400 <= status < 500
            assert status not in {401, 408, 429}
        case Unknown():
            assert sent.status == status


@pytest.mark.parametrize("proven", [True, False])
@pytest.mark.parametrize(
    ("message", "names_it"),
    [
        ("You do not have permission to access this resource.", False),
        ("This token lacks the write scope.", True),
        ("Insufficient Scopes", True),
        ("You cannot add to Telescopes.", False),
        ("", False),
    ],
)
def test_a_403_rejects_only_what_a_token_that_may_write_asked_for(proven, message, names_it):
    sent = judged(arenas(403, message), proven=proven)
    assert type(sent) is (Refused if proven and not names_it else NotSent)
    assert type(sent.error) is ArenaForbiddenError
    assert ("needs the write scope" in str(sent.error)) == isinstance(sent, NotSent)


@pytest.mark.parametrize(("unsent", "kind"), [(True, NotSent), (False, Unknown)])
def test_without_an_answer_all_depends_on_whether_it_left(unsent, kind):
    error = ArenaNetworkError("nothing came")
    sent = judged(Failure(error=error, why="x", again=True, is_unsent=unsent))
    assert type(sent) is kind
    assert sent.error is error


@pytest.mark.parametrize("status", [429, 503])
def test_the_pause_a_server_asks_for_is_handed_on(status):
    answer = arenas(status)
    asking = dataclasses.replace(answer, headers={"retry-after": "11"})
    assert judged(asking).pause_seconds == 11
    assert judged(dataclasses.replace(asking, body=b"<html>")).pause_seconds == 11


@pytest.mark.parametrize("status", [400, 401, 403, 404, 408, 422, 429, 500])
def test_a_reason_is_one_line_for_people_without_the_token(status):
    sent = judged(arenas(status, f"bad\n\x1b[2J {TOKEN} {TOKEN.upper()} " + "x" * 2000))
    assert str(sent.error).isprintable()
    assert len(str(sent.error)) < 800
    assert TOKEN.lower() not in repr(sent).lower()


@pytest.mark.parametrize("status", [200, 201, 299])
def test_only_a_204_says_that_something_is_gone(status):
    assert type(judged(reply(status, {"id": 7}), read=None)) is Unknown
    assert type(judged(reply(status), read=None)) is Unknown
    assert type(judged(reply(204), read=None)) is Accepted
    assert type(judged(reply(204))) is Unknown


def test_what_was_said_cannot_be_changed_afterwards():
    sent = judged(reply(200, {"id": 7}))
    with pytest.raises(dataclasses.FrozenInstanceError):
        sent.status = 500
    assert not hasattr(sent, "__dict__")


def test_an_error_in_a_sent_was_never_raised():
    error = judged(arenas(422)).error
    assert isinstance(error, VfdirError)
    assert (error.__traceback__, error.__cause__, error.__context__) == (None, None, None)
