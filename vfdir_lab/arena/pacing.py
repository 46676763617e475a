"""Not asking too much: pace, rate limit, budget.

Owns: when the next request may leave, and the count of those that left.
Guarantees: in any `WINDOW_SECONDS` fewer requests reach are.na than `SHARE` of the limit it told (at least
one); between an answer and the next request lie `pause_seconds`, between the answer to a write and the next
write `write_pause_seconds`; no request leaves beyond the budget, in which reads and writes count alike. The
window is measured from the end of each request to the start of the next, so it holds on are.na's clock too,
wherever in between a request arrived. Until are.na tells a limit, the lowest one for such an account is
assumed.
Leaves to others: waiting out a 429 and backing off (`retry`), both through `wait` here, so all sleep is
counted.
Checked by: `tests/arena/test_pacing.py`, a property over arbitrary limits and durations.
"""

from __future__ import annotations

import math
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vfdir_lab.errors import BudgetReachedError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from vfdir_lab.arena.time import Time

WINDOW_SECONDS = 60.0
SHARE = 0.8

# Requests a minute, facts.md: what are.na grants at least, with a token and without.
LOWEST_LIMIT = 120
GUEST_LIMIT = 30

# A clock read after a sleep may be short by a rounding; this much is slept on top.
_ROUNDING_SECONDS = 0.001


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Told before each sleep longer than the ordinary pace: how many seconds, and why in plain words."""

    seconds: float
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """The rate limit as are.na last told it.

    `tier` is are.na's name for the class of account, `limit` the requests it allows in a minute, `used` those
    we sent in the last minute.
    """

    tier: str | None
    limit: int
    used: int


class Pace:
    """The one gate that every request passes."""

    def __init__(
        self,
        *,
        time: Time,
        pause_seconds: float,
        write_pause_seconds: float,
        assumed_limit: int,
        on_wait: Callable[[Wait], None] | None,
    ) -> None:
        for seconds in (pause_seconds, write_pause_seconds):
            if not 0 <= seconds < math.inf:
                raise UsageError(f"a pause of {seconds} seconds makes no sense: give 0 or more")
        self.requests = 0
        self.waited_seconds = 0.0
        self._time = time
        self._pause_seconds = pause_seconds
        self._write_pause_seconds = write_pause_seconds
        self._last_write_end = -math.inf
        self._on_wait = on_wait
        self._limit = assumed_limit
        self._tier: str | None = None
        self._is_told = False
        self._allowed: int | None = None
        self._budget: int | None = None
        self._ends: deque[float] = deque()

    @property
    def rate(self) -> Rate | None:
        """None as long as are.na told no limit."""
        if not self._is_told:
            return None
        since = self._time.monotonic() - WINDOW_SECONDS
        return Rate(tier=self._tier, limit=self._limit, used=sum(end > since for end in tuple(self._ends)))

    def allow(self, requests: int | None) -> None:
        """Let this many more requests pass, or any number (None).

        Raises:
            UsageError: not a whole number from 0.
        """
        if requests is not None and (isinstance(requests, bool) or requests < 0):
            raise UsageError(f"a budget of {requests!r} requests makes no sense: give a whole number from 0")
        self._allowed = self._budget = requests

    @contextmanager
    def turn(self, *, is_write: bool = False) -> Iterator[None]:
        """Wait until one request may leave, and count it.

        Raises:
            BudgetReachedError: before any waiting, if the request would exceed the budget.
        """
        self._check_budget()
        self._await_turn(is_write=is_write)
        self.requests += 1
        if self._allowed is not None:
            self._allowed -= 1
        try:
            yield
        finally:
            self._ends.append(self._time.monotonic())
            if is_write:
                self._last_write_end = self._ends[-1]

    def wait(self, seconds: float, reason: str) -> None:
        """Wait before trying again.

        Raises:
            BudgetReachedError: instead of waiting for a request that could not be sent afterwards.
        """
        self._check_budget()
        self._sleep(seconds, reason)

    def heed(self, headers: Mapping[str, str]) -> None:
        """Take over tier and limit from an answer that tells them; nonsense is ignored."""
        limit = headers.get("x-ratelimit-limit", "").strip()
        if limit.isascii() and limit.isdigit() and len(limit) <= 9 and int(limit) > 0:
            tier = headers.get("x-ratelimit-tier", "")
            self._limit = int(limit)
            self._tier = tier if 0 < len(tier) <= 40 and tier.isprintable() else None
            self._is_told = True

    def _check_budget(self) -> None:
        if self._allowed == 0:
            raise BudgetReachedError(
                f"the {self._budget} requests allowed for this run are used up: run again to go on from here"
            )

    def _await_turn(self, *, is_write: bool) -> None:
        now = self._time.monotonic()
        while len(self._ends) > 1 and self._ends[0] <= now - WINDOW_SECONDS:
            self._ends.popleft()
        most = max(1, math.ceil(self._limit * SHARE) - 1)
        window = self._ends[-most] + WINDOW_SECONDS - now if len(self._ends) >= most else 0.0
        pause = self._ordinary_pause(now, is_write=is_write)
        if window > pause:
            self._sleep(window + _ROUNDING_SECONDS, f"staying below are.na's {self._limit} requests a minute")
        elif pause > 0:
            self._rest(pause)

    def _ordinary_pause(self, now: float, *, is_write: bool) -> float:
        """Seconds until the pace lets the next request go; never more than a pause, whatever a clock says."""
        since = now - self._ends[-1] if self._ends else math.inf
        since_write = now - self._last_write_end if is_write else math.inf
        after_any = min(self._pause_seconds - since, self._pause_seconds)
        after_write = min(self._write_pause_seconds - since_write, self._write_pause_seconds)
        return max(after_any, after_write, 0.0)

    def _sleep(self, seconds: float, reason: str) -> None:
        if seconds > self._pause_seconds and self._on_wait is not None:
            self._on_wait(Wait(seconds=seconds, reason=reason))
        self._rest(seconds)

    def _rest(self, seconds: float) -> None:
        self._time.sleep(seconds)
        self.waited_seconds += seconds
