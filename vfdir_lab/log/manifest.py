"""`archive.toml`: what makes a folder an archive. Format version, id, default lens; no secrets."""

from __future__ import annotations

import shutil
import tempfile
import tomllib
import uuid
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from vfdir_lab.errors import ArchiveFormatError, ArchiveNotFoundError, ArchiveWriteError
from vfdir_lab.log.files import make_folder, write_durably

FORMAT = 1
MANIFEST = "archive.toml"


def create_archive(path: Path, now: datetime, *, lens: str) -> None:
    """Make an archive at `path` where there is none: a folder beside it, renamed when whole.

    Raises:
        ArchiveNotFoundError: the folder holds other things.
        ArchiveWriteError: the disk refuses.
    """
    if (path / MANIFEST).exists():
        return
    beside = None
    try:
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise ArchiveNotFoundError(
                f"{path} holds other things and no {MANIFEST}: choose a new or an empty folder"
            )
        make_folder(path.parent)
        beside = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent))
        beside.chmod(0o755)
        write_durably(beside / MANIFEST, _text(now, lens))
        (beside / "log").mkdir()
        if path.is_dir():
            path.rmdir()  # empty, and Windows does not rename onto it
        beside.rename(path)
    except OSError as error:
        if (path / MANIFEST).exists():
            return  # another process was faster
        raise ArchiveWriteError(f"no archive could be made at {path} ({error.strerror or error})") from error
    finally:
        if beside is not None:
            shutil.rmtree(beside, ignore_errors=True)


def _text(now: datetime, lens: str) -> bytes:
    lines = (
        f"format = {FORMAT}",
        f'id = "{uuid.uuid4()}"',
        f"created_at = {now:%Y-%m-%dT%H:%M:%SZ}",
        f'lens = "{lens}"',
    )
    return ("\n".join(lines) + "\n").encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What `archive.toml` says: the archive's id, and the lens it is read through by default."""

    id: str
    lens: str


def read_manifest(path: Path) -> Manifest:
    """The manifest of the archive at `path`.

    Raises:
        ArchiveNotFoundError: there is none.
        ArchiveFormatError: there is one that this version cannot read.
    """
    try:
        manifest = tomllib.loads((path / MANIFEST).read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ArchiveNotFoundError(
            f"there is no archive at {path}: `vfdir-lab pull CHANNEL` makes one, --home or VFDIR_HOME "
            "chooses another"
        ) from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ArchiveFormatError(
            f"{path / MANIFEST} cannot be read ({error}); restore it from a copy"
        ) from error
    if manifest.get("format") != FORMAT:
        raise ArchiveFormatError(
            f"{path} is an archive of format {manifest.get('format')!r}, this version reads {FORMAT}: "
            "update vfdir_lab"
        )
    if not isinstance(manifest.get("id"), str) or not manifest["id"]:
        raise ArchiveFormatError(f"{path / MANIFEST} names no archive id; restore it from a copy")
    return Manifest(id=manifest["id"], lens=str(manifest.get("lens", "default")))


def read_archive_id(path: Path) -> str:
    """The id of the archive at `path`. Raises as `read_manifest`."""
    return read_manifest(path).id
