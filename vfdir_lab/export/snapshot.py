"""One snapshot: its channels found, written beside its place, described in `snapshot.json`, put in place.

Owns: `export_channel`, its options and its answer. Leaves to others: the formats, the place, the manifest.
Checked by: golden files and laws in `tests/export/test_snapshot.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vfdir_lab import __version__
from vfdir_lab.errors import UsageError
from vfdir_lab.export.bag import pack
from vfdir_lab.export.copies import Copies
from vfdir_lab.export.formats import FORMATS, format_of
from vfdir_lab.export.manifest import FORMAT, Manifest, describe, write_manifest
from vfdir_lab.export.names import file_name
from vfdir_lab.export.place import target
from vfdir_lab.export.rows import Row
from vfdir_lab.export.scope import Scope, Standing, scope_of
from vfdir_lab.export.work import Tell, Work
from vfdir_lab.log import Head
from vfdir_lab.projection import Engine, Lens, default_lens

_NAMED = ("object_id", "slug", "title", "visibility")


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotOptions:
    """What to export and how.

    `format` is one of `FORMATS`, `zip`, or one of them packed, such as `csv.zip`. `as_of` is how the person
    said the moment, kept in the manifest; `head` is what it means. `depth` takes channels inside channels
    along, this many levels. `store` is where the archive keeps copies of pictures and files; None: they stay.
    `private` lets private channels leave the archive. `replace` allows an existing snapshot to be replaced.
    """

    format: str
    head: Head
    as_of: str | None = None
    lens: Lens = field(default_factory=default_lens)
    depth: int = 0
    store: Path | None = None
    private: bool = False
    replace: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A snapshot that was written: where, of what, and the manifest beside it.

    `channel` is the id of its channel, None where it is of all that were read.
    """

    path: Path
    channel: str | None
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
    channel: int | str | None,
    path: Path,
    options: SnapshotOptions,
    tell: Callable[[int], None] = lambda _rows: None,
) -> Snapshot:
    """Write a snapshot of a channel, or of every channel that was read (None), to the new place `path`.

    `path` becomes a folder, or a file where it is packed. `tell` takes how many rows are done.

    Raises:
        UsageError: there is no such format, or `depth` is below zero.
        ExportError: no such channel, a private one, a target in the way, a disk that refuses.
    """
    _, packed = format_of(options.format)
    if options.depth < 0:
        raise UsageError(f"a depth of {options.depth} means nothing; 0 is the channel alone")
    standing = Standing(engine=engine, head=options.head, lens=options.lens)
    scope = scope_of(standing, channel, depth=options.depth, private=options.private)
    with target(path, replace=options.replace) as place:
        folder = place.with_name("unpacked") if packed else place
        folder.mkdir()
        manifest = _write(standing, scope, folder, options, tell)
        if packed:
            pack(folder, place, top=_called(scope), about=_about(manifest))
    home = scope.home
    if home is None:
        return Snapshot(path=path, channel=None, title=f"{len(scope.channels)} channels", manifest=manifest)
    title = home["title"] or home["slug"] or ""
    return Snapshot(path=path, channel=home["object_id"], title=title, manifest=manifest)


def _write(standing: Standing, scope: Scope, folder: Path, options: SnapshotOptions, tell: Tell) -> Manifest:
    """Write the files and the manifest into `folder`, and flush them."""
    copies = Copies(store=options.store)
    provenance = _provenance(standing, options)
    inner, _ = format_of(options.format)
    work = Work(
        rows=standing.rows(*scope.ids),
        scope=scope,
        provenance=provenance,
        copies=copies,
        folder=folder,
        tell=tell,
    )
    counts = FORMATS[inner](work)
    if options.store is not None:
        counts |= {"copies": copies.made, "copies lost": len(copies.lost)}
    manifest = {
        "snapshot": FORMAT,
        "software": f"vfdir_lab {__version__}",
        "channel": scope.home and _named(scope.home),
        "channels": [_named(row) for row in scope.channels],
        **provenance,
        "options": {
            "format": options.format,
            "depth": options.depth,
            "media": options.store is not None,
            "private": options.private,
        },
        "counts": counts,
        "files": describe(folder),
    }
    return write_manifest(folder, manifest)


def _provenance(standing: Standing, options: SnapshotOptions) -> dict[str, Any]:
    lens = options.lens
    return {
        "head": str(options.head),
        "known_at": standing.known_at(),
        "as_of": options.as_of,
        "lens": {
            "name": lens.name,
            "fingerprint": lens.fingerprint,
            "projections": {
                name: {"version": lens.versions[name], "fingerprint": fingerprint}
                for name, fingerprint in sorted(lens.fingerprints.items())
            },
        },
    }


def _named(channel: Row) -> Row:
    return {key: channel[key] for key in _NAMED}


def _called(scope: Scope) -> str:
    """The name of the folder inside a zip."""
    home = scope.home
    return "channels" if home is None else file_name(home["object_id"], home["title"], home["slug"])


def _about(manifest: Manifest) -> dict[str, str]:
    """What `bag-info.txt` says."""
    titles = [row["title"] or row["slug"] or row["object_id"] for row in manifest["channels"]]
    more = f" and {len(titles) - 1} more" if titles[1:] else ""
    return {
        "Source-Organization": "are.na",
        "External-Description": f"{titles[0]}{more}",
        "External-Identifier": (manifest["channel"] or {}).get("object_id", "channels"),
        "Bagging-Date": manifest["known_at"][:10],
        "Bag-Software-Agent": manifest["software"],
    }
