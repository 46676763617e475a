"""Sending one wish, and recording what came of it.

Owns: the one place where a request that changes are.na leaves. `tx.sent` is durable before it does, under a
lock in which nobody has withdrawn the wish; what the answer proves is durable before anything else happens.
Guarantees: one call sends at most one request that makes or changes something. Whatever kills the process in
between leaves a wish that is `sent`, which is looked up before it is sent again (`lookup`).
Leaves to others: which wish (`plan`), whether it came true (`settle`).
Checked by: `tests/sync/test_push_faults.py`, `test_push_crash.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeAlias

from vfdir_lab.arena import Accepted, ArenaClient, NotSent, Refused, Sent, Unknown
from vfdir_lab.errors import ArenaApiError, ArenaError, ArenaForbiddenError, ArenaNotFoundError, UsageError
from vfdir_lab.event import Draft, object_id, remote_number
from vfdir_lab.sync.normalise import Fields, whole_block, whole_channel
from vfdir_lab.sync.observing import Observer
from vfdir_lab.sync.outbox import Intent, Outbox
from vfdir_lab.sync.places import Places, read_places
from vfdir_lab.sync.plan import Job
from vfdir_lab.sync.requests import Asked, number_of, request
from vfdir_lab.sync.uploading import Uploader

MADE = {
    "block.drafted": "block",
    "channel.drafted": "channel",
    "connection.made": "connection",
    "comment.drafted": "comment",
}
"""What a request makes, where the answer names it: of a drafted block, no answer names the connections."""

EDITS = frozenset({"block.edited", "channel.edited"})

REMOVING = frozenset({"connection.unmade", "channel.deleted"})
"""What is not there any more is removed, whoever did it."""

_MAY = {
    "block.drafted": "add_to",
    "block.edited": "manage",
    "channel.edited": "update",
    "channel.deleted": "destroy",
    "connection.made": "add_to",
    "connection.unmade": "remove",
    "connection.moved": "remove",
    "comment.drafted": "comment",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """Nothing more can be sent now: `reason` for people, `seconds` if are.na said how long."""

    reason: str
    seconds: float | None = None


Turn: TypeAlias = str | Pause
"""What came of a turn: `accepted rejected unknown`, `held` (forbidden, perhaps by the token), `withdrawn`."""


class Sender:
    """Sends the wishes of one outbox."""

    def __init__(self, client: ArenaClient, outbox: Outbox, uploader: Uploader, observer: Observer) -> None:
        self._client = client
        self._outbox = outbox
        self._uploader = uploader
        self._observer = observer

    def send(self, job: Job) -> Turn:
        """Send what a job says, once.

        Raises:
            LogError, ArchiveWriteError: the log cannot be written; nothing is sent that it does not know.
        """
        asked = self._prepare(job)
        if not isinstance(asked, Asked):
            return asked
        if not self._is_still_wished(job):
            return "withdrawn"
        try:
            sent = request(job, self._outbox, asked)(self._client)
        except UsageError as error:
            return self._answer(job, "tx.rejected", {"reason": str(error)})
        return self._take(job, sent)

    def _prepare(self, job: Job) -> Asked | Turn:
        """What has to be known first, or what came of asking."""
        try:
            asked = self._ask_first(job.carrier)
        except (UsageError, ArenaApiError) as error:
            if isinstance(error, ArenaApiError) and error.is_retryable:
                return Pause(reason=str(error))
            return self._answer(job, "tx.rejected", {"reason": str(error)})
        except ArenaError as error:
            return Pause(reason=str(error))
        return self._not_sent(job, asked, was_sent=False) if isinstance(asked, NotSent) else asked

    def _ask_first(self, intent: Intent) -> Asked | NotSent:
        """Look at what is about to be overwritten, upload the file, read the channel's order."""
        if intent.kind in EDITS:
            self._look_first(intent)
        file = intent.fields.get("file")
        value = self._uploader.upload(file) if isinstance(file, dict) else None
        if isinstance(value, NotSent):
            return value
        return Asked(value=value, positions=self._positions(intent))

    def _look_first(self, intent: Intent) -> None:
        """Record what are.na shows before it is overwritten: what somebody else wrote there is a fact too."""
        about = self._outbox.canonical(intent.object_id)
        with suppress(ArenaNotFoundError, ArenaForbiddenError):  # the answer to the write will say so
            wire = thing(self._client, about)
            shown = whole_channel(wire) if about.startswith("channel:") else whole_block(wire)
            self._observer.shows(shown, cause=intent.tx, prove=list)

    def _positions(self, intent: Intent) -> dict[str, int]:
        read: dict[int, Places] = {}
        found: dict[str, int] = {}
        for event, fields in intent.parts():
            place = self._outbox.canonical(str(fields.get("place") or "top"))
            if event.kind not in {"connection.made", "connection.moved"} or place == "top":
                continue
            if event.kind == "connection.moved" and place == "bottom":
                continue
            channel = number_of(self._outbox, fields.get("channel"))
            places = read.get(channel) or read.setdefault(channel, read_places(self._client, channel))
            position = _position(places, self._outbox.canonical(event.object_id), event.kind, place)
            if position is not None:
                found[event.object_id] = position
        return found

    def _is_still_wished(self, job: Job) -> bool:
        """Record that it is sent, unless somebody withdrew it meanwhile."""
        asked = _SAID[job.carrier.kind]

        def build(_device: str) -> list[Draft]:
            now = [self._outbox.intent(one.intent) for one in job.intents]
            if any(one is None or one.state != "committed" for one in now):
                return []
            return _each(job.intents, "tx.sent", {"request": asked})

        return bool(self._outbox.record(build))

    def _take(self, job: Job, sent: Sent) -> Turn:
        if isinstance(sent, Accepted):
            return self._answer(job, "tx.accepted", {"status": sent.status}, self._bound(job.carrier, sent))
        if isinstance(sent, Refused):
            if job.carrier.kind in REMOVING and isinstance(sent.error, ArenaNotFoundError):
                return self._answer(job, "tx.accepted", {"found": []})
            return self._answer(job, "tx.rejected", refusal(sent.error))
        if isinstance(sent, NotSent):
            return self._not_sent(job, sent, was_sent=True)
        reason = sent.error if isinstance(sent, Unknown) else "are.na's answer makes no sense"
        return self._answer(job, "tx.unknown", {"reason": str(reason)})

    def _not_sent(self, job: Job, sent: NotSent, *, was_sent: bool) -> Turn:
        if isinstance(sent.error, ArenaForbiddenError) and (why := self._why_not_ours(job.carrier)):
            return self._answer(job, "tx.rejected", {"reason": why, "status": sent.error.status})
        if was_sent:
            self._answer(job, "tx.requeued", {"reason": str(sent.error)})
        if isinstance(sent.error, ArenaForbiddenError):
            return "held"
        return Pause(reason=str(sent.error), seconds=sent.pause_seconds)

    def _why_not_ours(self, intent: Intent) -> str | None:
        """Why are.na will never do this for this account, whatever the token's scope; None if it may."""
        may = _MAY.get(intent.kind)
        if may is None:
            return None
        for name in _judged(intent, self._outbox):
            try:
                found = thing(self._client, name)
            except ArenaApiError as error:
                return None if error.is_retryable else f"{name}: {error}"
            except ArenaError:
                return None
            can = found.get("can")
            if isinstance(can, dict) and can.get(may) is False and not self._is_by_us(found):
                return (
                    f"are.na does not let this account {may.replace('_', ' ')} {name}: it is somebody else's"
                )
        return None

    def _is_by_us(self, found: Fields) -> bool:
        """Whether a thing is the account's own: then it is the token that may not."""
        person = found.get("user") or found.get("owner") or found.get("connected_by")
        return isinstance(person, dict) and person.get("id") == self._client.account().id

    def _bound(self, intent: Intent, sent: Accepted) -> list[Draft]:
        space = MADE.get(intent.kind)
        if space is None or sent.body is None:
            return []
        return [bound(intent, intent.object_id, object_id(space, sent.body["id"]))]

    def _answer(self, job: Job, kind: str, payload: Fields, more: Sequence[Draft] = ()) -> Turn:
        self._outbox.record(lambda _device: [*_each(job.intents, kind, payload), *more])
        return kind.partition(".")[2]


def answer(intent: Intent, kind: str, payload: Fields | None = None) -> Draft:
    """What became of one intent, as an event to record."""
    return Draft(
        kind=kind, object_id=intent.tx, payload={"intent": intent.intent, **(payload or {})}, cause=intent.tx
    )


def bound(intent: Intent, local: str, remote: str) -> Draft:
    """The event that gives an object born here are.na's name for it."""
    return Draft(kind="object.bound", object_id=local, payload={"remote": remote}, cause=intent.tx)


def refusal(error: ArenaError) -> Fields:
    """The payload of a rejection."""
    said: Fields = {"reason": str(error)}
    return said | ({"status": error.status} if isinstance(error, ArenaApiError) else {})


def _each(intents: Sequence[Intent], kind: str, payload: Fields) -> list[Draft]:
    return [answer(one, kind, payload) for one in intents]


def _position(places: Places, connection: str, kind: str, place: str) -> int | None:
    """What comes in still comes in, on top, when what it should go below has left."""
    if kind == "connection.moved":
        return places.for_move(connection, place)
    try:
        return places.for_new(place)
    except UsageError:
        return None


def _judged(intent: Intent, outbox: Outbox) -> list[str]:
    """The things whose `can` tells whether this account may do what is wished."""
    if intent.kind in {"block.drafted", "connection.made"}:
        return [outbox.canonical(str(fields["channel"])) for fields in intent.payloads if "channel" in fields]
    about = intent.fields.get("block") if intent.kind == "comment.drafted" else intent.object_id
    return [outbox.canonical(str(about))]


def thing(client: ArenaClient, name: str) -> Fields:
    """A block, channel or connection by its own page.

    Raises:
        ArenaError: are.na does not show it.
    """
    number = remote_number(name) or 0
    space = name.partition(":")[0]
    if space == "channel":
        return client.channel(number)
    return client.connection(number) if space == "connection" else client.block(number)


_SAID = {
    "block.drafted": "POST /v3/blocks",
    "block.edited": "PUT /v3/blocks/{id}",
    "channel.drafted": "POST /v3/channels",
    "channel.edited": "PUT /v3/channels/{id}",
    "channel.deleted": "DELETE /v3/channels/{id}",
    "connection.made": "POST /v3/connections",
    "connection.unmade": "DELETE /v3/connections/{id}",
    "connection.moved": "POST /v3/connections/{id}/move",
    "comment.drafted": "POST /v3/blocks/{id}/comments",
}
