"""The mirror of one channel in memory: what are.na last showed of it, folded from the log.

The difference of each page is taken against it, under the append lock, after it has caught up with whatever
other processes and devices recorded meanwhile. Same rule as the projections: per field the newest event in
the total order, whatever order events arrive in.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from vfdir_lab.event import Event
from vfdir_lab.log import EventLog, Head
from vfdir_lab.log.segment import events_of
from vfdir_lab.projection.engine import Engine, read_sql
from vfdir_lab.sync.normalise import Fields

SQL = files("vfdir_lab.sync") / "sql"

Order = tuple[int, str, int]
_BEFORE_ALL: Order = (0, "", 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class PastScan:
    """A finished scan of the channel: its place in the order, who read, and what the scan recorded."""

    scan: str
    order: Order
    device: str
    payload: Fields


class Known:
    """The ids of all objects the log says anything about, so that new ones need not be looked for in it.

    Shared by the mirrors of a run, which add what they take in.
    """

    def __init__(self, log: EventLog, engine: Engine) -> None:
        self._log = log
        self._head = log.coverage().head
        table = engine.facts(read_sql(SQL, "object_ids"), {}, head=self._head)
        self.objects: set[str] = set(table.column("object_id").to_pylist())

    def refresh(self) -> None:
        """Take in what was recorded since, by whomever."""
        head = self._log.coverage().head
        if head != self._head:
            self.objects.update(event.object_id for event in self._log.events_after(self._head))
            self._head = head


class Mirror:
    """What is known of `channel` (an object id) and of the objects in it.

    With `alone`, of that one object, which then may be any, and of those it is made to `meet`.
    """

    def __init__(
        self, log: EventLog, engine: Engine, channel: str, known: Known, *, alone: bool = False
    ) -> None:
        # The head comes first: what another process records from here on, `catch_up` reads.
        self.head = log.coverage().head
        known.refresh()
        self._known = known
        self._log = log
        self._engine = engine
        self.channel = channel
        self._fields: dict[str, dict[str, tuple[Order, Any]]] = {}
        self._presence: dict[str, tuple[Order, bool]] = {}
        self._ranks: dict[tuple[str, str], tuple[Order, str]] = {}
        self._first_seen: dict[str, Order] = {}
        self._asked: set[str] = set()
        self._accounts: dict[str, str] = {}
        self._sightings: dict[str, set[str]] = {}
        self._lost: dict[str, Order] = {}
        self._proven: dict[str, tuple[str, int]] = {}
        self._accepted: dict[str, int] = {}
        self._readers: set[str] = set()
        self._newest_start: dict[str, tuple[Order, str]] = {}
        self.connections: set[str] = set()
        self.comments: dict[str, set[str]] = {}
        self.scans: list[PastScan] = []
        if alone:
            self.meet([channel])
        else:
            self._take("channel_events", {"channel": channel})

    def _take(self, query: str, parameters: dict[str, object]) -> None:
        table = self._engine.facts(read_sql(SQL, query), parameters, head=self.head)
        for event in events_of(table):
            self.apply(event)

    def meet(self, objects: Iterable[str]) -> None:
        """Make sure that everything known of these objects is here (a block may be known from elsewhere)."""
        recorded = self._known.objects
        unmet = {one for one in objects if one in recorded} - self._fields.keys() - self._asked
        self._asked |= unmet
        if unmet:
            self._take("object_events", {"objects": sorted(unmet)})

    def catch_up(self) -> None:
        """Take in what was recorded since, by this process or any other."""
        head = self._log.coverage().head
        if head != self.head:
            for event in self._log.events_after(self.head):
                self.apply(event)
            self.head = head

    def take_own(self, events: Sequence[Event], payloads: Sequence[Fields]) -> None:
        """Take in what this process has just appended, under the lock it caught up under.

        `payloads` are those of the last events, as they were drafted: reading them back costs more than all
        the rest of recording a page.
        """
        for event, fields in zip(events[len(events) - len(payloads) :], payloads, strict=True):
            self.apply(event, dict(fields))
        if events:
            self.head = Head({**self.head, events[-1].device: events[-1].seq})

    def apply(self, event: Event, fields: Fields | None = None) -> None:
        """Take in one event; events of kinds that say nothing about the mirror pass by.

        `fields` is its payload, where that is at hand already; it may be changed.
        """
        self._known.objects.add(event.object_id)
        space, _, verb = event.kind.partition(".")
        if verb in {"observed", "vanished"} and (event.cause or "").startswith("tx:"):
            self._proven[event.object_id] = (event.device, event.seq)
        if event.kind == "tx.accepted":
            self._accepted[event.device] = event.seq
        if event.kind in {"scan.started", "scan.finished"}:
            self._apply_scan(event, event.fields if fields is None else fields)
        elif verb == "observed":
            self._observe(event, space, event.fields if fields is None else fields)
        elif verb == "vanished":
            self._set_presence(event, present=False)
        elif event.kind == "connection.ranked":
            self._rank(event, event.fields.get("rank"))
        elif event.kind == "object.access_lost":
            self._lost[event.object_id] = max(event.order, self._lost.get(event.object_id, _BEFORE_ALL))

    def _observe(self, event: Event, space: str, fields: Fields) -> None:
        identifier, order = event.object_id, event.order
        if space == "connection":
            self._rank(event, fields.pop("rank", None))
            if fields.get("channel") == self.channel:
                self.connections.add(identifier)
            if event.cause in self._accounts:
                self._sightings.setdefault(identifier, set()).add(self._accounts[event.cause])
        if identifier == self.channel and event.cause in self._accounts:
            self._readers.add(self._accounts[event.cause])
        if space == "comment":
            self.comments.setdefault(str(fields.get("block")), set()).add(identifier)
        known = self._fields.get(identifier)
        if known is None:
            self._fields[identifier] = {key: (order, value) for key, value in fields.items()}
        else:
            for key, value in fields.items():
                if key not in known or known[key][0] < order:
                    known[key] = (order, value)
        self._first_seen[identifier] = min(order, self._first_seen.get(identifier, order))
        self._set_presence(event, present=True)

    def _set_presence(self, event: Event, *, present: bool) -> None:
        if self._presence.get(event.object_id, (_BEFORE_ALL, False))[0] < event.order:
            self._presence[event.object_id] = (event.order, present)

    def _rank(self, event: Event, rank: object) -> None:
        key = (event.object_id, event.device)
        if isinstance(rank, str) and self._ranks.get(key, (_BEFORE_ALL, ""))[0] < event.order:
            self._ranks[key] = (event.order, rank)

    def _apply_scan(self, event: Event, fields: Fields) -> None:
        if fields.get("channel") != self.channel:
            return
        account = self._accounts[event.object_id] = str(fields.get("account"))
        if event.kind == "scan.started":
            newest = (event.order, event.object_id)
            self._newest_start[account] = max(newest, self._newest_start.get(account, newest))
        if event.kind == "scan.finished":
            scan = PastScan(scan=event.object_id, order=event.order, device=event.device, payload=fields)
            self.scans.append(scan)
            self.scans.sort(key=lambda scan: scan.order)

    def fields(self, identifier: str) -> Fields | None:
        """The newest value of each field, or None for what was never seen or is gone."""
        if not self.present(identifier):
            return None
        return self.last_fields(identifier)

    def last_fields(self, identifier: str) -> Fields:
        """The newest value of each field ever seen, also of what is gone; empty for what was never seen."""
        return {key: value for key, (_, value) in self._fields.get(identifier, {}).items()}

    def proven_since(self, identifier: str, head: Head) -> bool:
        """Whether are.na was read after `head` to see what became of a wish about this object."""
        device, seq = self._proven.get(identifier, ("", 0))
        return seq > head.seq(device)

    def accepted_since(self, head: Head) -> bool:
        """Whether are.na accepted any wish since `head`, as far as was caught up with."""
        return any(seq > head.seq(device) for device, seq in self._accepted.items())

    def present(self, identifier: str) -> bool:
        """Whether the object was seen, and not found gone since."""
        return self._presence.get(identifier, (_BEFORE_ALL, False))[1]

    def access_lost(self, identifier: str) -> bool:
        """Whether the last thing known of the object is that it may not be seen any more."""
        return (
            self._lost.get(identifier, _BEFORE_ALL) > self._presence.get(identifier, (_BEFORE_ALL, False))[0]
        )

    def live(self) -> set[str]:
        """The connections of the channel that are there."""
        return {one for one in self.connections if self.present(one)}

    def rank(self, connection: str, device: str) -> str | None:
        """The rank that `device` last gave a connection."""
        found = self._ranks.get((connection, device))
        return found[1] if found else None

    def item(self, connection: str) -> str | None:
        """The block or channel that a connection connects."""
        found = self._fields.get(connection, {}).get("item")
        return found[1] if found else None

    def live_items(self) -> set[str]:
        """The blocks and channels in the channel."""
        return {item for one in self.live() if (item := self.item(one)) is not None}

    def last_complete(self, account: str) -> PastScan | None:
        """The newest complete scan of the channel by this account."""
        found = [
            one for one in self.scans if one.payload.get("complete") and one.payload.get("account") == account
        ]
        return found[-1] if found else None

    def last_finished(self, account: str) -> PastScan | None:
        """The newest finished scan of the channel by this account, complete or not."""
        found = [one for one in self.scans if one.payload.get("account") == account]
        return found[-1] if found else None

    def read_by(self, account: str) -> bool:
        """Whether this account itself has been shown the channel."""
        return account in self._readers or any(
            one.payload.get("account") == account and "answer" not in one.payload for one in self.scans
        )

    def missed_before(self, account: str) -> bool:
        """Whether the last thing this account was told of the channel is 404."""
        last = self.last_finished(account)
        if last is None or last.payload.get("answer") != 404:
            return False
        return self._newest_start.get(account, (last.order, last.scan))[1] == last.scan

    def seen_by(self, connection: str, account: str) -> bool:
        """Whether this account itself has seen the connection, in a recorded sighting or a complete scan."""
        if account in self._sightings.get(connection, ()):
            return True
        scan = self.last_complete(account)
        if scan is None or connection in scan.payload.get("hidden", ()):
            return False
        return self._first_seen.get(connection, scan.order) < scan.order

    def others_since(self, head: Head, device: str) -> bool:
        """Whether another device observed something of this channel above `head`."""
        objects = self.connections | {self.channel} | {self.item(one) or "" for one in self.connections}
        orders = (order for one in objects for order, _ in self._fields.get(one, {}).values())
        return any(name != device and seq > head.seq(name) for _, name, seq in orders)

    def ranked(self, device: str) -> Sequence[str]:
        """The ranks in use by `device` for connections that are there, sorted."""
        found = (self.rank(one, device) for one in self.live())
        return sorted(rank for rank in found if rank is not None)
