"""The rows of one CSV of are.na's export, as facts about blocks.

Owns the reading of `ID,Filename,Title,Description,Created At,Updated At,Source`: columns in any order, by
names without regard to case, further ones too; UTF-8 with or without a byte order mark; any line ending. An
empty cell states nothing. `Title`, `Description`, `Source` and the times become the fields a pull records;
`Filename` and columns nobody knows are kept beside them, since they say what the export holds, not what the
block is. Times are ISO 8601 or as Ruby writes them; without a zone they are UTC, as all of are.na's are.

Guarantees bounded memory: a row that never ends is refused after `ROW_CHARS_MAX`. A row that says no block
(its ID is no number, its cells do not fit the header) is refused by itself; text that is no CSV is an error.
"""

from __future__ import annotations

import csv
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from errno import EINVAL
from typing import TextIO
from zipfile import BadZipFile

from vfdir_lab.errors import ImportFileError
from vfdir_lab.sync.normalise import Fields

ROW_CHARS_MAX = 1_000_000
COLUMNS_MAX = 100
AHEAD_AT_MOST = timedelta(days=1)
"""A time further in the future than this was not are.na's: it would win over every other export."""

_MEND = "export the channel again on are.na, and give the file as it was downloaded"
_DAMAGE = (BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OverflowError)
"""What the zipfile module raises, besides OSError, on zips that are not whole."""

_STATED = ("title", "description", "source", "created at", "updated at")
_TIMES = ("created at", "updated at")
_NUMBER = re.compile(r"[1-9][0-9]{0,17}")
_RUBY_ZONE = re.compile(r" (UTC|GMT|Z|[+-][0-9]{2}:?[0-9]{2})$")
_DATE_ONLY = re.compile(r"[0-9Ww-]{1,10}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One block as a row states it.

    `number` counts as a spreadsheet does: the header is row 1. `block` is are.na's number. `fields` are those
    of a `block.observed`; `updated` is the export's `Updated At`. `beside` are the cells that are no facts
    about the block, by column. `unread` says what could not be understood and is left out. `chars` is how
    long the row is.
    """

    number: int
    block: int
    fields: Fields
    updated: datetime | None
    beside: dict[str, str]
    unread: tuple[str, ...]
    chars: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedRow:
    """A row that says no block: the CSV it is in, its number as a spreadsheet counts, and why."""

    file: str
    row: int
    why: str

    def __str__(self) -> str:
        return f"{self.file}, row {self.row}: {self.why}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Where each column is: those with a meaning by their plain names, all others by the header's."""

    known: dict[str, int]
    others: dict[str, int]
    count: int


@contextmanager
def border(file: str, row: int | None = None) -> Iterator[None]:
    """The border to the csv, zip and codec modules: what they refuse is named here."""
    where = file if row is None else f"{file}, row {row}"
    try:
        yield
    except csv.Error as error:
        raise ImportFileError(f"{where}: this is no CSV ({error}); {_MEND}", file=file, row=row) from error
    except UnicodeDecodeError as error:
        raise ImportFileError(f"{where}: this is no text in UTF-8; {_MEND}", file=file, row=row) from error
    except OSError as error:
        if error.errno != EINVAL:
            raise ImportFileError(f"{file} cannot be read ({error.strerror or error})", file=file) from error
        raise _damage(where, file, "it points outside of itself") from error
    except _DAMAGE as error:
        raise _damage(where, file, str(error) or "it ends too early") from error


def _damage(where: str, file: str, said: str) -> ImportFileError:
    return ImportFileError(f"{where}: damaged or cut short ({said}); {_MEND}", file=file)


class _Lines:
    """The lines of a text, bounded: no line, and no row of many lines, is longer than `ROW_CHARS_MAX`."""

    def __init__(self, text: TextIO) -> None:
        self._text = text
        self._left = ROW_CHARS_MAX

    def begin_row(self) -> None:
        self._left = ROW_CHARS_MAX

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self._text.readline(self._left + 1)
        if not line:
            raise StopIteration
        self._left -= len(line)
        if self._left < 0:
            raise csv.Error(f"a row of more than {ROW_CHARS_MAX:,} characters, or a quote that never ends")
        if "\0" in line:
            raise csv.Error("it holds binary data")
        return line


def records(text: TextIO, file: str) -> Iterator[tuple[int, list[str]]]:
    """The records of a CSV with their row numbers; blank ones are counted and left out.

    Raises:
        ImportFileError: it is no CSV, or cannot be read; names the row.
    """
    lines = _Lines(text)
    reader = csv.reader(lines, strict=True)
    number = 0
    while True:
        number += 1
        lines.begin_row()
        with border(file, number):
            cells = next(reader, None)
        if cells is None:
            return
        if any(cells):
            yield number, cells


def columns_of(cells: list[str], file: str) -> Columns:
    """What the header says.

    Raises:
        ImportFileError: these are not are.na's columns.
    """
    plain = [re.sub(r"[\s_]+", " ", cell).strip().casefold() for cell in cells]
    known = {name: plain.index(name) for name in ("id", "filename", *_STATED) if name in plain}
    problem = None
    if "id" not in known or not known.keys() & set(_STATED):
        problem = f"its columns are {_short(', '.join(cells))}"
    elif any(plain.count(name) > 1 for name in known):
        problem = "a column comes twice"
    elif len(cells) > COLUMNS_MAX:
        problem = f"it has {len(cells)} columns"
    if problem is not None:
        raise ImportFileError(
            f"{file}: {problem}; an export of are.na has the columns "
            "ID,Filename,Title,Description,Created At,Updated At,Source",
            file=file,
            row=1,
        )
    facts = {index for name, index in known.items() if name != "filename"}
    others = {cell.strip() or f"column {i + 1}": i for i, cell in enumerate(cells) if i not in facts}
    return Columns(known=known, others=others, count=len(cells))


def read_rows(text: TextIO, file: str, now: datetime) -> Iterator[Row | RefusedRow]:
    """The rows of a CSV in its order; `now` tells times that cannot be.

    Raises:
        ImportFileError: it is no export of are.na's, or cannot be read.
    """
    found = records(text, file)
    first = next(found, None)
    if first is None:
        raise ImportFileError(f"{file} is empty; export the channel again on are.na", file=file)
    columns = columns_of(first[1], file)
    for number, cells in found:
        if len(cells) != columns.count:
            why = f"it has {len(cells)} cells, the header names {columns.count} columns"
            yield RefusedRow(file=file, row=number, why=why)
        elif not _NUMBER.fullmatch(identifier := cells[columns.known["id"]].strip()):
            yield RefusedRow(file=file, row=number, why=f"its ID {_short(identifier)!r} is no block's number")
        else:
            yield _row(number, int(identifier), cells, columns, now)


def _row(number: int, block: int, cells: list[str], columns: Columns, now: datetime) -> Row:
    stated = {name: cells[i] for name in _STATED if (i := columns.known.get(name)) is not None and cells[i]}
    times = {name: moment_in(stated[name], now) for name in _TIMES if name in stated}
    fields: Fields = {"id": block}
    if "title" in stated:
        fields["title"] = stated["title"]
    if "description" in stated:
        fields["description"] = {"markdown": stated["description"]}
    if "source" in stated:
        fields["source"] = {"url": stated["source"]}
    fields |= {name.replace(" ", "_"): spelled(at) for name, at in times.items() if at is not None}
    return Row(
        number=number,
        block=block,
        fields=fields,
        updated=times.get("updated at"),
        chars=sum(map(len, cells)),
        beside={name: cells[i] for name, i in columns.others.items() if cells[i]},
        unread=tuple(
            f"{name.title()} {_short(stated[name])!r} is no time that can be"
            for name in times
            if not times[name]
        ),
    )


def moment_in(text: str, now: datetime) -> datetime | None:
    """The time that a cell gives, in UTC; None for a bare date, for what is no time, and for the future."""
    text = text.strip()
    if _DATE_ONLY.fullmatch(text):
        return None
    if zone := _RUBY_ZONE.search(text):
        offset = "+00:00" if zone[1] in {"UTC", "GMT", "Z"} else zone[1]
        text = text[: zone.start()] + offset
    try:
        found = datetime.fromisoformat(text)
        found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return found if found <= now + AHEAD_AT_MOST else None


def spelled(at: datetime) -> str:
    """A time as are.na's API spells it: `2026-03-09T22:02:26Z`, with its fraction where it has one."""
    finest = "auto" if at.microsecond % 1000 or not at.microsecond else "milliseconds"
    return at.astimezone(UTC).isoformat(timespec=finest).replace("+00:00", "Z")


def _short(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:80]}…"
