"""The line: bounded in time whatever the server does, and one connection serves one host only."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from web import PNG, Visit, Web

from vfdir_lab.errors import MediaFetchError
from vfdir_lab.media import MediaStore
from vfdir_lab.media import line as line_module
from vfdir_lab.media.address import Target, target_of
from vfdir_lab.media.fetch import Fetcher, Manners
from vfdir_lab.media.line import Line

STEP_SECONDS = 0.5


@pytest.fixture
def web() -> Iterator[Web]:
    with Web() as running:
        yield running


@pytest.fixture
def fetcher(tmp_path: Path) -> Iterator[Fetcher]:
    (tmp_path / "archive").mkdir()
    manners = Manners(user_agent="x", loopback=True, step_seconds=STEP_SECONDS, pause_seconds=0)
    made = Fetcher(
        MediaStore(tmp_path / "archive"), tmp_path / "parts", manners, resolve=lambda *_: ["127.0.0.1"]
    )
    yield made
    made.close()


def trickle(visit: Visit, piece: bytes) -> None:
    """Send a little, again and again, as long as anybody listens."""
    for _ in range(600):
        visit.wfile.write(piece)
        visit.wfile.flush()
        time.sleep(STEP_SECONDS / 5)


def test_a_silent_server_is_given_up(web: Web, fetcher: Fetcher) -> None:
    web.pages["/a"] = lambda visit: time.sleep(20)
    with pytest.raises(MediaFetchError, match="did not answer in time") as raised:
        fetcher.fetch(web.url("/a"))
    assert raised.value.is_silent


def test_headers_that_trickle_in_are_cut(web: Web, fetcher: Fetcher) -> None:
    """Each step is quick enough by itself; together they would never end."""
    web.pages["/a"] = lambda visit: (
        visit.wfile.write(b"HTTP/1.1 200 OK\r\n"),
        trickle(visit, b"X-More: and more\r\n"),
    )
    started = time.monotonic()
    with pytest.raises(MediaFetchError):
        fetcher.fetch(web.url("/a"))
    assert time.monotonic() - started < 600 * STEP_SECONDS / 5 / 2


def test_a_body_that_trickles_in_is_cut(web: Web, fetcher: Fetcher) -> None:
    def page(visit: Visit) -> None:
        visit.say(200, Content_Length="100000")
        trickle(visit, b"x" * 10)

    web.pages["/a"] = page
    started = time.monotonic()
    with pytest.raises(MediaFetchError, match="did not answer in time"):
        fetcher.fetch(web.url("/a"))
    assert time.monotonic() - started < 600 * STEP_SECONDS / 5 / 2


def test_a_connection_that_is_open_serves_its_host_only(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two names may be one machine; each has to prove itself on a connection of its own."""
    made = []
    new_client = Line._new_client
    monkeypatch.setattr(
        Line, "_new_client", lambda line, target: made.append(target.host) or new_client(line, target)
    )
    web.file("/a", PNG)
    line = Line("x", is_direct=True)
    for host in ("a.example", "a.example", "b.example", "a.example"):
        url = f"http://{host}:{web.port}/a"
        target = target_of(url, loopback=True, resolve=lambda *_: ["127.0.0.1"])
        with line.get(target, {}) as answer:
            assert b"".join(answer.pieces()) == PNG
    line.close()
    assert made == ["a.example", "b.example", "a.example"]
    assert [headers["host"] for _, headers in web.asked] == [
        f"{host}:{web.port}" for host in ("a.example", "a.example", "b.example", "a.example")
    ]


def test_the_next_number_is_tried_where_nobody_is_at_the_first(web: Web) -> None:
    web.file("/a", PNG)
    numbers = ("127.0.0.2", "127.0.0.1")  # nobody listens at the first
    target = Target(scheme="http", host="a.example", port=web.port, path="/a", numbers=numbers)
    line = Line("x", is_direct=True)
    with line.get(target, {}) as answer:
        assert answer.status == 200
    line.close()


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"not http\r\n\r\n",
        b"HTTP/1.1 999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 302 Found\r\n\r\n",
    ],
    ids=["nothing", "no http", "no status", "no length", "no chunk", "nowhere"],
)
def test_what_is_no_answer_is_a_failure(web: Web, fetcher: Fetcher, said: bytes) -> None:
    web.pages["/a"] = lambda visit: (visit.wfile.write(said), visit.hang_up())
    with pytest.raises(MediaFetchError):
        fetcher.fetch(web.url("/a"))


def test_over_tls_the_name_that_was_checked_is_the_one_to_be_proven() -> None:
    """The connection goes to a number; the greeting, and so the proof, names the host."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        greetings: list[bytes] = []

        def listen() -> None:
            with server.accept()[0] as connection:
                greetings.append(connection.recv(4096))

        thread = threading.Thread(target=listen)
        thread.start()
        url = f"https://pictures.example:{server.getsockname()[1]}/a"
        target = target_of(url, loopback=True, resolve=lambda *_: ["127.0.0.1"])
        with closing(Line("x", is_direct=True)) as line, pytest.raises(MediaFetchError):
            line.get(target, {}).__enter__()
        thread.join()
    assert b"pictures.example" in greetings[0]


def test_who_cannot_prove_to_be_the_host_is_named() -> None:
    error = httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed")
    said = line_module._meaning("a.example", error)
    assert said == "whoever answers for a.example cannot prove to be it"


def test_settings_of_the_environment_that_cannot_be_used_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    from vfdir_lab.errors import UsageError

    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/at/all")
    monkeypatch.setattr(line_module.httpx, "create_ssl_context", _fail)
    target = Target(scheme="https", host="a.example", port=443, path="/", numbers=("1.1.1.1",))
    with pytest.raises(UsageError, match="SSL_CERT_FILE"):
        Line("x", is_direct=False).get(target, {}).__enter__()


def _fail(**_: object) -> None:
    raise OSError("/nowhere/at/all")
