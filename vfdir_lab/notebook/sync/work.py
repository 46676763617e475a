"""One thread that works, while the kernel stays free: jobs in order, paused and stopped by whoever asks.

Owns: `Worker`, and the safe points at which a job pauses or ends. A job passes one at every page, wish and
wait, never in the middle of an append, so that what it recorded is whole.
Guarantees: asking to pause or stop returns at once, from any thread; a job that sleeps wakes up for it. A
request under way is waited for, since only its answer tells what it did. A file at `stop_file` ends the job
too: where a busy kernel cannot take a click, a terminal can make that file.
Leaves to others: what a job does, and what is said of it (`desk`).
Checked by: `tests/notebook/test_work.py`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue

_LOOK_SECONDS = 0.2
"""How often a sleeping or paused job looks whether it should go on."""

Job = Callable[[], None]


class StoppedError(Exception):
    """A job was asked to end, and does, at a safe point."""


class Worker:
    """Runs jobs one after another in a thread of its own, which ends when there is nothing left to do."""

    def __init__(self, name: str, stop_file: Path, *, on_change: Callable[[], None]) -> None:
        self._name = name
        self._stop_file = stop_file
        self._on_change = on_change
        self._jobs: SimpleQueue[Job] = SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._go_on = threading.Event()
        self._go_on.set()
        self._stop = threading.Event()
        self._resting = False

    @property
    def is_busy(self) -> bool:
        """Whether a job is running or waiting for its turn."""
        return self._thread is not None

    @property
    def is_paused(self) -> bool:
        """Whether the job pauses, or will at its next safe point."""
        return not self._go_on.is_set()

    @property
    def is_resting(self) -> bool:
        """Whether the job has come to a safe point and rests there."""
        return self._resting

    @property
    def is_stopping(self) -> bool:
        """Whether the job ends at its next safe point."""
        return self._stop.is_set()

    def submit(self, job: Job) -> None:
        """Run `job` when those before it are done. What it raises is its own affair to catch."""
        with self._lock:
            self._jobs.put(job)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()

    def pause(self) -> None:
        """Let the job (or the one whose turn comes) rest at its next safe point, until `resume` or `stop`."""
        with self._lock:
            if self.is_busy:
                self._go_on.clear()

    def resume(self) -> None:
        """Let a paused job go on."""
        self._go_on.set()

    def stop(self) -> None:
        """End the job at its next safe point, and forget those that wait."""
        with self._lock:
            if self._thread is None:
                return
            while not self._jobs.empty():
                self._jobs.get()
            self._stop.set()
        self._go_on.set()

    def join(self, timeout_seconds: float | None = None) -> bool:
        """Wait until there is nothing left to do; whether that came to be."""
        thread = self._thread
        if thread is not None:
            thread.join(timeout_seconds)
        return self._thread is None

    def safe_point(self) -> None:
        """Where a job can pause or end; it calls this itself, often.

        Raises:
            StoppedError: it was asked to end.
        """
        try:
            while True:
                if self._stop.is_set() or self._is_stopped_by_file():
                    raise StoppedError
                if not self._go_on.is_set() and not self._resting:
                    self._resting = True
                    self._on_change()
                if self._go_on.wait(_LOOK_SECONDS):
                    return
        finally:
            self._resting = False

    def sleep(self, seconds: float) -> None:
        """Sleep as a job: a pause or an end is noticed meanwhile. Raises as `safe_point`."""
        end = time.monotonic() + seconds
        while True:
            self.safe_point()
            left = end - time.monotonic()
            if left <= 0:
                return
            self._stop.wait(min(left, _LOOK_SECONDS))

    def _is_stopped_by_file(self) -> bool:
        if not self._stop_file.exists():
            return False
        self._stop.set()
        with suppress(OSError):
            self._stop_file.unlink()
        return True

    def _run(self) -> None:
        while True:
            with self._lock:
                # Who asked for an end meant the jobs of then; what was submitted since is to run.
                self._stop.clear()
                if self._jobs.empty():
                    self._go_on.set()
                    self._thread = None
                    break
                job = self._jobs.get()
            with suppress(StoppedError):
                job()
        self._on_change()
