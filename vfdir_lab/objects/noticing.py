"""A log that says when this process recorded something, so that objects need not look for it at each reading.

Owns: `NoticingLog`. Guarantees: `noticed` is called after each writing of this process, whoever asked for it,
when the lock is free again. Leaves to others: what other processes record, which only shows in a listing.
Checked by: `tests/objects/test_live.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from vfdir_lab.log import EventLog, Machine, Writer
from vfdir_lab.log.machine import LOCK_TIMEOUT_SECONDS


class NoticingLog(EventLog):
    """An `EventLog` that calls `noticed` after each writing."""

    def __init__(
        self, root: Path, machine: Machine, *, now: Callable[[], datetime], noticed: Callable[[], None]
    ) -> None:
        super().__init__(root, machine, now=now)
        self._noticed = noticed

    @contextmanager
    def writing(self, timeout_seconds: float = LOCK_TIMEOUT_SECONDS) -> Iterator[Writer]:
        """As `EventLog.writing`."""
        try:
            with super().writing(timeout_seconds) as writer:
                yield writer
        finally:
            self._noticed()
