"""The projections of an archive, as a person handles them: list, show, write, choose.

`archive.projections["blocks"].use(4)`. A person's versions are files below `<archive>/projections`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from vfdir_lab.errors import ArchiveWriteError, ProjectionError, ProjectionFileError, UsageError
from vfdir_lab.log.files import make_folder, write_durably
from vfdir_lab.projection.catalogue import NAME, RESERVED, Catalogue
from vfdir_lab.projection.checking import CheckReport, check_all, check_file, check_text
from vfdir_lab.projection.definition import Definition, Source
from vfdir_lab.projection.header import read_header
from vfdir_lab.projection.lens import Lens, lens_of
from vfdir_lab.projection.lenses import Lenses
from vfdir_lab.projection.refresh import refresh_rule

_TITLE = "My rule"
_SLUG_LENGTH = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A version there is: what it is called, whose it is, which lenses use it, how it is kept fresh.

    `refresh` is `by object`, `over projections` or `full`, and `reason` says why.
    """

    name: str
    version: int
    title: str
    source: Source
    lenses: tuple[str, ...]
    refresh: str
    reason: str


class Projections(Mapping[str, "Projection"]):
    """Every projection by name."""

    def __init__(self, lenses: Lenses, folder: Path) -> None:
        self.lenses = lenses
        self.folder = folder

    def __getitem__(self, name: str) -> Projection:
        """The projection of that name, also a new one. Raises UsageError: it cannot be a name."""
        if NAME.fullmatch(name) is None or name in RESERVED:
            raise UsageError(f"{name!r} cannot be a projection's name; use a-z, 0-9 and _")
        return Projection(self, name)

    def __contains__(self, name: object) -> bool:
        return name in self.catalogue.names

    def __iter__(self) -> Iterator[str]:
        return iter(self.catalogue.names)

    def __len__(self) -> int:
        return len(self.catalogue.names)

    def __repr__(self) -> str:
        return "\n".join(
            f"{one.name:<18} v{one.version:<3} {one.title:<20} {one.source:<8} {', '.join(one.lenses)}"
            for one in self.versions()
        )

    @property
    def catalogue(self) -> Catalogue:
        """What there is now: shipped versions and the person's files."""
        return self.lenses.catalogue

    @property
    def problems(self) -> tuple[ProjectionFileError, ...]:
        """The person's files that cannot be read, each with file, line and mend."""
        return self.catalogue.problems

    def versions(self) -> tuple[Version, ...]:
        """Every version of every projection, and which lenses use it."""
        used = {lens.name: lens.versions for lens in self.lenses.all()}
        return tuple(
            Version(
                name=one.name,
                version=one.version,
                title=one.title,
                source=one.source,
                lenses=tuple(lens for lens, chosen in used.items() if chosen.get(one.name) == one.version),
                refresh=refresh_rule(one).kind,
                reason=refresh_rule(one).reason,
            )
            for one in sorted(self.catalogue, key=lambda each: (each.name, each.version))
        )

    def told(self, one: Definition) -> dict[str, str]:
        """What there is to say of a version besides its SQL."""
        rule = refresh_rule(one)
        used = [lens.name for lens in self.lenses.all() if lens.versions.get(one.name) == one.version]
        told = {
            "projection": one.called,
            "title": one.title,
            "whose": "shipped with vfdir_lab" if one.source == "shipped" else "your own",
            "in the lens": ", ".join(used) or "none",
            "key": one.key,
            "refreshed": str(rule),
        }
        with suppress(ProjectionError):  # of one that does not run there is none
            through = self[one.name].through(self.lenses.lens(), one.version)
            told["fingerprint"] = through.fingerprints[one.name]
        return told

    def check(self, file: Path | None = None) -> CheckReport:
        """Check a file by the rules and its cases, or all of the person's own.

        Raises:
            UsageError: the file cannot be read.
        """
        lens = self.lenses.lens()
        return check_all(self.folder, lens, self.problems) if file is None else check_file(file, lens)

    def check_text(self, text: str, *, where: str) -> CheckReport:
        """Check the text of a file by the rules."""
        return check_text(text, where=where, lens=self.lenses.lens())


class Projection:
    """One projection, with all its versions."""

    def __init__(self, shelf: Projections, name: str) -> None:
        self._shelf = shelf
        self.name = name

    def __repr__(self) -> str:
        return "\n".join(f"{one.called:<14} {one.title}" for one in self.versions)

    @property
    def versions(self) -> tuple[Definition, ...]:
        """Every version there is, by number. Raises UsageError: there is no such projection."""
        return self._shelf.catalogue.of(self.name)

    @property
    def current(self) -> Definition:
        """The version in force in the default lens. Raises UsageError: none is."""
        found = self._shelf.lenses.lens().get(self.name)
        if found is None:
            raise UsageError(f"no version of {self.name!r} is in use; `vfdir-lab projection list` shows all")
        return found

    def __getitem__(self, version: int) -> Definition:
        """The version of that number: shipped, a file, or a text some device put to use."""
        return self._shelf.lenses.find(self.name, version)

    def use(self, version: int | None, *, lens: str | None = None) -> Lens:
        """Put a version in force, for every reader at once; None goes back to the shipped default.

        Raises:
            UsageError: there is none. ProjectionError: it breaks a rule or does not run.
        """
        return self._shelf.lenses.use({self.name: version}, name=lens)

    def through(self, lens: Lens, version: int) -> Lens:
        """A lens with another version of this projection in it, for reading only."""
        others = [one for one in lens.definitions if one.name != self.name]
        return lens_of(lens.name, [*others, self._shelf.lenses.to_run(self.name, version)])

    def new(self, *, title: str = _TITLE) -> Path:
        """Write a file to begin with, under the next free number; it answers as the version in force.

        Raises:
            ArchiveWriteError: the folder cannot be written.
        """
        model = self._shelf.lenses.lens().get(self.name)
        if model is None:
            body = _FIRST
        else:
            body = (
                _OVER.format(model.name, model.version)
                if model.source == "shipped"
                else read_header(model.sql)[1]
            )
        return self.save(self._next_number(), title, body)

    def save(self, version: int, title: str, body: str) -> Path:
        """Write (or write over) the person's file of that number.

        The header is made for it; lines such as `-- key: channel` at the top of `body` win.

        Raises:
            UsageError: the number is taken by vfdir_lab. ArchiveWriteError: the folder cannot be written.
        """
        for one in self._shelf.catalogue:
            if one.source == "shipped" and one.name == self.name and one.version >= version:
                raise UsageError(
                    f"the numbers of {self.name} up to {one.version} are taken by vfdir_lab; "
                    f"take {self._next_number()}"
                )
        folder = self._shelf.folder / self.name
        path = next(iter(folder.glob(f"v{version}_*.sql")), folder / f"v{version}_{_slug(title)}.sql")
        said, rest = read_header(body.strip())
        text = "".join(f"-- {key}: {value}\n" for key, value in (self._header(version, title) | said).items())
        text += "\n".join(rest.strip().splitlines()) + "\n"
        try:
            make_folder(folder)
            write_durably(path, text.encode())
        except OSError as error:
            raise ArchiveWriteError(
                f"{path} could not be written ({error.strerror or error}); make the folder writable"
            ) from error
        return path

    def _next_number(self) -> int:
        numbers = [one.version for one in self._shelf.catalogue if one.name == self.name]
        files = (self._shelf.folder / self.name).glob("v*_*.sql")
        numbers += [int(found[1]) for file in files if (found := re.match(r"v([0-9]{1,9})_", file.name))]
        return max(numbers, default=0) + 1

    def _header(self, version: int, title: str) -> dict[str, str]:
        model = self._shelf.lenses.lens().get(self.name)
        lines = {
            "projection": self.name,
            "version": str(version),
            "title": " ".join(title.split()) or _TITLE,
            "key": model.key if model else "object_id",
        }
        if model is None or model.refresh_by:
            lines["refresh by"] = (model and model.refresh_by) or "object_id"
        return lines


_OVER = """/* Write here what the rule is. {0}_v{1} is version {1}; `projection show {0} {1}` prints it.
   To change one column: SELECT * REPLACE (… AS column). */
SELECT *
FROM {0}_v{1}
"""
_FIRST = """/* Write here what the rule is. */
SELECT
    object_id,
    latest('title') ->> '$' AS title
FROM events
WHERE kind = 'block.observed'
GROUP BY object_id
"""


def _slug(title: str) -> str:
    words = re.findall(r"[a-z0-9]+", title.lower())
    return "_".join(words)[:_SLUG_LENGTH].rstrip("_") or "mine"
