"""Recording a page: the difference against the mirror, taken and appended under one lock.

Everything a scan records goes through here, so that what two processes see at once is recorded once. What was
asked for before a push read back what it changed is older than that, and not recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from vfdir_lab.event import Draft, Event
from vfdir_lab.event.event import ARENA
from vfdir_lab.log import EventLog, Head
from vfdir_lab.sync.mirror import Mirror
from vfdir_lab.sync.normalise import Fields, Seen, SeenItem, changes, people_of

Ranks = Callable[[str], dict[str, str]]
"""Given the device that records, the ranks of the new connections of a page."""


@dataclass(slots=True, kw_only=True)
class Tally:
    """What a scan has found so far, counted by connection and item."""

    new: int = 0
    changed: int = 0
    moved: int = 0
    vanished: int = 0
    comments: int = 0


class Recorder:
    """Records what one scan sees. `opening` is its `scan.started`, appended with the first thing seen."""

    def __init__(self, log: EventLog, mirror: Mirror, *, scan: str, opening: Draft | None) -> None:
        self._log = log
        self.mirror = mirror
        self.cause = scan
        self._opening = opening
        self.tally = Tally()
        self._begun_at = self._asked_at = mirror.head

    def asking(self) -> None:
        """Take note that a page is asked for now."""
        self._asked_at = self._log.coverage().head

    @property
    def is_overtaken(self) -> bool:
        """Whether are.na accepted a wish since this scan began: what it read of the order may be older."""
        return self.mirror.accepted_since(self._begun_at)

    def begin(self) -> None:
        """Record now that the scan has started, where that alone is news: are.na shows the channel again."""
        if self._opening is not None:
            opening, self._opening = self._opening, None
            self.append(lambda _device: [opening])

    def append(self, build: Callable[[str], list[Draft]]) -> Sequence[Event]:
        """Append what `build(device)` makes of the mirror, which has caught up with the log by then."""
        with self._log.writing() as writer:
            self.mirror.catch_up()
            drafts = build(writer.device)
            if drafts and self._opening is not None:
                drafts, self._opening = [self._opening, *drafts], None
            events = writer.append(drafts)
            self.mirror.take_own(events, [draft.payload for draft in drafts])
        return events

    def items(self, items: Sequence[SeenItem], ranks: Ranks) -> Sequence[Event]:
        """Record a page of contents: the people, the blocks and channels, the connections."""
        self.mirror.meet(
            identifier
            for item in items
            for identifier in (
                item.connection.object_id,
                item.item.object_id,
                *(person.object_id for person in item.people),
            )
        )

        def build(device: str) -> list[Draft]:
            given = ranks(device)
            drafts = [self._difference(person, self._asked_at) for person in people_of(list(items))]
            for item in items:
                drafts += self._item(item, given)
            return [draft for draft in drafts if draft is not None]

        return self.append(build)

    def _item(self, item: SeenItem, ranks: dict[str, str]) -> list[Draft | None]:
        identifier = item.connection.object_id
        known = self.mirror.present(identifier)
        about = self._difference(item.item, self._asked_at)
        rank = None if known else ranks.get(identifier)
        connected = self._difference(item.connection, self._asked_at, {"rank": rank} if rank else {})
        if not known:
            self.tally.new += 1
        elif about or connected:
            self.tally.changed += 1
        return [about, connected]

    def difference(self, seen: Seen) -> Draft | None:
        """The event that records what is new about `seen`, or None."""
        return self._difference(seen, self._begun_at)

    def _difference(self, seen: Seen, asked_at: Head, ours: Fields | None = None) -> Draft | None:
        """The same of what was asked for then. `ours` are fields beside are.na's."""
        if self.mirror.proven_since(seen.object_id, asked_at):
            return None
        known = self.mirror.fields(seen.object_id)
        if known is None:
            last = self.mirror.last_fields(seen.object_id) if seen.whole else {}
            payload = {key: None for key, value in last.items() if value is not None} | seen.fields
        else:
            payload = changes(known, seen)
            if not payload and self.mirror.access_lost(seen.object_id):
                payload = {key: value for key, value in seen.fields.items() if key in {"id", "visibility"}}
        if not payload:
            return None
        timed = known is None or seen.kind != "connection.observed"
        return Draft(
            kind=seen.kind,
            object_id=seen.object_id,
            payload=payload | (ours or {}),
            origin=ARENA,
            origin_at=seen.at if timed else None,
            cause=self.cause,
        )

    def whole(self, found: tuple[Seen, Iterable[Seen]]) -> list[Draft]:
        """The events that record one object and the people in it; for use inside `append`."""
        seen, people = found[0], tuple(found[1])
        self.mirror.meet([seen.object_id, *(person.object_id for person in people)])
        drafts = [*(self.difference(person) for person in people), self.difference(seen)]
        return [draft for draft in drafts if draft is not None]

    def fact(self, kind: str, identifier: str, payload: Fields | None = None) -> Draft:
        """An event about what are.na said beyond an object's fields."""
        return Draft(kind=kind, object_id=identifier, payload=payload or {}, origin=ARENA, cause=self.cause)
