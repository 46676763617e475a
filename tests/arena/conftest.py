"""A loopback server that says exactly what a test scripts, and a clock that waits in no time."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from vfdir_lab.arena import ArenaClient, Time

TOKEN = "tok-Zm9vYmFy-0123456789"


@dataclass(frozen=True)
class Said:
    """One scripted reply: pieces of bytes, a pause in seconds after each; then the line stays open or not."""

    pieces: tuple[bytes, ...]
    pause_seconds: float = 0.0
    hang_up: bool = False


@dataclass(frozen=True)
class Heard:
    """One request as it arrived; header names in lower case."""

    method: str
    target: str
    headers: dict[str, str]
    at: float
    body: bytes = b""


@dataclass
class Server:
    """Answers each request with the next scripted reply; the last `always` when none is left."""

    heard: list[Heard] = field(default_factory=list)
    connections: int = 0

    def __post_init__(self) -> None:
        self._script: deque[Said] = deque()
        self._fallback: Said | None = None
        self._stopping = threading.Event()
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._accepting = threading.Thread(target=self._accept)
        self._accepting.start()

    def say(self, *replies: Said) -> None:
        self._script.extend(replies)

    def always(self, reply: Said) -> None:
        self._fallback = reply

    @property
    def targets(self) -> list[str]:
        return [heard.target for heard in self.heard]

    @staticmethod
    def raw(*pieces: bytes, pause_seconds: float = 0.0, hang_up: bool = True) -> Said:
        return Said(pieces, pause_seconds, hang_up)

    @staticmethod
    def drop() -> Said:
        return Said((), hang_up=True)

    @staticmethod
    def bytes(body: bytes, status: int = 200, kind: str = "application/json", **headers: str) -> Said:
        lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(body)}", f"Content-Type: {kind}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        return Said(("\r\n".join([*lines, "", ""]).encode("latin-1") + body,))

    @classmethod
    def json(cls, value: object, status: int = 200, **headers: str) -> Said:
        return cls.bytes(json.dumps(value).encode(), status, **headers)

    @classmethod
    def error(cls, status: int, message: str | None = None, **headers: str) -> Said:
        body: dict[str, object] = {"error": "Some Error", "code": status}
        if message is not None:
            body["details"] = {"message": message}
        return cls.json(body, status, **headers)

    @classmethod
    def too_many(cls, message: str = "slow down", retry_after: object = 65, **headers: str) -> Said:
        error = {"type": "rate_limit_exceeded", "message": message, "retry_after": retry_after}
        return cls.json({"error": error}, 429, **headers)

    @classmethod
    def html(cls, status: int, **headers: str) -> Said:
        return cls.bytes(
            b"<html><h1>Attention Required!</h1></html>", status, "text/html; charset=utf-8", **headers
        )

    @classmethod
    def unchanged(cls, **headers: str) -> Said:
        lines = ["HTTP/1.1 304 Not Modified", *(f"{n.replace('_', '-')}: {v}" for n, v in headers.items())]
        return Said(("\r\n".join([*lines, "", ""]).encode(),))

    def close(self) -> None:
        self._stopping.set()
        with socket.create_connection(("127.0.0.1", self.port)):
            pass
        self._accepting.join()
        self._listener.close()
        for connection in list(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        while not self._stopping.is_set():
            connection, _ = self._listener.accept()
            if self._stopping.is_set():
                connection.close()
                return
            self.connections += 1
            self._open.add(connection)
            thread = threading.Thread(target=self._serve, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection, connection.makefile("rb") as lines:
                while (heard := _hear(lines)) is not None:
                    self.heard.append(heard)
                    reply = self._script.popleft() if self._script else self._fallback
                    if reply is None or not self._speak(connection, reply):
                        return
        except OSError:
            return
        finally:
            self._open.discard(connection)

    def _speak(self, connection: socket.socket, reply: Said) -> bool:
        for piece in reply.pieces:
            connection.sendall(piece)
            if reply.pause_seconds and self._stopping.wait(reply.pause_seconds):
                return False
        return not reply.hang_up


def _hear(lines) -> Heard | None:
    first = lines.readline().decode("latin-1").split()
    if len(first) != 3:
        return None
    headers = {}
    while line := lines.readline().strip():
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.lower()] = value.strip()
    body = lines.read(int(headers.get("content-length", 0)))
    return Heard(first[0], first[1], headers, time.monotonic(), body)


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self, start: datetime = datetime(2026, 3, 9, 22, 0, tzinfo=UTC)) -> None:
        self.start = start
        self.elapsed = 0.0
        self.slept: list[float] = []

    @property
    def time(self) -> Time:
        return Time(now=self.now, monotonic=lambda: self.elapsed, sleep=self.sleep)

    def now(self) -> datetime:
        return self.start + timedelta(seconds=self.elapsed)

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.slept.append(seconds)
        self.elapsed += seconds


@pytest.fixture
def server():
    """A scripted are.na on this machine."""
    running = Server()
    yield running
    running.close()


@pytest.fixture(scope="session")
def lasting_server():
    """The same for properties, which ask hundreds of times."""
    running = Server()
    yield running
    running.close()


@pytest.fixture
def clock():
    """A clock whose sleep takes no time."""
    return Clock()


@pytest.fixture(scope="session")
def make_clock():
    """Clocks for properties, which need a fresh one for each example."""
    return Clock


@pytest.fixture
def token():
    """A token that would be noticed anywhere."""
    return TOKEN


@pytest.fixture
def connect(server, clock):
    """Makes clients of the scripted server on the fake clock, and hangs up in the end."""
    clients = []

    def make(token: str = "", **options) -> ArenaClient:
        options = {
            "base_url": server.url,
            "time": clock.time,
            "pause_seconds": 0,
            "write_pause_seconds": 0,
            "timeout_seconds": 5,
            **options,
        }
        client = ArenaClient(token, **options)
        clients.append(client)
        return client

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def client(connect):
    """A guest at the scripted server."""
    return connect()
