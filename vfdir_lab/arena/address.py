"""Where are.na is, and what may be asked there.

Owns: the checks on the base address, on the pieces of a path, and on where a redirect may lead.
Guarantees: every address that comes out of here begins with the checked base address, so a token sent along
with a request cannot reach another host, whatever a `Location` header or a channel's name says.
Leaves to others: sending (`transport`), counting redirects (`client`).
Checked by: `tests/arena/test_address.py`.
"""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode, urljoin, urlsplit

from vfdir_lab.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

# A name or number with a port. No user name: httpx would make a password of it.
_PLAIN_HOST = re.compile(r"[A-Za-z0-9._:\[\]-]+")
_DEFAULT_PORTS = {"http": 80, "https": 443}


def check_base_url(base_url: str, *, with_token: bool) -> str:
    """The address of an are.na without a trailing slash.

    Raises:
        UsageError: it is not `http(s)://host[:port]`, or a token would leave this machine unencrypted.
    """
    origin = _origin(base_url)
    if origin is None:
        raise UsageError("the address of are.na must look like https://api.are.na: check ARENA_API_URL")
    parts = urlsplit(base_url)
    if parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise UsageError(
            f"the address of are.na ends after the host, without a path ({parts.scheme}://{parts.netloc}): "
            "check ARENA_API_URL"
        )
    if with_token and parts.scheme == "http" and not is_loopback(base_url):
        raise UsageError(
            f"a token is never sent unencrypted to another machine ({parts.netloc}): "
            "use https://, or no token"
        )
    return f"{parts.scheme}://{parts.netloc}"


def is_loopback(base_url: str) -> bool:
    """Whether the address is this machine: then no proxy stands between, and http is private enough."""
    host = urlsplit(base_url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def url_of(base_url: str, path: str, params: Mapping[str, str | int]) -> str:
    """The address of one request; equal questions have equal addresses, which the cache relies on."""
    return f"{base_url}{path}?{urlencode(params)}" if params else f"{base_url}{path}"


def redirected(base_url: str, url: str, location: str) -> str | None:
    """Where a redirect leads, if it stays at `base_url`; None if it leads anywhere else."""
    try:
        target = urljoin(url, location)
    except ValueError:
        return None
    if _origin(target) != _origin(base_url):
        return None
    parts = urlsplit(target)
    # Put together anew from our own base: two parsers may disagree about what a host is.
    return f"{base_url}{parts.path or '/'}" + (f"?{parts.query}" if parts.query else "")


def host_of(url: str, location: str) -> str:
    """The host a redirect names, to show a person."""
    try:
        return urlsplit(urljoin(url, location)).hostname or "nowhere"
    except ValueError:
        return "a malformed address"


def name_or_number(channel: int | str) -> str:
    """A channel's number or slug as one piece of a path.

    Raises:
        UsageError: it could only be answered 404, which must not be mistaken for a deletion (facts.md, quirk
            11).
    """
    if isinstance(channel, int):
        return number(channel, "channel")
    bad = (
        not channel
        or channel in {".", ".."}
        or any(c in "/?#%\\" or c <= " " or c == "\x7f" for c in channel)
    )
    if bad or not channel.isprintable():
        raise UsageError(f"{channel[:100]!r} is not a channel: give its slug, number or address")
    return quote(channel, safe="")


def number(value: int, what: str) -> str:
    """An are.na number as one piece of a path.

    Raises:
        UsageError: not a positive whole number.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise UsageError(f"{value!r} is not the number of a {what}: are.na counts from 1")
    return str(value)


def _origin(url: str) -> tuple[str, str, int] | None:
    """Scheme, host and port; None for what is not a plain web address, or one with a user name in it."""
    try:
        parts = urlsplit(url)
        scheme, host, port = parts.scheme, parts.hostname, parts.port
    except ValueError:
        return None
    if scheme not in _DEFAULT_PORTS or not host or _PLAIN_HOST.fullmatch(parts.netloc) is None:
        return None
    return scheme, host, port or _DEFAULT_PORTS[scheme]
