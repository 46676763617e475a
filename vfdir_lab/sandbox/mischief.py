"""Mischief: what a fault does to an answer.

Owns one function per fault that changes the answer's content. Guarantees nothing good. Dropping, cutting and
delaying happen on the connection itself and are in `doors`.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from vfdir_lab.sandbox.answers import Answer, Json, encode, error_answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from vfdir_lab.sandbox.faults import Fault
    from vfdir_lab.sandbox.limits import RateLimits

Page = dict[str, Json]
# Ids that no world reaches: what an inventing server shows.
_INVENTED = 7_000_000_000


def alter(answer: Answer, fault: Fault, limits: RateLimits) -> Answer:
    """The answer as this fault has it; `answer` is empty if it strikes before the request takes effect."""
    if fault.kind == "too_many":
        seconds = int(fault.number("retry_after"))
        refusal = limits.refusal("premium", seconds)
        return replace(refusal, headers=refusal.headers | limits.headers("premium"))
    if fault.kind in _PAGES:
        return _with_page(answer, fault, _PAGES[fault.kind])
    if fault.kind in _ANSWERS:
        return _ANSWERS[fault.kind](answer, fault)
    return answer


def _failure(_answer: Answer, fault: Fault) -> Answer:
    return error_answer(int(fault.number("status")))


def _status(_answer: Answer, fault: Fault) -> Answer:
    return error_answer(int(fault.number("status")), fault.text("message"))


def _unauthorized(_answer: Answer, _fault: Fault) -> Answer:
    return error_answer(401)


def _forbidden(_answer: Answer, _fault: Fault) -> Answer:
    return error_answer(403)


def _gateway(_answer: Answer, fault: Fault) -> Answer:
    status = int(fault.number("status"))
    page = f"<!DOCTYPE html><html><title>{status}</title><body><h1>Gateway {status}</h1></body></html>"
    return Answer(status=status, body=page.encode(), headers={"Content-Type": "text/html; charset=UTF-8"})


def _redirect(_answer: Answer, fault: Fault) -> Answer:
    return Answer(status=int(fault.number("status")), headers={"Location": fault.text("to") or "/"})


def _cut_json(answer: Answer, fault: Fault) -> Answer:
    if fault.text("mode") != "json":
        return answer
    return replace(answer, body=answer.body[: kept(answer, fault)])


def kept(answer: Answer, fault: Fault) -> int:
    """How many bytes of a truncated answer are sent: at least one too few."""
    return min(int(len(answer.body) * fault.number("keep")), max(0, len(answer.body) - 1))


def _with_page(answer: Answer, fault: Fault, change: Callable[[Page, Fault], None]) -> Answer:
    page = json.loads(answer.body) if answer.status == 200 else None
    if not isinstance(page, dict) or not {"data", "meta"} <= page.keys():
        return answer
    change(page, fault)
    headers = {name: value for name, value in answer.headers.items() if name.lower() != "etag"}
    return replace(answer, body=encode(page), headers=headers)


def _torn(page: Page, fault: Fault) -> None:
    items = page["data"]
    if isinstance(items, list):
        missing, repeated = int(fault.number("missing")), int(fault.number("repeated"))
        rest = items[missing:]
        page["data"] = rest[:repeated] + rest


def _garbage_count(page: Page, fault: Fault) -> None:
    meta = page["meta"]
    if isinstance(meta, dict):
        meta["total_count"] = int(fault.number("total_count"))


def _endless(page: Page, fault: Fault) -> None:
    meta, items = page["meta"], page["data"]
    if not isinstance(meta, dict) or not isinstance(items, list):
        return
    current = int(meta["current_page"])
    meta["has_more_pages"], meta["next_page"] = True, current + 1
    if items:
        fault.memory[:] = items
    elif fault.text("mode") == "repeat":
        page["data"] = list(fault.memory)
    else:
        page["data"] = [_invented(item, current * 1000 + rank) for rank, item in enumerate(fault.memory)]


def _invented(item: Json, number: int) -> Json:
    shape = dict(item) if isinstance(item, dict) else {}
    shape["id"] = _INVENTED + number
    connection = shape.get("connection")
    if isinstance(connection, dict):
        shape["connection"] = connection | {"id": _INVENTED + number}
    return shape


_PAGES = {"torn_page": _torn, "garbage_count": _garbage_count, "endless_pages": _endless}
_ANSWERS = {
    "fail_before": _failure,
    "fail_after": _failure,
    "gateway_html": _gateway,
    "status": _status,
    "unauthorized": _unauthorized,
    "forbidden": _forbidden,
    "redirect": _redirect,
    "truncate": _cut_json,
}
