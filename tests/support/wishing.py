"""A small are.na, devices that wish things of it, and a clock that is turned by hand: the stage of the laws.

Time is made up: it goes on when somebody sleeps, and a little with every look at it, so waiting costs nothing
and nothing depends on how quick a machine is. The service and the devices read the same clock, but the
devices' may be set wrong. A device can die at any of its appends, and can be made to do something else first
whenever it is about to record.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, TypeAlias

from vfdir_lab.archive import Archive
from vfdir_lab.arena import Time
from vfdir_lab.event import Draft, Event
from vfdir_lab.log import Head
from vfdir_lab.log.append import Writer
from vfdir_lab.sandbox import Sandbox
from vfdir_lab.sandbox.clock import Clock
from vfdir_lab.sandbox.world import World
from vfdir_lab.sync.outbox import Intent, Outbox
from vfdir_lab.sync.transaction import Transaction

NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)
FAST = dict.fromkeys(("guest", "free", "premium", "supporter"), 1_000_000)
LOOK_SECONDS = 0.001
"""What a look at the clock takes."""

Writing: TypeAlias = Callable[[Sequence[Draft]], tuple[Event, ...]]
Append: TypeAlias = Callable[[Writing, Sequence[Draft]], tuple[Event, ...]]


class DiedError(BaseException):
    """The process ends here. No `Exception`: nothing may catch it and go on."""


class Sky:
    """Everybody's time; `wrong_by` is how many seconds the devices' clocks are ahead of the service's."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._passed = 0.0
        self.wrong_by = 0.0

    def sleep(self, seconds: float) -> None:
        """Time passes."""
        with self._lock:
            self._passed += seconds

    def passed(self) -> float:
        """Seconds since the beginning, by a clock that nobody sets."""
        with self._lock:
            self._passed += LOOK_SECONDS
            return self._passed

    def wall(self) -> float:
        """Seconds since 1970, as the service has it."""
        return NOON.timestamp() + self.passed()

    def now(self) -> datetime:
        """The wall clock of the devices."""
        return NOON + timedelta(seconds=self.passed() + self.wrong_by)

    @property
    def time(self) -> Time:
        """The same, as an archive takes it."""
        return Time(now=self.now, monotonic=self.passed, sleep=self.sleep)


class Device:
    """One copy of the archive. `noted` says of each event how many requests had come when it was recorded."""

    def __init__(self, stage: Stage, path: Path, *, token: str | None = None) -> None:
        self._stage = stage
        self.path = path
        self._token = stage.sandbox.tokens.write if token is None else token
        self.noted: dict[str, int] = {}
        self._dies_at: tuple[int, bool] | None = None
        self._first: list[tuple[int, Callable[[], object]]] = []
        self._appends = 0
        self._locks = 0
        self._outbox: Outbox | None = None
        self.archive = self._open(self._append)

    def _open(self, append: Append) -> Archive:
        archive = Archive(
            self.path,
            create=not self.path.exists(),
            api_url=self._stage.sandbox.url,
            token=self._token,
            pause_seconds=0,
            time=self._stage.sky.time,
        )
        vars(archive.log)["writing"] = self._watched(archive.log.writing, append)
        # Compaction and checkpoints, which change no answer, would cost most of the time here.
        vars(archive)["_tidy"] = lambda: None
        return archive

    @contextmanager
    def another(self) -> Iterator[Archive]:
        """The same copy as another process of this machine has it, which does not die."""
        archive = self._open(self._note)
        try:
            yield archive
        finally:
            archive.close()

    @property
    def name(self) -> str:
        """The device id."""
        return self.archive.log.device()

    def outbox(self) -> Outbox:
        """Every wish that is known here now."""
        if self._outbox is None:
            self._outbox = Outbox(self.archive.log, self.archive.engine)
        self._outbox.catch_up()
        return self._outbox

    def events(self) -> list[Event]:
        """Everything that is known here, in the total order."""
        return sorted(self.archive.log.events_after(Head()), key=lambda event: event.order)

    def wish(self, say: Callable[[Transaction], object], label: str = "") -> tuple[Intent, ...]:
        """Wish something in one transaction; its intents."""
        with self.archive.transaction(label) as tx:
            say(tx)
        return tuple(one for one in self.outbox().intents() if one.tx == tx.id)

    def answer(self, intent: Intent, kind: str, **payload: Any) -> None:
        """Record an answer to a wish, whatever are.na says."""
        said = Draft(kind=kind, object_id=intent.tx, payload={"intent": intent.intent, **payload})
        self.outbox().record(lambda _device: [said])

    def bind(self, local: str, remote: str) -> None:
        """Record are.na's name of what was born here."""
        said = Draft(kind="object.bound", object_id=local, payload={"remote": remote})
        self.outbox().record(lambda _device: [said])

    def states(self) -> list[str]:
        """The state of each wish, in the order they were committed."""
        return [one.state for one in self.outbox().intents()]

    def dies_at(self, append: int, *, durable: bool) -> None:
        """Die at the so many-th append from now, just after it is durable or just before it is written."""
        self._dies_at = (self._appends + append, durable)

    def first(self, lock: int, act: Callable[[], object]) -> None:
        """Let something else happen before the so many-th time from now that the append lock is taken."""
        self._first.append((self._locks + lock, act))

    def run(self, act: Callable[[Archive], object]) -> bool:
        """Do something with the archive, unless it dies over it; then it is opened anew. Whether it lived."""
        try:
            act(self.archive)
        except DiedError:
            self.archive.close()
            self.archive, self._outbox = self._open(self._append), None
            return False
        finally:
            self._dies_at = None
            self._first.clear()
        return True

    def _watched(self, writing: Callable[..., Any], append: Append) -> Callable[..., Any]:
        @contextmanager
        def watched(*given: Any) -> Iterator[Writer]:
            self._locks += 1
            for due in [one for one in self._first if one[0] <= self._locks]:
                self._first.remove(due)
                due[1]()
            with writing(*given) as writer:
                vars(writer)["append"] = partial(append, writer.append)
                yield writer

        return watched

    def _append(self, append: Writing, drafts: Sequence[Draft]) -> tuple[Event, ...]:
        self._appends += bool(drafts)
        if drafts and self._dies_at == (self._appends, False):
            raise DiedError
        events = self._note(append, drafts)
        if drafts and self._dies_at == (self._appends, True):
            raise DiedError
        return events

    def _note(self, append: Writing, drafts: Sequence[Draft]) -> tuple[Event, ...]:
        events = append(drafts)
        came = len(self._stage.sandbox.control.requests())
        self.noted |= {event.event_id: came for event in events}
        return events


class Stage:
    """A service with two channels of the main person, one of another's, and devices of the main person.

    `channels` are the main person's, `open` is a public one of the other person; `blocks` are the texts of
    the first channel. Everything said on a stage is said once: `word` gives a new one each time.
    """

    def __init__(self, *, entries: int = 3) -> None:
        self.folder = Path(mkdtemp())
        self.sky = Sky()
        world = World(clock=Clock(wall=self.sky.wall, steady=self.sky.passed))
        self.sandbox = Sandbox(rate_limits=FAST, world=world)
        control = self.sandbox.control
        self.channels = [int(control.add_channel(f"Row {n}", by=world.main)["id"]) for n in (1, 2)]
        self.open = int(control.add_channel("Anybody's")["id"])
        made = [
            control.add_block(self.channels[0], f"Entry {n}", kind="Text", title=f"E{n}", by=world.main)
            for n in range(1, entries + 1)
        ]
        self.blocks = [one["id"] for one in made]
        self.connections = [one["connection"] for one in made]
        self._words = (f"word {n}" for n in count(1))
        self.devices: list[Device] = []
        self.sandbox.start()

    def __enter__(self) -> Stage:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Everything ends."""
        for device in self.devices:
            device.archive.close()
        self.sandbox.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def word(self) -> str:
        """What was never said before."""
        return next(self._words)

    def device(self, *, token: str | None = None) -> Device:
        """Another device: the first makes the archive, the others are copies of it that know nothing yet."""
        path = self.folder / f"copy{len(self.devices) + 1}"
        if self.devices:
            (path / "log").mkdir(parents=True)
            shutil.copy(self.devices[0].path / "archive.toml", path)
        found = Device(self, path, token=token)
        self.devices.append(found)
        return found

    def later(self, seconds: float) -> None:
        """Time passes for everybody."""
        self.sky.sleep(seconds)

    def writes(self) -> list[dict[str, Any]]:
        """The requests that would change something, in the order they came."""
        return [one for one in self.sandbox.control.requests() if one["method"] != "GET"]

    def row(self, channel: int) -> list[tuple[str, str]]:
        """(connection, item) of a channel from the bottom up, as the service holds it."""
        return [
            (f"connection:{one['connection']}", f"{one['kind'].lower()}:{one['id']}")
            for one in self.sandbox.control.snapshot(channel)
        ]
