"""Where in a channel: `right below that one`, said as are.na's positions, from a fresh reading.

Relative moves are never sent, since one that is done twice is another wish. A position is good for the moment
it was read only; whether the item came to stand where it was wished, a later reading says.
Checked by: `tests/sync/test_places.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from vfdir_lab.arena import ArenaClient, Wire
from vfdir_lab.errors import ArenaServerError, UsageError
from vfdir_lab.event import object_id

PAGES_MAX = 5_000
TOP, BOTTOM = "top", "bottom"


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """The connections of a channel with their positions as are.na counts them, from the bottom up."""

    channel: str
    rows: tuple[tuple[str, int], ...]

    def for_new(self, place: str) -> int | None:
        """The position for an item that comes in; None for the top, where are.na puts it anyway.

        Raises:
            UsageError: what it should go below is not there.
        """
        if place == TOP:
            return None
        return 1 if place == BOTTOM else self._position(place)

    def for_move(self, connection: str, place: str) -> int:
        """The position that an item of the channel has to be moved to. As `for_new`."""
        held, anchor = self._position(connection), self._position(place)
        return anchor if held > anchor else anchor - 1

    def is_at(self, connection: str, place: str) -> bool:
        """Whether an item stands where it was wished."""
        order = [one for one, _ in self.rows]
        if connection not in order:
            return False
        if place in {TOP, BOTTOM}:
            return order[-1 if place == TOP else 0] == connection
        above = order.index(connection) + 1
        return above < len(order) and order[above] == place

    def above(self, connection: str) -> str:
        """What an item stands right below: a connection, or the top."""
        order = [one for one, _ in self.rows]
        above = order.index(connection) + 1
        return order[above] if above < len(order) else TOP

    def _position(self, connection: str) -> int:
        found = next((position for one, position in self.rows if one == connection), None)
        if found is None:
            raise UsageError(f"{connection} is not in {self.channel} any more: choose another place")
        return found


def read_places(client: ArenaClient, channel: int) -> Places:
    """The order of a channel now.

    Raises:
        ArenaError: it cannot be read.
    """
    rows: dict[str, int] = {}
    for wire in every_item(client, channel, sort="position_asc"):
        connection = wire.get("connection")
        if isinstance(connection, dict) and isinstance(connection.get("id"), int):
            position = connection.get("position")
            rows[object_id("connection", connection["id"])] = position if isinstance(position, int) else 0
    return Places(channel=object_id("channel", channel), rows=tuple(rows.items()))


def every_item(client: ArenaClient, channel: int, *, sort: str) -> Iterator[Wire]:
    """The items of a channel, page by page.

    Raises:
        ArenaError: it cannot be read, or lists pages without end.
    """
    for number in range(1, PAGES_MAX + 1):
        page = client.contents(channel, page=number, sort=sort)
        yield from page.items
        if not page.has_more or not page.items:
            return
    raise ArenaServerError(
        f"are.na lists channel:{channel} without end; try again later",
        status=200,
        path=f"/v3/channels/{channel}/contents",
    )
