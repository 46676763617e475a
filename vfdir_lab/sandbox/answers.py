"""Answers: what goes back to a client, before it is bytes on a wire.

Owns the two shapes of are.na's errors, pages, ETags and the caching headers. Guarantees that an answer's ETag
depends on its body alone, and that 204 and error answers have none. Leaves the rate headers to `limits`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

Json: TypeAlias = "Mapping[str, Json] | Sequence[Json] | str | int | float | bool | None"
Headers: TypeAlias = dict[str, str]

_NAMES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    408: "Request Timeout",
    422: "Unprocessable Entity",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
}
_MESSAGES = {
    400: "The request is not valid.",
    401: "You must be authenticated to access this resource.",
    403: "You do not have permission to access this resource.",
    404: "The resource you are looking for does not exist.",
    408: "The request took too long to process and was canceled. Please try again or narrow the request.",
    422: "The request could not be processed.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A status, a body and headers. `body` is complete: what is sent is this, byte for byte."""

    status: int = 200
    body: bytes = b""
    headers: Headers = field(default_factory=dict)


class Refusal(Exception):  # noqa: N818 - it is an answer of the service, not a failure of it
    """The service says no; caught where requests are performed and turned into an answer."""

    def __init__(self, status: int, message: str | None = None, errors: list[str] | None = None) -> None:
        super().__init__(message or _MESSAGES.get(status, ""))
        self.status = status
        self.message = message or _MESSAGES.get(status)
        self.errors = errors


def invalid(message: str) -> Refusal:
    """A 400: a parameter or a body that the published description does not allow."""
    return Refusal(400, message, [message])


def encode(payload: Json) -> bytes:
    """JSON as bytes."""
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def json_answer(payload: Json, status: int = 200) -> Answer:
    """An answer with a JSON body."""
    return Answer(
        status=status, body=encode(payload), headers={"Content-Type": "application/json; charset=utf-8"}
    )


def error_answer(status: int, message: str | None = None, errors: list[str] | None = None) -> Answer:
    """are.na's usual error: `error` is a string."""
    details: dict[str, Json] = {"message": message or _MESSAGES.get(status, _NAMES.get(status, "Error"))}
    if errors:
        details["errors"] = errors
    return json_answer({"error": _NAMES.get(status, "Error"), "code": status, "details": details}, status)


def page_answer(items: Sequence[Json], *, page: int, per: int, total: int) -> Answer:
    """One page of a list, with are.na's `meta`."""
    pages = -(-total // per)
    more = page < pages
    meta: dict[str, Json] = {
        "current_page": page,
        "next_page": page + 1 if more else None,
        "prev_page": page - 1 if page > 1 else None,
        "per_page": per,
        "total_pages": pages,
        "total_count": total,
        "has_more_pages": more,
    }
    return json_answer({"data": items, "meta": meta})


def with_caching(answer: Answer, *, method: str, is_guest: bool, if_none_match: str | None) -> Answer:
    """Add the caching headers; a GET that the client already has becomes an empty 304."""
    if answer.status == 204 or answer.status >= 400:
        return answer
    if method not in ("GET", "HEAD"):
        extra = {"Cache-Control": "max-age=0, private, must-revalidate", "Vary": "Origin"}
        return Answer(status=answer.status, body=answer.body, headers=answer.headers | extra)
    tag = f'W/"{hashlib.md5(answer.body, usedforsecurity=False).hexdigest()}"'
    extra = {
        "ETag": tag,
        "Cache-Control": "max-age=300, public" if is_guest else "private, no-cache",
        "Vary": "Authorization, Origin",
    }
    if if_none_match is not None and _matches(if_none_match, tag):
        return Answer(status=304, headers=extra)
    return Answer(status=answer.status, body=answer.body, headers=answer.headers | extra)


def _matches(given: str, tag: str) -> bool:
    strong = tag.removeprefix("W/")
    return any(one.strip().removeprefix("W/") in (strong, "*") for one in given.split(","))
