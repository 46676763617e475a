"""The events behind the cells that differ between two standpoints.

Each side is asked for its own cause. Where one event put both values there, and the standpoints hold
different events, the cause is looked for among those that only one side has.
"""

from __future__ import annotations

from collections.abc import Sequence

from vfdir_lab.projection.engine import Engine, Standpoint
from vfdir_lab.projection.provenance.causes import Event, causes, causes_apart, only
from vfdir_lab.projection.provenance.comparison import Comparison
from vfdir_lab.projection.provenance.walk import Asked, Place

Pair = tuple[Event | None, Event | None]


class Attribution:
    """The events behind the cells of a comparison, looked for when they are asked for."""

    bound = 1_000
    """So many differing rows, the first, have the events behind them looked for."""

    def __init__(
        self, engine: Engine, name: str, stands: tuple[Standpoint, Standpoint], comparison: Comparison
    ) -> None:
        self._engine = engine
        self._name = name
        self._stands = stands
        self._comparison = comparison
        self._known: tuple[int, dict[Place, Pair]] = (0, {})

    def of(self, rows: int) -> dict[Place, Pair]:
        """The events behind the cells of the first so many differing rows."""
        wanted = min(rows, self.bound)
        if wanted > self._known[0]:
            self._known = (wanted, self._found(*self._comparison.asked(wanted)))
        return self._known[1]

    def _found(self, left: list[Asked], right: list[Asked]) -> dict[Place, Pair]:
        here, there = self._stands
        found = [causes(self._engine, self._name, here, left), causes(self._engine, self._name, there, right)]
        if (here.head, here.at) != (there.head, there.at):
            unexplained = {
                place
                for place in found[0].keys() & found[1].keys()
                if found[0][place]["event_id"] == found[1][place]["event_id"]
            }
            found[0] |= self._apart(here, there, only(left, unexplained))
            found[1] |= self._apart(there, here, only(right, unexplained))
        places = {place: None for row in left for place in row.finals}
        return {place: (found[0].get(place), found[1].get(place)) for place in places}

    def _apart(self, stand: Standpoint, other: Standpoint, rows: Sequence[Asked]) -> dict[Place, Event]:
        return causes_apart(self._engine, self._name, stand, other, rows) if rows else {}
