"""What an answer means: status, headers and body to a value, or to the error that says what happened.

Owns: the mapping from are.na's answers to the error tree, and every sentence those errors carry.
Guarantees: an answer gives a value or a `Failure`, never another exception. Only a JSON body of are.na's own
shape (`{"error": …, "code": …}`) makes a 4xx mean what it says: a gateway's page with status 404 is an
`ArenaServerError`, so that nothing is ever taken for deleted on a gateway's word. What a server wrote is
shown without control characters, at most `LONGEST_DETAIL` characters of it, and without the token.
Leaves to others: getting the answer (`transport`), trying again (`retry`).
Checked by: `tests/arena/test_answers.py`; over sockets `test_errors.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, TypeVar

from vfdir_lab.arena.decode import MalformedError, decode
from vfdir_lab.arena.failure import Failure
from vfdir_lab.errors import (
    ArenaApiError,
    ArenaAuthError,
    ArenaForbiddenError,
    ArenaNotFoundError,
    ArenaRateLimitError,
    ArenaServerError,
    ArenaSkewError,
    ArenaValidationError,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from vfdir_lab.arena.secret import Secret
    from vfdir_lab.arena.wire import Wire

T = TypeVar("T")

LONGEST_DETAIL = 300
LARGEST_SKEW = timedelta(seconds=60)
AGAIN = "try again later"

# are.na's windows slide: waiting until `X-RateLimit-Reset` is waiting a minute (facts.md).
_PAUSE_UNTOLD_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was asked, for messages: `GET /v3/me`."""

    method: str
    path: str

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def advice(self) -> str:
        """What a person can do when no proper answer came; a write may have been done all the same."""
        return AGAIN if self.method == "GET" else "it may have been done, so look before sending it again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One HTTP answer, whole. Header names are lower case; the two times are ours, around the exchange."""

    status: int
    headers: dict[str, str]
    body: bytes
    sent_at: datetime
    got_at: datetime


def read_answer(asked: Asked, reply: Reply, read: Callable[[Wire], T], secret: Secret) -> T | Failure:
    """The value that `read` makes of a 200, or why there is none."""
    if reply.status != 200:
        refused = refusal(asked, reply, secret)
        return refused if refused.again else _skew(asked, reply) or refused
    try:
        value = decode(reply.body)
    except MalformedError as error:
        return odd_answer(asked, reply.status, f"answered with {kind_of(reply)}: {error}", again=True)
    if not isinstance(value, dict):
        return odd_answer(asked, reply.status, "answered with JSON that is not an object", again=True)
    skew = _skew(asked, reply)
    if skew is not None:
        return skew
    try:
        return read(value)
    except MalformedError as error:
        return odd_answer(asked, reply.status, f"answered with {error}", again=False)


def odd_answer(asked: Asked, status: int, what: str, *, again: bool) -> Failure:
    """A failure for an answer that is not are.na's; `what` completes "are.na …"."""
    error = ArenaServerError(
        f"are.na {what} ({asked}): {asked.advice}, and tell vfdir_lab's makers if it stays so",
        status=status,
        path=asked.path,
    )
    return Failure(error=error, why="an answer that makes no sense", again=again)


def refusal(asked: Asked, reply: Reply, secret: Secret) -> Failure:
    """Why an answer other than a 200 gives no value."""
    status = reply.status
    body = _error_body(reply)
    if status < 400 or (body is None and status < 500):
        return _not_arenas(asked, reply)
    detail = secret.hide(_detail(body)) if body else ""
    says = f' are.na says: "{_printable(detail)}".' if detail else ""
    if status == 429:
        return _too_many(asked, reply, body or {}, says)
    if status == 408 or status >= 500:
        message = f"are.na is in trouble: it answered {status} to {asked}.{says} {_sentence(asked.advice)}"
        error = ArenaServerError(message, status=status, path=asked.path)
        return Failure(
            error=error, why=f"are.na answered {status}", again=True, pause_seconds=_retry_after(reply)
        )
    kind, message = _plain_refusal(status, asked, is_guest=not secret)
    return Failure(
        error=kind(message + says, status=status, path=asked.path),
        why=f"are.na answered {status}",
        again=False,
    )


def _plain_refusal(status: int, asked: Asked, *, is_guest: bool) -> tuple[type[ArenaApiError], str]:
    match status:
        case 400 | 422:
            return (
                ArenaValidationError,
                f"are.na finds the request wrong ({asked}, {status}): mend what was asked.",
            )
        case 401 if is_guest:
            return (
                ArenaAuthError,
                f"are.na wants a token for this ({asked}): `vfdir-lab auth login`, or set ARENA_TOKEN.",
            )
        case 401:
            return ArenaAuthError, (
                f"are.na refused the token ({asked}): check ARENA_TOKEN, "
                "or run without one for public channels."
            )
        case 403:
            return ArenaForbiddenError, (
                f"this account may not do that ({asked}): use a token of one that may, or ask the owner."
            )
        case 404:
            return ArenaNotFoundError, (
                f"are.na has no such thing, or hides it from this account ({asked}): "
                "check the name or number."
            )
    return (
        ArenaApiError,
        f"are.na refused with status {status} ({asked}): see what it says, then mend the request.",
    )


def _too_many(asked: Asked, reply: Reply, body: Wire, says: str) -> Failure:
    told = _retry_after(reply)
    if told is None:
        inner = body.get("error")
        told = _seconds(inner.get("retry_after")) if isinstance(inner, dict) else None
    pause = _PAUSE_UNTOLD_SECONDS if told is None else told
    error = ArenaRateLimitError(
        f"are.na asks for a pause of {pause:.0f} seconds ({asked}): "
        f"run again after it to go on from here.{says}",
        status=429,
        path=asked.path,
        retry_after_seconds=told,
    )
    return Failure(error=error, why="are.na asks for a pause", again=True, pause_seconds=pause)


def _not_arenas(asked: Asked, reply: Reply) -> Failure:
    """For a status that only are.na could mean, from somebody who is not are.na."""
    error = ArenaServerError(
        f"something between here and are.na answered {reply.status} to {asked} with {kind_of(reply)}, "
        f"not with an answer of are.na's: {asked.advice}.",
        status=reply.status,
        path=asked.path,
    )
    pause = _retry_after(reply)
    if pause is None and reply.status == 429:
        pause = _PAUSE_UNTOLD_SECONDS
    return Failure(error=error, why=f"a gateway answered {reply.status}", again=True, pause_seconds=pause)


def _error_body(reply: Reply) -> dict[str, Any] | None:
    """The decoded body if it has the shape of are.na's errors for this status, else None."""
    try:
        body = decode(reply.body)
    except MalformedError:
        return None
    if not isinstance(body, dict):
        return None
    error, code = body.get("error"), body.get("code")
    if reply.status == 429 and isinstance(error, dict):
        return body
    is_code = isinstance(code, int) and not isinstance(code, bool) and code == reply.status
    return body if isinstance(error, str) and is_code else None


def _detail(body: dict[str, Any]) -> str:
    """What are.na says beyond the status: the message, else the first validation errors."""
    inner = body["error"]
    if isinstance(inner, dict):
        message = inner.get("message")
        return message if isinstance(message, str) else ""
    details = body.get("details")
    if not isinstance(details, dict):
        return ""
    message, errors = details.get("message"), details.get("errors")
    if isinstance(message, str):
        return message
    return "; ".join(str(error) for error in errors[:3]) if isinstance(errors, list) else ""


def _printable(text: str) -> str:
    """Hostile text for a terminal: one line, nothing that moves a cursor or turns the writing direction."""
    shown = "".join(c if c.isprintable() else " " for c in text[: 2 * LONGEST_DETAIL])
    shown = " ".join(shown.split())
    return shown if len(shown) <= LONGEST_DETAIL else shown[: LONGEST_DETAIL - 1] + "…"


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def kind_of(reply: Reply) -> str:
    """What a body that makes no sense looks like, for messages."""
    is_page = "html" in reply.headers.get("content-type", "").lower()
    return "a web page" if is_page else "a malformed body"


def _skew(asked: Asked, reply: Reply) -> Failure | None:
    """A failure if are.na's clock, read anywhere between sending and receiving, is not ours."""
    try:
        theirs = parsedate_to_datetime(reply.headers.get("date", ""))
        theirs = theirs.replace(tzinfo=theirs.tzinfo or UTC).astimezone(UTC)
        # A cache on the way (guest answers may be five minutes old) sends the old Date, and says how old.
        theirs += timedelta(seconds=_seconds(reply.headers.get("age")) or 0)
    except (ValueError, TypeError, OverflowError):
        return None
    if reply.sent_at - LARGEST_SKEW <= theirs <= reply.got_at + LARGEST_SKEW:
        return None
    seconds = (reply.got_at - theirs).total_seconds()
    way = "ahead of" if seconds > 0 else "behind"
    error = ArenaSkewError(
        f"this machine's clock is {abs(seconds):.0f} seconds {way} are.na's ({asked}); nothing was recorded: "
        "set the clock, then run again"
    )
    return Failure(error=error, why="the clocks disagree", again=False)


def _retry_after(reply: Reply) -> float | None:
    """Seconds from now, from either form of the header (RFC 9110, 10.2.3); None if absent or nonsense."""
    told = reply.headers.get("retry-after", "").strip()
    seconds = _seconds(told)
    if seconds is not None:
        return seconds
    try:
        until = parsedate_to_datetime(told)
        return max(0.0, (until.replace(tzinfo=until.tzinfo or UTC) - reply.got_at).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return None


def _seconds(told: object) -> float | None:
    """A count of seconds as a header or a body tells it, below a year; None for anything else."""
    if isinstance(told, int) and not isinstance(told, bool):
        told = str(told)
    if not isinstance(told, str) or not told.isascii() or not told.isdigit() or len(told) > 7:
        return None
    return float(told)
