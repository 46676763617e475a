"""A way through loopback that can be cut, or made to stand still, after so many bytes."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Event, Thread
from urllib.parse import urlsplit

HOST = "127.0.0.1"
UP, DOWN = "up", "down"


@dataclass(slots=True, kw_only=True)
class Way:
    """Passes everything on to a server, but for what it is told to do with each connection.

    `after` bytes in the direction `cut` the connection ends; in the direction `hold` it stands still, and
    `standing` is set.
    """

    url: str = ""
    cut: str = ""
    hold: str = ""
    after: int = 0
    cuts: int = 0
    standing: Event = field(default_factory=Event)
    over: Event = field(default_factory=Event)
    open: list[socket.socket] = field(default_factory=list)

    def pass_on(self, direction: str, source: socket.socket, target: socket.socket) -> None:
        """Copy one direction of a connection to its end."""
        passed = 0
        with suppress(OSError):
            while data := source.recv(1 << 14):
                told, after = self.cut == direction, self.after
                if told and passed + len(data) > after:
                    target.sendall(data[: max(0, after - passed)])
                    self.cuts += 1
                    break
                if self.hold == direction and passed + len(data) > after:
                    self.standing.set()
                    self.over.wait(60)
                    break
                target.sendall(data)
                passed += len(data)
        for end in (source, target):
            _end(end)

    def connect(self, near: socket.socket, there: tuple[str, int]) -> None:
        """Pass on both directions of a connection, until both have ended."""
        with near, suppress(OSError), socket.create_connection(there) as far:
            self.open += [near, far]
            up = Thread(target=self.pass_on, args=(UP, near, far))
            up.start()
            self.pass_on(DOWN, far, near)
            up.join()


def _end(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


@contextmanager
def way_to(url: str) -> Iterator[Way]:
    """A way to the server at `url`, on a free port."""
    parts, way = urlsplit(url), Way()
    there = (str(parts.hostname), int(parts.port or 0))
    threads: list[Thread] = []
    with socket.create_server((HOST, 0)) as listening:
        way.url = f"http://{HOST}:{listening.getsockname()[1]}"

        def accept() -> None:
            with suppress(OSError):
                while True:
                    threads.append(Thread(target=way.connect, args=(listening.accept()[0], there)))
                    threads[-1].start()

        accepting = Thread(target=accept)
        accepting.start()
        try:
            yield way
        finally:
            way.over.set()
            _end(listening)
            accepting.join(10)
            for connection in way.open:
                _end(connection)
            for thread in threads:
                thread.join(10)
