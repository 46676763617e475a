"""Answers in a thread of their own, to the newest question only: what was asked before it is passed over.

Owns: `Newest`.
Guarantees: one question at a time; an answer that is not wanted any more is not shown; `want` returns at
once, from any thread.
Leaves to others: what is read, and how it is shown.
Checked by: `tests/notebook/test_time_machine.py`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

Question = TypeVar("Question")
Answer = TypeVar("Answer")

QUIET_SECONDS = 0.15
"""Nothing is read before a hand has rested so long."""


class Newest(Generic[Question, Answer]):
    """Calls `show(question, read(question))` for the newest question, in a thread that ends when idle."""

    def __init__(self, read: Callable[[Question], Answer], show: Callable[[Question, Answer], None]) -> None:
        self._read = read
        self._show = show
        self._lock = threading.Lock()
        self._wanted: list[Question] = []
        self._asked = 0
        self._thread: threading.Thread | None = None

    def want(self, question: Question) -> None:
        """Ask; what was asked before and not answered yet is forgotten."""
        with self._lock:
            self._wanted = [question]
            self._asked += 1
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="vfdir-newest", daemon=True)
                self._thread.start()

    def join(self, timeout_seconds: float | None = None) -> bool:
        """Wait until there is nothing left to answer; whether that came to be."""
        thread = self._thread
        if thread is not None:
            thread.join(timeout_seconds)
        return self._thread is None

    def _run(self) -> None:
        try:
            while (taken := self._take()) is not None:
                question, number = taken
                answer = self._read(question)
                if number == self._asked:
                    self._show(question, answer)
        except BaseException:
            with self._lock:
                self._thread = None
            raise

    def _take(self) -> tuple[Question, int] | None:
        """The newest question, once nothing newer came for a while; None: there is none, the thread ends."""
        while True:
            number = self._asked
            time.sleep(QUIET_SECONDS)
            with self._lock:
                if number != self._asked:
                    continue
                if not self._wanted:
                    self._thread = None
                    return None
                return self._wanted.pop(), number
