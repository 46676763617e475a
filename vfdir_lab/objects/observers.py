"""Who is told when an object shows something else.

Owns: `Observers`: what was observed, what it showed when its observers were last told, and the telling.
Guarantees: an observer is told once of each refresh in which fields of its object changed, with what they
showed when it was last told. One that raises stops no other; it is warned of when all were told. What
observers do in turn (a transaction, a refresh) is told after the round that is under way.
Leaves to others: when it is time (`pool`).
Checked by: `tests/objects/test_observe.py`.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from vfdir_lab.objects.thing import Change, Observer, Thing

ROUNDS = 10
"""Observers that keep changing what they observe are told so often, and again with the next refresh."""


class ObserverWarning(UserWarning):
    """An observer raised; the others were told all the same."""


@dataclass(slots=True, kw_only=True)
class _Watched:
    shown: dict[str, Any]
    callbacks: list[Observer] = field(default_factory=list)


class Observers:
    """The observers of one pool. `show` gives what an object shows, field by field."""

    def __init__(self, show: Callable[[Thing], dict[str, Any]]) -> None:
        self._show = show
        self._watched: dict[Thing, _Watched] = {}
        self._is_telling = False
        self._is_asked_again = False

    def __bool__(self) -> bool:
        return bool(self._watched)

    def add(self, thing: Thing, callback: Observer) -> None:
        """Tell `callback` of `thing` from now on."""
        if thing not in self._watched:
            self._watched[thing] = _Watched(shown=self._show(thing))
        watched = self._watched[thing]
        if callback not in watched.callbacks:
            watched.callbacks.append(callback)

    def remove(self, thing: Thing, callback: Observer) -> None:
        """Tell it no more."""
        watched = self._watched.get(thing)
        if watched is not None and callback in watched.callbacks:
            watched.callbacks.remove(callback)
            if not watched.callbacks:
                del self._watched[thing]

    def tell(self) -> None:
        """Tell everybody whose object shows something else."""
        if self._is_telling:
            self._is_asked_again = True
            return
        self._is_telling = True
        failed: list[str] = []
        try:
            for _ in range(ROUNDS):
                self._is_asked_again = False
                self._tell_all(failed)
                if not self._is_asked_again:
                    break
        finally:
            self._is_telling = False
        for said in failed:
            warnings.warn(said, ObserverWarning, stacklevel=3)

    def _tell_all(self, failed: list[str]) -> None:
        for thing, watched in list(self._watched.items()):
            now = self._show(thing)
            changes = _changes(watched.shown, now)
            watched.shown = now
            for callback in list(watched.callbacks) if changes else ():
                try:
                    callback(thing, changes)
                except Exception as error:  # noqa: BLE001 - a callback is anybody's code
                    failed.append(f"an observer of {thing.object_id} raised {error!r}; mend or unobserve it")


def _changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[Change, ...]:
    names = [*new, *(name for name in old if name not in new)]
    return tuple(
        Change(field=name, old=old.get(name), new=new.get(name))
        for name in names
        if old.get(name) != new.get(name)
    )
