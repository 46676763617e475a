"""What was committed, undone and redone, and what each undo cancelled: read from the log alone.

Owns: which transaction is the next to undo, which undo the next to redo.
Guarantees: needs no memory beside the log. A transaction is undone while the newest undo of it is in force.
Leaves to others: the states of wishes (`outbox`), what an undo does (`undo`).
Checked by: `tests/sync/test_undo.py`, `test_undo_laws.py`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from vfdir_lab.event import Event
from vfdir_lab.log import Head
from vfdir_lab.log.segment import events_of
from vfdir_lab.projection.engine import Engine, read_sql
from vfdir_lab.sync.mirror import SQL


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """A transaction as it was first committed; `device` is the one that sends it now.

    `undoes` and `redoes` are transactions: what an undo takes back, and the undo that a redo takes back.
    """

    tx: str
    label: str
    device: str
    undoes: str | None
    redoes: str | None

    @property
    def takes_back(self) -> str | None:
        """What this transaction is the opposite of."""
        return self.undoes or self.redoes


class Commits:
    """The transactions of a log, oldest first. `cancelled`: the intents that an undo or redo cancelled."""

    def __init__(self, events: Iterable[Event]) -> None:
        self._all: dict[str, Commit] = {}
        self.cancelled: defaultdict[str, list[str]] = defaultdict(list)
        for event in events:
            fields = event.fields
            if event.kind == "tx.cancelled" and event.cause not in {None, event.object_id}:
                self.cancelled[str(event.cause)].append(str(fields.get("intent")))
            elif event.kind == "tx.committed":
                first = self._all.get(event.object_id)
                self._all[event.object_id] = Commit(
                    tx=event.object_id,
                    label=first.label if first else str(fields.get("label") or ""),
                    device=event.device,
                    undoes=first.undoes if first else _text(fields.get("undoes")),
                    redoes=first.redoes if first else _text(fields.get("redoes")),
                )

    @classmethod
    def read(cls, engine: Engine, head: Head) -> Commits:
        """Those of the log as far as `head`."""
        return cls(events_of(engine.facts(read_sql(SQL, "commits"), {}, head=head)))

    def get(self, tx: str) -> Commit | None:
        """A transaction, or None: there is none of that id."""
        return self._all.get(tx)

    def to_undo(self, device: str) -> list[Commit]:
        """The transactions of a device that are in force, and are no undo, oldest first."""
        return self._stacks(device)[0]

    def to_redo(self, device: str) -> list[Commit]:
        """The undos of a device that nothing was committed after but undos and redos, oldest first."""
        return self._stacks(device)[1]

    def is_taken_back(self, tx: str) -> bool:
        """Whether a transaction was undone, and that not redone since."""
        later = list(self._all.values())
        opposites = 0
        while found := [place for place, one in enumerate(later) if one.takes_back == tx]:
            tx, later = later[found[-1]].tx, later[found[-1] + 1 :]
            opposites += 1
        return opposites % 2 == 1

    def _stacks(self, device: str) -> tuple[list[Commit], list[Commit]]:
        done: list[Commit] = []
        undone: list[Commit] = []
        for one in (one for one in self._all.values() if one.device == device):
            if one.undoes is not None:
                done = [other for other in done if other.tx != one.undoes]
                undone.append(one)
            else:
                undone = [other for other in undone if other.tx != one.redoes] if one.redoes else []
                done.append(one)
        return done, undone


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
