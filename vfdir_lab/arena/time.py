"""The three things time is used for: dating, measuring, waiting.

Owns: `Time`, the bundle that is passed to whatever has to wait, and `SYSTEM_TIME`, the real one.
Guarantees: nothing else in this package reads a clock or sleeps, but for the socket deadlines of `transport`,
which are about the real network whatever time a test pretends it is.
Leaves to others: how long to wait (`pacing`, `retry`).
Checked by: `tests/arena`, which run hours of waiting in milliseconds on a `Time` of their own.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Time:
    """A clock to date by, a clock to measure by, and a way to wait.

    `now` gives the wall clock in UTC; `monotonic` gives seconds that never go back; `sleep` waits that many
    seconds and must move `monotonic` on by them.
    """

    now: Callable[[], datetime]
    monotonic: Callable[[], float]
    sleep: Callable[[float], None]


def _utc_now() -> datetime:
    return datetime.now(UTC)


SYSTEM_TIME = Time(now=_utc_now, monotonic=time.monotonic, sleep=time.sleep)
