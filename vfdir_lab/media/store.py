"""The store: files kept under the SHA-256 of their bytes, each once.

Owns: `<archive>/media/sha256/ab/cd/abcd…`, where `abcd…` is the hash in 64 hexadecimal digits.
Guarantees: what has a name there is whole and survives a power cut; a crash leaves at most a file that begins
with a dot and is removed a day later. Storing what is there already changes nothing; what is damaged there
is replaced. Any number of processes and devices may store at once.
Leaves to others: which files are worth keeping, and what the log says of them.
Checked by: `tests/media/test_store.py`, with processes that are killed.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from vfdir_lab.errors import ArchiveWriteError, MediaError, UsageError
from vfdir_lab.log.files import TEMPORARY_SUFFIX, make_folder, sync_folder

LEFTOVER_SECONDS = 24 * 3600
"""No copy takes a day: a temporary file as old as that belongs to a process that died."""
_PIECE_BYTES = 1024 * 1024
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A stored file: its hash (64 hexadecimal digits) and its size in bytes."""

    sha256: str
    size: int


class MediaStore:
    """The files of the archive at `root`; the folder is made when the first one is stored."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._folder = root / "media" / "sha256"

    def path(self, sha256: str) -> Path:
        """Where the file of that hash is, or would be.

        Raises:
            UsageError: this is no hash.
        """
        if _SHA256.fullmatch(sha256) is None:
            raise UsageError(f"{sha256!r:.80} is no SHA-256: give its 64 hexadecimal digits in small letters")
        return self._folder / sha256[:2] / sha256[2:4] / sha256

    def put(self, source: Path | bytes | IO[bytes], *, largest_bytes: int | None = None) -> Stored:
        """Keep a copy of a file, of bytes, or of the rest of an opened file; durable when this returns.

        Raises:
            UsageError: it is larger than `largest_bytes`, or cannot be read.
            ArchiveWriteError: the archive refuses to be written. Nothing is left half-written.
        """
        if isinstance(source, Path):
            with _reading(source), source.open("rb") as file:
                return self._put(file, largest_bytes)
        return self._put(io.BytesIO(source) if isinstance(source, bytes) else source, largest_bytes)

    def _put(self, file: IO[bytes], largest_bytes: int | None) -> Stored:
        with self._writing():
            if not self._root.is_dir():
                raise FileNotFoundError(None, "the archive is not there any more")
            make_folder(self._folder)
            self._remove_leftovers()
            temporary = self._folder / f".{secrets.token_hex(8)}{TEMPORARY_SUFFIX}"
        try:
            with self._writing():
                target = temporary.open("xb")
            with target:
                stored = self._copy(file, target, largest_bytes)
            with self._writing():
                self._keep(temporary, stored)
        finally:
            with suppress(OSError):
                temporary.unlink()
        return stored

    def _copy(self, file: IO[bytes], target: IO[bytes], largest_bytes: int | None) -> Stored:
        digest, size = hashlib.sha256(), 0
        while piece := file.read(_PIECE_BYTES):
            size += len(piece)
            if largest_bytes is not None and size > largest_bytes:
                raise UsageError(f"a file of more than {largest_bytes} bytes is not taken: make it smaller")
            digest.update(piece)
            with self._writing():
                target.write(piece)
        with self._writing():
            target.flush()
            os.fsync(target.fileno())
        return Stored(sha256=digest.hexdigest(), size=size)

    def _keep(self, temporary: Path, stored: Stored) -> None:
        path = self.path(stored.sha256)
        make_folder(path.parent)
        if not path.is_file() or _hashed(path) != stored:
            temporary.replace(path)
        sync_folder(path.parent)

    def _remove_leftovers(self) -> None:
        """Remove what processes left that died long ago."""
        long_ago = time.time() - LEFTOVER_SECONDS
        for orphan in self._folder.glob(f".*{TEMPORARY_SUFFIX}"):
            with suppress(FileNotFoundError):
                if orphan.stat().st_mtime < long_ago:
                    orphan.unlink()

    def open(self, sha256: str) -> IO[bytes]:
        """The file of that hash, opened for reading; its bytes are taken on trust.

        Raises:
            UsageError: this is no hash. MediaError: it is not there, or cannot be opened.
        """
        with self._there(sha256) as path:
            return path.open("rb")

    def check(self, sha256: str) -> Stored:
        """Read the file of that hash through, and prove that it is what its name says.

        Raises:
            UsageError: this is no hash.
            MediaError: it is not there, cannot be read, or is something else.
        """
        with self._there(sha256) as path:
            found = _hashed(path)
        if found.sha256 != sha256:
            raise MediaError(
                f"{path} is damaged: its bytes are not those its name says. Put a good copy in its place, "
                "or add the file again",
                sha256=sha256,
            )
        return found

    @contextmanager
    def _there(self, sha256: str) -> Iterator[Path]:
        path = self.path(sha256)
        try:
            yield path
        except FileNotFoundError as error:
            raise MediaError(
                f"there is no copy of {sha256} in {self._folder}: copy it from the device that has it, or "
                "add the file again",
                sha256=sha256,
            ) from error
        except OSError as error:
            said = error.strerror or error
            raise MediaError(f"{path} cannot be read ({said}): mend the disk", sha256=sha256) from error

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise ArchiveWriteError(
                f"a file could not be kept in {self._folder} ({error.strerror or error}); nothing of it was. "
                "Make room or mend the folder, then add it again"
            ) from error


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read ({error.strerror or error}): give a file that can be"
        ) from error


def _hashed(path: Path) -> Stored:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return Stored(sha256=digest, size=file.tell())
