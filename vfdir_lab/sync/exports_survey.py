"""What an export holds, found by reading it through once before anything is recorded.

Owns what is kept of membership and order, and the bounds on how much that may be. What is wrong with a file
is found here, so that a damaged or hostile one leaves nothing in the log.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime

from vfdir_lab.errors import ImportFileError, UsageError
from vfdir_lab.event import object_id
from vfdir_lab.sync.exports_file import ExportFile, Listing
from vfdir_lab.sync.exports_rows import RefusedRow, Row, read_rows
from vfdir_lab.sync.normalise import Fields

PART_ITEMS = 5_000
ROWS_MAX = 200_000
BESIDE_CHARS_MAX = 32 * 2**20
REMARKS_MAX = 100
"""Refused rows, and notes, that are told one by one; the others are counted."""


@dataclass(slots=True, kw_only=True)
class Contents:
    """What one CSV lists: the blocks in its order, and what stands beside them, by column and block."""

    listing: Listing
    named: str | None
    title: str | None
    blocks: list[int] = field(default_factory=list)
    beside: dict[int, dict[str, str]] = field(default_factory=dict)

    @property
    def name(self) -> tuple[str, str | None, str | None]:
        """What is said of the channel."""
        return self.listing.name, self.named, self.title

    def parts(self) -> list[Fields]:
        """The payloads that keep it: at least one, at most `PART_ITEMS` blocks each."""
        named: Fields = {"listing": self.listing.name, "named": self.named, "title": self.title}
        if self.named is not None and self.named.isdecimal():
            named["channel"] = object_id("channel", int(self.named))
        found = []
        for first in range(0, max(1, len(self.blocks)), PART_ITEMS):
            blocks = self.blocks[first : first + PART_ITEMS]
            beside: dict[str, dict[str, str]] = defaultdict(dict)
            for block in dict.fromkeys(blocks):
                for column, cell in self.beside.get(block, {}).items():
                    beside[column][object_id("block", block)] = cell
            items = [object_id("block", block) for block in blocks]
            found.append({**named, "first": first + 1, "items": items, "beside": dict(beside)})
        return found


@dataclass(slots=True, kw_only=True)
class Survey:
    """What reading an export through has found, before anything is recorded."""

    contents: list[Contents]
    rows: int = 0
    beside_chars: int = 0
    refused: list[RefusedRow] = field(default_factory=list)
    refused_rows: int = 0
    notes: list[str] = field(default_factory=list)
    more_notes: int = 0

    def refuse(self, row: RefusedRow) -> None:
        """Count a row that says no block."""
        self.refused_rows += 1
        if len(self.refused) < REMARKS_MAX:
            self.refused.append(row)

    def note(self, text: str) -> None:
        """Keep a note for the person."""
        if len(self.notes) < REMARKS_MAX:
            self.notes.append(text)
        else:
            self.more_notes += 1


def survey_of(export: ExportFile, named: str | None, title: str | None, now: datetime) -> Survey:
    """Read all of it once: what is wrong with the file is found before anything is recorded.

    Raises:
        UsageError: one name was given for several channels.
        ImportFileError: the file is no export of are.na's, or damaged or hostile.
    """
    if len(export.listings) > 1 and (named or title):
        raise UsageError(
            f"{export.name} holds {len(export.listings)} channels, which one name does not fit; leave out "
            "--channel and --title, their CSVs name them"
        )
    contents = [Contents(listing=one, named=named or one.named, title=title) for one in export.listings]
    survey = Survey(contents=contents, notes=export.notes[:REMARKS_MAX])
    for one in contents:
        with export.text(one.listing) as text:
            for row in read_rows(text, one.listing.name, now):
                if isinstance(row, RefusedRow):
                    survey.refuse(row)
                else:
                    _take(survey, one, row)
    if survey.refused and not survey.rows:
        raise ImportFileError(
            f"{export.name}: none of its rows names a block; the first is refused: {survey.refused[0]}",
            file=survey.refused[0].file,
            row=survey.refused[0].row,
        )
    if survey.more_notes:
        survey.notes.append(f"and {survey.more_notes} more notes like these")
    return survey


def _take(survey: Survey, contents: Contents, row: Row) -> None:
    survey.rows += 1
    contents.blocks.append(row.block)
    if row.beside and row.block not in contents.beside:
        contents.beside[row.block] = row.beside
        survey.beside_chars += sum(map(len, row.beside.values()))
    for unread in row.unread:
        survey.note(f"{contents.listing.name}, row {row.number}: {unread}; it is left out")
    if survey.rows > ROWS_MAX or survey.beside_chars > BESIDE_CHARS_MAX:
        raise ImportFileError(
            f"{contents.listing.name}, row {row.number}: larger than the {ROWS_MAX:,} rows and the "
            f"{BESIDE_CHARS_MAX >> 20} MiB of file names and unknown columns that are read; cut it in pieces",
            file=contents.listing.name,
            row=row.number,
        )
