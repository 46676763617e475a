"""A push that sends nothing: the requests it would send, put together by the code that sends them.

What only are.na can say beforehand (a position in a channel, where a file is put) is named instead.
Checked by: `tests/sync/test_rehearsal.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from vfdir_lab.arena import NotSent
from vfdir_lab.arena.writes import Writes
from vfdir_lab.errors import BudgetReachedError, UsageError
from vfdir_lab.sync.outbox import Intent, Outbox
from vfdir_lab.sync.plan import Job, plan
from vfdir_lab.sync.push_report import Planned, PushPlan
from vfdir_lab.sync.requests import Asked, request

if TYPE_CHECKING:
    from vfdir_lab.arena import Sent, Wire

_NEVER = datetime.min.replace(tzinfo=UTC)
_ANY_POSITION = 1
_PLACING = frozenset({"connection.made", "connection.moved"})


class _Notebook(Writes):
    """Takes down what would be sent."""

    def __init__(self) -> None:
        self.asked = ""
        self.body: dict[str, object] | None = None

    def _write(
        self,
        method: str,
        path: str,
        body: Mapping[str, object] | None,
        _read: Callable[[Any], Wire] | None,
    ) -> Sent:
        self.asked = f"{method} {path}"
        self.body = None if body is None else dict(body)
        error = BudgetReachedError("a rehearsal sends nothing")
        return NotSent(asked=self.asked, begun_at=_NEVER, got_at=_NEVER, error=error)


def rehearse(outbox: Outbox, device: str) -> PushPlan:
    """What `device` would send if it pushed now, in order."""
    planned = plan(outbox, device)
    labels = {one.tx: one.label for one in outbox.transactions()}
    found: list[tuple[tuple[int, str, int], Planned]] = []
    for job in planned.jobs:
        label = labels[job.carrier.tx]
        found.append((job.carrier.events[0].order, _would_send(job, outbox, label)))
    for intent in outbox.intents(device):
        label = labels[intent.tx]
        if intent.intent in planned.waiting:
            waits = planned.waiting[intent.intent]
            found.append((intent.events[0].order, _waiting(intent, label, waits)))
        elif intent.state in {"sent", "unknown"}:
            found.append((intent.events[0].order, _waiting(intent, label, "its answer is looked up first")))
    return PushPlan(requests=tuple(one for _, one in sorted(found, key=lambda row: row[0])))


def _would_send(job: Job, outbox: Outbox, label: str) -> Planned:
    intent, notebook = job.carrier, _Notebook()
    file = intent.fields.get("file")
    value = f"(the address of {file.get('name')}, once it is uploaded)" if isinstance(file, dict) else None
    notes = _places(intent)
    try:
        request(job, outbox, Asked(value=value, positions=dict.fromkeys(notes, _ANY_POSITION)))(notebook)
    except UsageError as error:
        return Planned(tx=intent.tx, label=label, asked=intent.kind, waits=f"it cannot be sent: {error}")
    if notes and notebook.body is not None:
        _forget_positions(notebook.body)
    waits = "; ".join(notes.values())
    return Planned(tx=intent.tx, label=label, asked=notebook.asked, body=notebook.body, waits=waits)


def _forget_positions(body: dict[str, Any]) -> None:
    """Take out the positions that had to be given and that nobody has read."""
    for place in (body, *body.get("channels", ())):
        place.pop("position", None)


def _places(intent: Intent) -> dict[str, str]:
    """Of the connections whose position has to be read first, where they go."""
    return {
        event.object_id: f"its position is read first: right below {place}"
        for event, fields in intent.parts()
        if event.kind in _PLACING and isinstance(place := fields.get("place"), str) and ":" in place
    }


def _waiting(intent: Intent, label: str, waits: str) -> Planned:
    return Planned(tx=intent.tx, label=label, asked=intent.kind, waits=waits)
