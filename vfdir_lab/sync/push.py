"""Push: what the person wished, sent to are.na, each wish once.

Owns: the order of things. What was sent and never answered is looked up; then wish after wish goes out; then
what was accepted is read back; and again, as long as that brings something new, since a wish may have waited
for another. One push of a device runs at a time on a machine, whatever kernels there are.
Guarantees: interrupted or killed anywhere, the next push goes on from what the log says.
Leaves to others: `plan`, `sending`, `lookup`, `settle`.
Checked by: `tests/sync/test_push*.py`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from vfdir_lab.arena import ArenaClient, Time
from vfdir_lab.errors import ArenaError, ArenaForbiddenError, UsageError
from vfdir_lab.log import EventLog
from vfdir_lab.sync.lookup import Lookup
from vfdir_lab.sync.outbox import Intent, Outbox, Transaction
from vfdir_lab.sync.plan import plan
from vfdir_lab.sync.push_report import Pushed, PushPlan, PushProgress, PushReport
from vfdir_lab.sync.rehearsal import rehearse
from vfdir_lab.sync.sending import Pause, Sender, Turn
from vfdir_lab.sync.settle import Settler

ROUNDS_MAX = 10
"""Of looking up, sending and reading back; each but the last brought something new."""
TRIES_MAX = 2
"""How often one push sends, or looks up, the same wish."""
UNKNOWN_MAX = 3
"""So many wishes without an answer, one after another, and the push ends: are.na is not well."""
PATIENCE_SECONDS = 120.0
"""The longest wait that are.na may ask for without ending the push."""
WAITS_MAX = 3
LOCK_TIMEOUT_SECONDS = 5.0
APPEARS_SECONDS = 2.0
"""Until what was just accepted is looked for once more, if it was not there yet."""

_NO_SCOPE = (
    "are.na forbids these writes (403), and nothing shows that the token may write at all: no wish is lost; "
    "`vfdir-lab auth login` with a token that has the write scope (or set ARENA_TOKEN) and push again"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PushOptions:
    """How to push. `budget`: the most writes to send; None: as many as there are."""

    budget: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What a push works with."""

    client: ArenaClient
    sender: Sender
    lookup: Lookup
    settler: Settler
    time: Time
    tell: Callable[[PushProgress], None]


class Pusher:
    """Sends the wishes of one device."""

    def __init__(self, log: EventLog, outbox: Outbox, device: str) -> None:
        self._log = log
        self._outbox = outbox
        self._device = device
        self._sent: Counter[str] = Counter()
        self._looked: Counter[str] = Counter()
        self._held: set[str] = set()
        self._writes = 0
        self._silent = 0
        self._waits = 0
        self._paused = ""

    def rehearse(self) -> PushPlan:
        """What a push would send now."""
        return rehearse(self._outbox, self._device)

    def push(self, desk: Desk, options: PushOptions) -> PushReport:
        """Send what is wished, and see it settled.

        Raises:
            UsageError: the budget makes no sense. LogLockedError: another process is pushing.
            LogError, ArchiveWriteError: the log cannot be written; nothing is sent that it does not know.
        """
        if options.budget is not None and options.budget < 1:
            raise UsageError(f"a budget of {options.budget} writes sends nothing: give 1 or more")
        desk.client.allow(None)
        requests, waited = desk.client.requests, desk.client.waited_seconds
        with self._log.machine.lock(LOCK_TIMEOUT_SECONDS, name="push"):
            self._outbox.catch_up()
            begun = self._open()
            for _ in range(ROUNDS_MAX):
                before = self._states()
                self._look_up(desk)
                self._send(desk, options)
                self._settle(desk)
                if self._paused or self._states() == before:
                    break
            if self._held and not self._paused:
                self._paused = _NO_SCOPE
        return PushReport(
            transactions=tuple(self._pushed([one.tx for one in begun])),
            requests=desk.client.requests - requests,
            waited_seconds=desk.client.waited_seconds - waited,
            paused=self._paused,
            notes=tuple(dict.fromkeys(desk.settler.notes)),
        )

    def _open(self) -> list[Transaction]:
        """The transactions of this device that have no end."""
        ended = {"settled", "superseded", "cancelled"}
        found = self._outbox.transactions()
        return [one for one in found if one.device == self._device and one.state not in ended]

    def _mine(self, *states: str) -> list[Intent]:
        return [one for one in self._outbox.intents(self._device) if one.state in states]

    def _states(self) -> list[tuple[str, str, int]]:
        return [(one.intent, one.state, one.attempts) for one in self._outbox.intents(self._device)]

    def _look_up(self, desk: Desk) -> None:
        for intent in self._mine("sent", "unknown"):
            if self._looked[intent.intent] >= TRIES_MAX:
                continue
            self._looked[intent.intent] += 1
            self._tell(desk, intent, waiting="looks whether it came through after all")
            try:
                desk.lookup.look_up(intent)
            except ArenaForbiddenError as error:
                desk.settler.notes.append(f"what became of {intent.object_id} cannot be looked up: {error}")
            except ArenaError as error:
                self._paused = str(error)
                return

    def _send(self, desk: Desk, options: PushOptions) -> None:
        while not self._paused:
            had = {one for one, times in self._sent.items() if times >= TRIES_MAX}
            jobs = plan(self._outbox, self._device, without=had | self._held).jobs
            if not jobs:
                return
            if options.budget is not None and self._writes >= options.budget:
                self._paused = f"the budget of {options.budget} writes is used up; push again to go on"
                return
            job = jobs[0]
            self._sent.update(one.intent for one in job.intents)
            self._tell(desk, job.carrier)
            turn = desk.sender.send(job)
            self._writes += 1
            self._heed(desk, turn, [one.intent for one in job.intents])

    def _heed(self, desk: Desk, turn: Turn, intents: Sequence[str]) -> None:
        """Draw the conclusion of a turn for those that follow."""
        self._silent = self._silent + 1 if turn == "unknown" else 0
        if self._silent >= UNKNOWN_MAX:
            self._paused = f"{self._silent} wishes in a row got no answer: are.na is not well, push later"
        if isinstance(turn, Pause):
            self._wait(desk, turn, intents)
        elif turn == "held":
            self._held.update(intents)
        elif turn == "accepted" and self._held:
            # The token may write: what it was refused before is now about the thing itself.
            self._sent.subtract(self._held)
            self._held.clear()

    def _wait(self, desk: Desk, pause: Pause, intents: Sequence[str]) -> None:
        """Wait as are.na asks, where that is short enough; otherwise the push ends here."""
        seconds = pause.seconds
        if seconds is None or seconds > PATIENCE_SECONDS or self._waits >= WAITS_MAX:
            self._paused = pause.reason
            return
        self._waits += 1
        self._sent.subtract(intents)
        self._tell(desk, None, waiting=f"waits {seconds:.0f} s: {pause.reason}")
        desk.time.sleep(seconds)

    def _settle(self, desk: Desk) -> None:
        for is_again in (False, True):
            accepted = self._mine("accepted")
            if not accepted:
                return
            self._tell(desk, accepted[0], waiting="reading back what was accepted")
            if is_again:
                desk.time.sleep(APPEARS_SECONDS)
            desk.settler.settle(accepted)

    def _tell(self, desk: Desk, intent: Intent | None, *, waiting: str = "") -> None:
        wishes = self._outbox.intents(self._device)
        label = next((one.label for one in self._open() if intent and one.tx == intent.tx), "")
        done = sum(not one.is_open for one in wishes)
        desk.tell(PushProgress(done=done, total=len(wishes), label=label, waiting=waiting))

    def _pushed(self, begun: Sequence[str]) -> list[Pushed]:
        waiting = plan(self._outbox, self._device).waiting
        found = {one.tx: one for one in self._outbox.transactions()}
        return [
            Pushed(
                tx=tx,
                label=found[tx].label,
                state=found[tx].state,
                attempts=sum(one.attempts for one in found[tx].intents),
                why=next((why for one in found[tx].intents if (why := _why(one, waiting))), ""),
            )
            for tx in begun
        ]


def _why(intent: Intent, waiting: Mapping[str, str]) -> str:
    """Why a wish is not further, or empty."""
    if intent.state not in {"committed", "sent", "unknown", "rejected"}:
        return ""
    return waiting.get(intent.intent) or intent.reason or ""
