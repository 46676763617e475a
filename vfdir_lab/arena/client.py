"""The client: one method for each question put to are.na, and for each thing wished of it.

Owns: which addresses are asked, with which parameters, and how the parts of this package are put together.
Guarantees: one call at a time, whatever the threads; a question returns what are.na said or raises an error
of the tree in `vfdir_lab.errors`; a write gives a `Sent`; the token goes to `base_url` and nowhere else.
Leaves to others: which request a write is (`writes`), how one is made (`asking`, `writing`, `uploads`), pace
and budget (`pacing`), what an answer is (`pages`, `account`, `verdict`); walking pages, and what any of it
means for the archive (`sync`).
Checked by: `tests/arena/`, over real sockets.
"""

from __future__ import annotations

import random
import threading
from typing import IO, TYPE_CHECKING, Any, Self, TypeVar

from vfdir_lab.arena import checks, expected
from vfdir_lab.arena.account import GUEST, Account, read_account
from vfdir_lab.arena.address import check_base_url, name_or_number, number
from vfdir_lab.arena.answers import Asked
from vfdir_lab.arena.pacing import GUEST_LIMIT, LOWEST_LIMIT, Pace, Rate, Wait
from vfdir_lab.arena.pages import Page, read_page
from vfdir_lab.arena.secret import Secret
from vfdir_lab.arena.sent import Accepted, Sent
from vfdir_lab.arena.time import SYSTEM_TIME, Time
from vfdir_lab.arena.writes import Writes
from vfdir_lab.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import TracebackType

    import httpx

    from vfdir_lab.arena.cache import ResponseCache
    from vfdir_lab.arena.wire import Wire

T = TypeVar("T")

_CONTENTS_SORTS = frozenset(
    f"{field}_{way}" for field in ("position", "created_at", "updated_at") for way in ("asc", "desc")
)


class ArenaClient(Writes):
    """are.na's v3 API for one account.

    Args:
        token: a personal access token; empty for a guest, who sees what is public.
        base_url: `https://host[:port]`; plain http only without a token or on this machine.
        transport: what carries requests instead of the network (httpx's own seam); closed with the client.
        time: clocks and sleep.
        cache: remembered answers; without it every answer is transferred whole.
        account: whom the token belongs to, if that is known already: saves one request.
        pause_seconds: at least this long between an answer and the next request.
        write_pause_seconds: at least this long between the answer to a write and the next write.
        may_write: the token is known to have the write scope (its maker said so); else the first write that
            are.na accepts proves it.
        on_wait: told before each sleep longer than `pause_seconds`, but for the pause between writes.
        attempts: how often one question is asked at most, the first time included.
        timeout_seconds: the longest a connect, a read or a write may take; a whole answer may take four times
            that.
        rng: numbers from 0 to 1, for the jitter between tries.

    Every question may raise each error below `ArenaError`; those it adds are named with it. A write gives a
    `Sent` instead (see `sent`). Safe to share between threads: they take turns.

    Raises:
        UsageError: an argument makes no sense, or the token would be sent unencrypted to another machine.
    """

    def __init__(  # noqa: PLR0913 - a client is configured in one place
        self,
        token: str = "",
        base_url: str = "https://api.are.na",
        *,
        transport: httpx.BaseTransport | None = None,
        time: Time = SYSTEM_TIME,
        cache: ResponseCache | None = None,
        account: Account | None = None,
        pause_seconds: float = 0.2,
        write_pause_seconds: float = 0.5,
        may_write: bool = False,
        on_wait: Callable[[Wait], None] | None = None,
        attempts: int = 5,
        timeout_seconds: float = 30,
        rng: Callable[[], float] = random.random,
    ) -> None:
        # Here, since httpx and tenacity take a tenth of a second to import.
        from vfdir_lab.arena.wiring import wire  # noqa: PLC0415

        if attempts < 1 or not timeout_seconds > 0:
            raise UsageError("attempts and timeout_seconds must be above 0")
        self._secret = Secret(token)
        self.base_url = check_base_url(base_url, with_token=bool(token))
        self._account = account if token or account else GUEST
        self._is_remembering = cache is not None
        self._lock = threading.RLock()
        limit = LOWEST_LIMIT if token else GUEST_LIMIT
        self._pace = Pace(
            time=time,
            pause_seconds=pause_seconds,
            write_pause_seconds=write_pause_seconds,
            assumed_limit=limit,
            on_wait=on_wait,
        )
        parts = wire(
            self.base_url,
            self._secret,
            transport=transport,
            timeout_seconds=timeout_seconds,
            now=time.now,
            pace=self._pace,
            cache=cache,
            attempts=attempts,
            rng=rng,
            may_write=may_write,
        )
        self._asking, self._writing, self._uploads = parts.asking, parts.writing, parts.uploads

    def __repr__(self) -> str:
        return f"ArenaClient({self.base_url!r}, {self._secret!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Hang up. A closed client answers nothing any more."""
        self._asking.close()
        self._writing.close()
        self._uploads.close()

    @property
    def requests(self) -> int:
        """HTTP requests sent to are.na so far; further tries and redirects count, uploads do not."""
        return self._pace.requests

    @property
    def waited_seconds(self) -> float:
        """Seconds slept so far: for the pace, the rate limit and further tries."""
        return self._pace.waited_seconds

    @property
    def rate(self) -> Rate | None:
        """The rate limit as are.na last told it; None before it did."""
        return self._pace.rate

    def allow(self, requests: int | None) -> None:
        """Set a budget: this many requests from now on, further tries included; None for no budget.

        The request that would exceed it is not sent: `BudgetReachedError`.

        Raises:
            UsageError: not a whole number from 0.
        """
        self._pace.allow(requests)

    @property
    def may_write(self) -> bool:
        """Whether the token is proven to have the write scope; only then is a 403 about the thing itself."""
        return self._writing.is_write_proven

    @property
    def known_account(self) -> Account | None:
        """Whom the token belongs to, as far as that is known without asking."""
        return self._account

    def account(self) -> Account:
        """Whom the token belongs to: `GET /v3/me`, asked at most once."""
        with self._lock:
            if self._account is None:
                self._account = self._asking.get("/v3/me", {}, read_account, viewer=None)
            return self._account

    def channel(self, channel: int | str) -> Wire:
        """`GET /v3/channels/{id}`: a channel by number or slug.

        Raises:
            UsageError: it can be neither.
        """
        return self._ask(f"/v3/channels/{name_or_number(channel)}", {}, _as_it_is)

    def contents(self, channel: int, *, page: int, sort: str, per: int = 100) -> Page:
        """`GET /v3/channels/{id}/contents`: one page of a channel's items, each with its `connection`.

        `sort` is always sent: are.na's description contradicts itself about the default (facts.md).

        Raises:
            UsageError: no such sort, page or page size.
        """
        if sort not in _CONTENTS_SORTS:
            raise UsageError(
                f"{sort!r} is no order of contents: give one of {', '.join(sorted(_CONTENTS_SORTS))}"
            )
        path = f"/v3/channels/{number(channel, 'channel')}/contents"
        return self._page(path, page, per, {"sort": sort})

    def block(self, block: int) -> Wire:
        """`GET /v3/blocks/{id}`: a block with what this account `can` do, without connections."""
        return self._ask(f"/v3/blocks/{number(block, 'block')}", {}, _as_it_is)

    def connection(self, connection: int) -> Wire:
        """`GET /v3/connections/{id}`."""
        return self._ask(f"/v3/connections/{number(connection, 'connection')}", {}, _as_it_is)

    def comments(self, block: int, *, page: int, per: int = 100) -> Page:
        """`GET /v3/blocks/{id}/comments`: one page of a block's comments, oldest first."""
        path = f"/v3/blocks/{number(block, 'block')}/comments"
        return self._page(path, page, per, {"sort": "created_at_asc"})

    def user_channels(self, user: int, *, page: int, per: int = 100) -> Page:
        """`GET /v3/users/{id}/contents?type=Channel`: one page of a user's channels, oldest first.

        are.na answers from a search index that lags: a channel may be missing for a while (facts.md).
        """
        path = f"/v3/users/{number(user, 'user')}/contents"
        return self._page(path, page, per, {"type": "Channel", "sort": "created_at_asc"})

    def presign(self, files: Sequence[tuple[str, str]]) -> Sent:
        """`POST /v3/uploads/presign`: places for 1 to 50 files, given as name and content type.

        The body has `files` in the same order, each with `upload_url` (for `upload`, within the hour) and
        `key` (for `upload_value`). It makes nothing that anybody sees, and does not prove the write scope.

        Raises:
            UsageError: no files, too many, or a name or content type that is none.
        """
        body = {"files": checks.files(files)}
        asked = Asked(method="POST", path="/v3/uploads/presign")
        with self._lock:
            sent = self._writing.send(asked, body, expected.presigned(len(files)), proves_scope=False)
            if isinstance(sent, Accepted) and sent.body is not None:
                self._uploads.remember(sent.body)
            return sent

    def upload(self, upload_url: str, file: bytes | IO[bytes], content_type: str) -> Sent:
        """`PUT` a file (at most 256 MiB, from where it stands to its end) to where `presign` said.

        Without the token, and with exactly the content type presigned. It counts neither against the budget
        nor the rate limit, since it does not go to are.na. Sending it twice is harmless.

        Raises:
            UsageError: this client was not told this address, or the file is too large.
            OSError: the file cannot be read.
        """
        with self._lock:
            return self._uploads.send(upload_url, file, content_type)

    def _write(
        self,
        method: str,
        path: str,
        body: Mapping[str, object] | None,
        read: Callable[[Any], Wire] | None,
    ) -> Sent:
        with self._lock:
            return self._writing.send(Asked(method=method, path=path), body, read)

    def _page(self, path: str, page: int, per: int, params: Mapping[str, str]) -> Page:
        if isinstance(page, bool) or page < 1:
            raise UsageError(f"{page!r} is no page: are.na counts pages from 1")
        if isinstance(per, bool) or not 1 <= per <= 100:
            raise UsageError(f"{per!r} is no page size: are.na gives 1 to 100 items a page")
        return self._ask(
            path, {"page": page, "per": per, **params}, lambda answer: read_page(answer, page=page, per=per)
        )

    def _ask(self, path: str, params: Mapping[str, str | int], read: Callable[[Wire], T]) -> T:
        with self._lock:
            viewer = self.account().key if self._is_remembering else None
            return self._asking.get(path, params, read, viewer=viewer)


def _as_it_is(answer: Wire) -> Wire:
    return answer
