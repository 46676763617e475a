"""What the benchmark records: as a first pull does, a block and its connection in turns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from vfdir_lab.event import Draft
from vfdir_lab.log import EventLog, Machine

_TEXT = "The highest springs come near the equinoxes, when sun and moon both stand over the equator."
_AT = "2023-03-15T21:54:23Z"


def drafts(count: int) -> list[Draft]:
    """So many facts, half of them about blocks (600 bytes of payload), half about connections (190)."""
    return [_block(number) if number % 2 else _connection(number) for number in range(1, count + 1)]


def new_log(folder: Path) -> EventLog:
    """An empty log below `folder`, with its machine state beside it."""
    (folder / "archive").mkdir(parents=True)
    return log_at(folder)


def log_at(folder: Path) -> EventLog:
    """The log that was made below `folder`, as a process that was just started sees it."""
    root = folder / "archive"
    return EventLog(root, Machine("archive-of-the-benchmark", root, folder / "state"))


def filled_log(folder: Path, *, events: int, segments: int) -> EventLog:
    """A log of so many events in so many appends."""
    log = new_log(folder)
    batch = drafts(max(1, events // segments))
    for _ in range(segments):
        log.append(batch)
    return log


def _block(number: int) -> Draft:
    payload: dict[str, Any] = {
        "base_type": "Block",
        "comment_count": 0,
        "content": {"html": f"<p>{_TEXT}</p>", "markdown": _TEXT, "plain": _TEXT},
        "created_at": _AT,
        "description": None,
        "id": number,
        "metadata": None,
        "source": None,
        "state": "available",
        "title": f"Equinox {number}",
        "type": "Text",
        "updated_at": _AT,
        "user": {"id": 5001, "type": "User"},
        "visibility": "public",
    }
    return _observed("block", number, payload)


def _connection(number: int) -> Draft:
    payload: dict[str, Any] = {
        "channel": "channel:3000001",
        "connected_at": _AT,
        "connected_by": {"id": 5001, "type": "User"},
        "id": number,
        "item": f"block:{number - 1}",
        "metadata": None,
        "pinned": False,
        "rank": f"a{number}",
    }
    return _observed("connection", number, payload)


def _observed(space: str, number: int, payload: dict[str, Any]) -> Draft:
    return Draft(
        kind=f"{space}.observed",
        object_id=f"{space}:{number}",
        payload=payload,
        origin="arena",
        cause="scan:k3f9a2.1",
    )
