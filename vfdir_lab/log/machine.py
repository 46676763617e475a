"""What this machine knows of this copy of an archive, kept outside of it.

The device id, its high-water mark and the lock live in the machine's state folder, keyed by archive id and
real path. So a folder that is synced, copied or restored from a backup never makes two writers of one device:
the copy finds no state for itself and becomes a new device.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from filelock import FileLock, Timeout
from platformdirs import user_state_path

from vfdir_lab.errors import ArchiveWriteError, LogLockedError
from vfdir_lab.log.files import write_atomically

LOCK_TIMEOUT_SECONDS = 30.0
SEEN = "seen"
"""The note of the greatest head that ever counted here: what a later head is held against."""
ACCEPTED = "accepted"
"""The note of the greatest stamp, by device, that a person let count though it lay in the future."""
_DEVICE = re.compile(r"[a-z0-9]{4,32}")
_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"


def state_home() -> Path:
    """Where machine state lives: `VFDIR_STATE_HOME`, else the platform's state folder."""
    chosen = os.environ.get("VFDIR_STATE_HOME")
    return Path(chosen).expanduser() if chosen else user_state_path("vfdir_lab", appauthor=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """The high-water mark: this copy's device and how far it has written. `seq` 0: nothing yet.

    `instead_of` and `because`: what a new device has to say in its first event, while that is not written.
    """

    device: str
    seq: int = 0
    hlc: int = 0
    digest: str = ""
    instead_of: str = ""
    because: str = ""

    @classmethod
    def of(cls, raw: object) -> Mark | None:
        """The mark that was remembered as `raw`, or None when it is none (torn, edited, of another make)."""
        match raw:
            case {
                "device": str(device),
                "seq": int(seq),
                "hlc": int(hlc),
                "digest": str(digest),
                "instead_of": str(instead_of),
                "because": str(because),
            } if _DEVICE.fullmatch(device) and seq >= 0 and hlc >= 0:
                return cls(
                    device=device, seq=seq, hlc=hlc, digest=digest, instead_of=instead_of, because=because
                )
        return None


def new_device_id() -> str:
    """A fresh device id: ten letters and digits, 50 random bits."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(10))


class Machine:
    """The state folder of one copy of an archive. Created on the first write, never by reading."""

    def __init__(self, archive_id: str, root: Path, home: Path | None = None) -> None:
        key = hashlib.sha256(f"{archive_id}\0{os.path.realpath(root)}".encode()).hexdigest()[:24]
        self.folder = (home or state_home()) / "archives" / key

    def mark(self) -> Mark | None:
        """The mark, or None when this copy has not written yet (or its state was lost: a new device then)."""
        return Mark.of(self.recall("device"))

    def remember(self, mark: Mark) -> None:
        """Keep the mark. It may lag behind the log after a crash, never run ahead of it."""
        self._write("device.json", asdict(mark))

    def recall(self, name: str) -> object:
        """A small note left by `note`, or None."""
        try:
            found: object = json.loads((self.folder / f"{name}.json").read_text("utf-8"))
        except (OSError, ValueError, RecursionError):
            return None
        return found

    def note(self, name: str, value: object) -> None:
        """Leave a small note (JSON) for later processes on this machine."""
        self._write(f"{name}.json", value)

    def levels(self, name: str) -> dict[str, int]:
        """A note that holds a number for each device; empty when there is none, or none that makes sense."""
        found = self.recall(name)
        if not isinstance(found, dict):
            return {}
        return {
            device: level
            for device, level in found.items()
            if _DEVICE.fullmatch(device) and type(level) is int and level > 0
        }

    def raise_levels(self, name: str, reached: Mapping[str, int]) -> None:
        """Raise such a note to what is reached; it never falls, and is written only when it rises.

        Raises:
            ArchiveWriteError: the state folder cannot be written.
        """
        known = self.levels(name)
        risen = {device: level for device, level in reached.items() if level > known.get(device, 0)}
        if risen:
            self.note(name, known | risen)

    @contextmanager
    def lock(self, timeout_seconds: float = LOCK_TIMEOUT_SECONDS, *, name: str = "append") -> Iterator[None]:
        """Be the one process on this machine that appends to this copy, or that merges into it (`merge`).

        Raises:
            LogLockedError: another process did not finish in time; the message names it.
            ArchiveWriteError: the state folder cannot be written.
        """
        holder = self.folder / f"{name}.holder"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self.folder / f"{name}.lock", timeout=timeout_seconds)
            lock.acquire()
        except Timeout as error:
            raise LogLockedError(
                f"another process ({self._holder(holder)}) is writing to this archive and did not finish "
                f"within {timeout_seconds:g} s; wait for it or end it, then try again"
            ) from error
        except OSError as error:
            raise self._unwritable(error) from error
        try:
            with suppress(OSError):
                holder.write_text(f"process {os.getpid()}", "utf-8")
            yield
        finally:
            lock.release()

    def _holder(self, path: Path) -> str:
        try:
            return path.read_text("utf-8", "replace").strip()[:80] or "unknown"
        except OSError:
            return "unknown"

    def _write(self, name: str, value: object) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            write_atomically(self.folder / name, json.dumps(value).encode())
        except OSError as error:
            raise self._unwritable(error) from error

    def _unwritable(self, error: OSError) -> ArchiveWriteError:
        return ArchiveWriteError(
            f"this machine's state folder {self.folder} cannot be written ({error.strerror}); "
            "choose another with VFDIR_STATE_HOME"
        )
