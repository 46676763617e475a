"""Where wishes stand, told for people: what has no end yet, why not, and who has to do something about it.

Owns: which transactions wait for a person, and the words for what the others wait for.
Guarantees: reads only, from the outbox in memory: what a person makes of the `outbox` projection has no say.
Leaves to others: deciding (`deciding`), sending (`push`).
Checked by: `tests/sync/test_standing.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from vfdir_lab.log import EventLog
from vfdir_lab.projection.engine import Engine
from vfdir_lab.sync.outbox import Intent, Outbox, Transaction
from vfdir_lab.sync.plan import named_by, plan

PERSON, PUSH = "you", "push"
_MAKING = (".drafted", ".made")
_NEVER_MADE = frozenset({"rejected", "cancelled"})
_LOOKED_UP = "no answer came; the next push looks it up before it sends it again"
_OVERTAKEN = "are.na shows something else: somebody wrote after it"
_ACCEPTED = "are.na took it; the next push reads it back"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where one transaction stands.

    `intents` counts its wishes, `open` those without an end, `asks` those that wait for a person here,
    `attempts` the requests sent for it. `waits_for` is `you` (a person has to decide), `push`, `device …`
    (that one sends it, and decides) or empty: it has ended. `why` says why it is not further, or ended
    otherwise than wished.
    """

    tx: str
    label: str
    device: str
    state: str
    created_at: datetime
    attempts: int
    intents: int
    open: int
    asks: int
    waits_for: str
    why: str


def standings(log: EventLog, engine: Engine) -> tuple[Standing, ...]:
    """Every transaction: first those that wait for a person, then those without an end, then the rest.

    Within each, in the order they were committed.
    """
    mark = log.machine.mark()
    own = mark.device if mark else None
    outbox = Outbox(log, engine)
    waiting = plan(outbox, own).waiting if own else {}
    makers = {
        event.object_id: one
        for one in outbox.intents()
        for event in one.events
        if event.kind.endswith(_MAKING)
    }
    found = [_standing(one, own, waiting, makers) for one in outbox.transactions()]
    return tuple(sorted(found, key=lambda one: (one.waits_for != PERSON, not one.waits_for)))


def _standing(
    transaction: Transaction, own: str | None, waiting: Mapping[str, str], makers: Mapping[str, Intent]
) -> Standing:
    intents = transaction.intents
    asking = [one for one in intents if _asks(one, makers)]
    is_open = [one for one in intents if one.is_open]
    waits_for = _waits_for(transaction.device, own, asking, is_open)
    return Standing(
        tx=transaction.tx,
        label=transaction.label,
        device=transaction.device,
        state=transaction.state,
        created_at=intents[0].events[0].recorded_at,
        attempts=sum(one.attempts for one in intents),
        intents=len(intents),
        open=len(is_open),
        asks=len(asking) if waits_for == PERSON else 0,
        waits_for=waits_for,
        why=next((why for one in [*asking, *intents] if (why := _why(one, waiting))), ""),
    )


def _waits_for(device: str, own: str | None, asking: list[Intent], is_open: list[Intent]) -> str:
    if not asking and not is_open:
        return ""
    if device != own:
        return f"device {device}"
    return PERSON if asking else PUSH


def _asks(intent: Intent, makers: Mapping[str, Intent]) -> bool:
    """Whether nothing goes on before somebody decides: refused, in doubt, or about what was never made."""
    if intent.state in {"rejected", "unknown"}:
        return intent.state == "rejected" or bool(intent.found)
    needed = [makers[name] for name in named_by(intent) if name in makers]
    return intent.state == "committed" and any(
        one.state in _NEVER_MADE for one in needed if one.intent != intent.intent
    )


def _why(intent: Intent, waiting: Mapping[str, str]) -> str:
    if intent.state == "superseded":
        return _OVERTAKEN
    if intent.state == "accepted":
        return _ACCEPTED
    if intent.state == "sent":
        return _LOOKED_UP
    if intent.state == "unknown":
        found = f": {', '.join(intent.found)}" if intent.found else ""
        return f"{intent.reason or _LOOKED_UP}{found}"
    if intent.state == "rejected":
        return intent.reason or "are.na refused it"
    return waiting.get(intent.intent) or intent.reason or "" if intent.state == "committed" else ""
