"""The line: one HTTP request out, one whole answer in. The only module that speaks httpx.

Owns: the httpx client, its time limits and its headers; the border at which httpx's exceptions become
failures.
Guarantees: `send` returns a `Reply` or a `Failure`. A step (connect, read, write) takes at most
`timeout_seconds`, a whole answer at most `ANSWER_STEPS` times that, even if it trickles in byte by byte; a
body is read up to `LARGEST_BODY_BYTES`. No redirect is followed here, no cookie kept, no `.netrc` read.
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
from importlib import metadata
from typing import TYPE_CHECKING, Any

import httpx

from vfdir_lab.arena.address import is_loopback
from vfdir_lab.arena.answers import Asked, Reply, odd_answer
from vfdir_lab.arena.failure import Failure
from vfdir_lab.errors import ArenaNetworkError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping
    from datetime import datetime

    from vfdir_lab.arena.secret import Secret

LARGEST_BODY_BYTES = 64 * 1024 * 1024
ANSWER_STEPS = 4
HOME_PAGE = "https://github.com/vfdir/vfdir_lab"

# One layer only: a few kilobytes packed several times over would unpack to more than any machine holds.
_ENCODINGS = {"", "identity", "gzip"}


class Line:
    """An open line to one are.na, for one request at a time."""

    def __init__(
        self,
        base_url: str,
        *,
        secret: Secret,
        transport: httpx.BaseTransport | None,
        timeout_seconds: float,
        now: Callable[[], datetime],
    ) -> None:
        self._base_url = base_url
        self._now = now
        self._step_seconds = timeout_seconds
        self._stream: Any = None
        try:
            self._http = httpx.Client(
                transport=transport,
                auth=_Bearer(secret),
                verify=_trust(base_url),
                timeout=timeout_seconds,
                limits=httpx.Limits(max_connections=1),
                trust_env=not is_loopback(base_url),
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
        """Hang up."""
        self._http.close()

    def send(self, asked: Asked, url: str, headers: Mapping[str, str]) -> Reply | Failure:
        """Send one request and read its answer to the end.

        Raises:
            UsageError: the line is closed.
        """
        if self._http.is_closed:
            raise UsageError("this client is closed: make a new ArenaClient")
        self._http.cookies.clear()
        with self._deadline() as late:
            try:
                return self._exchange(asked, url, headers, late)
            except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, UnicodeError) as error:
                # A value, not `raise … from`: httpx's exceptions hold the request, and that the token.
                return self._no_answer(asked, error, is_late=late.is_set())

    def _exchange(
        self, asked: Asked, url: str, headers: Mapping[str, str], late: threading.Event
    ) -> Reply | Failure:
        sent_at = self._now()
        extensions = {"trace": self._watch}
        with self._http.stream(asked.method, url, headers=dict(headers), extensions=extensions) as response:
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
    def _deadline(self) -> Iterator[threading.Event]:
        """Cut the connection when a whole answer took too long: httpx only limits the single read."""
        late = threading.Event()
        timer = threading.Timer(self._step_seconds * ANSWER_STEPS, self._cut, [late])
        timer.daemon = True
        timer.start()
        try:
            yield late
        finally:
            timer.cancel()

    def _cut(self, late: threading.Event) -> None:
        late.set()
        open_socket = self._stream.get_extra_info("socket") if self._stream is not None else None
        if isinstance(open_socket, socket.socket):
            # Not `SSLSocket.shutdown`, which would take the encryption away under the reading thread.
            with suppress(OSError):
                socket.socket.shutdown(open_socket, socket.SHUT_RDWR)

    def _watch(self, event: str, info: Mapping[str, Any]) -> None:
        """Remember the connection in use; httpx tells of each new one through its `trace` extension."""
        if event.endswith((".connect_tcp.complete", ".start_tls.complete")):
            self._stream = info["return_value"]

    def _no_answer(self, asked: Asked, error: Exception, *, is_late: bool) -> Failure:
        if is_late or isinstance(error, httpx.TimeoutException):
            what = f"no answer from {self._base_url} in time ({asked}): try again later"
        elif isinstance(error, (httpx.ConnectError, httpx.ProxyError, UnicodeError)):
            what = (
                f"no connection to {self._base_url} ({asked}): is the network up, is the address right, "
                "does a proxy stand between?"
            )
        elif isinstance(error, (httpx.InvalidURL, httpx.UnsupportedProtocol)):
            what = f"{self._base_url} led to an address that cannot be asked ({asked}): try again later"
        else:
            what = f"the answer from {self._base_url} was cut off or garbled ({asked}): try again later"
        return Failure(error=ArenaNetworkError(what), why="no answer", again=True)


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
