"""Recording what are.na shows of one object together with what that proves of a wish: one append.

So no reader sees a wish settled without the observation that settled it, or the other way round.
Checked by: `tests/sync/test_settle.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from vfdir_lab.event import Draft
from vfdir_lab.log import EventLog
from vfdir_lab.projection.engine import Engine
from vfdir_lab.sync.mirror import Known, Mirror
from vfdir_lab.sync.normalise import Seen
from vfdir_lab.sync.outbox import Outbox
from vfdir_lab.sync.record import Recorder

Observation = tuple[Seen, Iterable[Seen]]
"""An object as are.na's answer shows it, and the people in it."""


class Observer:
    """Records observations and the answers they prove, for the wishes of one outbox."""

    def __init__(self, log: EventLog, engine: Engine, outbox: Outbox) -> None:
        self._log = log
        self._engine = engine
        self._outbox = outbox
        self._known: Known | None = None

    def mirror(self, identifier: str, *, alone: bool) -> Mirror:
        """What was last known of an object."""
        if self._known is None:
            self._known = Known(self._log, self._engine)
        return Mirror(self._log, self._engine, identifier, self._known, alone=alone)

    def shows(self, observation: Observation, *, cause: str, prove: Callable[[], list[Draft]]) -> None:
        """Record what is new of an object, and the answers that `prove` gives when the lock is held."""
        recorder = self._recorder(observation[0].object_id, cause)
        self._append(recorder, lambda: recorder.whole(observation), prove)

    def misses(self, identifier: str, *, cause: str, prove: Callable[[], list[Draft]]) -> None:
        """Record that an object is gone, as we wished it to be, and the answers that `prove` gives."""
        recorder = self._recorder(identifier, cause)
        space = identifier.partition(":")[0]

        def gone() -> list[Draft]:
            is_here = recorder.mirror.present(identifier)
            return [recorder.fact(f"{space}.vanished", identifier)] if is_here else []

        self._append(recorder, gone, prove)

    def _recorder(self, identifier: str, cause: str) -> Recorder:
        return Recorder(self._log, self.mirror(identifier, alone=True), scan=cause, opening=None)

    def _append(
        self, recorder: Recorder, facts: Callable[[], list[Draft]], prove: Callable[[], list[Draft]]
    ) -> None:
        def build(_device: str) -> list[Draft]:
            self._outbox.catch_up()
            return [*facts(), *prove()]

        recorder.append(build)
        self._outbox.catch_up()
