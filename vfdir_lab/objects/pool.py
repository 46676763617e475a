"""The pool: one object for each id, showing what the archive shows now.

Owns: identity, and when a new frame is taken.
Guarantees: as long as an object is held, everything that leads to its id leads to it; one that was born on
a device stays the same object when are.na gives it its id. After anything this process records, the next
reading shows it; what others record shows within `LOOK_SECONDS`, or at once after `refresh`. During a long
piece of work (`together`) objects show what they showed before it.
Leaves to others: the tables (`frame`), the weak references (`living`), what is gone (`vanished`).
Checked by: `tests/objects/test_identity.py`, `test_live.py`, `test_vanished.py`.

Any thread may read; observers are called in the thread that refreshes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from threading import RLock
from time import monotonic
from typing import Any, TypeVar, cast
from weakref import WeakSet

from vfdir_lab.errors import VfdirError
from vfdir_lab.log import EventLog
from vfdir_lab.media import MediaStore
from vfdir_lab.media.pictures import Pictures
from vfdir_lab.objects.frame import Frame, Table
from vfdir_lab.objects.ids import Key, id_of, key_of
from vfdir_lab.objects.living import Living
from vfdir_lab.objects.observers import Observers
from vfdir_lab.objects.thing import Thing, plain
from vfdir_lab.objects.things import SORTS
from vfdir_lab.objects.vanished import Past, last_shown
from vfdir_lab.projection.engine import Engine
from vfdir_lab.projection.lens import Lens

LOOK_SECONDS = 0.25
LOCAL = "~"
"""What an id has in it that are.na did not give."""
NOTHING = Past()
"""The past of what the log never spoke of."""
Sort = TypeVar("Sort", bound=Thing)
Wish = Callable[[str, str, object], None]
"""Wishes for another value (object id, field, value), in the transaction in force."""


class Pool:
    """The objects of one archive. `lens` gives the lens in force, `wish` is what assigning does."""

    def __init__(self, log: EventLog, engine: Engine, lens: Callable[[], Lens], wish: Wish) -> None:
        self._log = log
        self._engine = engine
        self._lens = lens
        self._wish = wish
        self._lock = RLock()
        self._living = {sort: Living(sort.SPACE) for sort in SORTS.values()}
        self._local: WeakSet[Thing] = WeakSet()
        self._past: dict[tuple[type[Thing], Key], Past] = {}
        self._frame: Frame | None = None
        self._look_at = 0.0
        self._works = 0
        self.observers = Observers(self._shown)

    def noticed(self) -> None:
        """Something was recorded here: what is read next shows it, and observers are told."""
        self._look_at = 0.0
        if self.observers and not self._works:
            with suppress(VfdirError):  # it was recorded all the same; who reads next is told
                self.refresh()

    def refresh(self) -> None:
        """Look at once whether there is anything new, and tell the observers.

        Raises:
            ProjectionError: the lens in force does not run. LogError
        """
        self._look()
        self.observers.tell()

    @contextmanager
    def together(self) -> Iterator[None]:
        """What is recorded meanwhile shows when this is over, and is told once."""
        with self._lock:
            self._works += 1
        try:
            yield
        finally:
            with self._lock:
                self._works -= 1
            self.noticed()

    def frame(self) -> Frame:
        """What the archive shows."""
        frame = self._frame
        if frame is None or (monotonic() >= self._look_at and not self._works):
            frame = self._look()
        return frame

    def table(self, name: str) -> Table:
        """A table of the moment."""
        frame = self.frame()
        found = frame.tables.get(name)
        return self._load(frame, name) if found is None else found

    def picture(self, thing: Thing) -> str | None:
        """The saved copy of an object's picture, as a `data:` address; None where there is none to show."""
        try:
            shown = thing.as_dict()
            addresses = [shown.get(name) for name in ("image_url", "attachment_url")]
            wanted = next((one for one in addresses if isinstance(one, str)), None)
            if wanted is None:
                return None
            query = "SELECT sha256 FROM media WHERE url = $url"
            copies = self._engine.arrow(query, {"url": wanted}, lens=self._lens()).to_pylist()
        except VfdirError:  # a card is asked for when something else went wrong, too
            return None
        store = MediaStore(self._log.root)
        return Pictures(store).uri(copies[0]["sha256"]) if copies else None

    def _look(self) -> Frame:
        with self._lock:
            looked_at = monotonic()
            head, lens = self._log.coverage().head, self._lens()
            if self._frame is None or not self._frame.is_at(head, lens):
                frame = Frame(engine=self._engine, head=head, lens=lens)
                self._rename(frame)
                self._past = {}
                self._frame = frame
            self._look_at = looked_at + LOOK_SECONDS
            return self._frame

    def _rename(self, frame: Frame) -> None:
        """Let objects go by the ids that are.na has given them by now."""
        for thing in list(self._local):
            remote = frame.bindings().get(id_of(thing.SPACE, thing.key))
            if remote is not None:
                self._local.discard(thing)
                thing.key = key_of(thing.SPACE, remote)
                living = self._living[type(thing)]
                if living.get(thing.key) is None:
                    living.put(thing)

    def _load(self, frame: Frame, name: str) -> Table:
        """A table of a frame; of the newest, the objects that are held take their places in it."""
        with self._lock:
            table = frame.table(name)
            if frame is self._frame:
                for sort, living in self._living.items():
                    if name == sort.TABLE:
                        living.align(table.ids)
            return table

    def thing(self, sort: type[Sort], object_id: str) -> Sort:
        """The object of that id, whatever is known of it."""
        if LOCAL in object_id:
            object_id = self._bindings().get(object_id, object_id)
        key = key_of(sort.SPACE, object_id)
        with self._lock:
            return self._held(sort, key) or self._made(sort, key)

    def at(self, sort: type[Sort], table: Table, place: int) -> Sort:
        """The object of a row."""
        with self._lock:
            found = self._living[sort].at(table.ids, place)
            if found is not None:
                return cast(Sort, found)
            number = table.ids.number(sort.SPACE, place)
            key = key_of(sort.SPACE, table.cell(place, "object_id")) if number is None else number
            return self._held(sort, key) or self._made(sort, key)

    def _held(self, sort: type[Sort], key: Key) -> Sort | None:
        return cast(Sort | None, self._living[sort].get(key))

    def _made(self, sort: type[Sort], key: Key) -> Sort:
        thing = sort(self, key)
        self._living[sort].put(thing)
        if isinstance(key, str) and LOCAL in key:
            self._local.add(thing)
        return thing

    def _bindings(self) -> Mapping[str, str]:
        frame = self.frame()
        with self._lock:
            return frame.bindings()

    def related(self, thing: Thing, column: str, sort: type[Sort]) -> Sort | None:
        """The object that a column names, where it is of that sort."""
        named = self.value(thing, column)
        if isinstance(named, str) and SORTS.get(named.partition(":")[0]) is sort:
            return self.thing(sort, named)
        return None

    def members(self, thing: Thing, group: str, sort: type[Sort]) -> list[Sort]:
        """The objects of one of `GROUPS` that name this one."""
        frame = self.frame()
        table = self._load(frame, sort.TABLE)
        with self._lock:
            places = frame.group(group).places(thing.SPACE, thing.key)
        return [self.at(sort, table, place) for place in places]

    def value(self, thing: Thing, column: str) -> Any:
        """What an object shows in a column; of one that is not shown, what it showed last."""
        table = self.table(thing.TABLE)
        place = table.ids.place(thing.SPACE, thing.key)
        cell = table.cell(place, column) if place is not None else self._last(thing).row.get(column)
        return plain(column, cell)

    def row(self, thing: Thing) -> dict[str, Any]:
        """All that an object shows."""
        table = self.table(thing.TABLE)
        place = table.ids.place(thing.SPACE, thing.key)
        found = table.row(place) if place is not None else self._last(thing).row
        row = {name: plain(name, found.get(name)) for name in table.names}
        return row | {"object_id": id_of(thing.SPACE, thing.key)}

    def vanished_at(self, thing: Thing) -> datetime | None:
        """When an object ceased to be shown; None for one that is shown."""
        is_shown = self.table(thing.TABLE).ids.place(thing.SPACE, thing.key) is not None
        return None if is_shown else self._last(thing).vanished_at

    def names(self, sort: type[Thing]) -> tuple[str, ...]:
        """The columns of a sort of objects."""
        return self.table(sort.TABLE).names

    def is_known(self, thing: Thing) -> bool:
        """Whether it is shown, or the log says anything of it."""
        is_shown = self.table(thing.TABLE).ids.place(thing.SPACE, thing.key) is not None
        return is_shown or self._last(thing) is not NOTHING

    def wish(self, thing: Thing, field: str, value: object) -> None:
        """Wish that an object show something else.

        Raises:
            UsageError: no transaction is in force, or the wish makes no sense.
        """
        self._wish(thing.object_id, field, value)

    def _shown(self, thing: Thing) -> dict[str, Any]:
        return self.row(thing) | {"vanished_at": self.vanished_at(thing)}

    def _last(self, thing: Thing) -> Past:
        """What an object showed last; found out at once for all that are held and not shown."""
        with self._lock:
            frame = self.frame()
            asked = (type(thing), thing.key)
            if asked not in self._past:
                ids = self._load(frame, thing.TABLE).ids
                held = {one.key: one for one in [*self._living[type(thing)].others(), thing]}
                gone = [one for key, one in held.items() if ids.place(one.SPACE, key) is None]
                names = {one.key: id_of(one.SPACE, one.key) for one in gone}
                found = last_shown(frame, thing.TABLE, list(names.values()))
                self._past |= {(type(one), one.key): found.get(names[one.key], NOTHING) for one in gone}
            return self._past.get(asked, NOTHING)
