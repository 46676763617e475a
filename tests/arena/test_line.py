"""The line: every step and every answer has an end, however the server behaves."""

from __future__ import annotations

import time

import httpx
import pytest

from vfdir_lab.arena import ArenaClient
from vfdir_lab.arena import transport as line
from vfdir_lab.errors import ArenaNetworkError, ArenaServerError

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"


def test_silence_ends_after_the_timeout(server, connect):
    server.always(server.raw(b"", pause_seconds=30))
    started = time.monotonic()
    with pytest.raises(
        ArenaNetworkError, match=r"no answer from http://127.0.0.1:\d+ in time \(GET /v3/blocks/1\)"
    ):
        connect(attempts=1, timeout_seconds=0.1).block(1)
    assert time.monotonic() - started < 2


@pytest.mark.parametrize(
    "pieces",
    [
        [HEAD, *[b"1"] * 900],
        [bytes([letter]) for letter in b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 900],
        [b"HTTP/1.1 200 OK\r\n\r\n{}", *[b" "] * 900],
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", *[b"1\r\n1\r\n"] * 900],
    ],
    ids=["body", "head", "no length", "chunks"],
)
def test_an_answer_that_trickles_is_cut_after_four_timeouts(server, connect, pieces):
    server.always(server.raw(*pieces, pause_seconds=0.05))
    started = time.monotonic()
    with pytest.raises(ArenaNetworkError, match="in time"):
        connect(attempts=1, timeout_seconds=0.1).block(1)
    assert 0.3 < time.monotonic() - started < 2


def test_after_a_cut_the_next_question_is_answered(server, connect):
    server.say(server.raw(HEAD, *[b"1"] * 900, pause_seconds=0.05), server.json({"id": 1}))
    client = connect(timeout_seconds=0.1)
    assert client.block(1) == {"id": 1}
    assert client.requests == 2


def test_a_slow_but_complete_answer_is_taken(server, connect):
    body = b'{"id": 1}'
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    server.say(server.raw(head, body[:4], body[4:], pause_seconds=0.05, hang_up=False))
    assert connect(timeout_seconds=0.2).block(1) == {"id": 1}


def test_a_body_without_end_is_refused_at_the_bound(server, client, monkeypatch):
    monkeypatch.setattr(line, "LARGEST_BODY_BYTES", 1000)
    server.say(server.bytes(b"{}" + b" " * 998))
    assert client.block(1) == {}
    server.say(server.bytes(b"{}" + b" " * 999))
    with pytest.raises(ArenaServerError, match="more than 1000 bytes"):
        client.block(1)
    assert client.requests == 2, "asking again would bring as much again"


def test_a_small_answer_that_unpacks_without_end_is_refused_at_the_bound(server, client, monkeypatch):
    import gzip

    monkeypatch.setattr(line, "LARGEST_BODY_BYTES", 1_000_000)
    server.always(server.bytes(gzip.compress(b" " * 20_000_000), Content_Encoding="gzip"))
    with pytest.raises(ArenaServerError, match="more than 1000000 bytes"):
        client.block(1)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (httpx.ConnectTimeout("x"), "in time"),
        (httpx.PoolTimeout("x"), "in time"),
        (httpx.ConnectError("x"), "no connection"),
        (httpx.ProxyError("x"), "no connection"),
        (httpx.ReadError("x"), "cut off"),
        (httpx.WriteError("x"), "cut off"),
        (httpx.DecodingError("x"), "cut off"),
        (httpx.UnsupportedProtocol("x"), "cannot be asked"),
        (httpx.InvalidURL("x"), "cannot be asked"),
    ],
)
def test_each_of_httpxs_errors_is_translated_at_the_border(clock, error, said):
    """What real sockets cannot be made to do at will comes through httpx's own seam."""

    def fail(request):
        raise error

    transport = httpx.MockTransport(fail)
    client = ArenaClient("", time=clock.time, transport=transport, attempts=1)
    with client, pytest.raises(ArenaNetworkError, match=said) as caught:
        client.block(1)
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)


def test_a_transport_without_sockets_is_cut_too(clock):
    class Trickle(httpx.SyncByteStream):
        def __iter__(self):
            for _ in range(100):
                time.sleep(0.02)
                yield b" "

    transport = httpx.MockTransport(lambda request: httpx.Response(200, stream=Trickle()))
    client = ArenaClient("", time=clock.time, transport=transport, attempts=1, timeout_seconds=0.05)
    started = time.monotonic()
    with client, pytest.raises(ArenaNetworkError, match="in time"):
        client.block(1)
    assert time.monotonic() - started < 1


def test_without_an_installed_package_we_still_say_who_we_are(monkeypatch):
    def unknown(name):
        raise line.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(line.metadata, "version", unknown)
    assert line.user_agent().startswith("vfdir_lab/0 (+https://")


def test_importing_the_package_does_not_import_httpx():
    import subprocess
    import sys

    code = "import sys, vfdir_lab.arena; print({'httpx', 'tenacity'} & set(sys.modules))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "set()"
