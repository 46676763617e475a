"""What became of a write.

Owns: `Sent` and its four kinds. A write gives exactly one of them; what the server said is never raised.

    Accepted   are.na answered that it is done
    Refused    are.na answered that it will not do this; the same wish will be refused again
    NotSent    nothing was done: no byte left, or are.na turned the request away at the door
    Unknown    bytes left and no proof came back: it may be done or not

Guarantees: they say no more than what is proven (`verdict` has the rule). Frozen; errors in them were never
raised, so they have no traceback and no chain in which a token could be.
Leaves to others: what follows for the wish (`sync`).
Checked by: `tests/arena/test_verdict.py`, `test_write_faults.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from vfdir_lab.arena.wire import Wire
    from vfdir_lab.errors import ArenaError


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What became of one write; always one of the four kinds below.

    `asked` is the request for people, `PUT /v3/blocks/7`. `begun_at` and `got_at` are the moments, by this
    machine's clock in UTC, just before the request could leave and just after all that came back was read: a
    GET that starts after `got_at` starts after the answer.
    """

    asked: str
    begun_at: datetime
    got_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted(Sent):
    """are.na answered 2xx in its own shape.

    `body` is the thing as are.na answered it (the block, channel, connection or comment; for `presign` the
    whole answer), None where it answers with nothing, as after a delete or an upload. A block may look other
    than it will be: are.na answers before it connects and processes it (facts.md, quirks 1 and 2).
    """

    status: int
    body: Wire | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused(Sent):
    """are.na will not do this. `error` is the reason, its text one line for people."""

    error: ArenaError


@dataclass(frozen=True, slots=True, kw_only=True)
class NotSent(Sent):
    """Nothing was done, and sending the same later changes nothing about that.

    `error` says why: `ArenaNetworkError` (no connection), `ArenaAuthError` (401), `ArenaForbiddenError`
    (403, and nothing proves that the token may write), `ArenaRateLimitError` (429), `BudgetReachedError`.
    `pause_seconds` is how long are.na asks to wait, None if it does not.
    """

    error: ArenaError
    pause_seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown(Sent):
    """It may be done or not: look before sending again, whatever `error.is_retryable` says of requests.

    `error` says what was seen; `status` is the answer's if its head arrived, whatever it is worth;
    `pause_seconds` is how long the server asks to wait, None if it does not.
    """

    error: ArenaError
    status: int | None
    pause_seconds: float | None = None
