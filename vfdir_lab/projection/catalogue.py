"""The catalogue: every version of every projection that can be chosen, by name and number.

The shipped ones are always there. A person's own files, `<archive>/projections/<name>/v<N>_<slug>.sql`, are
read when the catalogue is asked for, so a new one needs no restart; one that is wrong is a problem of its own
and stands in nobody's way. What a file holds is read by `definition.py`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from graphlib import CycleError, TopologicalSorter
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from vfdir_lab.errors import ProjectionFileError, UsageError
from vfdir_lab.projection.definition import LEAF, Definition, Source, define

NO_PROJECTIONS = frozenset({"helpers", "upcasts"})
RESERVED = frozenset({LEAF, "log_segments", "asked"})
PIN = re.compile(r"([a-z][a-z0-9_]*)_v([1-9][0-9]{0,8})")
FILE_NAME = re.compile(r"v([1-9][0-9]{0,8})_([a-z0-9_]+)\.sql")
NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")


class Catalogue:
    """Every version of every projection; `problems` are the files of a person's that cannot be read."""

    def __init__(
        self, definitions: Iterable[Definition], problems: Sequence[ProjectionFileError] = ()
    ) -> None:
        self._definitions = {(one.name, one.version): one for one in definitions}
        self.problems = tuple(problems)

    @classmethod
    def load(cls, folder: Traversable) -> Catalogue:
        """Read `<folder>/<name>/v<N>_<slug>.sql`.

        Raises:
            ProjectionFileError: a file is malformed; the message names it and the mend.
        """
        problems: list[ProjectionFileError] = []
        catalogue = cls(_read(folder, "shipped", problems))
        for problem in problems:
            raise problem
        return catalogue

    def with_own(self, folder: Path) -> Catalogue:
        """This catalogue and the person's own files below `folder`, which need not be there."""
        problems: list[ProjectionFileError] = []
        found = list(self)
        taken = {name: self.of(name)[-1].version for name in self.names}
        for one in _read(folder, "own", problems) if folder.is_dir() else ():
            if one.version <= taken.get(one.name, 0):
                problems.append(_taken(one, taken[one.name]))
            else:
                found.append(one)
        return Catalogue(found, problems)

    def __getitem__(self, key: tuple[str, int]) -> Definition:
        """The version of that number.

        Raises:
            UsageError: there is none. ProjectionFileError: its file is malformed.
        """
        if key in self._definitions:
            return self._definitions[key]
        name, version = key
        problem = self.problem_of(name, version)
        if problem is not None:
            raise problem
        there = sorted(number for called, number in self._definitions if called == name)
        if not there:
            raise UsageError(f"there is no projection {name!r}; there are {', '.join(self.names)}")
        raise UsageError(f"there is no {name} v{version}; there are {', '.join(f'v{n}' for n in there)}")

    def problem_of(self, name: str, version: int) -> ProjectionFileError | None:
        """Why the person's file of that number cannot be read; None where none is in the way."""
        called = re.compile(rf"{re.escape(name)}/v{version}(?![0-9])")
        return next((problem for problem in self.problems if called.match(str(problem))), None)

    def __contains__(self, key: object) -> bool:
        return key in self._definitions

    def __iter__(self) -> Iterator[Definition]:
        return iter(self._definitions.values())

    @property
    def names(self) -> tuple[str, ...]:
        """The names there are, in order."""
        return tuple(sorted({name for name, _ in self._definitions}))

    def of(self, name: str) -> tuple[Definition, ...]:
        """Every version of a projection, by number.

        Raises:
            UsageError: there is none.
        """
        found = sorted((one for one in self if one.name == name), key=lambda one: one.version)
        if not found:
            raise UsageError(f"there is no projection {name!r}; there are {', '.join(self.names)}")
        return tuple(found)

    def in_order(self, versions: Mapping[str, int]) -> list[Definition]:
        """The chosen definitions, each after those it reads. Raises as `in_order` of this module."""
        return in_order([self[name, version] for name, version in versions.items()])


def in_order(definitions: Iterable[Definition]) -> list[Definition]:
    """The definitions, each after those it reads.

    Raises:
        ProjectionFileError: they read each other in a circle, or one reads what is not among them.
    """
    chosen = {one.name: one for one in definitions}
    for definition in chosen.values():
        unknown = definition.reads - chosen.keys() - {LEAF}
        if unknown:
            raise ProjectionFileError(
                f"{definition.called} reads {', '.join(sorted(unknown))}, "
                f"which is no table here; there are {LEAF}, {', '.join(sorted(chosen))}"
            )
    order = TopologicalSorter({name: sorted(one.reads - {LEAF}) for name, one in chosen.items()})
    try:
        return [chosen[name] for name in order.static_order()]
    except CycleError as error:
        circle = " reads ".join(reversed(error.args[1]))
        raise ProjectionFileError(
            f"projections read each other in a circle: {circle}; let one of them read {LEAF} instead"
        ) from error


def needed(definitions: Sequence[Definition], names: Collection[str]) -> list[Definition]:
    """Those of these names and all they read, of definitions that stand each after those it reads."""
    wanted = set(names)
    for one in reversed(definitions):
        if one.name in wanted:
            wanted |= one.reads
    return [one for one in definitions if one.name in wanted]


def with_pins(definitions: Iterable[Definition]) -> list[Definition]:
    """The definitions, and the shipped versions that they read by number: `blocks_v2` is version 2 of blocks.

    So a version of a person's own can be a shipped one with a column changed, whatever is in force.
    """
    found = {one.name: one for one in definitions}
    unread = list(found.values())
    while unread:
        for name in sorted(unread.pop().reads - found.keys()):
            match = PIN.fullmatch(name)
            if match is not None and (match[1], int(match[2])) in shipped():
                found[name] = replace(shipped()[match[1], int(match[2])], name=name)
                unread.append(found[name])
    return list(found.values())


def readable(definitions: Iterable[Definition], name: str) -> list[Definition]:
    """Those of the definitions that a version of `name` may read: all but itself and what reads it."""
    rest = [one for one in definitions if one.name != name]
    out = {name}
    while above := {one.name for one in rest if one.reads & out} - out:
        out |= above
    return in_order(one for one in rest if one.name not in out)


@cache
def shipped() -> Catalogue:
    """The catalogue of the projections that come with vfdir_lab."""
    return Catalogue.load(files("vfdir_lab.projection") / "sql")


def _read(folder: Traversable, source: Source, problems: list[ProjectionFileError]) -> Iterator[Definition]:
    """The definitions below `folder`; what cannot be read is added to `problems`."""
    for place in sorted(folder.iterdir(), key=lambda one: one.name):
        if not place.is_dir() or place.name in NO_PROJECTIONS or place.name.startswith("."):
            continue
        numbers: set[int] = set()
        for file in sorted(place.iterdir(), key=lambda one: one.name):
            try:
                definition = _definition(file, place.name, source)
            except ProjectionFileError as problem:
                problems.append(problem)
                continue
            if definition is None:
                continue
            if definition.version in numbers:
                twice = (
                    f"there are two files of version {definition.version}; give one of them another number"
                )
                problems.append(ProjectionFileError(f"{place.name}: {twice}"))
                continue
            numbers.add(definition.version)
            yield definition


def _taken(one: Definition, last: int) -> ProjectionFileError:
    return ProjectionFileError(
        f"{one.name}/v{one.version}: the numbers of {one.name} up to {last} are taken by vfdir_lab; "
        f"call it v{last + 1} or more, in the header too"
    )


def _definition(file: Traversable, folder: str, source: Source) -> Definition | None:
    """What a file defines, or None: it is none of ours."""
    match = FILE_NAME.fullmatch(file.name)
    where = f"{folder}/{file.name}"
    if match is None:
        if file.name.endswith(".sql") and not file.name.startswith("."):
            raise ProjectionFileError(f"{where}: call it v4_my_rule.sql: v, the version, _ and a few words")
        return None
    if source == "own":
        _check_place(file, folder, where)
    definition = define(_text(file, where), where=where, source=source)
    if (definition.name, definition.version) != (folder, int(match[1])):
        raise ProjectionFileError(
            f"{where}: the header says {definition.called}; make header, folder and file name agree"
        )
    return definition


def _check_place(file: Traversable, folder: str, where: str) -> None:
    """Own names can be typed as tables, and a link out of the archive is not followed."""
    if NAME.fullmatch(folder) is None or folder in RESERVED:
        raise ProjectionFileError(
            f"{where}: {folder!r} cannot be a table's name here; use another of a-z, 0-9 and _"
        )
    place = Path(str(file))
    if not place.resolve().is_relative_to(place.parents[1].resolve()) or not place.is_file():
        raise ProjectionFileError(f"{where}: it is no file of this archive; put a copy of it here")


def _text(file: Traversable, where: str) -> str:
    try:
        return file.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ProjectionFileError(f"{where}: not UTF-8; save it as that") from error
    except OSError as error:
        raise ProjectionFileError(f"{where}: it cannot be read ({error.strerror})") from error
