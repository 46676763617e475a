"""An archive of a few facts in a folder of its own, and wishes about them, without are.na."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from copies import Copy, Sky

from vfdir_lab.arena import Account
from vfdir_lab.event import Draft, Event
from vfdir_lab.event.event import ARENA
from vfdir_lab.log import Head
from vfdir_lab.media import MediaStore
from vfdir_lab.projection.engine import Engine
from vfdir_lab.sync.order import between
from vfdir_lab.sync.outbox import Intent, Outbox
from vfdir_lab.sync.transaction import Ground, Transaction
from vfdir_lab.sync.undo import TakenBack, redo, undo
from vfdir_lab.sync.visible import Visible

MAIN = Account(id=9, slug="ada", name="Ada", tier="free")
OVER = ("rejected", "superseded", "cancelled", "settled")
"""The states in which a wish is open no more."""


class Desk:
    """One copy of an archive, with what wishing needs."""

    def __init__(self, folder: Path, sky: Sky | None = None) -> None:
        self.copy = Copy(folder, sky or Sky())
        self.log = self.copy.log
        self.engine = Engine(self.log)
        self.ground = Ground(log=self.log, engine=self.engine, store=MediaStore(self.copy.root), account=MAIN)

    def record(self, *drafts: Draft) -> tuple[Event, ...]:
        self.copy.sky.step(0.001)
        return self.log.append(drafts)

    def observe(self, identifier: str, **fields: Any) -> None:
        """are.na shows an object."""
        kind = f"{identifier.partition(':')[0]}.observed"
        self.record(Draft(kind=kind, object_id=identifier, payload=fields, origin=ARENA))

    def vanish(self, identifier: str) -> None:
        self.record(Draft(kind=f"{identifier.partition(':')[0]}.vanished", object_id=identifier, payload={}))

    def show_channel(self, number: int, items: Sequence[str], *, title: str = "Tides") -> list[str]:
        """are.na shows a channel, read through: its items from the bottom up. Gives the connections."""
        channel = f"channel:{number}"
        connections = [f"connection:{number}{place:03}" for place in range(1, len(items) + 1)]
        ranks = between(None, None, connections)
        about = {"channel": channel, "account": "user:9"}
        seen: dict[str, dict[str, Any]] = {
            channel: {
                "id": number,
                "type": "Channel",
                "title": title,
                "slug": f"tides-{number}",
                "visibility": "closed",
            }
        }
        for item, connection in zip(items, connections, strict=True):
            if item.startswith("block:"):
                name = f"Entry {item.partition(':')[2]}"
                seen[item] = {"type": "Text", "title": name, "content": {"markdown": name}}
            seen[connection] = {"channel": channel, "item": item, "rank": ranks[connection]}
        self.record(
            Draft(kind="scan.started", object_id=f"scan:of-{number}", payload=about),
            *(
                Draft(kind=f"{one.partition(':')[0]}.observed", object_id=one, payload=fields, origin=ARENA)
                for one, fields in seen.items()
            ),
            Draft(kind="scan.finished", object_id=f"scan:of-{number}", payload=about | {"complete": True}),
        )
        return connections

    def transaction(self, label: str = "") -> Transaction:
        self.copy.sky.step(0.001)
        return Transaction(self.ground, label)

    def undo(self, tx: str | None = None, *, yes: bool = False) -> TakenBack:
        self.copy.sky.step(0.001)
        return undo(self.ground, tx, yes=yes)

    def redo(self, *, yes: bool = False) -> TakenBack:
        self.copy.sky.step(0.001)
        return redo(self.ground, yes=yes)

    def events(self, *kinds: str) -> list[Event]:
        """The events of these kinds, or all, in the total order."""
        found = [event for event in self.copy.events() if not kinds or event.kind in kinds]
        return sorted(found, key=lambda event: event.order)

    def wished(self) -> list[Event]:
        """What was wished and committed, without the facts before it."""
        facts = ("observed", "vanished", "started", "finished", "joined", "ranked")
        return [event for event in self.events() if not event.kind.endswith(facts)]

    def outbox(self) -> Outbox:
        return Outbox(self.log, self.engine)

    def visible(self) -> Visible:
        return Visible(self.engine, self.outbox())

    def intents(self, tx: str | None) -> list[Intent]:
        return [one for one in self.outbox().intents() if one.tx == tx]

    def answer(self, tx: str | None, state: str, **payload: Any) -> None:
        """are.na's answer to all of a transaction."""
        assert tx is not None
        self.record(
            *(
                Draft(kind=f"tx.{state}", object_id=tx, payload={"intent": one.intent} | payload, cause=tx)
                for one in self.intents(tx)
            )
        )

    def items(self, channel: str = "channel:1") -> list[str]:
        """The items of a channel that show, from the bottom up."""
        return items_of(self.visible(), channel)

    def open_wishes(self) -> list[tuple[str, str, Mapping[str, Any]]]:
        """The wishes that are open, folded without the outbox: kind, object and payload, oldest first."""
        state: dict[str, str] = {}
        found: list[tuple[str, str, str, dict[str, Any]]] = []
        committed: set[str] = set()
        for event in self.events():
            fields = event.fields
            intent = fields.pop("intent", None)
            if event.kind == "tx.committed":
                committed |= set(fields["intents"])
            elif event.kind.startswith("tx."):
                state[intent] = event.kind.removeprefix("tx.")
            elif intent is not None:
                found.append((intent, event.kind, event.object_id, fields))
        return [
            (kind, about, fields)
            for intent, kind, about, fields in found
            if intent in committed and state.get(intent) not in OVER
        ]

    def head(self) -> Head:
        return self.copy.opened().coverage().head


def items_of(visible: Visible, channel: str = "channel:1") -> list[str]:
    """The items of a channel that show, from the bottom up."""
    row = visible.row(channel)
    return [str(row.items[connection]) for connection in ordered(row)]


def ordered(row: Any) -> list[Any]:
    """The connections of a row from the bottom up, found by asking what stands above what."""
    below = {row.above(connection): connection for connection in row.items}
    found: list[Any] = []
    place = "top"
    while place in below:
        place = below[place]
        found.insert(0, place)
    return found
