"""The line: one HTTP request out, one whole answer in. The only module that speaks httpx.

Owns: the httpx client, its time limits and its headers; the border at which httpx's exceptions become
failures.
Guarantees: `send` returns a `Reply` or a `Failure`, and sends once. A step (connect, read, write) takes at
most `timeout_seconds`, a whole answer at most `ANSWER_STEPS` times that (and what a large body needs at
`SLOWEST_BYTES_A_SECOND`), even if it trickles in byte by byte; a body is read up to `LARGEST_BODY_BYTES`. No
redirect is followed here, no cookie kept, no `.netrc` read.
Leaves to others: who may get the token (`address`, `client`), what the answer means (`answers`).
Checked by: `tests/arena/test_line.py`, over real sockets.

Proxies and certificates from the environment are honoured, since people sit behind proxies they must use; not
so for an are.na on this machine, where a proxy would carry plain http, token and all, out of the machine.
"""

from __future__ import annotations

import socket
import ssl
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING

import httpx

from vfdir_lab.arena.address import is_loopback
from vfdir_lab.arena.answers import AGAIN, Asked, Reply, odd_answer
from vfdir_lab.arena.failure import Failure
from vfdir_lab.arena.watch import Watch
from vfdir_lab.errors import ArenaNetworkError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
    from datetime import datetime

    from vfdir_lab.arena.secret import Secret

LARGEST_BODY_BYTES = 64 * 1024 * 1024
ANSWER_STEPS = 4
SLOWEST_BYTES_A_SECOND = 32 * 1024
HOME_PAGE = "https://github.com/vfdir/vfdir_lab"

# One layer only: a few kilobytes packed several times over would unpack to more than any machine holds.
_ENCODINGS = {"", "identity", "gzip"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """The body of a request: `size` bytes, at once or in pieces, which are read once."""

    size: int
    data: bytes | Iterable[bytes]


class Line:
    """A line to one are.na, for one request at a time.

    `keep_alive` false gives each request a connection of its own. Then an answer that lies in the line before
    its question cannot be taken for the answer, and no request is lost on a line hung up meanwhile.
    """

    def __init__(
        self,
        base_url: str,
        *,
        secret: Secret,
        transport: httpx.BaseTransport | None,
        timeout_seconds: float,
        now: Callable[[], datetime],
        keep_alive: bool,
    ) -> None:
        self._base_url = base_url
        self._secret = secret
        self._transport = transport
        self._now = now
        self._step_seconds = timeout_seconds
        self._keep_alive = keep_alive
        self._watch = Watch()
        self._http: httpx.Client | None = None
        self._is_closed = False

    def open(self) -> httpx.Client:
        """Get ready, which takes a moment and so is done once; `send` does it when it was not done before.

        Raises:
            UsageError: the line is closed, or the environment's settings for proxies or certificates are bad.
        """
        if self._is_closed:
            raise UsageError("this client is closed: make a new ArenaClient")
        if self._http is None:
            self._http = self._opened()
        return self._http

    def _opened(self) -> httpx.Client:
        try:
            return httpx.Client(
                transport=self._transport,
                auth=_Bearer(self._secret),
                verify=_trust(self._base_url),
                timeout=self._step_seconds,
                limits=httpx.Limits(
                    max_connections=1, max_keepalive_connections=None if self._keep_alive else 0
                ),
                trust_env=not is_loopback(self._base_url),
                follow_redirects=False,
                headers={"User-Agent": user_agent(), "Accept": "application/json", "Accept-Encoding": "gzip"},
            )
        except (ImportError, ValueError, OSError, httpx.InvalidURL):
            # The exception may quote the proxy's address, and that a password.
            raise UsageError(
                "the proxy or certificate settings of the environment cannot be used: "
                "check HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and SSL_CERT_FILE"
            ) from None

    def close(self) -> None:
        """Hang up for good."""
        self._is_closed = True
        if self._http is not None:
            self._http.close()

    def send(
        self, asked: Asked, url: str, headers: Mapping[str, str], content: Content | None = None
    ) -> Reply | Failure:
        """Send one request and read its answer to the end.

        Raises:
            UsageError: the line is closed, or cannot be opened.
        """
        self.open().cookies.clear()
        self._watch.begin()
        seconds = self._step_seconds * ANSWER_STEPS
        if content is not None:
            headers = {**headers, "Content-Length": str(content.size)}
            seconds += content.size / SLOWEST_BYTES_A_SECOND
        with self._deadline(seconds) as late:
            try:
                return self._exchange(asked, url, headers, content, late)
            except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, UnicodeError) as error:
                # A value, not `raise … from`: httpx's exceptions hold the request, and that the token.
                return self._no_answer(asked, error, is_late=late.is_set())

    def _exchange(
        self,
        asked: Asked,
        url: str,
        headers: Mapping[str, str],
        content: Content | None,
        late: threading.Event,
    ) -> Reply | Failure:
        sent_at = self._now()
        with self.open().stream(
            asked.method,
            url,
            headers=dict(headers),
            content=None if content is None else content.data,
            extensions={"trace": self._watch},
        ) as response:
            if response.headers.get("content-encoding", "").strip().lower() not in _ENCODINGS:
                return odd_answer(
                    asked, response.status_code, "answered in an encoding that was not asked for", again=True
                )
            got_at = self._now()
            body = bytearray()
            for chunk in response.iter_bytes():
                body += chunk
                if late.is_set() or len(body) > LARGEST_BODY_BYTES:
                    break
            if late.is_set():
                # Also where the loop ended by itself: a connection that was cut looks like the end of a body.
                raise httpx.ReadTimeout("the answer trickles")
            if len(body) > LARGEST_BODY_BYTES:
                what = f"answered with more than {LARGEST_BODY_BYTES} bytes"
                return odd_answer(asked, response.status_code, what, again=False)
        return Reply(
            status=response.status_code,
            headers={name.lower(): value for name, value in response.headers.items()},
            body=bytes(body),
            sent_at=sent_at,
            got_at=got_at,
        )

    @contextmanager
    def _deadline(self, seconds: float) -> Iterator[threading.Event]:
        """Cut the connection when a whole answer took too long: httpx only limits the single read."""
        late = threading.Event()
        timer = threading.Timer(seconds, self._cut, [late])
        timer.daemon = True
        timer.start()
        try:
            yield late
        finally:
            timer.cancel()

    def _cut(self, late: threading.Event) -> None:
        late.set()
        stream = self._watch.stream
        open_socket = stream.get_extra_info("socket") if stream is not None else None
        if isinstance(open_socket, socket.socket):
            # Not `SSLSocket.shutdown`, which would take the encryption away under the reading thread.
            with suppress(OSError):
                socket.socket.shutdown(open_socket, socket.SHUT_RDWR)

    def _no_answer(self, asked: Asked, error: Exception, *, is_late: bool) -> Failure:
        is_unsent = self._watch.is_unsent
        advice = AGAIN if is_unsent else asked.advice
        if is_late or isinstance(error, httpx.TimeoutException):
            what = f"no answer from {self._base_url} in time ({asked}): {advice}"
        elif is_unsent or isinstance(error, (httpx.ConnectError, httpx.ProxyError, UnicodeError)):
            what = (
                f"no connection to {self._base_url} ({asked}): is the network up, is the address right, "
                "does a proxy stand between?"
            )
        elif isinstance(error, (httpx.InvalidURL, httpx.UnsupportedProtocol)):
            what = f"{self._base_url} led to an address that cannot be asked ({asked}): try again later"
        else:
            what = f"the answer from {self._base_url} was cut off or garbled ({asked}): {advice}"
        return Failure(
            error=ArenaNetworkError(what),
            why="no answer",
            again=True,
            is_unsent=is_unsent,
            status=self._watch.status,
        )


def _trust(base_url: str) -> ssl.SSLContext | bool:
    """Whom to believe: the usual authorities; over plain http nobody, which saves 25 ms of loading them."""
    return base_url.startswith("https:") or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


class _Bearer(httpx.Auth):
    """Puts the token into a request at the last moment: no variable on the way shows it in a traceback."""

    def __init__(self, secret: Secret) -> None:
        self._secret = secret

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers.update(self._secret.headers())
        yield request


def user_agent() -> str:
    """Who we are, so that are.na can tell and reach us."""
    try:
        version = metadata.version("vfdir_lab")
    except metadata.PackageNotFoundError:
        version = "0"
    return f"vfdir_lab/{version} (+{HOME_PAGE})"
