"""`snapshot.json`: what a snapshot is of, how it was made, and the sha256 of each of its files.

Owns: writing it, reading it, and `verify_snapshot`. Guarantees: any byte of any file that is not as it was
written is found, those of `snapshot.json` too, which ends in a hash of itself; a manifest from elsewhere
never leads out of its folder. Leaves to others: whether the archive still says the same (`again.py`). Checked
by: `tests/export/test_verify.py`.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Collection, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

from vfdir_lab.errors import ExportError
from vfdir_lab.log.files import write_durably

MANIFEST = "snapshot.json"
FORMAT = 2
BEGINNING = b'{\n  "snapshot": '
FLUSHED_ONE_BY_ONE = 100
UNASKED = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})
"""What systems leave in folders that people look at; it is nobody's."""

Manifest = dict[str, Any]
Tell = Callable[[int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether a snapshot is as it was written: names of files, in order.

    `checked` is how many were read, `changed` those with other bytes, `missing` those that are gone, `extra`
    those that it did not come with. `subject` says against what, `note` why it may be so.
    """

    path: str
    checked: int
    changed: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    subject: str = "as it was written"
    note: str = ""

    @property
    def ok(self) -> bool:
        """Whether nothing differs."""
        return not (self.changed or self.missing or self.extra)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"ok": self.ok} | asdict(self)

    def __str__(self) -> str:
        lines = [
            f"{what:8} {name}" for what in ("changed", "missing", "extra") for name in getattr(self, what)
        ]
        if self.ok:
            return f"{self.path} is {self.subject}: {self.checked} files"
        noted = f" ({self.note})" if self.note else ""
        return "\n".join(
            [*lines, f"{self.path} is not {self.subject}: {len(lines)} of its files differ{noted}"]
        )


def describe(folder: Path) -> dict[str, dict[str, Any]]:
    """The sha256 and the bytes of each file below a folder, by its path; all are flushed to the disk."""
    paths = dict(sorted(files_below(folder)))
    described = {
        name: _described(path, flush=len(paths) <= FLUSHED_ONE_BY_ONE) for name, path in paths.items()
    }
    if len(paths) > FLUSHED_ONE_BY_ONE and hasattr(os, "sync"):
        os.sync()
    return described


def write_manifest(folder: Path, manifest: Manifest) -> Manifest:
    """Write `snapshot.json`, with a hash of itself at its end; returns what it says."""
    sealed = _sealed(manifest)
    write_durably(folder / MANIFEST, _pretty(sealed))
    return sealed


def files_below(folder: Path) -> Iterator[tuple[str, Path]]:
    """Everything below a folder that is not a folder, by its path with `/`; links are not followed."""
    for place, folders, files in os.walk(folder):
        links = [name for name in folders if (Path(place) / name).is_symlink()]
        for name in files + links:
            path = Path(place) / name
            yield path.relative_to(folder).as_posix(), path


def is_snapshot_folder(path: Path) -> bool:
    """Whether this is a folder that an export wrote."""
    try:
        with (path / MANIFEST).open("rb") as file:
            return not path.is_symlink() and file.read(len(BEGINNING)) == BEGINNING
    except OSError:
        return False


def read_manifest(path: Path) -> Manifest:
    """What a snapshot's folder says of itself.

    Raises:
        ExportError: it is no snapshot, or its manifest cannot be read.
    """
    try:
        return parse_manifest((path / MANIFEST).read_bytes(), path)
    except OSError as error:
        raise ExportError(
            f"{path} is no snapshot: its {MANIFEST} cannot be read ({error.strerror or error}); "
            "give the folder or the zip that `export` wrote"
        ) from error


def parse_manifest(data: bytes, where: Path) -> Manifest:
    """A manifest from its bytes, proven to have the parts that are read of it.

    Raises:
        ExportError: it has not.
    """
    try:
        manifest = json.loads(data)
        files = manifest["files"]
        sound = (
            all(isinstance(manifest[key], dict) for key in ("files", "lens", "options", "counts"))
            and all(isinstance(manifest[key], str) for key in ("head", "software"))
            and all(_is_inside(name) and isinstance(one["sha256"], str) for name, one in files.items())
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        sound = False
    if not sound:
        raise ExportError(f"the {MANIFEST} of {where} was damaged or comes from elsewhere; export it anew")
    return manifest  # type: ignore[no-any-return]  # proven above


def verify_folder(path: Path, tell: Tell = lambda _files: None) -> Verdict:
    """Compare each file of a snapshot's folder with what its manifest says.

    Raises:
        ExportError: it is no snapshot.
    """
    manifest = read_manifest(path)
    changed, missing = [], []
    unsealed = {key: value for key, value in manifest.items() if key != "sha256"}
    if (path / MANIFEST).read_bytes() != _pretty(_sealed(unsealed)):
        changed.append(MANIFEST)
    there = dict(files_below(path))
    for number, (name, about) in enumerate(sorted(manifest["files"].items()), start=1):
        if name not in there:
            missing.append(name)
        elif there[name].is_symlink() or not _is(there[name], about):
            changed.append(name)
        tell(number)
    return Verdict(
        path=str(path),
        checked=len(manifest["files"]) + 1,
        changed=tuple(changed),
        missing=tuple(missing),
        extra=strangers(there, manifest["files"]),
    )


def strangers(there: Collection[str], known: Collection[str]) -> tuple[str, ...]:
    """The files that a snapshot did not come with; `known` are those it came with, but for its manifest."""
    return tuple(sorted(name for name in there if not _is_known(name, known)))


def _is_known(name: str, known: Collection[str]) -> bool:
    return name == MANIFEST or name in known or PurePosixPath(name).name in UNASKED


def hash_of(file: IO[bytes]) -> str:
    """The sha256 of the rest of an opened file."""
    return hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]  # readable is enough


def _is(path: Path, about: dict[str, Any]) -> bool:
    try:
        return _described(path) == about
    except OSError:
        return False


def _described(path: Path, *, flush: bool = False) -> dict[str, Any]:
    with path.open("rb") as opened:
        digest = hash_of(opened)
        if flush:
            os.fsync(opened.fileno())
        return {"sha256": digest, "bytes": opened.tell()}


def _sealed(manifest: Manifest) -> Manifest:
    return manifest | {"sha256": hashlib.sha256(_pretty(manifest)).hexdigest()}


def _pretty(manifest: Manifest) -> bytes:
    return (json.dumps(manifest, ensure_ascii=False, indent=2) + "\n").encode()


def _is_inside(name: str) -> bool:
    path = PurePosixPath(name)
    return bool(path.parts) and not path.is_absolute() and ".." not in path.parts and "\\" not in name
