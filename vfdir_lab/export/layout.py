"""What the pages of a snapshot are called and what a thing is called on them; the same for HTML and Markdown.

Owns: `Layout`, `label`, `Item`, `Placed`, `ChannelPage`. Guarantees: every path ends in its object's id, and
a link between two of them holds wherever the folder lies. Leaves to others: what is on a page.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vfdir_lab.export.markup import as_words
from vfdir_lab.export.names import file_name
from vfdir_lab.export.rows import Row
from vfdir_lab.export.safe import address, host, href, shown

ARENA = "https://www.are.na"
PAGE_ITEMS = 1000
"""Items on one page of a channel; a browser shows as many at once, a phone too."""
LABEL_CHARACTERS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """An item of a channel, where it stands (1..n) and what it is; both None: it was never seen itself.

    `is_channel` tells what it is even then. `owner` is the channel's. `picture` and `file` are where copies
    lie, from the snapshot's folder.
    """

    position: int
    is_channel: bool
    pinned: bool
    block: Row | None
    channel: Row | None
    owner: Row | None
    picture: str | None = None
    file: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A block, and the places it has in the exported channels, in order: channel, before, after."""

    block: Row
    places: Sequence[Mapping[str, Any]]
    author: Row | None
    picture: str | None = None
    file: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelPage:
    """One page of a channel: `number` of `pages`, with the items from `first` (1..n) on."""

    channel: Row
    path: str
    number: int
    pages: int
    first: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Where the pages lie. `ending` is theirs; `home` the channel on the first page, None: a list."""

    ending: str
    home: str | None
    channels: Mapping[str, Row]

    def first_page(self) -> str:
        """The page to begin with."""
        return f"index.{self.ending}"

    def channel(self, channel: Row, number: int = 1) -> str:
        """A page of an exported channel."""
        page = f"index-{number}.{self.ending}" if number > 1 else f"index.{self.ending}"
        if channel["object_id"] == self.home:
            return page
        return f"channels/{file_name(channel['object_id'], channel['title'], channel['slug'])}/{page}"

    def block(self, block: Mapping[str, Any]) -> str:
        """The page of a block."""
        return f"blocks/{file_name(block['object_id'], block['title'], block['type'])}.{self.ending}"


def elsewhere(row: Row, owner: Row | None = None) -> str | None:
    """Where a block, or a channel of this owner, is on are.na; None while are.na does not know it."""
    if row["remote_id"] is None:
        return None
    if row["object_id"].startswith("block:"):
        return f"{ARENA}/block/{row['remote_id']}"
    if owner is None or not (owner["slug"] and row["slug"]):
        return None
    return address(f"{ARENA}/{href(owner['slug'])}/{href(row['slug'])}")


def name_of(person: Row | None, known_as: str | None) -> str | None:
    """What a person or a group is called; by the id where they were never seen."""
    return known_as if person is None else person["name"] or person["slug"] or known_as


def link_between(page: str, other: str) -> str:
    """From one page to another file of the snapshot, as a relative link."""
    return href(posixpath.relpath(other, posixpath.dirname(page) or "."))


def label(row: Mapping[str, Any]) -> str:
    """What a block or a channel is called: its title, else what it begins with, else its sort."""
    title = " ".join(shown(row.get("title") or "").split())
    if title:
        return title
    if "type" not in row:
        return row.get("slug") or "Channel"
    words = as_words(row.get("content"), LABEL_CHARACTERS)
    source = address(row.get("source_url"))
    file = " ".join(shown(row.get("filename") or "").split())
    return words or file or (host(source) if source else "") or row["type"] or "Block"


def pages_of(items: int) -> int:
    """How many pages a channel of so many items has."""
    return max(1, -(-items // PAGE_ITEMS))
