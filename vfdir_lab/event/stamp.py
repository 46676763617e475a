"""Stamps: when, in an order that clocks cannot break.

A stamp is a hybrid-logical-clock reading (Kulkarni et al., 2014) packed into one integer: milliseconds since
1970 shifted left by 16 bits, plus a counter. Stamps of one device strictly increase, through restarts and
backward clock steps, because a clock starts from the last stamp of the log. Stamps exceed 2^53: in JSON
they are strings.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

COUNTER_BITS = 16
DRIFT_BOUND_MS = 60_000
"""A foreign stamp further ahead of the wall is not observed: it would win until the wall caught up."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def utc_now() -> datetime:
    """The wall clock, in UTC."""
    return datetime.now(UTC)


def milliseconds_of(moment: datetime) -> int:
    """Whole milliseconds from 1970 to `moment`."""
    since = moment - EPOCH
    return (since.days * 86_400 + since.seconds) * 1000 + since.microseconds // 1000


def hlc_of(moment: datetime) -> int:
    """The smallest stamp of the millisecond that `moment` is in."""
    return milliseconds_of(moment) << COUNTER_BITS


def moment_of(hlc: int) -> datetime:
    """The wall-clock time in a stamp, to the millisecond."""
    return EPOCH + timedelta(milliseconds=hlc >> COUNTER_BITS)


class Clock:
    """Gives the stamps of one device.

    `now` reads the wall clock; `last` is the greatest stamp this device has given so far.
    """

    __slots__ = ("_last", "_now", "device")

    def __init__(self, now: Callable[[], datetime], device: str, last: int = 0) -> None:
        self._now = now
        self.device = device
        self._last = last

    @property
    def last(self) -> int:
        """The greatest stamp given or observed."""
        return self._last

    def tick(self) -> tuple[int, datetime]:
        """A new stamp, greater than every one before, and the wall clock's reading it was made at.

        Within a millisecond the counter counts; when it overflows, or when the wall stepped back, the
        stamp runs ahead of the wall until the wall has caught up.
        """
        now = self._now()
        self._last = max(hlc_of(now), self._last + 1)
        return self._last, now

    def observe(self, hlc: int) -> bool:
        """Take another device's stamp into account, so that what is said next comes after it.

        Returns False, and changes nothing, when the stamp is over a minute ahead of the wall.
        """
        if hlc >> COUNTER_BITS > milliseconds_of(self._now()) + DRIFT_BOUND_MS:
            return False
        self._last = max(self._last, hlc)
        return True
