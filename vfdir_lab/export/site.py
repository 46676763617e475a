"""A snapshot as pages: an index of each channel in order, and a page of each block.

Owns: which pages there are and what is on each, a row at a time. Guarantees: a block has one page, in however
many channels it is; only the first page says when the snapshot was taken, so that the others change only with
what they show. Leaves to others: how a page is written (`html.py`, `markdown.py`).
Checked by: golden files and laws in `tests/export`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain, count, islice
from typing import Protocol

from vfdir_lab.export.layout import PAGE_ITEMS, ChannelPage, Item, Layout, Placed, pages_of
from vfdir_lab.export.rows import Row
from vfdir_lab.export.work import Counts, Work


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a snapshot's pages are told of it as a whole."""

    layout: Layout
    channels: Mapping[str, Row]
    owners: Mapping[str, Row]
    sizes: Mapping[str, int]
    nested: Mapping[str, int]
    provenance: Mapping[str, object]


class Dress(Protocol):
    """How pages are written. Each method gives a text that ends in a line feed."""

    def contents(self) -> str:
        """The first page, where it lists channels."""

    def opening(self, page: ChannelPage) -> str:
        """The beginning of a channel's page."""

    def item(self, page: ChannelPage, item: Item) -> str:
        """An item on it."""

    def closing(self, page: ChannelPage) -> str:
        """Its end."""

    def block(self, placed: Placed) -> str:
        """The page of a block."""


def write_site(work: Work, ending: str, dress: Callable[[About], Dress]) -> Counts:
    """Write the pages, with copies of pictures and files where those go with the snapshot."""
    for _ in work.copies.make(work.rows, work.folder):
        pass
    about = _about(work, ending)
    wearing = dress(about)
    done = count(1)
    counts: Counts = {"channels": len(work.scope.channels), "items": 0, "blocks": 0}
    if work.scope.home is None:
        _put(work, about.layout.first_page(), [wearing.contents()])
    for channel, rows in work.rows.items():
        row = about.channels[channel]
        for page, items in _pages(about, row, (_item(work, one) for one in rows)):
            told = _told(items, lambda: work.tell(next(done)))
            texts = (wearing.item(page, item) for item in told)
            _put(work, page.path, chain([wearing.opening(page)], texts, [wearing.closing(page)]))
        counts["items"] += about.sizes[channel]
    for row in work.rows.of("places"):
        placed = _placed(work, row)
        _put(work, about.layout.block(placed.block), [wearing.block(placed)])
        counts["blocks"] += 1
        work.tell(next(done))
    return counts


def _about(work: Work, ending: str) -> About:
    channels = {row["object_id"]: row for row in work.scope.channels}
    home = None if work.scope.home is None else str(work.scope.home["object_id"])
    return About(
        layout=Layout(ending=ending, home=home, channels=channels),
        channels=channels,
        sizes=work.scope.sizes,
        nested=work.scope.nested,
        owners=work.scope.owners,
        provenance=work.provenance,
    )


def _pages(about: About, channel: Row, items: Iterator[Item]) -> Iterator[tuple[ChannelPage, Iterator[Item]]]:
    """The pages of a channel, each with the items on it."""
    pages = pages_of(about.sizes[channel["object_id"]])
    for number in range(1, pages + 1):
        page = ChannelPage(
            channel=channel,
            path=about.layout.channel(channel, number),
            number=number,
            pages=pages,
            first=(number - 1) * PAGE_ITEMS + 1,
        )
        yield page, islice(items, PAGE_ITEMS)


def _told(items: Iterator[Item], tell: Callable[[], None]) -> Iterator[Item]:
    for item in items:
        yield item
        tell()


def _item(work: Work, row: Row) -> Item:
    block, connection = row["block"], row["connection"]
    return Item(
        position=connection["position"],
        is_channel=str(connection["item"]).startswith("channel:"),
        pinned=bool(connection["pinned"]),
        block=block,
        channel=row["channel"],
        owner=row["owner"],
        picture=block and work.copies.path(block, "image", row["image"]),
        file=block and work.copies.path(block, "attachment", row["attachment"]),
    )


def _placed(work: Work, row: Row) -> Placed:
    block = row["block"]
    return Placed(
        block=block,
        places=row["places"],
        author=row["author"],
        picture=work.copies.path(block, "image", row["image"]),
        file=work.copies.path(block, "attachment", row["attachment"]),
    )


def _put(work: Work, path: str, texts: Iterator[str] | list[str]) -> None:
    place = work.folder / path
    with suppress(FileExistsError):
        place.parent.mkdir(parents=True)
    with place.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(texts)
