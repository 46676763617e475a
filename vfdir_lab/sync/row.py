"""One channel's row of items, from the bottom up, as it shows: who stands where, and the rank of a new place.

Owns: where `top`, `bottom` and `right below that one` are, in fractional ranks (decision 0013).
Guarantees: pure. A new rank lies strictly between its neighbours and equals no rank that was ever in use
here, so the row sorted by rank is the row as it was wished.
Leaves to others: what is in a channel (`visible`), fractional keys (`order`).
Checked by: `tests/sync/test_row.py`, against a plain list.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort

from vfdir_lab.sync.order import between
from vfdir_lab.sync.places import BOTTOM, TOP
from vfdir_lab.sync.wish import Ref


class Row:
    """The connections of a channel. `leader` is the device whose ranks they have, None: nobody read it yet.

    What has no rank came since the leader last looked, and stands on top.
    """

    def __init__(self, leader: str | None = None) -> None:
        self.leader = leader
        self.items: dict[Ref, Ref] = {}
        self._order: list[Ref] = []
        self._ranks: dict[Ref, str | None] = {}
        self._read: dict[Ref, str | None] = {}
        self._taken: list[str] = []

    def __contains__(self, connection: Ref) -> bool:
        return connection in self.items

    def read(self, connection: Ref, item: Ref, rank: str | None) -> None:
        """A connection that are.na shows, with the rank that the leader gave it."""
        self._read[connection] = rank
        self.put(connection, item, rank)

    def put(self, connection: Ref, item: Ref, rank: str | None) -> None:
        """A connection comes in."""
        self.items[connection] = item
        self._stand(connection, rank)

    def take(self, connection: Ref) -> None:
        """A connection goes; its rank stays taken, since it may come back."""
        if connection in self.items:
            del self.items[connection]
            self._order.remove(connection)

    def move(self, connection: Ref, rank: str | None) -> None:
        """A connection goes to another place; without a rank, to where it was read."""
        self._order.remove(connection)
        self._stand(connection, self._read.get(connection) if rank is None else rank)

    def above(self, connection: Ref) -> Ref:
        """What a connection stands right below: another, or the top."""
        spot = self._order.index(connection) + 1
        return self._order[spot] if spot < len(self._order) else TOP

    def rank(self, place: Ref) -> str:
        """A rank for `top`, `bottom`, or right below a connection of the row.

        Below one that has no rank is above all that have one: that is as near as ranks can say.
        """
        anchor = None if place in (TOP, BOTTOM) else self._ranks[place]
        if place == BOTTOM:
            low, high = None, self._taken[0] if self._taken else None
        elif anchor is None:
            low, high = self._taken[-1] if self._taken else None, None
        else:
            spot = bisect_left(self._taken, anchor)
            low, high = self._taken[spot - 1] if spot else None, anchor
        return between(low, high, ["new"])["new"]

    def _stand(self, connection: Ref, rank: str | None) -> None:
        self._ranks[connection] = rank
        if rank is not None:
            insort(self._taken, rank)
        spot = bisect_right(self._order, _key(rank), key=lambda one: _key(self._ranks[one]))
        self._order.insert(spot, connection)


def _key(rank: str | None) -> tuple[bool, str]:
    return rank is None, rank or ""
