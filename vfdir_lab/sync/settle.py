"""Whether a wish that are.na accepted came true: read back, by requests that begin after the answer.

Owns: which reading proves which wish. An edit is proven by the thing's own page, a deletion by its absence, a
comment by the list of comments, and what is put into a channel or moved in it by a reading of the channel,
which is an ordinary scan: a quick one where the item went on top, a full one where its place matters.
Guarantees: `tx.settled` is recorded with or after the observation that proves it. What shows something else
is `superseded`: somebody wrote after us. What cannot be read now stays accepted, and `notes` says so.
Leaves to others: reading channels (`pull`), recording (`observing`).
Checked by: `tests/sync/test_settle.py`, `test_push_faults.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

from vfdir_lab.arena import ArenaClient, Time
from vfdir_lab.errors import ArenaError, ArenaNotFoundError
from vfdir_lab.event import Draft, remote_number
from vfdir_lab.sync.came_true import TRIED, differing
from vfdir_lab.sync.looks import has_mark
from vfdir_lab.sync.mirror import Mirror
from vfdir_lab.sync.normalise import Fields, comment, whole_block, whole_channel
from vfdir_lab.sync.observing import Observation, Observer
from vfdir_lab.sync.outbox import Intent, Outbox
from vfdir_lab.sync.places import TOP, Places
from vfdir_lab.sync.requests import number_of
from vfdir_lab.sync.sending import REMOVING, answer, bound, thing

APPEARS_WITHIN = timedelta(seconds=60)
"""are.na connects a new block a moment after it answers; what is not there by then was taken out again."""
_COMMENT_PAGES_MAX = 100
_PLACED = frozenset({"block.drafted", "connection.made", "connection.moved"})
_PLACING = frozenset({"connection.made", "connection.moved"})

Scan = Callable[[int, bool], None]
"""Reads a channel, by number; with True every page of it. Raises `ArenaError` where it cannot."""


class Settler:
    """Settles the accepted wishes of one outbox."""

    def __init__(
        self, client: ArenaClient, outbox: Outbox, observer: Observer, scan: Scan, time: Time
    ) -> None:
        self._client = client
        self._outbox = outbox
        self._observer = observer
        self._scan = scan
        self._time = time
        self.notes: list[str] = []

    def settle(self, intents: Sequence[Intent]) -> None:
        """Read back what these accepted wishes should have brought about, and record what is proven."""
        placed = [one for one in intents if one.kind in _PLACED]
        read = self._read_channels(placed)
        for intent in placed:
            if self._channels(intent) <= read.keys():
                self._record(intent, self._in_channels(intent, read))
        for intent in intents:
            if intent.kind not in _PLACED:
                try:
                    self._by_itself(intent)
                except ArenaError as error:
                    self.notes.append(f"{intent.object_id} is accepted, but cannot be read back: {error}")

    def _channels(self, intent: Intent) -> set[str]:
        parts = intent.parts()
        return {
            self._outbox.canonical(str(fields.get("channel")))
            for one, fields in parts
            if one.kind in _PLACING
        }

    def _read_channels(self, intents: Sequence[Intent]) -> dict[str, Mirror | None]:
        """The channels that wishes put something into, read now; without those that cannot be read.

        None is a channel that are.na does not have any more, and with it nothing that went into it.
        """
        whole: dict[str, bool] = {}
        for intent in intents:
            for channel in sorted(self._channels(intent)):
                whole[channel] = whole.get(channel, False) or _has_place(intent)
        found: dict[str, Mirror | None] = {}
        for channel, every_page in whole.items():
            try:
                self._scan(remote_number(channel) or 0, every_page)
            except ArenaNotFoundError:
                found[channel] = None
                continue
            except ArenaError as error:
                self.notes.append(f"{channel} cannot be read back: {error}")
                continue
            found[channel] = self._observer.mirror(channel, alone=False)
        return found

    def _in_channels(self, intent: Intent, read: Mapping[str, Mirror | None]) -> list[Draft]:
        """What the channels prove of a wish that put something into them; nothing while it may yet appear."""
        names: list[Draft] = []
        instead: Fields = {}
        for event, fields in intent.parts():
            if event.kind not in _PLACING:
                continue
            mirror = read[self._outbox.canonical(str(fields.get("channel")))]
            if mirror is None:
                instead["channel"] = None
                continue
            name = self._outbox.canonical(event.object_id)
            if "~" in name and (seen := self._by_mark(mirror, intent, fields)) is not None:
                names.append(bound(intent, event.object_id, seen))
                name = seen
            if not mirror.present(name):
                if self._may_yet_appear(intent):
                    return []
                instead["channel"] = None
            elif (place := self._other_place(mirror, intent, name, fields)) is not None:
                instead["place"] = place
        if intent.kind == "block.drafted":
            instead |= self._other_block(intent, read)
        return [*names, _conclusion(intent, instead)]

    def _other_block(self, intent: Intent, read: Mapping[str, Mirror | None]) -> Fields:
        """What of a new block is other than it was wished, as far as a channel shows it."""
        name = self._outbox.canonical(intent.object_id)
        mirrors = (read[one] for one in sorted(self._channels(intent)))
        block = next((mirror.fields(name) for mirror in mirrors if mirror is not None), None)
        return {} if block is None else differing(intent, block, self._outbox)

    def _by_mark(self, mirror: Mirror, intent: Intent, fields: Fields) -> str | None:
        """are.na's name of a connection that no answer named: by its mark, else by what it connects."""
        item = self._outbox.canonical(str(fields.get("item")))
        there = sorted(one for one in mirror.live() if mirror.item(one) == item)
        marked = [one for one in there if has_mark(mirror.last_fields(one), intent)]
        return next(iter(marked or there), None)

    def _may_yet_appear(self, intent: Intent) -> bool:
        return intent.answered_at is not None and self._time.now() - intent.answered_at < APPEARS_WITHIN

    def _other_place(self, mirror: Mirror, intent: Intent, name: str, fields: Fields) -> str | None:
        """What an item stands below, where that is not what was wished; wishes after it may have moved it."""
        place = self._outbox.canonical(str(fields.get("place") or TOP))
        if place == TOP and intent.kind != "connection.moved":
            return None
        places = self._places(mirror)
        if places.is_at(name, place) or self._is_moved_later(intent, fields):
            return None
        return places.above(name)

    def _places(self, mirror: Mirror) -> Places:
        """The order of a channel as it was just read: its ranks are those of the device that read it."""
        device = mirror.scans[-1].device
        ranked = sorted((mirror.rank(one, device) or "", one) for one in mirror.live())
        return Places(channel=mirror.channel, rows=tuple((one, n) for n, (_, one) in enumerate(ranked, 1)))

    def _is_moved_later(self, intent: Intent, fields: Fields) -> bool:
        """Whether a later wish of our own changed the order of the same channel."""
        channel = self._outbox.canonical(str(fields.get("channel")))
        return any(
            later.events[0].order > intent.events[0].order
            and later.state in TRIED
            and channel in {self._outbox.canonical(str(said.get("channel"))) for said in later.payloads}
            for later in self._outbox.intents()
        )

    def _by_itself(self, intent: Intent) -> None:
        """Prove an edit, a deletion or a comment by its own page."""
        about = self._outbox.canonical(intent.object_id)
        if intent.kind == "comment.drafted":
            self._comment(intent, about)
            return
        try:
            wire = thing(self._client, about)
        except ArenaNotFoundError:
            self._absent(intent, about)
            return
        if intent.kind in REMOVING:
            self._record(intent, [answer(intent, "tx.superseded", {"shown": {"id": remote_number(about)}})])
            return
        observation = whole_channel(wire) if about.startswith("channel:") else whole_block(wire)
        fields = observation[0].fields

        def prove() -> list[Draft]:
            return self._if_accepted(intent, [_conclusion(intent, differing(intent, fields, self._outbox))])

        self._observer.shows(observation, cause=intent.tx, prove=prove)

    def _absent(self, intent: Intent, about: str) -> None:
        if intent.kind not in REMOVING:
            self._record(intent, [answer(intent, "tx.superseded", {"shown": {"id": None}})])
            return
        done = [answer(intent, "tx.settled")]
        self._observer.misses(about, cause=intent.tx, prove=lambda: self._if_accepted(intent, done))

    def _comment(self, intent: Intent, about: str) -> None:
        found = self._find_comment(str(intent.fields.get("block")), about)
        if found is None:
            self._record(intent, [answer(intent, "tx.superseded", {"shown": {"id": None}})])
            return
        conclusion = _conclusion(intent, differing(intent, found[0].fields, self._outbox))
        self._observer.shows(found, cause=intent.tx, prove=lambda: self._if_accepted(intent, [conclusion]))

    def _find_comment(self, block: str, about: str) -> Observation | None:
        block = self._outbox.canonical(block)
        for number in range(1, _COMMENT_PAGES_MAX + 1):
            page = self._client.comments(number_of(self._outbox, block), page=number)
            for wire in page.items:
                seen = comment(wire, block)
                if seen is not None and seen[0].object_id == about:
                    return seen
            if not page.has_more or not page.items:
                break
        return None

    def _record(self, intent: Intent, drafts: list[Draft]) -> None:
        self._outbox.record(lambda _device: self._if_accepted(intent, drafts))

    def _if_accepted(self, intent: Intent, drafts: list[Draft]) -> list[Draft]:
        """The answers, unless the wish has got another one meanwhile."""
        now = self._outbox.intent(intent.intent)
        return drafts if now is not None and now.state == "accepted" else []


def _has_place(intent: Intent) -> bool:
    return intent.kind == "connection.moved" or any(
        fields.get("place", TOP) != TOP for fields in intent.payloads if "channel" in fields
    )


def _conclusion(intent: Intent, instead: Fields) -> Draft:
    return answer(intent, "tx.superseded", {"shown": instead}) if instead else answer(intent, "tx.settled")
