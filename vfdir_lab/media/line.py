"""The line to where files are: one GET out, one answer in, as it comes. All of media's HTTP.

Owns: the httpx client, its time limits and headers; the border at which httpx's exceptions become ours.
Guarantees: a request goes to a checked number and names the host that was checked, also in TLS. No token,
no cookie, no `.netrc`, no redirect followed, nothing unpacked. Headers come within `HEAD_STEPS` times the
time limit of a step, a body no slower than `SLOWEST_BYTES_A_SECOND` after that much grace.
Leaves to others: what to ask for and what to make of it (`fetch`).
Checked by: `tests/media/test_fetch_line.py`, over real sockets.

Proxies of the environment are honoured, since people sit behind proxies they must use; not so where this
machine may be asked.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from time import monotonic
from typing import Any

import httpx

from vfdir_lab.errors import MediaFetchError, UsageError
from vfdir_lab.media.address import Target

STEP_SECONDS = 30.0
HEAD_STEPS = 4
SLOWEST_BYTES_A_SECOND = 16 * 1024
MOST_NUMBERS = 3
_CONNECTED = (".connect_tcp.complete", ".start_tls.complete")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer whose head is here; `pieces` gives its body, once."""

    status: int
    headers: Mapping[str, str]
    pieces: Callable[[], Iterator[bytes]]


class Line:
    """One request at a time. `is_direct` passes proxies by."""

    def __init__(self, user_agent: str, *, is_direct: bool, step_seconds: float = STEP_SECONDS) -> None:
        self._headers = {"User-Agent": user_agent, "Accept": "*/*", "Accept-Encoding": "identity"}
        self._is_direct = is_direct
        self._step_seconds = step_seconds
        self._trust: ssl.SSLContext | None = None
        self._kept: tuple[tuple[str, str, int], httpx.Client] | None = None

    def close(self) -> None:
        """Hang up."""
        if self._kept is not None:
            self._kept[1].close()
            self._kept = None

    @contextmanager
    def get(self, target: Target, headers: Mapping[str, str]) -> Iterator[Answer]:
        """Ask for a file at the first of the target's numbers that can be reached.

        Raises:
            MediaFetchError: nobody answers, or the answer breaks off, inside the `with` body, too.
        """
        url = target.url_at(target.numbers[0])
        try:
            with self._opened(target, headers) as answer:
                yield answer
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, UnicodeError, OSError) as error:
            what = _meaning(target.host, error)
            raise MediaFetchError(what, url=url, is_retryable=True, is_silent=True) from error

    @contextmanager
    def _opened(self, target: Target, headers: Mapping[str, str]) -> Iterator[Answer]:
        client = self._client(target)
        response = self._reached(client, target, headers)
        try:
            yield Answer(
                status=response.status_code,
                headers={name.lower(): value for name, value in response.headers.items()},
                pieces=lambda: self._pieces(response),
            )
        finally:
            response.close()

    def _client(self, target: Target) -> httpx.Client:
        """The client for a host: an open connection serves the host only for which it proved who it is."""
        whom = (target.scheme, target.host, target.port)
        if self._kept is not None and self._kept[0] == whom:
            self._kept[1].cookies.clear()
            return self._kept[1]
        self.close()
        client = self._new_client(target)
        self._kept = (whom, client)
        return client

    def _new_client(self, target: Target) -> httpx.Client:
        try:
            if self._trust is None and target.scheme == "https":
                self._trust = httpx.create_ssl_context(trust_env=not self._is_direct)
            return httpx.Client(
                # Over plain http nobody is believed, which saves loading whom to believe.
                verify=self._trust or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
                timeout=self._step_seconds,
                trust_env=not self._is_direct,
                follow_redirects=False,
                limits=httpx.Limits(max_connections=1),
                headers=self._headers | {"Host": target.host_header},
            )
        except (ImportError, ValueError, OSError, httpx.InvalidURL):
            # The exception may quote the proxy's address, and that a password.
            raise UsageError(
                "the proxy or certificate settings of the environment cannot be used: "
                "check HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and SSL_CERT_FILE"
            ) from None

    def _reached(self, client: httpx.Client, target: Target, headers: Mapping[str, str]) -> httpx.Response:
        numbers = target.numbers[:MOST_NUMBERS]
        for number in numbers[:-1]:
            with suppress(httpx.ConnectError, httpx.ConnectTimeout):
                return self._sent(client, target, number, headers)
        return self._sent(client, target, numbers[-1], headers)

    def _sent(
        self, client: httpx.Client, target: Target, number: str, headers: Mapping[str, str]
    ) -> httpx.Response:
        sockets: list[Any] = []

        def watch(event: str, info: Mapping[str, Any]) -> None:
            if event.endswith(_CONNECTED):
                sockets.append(info["return_value"].get_extra_info("socket"))

        extensions = {"sni_hostname": target.host, "trace": watch}
        request = client.build_request(
            "GET", target.url_at(number), headers=dict(headers), extensions=extensions
        )
        timer = threading.Timer(self._step_seconds * HEAD_STEPS, _cut, [sockets])
        timer.daemon = True
        timer.start()
        try:
            return client.send(request, stream=True)
        finally:
            timer.cancel()

    def _pieces(self, response: httpx.Response) -> Iterator[bytes]:
        started, received = monotonic(), 0
        for piece in response.iter_raw():
            received += len(piece)
            grace = self._step_seconds * HEAD_STEPS
            if monotonic() - started > grace + received / SLOWEST_BYTES_A_SECOND:
                raise httpx.ReadTimeout("the body trickles")
            yield piece


def _cut(sockets: list[Any]) -> None:
    """Cut a connection whose answer does not begin: httpx only limits the single read."""
    if sockets and isinstance(sockets[-1], socket.socket):
        with suppress(OSError):  # not `SSLSocket.shutdown`, which would act under the reading thread
            socket.socket.shutdown(sockets[-1], socket.SHUT_RDWR)


def _meaning(host: str, error: Exception) -> str:
    if isinstance(error, httpx.TimeoutException):
        return f"{host} did not answer in time"
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return f"whoever answers for {host} cannot prove to be it"
    if isinstance(error, (httpx.ConnectError, httpx.ProxyError)):
        return f"no connection to {host}"
    return f"the answer of {host} broke off or was garbled"
