"""What segments are called in a bucket, and which of those that are offered make up a device's part.

A key is `log/device=<device>/<last seq>_<month>_<segment name>`. It begins with the *last* seq, so that
whatever holds an event above seq N sorts after N, however late it arrives and however it was compacted: who
holds everything up to N need list nothing before it. Pure: nothing here speaks to a bucket or to a disk.
Checked by `tests/scale/test_bucket_keys.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence, Set
from dataclasses import dataclass

from vfdir_lab.log.segment import SegmentName

_DEVICE = re.compile(r"log/device=([a-z0-9]{4,32})")
_FILE = re.compile(r"([0-9]{12})_([0-9]{4}-[0-9]{2})_([0-9]{12}-[0-9]{12}-[0-9a-f]{16}\.parquet)")
_ARCHIVE_PATH = re.compile(r"log/device=([a-z0-9]{4,32})/month=([0-9]{4}-[0-9]{2})/([^/]+)")
SCHEME = "s3://"
"""What the address of a bucket begins with."""
DEVICES = "log"
"""Below this are the devices."""
TORN = ".part"
"""What a file that is still being fetched is called at the end, after a dot at the beginning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """A segment as a bucket lists it: nothing of it is proven. `size` in bytes; `e_tag` changes with them."""

    key: str
    device: str
    path: str
    name: SegmentName
    size: int
    e_tag: str


def device_of(prefix: str) -> str | None:
    """The device that a common prefix of keys is about, or None."""
    match = _DEVICE.fullmatch(prefix)
    return match[1] if match else None


def folder_of(device: str) -> str:
    """What the keys of a device begin with, without the slash."""
    return f"{DEVICES}/device={device}"


def after(device: str, seq: int) -> str:
    """What sorts before the keys of all segments that end at `seq` or later, and after all others'."""
    return f"{folder_of(device)}/{seq:012d}"


def offered(key: str, size: int, e_tag: str) -> Offered | None:
    """What a key offers, or None when it is not that of a segment."""
    folder, _, file = key.rpartition("/")
    device, match = device_of(folder), _FILE.fullmatch(file)
    name = SegmentName.parse(match[3]) if match else None
    if device is None or match is None or name is None or int(match[1]) != name.last:
        return None
    path = f"{folder_of(device)}/month={match[2]}/{name}"
    return Offered(key=key, device=device, path=path, name=name, size=size, e_tag=e_tag)


def key_of(path: str) -> str:
    """The key of a segment that an archive has at `path`.

    Raises:
        ValueError: that is not where an archive has segments.
    """
    match = _ARCHIVE_PATH.fullmatch(path)
    name = SegmentName.parse(match[3]) if match else None
    if match is None or name is None:
        raise ValueError(path)
    return f"{folder_of(match[1])}/{name.last:012d}_{match[2]}_{name}"


def file_of(path: str) -> str:
    """The last part of a path: the name of a segment."""
    return path.rpartition("/")[2]


def reach(found: Iterable[Offered], seq: int, ends: Set[int], *, agreed: Callable[[Offered], bool]) -> int:
    """How far a device's part is there without a gap, from `seq` on, by segments that are agreed on.

    The answer is one of `ends`, or `seq`: what follows must have something to follow on.
    """
    left, best = [one for one in found if agreed(one)], seq
    while True:
        further = max((one.name.last for one in left if one.name.first <= seq + 1), default=seq)
        if further <= seq:
            return best
        seq = further
        best = seq if seq in ends else best


def route(found: Sequence[Offered], seq: int, *, here: Callable[[Offered], bool]) -> list[Offered]:
    """The segments that make up a device's part after `seq`: what is here first, then what is longest.

    It goes on behind a gap, since what fills that may come later.
    """
    chosen: list[Offered] = []
    while True:
        near = [one for one in found if one.name.first <= seq + 1 <= one.name.last]
        if near:
            best = min(near, key=lambda one: (not here(one), one.name.first <= seq, -one.name.last, one.key))
            chosen.append(best)
            seq = best.name.last
            continue
        later = [one.name.first for one in found if one.name.first > seq + 1]
        if not later:
            return chosen
        seq = min(later) - 1
