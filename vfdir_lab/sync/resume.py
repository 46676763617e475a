"""How far a scan has come, kept beside the archive so that the next run goes on there.

Disposable: it lives in `cache/`, and without it a scan begins again from its first page.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from pathlib import Path

from vfdir_lab.log.files import make_folder, write_atomically

KEPT_FOR = timedelta(hours=24)


@dataclass(slots=True, kw_only=True)
class Progress:
    """A full scan under way.

    `state` is are.na's own sign of the channel (its `updated_at` and counts) when the walk began: a walk goes
    on only while that is unchanged. `page` is the next page to read, 0 when all are read; `sequence` the
    connections seen, in order; `attempt` how often the walk began; `steady` that nothing shifted so far.
    """

    scan: str
    account: str
    state: str
    at: str
    page: int = 1
    total: int = 0
    attempt: int = 1
    requests: int = 0
    steady: bool = True
    sequence: list[str] = field(default_factory=list)


_FIELDS = tuple(one.name for one in fields(Progress))


class Resume:
    """The progress file of one channel."""

    def __init__(self, folder: Path, channel: str) -> None:
        self._path = folder / "scans" / f"{channel.replace(':', '-')}.json"

    def load(self, *, account: str, state: str, now: datetime) -> Progress | None:
        """The progress to go on from, if it is still of the same channel as are.na shows it."""
        try:
            progress = Progress(**json.loads(self._path.read_text("utf-8")))
            fresh = datetime.fromisoformat(progress.at) > now - KEPT_FOR
        except (OSError, ValueError, TypeError):
            return None
        return progress if fresh and (progress.account, progress.state) == (account, state) else None

    def save(self, progress: Progress) -> None:
        """Keep the progress, if the folder lets us; a scan goes well without."""
        with suppress(OSError):
            make_folder(self._path.parent)
            write_atomically(
                self._path, json.dumps({name: getattr(progress, name) for name in _FIELDS}).encode()
            )

    def forget(self) -> None:
        """The scan is over."""
        with suppress(OSError):
            self._path.unlink()
