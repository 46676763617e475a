"""Which wish goes out next.

Owns: the order of requests. Wishes about one object go in the order they were committed; a wish that names
an object born here waits until are.na has it; the deletion of a channel waits for all before it that name the
channel, and what names it afterwards waits for the deletion. What waits holds up nothing else.
Owns too: sending unsent edits of the same fields as one. The last of them carries the values, the others go
with it and get the same answer.
Guarantees: pure. Checked by: `tests/sync/test_plan.py`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from vfdir_lab.sync.normalise import Fields
from vfdir_lab.sync.outbox import Intent, Outbox

UNANSWERED = frozenset({"committed", "sent", "unknown"})
_NAMING = ("channel", "item", "block", "place")
_EDITS = frozenset({"block.edited", "channel.edited"})
_MAKING = frozenset({"drafted", "made"})
_REFUSED = {"rejected": "was refused", "cancelled": "was cancelled"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What goes out as one request: the last intent, and earlier ones whose fields it sets anew."""

    intents: tuple[Intent, ...]

    @property
    def carrier(self) -> Intent:
        """The intent whose values are sent."""
        return self.intents[-1]

    @property
    def base(self) -> Fields:
        """What are.na last showed of each field before the first of these wishes."""
        base: Fields = {}
        for one in reversed(self.intents):
            base |= one.fields.get("base") or {}
        return base


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The jobs that may go out now, and of each intent that may not, what it waits for."""

    jobs: tuple[Job, ...]
    waiting: dict[str, str]


@dataclass(slots=True)
class _Before:
    """What the wishes so far, unanswered yet, are about (`subjects`), name, and delete."""

    subjects: set[str] = field(default_factory=set)
    named: set[str] = field(default_factory=set)
    deleted: set[str] = field(default_factory=set)


def plan(outbox: Outbox, device: str, without: Collection[str] = ()) -> Plan:
    """What `device` may send now, but for the intents of `without`, which had their turn."""
    intents = outbox.intents(device)
    makers = {event.object_id: one for one in outbox.intents() for event in one.events if _makes(event.kind)}
    before = _Before()
    jobs: list[Job] = []
    waiting: dict[str, str] = {}
    taken: set[str] = set()
    for place, intent in enumerate(intents):
        if intent.state not in UNANSWERED or intent.intent in taken:
            continue
        names = {outbox.canonical(one) for one in named_by(intent)}
        reason = _waits_for(intent, names, before, outbox, makers)
        if intent.state == "committed" and reason is not None:
            waiting[intent.intent] = reason
        if intent.state == "committed" and reason is None and intent.intent not in without:
            job = Job(intents=tuple(_going_along(intent, intents[place:], outbox, without)))
            taken |= {one.intent for one in job.intents}
            jobs.append(job)
        _note(intent, names, before, outbox)
    return Plan(jobs=tuple(jobs), waiting=waiting)


def named_by(intent: Intent) -> set[str]:
    """The objects that a wish names, as it names them, itself included."""
    found = {event.object_id for event in intent.events}
    for fields in intent.payloads:
        found |= {value for name in _NAMING if isinstance(value := fields.get(name), str) and ":" in value}
    return found


def _makes(kind: str) -> bool:
    return kind.partition(".")[2] in _MAKING


def _note(intent: Intent, names: set[str], before: _Before, outbox: Outbox) -> None:
    subject = outbox.canonical(intent.object_id)
    before.subjects.add(subject)
    before.named |= names
    if intent.kind == "channel.deleted":
        before.deleted.add(subject)


def _waits_for(
    intent: Intent, names: set[str], before: _Before, outbox: Outbox, makers: dict[str, Intent]
) -> str | None:
    """What a wish has to wait for, in words, or None."""
    if (unborn := _unborn(intent, names, makers)) is not None:
        return unborn
    subject = outbox.canonical(intent.object_id)
    if subject in before.subjects:
        return f"an earlier change of {subject} has no answer yet"
    if intent.kind == "channel.deleted" and subject in before.named:
        return f"earlier changes in {subject} have no answer yet"
    if gone := sorted(names & before.deleted):
        return f"{gone[0]} is about to be deleted"
    return None


def _unborn(intent: Intent, names: set[str], makers: dict[str, Intent]) -> str | None:
    """Which object that are.na does not know yet a wish is waiting for, in words, or None."""
    own = {event.object_id for event in intent.events if _makes(event.kind)}
    for name in sorted(one for one in names - own if "~" in one):
        maker = makers.get(name)
        if maker is None:
            return f"{name} is not here yet: merge the device it was made on"
        if maker.state in _REFUSED:
            return f"{name} {_REFUSED[maker.state]}: retry that first, or cancel this"
        return f"{name} has to be on are.na first"
    return None


def _going_along(
    first: Intent, following: Sequence[Intent], outbox: Outbox, without: Collection[str]
) -> list[Intent]:
    """The wish and the later ones that set all of its fields anew, up to one that does not."""
    found = [first]
    if first.kind not in _EDITS:
        return found
    subject = outbox.canonical(first.object_id)
    for one in following[1:]:
        if one.state not in UNANSWERED or subject not in {outbox.canonical(name) for name in named_by(one)}:
            continue
        if one.kind != first.kind or one.state != "committed" or one.intent in without:
            break
        if not wished(found[-1]).keys() <= wished(one).keys() or "metadata" in wished(one):
            break
        found.append(one)
    return found


def wished(intent: Intent) -> Fields:
    """The fields that an edit sets."""
    return {key: value for key, value in intent.fields.items() if key not in {"base", "before"}}
