"""A web of one server: paths answered as a test says, also wrongly, and what was asked of it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

PNG = b"\x89PNG\r\n\x1a\n"
Page = Callable[["Visit"], None]


class Visit(BaseHTTPRequestHandler):
    """One request; a page answers it by `say`, or by writing to `wfile` what no server should."""

    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        asked = {name.lower(): value for name, value in self.headers.items()}
        self.server.asked.append((self.path, asked))
        page = self.server.pages.get(self.path.partition("?")[0])
        with suppress(OSError):
            if page is None:
                self.say(404)
            else:
                page(self)

    def say(self, status: int, body: bytes = b"", **headers: str) -> None:
        """A whole answer; `_` in names of headers stands for `-`. A length of "" is left out."""
        given = {"Content-Length": str(len(body))} | {
            name.replace("_", "-"): v for name, v in headers.items()
        }
        self.send_response(status)
        for name, value in given.items():
            if value:
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def hang_up(self) -> None:
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, *_: Any) -> None:
        """Nothing is printed."""


class Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Visit)
        self.pages: dict[str, Page] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []

    def handle_error(self, *_: Any) -> None:
        """Whoever is asked wrongly hangs up without a word."""


class Web:
    """The server, running while this is entered."""

    def __init__(self) -> None:
        self._server = Server()
        self.pages = self._server.pages
        self.asked = self._server.asked
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def url(self, path: str = "/file.png") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def file(self, path: str, body: bytes, **headers: str) -> None:
        """A well-behaved file, with ranges where it has a mark."""

        def page(visit: Visit) -> None:
            tag = headers.get("ETag")
            wanted = visit.headers.get("Range", "")
            if tag and wanted and visit.headers.get("If-Range") == tag:
                start = int(wanted.removeprefix("bytes=").removesuffix("-"))
                part = {"Content_Range": f"bytes {start}-{len(body) - 1}/{len(body)}"}
                visit.say(206, body[start:], **headers, **part)
            else:
                visit.say(200, body, **headers)

        self.pages[path] = page

    def cut_file(self, path: str, body: bytes, at: int, **headers: str) -> None:
        """A file whose connection breaks after so many bytes, though all were announced."""

        def page(visit: Visit) -> None:
            visit.say(200, body[:at], Content_Length=str(len(body)), **headers)
            visit.wfile.flush()
            visit.hang_up()

        self.pages[path] = page
