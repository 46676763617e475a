"""How a person asks for objects: by number, id or slug, or for all of a sort.

Owns: `Objects`, what `archive.objects` is.
Guarantees: what is asked for is there, or was once; else `UnknownObjectError` says what is known instead.
Leaves to others: everything about an object that was found (`thing`, `things`).
Checked by: `tests/objects/test_asking.py`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from difflib import get_close_matches
from typing import Any, Generic, TypeVar

import pyarrow.compute as pc

from vfdir_lab.errors import UnknownObjectError, UsageError
from vfdir_lab.objects.frame import SQL
from vfdir_lab.objects.pool import Pool
from vfdir_lab.objects.thing import Thing
from vfdir_lab.objects.things import SORTS, Block, Channel, Comment, Connection, User
from vfdir_lab.projection.engine import read_sql

Sort = TypeVar("Sort", bound=Thing)


class All(Collection[Sort], Generic[Sort]):
    """All objects of a sort that are shown, by number; a loop goes over those shown when it began."""

    def __init__(self, pool: Pool, sort: type[Sort]) -> None:
        self._pool = pool
        self._sort = sort

    def __len__(self) -> int:
        return self._pool.table(self._sort.TABLE).ids.size

    def __iter__(self) -> Iterator[Sort]:
        table = self._pool.table(self._sort.TABLE)
        for place in range(table.ids.size):
            yield self._pool.at(self._sort, table, place)

    def __contains__(self, thing: object) -> bool:
        return isinstance(thing, self._sort) and thing.pool is self._pool and self._is_shown(thing)

    def _is_shown(self, thing: Thing) -> bool:
        return self._pool.table(thing.TABLE).ids.place(thing.SPACE, thing.key) is not None

    def __repr__(self) -> str:
        return f"<{len(self):,} {self._sort.TABLE}>"


class Objects:
    """The objects of an archive: `objects.channel("tides").blocks[0].author.channels`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def __repr__(self) -> str:
        return f"<objects: {len(self.blocks):,} blocks, {len(self.channels):,} channels>"

    @property
    def blocks(self) -> All[Block]:
        """All blocks."""
        return All(self._pool, Block)

    @property
    def channels(self) -> All[Channel]:
        """All channels, also those that were only met inside another."""
        return All(self._pool, Channel)

    @property
    def connections(self) -> All[Connection]:
        """All connections."""
        return All(self._pool, Connection)

    @property
    def users(self) -> All[User]:
        """Everybody who was met, people and groups."""
        return All(self._pool, User)

    def block(self, name: int | str) -> Block:
        """The block of this number or id (`block:123`, `block:~dev.7`).

        Raises:
            UnknownObjectError: nothing is known of it.
            UsageError: it is the id of something else. ProjectionError, LogError
        """
        return self._find(Block, name)

    def channel(self, name: int | str) -> Channel:
        """The channel of this slug, number or id; by a slug it had before, where none has it now.

        Raises: as `block`.
        """
        text = str(name)
        if ":" in text or (text.isascii() and text.isdecimal()):
            return self._find(Channel, name)
        return self._of_slug(text)

    def connection(self, name: int | str) -> Connection:
        """The connection of this number or id. Raises: as `block`."""
        return self._find(Connection, name)

    def user(self, name: int | str) -> User:
        """The person of this number or id, or the group of this id (`group:7`). Raises: as `block`."""
        return self._find(User, name)

    def comment(self, name: int | str) -> Comment:
        """The comment of this number or id. Raises: as `block`."""
        return self._find(Comment, name)

    def refresh(self) -> None:
        """Look at once for what others recorded, and tell observers what changed.

        Raises:
            ProjectionError: the lens in force does not run. LogError
        """
        self._pool.refresh()

    def _find(self, sort: type[Sort], name: int | str) -> Sort:
        text = str(name)
        object_id = text if ":" in text else f"{sort.SPACE}:{text}"
        space = object_id.partition(":")[0]
        if SORTS.get(space) is not sort:
            raise UsageError(
                f"{text!r} names no {sort.SPACE}: give its number, or an id like {sort.SPACE}:123"
            )
        thing = self._pool.thing(sort, object_id)
        if not self._pool.is_known(thing):
            raise UnknownObjectError(self._instead(sort, object_id), object_id=object_id)
        return thing

    def _instead(self, sort: type[Thing], object_id: str) -> str:
        rest = object_id.partition(":")[2]
        there = f"the archive has {self._pool.table(sort.TABLE).ids.size:,} {sort.TABLE}"
        for other in (Block, Channel):
            if other is not sort and rest.isdecimal():
                place = self._pool.table(other.TABLE).ids.place(other.SPACE, f"{other.SPACE}:{rest}")
                there += f", and a {other.SPACE} of that number" if place is not None else ""
        return f"nothing is known of {object_id}: {there}; `pull` a channel it is in to have it"

    def _of_slug(self, slug: str) -> Channel:
        table = self._pool.table(Channel.TABLE)
        slugs = table.columns.get("slug")
        place: Any = -1 if slugs is None else pc.index(slugs, slug).as_py()
        if place >= 0:
            return self._pool.at(Channel, table, place)
        frame = self._pool.frame()
        former = frame.engine.facts(read_sql(SQL, "former_slug"), {"slug": slug}, head=frame.head)
        if former.num_rows:
            return self._pool.thing(Channel, former.column("object_id")[0].as_py())
        known = [one for one in (slugs.to_pylist() if slugs is not None else ()) if one]
        near = ", ".join(get_close_matches(slug, known)) or f"{len(known):,} other channels are"
        raise UnknownObjectError(
            f"there is no channel {slug!r:.100} in this archive ({near}): `pull` it to have it",
            object_id=slug,
        )
