"""The catalogue of kinds: every sort of event there is, with the version of its payload.

Closed: `Draft`s of a kind that is not here cannot be recorded. Open when reading: events of unknown kinds
and versions (written by a newer vfdir_lab on another device) are kept, counted and passed over.
"""

from __future__ import annotations

from dataclasses import dataclass

from vfdir_lab.errors import EventError


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One sort of event.

    `version` is the payload version written today; `subjects` are the id spaces it may be about.
    """

    name: str
    version: int
    subjects: frozenset[str]


def _kinds(subjects: str, *names: str, version: int = 1) -> list[Kind]:
    spaces = frozenset(subjects.split())
    return [Kind(name=name, version=version, subjects=spaces) for name in names]


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in [
        *_kinds("scan", "scan.started", "scan.finished"),
        *_kinds("channel", "channel.observed", "channel.vanished"),
        *_kinds("block", "block.observed", "block.vanished"),
        *_kinds("connection", "connection.observed", "connection.vanished", "connection.ranked"),
        *_kinds("user group", "user.observed"),
        *_kinds("comment", "comment.observed", "comment.drafted"),
        *_kinds("channel block connection", "object.access_lost", version=2),
        *_kinds("block", "block.drafted", "block.edited"),
        *_kinds("channel", "channel.drafted", "channel.edited", "channel.deleted"),
        *_kinds("connection", "connection.made", "connection.unmade", "connection.moved"),
        *_kinds("tx", "tx.committed", "tx.sent", "tx.accepted", "tx.settled"),
        *_kinds("tx", "tx.rejected", "tx.unknown", "tx.requeued", "tx.cancelled", "tx.superseded"),
        *_kinds("block channel connection comment", "object.bound"),
        *_kinds("media", "media.saved"),
        *_kinds("projection", "projection.defined"),
        *_kinds("lens", "lens.set"),
        *_kinds("import", "import.started", "import.finished"),
        *_kinds("device", "device.joined"),
    ]
}


def check_kind(name: str, about: str) -> Kind:
    """The kind of this name, if it may be about an object of the space `about`.

    Raises:
        EventError: there is no such kind, or it is about something else.
    """
    kind = KINDS.get(name)
    if kind is None:
        raise EventError(f"there is no kind of event called {name!r}")
    if about not in kind.subjects:
        raise EventError(f"{name} is about a {' or '.join(sorted(kind.subjects))}, not about a {about}")
    return kind
