"""A round: the channels of one request, remembered until each was read.

Only a run with a budget needs one. When the budget ends, what is left is kept beside the archive, and the
next run that asks for the same goes on with it: every channel has its turn, and there is an end.
Disposable: without it a round begins again.
"""

from __future__ import annotations

import hashlib
import json
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from vfdir_lab.log.files import make_folder, write_atomically

KEPT_FOR = timedelta(hours=24)

Asked = tuple[int | str, int | str, int]
"""A channel to read: as the person named it, as are.na is asked for it, and how deep it lies."""


@dataclass(slots=True, kw_only=True)
class Round:
    """What is still to read, and the object ids of the channels that were."""

    queue: deque[Asked]
    done: set[str] = field(default_factory=set)


class Rounds:
    """Where an unfinished round is kept. `request` spells everything that makes two requests the same."""

    def __init__(self, folder: Path, request: str) -> None:
        key = hashlib.sha256(request.encode()).hexdigest()[:16]
        self._path = folder / "rounds" / f"{key}.json"

    def load(self, now: datetime) -> Round | None:
        """The unfinished round, if there is one and it is not too old."""
        try:
            kept = json.loads(self._path.read_text("utf-8"))
            fresh = datetime.fromisoformat(kept["at"]) > now - KEPT_FOR
            queue = deque((name, reference, int(depth)) for name, reference, depth in kept["queue"])
            found = Round(queue=queue, done=set(kept["done"]))
        except (OSError, ValueError, TypeError, KeyError):
            return None
        return found if fresh and found.queue else None

    def save(self, kept: Round, now: datetime) -> None:
        """Keep what is left, if the folder lets us."""
        text = json.dumps({"at": now.isoformat(), "queue": list(kept.queue), "done": sorted(kept.done)})
        with suppress(OSError):
            make_folder(self._path.parent)
            write_atomically(self._path, text.encode())

    def forget(self) -> None:
        """The round is over."""
        with suppress(OSError):
            self._path.unlink()
