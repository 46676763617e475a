"""Lenses: which version of every projection is in force, as the log says, and how that is changed.

A change is one batch of events: all of it or nothing, for every reader. SQL that another device put to use
is never run here before the person of this copy has said `use`: such a setting waits, and the one before it
stays in force.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from vfdir_lab.errors import ProjectionError, ProjectionFileError, UsageError
from vfdir_lab.log import EventLog, Head
from vfdir_lab.projection.catalogue import Catalogue, shipped
from vfdir_lab.projection.checking import forbidding, known_to
from vfdir_lab.projection.choices import (
    EVENTS,
    Book,
    Choice,
    Choices,
    Setting,
    book_of,
    check_name,
    define_projection,
    set_lens,
)
from vfdir_lab.projection.definition import Definition, define
from vfdir_lab.projection.engine import Engine
from vfdir_lab.projection.fitness import warn_of_misfits
from vfdir_lab.projection.lens import DEFAULT, DEFAULT_VERSIONS, Lens, lens_of
from vfdir_lab.projection.lint import lint

FOLDER = "projections"


class Lenses:
    """The lenses of one archive; `folder` holds the person's own files, `default` is what is read through."""

    def __init__(self, log: EventLog, engine: Engine, folder: Path, *, default: str = DEFAULT) -> None:
        self.default = default
        self._log = log
        self._engine = engine
        self._folder = folder
        self._known: tuple[Head, Book] = (Head(), Book())

    @property
    def catalogue(self) -> Catalogue:
        """What there is to choose from now: the shipped versions and the files below `projections/`."""
        return shipped().with_own(self._folder)

    def names(self) -> tuple[str, ...]:
        """The lenses there are: `default`, and those that were ever set."""
        return tuple(sorted({DEFAULT, *self._book().settings}))

    def lens(self, name: str | None = None, *, head: Head | None = None) -> Lens:
        """The lens of that name as it was last set, or as it was set at a head.

        Raises:
            UsageError: there is none.
            ProjectionError: what it was set to does not run (any more), or is not trusted here.
        """
        name = name or self.default
        book = self._book(head)
        setting = self._in_force(book, name)
        if setting is None and name != DEFAULT:
            self._refuse(book, name)
        return _lens(name, tuple(self._definitions(book, setting.choices if setting else {})))

    def chosen(self, name: str | None = None) -> dict[str, int]:
        """The versions in a lens that somebody chose; the rest are the shipped default's."""
        setting = self._in_force(self._book(), name or self.default)
        return {one: choice.version for one, choice in setting.choices.items()} if setting else {}

    def all(self) -> tuple[Lens, ...]:
        """Every lens that runs."""
        found = []
        for name in self.names():
            with suppress(ProjectionError):
                found.append(self.lens(name))
        return tuple(found)

    def settings(self, name: str | None = None) -> tuple[Setting, ...]:
        """Each time the lens was set, oldest first."""
        return tuple(self._book().settings.get(name or self.default, ()))

    def notices(self, name: str | None = None) -> Iterator[str]:
        """What a person should know of the lens in force: settings that wait, files that were edited."""
        name = name or self.default
        book = self._book()
        in_force = self._in_force(book, name)
        for setting in reversed(book.settings.get(name, ())):
            if setting is in_force:
                break
            yield self._waiting(book, name, setting)
        choices = in_force.choices if in_force else {}
        own = {projection: choice for projection, choice in choices.items() if choice.digest}
        catalogue = self.catalogue if own else shipped()
        for projection, choice in own.items():
            key = (projection, choice.version)
            called = f"{projection} {choice.version}"
            if key in catalogue and catalogue[key].digest != choice.digest:
                yield (
                    f"the file of {projection} v{choice.version} was edited since it was put to use; "
                    f"`vfdir-lab projection use {called}` takes the new text"
                )
            elif catalogue.problem_of(*key) is not None:
                yield (
                    f"the file of {projection} v{choice.version} was edited since it was put to use, and "
                    "cannot be read; `vfdir-lab projection lint` says why"
                )

    def use(self, versions: Mapping[str, int | None], *, name: str | None = None) -> Lens:
        """Change a lens: these versions of these projections, all of them or none. Returns the lens.

        None gives a projection back to the shipped default. What is in force already is not recorded again.
        What does not fit in a person's own is a `LensWarning`.

        Raises:
            UsageError: there is no such version or the lens cannot be called that.
            ProjectionError: the SQL breaks a rule or does not run. LogError, ArchiveWriteError
        """
        name = name or self.default
        check_name(name)
        with self._log.writing() as writer:
            book = self._book(writer.coverage.head)
            setting = self._in_force(book, name)
            before = dict(setting.choices) if setting else {}
            catalogue = self.catalogue
            for one, number in versions.items():
                if number is None and one not in before:
                    catalogue.of(one)  # what was never chosen has to be there, or it is a slip of the pen
            chosen = {
                one: _found(book, catalogue, one, number)
                for one, number in versions.items()
                if number is not None
            }
            after = {one: choice for one, choice in before.items() if one not in versions}
            after |= {one: Choice.of(definition) for one, definition in chosen.items()}
            kept = {one: choice for one, choice in after.items() if one not in chosen}
            definitions = (*self._rest(book, kept, chosen), *chosen.values())
            new = self._new_texts(book, chosen, writer.device)
            for definition in new:
                _check(definition, definitions)
            lens = _lens(name, definitions)
            waiting = name in book.settings and setting is not book.settings[name][-1]
            if after != before or waiting:
                writer.append([*map(define_projection, new), set_lens(name, after)])
        warn_of_misfits(self._engine, lens, chosen)
        return lens

    def _rest(self, book: Book, choices: Choices, chosen: Mapping[str, Definition]) -> Iterator[Definition]:
        """What is in force of the projections that are not being chosen."""
        return (one for one in self._definitions(book, choices) if one.name not in chosen)

    def find(self, name: str, version: int) -> Definition:
        """A version a person names: shipped, a file of theirs, or a text that some device put to use.

        Raises:
            UsageError: there is none. ProjectionFileError: its file is malformed.
        """
        return _found(self._book(), self.catalogue, name, version)

    def to_run(self, name: str, version: int) -> Definition:
        """As `find`, of what may run here.

        Raises:
            UsageError, ProjectionFileError
            ProjectionError: the text is another device's, and nobody has said `use` here.
        """
        book, catalogue = self._book(), self.catalogue
        found = _found(book, catalogue, name, version)
        if (name, version) not in catalogue and book.trusted(found.digest, self._own(book)) is None:
            raise ProjectionError(
                f"{found.called} is another device's and never ran here; `vfdir-lab projection show {name} "
                f"{version}` shows it, `projection use {name} {version}` takes it over"
            )
        return found

    @staticmethod
    def _new_texts(book: Book, chosen: Mapping[str, Definition], device: str) -> list[Definition]:
        """The definitions that this copy has not put to use, and so not checked, before."""
        devices = book.own_devices(device)
        return [
            one
            for one in chosen.values()
            if one.source == "own" and book.trusted(one.digest, devices) is None
        ]

    def _book(self, head: Head | None = None) -> Book:
        """What the log says of lenses up to a head; remembered while the head stays the same."""
        wanted = self._log.coverage().head if head is None else head
        known, book = self._known
        if wanted != known:
            rows = self._engine.facts(f"{EVENTS} ORDER BY hlc, device, seq", {}, head=wanted).to_pylist()
            book = book_of(rows)
            self._known = (wanted, book)
        return book

    def _own(self, book: Book) -> frozenset[str]:
        mark = self._log.machine.mark()
        return book.own_devices(mark.device if mark else None)

    def _in_force(self, book: Book, name: str) -> Setting | None:
        """The newest setting that can be followed here."""
        settings = reversed(book.settings.get(name, ()))
        return next((one for one in settings if not self._unfit(book, one)), None)

    def _unfit(self, book: Book, setting: Setting) -> list[str]:
        """The choices of a setting that cannot be followed: no such version is here, or it never ran here."""
        devices = self._own(book)
        return [
            f"{name} {choice.version}"
            for name, choice in setting.choices.items()
            if (
                book.trusted(choice.digest, devices) is None
                if choice.digest
                else not _is_shipped(name, choice)
            )
        ]

    def _definitions(self, book: Book, choices: Choices) -> Iterator[Definition]:
        devices = self._own(book)
        wanted = {one: Choice(version=number) for one, number in DEFAULT_VERSIONS.items()} | dict(choices)
        for name, choice in wanted.items():
            if choice.digest is None:
                yield shipped()[name, choice.version]
            elif text := book.trusted(choice.digest, devices):
                yield _read(text.sql, name, choice.version)

    def _waiting(self, book: Book, name: str, setting: Setting) -> str:
        unfit = self._unfit(book, setting)
        texts = [one for one in unfit if setting.choices[one.rpartition(" ")[0]].digest]
        said = f"device {setting.device} set the lens {name} to"
        if not texts:
            return (
                f"{said} what this version of vfdir_lab does not have ({', '.join(unfit)}); update to follow"
            )
        lens = "" if name == self.default else f" --lens {name}"
        return (
            f"{said} SQL that never ran here ({', '.join(unfit)}); "
            f"`vfdir-lab projection show {texts[0]}` shows it, `projection use {texts[0]}{lens}` follows"
        )

    def _refuse(self, book: Book, name: str) -> None:
        waiting = book.settings.get(name)
        if waiting:
            raise ProjectionError(self._waiting(book, name, waiting[-1]))
        there = ", ".join(self.names())
        raise UsageError(
            f"there is no lens {name!r}; there are {there}. "
            f"`vfdir-lab projection use blocks 3 --lens {name}` would make it"
        )


@lru_cache(maxsize=64)
def _lens(name: str, definitions: tuple[Definition, ...]) -> Lens:
    try:
        return lens_of(name, definitions)
    except ProjectionFileError as error:
        own = next((one for one in definitions if one.source == "own"), None)
        back = f". `vfdir-lab projection use {own.name} default` goes back" if own else ""
        raise ProjectionError(f"{error}{back}") from error


def _check(definition: Definition, lens: Sequence[Definition]) -> None:
    """Refuse a person's SQL that breaks a rule."""
    where = f"{definition.name}/v{definition.version}"
    known = known_to(definition.sql, where=where, definitions=lens)
    broken = forbidding(lint(definition.sql, where=where, known=known))
    if broken:
        more = f" (and {len(broken) - 1} more; `vfdir-lab projection lint` lists them)" if broken[1:] else ""
        raise ProjectionFileError(f"{broken[0]}{more}")


def _found(book: Book, catalogue: Catalogue, name: str, version: int) -> Definition:
    """As `Lenses.find`."""
    recorded = book.newest(name, version)
    lacks = (name, version) not in catalogue and catalogue.problem_of(name, version) is None
    return _read(recorded.sql, name, version) if recorded and lacks else catalogue[name, version]


def _read(sql: str, name: str, version: int) -> Definition:
    """A text that was recorded under this name and number."""
    found = define(sql, where=f"{name} v{version}", source="own")
    if (found.name, found.version) != (name, version):
        raise ProjectionError(
            f"the text that was recorded as {name} v{version} says that it is {found.called}; it is not used"
        )
    return found


def _is_shipped(name: str, choice: Choice) -> bool:
    return (name, choice.version) in shipped()
