"""Listing the log folder: names only, no `stat`, so that a look costs about a microsecond a segment."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from vfdir_lab.errors import LogDamagedError
from vfdir_lab.log.coverage import Listed, Refused
from vfdir_lab.log.segment import SegmentName

_DEVICE = re.compile(r"device=([a-z0-9]{4,32})")
_MONTH = re.compile(r"month=[0-9]{4}-[0-9]{2}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What the log folder holds: segments, files refused by their place alone, files that are not ours."""

    segments: tuple[Listed, ...] = ()
    refused: tuple[Refused, ...] = ()
    foreign: tuple[str, ...] = ()


def list_log(root: Path) -> Listing:
    """List `root/log`. Names that start with a dot are passed over: they are nobody's yet."""
    segments: list[Listed] = []
    refused: list[Refused] = []
    foreign: list[str] = []
    for entry, device, folder in _files(root, foreign):
        path = f"{folder}/{entry.name}"
        name = SegmentName.parse(entry.name)
        if name is None or not (entry.is_file(follow_symlinks=False) or entry.is_symlink()):
            foreign.append(path)
        elif entry.is_symlink() and not _inside(entry.path, root):
            refused.append(Refused(path=path, reason="it is a symbolic link that leads out of the archive"))
        else:
            segments.append(Listed(device=device, name=name, path=path))
    segments.sort(key=lambda one: one.path)
    return Listing(segments=tuple(segments), refused=tuple(refused), foreign=tuple(sorted(foreign)))


def _files(root: Path, foreign: list[str]) -> Iterator[tuple[os.DirEntry[str], str, str]]:
    """Every file in a device's months: its entry, the device, the folder relative to the archive."""
    for device in _entries(root / "log"):
        match = _DEVICE.fullmatch(device.name)
        if match is None or not _own_folder(device, root):
            foreign.append(f"log/{device.name}")
            continue
        for month in _entries(device.path):
            if not _MONTH.fullmatch(month.name) or not _own_folder(month, root):
                foreign.append(f"log/{device.name}/{month.name}")
                continue
            for entry in _entries(month.path):
                yield entry, match[1], f"log/{device.name}/{month.name}"


def _own_folder(entry: os.DirEntry[str], root: Path) -> bool:
    if entry.is_symlink():
        return os.path.isdir(entry.path) and _inside(entry.path, root)  # noqa: PTH112 (false for a loop)
    return entry.is_dir()


def _entries(folder: str | Path) -> list[os.DirEntry[str]]:
    """The entries of a folder; none when it went away meanwhile (a file sync, a compaction).

    Raises:
        LogDamagedError: it is there and may not be listed; what it holds must not seem to be gone.
    """
    try:
        with os.scandir(folder) as found:
            return [entry for entry in found if not entry.name.startswith(".")]
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        reason = f"{folder} cannot be listed ({error.strerror}); mend its permissions"
        raise LogDamagedError(reason) from error


def _inside(path: str, root: Path) -> bool:
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(root))
