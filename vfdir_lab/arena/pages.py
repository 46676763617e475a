"""One page of a listing.

Owns: `Page`, and how it is read from are.na's `{"data": […], "meta": {…}}`.
Guarantees: items are JSON objects exactly as decoded; the counts are whole and not negative. `total_pages`
and `has_more_pages` are worked out from what else is told when they are missing; `data` and `total_count`
must be there.
Leaves to others: walking pages, and doubting them: offset pages shift while being read (`sync`).
Checked by: `tests/arena/test_pages.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from vfdir_lab.arena.decode import MalformedError
from vfdir_lab.arena.wire import Wire


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of a listing as are.na showed it.

    `number` counts from 1; `total_count` and `total_pages` are are.na's claims about the whole listing as
    this account sees it; `has_more` is whether are.na says that a page follows.
    """

    items: tuple[Wire, ...]
    number: int
    total_count: int
    total_pages: int
    has_more: bool


def read_page(answer: Wire, *, page: int, per: int) -> Page:
    """The page of a decoded listing that was asked as number `page` of `per` items each.

    Raises:
        MalformedError: it is not a listing, or counts wrongly.
    """
    data, meta = answer.get("data"), answer.get("meta")
    if not isinstance(data, list):
        raise MalformedError("a list that has no `data`")
    if not all(isinstance(item, dict) for item in data):
        raise MalformedError("a list whose `data` holds something other than objects")
    if not isinstance(meta, dict):
        raise MalformedError("a list that has no `meta`")
    number = _count(meta, "current_page", default=page)
    total_count = _count(meta, "total_count", default=None)
    total_pages = _count(meta, "total_pages", default=-(-total_count // per))
    return Page(
        items=tuple(data),
        number=number,
        total_count=total_count,
        total_pages=total_pages,
        has_more=_has_more(meta, number=number, total_pages=total_pages),
    )


def _count(meta: dict[str, Any], name: str, *, default: int | None) -> int:
    value = meta.get(name)
    if value is None:
        value = default
    if value is None:
        raise MalformedError(f"a list that has no `meta.{name}`")
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise MalformedError(f"a list whose `meta.{name}` is not a count")
    return value


def _has_more(meta: dict[str, Any], *, number: int, total_pages: int) -> bool:
    told = meta.get("has_more_pages")
    if isinstance(told, bool):
        return told
    if told is not None:
        raise MalformedError("a list whose `meta.has_more_pages` is neither true nor false")
    return _count(meta, "next_page", default=0) > number if "next_page" in meta else number < total_pages
