"""Listing the log folder: names only, no `stat`, so that a look costs about a microsecond a segment."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from vfdir_lab.errors import LogDamagedError
from vfdir_lab.log.coverage import Listed, Refused
from vfdir_lab.log.segment import SegmentName

LISTING_TRIES = 3
"""So often is the folder listed again, when files went away between listing and opening."""

_DEVICE = re.compile(r"device=([a-z0-9]{4,32})")
_MONTH = re.compile(r"month=[0-9]{4}-[0-9]{2}")


_FILE, _LINK, _OTHER = "file", "link", "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """What a month's folder of a device holds: names with their sort, as the system lists them."""

    device: str
    folder: str
    names: list[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What the log folder holds: segments, files refused by their place alone, files that are not ours.

    `months` and `strays` are what was seen, for the next listing to compare.
    """

    segments: tuple[Listed, ...] = ()
    refused: tuple[Refused, ...] = ()
    foreign: tuple[str, ...] = ()
    months: list[Month] = field(default_factory=list, compare=False, repr=False)
    strays: list[str] = field(default_factory=list, compare=False, repr=False)


def list_log(root: Path, before: Listing | None = None) -> Listing:
    """List `root/log`. Names that start with a dot are passed over: they are nobody's yet.

    Gives `before` itself when every name is still the same, so that looking again costs next to nothing.
    Links are looked at each time: where they lead may change.
    """
    strays: list[str] = []
    months = list(_months(root, strays))
    links = any(sort is _LINK for month in months for _, sort in month.names)
    if before is not None and (months, strays) == (before.months, before.strays) and not links:
        return before
    foreign = [*strays]
    segments: list[Listed] = []
    refused: list[Refused] = []
    for month in months:
        for file, sort in month.names:
            path = f"{month.folder}/{file}"
            name = SegmentName.parse(file)
            if name is None or sort is _OTHER:
                foreign.append(path)
            elif sort is _LINK and not _inside(root / path, root):
                refused.append(
                    Refused(path=path, reason="it is a symbolic link that leads out of the archive")
                )
            else:
                segments.append(Listed(device=month.device, name=name, path=path))
    segments.sort(key=lambda one: one.path)
    return Listing(
        segments=tuple(segments),
        refused=tuple(refused),
        foreign=tuple(sorted(foreign)),
        months=months,
        strays=strays,
    )


def list_settled(root: Path, before: Listing | None = None) -> Listing:
    """As `list_log`, where the names are new as two looks in a row agree on: one look is not one moment.

    A compaction may write the long segment into a folder that was passed already, and remove the short ones
    from those that come: both would seem not to be there. A folder that does not rest is taken as last seen.
    """
    listing = list_log(root, before)
    for _ in range(LISTING_TRIES):
        if listing == before:
            break
        before, listing = listing, list_log(root, listing)
    return listing


def _months(root: Path, strays: list[str]) -> Iterator[Month]:
    """The folders of every device's months; `strays` collects what else is there."""
    for device in _entries(root / "log"):
        match = _DEVICE.fullmatch(device.name)
        if match is None or not _own_folder(device, root):
            strays.append(f"log/{device.name}")
            continue
        for month in _entries(device.path):
            folder = f"log/{device.name}/{month.name}"
            if not _MONTH.fullmatch(month.name) or not _own_folder(month, root):
                strays.append(folder)
                continue
            names = [(entry.name, _sort(entry)) for entry in _entries(month.path)]
            yield Month(device=match[1], folder=folder, names=names)


def _sort(entry: os.DirEntry[str]) -> str:
    if entry.is_file(follow_symlinks=False):
        return _FILE
    return _LINK if entry.is_symlink() else _OTHER


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


def _inside(path: str | Path, root: Path) -> bool:
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(root))
