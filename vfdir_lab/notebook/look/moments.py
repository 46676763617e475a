"""The moments of a channel: when something came up about it, on one of the two axes.

Owns: `moments_of`, and how many moments are told apart.
Guarantees: in order, each once, at most `MOST_STEPS`; `archive.as_of(moment, axis=…)` at one of them shows
all that came up until then.
Leaves to others: what there is to see at them (`time_machine`).
Checked by: `tests/notebook/test_time_machine.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from vfdir_lab.notebook.look.room import filled, sql
from vfdir_lab.projection import View

KNEW, EFFECTIVE = "knew", "effective"
MOST_STEPS = 400
_UNITS = tuple(
    timedelta(seconds=seconds) for seconds in (1, 60, 3_600, 86_400, 7 * 86_400, 30 * 86_400, 365 * 86_400)
)
_START = datetime(1970, 1, 1, tzinfo=UTC)
_TIMES = {KNEW: "recorded_at", EFFECTIVE: "valid_from"}


def moments_of(view: View, channel: str, axis: str) -> tuple[datetime, ...]:
    """The moments after which something new is shown, oldest first; `view` is from the axis.

    Raises:
        ProjectionError, LogError
    """
    query = filled(sql("moments").replace("$time", _TIMES[axis]), channel=channel)
    seconds = view.sql(query).to_arrow_table().column("second").to_pylist()
    return thinned([one for one in seconds if one > _START])


def thinned(seconds: Iterable[datetime]) -> tuple[datetime, ...]:
    """The ends of the seconds in which something came up; of minutes, hours, days, where there are many."""
    known = list(seconds)
    found: tuple[datetime, ...] = ()
    for unit in _UNITS:
        found = tuple(sorted({one - (one - _START) % unit + unit for one in known}))
        if len(found) <= MOST_STEPS:
            return found
    return found[-MOST_STEPS:]
