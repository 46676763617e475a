"""Histories of wishes, told event by event: what are.na showed, what was wished, how it was answered."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
from hypothesis import strategies as st

from vfdir_lab.event import Event, canonical
from vfdir_lab.event.event import ARENA
from vfdir_lab.log.segment import table_of
from vfdir_lab.projection import Lens
from vfdir_lab.projection.connection import quoted
from vfdir_lab.projection.lens import DEFAULT_VERSIONS, choice
from vfdir_lab.projection.opening import named

NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)
HERE, THERE = "aaaa", "bbbb"
OPEN = frozenset({"committed", "sent", "unknown", "accepted"})
MIRROR = {"blocks": 2, "channels": 2, "connections": 2}
Part = tuple[str, str, dict[str, Any]]
"""An event of a wish: kind, what it is about, payload without the intent."""


def intent_id(number: int) -> str:
    return f"{number:032x}"


class Story:
    """Events in the order they are told, a millisecond apart; `batches` are the appends, as readers see them.

    The clock of the device `THERE` is `lag` milliseconds behind.
    """

    def __init__(self, lag: int = 0) -> None:
        self.batches: list[list[Event]] = []
        self._lag = lag
        self._now = lag
        self._seq: dict[str, int] = {}
        self._together: list[Event] | None = None

    @property
    def events(self) -> list[Event]:
        return [event for batch in self.batches for event in batch]

    def upto(self, batches: int) -> list[Event]:
        """The events of the first so many appends."""
        return [event for batch in self.batches[:batches] for event in batch]

    def next(self, device: str = HERE) -> int:
        """The seq of the next event of a device."""
        return self._seq.get(device, 0) + 1

    def wait(self, milliseconds: int) -> Story:
        self._now += milliseconds
        return self

    def together(self) -> Story:
        """What is told from here to `apart` is one append."""
        self._together = []
        return self

    def apart(self) -> Story:
        """End an append."""
        assert self._together
        self.batches.append(self._together)
        self._together = None
        return self

    def tell(
        self, kind: str, about: str, *, device: str = HERE, cause: str | None = None, **payload: Any
    ) -> Story:
        """One event."""
        self._now += 1
        at = self._now - (self._lag if device == THERE else 0)
        self._seq[device] = self.next(device)
        event = Event(
            device=device,
            seq=self._seq[device],
            hlc=(int(NOON.timestamp() * 1000) + at) << 16,
            recorded_at=NOON + timedelta(milliseconds=at),
            origin=ARENA if kind.endswith((".observed", ".vanished", ".ranked")) else device,
            origin_at=None,
            kind=kind,
            kind_version=1,
            object_id=about,
            cause=cause,
            payload=canonical(payload),
        )
        if self._together is None:
            self.batches.append([event])
        else:
            self._together.append(event)
        return self

    def see(self, about: str, *, device: str = HERE, **fields: Any) -> Story:
        """are.na shows an object."""
        return self.tell(f"{about.partition(':')[0]}.observed", about, device=device, **fields)

    def channel(self, items: int) -> Story:
        """A complete reading of channel:1 with so many blocks, from the bottom up."""
        self.tell("scan.started", "scan:s", channel="channel:1")
        self.see("channel:1", type="Channel", title="Tides", visibility="closed", metadata={"kept": 1})
        for number in range(1, items + 1):
            text = {"markdown": f"text {number}"}
            self.see(f"block:{number}", type="Text", title=f"Tide {number}", content=text)
            place = {"channel": "channel:1", "item": f"block:{number}", "rank": f"a{number}"}
            self.see(f"connection:{number}", **place)
        return self.tell("scan.finished", "scan:s", channel="channel:1", complete=True)

    def wish(self, tx: str, *intents: tuple[int, Sequence[Part]], device: str = HERE) -> Story:
        """A transaction of these intents, each a number and its events: one append."""
        self.together()
        for number, parts in intents:
            for kind, about, payload in parts:
                self.tell(kind, about, device=device, cause=tx, intent=intent_id(number), **payload)
        listed = [intent_id(number) for number, _ in intents]
        return self.tell("tx.committed", tx, device=device, cause=tx, label="Tidy", intents=listed).apart()

    def answer(self, tx: str, number: int, state: str, *, device: str = HERE, **payload: Any) -> Story:
        return self.tell(f"tx.{state}", tx, device=device, cause=tx, intent=intent_id(number), **payload)

    def bind(self, local: str, remote: str) -> Story:
        return self.tell("object.bound", local, remote=remote)


class Shown:
    """The shipped projections over any events: each a table computed once, over those that it reads."""

    def __init__(self, **versions: int) -> None:
        self.lens = Lens(name="shown", definitions=tuple(choice({**DEFAULT_VERSIONS, **versions})))
        self._connection = duckdb.connect()
        self._connection.execute("SET TimeZone = 'UTC'")
        self._connection.execute("SET threads = 1")

    def close(self) -> None:
        self._connection.close()

    def rows(self, events: Sequence[Event], *names: str) -> dict[str, list[dict[str, Any]]]:
        """The rows of these projections, each by its key."""
        self._connection.register("log", table_of(list(events)))
        every = "SELECT device || ':' || seq AS event_id, * FROM log"
        self._connection.execute(f"CREATE OR REPLACE TEMP TABLE events AS {every}")
        needed = named(self.lens, " ".join(names))
        for one in self.lens.definitions:
            if one.name in needed:
                self._connection.execute(f"CREATE OR REPLACE TEMP TABLE {quoted(one.name)} AS {one.plain}")
        return {name: self._rows(name) for name in names}

    def _rows(self, name: str) -> list[dict[str, Any]]:
        keys = ", ".join(self.lens[name].keys)
        return self._connection.sql(f"FROM {quoted(name)} ORDER BY {keys}").to_arrow_table().to_pylist()


BLOCKS = ("block:1", "block:2", "block:70")
CHANNELS = ("channel:1", "channel:2")
CONNECTIONS = ("connection:1", "connection:2", "connection:71")
FINAL = ("settled", "superseded", "rejected", "cancelled")
ANSWERS = (*FINAL, "sent", "sent", "unknown", "requeued", "accepted")
TEXT = st.sampled_from([None, "", "a", "b "])
PROSE = st.one_of(TEXT, st.just({"markdown": "a"}))
METADATA = st.dictionaries(st.sampled_from(["x", "y"]), st.sampled_from([None, 1, "one", True]), max_size=2)
RANK = st.sampled_from([None, "a0", "a2V", "a9"])
FIELDS = {
    "block": {"title": TEXT, "description": PROSE, "content": PROSE, "metadata": METADATA},
    "channel": {"title": TEXT, "description": PROSE, "visibility": TEXT, "metadata": METADATA},
}


class Told:
    """A random story being told: what there is to wish about, and the wishes that may be answered."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.story = Story(lag=draw(st.sampled_from([0, 5, 500]))).channel(2)
        self.open: list[tuple[str, int, str]] = []
        self._draw = draw
        self._local: dict[str, list[str]] = {"block": [], "channel": [], "connection": []}
        self._intents = 0

    def go_on(self) -> None:
        """One more thing that happens."""
        actions = {
            "see": self._see,
            "vanish": self._vanish,
            "rank": self._rank,
            "wish": self._wish,
            "answer": self._answer,
            "bind": self._bind,
        }
        actions[self._draw(st.sampled_from(["wish", "wish", "answer", "answer", *actions]))]()

    def _device(self) -> str:
        return self._draw(st.sampled_from([HERE, THERE]))

    def _one(self, space: str) -> str:
        seen = {"block": BLOCKS, "channel": CHANNELS, "connection": CONNECTIONS}[space]
        return self._draw(st.sampled_from([*seen, *self._local[space]]))

    def _fields(self, space: str) -> dict[str, Any]:
        return self._draw(st.fixed_dictionaries({}, optional=FIELDS[space]))

    def _mark(self) -> dict[str, Any]:
        if not self._intents or self._draw(st.booleans()):
            return {}
        return {"metadata": {"vfdir_tx": intent_id(self._draw(st.integers(1, self._intents)))}}

    def _see(self) -> None:
        about = self._draw(st.sampled_from([*BLOCKS, *CHANNELS, *CONNECTIONS]))
        space = about.partition(":")[0]
        if space == "connection":
            fields = {
                "channel": self._draw(st.sampled_from(CHANNELS)),
                "item": self._draw(st.sampled_from([*BLOCKS, *CHANNELS])),
                "rank": self._draw(RANK),
            }
        else:
            fields = self._fields(space)
        self.story.see(about, device=self._device(), **fields | self._mark())

    def _vanish(self) -> None:
        about = self._draw(st.sampled_from([*BLOCKS, *CHANNELS, *CONNECTIONS]))
        self.story.tell(f"{about.partition(':')[0]}.vanished", about, device=self._device())

    def _rank(self) -> None:
        about = self._draw(st.sampled_from(CONNECTIONS))
        self.story.tell("connection.ranked", about, device=self._device(), rank=self._draw(RANK))

    def _wish(self) -> None:
        device = self._device()
        tx = f"tx:t{self._intents}"
        seq = self.story.next(device)
        intents = []
        for _ in range(self._draw(st.integers(1, 2))):
            self._intents += 1
            parts = self._parts(device, seq)
            seq += len(parts)
            intents.append((self._intents, parts))
            self.open.append((tx, self._intents, device))
        self.story.wish(tx, *intents, device=device)

    def _parts(self, device: str, seq: int) -> list[Part]:
        kind = self._draw(
            st.sampled_from(
                [
                    *("block.edited", "block.edited", "channel.edited", "block.drafted", "channel.drafted"),
                    *("connection.made", "connection.moved", "connection.unmade", "channel.deleted"),
                ]
            )
        )
        space, _, verb = kind.partition(".")
        if kind == "block.drafted":
            block = self._new("block", device, seq)
            made = self._made(self._new("connection", device, seq + 1), block)
            return [(kind, block, {"type": "Text", **self._fields(space)}), made]
        if kind == "channel.drafted":
            return [(kind, self._new("channel", device, seq), self._fields(space))]
        if kind == "connection.made":
            return [self._made(self._new("connection", device, seq), self._one("block"))]
        if verb == "edited":
            fields = self._fields(space)
            return [(kind, self._one(space), {**fields, "base": self._fields(space)})]
        place = self._place() if verb == "moved" else {}
        return [
            (kind, self._one(space), {"channel": self._one("channel"), **place} if verb != "deleted" else {})
        ]

    def _made(self, connection: str, item: str) -> Part:
        return "connection.made", connection, {"channel": self._one("channel"), "item": item, **self._place()}

    def _place(self) -> dict[str, Any]:
        leader = self._draw(st.sampled_from([HERE, THERE, None]))
        place = self._draw(st.sampled_from(["top", "bottom", *CONNECTIONS]))
        return {"place": place, "rank": self._draw(RANK), "leader": leader, "base": {"place": "top"}}

    def _new(self, space: str, device: str, seq: int) -> str:
        self._local[space].append(f"{space}:~{device}.{seq}")
        return self._local[space][-1]

    def _answer(self) -> None:
        if not self.open:
            return
        tx, number, device = self._draw(st.sampled_from(self.open))
        state = self._draw(st.sampled_from(ANSWERS))
        reason = self._draw(st.sampled_from([{}, {"reason": "why not"}, {"reason": "no"}]))
        found = {"found": ["block:70", "block:1"]} if state == "unknown" and self._draw(st.booleans()) else {}
        sender = self._draw(st.sampled_from([device, device, THERE]))
        self.story.answer(tx, number, state, device=sender, **reason, **found)

    def _bind(self) -> None:
        space = self._draw(st.sampled_from(["block", "channel", "connection"]))
        if self._local[space]:
            local = self._draw(st.sampled_from(self._local[space]))
            remote = {"block": "block:70", "channel": "channel:2", "connection": "connection:71"}[space]
            self.story.bind(local, remote)

    def close(self) -> None:
        """A final answer for every wish, newer than all before it whatever the clocks say."""
        self.story.wait(1000)
        for tx, number, device in self.open:
            self.story.answer(tx, number, self._draw(st.sampled_from(FINAL)), device=device)


@st.composite
def stories(draw: st.DrawFn, *, closed: bool = False) -> Story:
    """Any history of facts and wishes of two devices; `closed`: in the end no wish is open."""
    told = Told(draw)
    for _ in range(draw(st.integers(0, 14))):
        told.go_on()
    if closed:
        told.close()
    return told.story
