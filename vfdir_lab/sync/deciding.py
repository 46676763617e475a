"""What a person decides about wishes: to withdraw one, to try again, which of two things is meant.

Owns: which decision is possible in which state. Each is an event; nothing is taken back that are.na may have.
Guarantees: checked and recorded under one lock, so a push that runs meanwhile and a decision never cross.
Checked by: `tests/sync/test_deciding.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from vfdir_lab.errors import EventError, UsageError
from vfdir_lab.event import Draft, remote_number, subject
from vfdir_lab.sync.outbox import Intent, Outbox, Transaction
from vfdir_lab.sync.plan import UNANSWERED
from vfdir_lab.sync.sending import MADE, answer, bound

_STILL_OURS = frozenset({"committed", "sent", "unknown", "rejected"})
"""The states in which a wish can be withdrawn: of the others, are.na has it, or it has ended."""


class Decider:
    """Records a person's decisions about the wishes in one outbox."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox

    def cancel(self, tx: str, *, about: str | None = None, reason: str = "withdrawn") -> int:
        """Withdraw the wishes of a transaction that are.na has not accepted; with `about`, of one object.

        So the value that are.na shows is seen again. Of a wish that may have reached are.na nobody knows
        whether it did: the next pull shows it. Returns how many were withdrawn.

        Raises:
            UsageError: there is no such transaction, or nothing of it can be withdrawn any more.
        """
        return self._decide(
            tx, about, _STILL_OURS, lambda one: [answer(one, "tx.cancelled", {"reason": reason})]
        )

    def retry(self, tx: str) -> int:
        """Let the refused wishes of a transaction go out again. Returns how many.

        Raises:
            UsageError: there is no such transaction, or nothing of it was refused.
        """
        again = {"reason": "to be tried again"}
        refused = frozenset({"rejected"})
        return self._decide(tx, None, refused, lambda one: [answer(one, "tx.requeued", again)])

    def resolve(self, tx: str, found: str | None) -> int:
        """Say what became of wishes whose answer never came: they made `found`, or (None) they were not done.

        Raises:
            UsageError: there is no such transaction, no such wish in it, or `found` cannot be what it made.
        """
        unknown = frozenset({"sent", "unknown"})
        if found is None:
            again = {"reason": "not done, says the person"}
            return self._decide(tx, None, unknown, lambda one: [answer(one, "tx.requeued", again)])
        space = _space(found)

        def take(one: Intent) -> list[Draft]:
            return [answer(one, "tx.accepted", {"found": [found]}), bound(one, one.object_id, found)]

        transaction = self._transaction(tx)
        fitting = [one for one in transaction.intents if one.state in unknown and MADE.get(one.kind) == space]
        if len(fitting) != 1:
            raise UsageError(
                f"{tx} has {len(fitting)} wishes for a {space} without an answer: {found} can only be "
                "what a single one has made"
            )
        return self._decide(tx, fitting[0].object_id, unknown, take)

    def adopt(self, device: str) -> int:
        """Take over the wishes of a device that is gone: this one sends them. Returns how many transactions.

        What that device did last may not have come here: whatever it could have sent is looked up first.

        Raises:
            UsageError: it is this device, or it has no open wishes here.
        """
        taken = 0

        def build(own: str) -> list[Draft]:
            nonlocal taken
            if device == own:
                raise UsageError(f"{device} is this device: its wishes are its own to push")
            found = [one for one in self._outbox.transactions() if one.device == device and _is_open(one)]
            taken = len(found)
            return [draft for one in found for draft in _adopted(one, device)]

        self._outbox.record(build)
        if not taken:
            others = sorted({one.device for one in self._outbox.transactions() if _is_open(one)})
            raise UsageError(
                f"{device!r} has no open wishes here; open wishes are of {', '.join(others) or 'no device'}"
            )
        return taken

    def _transaction(self, tx: str) -> Transaction:
        found = next((one for one in self._outbox.transactions() if one.tx == tx), None)
        if found is None:
            raise UsageError(f"there is no transaction {tx!r}; `vfdir-lab outbox` lists them")
        return found

    def _decide(
        self, tx: str, about: str | None, states: frozenset[str], say: Callable[[Intent], Sequence[Draft]]
    ) -> int:
        chosen: list[Intent] = []

        def build(device: str) -> list[Draft]:
            transaction = self._transaction(tx)
            if transaction.device != device:
                raise UsageError(
                    f"{tx} is for {transaction.device} to send: decide there, or `vfdir-lab outbox adopt "
                    f"{transaction.device}` if that device is gone"
                )
            named = None if about is None else self._outbox.canonical(about)
            chosen.extend(
                one
                for one in transaction.intents
                if one.state in states and named in {None, self._outbox.canonical(one.object_id)}
            )
            if not chosen:
                raise UsageError(_nothing(transaction, about, states))
            return [draft for one in chosen for draft in say(one)]

        self._outbox.record(build)
        return len(chosen)


def _is_open(transaction: Transaction) -> bool:
    return any(one.is_open for one in transaction.intents)


def _adopted(transaction: Transaction, device: str) -> list[Draft]:
    payload = {
        "label": transaction.label,
        "intents": [one.intent for one in transaction.intents],
        "adopts": device,
    }
    kept = {"undoes": transaction.undoes, "redoes": transaction.redoes}
    payload |= {name: value for name, value in kept.items() if value is not None}
    doubt = {"reason": f"taken over from {device}, which may have sent it"}
    return [
        Draft(kind="tx.committed", object_id=transaction.tx, payload=payload, cause=transaction.tx),
        *(answer(one, "tx.unknown", doubt) for one in transaction.intents if one.state in UNANSWERED),
    ]


def _nothing(transaction: Transaction, about: str | None, states: frozenset[str]) -> str:
    """Why a decision is not possible."""
    what = f"nothing about {about} in {transaction.tx}" if about else f"nothing in {transaction.tx}"
    way = "; undo it instead" if transaction.state in {"accepted", "settled"} else ""
    return f"{what} is {' or '.join(sorted(states))}: it is {transaction.state}{way}"


def _space(found: str) -> str:
    try:
        space = subject(found)
    except EventError as error:
        raise UsageError(str(error)) from error
    if remote_number(found) is None:
        raise UsageError(f"{found} is not an id of are.na's: give one like block:123")
    return space
