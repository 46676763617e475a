"""What all objects have in common: an id, columns that are read where they lie, and being watched.

Owns: `Thing`, and `Column`, which makes a column of a projection an attribute.
Guarantees: an object holds its pool and a key, no data: each attribute is read from the table of the moment.
Reading never fails for an object that is not shown (any more): it gives what was last shown, or None.
Leaves to others: identity and freshness (`pool`), what there is to read (`things`), how it looks (`card`).
Checked by: `tests/objects/test_things.py`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Generic, NoReturn, Self, TypeVar, overload

from vfdir_lab.objects.card import html_card, text_card
from vfdir_lab.objects.ids import Key, id_of

if TYPE_CHECKING:
    from vfdir_lab.objects.pool import Pool

Value = TypeVar("Value")
METADATA = "metadata"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A field of an object that shows something else: its column, what it showed, what it shows now."""

    field: str
    old: Any
    new: Any


Observer = Callable[["Thing", tuple[Change, ...]], object]
"""What is told of changes: the object, and each field that changed."""


class Column(Generic[Value]):
    """A column as an attribute; assigning to it inside a transaction wishes for another value."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, thing: None, owner: type) -> Self: ...
    @overload
    def __get__(self, thing: Thing, owner: type) -> Value: ...
    def __get__(self, thing: Thing | None, owner: type) -> Any:
        return self if thing is None else thing.pool.value(thing, self._name)

    def __set__(self, thing: Thing, value: Value) -> None:
        thing.pool.wish(thing, self._name, value)


class Thing:
    """An object of the archive: one for each id in a pool, as long as somebody holds it."""

    __slots__ = ("__weakref__", "key", "pool")

    SPACE: ClassVar[str]
    TABLE: ClassVar[str]

    def __init__(self, pool: Pool, key: Key) -> None:
        self.pool = pool
        self.key = key

    remote_id: Column[int | None] = Column()

    @property
    def object_id(self) -> str:
        """`block:123`; a local id (`block:~dev.7`) as long as are.na does not know the object."""
        if isinstance(self.key, str):
            self.pool.frame()  # are.na may have given it a number meanwhile
        return id_of(self.SPACE, self.key)

    @property
    def vanished_at(self) -> datetime | None:
        """When it was recorded that this is not there any more; None for what is shown.

        None, too, for what only the lens does not show.
        """
        return self.pool.vanished_at(self)

    def as_dict(self) -> dict[str, Any]:
        """The row of the object's table; what refers to other objects is their id."""
        return self.pool.row(self)

    def observe(self, callback: Observer) -> None:
        """Have `callback(thing, changes)` called when the pool is refreshed and fields of this changed.

        The object is held as long as it is observed. A callback that is given twice is called once.
        """
        self.pool.observers.add(self, callback)

    def unobserve(self, callback: Observer) -> None:
        """Call it no more; nothing happens where it was not called before."""
        self.pool.observers.remove(self, callback)

    def __getattr__(self, name: str) -> Any:
        """A column that only the version in force has."""
        if not name.startswith("_") and name in self.pool.names(type(self)):
            return self.pool.value(self, name)
        raise AttributeError(
            f"a {self.SPACE} has no {name!r} in the lens in force; `dir()` lists what it has", name=name
        )

    def __dir__(self) -> list[str]:
        inherited = (name for name in super().__dir__() if name not in {"SPACE", "TABLE", "key", "pool"})
        return sorted({*inherited, *self.pool.names(type(self))})

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, _memo: object) -> Self:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"{self.object_id} lives in its archive: pickle its object_id, or as_dict()")

    def __repr__(self) -> str:
        return text_card(self)

    def _repr_html_(self) -> str:
        return html_card(self, self.pool.picture(self))


def plain(name: str, value: Any) -> Any:
    """A cell as an attribute gives it: metadata as a dictionary."""
    if name == METADATA and isinstance(value, str):
        with suppress(ValueError):  # a person's own version may give what is no JSON
            return json.loads(value)
    return value
