"""What an answer to a write proves.

Owns: the border between done, refused, not done and not known.

    2xx in are.na's own shape, of the thing that was asked for        Accepted
    400, 404, 409, 422, any other 4xx in are.na's own shape           Refused
    403 in are.na's own shape: the token is proven to write           Refused
    403 otherwise, or are.na names the scope                          NotSent
    401, 429 in are.na's own shape                                    NotSent
    httpx told of the exchange, but not that it began to write        NotSent
    everything else: a timeout, a cut, 408, 5xx, a redirect,
    a gateway's page, a 2xx that is not are.na's                      Unknown

Guarantees: `Accepted` and `NotSent` are said on proof only. What is not are.na's own JSON proves nothing,
since a gateway may answer after the request passed it.
Why 403 is special: are.na answers 403 both for a thing this account may not touch and for a token without
the write scope, with the same words as far as is known, and `GET /v3/me` does not tell the scope (facts.md).
Only a write that succeeded proves the scope. Without that proof, a 403 must not reject a wish; nothing was
done in either case.
Leaves to others: remembering the proof (`writing`).
Checked by: `tests/arena/test_verdict.py`; over sockets `test_write_faults.py` and `test_cuts.py`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vfdir_lab.arena.answers import kind_of, odd_answer, refusal
from vfdir_lab.arena.decode import MalformedError, decode
from vfdir_lab.arena.failure import Failure
from vfdir_lab.arena.sent import Accepted, NotSent, Refused, Sent, Unknown
from vfdir_lab.errors import (
    ArenaApiError,
    ArenaAuthError,
    ArenaForbiddenError,
    ArenaRateLimitError,
    ArenaServerError,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from vfdir_lab.arena.answers import Asked, Reply
    from vfdir_lab.arena.secret import Secret
    from vfdir_lab.arena.wire import Wire

_SCOPE = re.compile(r"\bscopes?\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One write and all that is known of it. `read` is None where are.na answers 204 and no body."""

    asked: Asked
    result: Reply | Failure
    read: Callable[[Any], Wire] | None
    begun_at: datetime
    got_at: datetime


def judge(exchange: Exchange, secret: Secret, *, is_write_proven: bool) -> Sent:
    """What is proven; `is_write_proven` is whether the token is known to have the write scope."""
    result = exchange.result
    if isinstance(result, Failure):
        return _no_answer(exchange, result)
    if 200 <= result.status < 300:
        return _done(exchange, result)
    failure = refusal(exchange.asked, result, secret)
    if isinstance(failure.error, ArenaServerError):
        return _no_answer(exchange, failure)
    if isinstance(failure.error, (ArenaAuthError, ArenaRateLimitError)):
        return _not_sent(exchange, failure)
    if isinstance(failure.error, ArenaForbiddenError) and _is_scope_open(failure, proven=is_write_proven):
        return _not_sent(exchange, _scope(exchange.asked, failure))
    return Refused(
        asked=str(exchange.asked),
        begun_at=exchange.begun_at,
        got_at=exchange.got_at,
        error=failure.error,
    )


def _done(exchange: Exchange, reply: Reply) -> Sent:
    """A 2xx is proof if its body is what are.na answers to this request."""
    asked = exchange.asked
    try:
        body = _thing(exchange, reply)
    except MalformedError as error:
        odd = odd_answer(asked, reply.status, f"answered {reply.status} with {error}", again=False)
        return _no_answer(exchange, odd)
    return Accepted(
        asked=str(asked),
        begun_at=exchange.begun_at,
        got_at=exchange.got_at,
        status=reply.status,
        body=body,
    )


def _thing(exchange: Exchange, reply: Reply) -> Wire | None:
    if exchange.read is None:
        if reply.status != 204:
            raise MalformedError("something where nothing belongs")
        return None
    try:
        answer = decode(reply.body)
    except MalformedError as error:
        raise MalformedError(f"{kind_of(reply)}: {error}") from None
    return exchange.read(answer)


def _no_answer(exchange: Exchange, failure: Failure) -> Sent:
    if failure.is_unsent:
        return _not_sent(exchange, failure)
    return Unknown(
        asked=str(exchange.asked),
        begun_at=exchange.begun_at,
        got_at=exchange.got_at,
        error=failure.error,
        status=failure.error.status if isinstance(failure.error, ArenaApiError) else failure.status,
        pause_seconds=failure.pause_seconds,
    )


def _not_sent(exchange: Exchange, failure: Failure) -> NotSent:
    return NotSent(
        asked=str(exchange.asked),
        begun_at=exchange.begun_at,
        got_at=exchange.got_at,
        error=failure.error,
        pause_seconds=failure.pause_seconds,
    )


def _is_scope_open(failure: Failure, *, proven: bool) -> bool:
    return not proven or _SCOPE.search(str(failure.error)) is not None


def _scope(asked: Asked, failure: Failure) -> Failure:
    error = ArenaForbiddenError(
        f"{failure.error} Nothing shows yet that this token may write at all: it needs the write scope.",
        status=403,
        path=asked.path,
    )
    return Failure(error=error, why=failure.why, again=False)
