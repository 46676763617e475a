"""What another are.na holds, and the rules by which it changes and shows: the inside of `another_arena`.

A channel is a row of connections from the bottom up; positions are made from it. What is not known of are.na
can be chosen (`Ways`).
"""

from __future__ import annotations

import html
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

Json = dict[str, Any]


@dataclass(slots=True, kw_only=True)
class Ways:
    """How this are.na does what is not known of the real one.

    `strips_metadata`: it is accepted and not kept. `connects_after_seconds`: so long after it answered, a new
    block comes to be in its channels. `has_gaps`: positions go up by three and stay when something leaves;
    otherwise they are 1 to n. `inserts_by_index`: a position that is asked for counts items from the bottom,
    not positions. `tidies`: texts are trimmed, line ends made one, entities escaped. `answers`: `whole`,
    `empty` (2xx and no body), or `nothing`: it does what was asked, and hangs up.
    """

    strips_metadata: bool = False
    connects_after_seconds: float = 0.0
    has_gaps: bool = False
    inserts_by_index: bool = False
    tidies: bool = False
    answers: str = "whole"


@dataclass(slots=True)
class Link:
    """A connection: what is where, since when."""

    number: int
    item: tuple[str, int]
    channel: int
    at: datetime
    position: int
    metadata: Json


class AnotherWorld:
    """One person's channels, blocks, connections and comments; `rows` are connections from the bottom up."""

    def __init__(self, ways: Ways, now: Callable[[], datetime]) -> None:
        self.ways = ways
        self.channels: dict[int, Json] = {}
        self.blocks: dict[int, Json] = {}
        self.links: dict[int, Link] = {}
        self.rows: dict[int, list[int]] = {}
        self.comments: dict[int, list[Json]] = {}
        self._now = now
        self._numbers = iter(range(100, 1_000_000))

    def next_number(self) -> int:
        """A number that nothing has."""
        return next(self._numbers)

    def add_channel(self, title: str, **fields: Any) -> int:
        """Make a channel."""
        number = next(self._numbers)
        self.channels[number] = self.dated({"title": title, "visibility": "closed", **fields})
        self.rows[number] = []
        return number

    def add_block(self, value: str, **fields: Any) -> int:
        """Make a block that is nowhere yet."""
        number = next(self._numbers)
        is_address = value.startswith("http")
        made = {"source": {"url": value, "title": None}} if is_address else {"content": self.text(value)}
        self.blocks[number] = self.dated({"type": "Link" if is_address else "Text"} | made | fields)
        self.comments[number] = []
        return number

    def connect(self, kind: str, item: int, channel: int, asked: Json | None = None) -> int:
        """Put something into a channel, on top or at the position asked for."""
        number = next(self._numbers)
        row = self.rows[channel]
        top = max((self.links[one].position for one in row), default=0) + 1
        link = Link(number, (kind, item), channel, self._now(), top, self.kept(asked or {}))
        self.links[number] = link
        row.append(number)
        if (position := (asked or {}).get("position")) is not None:
            self.place(link, position)
        return number

    def disconnect(self, number: int) -> None:
        """Take something out of its channel; the gap it leaves is closed, unless there are gaps anyway."""
        link = self.links.pop(number)
        self.rows[link.channel].remove(number)
        if not self.ways.has_gaps:
            self.number(link.channel)

    def dated(self, fields: Json) -> Json:
        return {**fields, "created_at": self._now(), "updated_at": self._now()}

    def kept(self, body: Json) -> Json:
        return {} if self.ways.strips_metadata else dict(body.get("metadata") or {})

    def text(self, text: str | None, *, escaped: bool = False) -> str | None:
        if text is None or not self.ways.tidies:
            return text
        tidy = text.replace("\r\n", "\n").strip()
        return html.escape(tidy, quote=False) if escaped else tidy

    def place(self, link: Link, position: int) -> None:
        """Put a link at a position; those from there on make room, and the place it leaves is closed."""
        row = self.rows[link.channel]
        others = [self.links[one].position for one in row if one != link.number]
        is_up = link.position < position
        index = sum(one <= position if is_up else one < position for one in others)
        row.remove(link.number)
        row.insert(position - 1 if self.ways.inserts_by_index else index, link.number)
        self.number(link.channel)

    def number(self, channel: int) -> None:
        """Give positions from the bottom up."""
        step = 3 if self.ways.has_gaps else 1
        for place, number in enumerate(self.rows[channel], 1):
            self.links[number].position = place * step

    def item(self, kind: str, number: int) -> Json:
        return self.block(number) if kind == "Block" else self.channel(number)

    def block(self, number: int) -> Json:
        made = self.blocks[number]
        return {
            "id": number,
            "base_type": "Block",
            "type": made["type"],
            "title": made.get("title"),
            "description": markdown(made.get("description")),
            **({"content": markdown(made["content"])} if "content" in made else {"image": None}),
            "source": made.get("source"),
            "state": "available",
            "visibility": "public",
            "comment_count": len(self.comments[number]),
            "created_at": moment(made["created_at"]),
            "updated_at": moment(made["updated_at"]),
            "user": PERSON,
            "metadata": made.get("metadata") or None,
        }

    def channel(self, number: int) -> Json:
        made = self.channels[number]
        row = [self.links[one].item[0] for one in self.rows[number]]
        return {
            "id": number,
            "type": "Channel",
            "slug": f"channel-{number}",
            "title": made["title"],
            "description": markdown(made.get("description")),
            "state": "available",
            "visibility": made["visibility"],
            "created_at": moment(made["created_at"]),
            "updated_at": moment(made["updated_at"]),
            "owner": PERSON,
            "counts": {"blocks": row.count("Block"), "channels": row.count("Channel"), "contents": len(row)},
            "metadata": made.get("metadata") or None,
            "can": {"add_to": True, "update": True, "destroy": True},
        }

    def link(self, link: Link) -> Json:
        return {
            "id": link.number,
            "position": link.position,
            "pinned": False,
            "metadata": link.metadata or None,
            "connected_at": moment(link.at),
            "connected_by": PERSON,
        }


PERSON = {"id": 7, "type": "User", "name": "Somebody", "slug": "somebody", "avatar": None, "initials": "S"}


def markdown(text: str | None) -> Json | None:
    return {"markdown": text, "html": f"<p>{text}</p>", "plain": text} if text else None


def moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
