"""The objects of one class that somebody holds, each under its key, held by nobody here.

Owns: `Living`, the weak part of the pool.
Guarantees: an object is found as long as it lives. What is in the table costs a weak reference and one
place of a list, which is a third of what a dictionary of weak references takes; references whose object
died are swept out before they are a fourth of the places.
Leaves to others: making objects, and locking (`pool`).
Checked by: `tests/objects/test_living.py`, against a dictionary.
"""

from __future__ import annotations

from collections.abc import Iterator
from weakref import ref

from vfdir_lab.objects.ids import Ids, Key
from vfdir_lab.objects.thing import Thing

_FEW_DEAD = 10_000
_SHARE = 4


class Living:
    """Objects of a class: by place where the table has them, by key where it has not."""

    def __init__(self, space: str) -> None:
        self._space = space
        self._ids = Ids()
        self._placed: list[ref[Thing] | None] = []
        self._others: dict[Key, ref[Thing]] = {}
        self._dead = 0
        self._on_death = self._note_death  # one for all: a bound method is as large as an object

    def __iter__(self) -> Iterator[Thing]:
        for held in [*self._placed, *self._others.values()]:
            if held is not None and (thing := held()) is not None:
                yield thing

    def others(self) -> list[Thing]:
        """The objects that the table has not."""
        return [thing for held in list(self._others.values()) if (thing := held()) is not None]

    def get(self, key: Key) -> Thing | None:
        """The object under a key, if it lives."""
        place = self._ids.place(self._space, key)
        held = self._others.get(key) if place is None else self._placed[place] if self._placed else None
        return None if held is None else held()

    def at(self, ids: Ids, place: int) -> Thing | None:
        """The object at a place of that table, as far as it is the table the places are of; else None."""
        held = self._placed[place] if ids is self._ids and self._placed else None
        return None if held is None else held()

    def put(self, thing: Thing) -> None:
        """Know an object by its key from now on."""
        place = self._ids.place(self._space, thing.key)
        held = ref(thing, self._on_death)
        if place is None:
            self._others[thing.key] = held
            return
        if not self._placed:
            self._placed = [None] * self._ids.size
        self._placed[place] = held
        if self._dead > max(_FEW_DEAD, len(self._placed) // _SHARE):
            self._sweep()

    def align(self, ids: Ids) -> None:
        """Take the places of a new table, where others may be at the old ones."""
        if ids is self._ids:
            return
        things = list(self)
        self._ids, self._placed, self._others, self._dead = ids, [], {}, 0
        for thing in things:
            if self.get(thing.key) is None:  # where a binding made two objects one, the first stays
                self.put(thing)

    def _note_death(self, _held: ref[Thing]) -> None:
        self._dead += 1

    def _sweep(self) -> None:
        self._dead = 0
        for place, held in enumerate(self._placed):
            if held is not None and held() is None:
                self._placed[place] = None
        self._others = {key: held for key, held in self._others.items() if held() is not None}
