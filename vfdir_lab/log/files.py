"""Writing files so that a crash leaves either the old content or the new, never a part.

A file is written beside its place under a name that starts with a dot, flushed to the disk, and renamed;
then the folder is flushed, so that the rename itself survives a power cut.
"""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path

TEMPORARY_SUFFIX = ".tmp"


def write_durably(path: Path, data: bytes) -> None:
    """Make `path` hold `data`: afterwards it survives a crash and a power cut.

    Raises:
        OSError: the disk refused; `path` is as it was, and no temporary file stays behind.
    """
    _write(path, data, durable=True)
    sync_folder(path.parent)


def write_atomically(path: Path, data: bytes) -> None:
    """Make `path` hold `data`, for what may be lost in a power cut but must never be torn.

    Raises:
        OSError: the disk refused; `path` is as it was, and no temporary file stays behind.
    """
    _write(path, data, durable=False)


def _write(path: Path, data: bytes, *, durable: bool) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}{TEMPORARY_SUFFIX}")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise


def make_folder(path: Path) -> None:
    """Create `path` and its missing parents, each durable in the folder above it."""
    if path.is_dir():
        return
    make_folder(path.parent)
    path.mkdir(exist_ok=True)
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Flush a folder's entries to the disk; where the system cannot, there is nothing to flush."""
    if os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # this file system has no such thing
            raise
    finally:
        os.close(descriptor)
