"""A file that is being fetched: what is here of it so far, and whether it can be gone on with.

Owns: `Part`, two files in a disposable folder: the bytes, and a note of how many of them are surely on the
disk and by what the origin tells this version of the file from others.
Guarantees: bytes beyond the note are never gone on from: after a power cut they may be nothing but zeros. A
file that the origin gave no such mark for is begun anew.
Leaves to others: that one process at a time works on it (`sync.media`), and the request (`fetch`).
Checked by: `tests/media/test_fetch_part.py`.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from vfdir_lab.errors import ArchiveWriteError
from vfdir_lab.log.files import write_atomically

NOTE_BYTES = 8 * 1024 * 1024
"""So often is noted how far the file came."""
LEFTOVER_SECONDS = 30 * 24 * 3600
_SUFFIXES = (".part", ".json")


class Part:
    """The part of the file at `url` that is in `folder`; `mark` names its version, empty: none is known."""

    def __init__(self, folder: Path, url: str) -> None:
        name = hashlib.sha256(url.encode("utf-8", "surrogatepass")).hexdigest()
        self.path = folder / f"{name}.part"
        self._note = folder / f"{name}.json"
        self.size, self.mark = self._noted()
        self._file: IO[bytes] | None = None
        self._is_noted_to = self.size

    def _noted(self) -> tuple[int, str]:
        try:
            found = json.loads(self._note.read_text("utf-8"))
            match found:
                case {"size": int(size), "mark": str(mark)} if mark and 0 < size <= self.path.stat().st_size:
                    return size, mark
        except (OSError, ValueError, RecursionError):
            pass
        return 0, ""

    @contextmanager
    def writing(self, mark: str, *, goes_on: bool) -> Iterator[None]:
        """Open it for `append`: behind what is noted, or empty; what came is noted however this ends.

        Raises:
            ArchiveWriteError: the folder cannot be written.
        """
        with self._disk():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            if not goes_on:
                self.forget()
            self._file = self.path.open("r+b" if goes_on else "wb")
            self._file.truncate(self.size)
            self._file.seek(self.size)
        self.mark = mark
        try:
            yield
        finally:
            try:
                self._take_note()
            finally:
                self._file.close()
                self._file = None

    def append(self, piece: bytes) -> None:
        """Add bytes. Raises ArchiveWriteError."""
        assert self._file is not None, "inside `writing`"  # noqa: S101
        with self._disk():
            self._file.write(piece)
        self.size += len(piece)
        if self.size - self._is_noted_to >= NOTE_BYTES:
            self._take_note()

    def _take_note(self) -> None:
        if self._file is None or not self.mark or self.size == self._is_noted_to:
            return
        with self._disk():
            self._file.flush()
            os.fsync(self._file.fileno())
            write_atomically(self._note, json.dumps({"size": self.size, "mark": self.mark}).encode())
        self._is_noted_to = self.size

    def forget(self) -> None:
        """Remove what is here."""
        for path in (self._note, self.path):
            with suppress(FileNotFoundError):
                path.unlink()
        self.size, self.mark, self._is_noted_to = 0, "", 0

    @contextmanager
    def _disk(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise ArchiveWriteError(
                f"a file could not be kept in {self.path.parent} ({error.strerror or error}): make room or "
                "mend the folder, then save again"
            ) from error


def remove_leftovers(folder: Path) -> None:
    """Remove parts that nobody went on with for a month."""
    long_ago = time.time() - LEFTOVER_SECONDS
    for path in folder.iterdir() if folder.is_dir() else ():
        with suppress(FileNotFoundError):
            if path.suffix in _SUFFIXES and path.stat().st_mtime < long_ago:
                path.unlink()
