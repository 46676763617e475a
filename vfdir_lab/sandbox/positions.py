"""Positions: how a channel renumbers its items.

Owns the arithmetic of inserting and moving. Positions start at 1, the highest is on top, gaps stay gaps: an
item that leaves does not renumber the rest, an item that arrives in between pushes up everything from there
on. Nothing here marks the pushed siblings as changed, as are.na does not either.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

Positions = dict[int, int]


def insert(places: Mapping[int, int], wanted: int | None) -> tuple[int, Positions]:
    """Find the place of a newcomer among `places` (connection id -> position).

    Returns its position and the new positions of the siblings it pushes. `None` means on top.
    """
    top = max(places.values(), default=0) + 1
    place = top if wanted is None else min(max(wanted, 1), top)
    return place, {key: held + 1 for key, held in places.items() if held >= place}


def move(places: Mapping[int, int], mover: int, wanted: int) -> Positions:
    """Move one connection to a position; returns every position that changes, the mover's included."""
    old = places[mover]
    new = min(max(wanted, 1), max(places.values()))
    if new == old:
        return {}
    changed = {mover: new}
    for key, held in places.items():
        if key == mover:
            continue
        if new <= held < old:
            changed[key] = held + 1
        elif old < held <= new:
            changed[key] = held - 1
    return changed


def neighbour(places: Mapping[int, int], mover: int, *, up: bool) -> int | None:
    """The connection visually next above (a higher position) or below, or None at the end."""
    order = sorted(places, key=lambda key: (places[key], key))
    step = order.index(mover) + (1 if up else -1)
    return order[step] if 0 <= step < len(order) else None
