"""What a panel shows, as values: read from the archive, and told by the job that runs.

Checked by: `tests/notebook/test_desk.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from vfdir_lab.archive import Archive, Status
from vfdir_lab.sync.standing import standings


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelRow:
    """A channel here. `seen_at` is the newest finished look at it, `whole_at` the newest full one."""

    object_id: str
    title: str
    visibility: str
    length: int | None
    seen_at: datetime | None
    whole_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WishRow:
    """A transaction that has no end yet, or that a person has to look at. `why` it is not further."""

    tx: str
    label: str
    state: str
    attempts: int
    why: str
    is_ours: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ConflictRow:
    """A property on which an open wish and are.na disagree."""

    tx: str
    object_id: str
    field: str
    mine: str | None
    theirs: str | None
    base: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Doing:
    """What the job at work says of itself: its `name`, the channel's title, how far, what it waits for."""

    name: str = ""
    channel: str = ""
    items: int = 0
    total: int | None = None
    waiting: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelState:
    """All that a panel shows. `said` are the newest lines of what happened, oldest first."""

    channels: tuple[ChannelRow, ...] = ()
    blocks: int = 0
    wishes: tuple[WishRow, ...] = ()
    conflicts: tuple[ConflictRow, ...] = ()
    account: str = ""
    doing: Doing = field(default_factory=Doing)
    changes: dict[str, str] = field(default_factory=dict)
    said: tuple[str, ...] = ()


_CONFLICTS = "SELECT tx, object_id, field, mine, theirs, base FROM conflicts ORDER BY object_id, field"


def read_channels(status: Status) -> tuple[ChannelRow, ...]:
    """The channels that were ever read."""
    return tuple(
        ChannelRow(
            object_id=row["object_id"],
            title=row["title"] or row["slug"] or row["object_id"],
            visibility=row["visibility"] or "",
            length=row["length"],
            seen_at=row["seen_at"],
            whole_at=row["whole_at"],
        )
        for row in status.channels
    )


def read_wishes(archive: Archive) -> tuple[WishRow, ...]:
    """The transactions that are not over: those first that wait for the person."""
    own = archive.log.device()
    return tuple(
        WishRow(
            tx=one.tx,
            label=one.label or one.tx,
            state=one.state,
            attempts=one.attempts,
            why=one.why,
            is_ours=one.device == own,
        )
        for one in standings(archive.log, archive.engine)
        if one.waits_for
    )


def read_conflicts(archive: Archive) -> tuple[ConflictRow, ...]:
    """The properties in conflict."""
    return tuple(ConflictRow(**row) for row in archive.engine.arrow(_CONFLICTS).to_pylist())
