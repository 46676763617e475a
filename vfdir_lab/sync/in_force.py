"""The transaction in force: the one whose `with` body is running, for what wishes without naming it.

Owns: `TransactionInForce`, a transaction that is known while it is entered, and `assign`, by which an
attribute of an object makes a wish of it.
Guarantees: a transaction is in force for the task or thread that entered it, and for its own archive; of
nested ones, the innermost. What shows already is no wish, so that a loop may assign to every object.
Leaves to others: what may be wished (`intents`).
Checked by: `tests/objects/test_assign.py`.
"""

from __future__ import annotations

from contextvars import ContextVar
from types import TracebackType
from typing import Any, Self

from vfdir_lab.errors import UsageError
from vfdir_lab.log import EventLog
from vfdir_lab.sync.draft import MARK
from vfdir_lab.sync.transaction import Transaction

_ENTERED: ContextVar[tuple[TransactionInForce, ...]] = ContextVar("transactions in force", default=())


class TransactionInForce(Transaction):
    """A `Transaction` that is in force while its body runs."""

    def __enter__(self) -> Self:
        super().__enter__()
        _ENTERED.set((*_ENTERED.get(), self))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _ENTERED.set(tuple(one for one in _ENTERED.get() if one is not self))
        super().__exit__(kind, error, trace)

    def is_of(self, log: EventLog) -> bool:
        """Whether it is recorded in that log."""
        return self._ground.log is log

    def assign(self, object_id: str, field: str, value: Any) -> None:
        """Wish that a field be this value; of metadata, that there be these keys and no others.

        Raises:
            UsageError: the field cannot be wished for, or the object is not there any more.
        """
        visible, _ = self._open
        if object_id.partition(":")[0] in {"block", "channel"}:
            shown = visible.item(object_id).fields
            if field == "metadata":
                value = _changed(shown[field], value)
            if field in shown and (value == {} if field == "metadata" else _same(value, shown[field])):
                return
        self.edit(object_id, **{field: value})


def _same(value: object, shown: object) -> bool:
    """Whether two texts are one; none is the empty one."""
    return (value or None) == (shown or None)


def _changed(held: dict[str, Any], wanted: Any) -> Any:
    """The change that makes metadata what is wanted; the mark of what was made here stays."""
    if wanted is not None and not isinstance(wanted, dict):
        return wanted
    kept = {key: value for key, value in (wanted or {}).items() if key not in held or held[key] != value}
    return kept | {key: None for key in held if key not in (wanted or {}) and key != MARK}


def assign(log: EventLog, object_id: str, field: str, value: object) -> None:
    """Wish for another value of a field, in the transaction in force.

    Raises:
        UsageError: none is, or the wish makes no sense.
    """
    entered = [one for one in _ENTERED.get() if one.is_of(log)]
    if not entered:
        raise UsageError(
            f"{object_id} is changed by wishing: assign {field} inside `with archive.transaction():`, and "
            "`push` sends it"
        )
    entered[-1].assign(object_id, field, value)
