"""The envelope, frozen as version 1, and the draft of an event before the log has given it a place."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from vfdir_lab.event.canonical import parse

ARENA = "arena"
"""The origin of what are.na said; every other origin is a device id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """Something to record. The log adds who records it, its place and its stamp.

    `payload` holds only the fields that changed; a field cleared at the origin is an explicit None.
    `origin` is `arena`, or None for the recording device itself. `origin_at` is when the origin says it
    became so, never invented. `cause` is why we know it: `scan:<id>`, `tx:<id>`, `import:<id>`.
    """

    kind: str
    object_id: str
    payload: dict[str, Any]
    origin: str | None = None
    origin_at: datetime | None = None
    cause: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One immutable record of the log; the columns of a segment, in their order.

    The total order of all events is (hlc, device, seq); nothing may depend on a smaller key.
    """

    device: str
    seq: int
    hlc: int
    recorded_at: datetime
    origin: str
    origin_at: datetime | None
    kind: str
    kind_version: int
    object_id: str
    cause: str | None
    payload: str

    @property
    def event_id(self) -> str:
        """`<device>:<seq>`: the name of this event everywhere and for ever."""
        return f"{self.device}:{self.seq}"

    @property
    def order(self) -> tuple[int, str, int]:
        """The key of the total order."""
        return self.hlc, self.device, self.seq

    @property
    def fields(self) -> dict[str, Any]:
        """The payload as a dictionary, read anew on each access."""
        return parse(self.payload)
