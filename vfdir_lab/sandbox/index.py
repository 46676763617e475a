"""The search index, which lags.

Owns what people's and groups' contents and the search are answered from: copies of records as they were when
last looked at. Guarantees that a change shows after `lag_seconds` and not before. Leaves out blocks that are
still processing, as the published list shapes do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vfdir_lab.sandbox.records import Block, Channel, ItemKey
    from vfdir_lab.sandbox.world import World


class Index:
    """A lagging copy of a world's blocks and channels."""

    def __init__(self, world: World, lag_seconds: float) -> None:
        self._world = world
        self.lag_seconds = lag_seconds
        self._documents: dict[ItemKey, Block | Channel] = {}
        self.refresh()

    def refresh(self) -> None:
        """Catch up with everything now."""
        self._take(len(self._world.touched))

    def documents(self) -> list[Block | Channel]:
        """What the index knows by now, oldest numbers first, blocks before channels."""
        horizon = self._world.clock.steady() - self.lag_seconds
        self._take(sum(1 for at, _ in self._world.touched if at <= horizon))
        found = sorted(self._documents, key=lambda key: (key.kind, key.id))
        return [self._documents[key] for key in found]

    def _take(self, changes: int) -> None:
        due, self._world.touched[:changes] = self._world.touched[:changes], []
        for _, key in due:
            item = self._world.item(key)
            if item is None or getattr(item, "kind", "") == "PendingBlock":
                self._documents.pop(key, None)
            else:
                self._documents[key] = item
