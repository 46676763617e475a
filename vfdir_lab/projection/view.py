"""A view of an archive: from a standpoint, through a lens. What `as_of` and `lens` give a person."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Self

from vfdir_lab.errors import QueryError, UsageError
from vfdir_lab.log import EventLog, Head, Moment, head_of, instant_of
from vfdir_lab.projection.choices import check_name
from vfdir_lab.projection.engine import Engine, Standpoint
from vfdir_lab.projection.fitness import LensWarning
from vfdir_lab.projection.lens import Lens
from vfdir_lab.projection.lenses import Lenses

if TYPE_CHECKING:
    import duckdb

__all__ = ["Desk", "LensWarning", "View"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What a view needs of an archive."""

    log: EventLog
    engine: Engine
    lenses: Lenses


class View:
    """An archive, seen through a lens; at a head, or always the newest; as known, or as it was so.

    `head` is what is known (None: everything, also what is appended later). `at`, if given, is the moment
    for which it is asked what was so. `name` is the lens's.
    """

    def __init__(
        self,
        desk: Desk,
        *,
        name: str | None = None,
        head: Head | None = None,
        at: datetime | None = None,
        lens: Lens | None = None,
    ) -> None:
        self._desk = desk
        self._lens = lens
        self.name = name or desk.lenses.default
        self.head = head
        self.at = at

    def __repr__(self) -> str:
        head = f", head={str(self.head)!r}" if self.head is not None else ""
        was_so = f", at={self.at.isoformat()!r}" if self.at else ""
        return f"View(lens={self.name!r}{head}{was_so})"

    @property
    def definitions(self) -> Lens:
        """The versions it reads through: those of the lens as it is set now, unless it was fixed."""
        return self._lens or self._desk.lenses.lens(self.name)

    @property
    def versions(self) -> dict[str, int]:
        """The number of each projection's version."""
        return dict(self.definitions.versions)

    @property
    def fingerprint(self) -> str:
        """What the lens means: with the head, it names an answer that never changes."""
        return self.definitions.fingerprint

    @property
    def standpoint(self) -> Standpoint:
        """Where it stands now."""
        head = self._desk.log.coverage().head if self.head is None else self.head
        return Standpoint(head=head, lens=self.definitions, at=self.at)

    def head_at(self, moment: Moment) -> Head:
        """The head that a moment means for this archive. Raises HeadError."""
        return head_of(self._desk.log, moment)

    def sql(self, query: str, /, **tables: object) -> duckdb.DuckDBPyRelation:
        """Ask in SQL; a lazy DuckDB relation. As `Archive.sql`.

        Raises:
            QueryError, UsageError, ProjectionError, HeadError
        """
        lens = self.definitions
        for notice in self._notices(lens):
            warnings.warn(notice, LensWarning, stacklevel=3)
        try:
            return self._desk.engine.relation(query, head=self.head, lens=lens, at=self.at, tables=tables)
        except QueryError as error:
            hint = self._unused(query, lens)
            if not hint:
                raise
            raise QueryError(f"{error}\n{hint}") from error

    def as_of(
        self, moment: Moment | None = None, *, head: Head | str | None = None, axis: str = "knew"
    ) -> View:
        """The same lens at a moment, on one of two axes. As `Archive.as_of`.

        Raises:
            HeadError, UsageError
        """
        log = self._desk.log
        if axis == "knew":
            chosen = moment if head is None else head
            known = log.coverage().head if chosen is None else head_of(log, chosen)
            return View(self._desk, name=self.name, head=known, lens=self._lens)
        if axis != "effective":
            raise UsageError(f"there is no axis {axis!r}; there are knew and effective")
        if moment is None or isinstance(moment, Head):
            raise UsageError("what was so is asked for a date or a time; a head says what was known")
        known = log.coverage().head if head is None else head_of(log, head)
        return View(self._desk, name=self.name, head=known, at=instant_of(moment), lens=self._lens)

    def lens(self, name: str | None = None, *, as_of: Moment | None = None) -> View:
        """The same standpoint through another lens, also one that `use` has yet to make.

        With `as_of`, the lens as it was set then.

        Raises:
            UsageError: it cannot be a lens's name. HeadError, ProjectionError
        """
        name = name or self._desk.lenses.default
        check_name(name)
        fixed = None
        if as_of is not None:
            fixed = self._desk.lenses.lens(name, head=head_of(self._desk.log, as_of))
        return View(self._desk, name=name, head=self.head, at=self.at, lens=fixed)

    def use(self, **versions: int | None) -> Self:
        """Change this lens for good: `view.use(blocks=4, channels=2)`, all or nothing; None: the default.

        Raises:
            UsageError, ProjectionError, LogError, ArchiveWriteError
        """
        if self._lens is not None:
            raise UsageError(f"this is the lens {self.name} as it was set once; that does not change")
        self._desk.lenses.use(versions, name=self.name)
        return self

    def _unused(self, query: str, lens: Lens) -> str:
        """What to do about projections that a refused query names and the lens has no version of."""
        words = set(re.findall(r"\w+", query.lower()))
        names = sorted(words & set(self._desk.lenses.catalogue.names) - set(lens.versions))
        lens_ = "" if self.name == self._desk.lenses.default else f" --lens {self.name}"
        return "\n".join(
            f"{name} has no version in the lens {self.name}: `vfdir-lab projection use {name} "
            f"{self._desk.lenses.catalogue.of(name)[-1].version}{lens_}` puts one in force"
            for name in names
        )

    def _notices(self, lens: Lens) -> Iterator[str]:
        if self._lens is None:
            yield from self._desk.lenses.notices(self.name)
        for one in lens.definitions:
            if one.fills:
                lacking = ", ".join(column for column, _ in one.fills)
                yield f"{one.called} gives no {lacking}; that reads as null"
