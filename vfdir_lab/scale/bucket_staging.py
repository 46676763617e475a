"""What this copy knows of a bucket, and a folder shaped like an archive to merge from. Both are a cache.

Owns `cache/device=<own>/bucket/<bucket>/`: the notes (`settled.json`), and `archive/`, where what is fetched
waits to be merged, beside hard links to those of our own segments that it follows on. Guarantees: nothing in
it is needed; without it everything is only looked at again. Leaves to `log.merge` what of it is taken.
Checked by `tests/scale/test_bucket.py`.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from vfdir_lab.event.stamp import utc_now
from vfdir_lab.log.coverage import Segment
from vfdir_lab.log.eventlog import EventLog
from vfdir_lab.log.files import make_folder, write_atomically
from vfdir_lab.log.foreign import unwritable
from vfdir_lab.log.manifest import create_archive
from vfdir_lab.log.merge import QUARANTINE, place
from vfdir_lab.scale.bucket_keys import TORN, Offered

if TYPE_CHECKING:
    from vfdir_lab.scale.bucket_store import Bucket

NOTES = "settled.json"
WRONG = ".wrong"
"""What the name of an object ends with that is not what it says."""


@dataclass(slots=True, kw_only=True)
class Settled:
    """What is known of one device's part in a bucket.

    `reach`: up to this seq the bucket holds what is held here, without a gap. `agreed` are keys of which the
    same is known, `wrong` those that are refused: by their e_tag, and why.
    """

    reach: int = 0
    agreed: set[str] = field(default_factory=set)
    wrong: dict[str, tuple[str, str]] = field(default_factory=dict)

    def refusal(self, one: Offered) -> str | None:
        """Why an object is refused, if it is still the one that was."""
        e_tag, reason = self.wrong.get(one.key, ("", ""))
        return reason if reason and e_tag == one.e_tag else None

    def refuse(self, one: Offered, reason: str) -> None:
        """Take an object no more, while it stays what it is."""
        self.wrong[one.key] = (one.e_tag, reason)


class Staging:
    """The folder of one bucket. The caller holds a lock; `archive` is what `log.merge` is given.

    Raises:
        ArchiveWriteError: it cannot be made.
    """

    def __init__(self, log: EventLog, bucket: Bucket) -> None:
        place = hashlib.sha256(f"{bucket.endpoint}\0{bucket.url}".encode()).hexdigest()[:16]
        self._log = log
        self._folder = log.root / "cache" / f"device={log.device()}" / "bucket" / place
        self.archive = self._folder / "archive"
        create_archive(self.archive, utc_now(), lens="default")
        for torn in self.archive.rglob(f".*{TORN}"):
            torn.unlink(missing_ok=True)

    def notes(self) -> dict[str, Settled]:
        """What was written down, by device; nothing where that makes no sense."""
        try:
            return dict(_settled(json.loads((self._folder / NOTES).read_text("utf-8"))))
        except (OSError, ValueError, TypeError, AttributeError, KeyError, RecursionError):
            return {}

    def note(self, settled: dict[str, Settled]) -> None:
        """Write it down."""
        found = {
            device: {"reach": one.reach, "agreed": sorted(one.agreed), "wrong": one.wrong}
            for device, one in sorted(settled.items())
        }
        try:
            write_atomically(self._folder / NOTES, json.dumps(found).encode())
        except OSError as error:
            raise unwritable(self._folder / NOTES, error) from error

    def put_aside(self, file: Path, one: Offered, proof: str) -> None:
        """Move a file that is not the object it says to quarantine, beside the other sides of forks.

        It is called what it said it was, and what its bytes prove: the same is kept once, and nothing takes
        it for a segment.

        Raises:
            LogWriteError: the folder leads out of the archive, or our disk refuses.
        """
        folder = self._log.root / QUARANTINE / f"device={one.device}"
        place(self._log.root, file, folder / f"{one.name}.{proof}{WRONG}")

    def path(self, one: Offered) -> Path:
        """Where an object is, or will be when it was fetched."""
        return self.archive / one.path

    def holds(self, one: Offered) -> bool:
        """Whether an object was fetched, whole."""
        return self.path(one).is_file()

    def link(self, segments: Iterable[Segment]) -> None:
        """Let segments of ours be there, too, so that what follows on them counts there."""
        for segment in segments:
            target = self.archive / segment.path
            try:
                if not target.exists():
                    make_folder(target.parent)
                    _same(self._log.path(segment), target)
            except OSError as error:
                raise unwritable(target, error) from error

    def clear(self, keep: Collection[Offered]) -> None:
        """Remove all but what was fetched and could not be merged yet."""
        kept = {self.path(one) for one in keep}
        for path in self.archive.glob("log/device=*/month=*/*"):
            if path not in kept:
                path.unlink(missing_ok=True)

    def drop(self, one: Offered) -> None:
        """Put an object aside that is refused, if it was fetched. Raises LogWriteError."""
        path = self.path(one)
        if path.is_file():
            self.put_aside(path, one, one.name.proof)


def _same(source: Path, target: Path) -> None:
    """A second name for a file, or a copy where the disk knows no second names."""
    try:
        target.hardlink_to(source.resolve())
    except OSError:
        shutil.copyfile(source, target)


def _settled(found: dict[str, dict[str, object]]) -> Iterator[tuple[str, Settled]]:
    for device, noted in found.items():
        match noted:
            case {"reach": int(reach), "agreed": list(agreed), "wrong": dict(wrong)}:
                yield (
                    device,
                    Settled(
                        reach=reach,
                        agreed=set(map(str, agreed)),
                        wrong={str(key): (str(one[0]), str(one[1])) for key, one in wrong.items()},
                    ),
                )
