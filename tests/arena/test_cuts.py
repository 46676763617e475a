"""Connections that break at every single byte: the border between "not sent" and "unknown" is proven."""

from __future__ import annotations

import socket
import struct
import threading
from contextlib import suppress

import httpx
import pytest

from vfdir_lab.arena import Accepted, ArenaClient, NotSent, Refused, Unknown
from vfdir_lab.errors import ArenaNetworkError, ArenaServerError

JSON = b'{"id":7,"title":"\xc3\xa9"}'
HEAD = b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\n"
ANSWERS = {
    "with a length": HEAD + b"Content-Length: %d\r\n\r\n" % len(JSON) + JSON,
    "in chunks": HEAD
    + b"Transfer-Encoding: chunked\r\n\r\n"
    + b"9\r\n%s\r\n" % JSON[:9]
    + b"%x\r\n%s\r\n0\r\n\r\n" % (len(JSON) - 9, JSON[9:]),
    "until it hangs up": HEAD + b"Connection: close\r\n\r\n" + JSON,
    "with nothing": b"HTTP/1.1 204 No Content\r\nX-Runtime: 1\r\n\r\n",
}
RESET = struct.pack("ii", 1, 0)


class Breaker:
    """Reads so many bytes of what comes, says so many of its own, and breaks the connection."""

    def __init__(self):
        self.read_bytes: int | None = None
        self.answer = b""
        self.is_abrupt = False
        self.got = b""
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._is_closing = False
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def set(self, *, answer=b"", read_bytes=None, is_abrupt=False):
        """`read_bytes` None: the whole request."""
        self.answer, self.read_bytes, self.is_abrupt = answer, read_bytes, is_abrupt
        self.got, self.connections = b"", 0

    def close(self):
        self._is_closing = True
        with socket.create_connection(("127.0.0.1", self.port)):
            pass
        self._thread.join()
        self._listener.close()

    def _run(self):
        while True:
            connection, _ = self._listener.accept()
            if self._is_closing:
                connection.close()
                return
            self.connections += 1
            with connection, suppress(OSError):
                connection.settimeout(5)
                self._read(connection)
                connection.sendall(self.answer)
                if self.is_abrupt:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)

    def _read(self, connection):
        while self.read_bytes is None or len(self.got) < self.read_bytes:
            if self.read_bytes is None and self._is_whole():
                return
            most = 65536 if self.read_bytes is None else self.read_bytes - len(self.got)
            piece = connection.recv(most)
            if not piece:
                return
            self.got += piece

    def _is_whole(self):
        head, found, body = self.got.partition(b"\r\n\r\n")
        if not found:
            return False
        lengths = [
            int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-l")
        ]
        return len(body) >= sum(lengths)


@pytest.fixture(scope="module")
def breaker():
    running = Breaker()
    yield running
    running.close()


@pytest.fixture
def open_client(breaker, token):
    clients = []

    def make(url=breaker.url, **options):
        options = {"pause_seconds": 0, "write_pause_seconds": 0, "timeout_seconds": 5, **options}
        clients.append(ArenaClient(token, url, may_write=True, **options))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


def write(client, answer="with a length"):
    return client.delete_comment(7) if answer == "with nothing" else client.update_block(7, title="é")


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("is_abrupt", [False, True], ids=["closed", "reset"])
def test_an_answer_cut_at_any_byte_is_no_proof(breaker, open_client, answer, is_abrupt):
    whole = ANSWERS[answer]
    for cut in range(len(whole)):
        breaker.set(answer=whole[:cut], is_abrupt=is_abrupt)
        sent = write(open_client(), answer)
        assert isinstance(sent, Unknown), (cut, sent)
        assert isinstance(sent.error, (ArenaNetworkError, ArenaServerError))
        assert breaker.connections == 1
    breaker.set(answer=whole)
    assert isinstance(write(open_client(), answer), Accepted)


def test_the_status_is_told_if_the_head_arrived(breaker, open_client):
    whole = ANSWERS["with a length"]
    head = whole.index(b"\r\n\r\n") + 4
    for cut, status in ((head - 1, None), (head, 201), (len(whole) - 1, 201)):
        breaker.set(answer=whole[:cut])
        assert write(open_client()).status == status


@pytest.mark.parametrize("is_abrupt", [False, True], ids=["closed", "reset"])
def test_a_request_cut_at_any_byte_is_not_known_to_be_undone(breaker, open_client, is_abrupt):
    breaker.set()
    write(open_client())
    whole = len(breaker.got)
    assert whole > 200
    for cut in [0, 1, *range(2, whole, 7), whole - 1, whole]:
        breaker.set(read_bytes=cut, is_abrupt=is_abrupt)
        sent = write(open_client())
        assert isinstance(sent.error, ArenaNetworkError)
        if cut == 0 and isinstance(sent, NotSent):
            continue  # broken before the request began to be written: that is proof
        assert isinstance(sent, Unknown), (cut, sent)
        assert "it may have been done, so look before sending it again" in str(sent.error)
        assert breaker.connections == 1


def test_a_refusal_before_the_body_was_read_is_a_refusal(breaker, open_client):
    body = b'{"error":"Bad Request","code":400}'
    answer = b"HTTP/1.1 400 Bad Request\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    breaker.set(answer=answer, read_bytes=20)
    assert isinstance(write(open_client()), (Refused, Unknown))
    breaker.set(answer=answer)
    assert isinstance(write(open_client()), Refused)


def test_nobody_listening_is_not_sent(open_client):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    sent = write(open_client(f"http://127.0.0.1:{port}"))
    assert isinstance(sent, NotSent)
    assert "no connection" in str(sent.error)


def test_a_queue_that_is_full_is_not_sent(open_client):
    """The handshake never ends, so nothing of the request left."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
        sent = write(open_client(f"http://127.0.0.1:{port}", timeout_seconds=0.3))
        for filler in fillers:
            filler.close()
    assert isinstance(sent, NotSent)
    assert "in time" in str(sent.error)
    assert "may have been done" not in str(sent.error)


def test_a_name_that_cannot_be_looked_up_is_not_sent(open_client):
    assert isinstance(write(open_client("https://" + "a" * 70 + ".invalid")), NotSent)


def test_a_handshake_that_fails_is_not_sent(breaker, open_client):
    """Encryption could not be agreed on, so the request, token and all, stayed here."""
    breaker.set(answer=b"HTTP/1.1 400 Bad Request\r\n\r\n", read_bytes=10)
    sent = write(open_client(breaker.url.replace("http:", "https:")))
    assert isinstance(sent, NotSent)
    assert b"POST" not in breaker.got
    assert b"PUT" not in breaker.got


@pytest.mark.parametrize(
    "answer",
    [b"HTTP/1.1 403 Forbidden\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n", b""],
    ids=["refused", "opened, then no TLS", "dropped"],
)
def test_a_proxy_that_opens_no_tunnel_is_not_sent(breaker, open_client, monkeypatch, answer):
    """What goes to the proxy is a request too, but not ours."""
    monkeypatch.setenv("HTTPS_PROXY", breaker.url)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    breaker.set(answer=answer)
    sent = write(open_client("https://arena.invalid"))
    assert breaker.got.startswith(b"CONNECT arena.invalid:443 ")
    assert isinstance(sent, NotSent)


def test_each_write_has_a_connection_of_its_own_and_questions_share_one(server, connect, token):
    server.always(server.json({"id": 7}))
    client = connect(token)
    for _ in range(3):
        client.block(7)
        assert isinstance(write(client), Accepted)
    assert server.connections == 4


@pytest.mark.parametrize("ask", [write, lambda client: client.block(7)], ids=["write", "question"])
def test_an_answer_that_came_before_its_question_is_not_taken_for_one(server, connect, token, ask):
    """A second answer nobody asked for lies in the line; the next write must not read it as its own."""
    surplus = b'HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n{"id":7}'
    server.say(server.raw(surplus + surplus, hang_up=False), server.error(422))
    client = connect(token)
    ask(client)
    assert isinstance(write(client), Refused)


def test_a_body_of_unasked_encoding_or_size_is_no_proof(server, connect, token, monkeypatch):
    from vfdir_lab.arena import transport

    monkeypatch.setattr(transport, "LARGEST_BODY_BYTES", 100)
    server.say(server.bytes(b"x", 201, Content_Encoding="br"), server.bytes(b'{"id":7}' + b" " * 200, 201))
    client = connect(token)
    for _ in range(2):
        sent = write(client)
        assert isinstance(sent, Unknown)
        assert sent.status == 201


@pytest.mark.parametrize(
    "error",
    [
        *(httpx.ConnectError("x"), httpx.ConnectTimeout("x"), httpx.ReadError("x"), httpx.WriteError("x")),
        *(httpx.ProxyError("x"), httpx.PoolTimeout("x"), httpx.LocalProtocolError("x")),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_transport_that_tells_nothing_proves_nothing(clock, token, error):
    """Even an error with a promising name: whoever raises it may have sent before."""

    def fail(request):
        raise error

    with ArenaClient(token, time=clock.time, transport=httpx.MockTransport(fail)) as client:
        sent = write(client)
    assert isinstance(sent, Unknown)
    assert (sent.error.__cause__, sent.error.__context__, sent.error.__traceback__) == (None, None, None)
