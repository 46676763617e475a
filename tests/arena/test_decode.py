"""Bodies: any bytes give a value that can be stored, or a typed error."""

from __future__ import annotations

import gzip
import json
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vfdir_lab.arena import ArenaClient
from vfdir_lab.arena.decode import DEEPEST, MalformedError, decode
from vfdir_lab.errors import ArenaError, ArenaServerError

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(VALUES)
def test_a_value_survives_json(value):
    assert decode(json.dumps(value).encode()) == value
    assert decode(json.dumps(value, ensure_ascii=False).encode()) == value


@given(
    st.binary() | st.text().map(str.encode) | st.text(alphabet='[]{}":,\\ud8dNaInfity0e+-. ').map(str.encode)
)
def test_any_bytes_give_a_storable_value_or_the_one_error(body):
    with suppress(MalformedError):
        value = decode(body)
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf-8")


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"-Infinity", b"1e999", b"-1e999", b"1" * 5000])
def test_numbers_that_are_no_json_or_hold_nothing_are_refused(number):
    with pytest.raises(MalformedError):
        decode(b'{"id": ' + number + b"}")


def test_lone_surrogates_become_the_replacement_character_and_pairs_stay():
    assert decode(rb'{"\ud800k": ["a\uDFFFb", "\ud83d\ude00", {"x": "\\ud800"}, 1]}') == {
        "\ufffdk": ["a\ufffdb", "😀", {"x": "\\ud800"}, 1]
    }


@pytest.mark.parametrize("body", [b"\xff{}", b'"\xed\xa0\x80"', b"\xfe\xff\x00{\x00}"])
def test_what_is_not_utf8_is_refused_rather_than_guessed(body):
    with pytest.raises(MalformedError, match="not UTF-8"):
        decode(body)


def test_a_byte_order_mark_is_let_pass():
    assert decode(b"\xef\xbb\xbf{}") == {}


@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_nesting_has_a_bound(opening, closing):
    assert decode(opening * DEEPEST + b"0" + closing * DEEPEST) is not None
    for deep in (DEEPEST + 1, 900, 100_000):
        with pytest.raises(MalformedError, match="nested deeper than 100"):
            decode(opening * deep + b"0" + closing * deep)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b'{"id": 1',
        b"{}{}",
        b'{"id": NaN}',
        b'{"id": 1e999}',
        b"\xff",
        b'{"a":' * 5000 + b"1" + b"}" * 5000,
    ],
)
def test_malformed_json_is_tried_five_times_and_then_named(server, client, body):
    server.always(server.bytes(body))
    with pytest.raises(ArenaServerError, match=r"are\.na answered with .* \(GET /v3/blocks/1\)"):
        client.block(1)
    assert client.requests == 5


@settings(max_examples=60)
@given(
    status=st.sampled_from([200, 304, 404, 429, 500]) | st.integers(200, 999), body=st.binary(max_size=300)
)
def test_any_status_and_body_give_a_value_or_a_typed_error(lasting_server, make_clock, status, body):
    lasting_server.always(lasting_server.bytes(body if status not in {204, 304} else b"", status))
    ask_in_vain(lasting_server, make_clock())


@settings(max_examples=60)
@given(st.binary(max_size=300) | st.binary(max_size=100).map(lambda noise: b"HTTP/1.1 200 OK\r\n" + noise))
def test_any_bytes_instead_of_http_give_a_typed_error(lasting_server, make_clock, noise):
    lasting_server.always(lasting_server.raw(noise))
    ask_in_vain(lasting_server, make_clock())


@settings(max_examples=60)
@given(
    st.binary(max_size=200),
    st.sampled_from(["Date", "Age", "Retry-After", "ETag", "Location", "X-RateLimit-Limit"]),
)
def test_any_header_gives_a_value_or_a_typed_error(lasting_server, make_clock, value, name):
    head = b"HTTP/1.1 404 x\r\n" if name == "Retry-After" else b"HTTP/1.1 200 OK\r\n"
    head = b"HTTP/1.1 302 x\r\n" if name == "Location" else head
    value = value.replace(b"\r", b"").replace(b"\n", b"")
    lasting_server.always(lasting_server.raw(head + name.encode() + b": " + value + b"\r\n\r\n{}"))
    ask_in_vain(lasting_server, make_clock())


def ask_in_vain(server, clock):
    with ArenaClient("", server.url, time=clock.time, attempts=2, timeout_seconds=5) as client:
        said = outcome(lambda: client.block(1))
    assert isinstance(said, dict) or (isinstance(said, ArenaError) and str(said).isprintable())


def outcome(ask):
    try:
        return ask()
    except ArenaError as error:
        return error


def test_a_packed_body_is_unpacked(server, client):
    server.say(server.bytes(gzip.compress(b'{"id": 1}'), Content_Encoding="gzip"))
    assert client.block(1) == {"id": 1}
    assert server.heard[0].headers["accept-encoding"] == "gzip"


@pytest.mark.parametrize("encoding", ["gzip, gzip", "br", "zstd", "deflate"])
def test_an_encoding_nobody_asked_for_is_refused_unread(server, connect, encoding):
    server.always(server.bytes(gzip.compress(gzip.compress(b"{}")), Content_Encoding=encoding))
    with pytest.raises(ArenaServerError, match="encoding that was not asked for"):
        connect(attempts=1).block(1)


def test_damaged_packing_is_tried_again(server, client):
    server.say(server.bytes(b"not gzip at all", Content_Encoding="gzip"), server.json({"id": 1}))
    assert client.block(1) == {"id": 1}
