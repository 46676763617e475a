"""A room: what is in a channel from one standpoint, read once, and looked at page by page.

Owns: the queries of `sql/`, and `Room`, which holds the answer of one of them.
Guarantees: `Room.query` is the very text that was asked, so that a person can run it again. Pages, counts and
comparisons are asked of what is held; nothing is read anew for them. Safe to ask from any thread.
Leaves to others: how it looks (`shelf`), which view is asked (`gallery`, `time_machine`).
Checked by: `tests/notebook/test_gallery.py`, `tests/notebook/test_time_machine.py`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import pyarrow as pa

from vfdir_lab.export.compare import longest_rising
from vfdir_lab.projection import View
from vfdir_lab.projection.connection import connect, literal
from vfdir_lab.projection.engine import read_sql

PAGE_ITEMS = 48
"""So many squares are on a page."""
EVERYTHING, MINE, GONE = "", "?mine", "?gone"
"""Which items a page is of, besides the sorts there are."""
ORDERS = ("position", "newest", "oldest")

_SQL = files("vfdir_lab.notebook.look") / "sql"
_WORDS_BOUND = 32

Item = dict[str, Any]
"""A row of `items.sql`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A page that is asked for: of what, holding which words, in which order, beginning with 0."""

    sort: str = EVERYTHING
    words: str = ""
    order: str = ORDERS[0]
    page: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The items of a page, and how many there are on all pages."""

    items: tuple[Item, ...]
    found: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What differs from then to now, each as the item's id and a label; of renamed ones, both titles."""

    added: tuple[tuple[str, str], ...]
    gone: tuple[tuple[str, str], ...]
    renamed: tuple[tuple[str, str], ...]
    moved: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """The items of a channel (a row each, as `items.sql` says), and the query they answer."""

    query: str
    items: pa.Table

    def __len__(self) -> int:
        """How many are there; what is gone is not counted."""
        return int(self.items.num_rows) - self.sorts.get(GONE, 0)

    @property
    def sorts(self) -> dict[str, int]:
        """How many items there are of each sort, `MINE` and `GONE` among them, if any."""
        rows = _ask(sql("sorts"), items=self.items).to_pylist()
        return {row["sort"]: row["items"] for row in rows if row["items"]}

    def page(self, wanted: Wanted) -> Page:
        """A page of the items; of a page that is not there, the last one."""
        found = self._page(wanted, wanted.page)
        if not found.items and wanted.page:
            first = self._page(wanted, 0)
            last = max(0, (first.found - 1) // PAGE_ITEMS)
            return self._page(wanted, last) if last else first
        return found

    def _page(self, wanted: Wanted, number: int) -> Page:
        words = pa.table({"word": pa.array(wanted.words.split()[:_WORDS_BOUND], pa.string())})
        table = _ask(
            _folding(sql("page")),
            {
                "sort": wanted.sort,
                "order": wanted.order,
                "size": PAGE_ITEMS,
                "first": number * PAGE_ITEMS,
            },
            items=self.items,
            asked=words,
        )
        rows = tuple(table.to_pylist())
        return Page(items=rows, found=rows[0]["found"] if rows else 0)


def room_of(view: View, channel: str | None) -> Room:
    """What is in the channel of this id, seen from a view; None: the channels there are.

    Raises:
        ProjectionError, HeadError, LogError
    """
    query = sql("channels") if channel is None else filled(sql("items"), channel=channel)
    return Room(query=query, items=view.sql(query).to_arrow_table())


def changes_between(then: Room, now: Room, bound: pa.Table) -> Changes:
    """What was added, is gone, was renamed and moved since; `bound` has the are.na ids of what was born here.

    Moved are the fewest items that have to move for the old order to become the new one.
    """
    rows = _ask(sql("changes"), items_then=then.items, items_now=now.items, bound=bound).to_pylist()
    kept = [row for row in rows if row["what"] == "kept"]
    stay = longest_rising([row["place"] for row in kept])
    return Changes(
        added=tuple((row["item"], row["after"] or row["item"]) for row in rows if row["what"] == "added"),
        gone=tuple((row["item"], row["before"] or row["item"]) for row in rows if row["what"] == "gone"),
        renamed=tuple(
            (row["item"], f"{row['before'] or 'untitled'} → {row['after'] or 'untitled'}")
            for row in kept
            if row["is_renamed"]
        ),
        moved=tuple(
            (row["item"], row["after"] or row["item"]) for nth, row in enumerate(kept) if nth not in stay
        ),
    )


@cache
def sql(name: str) -> str:
    """One of the queries of this package."""
    return read_sql(_SQL, name).strip()


def filled(query: str, **values: str | int) -> str:
    """A query in which `$name` is the text or number of that name."""
    shown = {name: literal(one) if isinstance(one, str) else str(one) for name, one in values.items()}
    return re.sub(r"\$(\w+)", lambda found: shown[found[1]], query)


def _folding(query: str) -> str:
    """The query with what `fold(…)` stands for, as search has it."""
    fold = read_sql(files("vfdir_lab.projection"), "fold")
    return re.sub(r"fold\((\w+|concat_ws\([^()]*\))\)", lambda call: fold.replace("$text", call[1]), query)


def _ask(query: str, parameters: dict[str, object] | None = None, /, **tables: pa.Table) -> pa.Table:
    with connect() as connection:
        for name, table in tables.items():
            connection.register(name, table)
        return connection.sql(query, params=parameters or {}).to_arrow_table()
