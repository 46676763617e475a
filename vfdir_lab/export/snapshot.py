"""One snapshot: found, written beside its place, described in `snapshot.json`, renamed into place."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vfdir_lab import __version__
from vfdir_lab.errors import ExportError, UsageError
from vfdir_lab.export.formats import write_json, write_jsonl
from vfdir_lab.export.rows import Row, Rows, find_channel
from vfdir_lab.log import Head
from vfdir_lab.log.files import sync_folder, write_durably
from vfdir_lab.projection import Engine, Lens, default_lens

FORMATS = {"json": write_json, "jsonl": write_jsonl}
MANIFEST = "snapshot.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotOptions:
    """What to export and how.

    `as_of` is how the person said the moment, kept in the manifest; `head` is what it means. `private` lets a
    private channel leave the archive. `replace` allows an existing snapshot to be replaced.
    """

    format: str
    head: Head
    as_of: str | None = None
    lens: Lens = field(default_factory=default_lens)
    private: bool = False
    replace: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A snapshot that was written: where, of what, and the manifest beside it."""

    path: Path
    channel: str
    title: str
    manifest: dict[str, Any]

    def __str__(self) -> str:
        counts = ", ".join(
            f"{count} {what if count != 1 else what.removesuffix('s')}"
            for what, count in self.manifest["counts"].items()
        )
        return f"{self.title}: {counts}, in {self.path}"


def export_channel(
    engine: Engine,
    channel: int | str,
    path: Path,
    options: SnapshotOptions,
    tell: Callable[[int], None] = lambda _rows: None,
) -> Snapshot:
    """Write a snapshot of a channel into the new folder `path`.

    Raises:
        UsageError: there is no such format.
        ExportError: no such channel, a private one, a target in the way, a disk that refuses.
    """
    if options.format not in FORMATS:
        raise UsageError(f"there is no format {options.format!r}; there are {', '.join(FORMATS)}")
    row = _the_channel(engine, channel, options)
    beside = path.parent / f".{path.name}.{os.getpid()}.tmp"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _tidy(path, beside)
        _refuse_what_is_there(path, replace=options.replace)
        beside.mkdir()
        manifest = _write(engine, row, beside, options, tell)
        _into_place(beside, path)
    except OSError as error:
        raise ExportError(
            f"the snapshot could not be written to {path} ({error.strerror or error}); nothing was left there"
        ) from error
    finally:
        with suppress(OSError):
            shutil.rmtree(beside)
    return Snapshot(
        path=path, channel=row["object_id"], title=row["title"] or row["slug"] or "", manifest=manifest
    )


def _the_channel(engine: Engine, channel: int | str, options: SnapshotOptions) -> Row:
    found = find_channel(engine, channel, options.head, options.lens)
    if not found:
        raise ExportError(f"there is no channel {channel!r} in this archive at that head; `pull` it first")
    if len(found) > 1:
        numbers = ", ".join(str(row["remote_id"]) for row in found)
        raise ExportError(f"several channels are called {channel!r}; give the number: {numbers}")
    if found[0]["visibility"] == "private" and not options.private:
        raise ExportError(f"{channel!r} is private; say --private to let it leave the archive")
    return found[0]


def _refuse_what_is_there(path: Path, *, replace: bool) -> None:
    if os.path.lexists(path) and not (replace and _is_snapshot(path)):
        mend = "choose another place" if replace else "choose another place, or say --replace"
        raise ExportError(f"{path} is there already{' and is no snapshot' if replace else ''}; {mend}")


def _is_snapshot(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink() and (path / MANIFEST).is_file()


def _write(
    engine: Engine, channel: Row, folder: Path, options: SnapshotOptions, tell: Callable[[int], None]
) -> dict[str, Any]:
    """Write the files and the manifest into `folder`, and flush them."""
    rows = Rows(engine, options.head, options.lens, channel["object_id"])
    provenance = _provenance(options)
    counts = FORMATS[options.format](rows, channel, provenance, folder, tell)
    manifest = {
        "snapshot": 1,
        "software": f"vfdir_lab {__version__}",
        "channel": {key: channel[key] for key in ("object_id", "slug", "title", "visibility")},
        **provenance,
        "options": {"format": options.format, "private": options.private},
        "counts": counts,
        "files": {file.name: _described(file) for file in sorted(folder.iterdir())},
    }
    write_durably(folder / MANIFEST, _pretty(manifest))
    return manifest


def _provenance(options: SnapshotOptions) -> dict[str, Any]:
    return {
        "head": str(options.head),
        "as_of": options.as_of,
        "lens": {
            "name": options.lens.name,
            "projections": {
                name: {"version": options.lens.versions[name], "fingerprint": fingerprint}
                for name, fingerprint in sorted(options.lens.fingerprints.items())
            },
        },
    }


def _described(file: Path) -> dict[str, Any]:
    with file.open("rb") as opened:
        digest = hashlib.file_digest(opened, "sha256").hexdigest()
        os.fsync(opened.fileno())
        return {"sha256": digest, "bytes": opened.tell()}


def _pretty(manifest: dict[str, Any]) -> bytes:
    return (json.dumps(manifest, ensure_ascii=False, indent=2) + "\n").encode()


def _into_place(beside: Path, path: Path) -> None:
    """Rename; what is replaced is moved aside first and given up last, so a whole one is always there."""
    old = _aside(path)
    if path.exists():
        path.rename(old)
    try:
        beside.rename(path)
    except OSError:
        if _is_snapshot(old):
            old.rename(path)
        raise
    sync_folder(path.parent)
    if _is_snapshot(old):
        old.rename(beside)


def _aside(path: Path) -> Path:
    """Where what is replaced waits until its successor is in place."""
    return path.parent / f".{path.name}.old"


def _tidy(path: Path, beside: Path) -> None:
    """Clear away what a killed export left; one that died between its renames gets its old snapshot back."""
    old = _aside(path)
    if _is_snapshot(old):
        old.rename(beside if os.path.lexists(path) else path)
    ours = re.compile(rf"\.{re.escape(path.name)}\.[0-9]+\.tmp")
    for left in path.parent.iterdir():
        if ours.fullmatch(left.name):
            shutil.rmtree(left)
