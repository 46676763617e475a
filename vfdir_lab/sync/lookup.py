"""What became of a wish whose answer never came: looked up before anything is sent again.

Owns: the rule for each kind of wish. What makes something is looked for by its mark, twice, the second time
a minute after the answer was lost or later, since are.na may still be at work on a request that nobody waits
for. What is there is ours; what is absent both times was never done. What looks like it and bears no mark, or
is there twice, is for a person to decide. A change is there, or its base still is, or somebody wrote
something else since. To delete twice is to delete.
Guarantees: nothing here changes are.na.
Leaves to others: finding (`looks`), sending again (`sending`), proving what came true (`settle`).
Checked by: `tests/sync/test_lookup.py`, `test_push_faults.py`.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from vfdir_lab.arena import ArenaClient, Time, means_the_same
from vfdir_lab.errors import ArenaNotFoundError
from vfdir_lab.event import Draft
from vfdir_lab.sync.came_true import differing, value_in
from vfdir_lab.sync.looks import Found, Looks
from vfdir_lab.sync.normalise import Fields
from vfdir_lab.sync.outbox import Intent, Outbox
from vfdir_lab.sync.places import read_places
from vfdir_lab.sync.requests import number_of
from vfdir_lab.sync.sending import REMOVING, answer, bound, refusal, thing

BETWEEN_LOOKS_SECONDS = 2.0
"""At least: are.na connects a block a moment after it answers."""
LATE_BY = timedelta(seconds=60)
"""Until a request whose answer was lost is surely over: what is absent sooner may yet come."""
INDEX_LAG = timedelta(minutes=5)
"""are.na lists an account's channels from an index that lags: what is absent sooner may be there."""

_TWICE = "are.na has it more than once: say which one is meant"
_ALIKE = "are.na has something that looks like it, without our mark: say whether it is this"
_LAGS = "no answer came, and are.na's list of channels may lag: it is looked for again after five minutes"
_ABSENT = "no answer came, and are.na does not have it"
_NOT_DONE = "no answer came, and are.na has not done it"


class Lookup:
    """Looks up wishes of one outbox."""

    def __init__(self, client: ArenaClient, outbox: Outbox, time: Time) -> None:
        self._client = client
        self._outbox = outbox
        self._time = time
        looks = Looks(client, outbox)
        self._looks = {
            "block.drafted": looks.block,
            "connection.made": looks.connection,
            "channel.drafted": looks.channel,
            "comment.drafted": looks.comment,
        }

    def look_up(self, intent: Intent) -> str:
        """Find out what became of a wish, and record it; the state it is in now.

        Raises:
            ArenaError: are.na could not be asked; the wish stays as it was.
        """
        drafts = self._made(intent) if intent.kind in self._looks else self._changed(intent)

        def build(_device: str) -> list[Draft]:
            now = self._outbox.intent(intent.intent)
            return drafts if now is not None and now.state in {"sent", "unknown"} else []

        self._outbox.record(build)
        now = self._outbox.intent(intent.intent)
        return intent.state if now is None else now.state

    def _made(self, intent: Intent) -> list[Draft]:
        try:
            found = self._found(intent)
        except ArenaNotFoundError as error:
            return [answer(intent, "tx.rejected", refusal(error))]
        if len(found.ours) == 1:
            names = [bound(intent, local, remote) for local, remote in sorted(found.names.items())]
            return [answer(intent, "tx.accepted", {"found": sorted(found.ours)}), *names]
        if found.ours:
            return _left_open(intent, _TWICE, found.ours)
        if found.alike:
            return _left_open(intent, _ALIKE, found.alike)
        if intent.kind == "channel.drafted" and self._is_too_soon(intent):
            return _left_open(intent, _LAGS)
        return [answer(intent, "tx.requeued", {"reason": _ABSENT})]

    def _found(self, intent: Intent) -> Found:
        look = self._looks[intent.kind]
        found = look(intent)
        if found.ours:
            return found
        self._time.sleep(self._pause_seconds(intent))
        return look(intent)

    def _pause_seconds(self, intent: Intent) -> float:
        """Until the second look; what a lagging index hides is looked for in another push, not waited for."""
        lost_at = intent.answered_at
        if lost_at is None or intent.kind == "channel.drafted":
            return BETWEEN_LOOKS_SECONDS
        left = min(lost_at + LATE_BY - self._time.now(), LATE_BY)
        return max(left.total_seconds(), BETWEEN_LOOKS_SECONDS)

    def _is_too_soon(self, intent: Intent) -> bool:
        return intent.sent_at is not None and self._time.now() - intent.sent_at < INDEX_LAG

    def _changed(self, intent: Intent) -> list[Draft]:
        about = self._outbox.canonical(intent.object_id)
        try:
            if intent.kind == "connection.moved":
                is_done = self._is_moved(intent)
            else:
                shown = thing(self._client, about)
                is_done = intent.kind.endswith(".edited") and not differing(intent, shown, self._outbox)
                if not is_done and self._is_written_since(intent, shown):
                    # Somebody wrote it: a reading that begins now says what, and records it.
                    return [answer(intent, "tx.accepted", {"found": [about]})]
        except ArenaNotFoundError as error:
            if intent.kind in REMOVING:
                return [answer(intent, "tx.accepted", {"found": []})]
            return [answer(intent, "tx.rejected", refusal(error))]
        if is_done:
            return [answer(intent, "tx.accepted", {"found": [about]})]
        return [answer(intent, "tx.requeued", {"reason": _NOT_DONE})]

    def _is_moved(self, intent: Intent) -> bool:
        places = read_places(self._client, number_of(self._outbox, intent.fields.get("channel")))
        place = self._outbox.canonical(str(intent.fields.get("place")))
        return places.is_at(self._outbox.canonical(intent.object_id), place)

    def _is_written_since(self, intent: Intent, shown: Fields) -> bool:
        """Whether are.na shows something that is neither the wish nor what it showed before."""
        base = intent.fields.get("base")
        return isinstance(base, dict) and any(
            not means_the_same(name, base.get(name), value_in(shown, name))
            for name in differing(intent, shown, self._outbox)
        )


def _left_open(intent: Intent, reason: str, candidates: Collection[str] = ()) -> list[Draft]:
    """The wish stays unknown; said once, not at every push."""
    found = sorted(candidates)
    if (intent.state, intent.reason, list(intent.found)) == ("unknown", reason, found):
        return []
    return [answer(intent, "tx.unknown", {"reason": reason, **({"found": found} if found else {})})]
