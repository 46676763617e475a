"""The file of an export: a CSV, or a zip with a CSV for each channel. Nothing is ever extracted to disk.

Owns what may be hostile about it. A zip is refused whole when it tries a path trick (absolute names, `..`,
drives, links, NUL), when its directory or a CSV in it is out of bounds or out of proportion, or when a CSV is
encrypted or packed in a way other than are.na's. Other files in it are counted and left alone. Everything is
read in small pieces, and the whole file is read through once before anything is recorded.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, TextIO, cast
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from vfdir_lab.errors import ImportFileError, UsageError
from vfdir_lab.sync.exports_rows import border, columns_of, records
from vfdir_lab.sync.names import channel_name

CSV_BYTES_MAX = 256 * 2**20
"""Of all CSVs of an export together, unpacked."""
RATIO_MAX = 200
SMALL_BYTES = 2**20
"""A CSV that unpacks to less than this may be packed as tightly as it likes."""
DIRECTORY_BYTES_MAX = 8 * 2**20
ENTRIES_MAX = 50_000

_DRIVE = re.compile(r"[A-Za-z]:[/\\]")
_BROWSER_COPY = re.compile(r" ?\([0-9]{1,3}\)$")
_SAYS_NOTHING = frozenset({"blocks", "channel", "contents", "data", "export", "index"})
"""Names of files that are not names of channels; the folder's counts then, or the zip's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One CSV: `name` as the file or the zip calls it; `named` is the channel its name speaks of, if any."""

    name: str
    named: str | None
    entry: ZipInfo | None = None


class ExportFile:
    """An opened export. `files` counts what else a zip holds; `notes` are for the person."""

    def __init__(self, path: Path, file: io.BufferedReader) -> None:
        self.name = file_name(path)
        self._file = file
        with border(self.name):
            self.sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            file.seek(0)
            start = file.read(4)
        if not start:
            raise ImportFileError(f"{self.name} is empty; export the channel again on are.na", file=self.name)
        self._zip: ZipFile | None = None
        self.files = 0
        self.notes: list[str] = []
        self.format = "zip" if start.startswith(b"PK") or path.suffix.lower() == ".zip" else "csv"
        if self.format == "zip":
            self.listings = self._look_into_zip()
        else:
            self.listings = (Listing(name=self.name, named=_channel(PurePosixPath(self.name).stem)),)
            _check_size(self.name, os.fstat(file.fileno()).st_size)

    def _look_into_zip(self) -> tuple[Listing, ...]:
        with border(self.name):
            self._zip = ZipFile(self._file)
        entries = self._zip.infolist()
        if len(entries) > ENTRIES_MAX:
            raise self._refusal(f"it holds {len(entries)} files; at most {ENTRIES_MAX} are looked at")
        for entry in entries:
            if trick := _trick(entry):
                raise self._refusal(
                    f"it holds {entry.orig_filename[:80]!r}, {trick}; nothing was read from it"
                )
        files = [entry for entry in entries if not entry.is_dir()]
        listings = tuple(one for entry in files if _is_csv(entry) and (one := self._listing(entry)))
        if not listings:
            why = self.notes[0] if self.notes else "export the channel again on are.na"
            raise self._refusal(f"it holds no CSV of are.na's: {why}")
        _check_size(self.name, sum(one.entry.file_size for one in listings if one.entry is not None))
        self.files = len(files) - len(listings)
        return listings

    def _listing(self, entry: ZipInfo) -> Listing | None:
        """The CSV of a channel, or None for a file of a channel that happens to be a CSV."""
        listing = Listing(name=entry.filename, named=self._named(entry), entry=entry)
        _check_entry(entry, f"{self.name}, {entry.filename}")
        with self.text(listing) as text:
            try:
                first = next(records(text, entry.filename), None)
                columns_of([] if first is None else first[1], entry.filename)
            except ImportFileError as error:
                if error.row is None:  # the zip is at fault, not the text
                    raise
                self.notes.append(str(error))
                return None
        if entry.file_size > max(SMALL_BYTES, RATIO_MAX * entry.compress_size):
            raise self._refusal(
                f"{entry.filename} unpacks to more than {RATIO_MAX} times its size; no export does"
            )
        return listing

    def _named(self, entry: ZipInfo) -> str | None:
        path = PurePosixPath(entry.filename)
        for stem in (path.stem, path.parent.name, PurePosixPath(self.name).stem):
            if stem and stem.casefold() not in _SAYS_NOTHING:
                return _channel(stem)
        return None

    def _refusal(self, why: str) -> ImportFileError:
        return ImportFileError(f"{self.name}: {why}", file=self.name)

    @contextmanager
    def text(self, listing: Listing) -> Iterator[TextIO]:
        """The text of one CSV, from its start. One at a time.

        Raises:
            ImportFileError: it cannot be opened.
        """
        if self._zip is None or listing.entry is None:
            self._file.seek(0)
            plain = io.TextIOWrapper(self._file, encoding="utf-8-sig", newline="")
            try:
                yield plain
            finally:
                plain.detach()
            return
        with border(f"{self.name}, {listing.name}"):
            entry: IO[bytes] = self._zip.open(listing.entry)
        with entry, io.TextIOWrapper(entry, encoding="utf-8-sig", newline="") as text:
            yield text


class _Bounded(io.BufferedReader):
    """A file that is read in pieces: a zip's directory is one piece, so its size is bounded here."""

    def read(self, size: int | None = -1, /) -> bytes:
        bound = DIRECTORY_BYTES_MAX
        data = super().read(bound + 1 if size is None or size < 0 else min(size, bound + 1))
        if len(data) > bound:
            raise BadZipFile(f"its directory is larger than {bound >> 20} MiB")
        return data


def check_path(path: Path) -> None:
    """Make sure that there is a file to read.

    Raises:
        UsageError: nothing is there, or something that is no file.
    """
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:
        raise UsageError(
            f"there is no file {str(path)!r} ({getattr(error, 'strerror', None) or error})"
        ) from error
    if stat.S_ISDIR(mode):
        raise UsageError(f"{path} is a folder: give the CSV in it, or the zip as it was downloaded")
    if not stat.S_ISREG(mode):
        raise UsageError(f"{path} is no file: give a CSV or zip that are.na's site exported")


@contextmanager
def open_export(path: Path) -> Iterator[ExportFile]:
    """The export at `path`, read while this lasts.

    Raises:
        UsageError: there is no file at `path`.
        ImportFileError: it is no export of are.na's, or a damaged or hostile one.
    """
    check_path(path)
    with border(file_name(path)):
        file = _Bounded(cast("io.RawIOBase", io.FileIO(path, "rb")))
    with file:
        yield ExportFile(path, file)


def file_name(path: Path) -> str:
    """The name of the file without folders, as text that can be recorded."""
    return os.fsencode(path.name).decode("utf-8", "replace")


def _channel(stem: str) -> str | None:
    """The channel that a file's name speaks of; browsers add ` (1)` to a second download."""
    try:
        return str(channel_name(_BROWSER_COPY.sub("", stem)))
    except UsageError:
        return None


def _is_csv(entry: ZipInfo) -> bool:
    path = PurePosixPath(entry.filename)
    hidden = path.name.startswith(".") or "__MACOSX" in path.parts
    return path.suffix.lower() == ".csv" and not hidden


def _trick(entry: ZipInfo) -> str | None:
    """What is wrong about the name of an entry, as it is in the zip (zipfile cuts it at a NUL), or None."""
    name = entry.orig_filename
    if "\0" in name:
        return "a name with a NUL in it"
    if name.startswith(("/", "\\")) or _DRIVE.match(name):
        return "an absolute path"
    if ".." in re.split(r"[/\\]", name):
        return "a path that leads out of it"
    return "a link" if stat.S_ISLNK(entry.external_attr >> 16) else None


def _check_entry(entry: ZipInfo, name: str) -> None:
    if entry.flag_bits & 0x1:
        raise ImportFileError(
            f"{name} is encrypted; unpack it yourself and give the CSV", file=entry.filename
        )
    if entry.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        raise ImportFileError(
            f"{name} is packed in a way that are.na does not use; unpack it yourself and give the CSV",
            file=entry.filename,
        )


def _check_size(name: str, size: int) -> None:
    if size > CSV_BYTES_MAX:
        raise ImportFileError(
            f"{name} holds {size >> 20} MiB of CSV, more than the {CSV_BYTES_MAX >> 20} MiB that are read; "
            "import its channels one by one",
            file=name,
        )
