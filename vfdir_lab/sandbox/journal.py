"""The journal: which requests came, and how they were answered.

Owns a bounded list of them. Guarantees that no token is ever kept, only its kind. Leaves the writing of
answers to `doors`: an entry is there before its answer leaves, so whoever has an answer finds its request
here.
"""

from __future__ import annotations

import json
import threading
from collections import deque
from dataclasses import asdict, dataclass, field

LONGEST = 20_000


@dataclass(slots=True, kw_only=True)
class Entry:
    """One request. `status` is None until answered, and stays None if the connection was dropped.

    `token_kind` is guest, write, read, other or invalid; `body` the parsed JSON of the request, if any.
    """

    method: str
    path: str
    token_kind: str
    query: dict[str, str] = field(default_factory=dict)
    status: int | None = None
    fault: str | None = None
    body: object = None


class Journal:
    """The latest requests, oldest first."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=LONGEST)
        self._lock = threading.Lock()

    def open(self, entry: Entry, body: bytes) -> Entry:
        """Write a request down."""
        if body:
            try:
                entry.body = json.loads(body)
            except (ValueError, RecursionError):
                entry.body = None
        with self._lock:
            self._entries.append(entry)
        return entry

    def entries(self) -> list[dict[str, object]]:
        """Everything since the last clearing."""
        with self._lock:
            return [asdict(entry) for entry in self._entries]

    def clear(self) -> None:
        """Forget."""
        with self._lock:
            self._entries.clear()
