"""A snapshot asked later: from where it was taken, and whether the archive still gives the same bytes.

Owns: `taken_from`, `rebuild`. Guarantees: the lens is the one the snapshot names, proven by its fingerprints,
or there is an error; SQL of other devices runs only where somebody said `use`; nothing is written but to a
temporary folder. Leaves to others: whether the files are as they were written (`manifest.py`, `bag.py`).
Checked by: `tests/export/test_verify.py`.
"""

from __future__ import annotations

import filecmp
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from vfdir_lab import __version__
from vfdir_lab.errors import ExportError, HeadError, VfdirError
from vfdir_lab.export.bag import is_snapshot_bag, verify_bag
from vfdir_lab.export.manifest import (
    Manifest,
    Tell,
    Verdict,
    files_below,
    strangers,
    verify_folder,
)
from vfdir_lab.export.place import manifest_of
from vfdir_lab.export.snapshot import SnapshotOptions, export_channel
from vfdir_lab.log import EventLog, Head
from vfdir_lab.projection import Engine, Lens
from vfdir_lab.projection.lens import lens_of
from vfdir_lab.projection.lenses import Lenses

SUBJECT = "what the archive gives"


def verify_snapshot(path: Path, tell: Tell = lambda _files: None) -> Verdict:
    """Whether a snapshot, a folder or a zip, is as it was written. `tell` takes how many files were read.

    Raises:
        ExportError: it is no snapshot, or cannot be read.
    """
    try:
        return verify_bag(path, tell) if path.is_file() else verify_folder(path, tell)
    except OSError as error:
        raise ExportError(
            f"the snapshot {path} cannot be read ({error.strerror or error}); mend the disk or export it anew"
        ) from error


def taken_from(
    manifest: Manifest, where: Path, log: EventLog, lenses: Lenses, store: Path
) -> tuple[str | None, SnapshotOptions]:
    """The channel a snapshot is of (None: all that were read) and the options it was taken with.

    Raises:
        ExportError: this archive is not the one it was taken from, or the lens is not here any more.
    """
    try:
        head = Head.parse(manifest["head"])
        log.require(head)
    except HeadError as error:
        raise ExportError(
            f"{where} was taken at a head that this archive does not reach ({manifest['head']}); "
            "ask the archive that it was taken from, or `merge` it"
        ) from error
    said, channel = manifest["options"], manifest.get("channel")
    return channel and channel["object_id"], SnapshotOptions(
        format=said["format"],
        head=head,
        as_of=manifest.get("as_of"),
        lens=_lens_again(manifest["lens"], where, lenses, head),
        depth=said.get("depth", 0),
        store=store if said.get("media") else None,
        private=said.get("private", False),
    )


def rebuild(
    engine: Engine,
    path: Path,
    standpoint: Callable[[Manifest], tuple[str | None, SnapshotOptions]],
    tell: Tell,
) -> Verdict:
    """Take a snapshot again, elsewhere, and compare it with the one at `path`, byte by byte.

    Raises:
        ExportError: there is none at `path`, or it cannot be taken again.
    """
    manifest = manifest_of(path)
    channel, options = standpoint(manifest)
    with tempfile.TemporaryDirectory(prefix="vfdir_lab_") as beside:
        made = export_channel(engine, channel, Path(beside, "again"), replace(options, replace=False), tell)
        verdict = _compared(path, made.path)
    software = f"vfdir_lab {__version__}"
    if not verdict.ok and manifest["software"] != software:
        return replace(verdict, note=f"it was written by {manifest['software']}, and this is {software}")
    return verdict


def _compared(path: Path, made: Path) -> Verdict:
    if is_snapshot_bag(path):
        changed = () if filecmp.cmp(path, made, shallow=False) else (path.name,)
        return Verdict(path=str(path), checked=1, changed=changed, subject=SUBJECT)
    there, again = dict(files_below(path)), dict(files_below(made))
    both = sorted(set(there) & set(again))
    return Verdict(
        path=str(path),
        checked=len(again),
        changed=tuple(name for name in both if not filecmp.cmp(there[name], again[name], shallow=False)),
        missing=tuple(sorted(set(again) - set(there))),
        extra=strangers(there, again),
        subject=SUBJECT,
    )


def _lens_again(said: Mapping[str, Any], where: Path, lenses: Lenses, head: Head) -> Lens:
    """The lens with the versions a snapshot names: as it is now, as it was, or put together again."""
    wanted = {name: one["fingerprint"] for name, one in said["projections"].items()}
    versions = {name: one["version"] for name, one in said["projections"].items()}
    name = said["name"]
    ways: tuple[Callable[[], Lens], ...] = (
        lambda: lenses.lens(name),
        lambda: lenses.lens(name, head=head),
        lambda: lens_of(name, [lenses.to_run(*one) for one in versions.items()]),
    )
    for way in ways:
        with suppress(VfdirError, KeyError):
            lens = way()
            if all(lens.fingerprints[one] == wanted[one] for one in wanted):
                return lens
    own = ", ".join(f"{one} v{version}" for one, version in sorted(versions.items()))
    raise ExportError(
        f"{where} was taken through the lens {name!r}, and its SQL is not here as it was then ({own}); "
        "bring the files of your own versions back"
    )
