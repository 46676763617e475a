"""A channel's network: the channels nearest to it, what they share, and where each is drawn.

Owns: the query `network.sql`, and `Network`, which holds its answer.
Guarantees: at most `CHANNELS_SHOWN` other channels and `ITEMS_SHOWN` shared items; how many more there are is
known. Places are the same each time for the same answer.
Leaves to others: how it looks (`drawing`); the layout itself (networkx, decision 0016).
Checked by: `tests/notebook/test_graph.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from vfdir_lab.notebook.look.room import filled, sql
from vfdir_lab.projection import View

CHANNELS_SHOWN = 24
ITEMS_SHOWN = 120

_SEED = 20
_ROUNDS = 120

Place = tuple[float, float]
"""Across and down, each from 0 to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A channel that is shown. `shared`: how many items it has in common with the one in the middle."""

    channel: str
    title: str
    visibility: str | None
    shared: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """An item that is in several of the channels shown, and those channels."""

    item: str
    sort: str | None
    title: str | None
    channels: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """A channel (the first of `channels`) among others.

    `nested` are pairs: a channel, and a channel that is in it. The counts are of all there are, shown or not.
    """

    query: str
    channels: tuple[Member, ...]
    items: tuple[Shared, ...]
    nested: tuple[tuple[str, str], ...]
    channels_found: int
    items_found: int

    def places(self) -> dict[str, Place]:
        """Where each channel and item is drawn, by id: what is tied is near."""
        # Here, since it takes a quarter of a second, which a gallery has no use for.
        import networkx as nx  # noqa: PLC0415

        drawn = nx.Graph()
        drawn.add_nodes_from(one.channel for one in self.channels)
        for one in self.items:
            drawn.add_edges_from((one.item, channel) for channel in one.channels)
        drawn.add_edges_from(self.nested)
        found = nx.spring_layout(drawn, seed=_SEED, iterations=_ROUNDS)
        across = _scaled({node: float(place[0]) for node, place in found.items()})
        down = _scaled({node: float(place[1]) for node, place in found.items()})
        return {node: (across[node], down[node]) for node in found}


def network_of(view: View, channel: str) -> Network:
    """The network around the channel of this id, seen from a view.

    Raises:
        ProjectionError, HeadError, LogError
    """
    query = filled(sql("network"), channel=channel, channels=CHANNELS_SHOWN, items=ITEMS_SHOWN)
    rows: list[dict[str, Any]] = view.sql(query).to_arrow_table().to_pylist()
    members = {row["channel"]: _member(row) for row in rows}
    ties = [row for row in rows if row["item"] is not None]
    return Network(
        query=query,
        channels=tuple(members.values()),
        items=_shared([row for row in ties if not row["is_shown"]]),
        nested=tuple((row["channel"], row["item"]) for row in ties if row["is_shown"]),
        channels_found=max(row["channels_found"] for row in rows),
        items_found=max((row["items_found"] for row in ties), default=0),
    )


def _member(row: dict[str, Any]) -> Member:
    return Member(
        channel=row["channel"],
        title=row["title"] or "untitled channel",
        visibility=row["visibility"],
        shared=int(row["shared"]),
    )


def _shared(ties: list[dict[str, Any]]) -> tuple[Shared, ...]:
    """The items of these rows, what is in most channels first."""
    by_item: dict[str, list[dict[str, Any]]] = {}
    for row in ties:
        by_item.setdefault(row["item"], []).append(row)
    items = [
        Shared(
            item=item,
            sort=rows[0]["sort"],
            title=rows[0]["item_title"],
            channels=tuple(row["channel"] for row in rows),
        )
        for item, rows in by_item.items()
    ]
    return tuple(sorted(items, key=lambda one: (-len(one.channels), one.item)))


def _scaled(values: dict[str, float]) -> dict[str, float]:
    """The values from 0 to 1; alone, in the middle."""
    least, most = min(values.values()), max(values.values())
    width = most - least
    return {node: (value - least) / width if width else 0.5 for node, value in values.items()}
