"""Asking: the one routine that every question to are.na passes.

Owns: the order of things. A turn at the gate, the request with the token, same-origin redirects, the
remembered answer if are.na says it still holds, judgement, and another try where one may help.
Guarantees: a question gives the value that its reader makes of are.na's answer, or an error of the tree;
answers are remembered only after they made sense, and never if they repeat the token.
Leaves to others: pace and budget (`pacing`), how often to try (`retry`), sockets (`transport`), meaning
(`answers`), the questions themselves (`client`).
Checked by: `tests/arena/`, over real sockets.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from vfdir_lab.arena.address import host_of, redirected, url_of
from vfdir_lab.arena.answers import Asked, Reply, odd_answer, read_answer
from vfdir_lab.arena.cache import Entry, ResponseCache
from vfdir_lab.arena.failure import Failure
from vfdir_lab.arena.retry import insist
from vfdir_lab.arena.transport import Line

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from vfdir_lab.arena.pacing import Pace
    from vfdir_lab.arena.secret import Secret
    from vfdir_lab.arena.wire import Wire

T = TypeVar("T")

MOST_REDIRECTS = 3
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class Asking:
    """Puts questions to one are.na with one token. Not safe between threads: `client` holds the lock."""

    def __init__(  # noqa: PLR0913 - the parts it puts in order
        self,
        *,
        base_url: str,
        secret: Secret,
        line: Line,
        pace: Pace,
        cache: ResponseCache | None,
        attempts: int,
        rng: Callable[[], float],
    ) -> None:
        self._base_url = base_url
        self._secret = secret
        self._line = line
        self._pace = pace
        self._cache = cache
        self._attempts = attempts
        self._rng = rng

    def close(self) -> None:
        """Hang up."""
        self._line.close()

    def get(
        self, path: str, params: Mapping[str, str | int], read: Callable[[Wire], T], *, viewer: str | None
    ) -> T:
        """What `read` makes of the answer to `GET path?params`.

        `viewer` is the key of the account under which to remember the answer; None: do not remember it.

        Raises:
            ArenaError: no answer, a refusal, or one that `read` calls malformed.
        """
        asked = Asked(method="GET", path=path)
        url = url_of(self._base_url, path, params)
        return insist(
            lambda: self._try(asked, url, read, viewer),
            attempts=self._attempts,
            rng=self._rng,
            wait=self._pace.wait,
        )

    def _try(self, asked: Asked, url: str, read: Callable[[Wire], T], viewer: str | None) -> T | Failure:
        cache = self._cache if viewer is not None else None
        viewer = viewer or ""
        kept = cache.get(viewer, url) if cache else None
        reply = self._exchange(asked, url, kept.etag if kept else None)
        if isinstance(reply, Reply) and reply.status == 304:
            if kept is not None:
                value = read_answer(asked, replace(reply, status=200, body=kept.body), read, self._secret)
                if not isinstance(value, Failure) or not value.again:
                    return value
            # There is nothing to show for this 304: ask again, for the whole of it.
            reply = self._exchange(asked, url, None)
        if isinstance(reply, Failure):
            return reply
        value = read_answer(asked, reply, read, self._secret)
        etag = reply.headers.get("etag", "")
        if cache and not isinstance(value, Failure) and not self._secret.is_in(reply.body, etag.encode()):
            cache.put(viewer, url, Entry(etag=etag, body=reply.body))
        return value

    def _exchange(
        self, asked: Asked, url: str, etag: str | None, redirects: int = MOST_REDIRECTS
    ) -> Reply | Failure:
        """One request and its answer, after at most so many redirects that stay at are.na."""
        with self._pace.turn():
            reply = self._line.send(asked, url, {"If-None-Match": etag} if etag else {})
        if isinstance(reply, Failure):
            return reply
        self._pace.heed(reply.headers)
        location = reply.headers.get("location")
        if reply.status not in _REDIRECTS or location is None:
            return reply
        target = redirected(self._base_url, url, location)
        if target is None:
            host = self._secret.hide(host_of(url, location))
            return odd_answer(asked, reply.status, f"redirected to another place, {host}", again=False)
        if redirects == 0:
            return odd_answer(
                asked, reply.status, f"redirected more than {MOST_REDIRECTS} times", again=False
            )
        return self._exchange(asked, target, etag, redirects - 1)
