"""How a person says a moment: a date, a time, or a head. Each becomes a head, which is reproducible."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, date, datetime

from vfdir_lab.errors import HeadError
from vfdir_lab.log.eventlog import EventLog
from vfdir_lab.log.head import Head

Moment = str | date | datetime | Head


def head_of(log: EventLog, moment: Moment) -> Head:
    """The head that `moment` means for this log as it is now.

    A date is its first instant in UTC, a time without a zone is UTC; the head then is what had been recorded
    *before* it. A head (`k3f9a2:18204,m2aab3:311`) means itself.

    Raises:
        HeadError: it says no moment, or a head this log does not reach.
    """
    if isinstance(moment, str):
        moment = _read(moment)
    if isinstance(moment, Head):
        log.require(moment)
        return moment
    return log.head_at(instant_of(moment))


def _read(text: str) -> Head | datetime:
    with suppress(HeadError):  # first, for a device may be called 2026abcdef
        return Head.parse(text)
    try:
        return datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise HeadError(
            f"{text!r} says no moment: give a date (2026-01-31), a time (2026-01-31T14:00Z) or a head"
        ) from error


def instant_of(moment: str | date | datetime) -> datetime:
    """The instant that a date or time means, in UTC.

    Raises:
        HeadError: it says none.
    """
    said = _read(moment) if isinstance(moment, str) else moment
    if isinstance(said, Head):
        raise HeadError(f"{said} is a head, not a date or time: it says what was known, not what was so")
    if not isinstance(said, datetime):
        return datetime(said.year, said.month, said.day, tzinfo=UTC)
    return said.replace(tzinfo=UTC) if said.tzinfo is None else said.astimezone(UTC)
