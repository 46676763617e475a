"""What an import did, told while it runs and when it is over."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from vfdir_lab.sync.exports_rows import RefusedRow

PULL_NEXT = "What is in a channel and in which order is kept as the export lists it; it shows after a pull."


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportProgress:
    """A moment of a running import: `rows` of `total` recorded of the file called `name`."""

    name: str
    rows: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedChannel:
    """One CSV of an export.

    `listing` is its name, `named` the channel (slug or number) it is said to be of, `title` what the person
    calls that, `rows` how many blocks it lists.
    """

    listing: str
    named: str | None
    title: str | None
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """What an export file held.

    `id` is `import:<id>`, None when nothing was recorded. `new`: blocks not known before; `changed`: known
    ones about which something was recorded; `same`: rows that said nothing new; `older`: rows that say
    otherwise than what is known and newer, which stays. `refused` are the first rows that say no block,
    `refused_rows` how many there are. `files`: what else a zip holds, left alone. `notes` are for the person.
    """

    file: str
    sha256: str
    format: str
    id: str | None
    channels: tuple[ImportedChannel, ...]
    new: int
    changed: int
    same: int
    older: int
    refused: tuple[RefusedRow, ...]
    refused_rows: int
    files: int
    notes: tuple[str, ...]

    @property
    def rows(self) -> int:
        """How many rows name a block."""
        return sum(one.rows for one in self.channels)

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return {
            "file": self.file,
            "sha256": self.sha256,
            "format": self.format,
            "id": self.id,
            "channels": [
                {"listing": one.listing, "named": one.named, "title": one.title, "rows": one.rows}
                for one in self.channels
            ],
            "rows": self.rows,
            "new": self.new,
            "changed": self.changed,
            "same": self.same,
            "older": self.older,
            "refused": [{"file": one.file, "row": one.row, "why": one.why} for one in self.refused],
            "refused_rows": self.refused_rows,
            "files": self.files,
            "notes": list(self.notes),
        }

    def lines(self) -> list[str]:
        """The report as lines, without what was refused."""
        found = [
            f"{one.listing}: {_count(one.rows, 'block')} of "
            + (f"the channel {one.named}" if one.named else "a channel it does not name (say --channel)")
            for one in self.channels
        ]
        found.append(
            f"{self.new} new, {self.changed} changed, {self.same} known already, "
            f"{self.older} older than what is known"
        )
        if self.files:
            found.append(f"{_count(self.files, 'other file')} in the zip left alone")
        found.append(PULL_NEXT if self.id else "Nothing in it was new; nothing was recorded.")
        return found

    def complaints(self) -> list[str]:
        """What the person should mend or know, a line each."""
        found = [f"refused {one}" for one in self.refused]
        if self.refused_rows > len(self.refused):
            found.append(f"refused {self.refused_rows - len(self.refused)} more rows")
        return [*found, *self.notes]

    def __str__(self) -> str:
        return "\n".join([*self.lines(), *self.complaints()])

    def _repr_html_(self) -> str:
        """The same for a notebook; names are remote text and are escaped."""
        return "".join(f"<p>{escape(line)}</p>" for line in [*self.lines(), *self.complaints()])


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
