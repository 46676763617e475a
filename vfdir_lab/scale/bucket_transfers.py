"""Transfers that go on at the same time, told one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import TypeVar

from vfdir_lab.log.merge import Progress

TOGETHER = 8
"""So many objects are under way at a time."""

T = TypeVar("T")
R = TypeVar("R")


class Transfers:
    """Counts over a whole exchange; `progress(done, all)` is called in the thread that asks."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._done = 0

    def each(self, items: Sequence[T], work: Callable[[T], R]) -> Iterator[tuple[T, R]]:
        """What `work` gives for each item, as it comes.

        The first that raises ends it: what is under way is waited for, what has not begun is left. An
        interrupt waits for nothing; what is under way then must do no harm when it ends, or never does.
        """
        planned, stop = self._done + len(items), Event()
        told: SimpleQueue[tuple[T, R | BaseException]] = SimpleQueue()
        left: SimpleQueue[T] = SimpleQueue()
        for one in items:
            left.put(one)

        workers = [
            Thread(target=_work_off, args=(left, work, told, stop), daemon=True)
            for _ in range(min(TOGETHER, len(items)))
        ]
        for worker in workers:
            worker.start()
        try:
            for _ in items:
                item, result = told.get()
                if isinstance(result, BaseException):
                    raise result
                self._done += 1
                self._progress(self._done, planned)
                yield item, result
        except KeyboardInterrupt:
            workers.clear()
            raise
        finally:
            stop.set()
            for worker in workers:
                worker.join()


def _work_off(
    left: SimpleQueue[T],
    work: Callable[[T], R],
    told: SimpleQueue[tuple[T, R | BaseException]],
    stop: Event,
) -> None:
    """Take what is left, one by one, and tell what came of it."""
    with suppress(Empty):
        while not stop.is_set():
            item = left.get_nowait()
            try:
                told.put((item, work(item)))
            except BaseException as error:  # noqa: BLE001 - raised in the thread that asks
                told.put((item, error))
