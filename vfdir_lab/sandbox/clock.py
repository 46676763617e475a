"""The sandbox's two clocks.

Owns: what time the service believes it is (`wall`, seconds since 1970, may be set wrong on purpose), and the
steady clock that limits and delays are measured with. Guarantees that an offset moves only the first. Leaves
to others what a time is used for. Checked by `tests/sandbox/test_control.py`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import formatdate


class Clock:
    """Reads the time from two given functions, so that tests can stand still."""

    def __init__(
        self, wall: Callable[[], float] = time.time, steady: Callable[[], float] = time.monotonic
    ) -> None:
        self._wall = wall
        self.steady = steady
        self.offset_seconds = 0.0

    def now(self) -> int:
        """The service's time in whole seconds, as are.na stamps things."""
        return int(self._wall() + self.offset_seconds)

    def http_date(self) -> str:
        """The `Date` header of an answer given now."""
        return formatdate(self.now(), usegmt=True)


def iso(seconds: int) -> str:
    """Write a time as are.na v3 does: `2026-03-09T22:02:26Z`, whole seconds."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
