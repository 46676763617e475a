"""Checkpoints: the rows of one projection at one head, as a Parquet file that may go away at any time.

Owns the files below `<cache>/checkpoints/<fingerprint>/`. Guarantees: a file is whole or not there; its name
has a checksum of its bytes, and it is used only where those agree, where it was made of the very events that
are asked about, and where this DuckDB reads them as the one that made it. A file that is broken is removed,
any other that does not fit is passed over: whoever asks computes in full. Checked by
`tests/projection/test_checkpoint*.py`.
"""

from __future__ import annotations

import hashlib
import os
import re
import time
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import duckdb
import pyarrow as pa

from vfdir_lab.errors import ArchiveWriteError, HeadError
from vfdir_lab.log import Coverage, Head
from vfdir_lab.projection import checkpoint
from vfdir_lab.projection.checkpoint import Checkpoint, Made, events_up_to, read, write

KEPT_HEADS = 2
KEPT_FINGERPRINTS = 64
"""So many projections have checkpoints, whatever lens they are of; the oldest go first."""

_NAME = re.compile(r"[0-9a-f]{16}-([0-9a-f]{8})\.parquet")
_BYTES_AT_ONCE = 1 << 20
_LEFTOVER_SECONDS = 3600


class Checkpoints:
    """The checkpoints below a cache folder. `notices` says once what was not used, and why."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "checkpoints"
        self.notices: list[str] = []
        self._proven: set[tuple[Path, int, int, int]] = set()

    def newest(
        self, fingerprint: str, head: Head, coverage: Coverage, *, proven: bool = True
    ) -> Checkpoint | None:
        """The newest checkpoint of a projection at or below `head`, made of the events of this coverage.

        One that is not `proven` is only to be asked what it says of itself: its bytes were not looked at.
        """
        found = [one for one in self._readable(fingerprint) if head.covers(one.head)]
        for one in sorted(found, key=lambda one: sum(one.head.values()), reverse=True):
            same = one.made.fingerprint == fingerprint
            fits = same and one.made.events == events_up_to(coverage, one.head)
            if fits and (not proven or self._is_whole(one.path)):
                return one
        return None

    def listing(self, fingerprints: Iterable[str]) -> tuple[object, ...]:
        """The files there are for these projections, whatever they are good for; another when one changed."""
        found: list[object] = []
        for fingerprint in fingerprints:
            with suppress(OSError):
                paths = sorted(self._folder(fingerprint).iterdir())
                found += [_identity(path) for path in paths if _NAME.fullmatch(path.name)]
        return tuple(found)

    def forget(self, one: Checkpoint) -> bool:
        """Look at a checkpoint again after it could not be read; whether it was removed or is gone."""
        self._proven = {proof for proof in self._proven if proof[0] != one.path}
        return not self._is_whole(one.path)

    def write(
        self, connection: duckdb.DuckDBPyConnection, queries: Sequence[str], keys: Sequence[str], made: Made
    ) -> int | None:
        """Keep the rows that these SELECTs give, one after the other, each sorted by key; returns how many.

        None where a column's type cannot be kept as it is: then nothing is.

        Raises:
            ArchiveWriteError: the folder refuses, or the disk is full. duckdb.Error: the rows cannot be had.
        """
        folder = self._folder(made.fingerprint)
        temporary = folder / f".{_spelled(made.head)}.{os.getpid()}.tmp"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            count = write(connection, queries, keys, temporary, made)
            if count is not None:
                target = folder / f"{_spelled(made.head)}-{_checksum(temporary)}.parquet"
                temporary.replace(target)
                self._prove(target)
        except OSError as error:
            raise ArchiveWriteError(
                f"no checkpoint could be kept in {self.folder} ({error.strerror or error}); make room or "
                "mend the folder. Queries go on without"
            ) from error
        finally:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
        return count

    def tidy(self, used: Sequence[str]) -> None:
        """Remove what is superseded or half-written, and the oldest projections that are not `used`."""
        kept = {self._folder(fingerprint) for fingerprint in used}
        folders = sorted(self._folders(), key=_age)
        for folder in folders:
            self._tidy_folder(folder)
        for folder in [one for one in folders if one not in kept][: max(0, len(folders) - KEPT_FINGERPRINTS)]:
            for path in folder.iterdir():
                _remove(path)
            with suppress(OSError):
                folder.rmdir()

    def _tidy_folder(self, folder: Path) -> None:
        for path in folder.glob(".*.tmp"):
            if _age(path) < time.time() - _LEFTOVER_SECONDS:
                _remove(path)
        found = [one.path for one in self._readable(folder.name)]
        found.sort(key=lambda path: (_age(path), path.name))
        for path in found[:-KEPT_HEADS]:
            _remove(path)

    def _folder(self, fingerprint: str) -> Path:
        return self.folder / fingerprint.rpartition(":")[2][:16]

    def _folders(self) -> list[Path]:
        try:
            return [path for path in self.folder.iterdir() if path.is_dir()]
        except OSError:
            return []

    def _readable(self, fingerprint: str) -> Iterator[Checkpoint]:
        """The checkpoints of a projection that this version can read; broken files are removed."""
        try:
            paths = sorted(self._folder(fingerprint).iterdir())
        except OSError:
            return
        for path in paths:
            if _NAME.fullmatch(path.name) is None:
                continue
            try:
                found = read(path)
            except FileNotFoundError:
                continue
            except (pa.ArrowException, OSError, ValueError, KeyError, HeadError):
                _remove(path)
                continue
            if found.engine == checkpoint.ENGINE:
                yield found
            else:
                made_by = f"checkpoints made by {found.engine} are not used by {checkpoint.ENGINE}"
                self._say(f"{made_by}; replay makes new ones")

    def _say(self, notice: str) -> None:
        if notice not in self.notices:
            self.notices.append(notice)

    def _is_whole(self, path: Path) -> bool:
        """Whether the bytes of a file are those its name gives; looked at once, and again when it changed."""
        try:
            if _identity(path) in self._proven:
                return True
            if _checksum(path) == path.stem.rpartition("-")[2]:
                self._prove(path)
                return True
        except OSError:
            return False
        _remove(path)
        return False

    def _prove(self, path: Path) -> None:
        with suppress(OSError):
            self._proven.add(_identity(path))


def _spelled(head: Head) -> str:
    return hashlib.sha256(str(head).encode()).hexdigest()[:16]


def _checksum(path: Path) -> str:
    """A checksum of a file's bytes, against accidents. Raises OSError."""
    found = 0
    with path.open("rb") as file:
        while data := file.read(_BYTES_AT_ONCE):
            found = zlib.crc32(data, found)
    return f"{found:08x}"


def _identity(path: Path) -> tuple[Path, int, int, int]:
    seen = path.stat()
    return path, seen.st_ino, seen.st_size, seen.st_mtime_ns


def _age(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink()
