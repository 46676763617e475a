"""The outbox in memory: every wish of the log, folded from its events.

Owns: the state of each intent and transaction, as decision 0013 has it, and the names of objects that were
born on a device and have one of are.na's by now.
Guarantees: the fold depends on the set of events alone, not on the order they arrive in; what a person makes
of the `outbox` projection has no say here, so that no rule of SQL can make a wish go out twice.
Leaves to others: what is sent (`plan`, `sending`), what people see (`projection/sql/outbox`).
Checked by: `tests/sync/test_outbox.py`, against the projection.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from vfdir_lab.event import Draft, Event
from vfdir_lab.log import EventLog, Head
from vfdir_lab.log.segment import events_of
from vfdir_lab.projection.engine import Engine, read_sql
from vfdir_lab.sync.mirror import SQL, Order
from vfdir_lab.sync.normalise import Fields

OPEN = frozenset({"committed", "sent", "unknown", "accepted"})
ADVANCE = ("committed", "sent", "unknown", "accepted", "rejected", "superseded", "cancelled", "settled")
"""The states, the least advanced first."""

_ANSWERS = MappingProxyType({f"tx.{state}": state for state in ADVANCE[1:]} | {"tx.requeued": "committed"})
_WISHED = frozenset(
    {
        *("block.drafted", "block.edited", "channel.drafted", "channel.edited", "channel.deleted"),
        *("connection.made", "connection.unmade", "connection.moved", "comment.drafted"),
    }
)
_REASONS = frozenset({"tx.rejected", "tx.unknown", "tx.requeued"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """One wish, which is one request.

    `events` is what was wished, as recorded, `payloads` the same without the `intent` in it. `reason` is that
    of the newest answer that gives one, `first_sent_at` and `sent_at` when it first and last went out,
    `answered_at` when its newest answer was recorded, `found` the candidates a person has to choose among.
    """

    intent: str
    tx: str
    device: str
    events: tuple[Event, ...]
    payloads: tuple[Fields, ...]
    state: str
    attempts: int = 0
    reason: str | None = None
    first_sent_at: datetime | None = None
    sent_at: datetime | None = None
    answered_at: datetime | None = None
    found: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """The kind of wish: of a drafted block, its connections go with it."""
        return self.events[0].kind

    @property
    def object_id(self) -> str:
        """What the wish is about, by the name it was wished under."""
        return self.events[0].object_id

    @property
    def fields(self) -> Fields:
        """What is wished of it."""
        return self.payloads[0]

    @property
    def is_open(self) -> bool:
        """Whether the wish has no final answer."""
        return self.state in OPEN

    def parts(self) -> Iterator[tuple[Event, Fields]]:
        """Each event with its payload."""
        return zip(self.events, self.payloads, strict=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """Intents wished together. `device` is the one that sends them, `order` the place of its first commit."""

    tx: str
    label: str
    device: str
    order: Order
    intents: tuple[Intent, ...]
    undoes: str | None = None
    redoes: str | None = None

    @property
    def state(self) -> str:
        """The least advanced state of its intents."""
        return min((one.state for one in self.intents), key=ADVANCE.index)


@dataclass(slots=True)
class _Wish:
    """An intent being folded."""

    events: dict[Order, tuple[Event, Fields]] = field(default_factory=dict)
    answers: dict[Order, tuple[Event, Fields]] = field(default_factory=dict)

    def wished(self) -> list[tuple[Event, Fields]]:
        """What was wished, a drafted block before its connections."""
        return sorted(self.events.values(), key=lambda said: (said[0].kind != "block.drafted", said[0].order))


class Outbox:
    """The wishes of a log as far as `head`; `catch_up` takes in what was recorded since."""

    def __init__(self, log: EventLog, engine: Engine) -> None:
        self._log = log
        self.head = log.coverage().head
        self._wishes: dict[tuple[str, str], _Wish] = {}
        self._commits: dict[str, dict[Order, tuple[Event, Fields]]] = {}
        self._bound: dict[str, tuple[Order, str]] = {}
        self._listed: tuple[Transaction, ...] | None = None
        for event in events_of(engine.facts(read_sql(SQL, "wish_events"), {}, head=self.head)):
            self._apply(event)

    def catch_up(self) -> None:
        """Take in what was recorded since, by this process or any other."""
        head = self._log.coverage().head
        if head != self.head:
            for event in self._log.events_after(self.head):
                self._apply(event)
            self.head = head

    def record(self, build: Callable[[str], Sequence[Draft]]) -> tuple[Event, ...]:
        """Append what `build(device)` makes of this outbox, which has caught up by then, under one lock."""
        with self._log.writing() as writer:
            self.catch_up()
            events = writer.append(build(writer.device))
        for event in events:
            self._apply(event)
        if events:
            self.head = Head({**self.head, events[-1].device: events[-1].seq})
        return events

    def canonical(self, identifier: str) -> str:
        """The name an object goes by now: are.na's, once it has one."""
        return self._bound[identifier][1] if identifier in self._bound else identifier

    def is_named(self, remote: str) -> bool:
        """Whether an object of are.na's is known to be one that was born on a device."""
        return any(name == remote for _, name in self._bound.values())

    def transactions(self) -> tuple[Transaction, ...]:
        """All of them, in the order they were committed."""
        if self._listed is None:
            of = self._transaction_of()
            found = [one for tx in self._commits if (one := self._transaction(tx, of)) is not None]
            self._listed = tuple(sorted(found, key=lambda one: one.order))
        return self._listed

    def intents(self, device: str | None = None) -> tuple[Intent, ...]:
        """All wishes in the order they were committed; with `device`, those that are for it to send."""
        return tuple(
            intent
            for transaction in self.transactions()
            if device in {None, transaction.device}
            for intent in transaction.intents
        )

    def intent(self, identifier: str) -> Intent | None:
        """One wish, by its id."""
        return next((one for one in self.intents() if one.intent == identifier), None)

    def _apply(self, event: Event) -> None:
        """Take in one event; kinds that say nothing about wishes pass by."""
        self._listed = None
        if event.kind == "object.bound":
            self._bind(event)
        elif event.kind == "tx.committed":
            self._commits.setdefault(event.object_id, {})[event.order] = (event, event.fields)
        elif event.kind in _WISHED or event.kind in _ANSWERS:
            fields = event.fields
            intent = fields.pop("intent", None)
            tx = event.object_id if event.kind in _ANSWERS else event.cause
            if isinstance(intent, str) and tx is not None:
                wish = self._wishes.setdefault((tx, intent), _Wish())
                (wish.answers if event.kind in _ANSWERS else wish.events)[event.order] = (event, fields)

    def _bind(self, event: Event) -> None:
        """The first name in the total order is the one: two that differ are the work of two devices."""
        remote = event.fields.get("remote")
        known = self._bound.get(event.object_id)
        if isinstance(remote, str) and (known is None or event.order < known[0]):
            self._bound[event.object_id] = (event.order, remote)

    def _named(self, tx: str) -> list[str]:
        """The intents that a transaction lists, and whose wishes are here."""
        _, (_, fields) = min(self._commits[tx].items())
        named = dict.fromkeys(_listed(fields.get("intents")))
        return [one for one in named if (tx, one) in self._wishes and self._wishes[tx, one].events]

    def _transaction_of(self) -> dict[str, str]:
        """The one transaction of each intent: of several, which only a forged log has, the first."""
        first: dict[str, tuple[bool, Order, str]] = {}
        for tx in self._commits:
            for one in self._named(tx):
                event, _ = self._wishes[tx, one].wished()[0]
                place = (event.kind != "block.drafted", event.order, tx)
                first[one] = min(place, first.get(one, place))
        return {one: tx for one, (_, _, tx) in first.items()}

    def _transaction(self, tx: str, of: Mapping[str, str]) -> Transaction | None:
        """A transaction, or None: none of its wishes is here."""
        commits = [said for _, said in sorted(self._commits[tx].items())]
        (first, fields), (newest, _) = commits[0], commits[-1]
        intents = [self._intent(one, tx, newest) for one in self._named(tx) if of[one] == tx]
        if not intents:
            return None
        return Transaction(
            tx=tx,
            label=str(fields.get("label") or ""),
            device=newest.device,
            order=first.order,
            intents=tuple(intents),
            undoes=_text(fields.get("undoes")),
            redoes=_text(fields.get("redoes")),
        )

    def _intent(self, intent: str, tx: str, committed: Event) -> Intent:
        wish = self._wishes[tx, intent]
        wished = wish.wished()
        answers = [said for _, said in sorted(wish.answers.items())]
        state = _ANSWERS[answers[-1][0].kind] if answers else "committed"
        sent = [event.recorded_at for event, _ in answers if event.kind == "tx.sent"]
        reasons = [_text(fields.get("reason")) for event, fields in answers if event.kind in _REASONS]
        return Intent(
            intent=intent,
            tx=tx,
            device=committed.device,
            events=tuple(event for event, _ in wished),
            payloads=tuple(fields for _, fields in wished),
            state=state,
            attempts=len(sent),
            reason=reasons[-1] if reasons else None,
            first_sent_at=sent[0] if sent else None,
            sent_at=sent[-1] if sent else None,
            answered_at=answers[-1][0].recorded_at if answers else None,
            found=_texts(answers[-1][1].get("found")) if state == "unknown" else (),
        )


def _text(value: object) -> str | None:
    """A text of a payload, which may come from anybody's device."""
    return value if isinstance(value, str) else None


def _listed(value: object) -> Iterator[str]:
    """What `wishes` finds listed: each text that stands in the JSON as it is, however deep it was forged."""
    if isinstance(value, str):
        if json.dumps(value, ensure_ascii=False) == f'"{value}"':
            yield value
    elif isinstance(value, list):
        for one in value:
            yield from _listed(one)
    elif isinstance(value, dict):
        for name, one in value.items():
            yield from _listed(name)
            yield from _listed(one)


def _texts(value: object) -> tuple[str, ...]:
    return tuple(one for one in value if isinstance(one, str)) if isinstance(value, list) else ()
