"""Where a snapshot goes: written beside its place, then renamed, so that there is a whole one or none.

Owns: `target`. Guarantees: what is there is replaced only when that was said, and only a snapshot without
files of anybody else; an error, an interrupt or a kill leaves what was there before, and what a killed export
left is cleared away by the next; replacing leaves files that did not change as they are, with their times.
Leaves to others: what is written. Checked by: `tests/export/test_place.py`, with processes that are killed.
"""

from __future__ import annotations

import filecmp
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from vfdir_lab.errors import ExportError
from vfdir_lab.export.bag import is_snapshot_bag, read_bag
from vfdir_lab.export.manifest import (
    Manifest,
    files_below,
    is_snapshot_folder,
    read_manifest,
    strangers,
)
from vfdir_lab.log.files import sync_folder

IT = "snapshot"


@contextmanager
def target(path: Path, *, replace: bool) -> Iterator[Path]:
    """Give a new path to write a snapshot to, a folder or a file; afterwards it is at `path`.

    Raises:
        ExportError: something is in the way, or the disk refuses.
    """
    beside = path.parent / f".{path.name}.{os.getpid()}.tmp"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _tidy(path, beside)
        _refuse_what_is_there(path, replace=replace)
        beside.mkdir()
        yield beside / IT
        _keep_unchanged(path, beside / IT)
        _into_place(beside / IT, path)
    except OSError as error:
        raise ExportError(
            f"the snapshot could not be written to {path} ({error.strerror or error}); nothing was left there"
        ) from error
    finally:
        _remove(beside)


def is_snapshot(path: Path) -> bool:
    """Whether an export wrote this folder or this zip."""
    return is_snapshot_folder(path) or is_snapshot_bag(path)


def manifest_of(path: Path) -> Manifest:
    """What a snapshot, a folder or a zip, says of itself.

    Raises:
        ExportError: it is none.
    """
    return read_bag(path).manifest if is_snapshot_bag(path) else read_manifest(path)


def _refuse_what_is_there(path: Path, *, replace: bool) -> None:
    if not os.path.lexists(path):
        return
    if not replace:
        raise ExportError(f"{path} is there already; choose another place, or say --replace")
    if not is_snapshot(path):
        raise ExportError(f"{path} is there already and is no snapshot; choose another place")
    foreign = strangers(dict(files_below(path)), manifest_of(path)["files"]) if path.is_dir() else ()
    if foreign:
        raise ExportError(
            f"{path} holds what no export wrote ({foreign[0]}); move it away, or choose another place"
        )


def _keep_unchanged(old: Path, new: Path) -> None:
    """Let each new file that says what the old one says be the old one."""
    pairs = [(old, new)] if new.is_file() else [(old / name, path) for name, path in files_below(new)]
    for before, after in pairs:
        if before.is_file() and not before.is_symlink() and filecmp.cmp(before, after, shallow=False):
            _link(before, after)


def _link(before: Path, after: Path) -> None:
    """Make `after` another name of `before`; where the file system has no such thing, give it its times."""
    spare = after.with_name(f"{after.name[:40]}.link")
    try:
        os.link(before, spare)
    except OSError:
        times = before.stat()
        os.utime(after, ns=(times.st_atime_ns, times.st_mtime_ns))
    else:
        spare.replace(after)


def _into_place(new: Path, path: Path) -> None:
    """Rename; what is replaced is moved aside first and given up last, so a whole one is always there."""
    old = _aside(path)
    if path.exists():
        path.rename(old)
    try:
        new.rename(path)
    except OSError:
        if is_snapshot(old):
            old.rename(path)
        raise
    sync_folder(path.parent)
    if is_snapshot(old):
        old.rename(new)


def _aside(path: Path) -> Path:
    """Where what is replaced waits until its successor is in place."""
    return path.parent / f".{path.name}.old"


def _tidy(path: Path, beside: Path) -> None:
    """Clear away what a killed export left; one that died between its renames gets its old snapshot back."""
    old = _aside(path)
    if is_snapshot(old):
        old.rename(beside if os.path.lexists(path) else path)
    ours = re.compile(rf"\.{re.escape(path.name)}\.[0-9]+\.tmp")
    for left in path.parent.iterdir():
        if ours.fullmatch(left.name):
            _remove(left)


def _remove(left: Path) -> None:
    with suppress(OSError):
        if left.is_dir() and not left.is_symlink():
            shutil.rmtree(left)
        else:
            left.unlink()
