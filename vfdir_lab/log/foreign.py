"""Another archive's folder, read without trusting it and without writing to it.

Owns the way in: footers are checked to see what counts there; what is taken is first copied into a folder of
ours that nobody lists, and proven *there*, so that the bytes that are proven are the bytes that are kept.
Guarantees: nothing leaves the staging folder unproven, and the other folder may be read-only. Leaves to
`merge` what is taken and where it goes. Checked by `tests/log/test_merge_threats.py`.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections import defaultdict
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from vfdir_lab.errors import ArchiveNotFoundError, LogDamagedError, LogWriteError, UsageError
from vfdir_lab.log.coverage import Coverage, Listed, Refused, Segment, cover, longest
from vfdir_lab.log.files import make_folder
from vfdir_lab.log.listing import list_settled
from vfdir_lab.log.manifest import MANIFEST, read_archive_id
from vfdir_lab.log.row_check import row_problems
from vfdir_lab.log.rows import batches_of
from vfdir_lab.log.segment import Footer, read_footer

SEGMENT_BOUND_BYTES = 4 << 30
"""A file beyond this is no segment: compaction aims at 128 MiB."""
_CHUNK_BYTES = 1 << 20


class _TheirDisk(Exception):  # noqa: N818 - never leaves this module
    """Reading there failed, which is not our disk's fault."""


class Foreign:
    """The log below `root`, as it was listed when this was made; `staging` is ours, made when needed.

    `changed`: a file went away since (it was compacted, or synced), so another listing may bring more.

    Raises:
        LogDamagedError: a folder there may not be listed.
    """

    def __init__(self, root: Path, staging: Path) -> None:
        self.root = root
        self.listing = list_settled(root)
        self.changed = False
        self._staging = staging
        self._found: dict[str, Footer | Refused] = {}
        self._listed = {listed.path: listed for listed in self.listing.segments}
        self._starting: dict[tuple[str, int], list[Listed]] = defaultdict(list)
        for listed in self.listing.segments:
            self._starting[listed.device, listed.name.first].append(listed)

    @property
    def devices(self) -> tuple[str, ...]:
        """Every device of which there is a file."""
        return tuple(sorted({listed.device for listed in self.listing.segments}))

    @property
    def refused(self) -> tuple[Refused, ...]:
        """The files that were looked at and are not taken, with the reason."""
        found = [one for one in self._found.values() if isinstance(one, Refused)]
        return (*self.listing.refused, *found)

    def coverage(self) -> Coverage:
        """What counts there, whatever the wall clock says."""
        return cover(self.listing.segments, self._read)

    def starting(self, device: str, first: int) -> Segment | None:
        """The longest readable segment there that starts at this seq, whether it counts there or not."""
        return longest(self._starting[device, first], self._read, [])

    def refuse(self, path: str, reason: str) -> None:
        """Let a file count no longer."""
        self._found[path] = Refused(path=path, reason=reason)

    def take(self, segment: Segment) -> Path | None:
        """A proven, durable copy in the staging folder, for the caller to move; None: it is refused now.

        Raises:
            LogWriteError: our disk refuses.
        """
        listed = self._listed[segment.path]
        staged = self._staging / str(listed.name)
        try:
            _prove(staged, listed, self._copy(self.root / listed.path, staged))
        except (_TheirDisk, LogDamagedError) as error:
            self._note_absence(self.root / listed.path)
            self.refuse(listed.path, str(error))
            with suppress(OSError):
                staged.unlink()
            return None
        return staged

    def close(self) -> None:
        """Remove the staging folder and what is left in it."""
        shutil.rmtree(self._staging, ignore_errors=True)

    def _read(self, listed: Listed) -> Footer | Refused:
        if listed.path not in self._found:
            self._found[listed.path] = self._footer(listed)
        return self._found[listed.path]

    def _footer(self, listed: Listed) -> Footer | Refused:
        path = self.root / listed.path
        if not path.is_file():  # a link may lead to a named pipe, and opening that would never end
            self._note_absence(path)
            return Refused(path=listed.path, reason="it is no file, or a link to what is not there")
        try:
            return read_footer(str(path), name=listed.name, device=listed.device)
        except FileNotFoundError:
            self._note_absence(path)
            return Refused(path=listed.path, reason="it went away while being read")
        except LogDamagedError as error:
            return Refused(path=listed.path, reason=str(error))

    def _note_absence(self, path: Path) -> None:
        self.changed = self.changed or not os.path.lexists(path)

    def _copy(self, source: Path, staged: Path) -> str:
        """Copy a file durably; returns what its name has to prove, as `segment.proof`."""
        running = hashlib.sha256()
        try:
            make_folder(staged.parent)
            with _opened(source) as read, staged.open("wb") as written:
                size = 0
                while chunk := _chunk(read):
                    size += len(chunk)
                    if size > SEGMENT_BOUND_BYTES:
                        raise _TheirDisk(f"it is larger than {SEGMENT_BOUND_BYTES} bytes")
                    running.update(chunk)
                    written.write(chunk)
                written.flush()
                os.fsync(written.fileno())
        except OSError as error:
            with suppress(OSError):
                staged.unlink()
            raise unwritable(staged, error) from error
        return running.hexdigest()[:16]


def foreign_root(root: Path, other: Path) -> Path:
    """Where the archive at `other` really is, which is to be merged into the one at `root`.

    Raises:
        UsageError: it is this archive itself. ArchiveNotFoundError: it is none.
        ArchiveFormatError: one of a format that this version cannot read.
    """
    there = Path(os.path.realpath(other.expanduser()))
    if there == Path(os.path.realpath(root)):
        raise UsageError(f"{other} is this archive itself: merge takes the folder of another copy")
    if not (there / MANIFEST).is_file():
        raise ArchiveNotFoundError(
            f"there is no archive at {other}: merge takes the folder that holds {MANIFEST}"
        )
    read_archive_id(there)
    return there


def unwritable(path: Path, error: OSError) -> LogWriteError:
    """What is said when our own disk refuses."""
    return LogWriteError(
        f"{path.parent} could not be written ({error.strerror or error}); what was merged so far is whole "
        "and counts. Make room or mend the folder, then merge again: it goes on where it stopped"
    )


def _opened(source: Path) -> BinaryIO:
    try:
        return source.open("rb")
    except OSError as error:
        raise _TheirDisk(f"it cannot be read ({error.strerror})") from error


def _chunk(file: BinaryIO) -> bytes:
    try:
        return file.read(_CHUNK_BYTES)
    except OSError as error:
        raise _TheirDisk(f"it cannot be read ({error.strerror})") from error


def _prove(staged: Path, listed: Listed, proof: str) -> None:
    """Prove bytes, footer and rows of a staged copy, as `verify` would. `proof` is that of its bytes.

    Raises:
        LogDamagedError: it is not a segment that `verify` would pass.
    """
    if proof != listed.name.proof:
        raise LogDamagedError("its bytes are not those its name proves")
    footer = read_footer(str(staged), name=listed.name, device=listed.device)
    try:
        with pq.ParquetFile(staged) as file:
            for problem in row_problems(batches_of(file), footer, set()):
                raise LogDamagedError(problem)
    except (pa.ArrowException, ValueError, OverflowError, OSError) as error:
        raise LogDamagedError(f"it holds what no event can ({error})") from error
