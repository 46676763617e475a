"""A snapshot packed as one file: a zip that holds a bag (BagIt 1.0, RFC 8493).

Owns: `pack`, `read_bag`, `verify_bag`. Guarantees: the same files give the same bytes on every machine, so
nothing is compressed (compressors differ) and every time is the zip's zero; a bag is checked as the RFC says,
and to the last byte, for it is packed again. Leaves to others: what is in it. Checked by:
`tests/export/test_verify.py`.
"""

from __future__ import annotations

import hashlib
import io
import shutil
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from vfdir_lab.errors import ExportError
from vfdir_lab.export.manifest import MANIFEST, Manifest, Verdict, files_below, hash_of, parse_manifest

DECLARATION = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
PAYLOAD = "data/"
_ZERO = (1980, 1, 1, 0, 0, 0)
_BROKEN = (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, EOFError, ValueError, RuntimeError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bag:
    """What a bag says: the one folder in the zip, the snapshot's manifest, the names of all its files."""

    top: str
    manifest: Manifest
    names: tuple[str, ...]


def pack(folder: Path, file: Path, *, top: str, about: dict[str, str]) -> None:
    """Pack a snapshot's folder as the bag `top`; `about` goes into `bag-info.txt`.

    Raises:
        OSError: the disk refuses.
    """
    payload = {f"{PAYLOAD}{name}": path for name, path in sorted(files_below(folder))}
    sizes = [path.stat().st_size for path in payload.values()]
    info = about | {"Payload-Oxum": f"{sum(sizes)}.{len(sizes)}"}
    digests = {name: _hashed(path.open("rb")) for name, path in payload.items()}
    tags = {
        "bag-info.txt": "".join(f"{key}: {' '.join(text.split())}\n" for key, text in info.items()).encode(),
        "bagit.txt": DECLARATION,
        "manifest-sha256.txt": _listed(digests),
    }
    tags["tagmanifest-sha256.txt"] = _listed({name: hashlib.sha256(tags[name]).hexdigest() for name in tags})
    with file.open("wb") as sink, zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as packed:
        for name, data in tags.items():
            _add(packed, f"{top}/{name}", io.BytesIO(data), len(data))
        for name, path in payload.items():
            _add(packed, f"{top}/{name}", path.open("rb"), path.stat().st_size)


def is_snapshot_bag(path: Path) -> bool:
    """Whether this is a zip that an export wrote."""
    try:
        read_bag(path)
    except ExportError:
        return False
    return not path.is_symlink()


def read_bag(path: Path) -> Bag:
    """What a snapshot's zip says of itself.

    Raises:
        ExportError: it is no bag with a snapshot in it.
    """
    try:
        with zipfile.ZipFile(path) as packed:
            names = tuple(one.filename for one in packed.infolist())
            top = names[0].partition("/")[0] if names else ""
            manifest = packed.read(f"{top}/{PAYLOAD}{MANIFEST}")
    except (OSError, KeyError, *_BROKEN) as error:
        raise ExportError(
            f"{path} is no snapshot, or a damaged one ({error}); give a folder or a zip that `export` wrote"
        ) from error
    return Bag(top=top, manifest=parse_manifest(manifest, path), names=names)


def verify_bag(path: Path, tell: Callable[[int], None] = lambda _files: None) -> Verdict:
    """Compare each file in a zip with what its manifests say, and the zip with one packed anew.

    Raises:
        ExportError: it is no bag with a snapshot in it.
    """
    bag = read_bag(path)
    said = {f"{PAYLOAD}{name}": about["sha256"] for name, about in bag.manifest["files"].items()}
    there = {name.removeprefix(f"{bag.top}/"): name for name in bag.names}
    changed, missing = [], sorted(set(said) - set(there))
    with zipfile.ZipFile(path) as packed:
        for number, name in enumerate(sorted(set(said) & set(there)), start=1):
            if _entry_hash(packed, there[name]) != said[name]:
                changed.append(name)
            tell(number)
    known = {*said, f"{PAYLOAD}{MANIFEST}", "bag-info.txt", "bagit.txt", "manifest-sha256.txt"}
    extra = tuple(sorted(set(there) - known - {"tagmanifest-sha256.txt"}))
    if not (changed or missing or extra) and not _is_as_packed(path, bag.top):
        changed.append(path.name)
    return Verdict(
        path=str(path), checked=len(said) + 1, changed=tuple(changed), missing=tuple(missing), extra=extra
    )


def unpack(path: Path, folder: Path) -> str:
    """Lay a bag's payload down in a new folder, by the names that its manifest lists; returns the bag's name.

    Raises:
        ExportError: it is no bag with a snapshot in it, or a listed file is not in it.
    """
    bag = read_bag(path)
    with zipfile.ZipFile(path) as packed:
        for name in (MANIFEST, *bag.manifest["files"]):
            place = folder / name
            place.parent.mkdir(parents=True, exist_ok=True)
            try:
                with packed.open(f"{bag.top}/{PAYLOAD}{name}") as entry, place.open("wb") as file:
                    shutil.copyfileobj(entry, file)
            except (KeyError, *_BROKEN) as error:
                raise ExportError(
                    f"{name} in {path} cannot be read; `export --verify` says what is wrong"
                ) from error
    return bag.top


def bag_info(path: Path) -> dict[str, str]:
    """What `bag-info.txt` says, but for the sizes."""
    bag = read_bag(path)
    with zipfile.ZipFile(path) as packed:
        text = packed.read(f"{bag.top}/bag-info.txt").decode(errors="replace")
    pairs = (line.partition(": ") for line in text.splitlines())
    return {key: value for key, _, value in pairs if key != "Payload-Oxum"}


def _is_as_packed(path: Path, top: str) -> bool:
    """Whether packing what is in a zip gives the same zip."""
    with tempfile.TemporaryDirectory(prefix="vfdir_lab_") as beside:
        try:
            unpack(path, Path(beside, "it"))
            pack(Path(beside, "it"), Path(beside, "it.zip"), top=top, about=bag_info(path))
        except (ExportError, KeyError, *_BROKEN):
            return False
        return _hashed(Path(beside, "it.zip").open("rb")) == _hashed(path.open("rb"))


def _add(packed: zipfile.ZipFile, name: str, opened: IO[bytes], size: int) -> None:
    about = zipfile.ZipInfo(name, _ZERO)
    about.external_attr = 0o100644 << 16
    about.create_system = 3
    about.file_size = size
    with opened as source, packed.open(about, "w") as entry:
        shutil.copyfileobj(source, entry)


def _entry_hash(packed: zipfile.ZipFile, name: str) -> str | None:
    try:
        return _hashed(packed.open(name))
    except (OSError, *_BROKEN):
        return None


def _hashed(opened: IO[bytes]) -> str:
    with opened as file:
        return hash_of(file)


def _listed(digests: dict[str, str]) -> bytes:
    """A manifest as the RFC has it; line breaks and % in names are encoded."""
    return "".join(f"{digest}  {_encoded(name)}\n" for name, digest in digests.items()).encode()


def _encoded(name: str) -> str:
    return name.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
