"""Where a file may be fetched from: the check of an address, and of the machine that it names.

Owns: `target_of`, the rules of which hosts may be asked, and their only exception.
Guarantees: what comes out of here is an http(s) address, with the numbers of machines on the public network
that were found for its host now; who connects to those, and to nothing else, reaches no machine of the
person's own network, whatever a name is made to mean a moment later. Loopback is let through where it was
allowed, and no other private network ever.
Leaves to others: connecting (`line`), redirects (`fetch`).
Checked by: `tests/media/test_fetch_address.py`.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit, urlunsplit

from vfdir_lab.errors import MediaFetchError

Resolve = Callable[[str, int], Sequence[str]]
"""The numeric addresses of a host (name, port). Raises OSError: there are none."""

Numeric = ipaddress.IPv4Address | ipaddress.IPv6Address

_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"[a-z0-9._:-]+", re.IGNORECASE)
_IN_IPV6 = ipaddress.IPv6Network("64:ff9b::/96")
_NUMBER_BITS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A checked address: what to ask for (`path`, with its query), whom (`host`), and where (`numbers`)."""

    scheme: str
    host: str
    port: int
    path: str
    numbers: tuple[str, ...]

    @property
    def host_header(self) -> str:
        """The host, and the port where it is not the usual one."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    def url_at(self, number: str) -> str:
        """The address, asked for at one of the numbers."""
        host = f"[{number}]" if ":" in number else number
        return f"{self.scheme}://{host}:{self.port}{self.path}"


def system_resolve(host: str, port: int) -> Sequence[str]:
    """What the system knows of a host."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(one[4][0]) for one in found))


def target_of(url: str, *, loopback: bool, resolve: Resolve = system_resolve) -> Target:
    """An address, checked and resolved; `loopback` allows this machine, which else is as private as any.

    Raises:
        MediaFetchError: it is no web address, or no public one.
    """
    parts, host, port = _taken_apart(url)
    try:
        numbers = tuple(one for one in resolve(host, port) if may_be_asked(one, loopback=loopback))
    except (OSError, UnicodeError) as error:
        what = f"nobody knows where {host} is"
        raise MediaFetchError(what, url=url, is_retryable=True, is_silent=True) from error
    if not numbers:
        raise MediaFetchError(
            f"{host} is not on the public network, and nothing else is asked", url=url, is_retryable=False
        )
    path = urlunsplit(("", "", parts.path or "/", parts.query, ""))
    return Target(scheme=parts.scheme, host=host, port=port, path=path, numbers=numbers)


def _taken_apart(url: str) -> tuple[SplitResult, str, int]:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        host = host if host.isascii() else host.encode("idna").decode("ascii")
    except ValueError as error:  # a UnicodeError is one
        raise _no_address(url) from error
    if parts.scheme not in _PORTS or _HOST.fullmatch(host) is None or "@" in parts.netloc or port == 0:
        raise _no_address(url)
    return parts, host, port or _PORTS[parts.scheme]


def _no_address(url: str) -> MediaFetchError:
    return MediaFetchError(
        "it is no address a file can be fetched from: http(s)://host/…, without a name and password",
        url=url,
        is_retryable=False,
    )


def may_be_asked(number: str, *, loopback: bool) -> bool:
    """Whether a numeric address is one of the public network, or this machine's where that is allowed."""
    try:
        address = _meant(ipaddress.ip_address(number))
    except ValueError:
        return False
    if address.is_loopback:
        return loopback
    is_odd = address.is_multicast or address.is_reserved or address.is_unspecified or address.is_link_local
    is_odd = is_odd or (isinstance(address, ipaddress.IPv6Address) and address.is_site_local)
    return address.is_global and not is_odd


def _meant(address: Numeric) -> Numeric:
    """The address of version 4 that one of version 6 carries, where it carries one."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    carried = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
    if carried is None and address in _IN_IPV6:
        carried = ipaddress.IPv4Address(int(address) % (1 << _NUMBER_BITS))
    return carried or address
