"""The fold in memory says of every wish what the projections say, whatever the log holds, in any order.

Both are made from the same events: two devices, answers in any order, stamps that tie, and payloads that no
version of this program would write.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, cast

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st
from wishing import NOON, Stage

from vfdir_lab.event import Draft, Event, canonical
from vfdir_lab.log import Head
from vfdir_lab.log.segment import table_of
from vfdir_lab.projection import Lens
from vfdir_lab.projection.catalogue import shipped
from vfdir_lab.sync.outbox import ADVANCE, Intent, Outbox

if TYPE_CHECKING:
    import pyarrow as pa

    from vfdir_lab.log import EventLog
    from vfdir_lab.projection import Engine

DEVICES = ("aaaa", "bbbb")
TRANSACTIONS = ("tx:t1", "tx:t2")
INTENTS = ("i1", "i2", "i3")
WISHES = (
    ("block.drafted", "block:~aaaa.1"),
    ("connection.made", "connection:~aaaa.2"),
    ("block.edited", "block:7"),
    ("channel.deleted", "channel:8"),
)
ANSWERS = ("sent", "accepted", "settled", "superseded", "rejected", "unknown", "requeued", "cancelled")
JUNK = st.sampled_from([None, True, 0, 7, 1.5, "", "i", "ä'\"", [], ["i"], {}, {"i": "i"}])
Said = tuple[str, str, str | None, dict[str, Any]]


def ids() -> st.SearchStrategy[Any]:
    return st.one_of(*[st.sampled_from(INTENTS)] * 5, JUNK)


@st.composite
def sayings(draw: st.DrawFn) -> Said:
    """(kind, object, cause, payload) of an event about wishes."""
    tx = draw(st.sampled_from(TRANSACTIONS))
    what = draw(st.sampled_from(["wish", "wish", "answer", "answer", "answer", "commit", "bind"]))
    if what == "commit":
        listed = st.one_of(*[st.lists(ids(), max_size=4)] * 5, JUNK)
        payload = {"label": draw(st.one_of(st.text(max_size=3), JUNK)), "intents": draw(listed)}
        return "tx.committed", tx, None, payload
    if what == "bind":
        return "object.bound", "block:~aaaa.1", tx, {"remote": draw(st.sampled_from(["block:5", "block:6"]))}
    if what == "wish":
        kind, about = draw(st.sampled_from(WISHES))
        return kind, about, draw(st.sampled_from([tx, tx, tx, None])), {"intent": draw(ids())}
    payload = {"intent": draw(ids()), "reason": draw(JUNK), "found": draw(JUNK)}
    return f"tx.{draw(st.sampled_from(ANSWERS))}", tx, tx, payload


def events_of(said: Sequence[tuple[str, int, Said]]) -> list[Event]:
    """As events: (device, milliseconds since its last one, what it says)."""
    found: list[Event] = []
    clocks = dict.fromkeys(DEVICES, 0)
    for device, step, (kind, about, cause, payload) in said:
        clocks[device] += step + 1
        found.append(
            Event(
                device=device,
                seq=1 + sum(one.device == device for one in found),
                hlc=(1_793_700_000_000 + clocks[device]) << 16,
                recorded_at=NOON + timedelta(milliseconds=clocks[device]),
                origin=device,
                origin_at=None,
                kind=kind,
                kind_version=1,
                object_id=about,
                cause=cause,
                payload=canonical(payload),
            )
        )
    return found


class Scratch:
    """A log and its engine of which only the answers count: events in memory, below the shipped views."""

    def __init__(self) -> None:
        self.connection = duckdb.connect()
        self.events: list[Event] = []
        self._lay_down()
        for definition in lens().definitions:
            self.connection.execute(f"CREATE VIEW {definition.name} AS {definition.plain}")

    def over(self, events: Sequence[Event]) -> Scratch:
        self.events = list(events)
        self._lay_down()
        return self

    def _lay_down(self) -> None:
        self.connection.register("log", table_of(self.events))
        self.connection.execute(
            "CREATE OR REPLACE VIEW events AS SELECT device || ':' || seq AS event_id, * FROM log"
        )

    def outbox(self) -> Outbox:
        return Outbox(cast("EventLog", self), cast("Engine", self))

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return sorted(self.connection.sql(query).fetchall())

    @property
    def head(self) -> Head:
        ends: dict[str, int] = {}
        for event in self.events:
            ends[event.device] = max(event.seq, ends.get(event.device, 0))
        return Head(ends)

    # What an outbox asks of a log and an engine

    def coverage(self) -> Scratch:
        return self

    def facts(self, query: str, _parameters: dict[str, object], *, head: Head) -> pa.Table:
        assert head == self.head
        return self.connection.sql(query).to_arrow_table()

    def events_after(self, head: Head) -> list[Event]:
        return [event for event in self.events if event.seq > head.seq(event.device)]


@pytest.fixture(scope="module")
def scratch() -> Iterator[Scratch]:
    found = Scratch()
    yield found
    found.connection.close()


@cache
def lens() -> Lens:
    """What there is about wishes, and nothing else."""
    names = ("intents", "commits", "answers", "wishes", "outbox", "bindings")
    return Lens(name="wishes", definitions=tuple(shipped().in_order(dict.fromkeys(names, 1))))


def folded(outbox: Outbox) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """What the fold says of wishes and of transactions, as the projections have it."""
    wishes = [
        (one.intent, one.tx, one.device, one.kind, one.object_id, one.state, one.attempts, one.is_open)
        for one in outbox.intents()
    ]
    transactions = [
        (one.tx, one.device, one.state, sum(each.attempts for each in one.intents), len(one.intents))
        for one in outbox.transactions()
    ]
    return sorted(wishes), sorted(transactions)


def projected(scratch: Scratch) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    return (
        scratch.rows("SELECT intent, tx, device, kind, object_id, state, attempts, is_open FROM wishes"),
        scratch.rows("SELECT tx, device, state, attempts, intents FROM outbox"),
    )


HISTORIES = st.lists(st.tuples(st.sampled_from(DEVICES), st.integers(0, 2), sayings()), max_size=25)


@given(said=HISTORIES, cuts=st.tuples(st.integers(0, 25), st.integers(0, 25)))
def test_the_fold_says_what_the_projections_say(
    scratch: Scratch, said: list[tuple[str, int, Said]], cuts: tuple[int, int]
) -> None:
    """And it says the same whether it reads all at once or catches up with a part."""
    events = events_of(said)
    outbox = scratch.over([one for one in events if one.seq <= cuts[DEVICES.index(one.device)]]).outbox()
    scratch.over(events)
    outbox.catch_up()
    assert folded(outbox) == folded(scratch.outbox()) == projected(scratch)
    names = dict(scratch.rows("SELECT object_id, remote FROM bindings"))
    assert outbox.canonical("block:~aaaa.1") == names.get("block:~aaaa.1", "block:~aaaa.1")


@pytest.mark.parametrize(
    ("listed", "is_wish"),
    [(["i"], True), ("i", True), ([{"i": 1}], True), ([{"a": ["i"]}], True), (["ii"], False), ([7], False)],
    ids=str,
)
def test_what_a_forged_commit_lists_is_listed_for_both(
    scratch: Scratch, listed: object, is_wish: bool
) -> None:
    said: list[Said] = [
        ("block.edited", "block:7", "tx:t1", {"intent": "i"}),
        ("tx.committed", "tx:t1", None, {"label": "", "intents": listed}),
    ]
    scratch.over(events_of([("aaaa", 0, one) for one in said]))
    assert folded(scratch.outbox()) == projected(scratch)
    assert bool(folded(scratch.outbox())[0]) == is_wish


# One wish at a time


@pytest.fixture
def told(scratch: Scratch) -> Callable[..., Intent]:
    """One wish after these answers of one device."""

    def tell(*answers: tuple[str, dict[str, Any]]) -> Intent:
        said: list[Said] = [
            ("block.edited", "block:7", "tx:t1", {"intent": "i1", "title": "New"}),
            ("tx.committed", "tx:t1", None, {"label": "", "intents": ["i1"]}),
        ]
        said += [(f"tx.{kind}", "tx:t1", "tx:t1", {"intent": "i1"} | payload) for kind, payload in answers]
        (found,) = scratch.over(events_of([("aaaa", 0, one) for one in said])).outbox().intents()
        return found

    return tell


@pytest.mark.parametrize("state", ANSWERS)
def test_the_newest_answer_is_the_state(told: Callable[..., Intent], state: str) -> None:
    found = told(("sent", {}), ("accepted", {}), (state, {}))
    assert found.state == ("committed" if state == "requeued" else state)
    assert found.is_open == (found.state in {"committed", "sent", "unknown", "accepted"})


def test_the_newest_reason_stays_until_another_is_given(told: Callable[..., Intent]) -> None:
    found = told(
        ("sent", {}), ("unknown", {"reason": "silence"}), ("requeued", {"reason": "again"}), ("sent", {})
    )
    assert (found.reason, found.attempts) == ("again", 2)


def test_what_was_found_is_known_only_while_a_person_is_asked(told: Callable[..., Intent]) -> None:
    asked = ("unknown", {"reason": "two", "found": ["block:1", "block:2"]})
    assert told(("sent", {}), asked).found == ("block:1", "block:2")


def test_an_answer_ends_what_a_person_was_asked(told: Callable[..., Intent]) -> None:
    asked = ("unknown", {"reason": "two", "found": ["block:1", "block:2"]})
    assert told(("sent", {}), asked, ("accepted", {"found": ["block:1"]})).found == ()


def test_a_transaction_is_as_far_as_its_least_advanced_wish() -> None:
    with Stage() as stage:
        device = stage.device()
        device.archive.pull(*stage.channels)
        with device.archive.transaction() as tx:
            for block in stage.blocks:
                tx.edit(f"block:{block}", title="New")
        outbox = device.outbox()
        first, second, third = outbox.intents()
        seen = [outbox.transactions()[0].state]
        for intent, state in (
            (first, "settled"),
            (second, "cancelled"),
            (third, "accepted"),
            (third, "settled"),
        ):
            device.answer(intent, f"tx.{state}")
            seen.append(device.outbox().transactions()[0].state)
        assert seen == ["committed", "committed", "committed", "accepted", "cancelled"]


def test_the_states_are_in_the_order_of_the_decision() -> None:
    assert ADVANCE == (
        "committed",
        "sent",
        "unknown",
        "accepted",
        "rejected",
        "superseded",
        "cancelled",
        "settled",
    )


def test_two_outboxes_of_one_log_see_what_the_other_records() -> None:
    with Stage() as stage:
        device = stage.device()
        device.archive.pull(*stage.channels)
        here, there = device.outbox(), Outbox(device.archive.log, device.archive.engine)
        with device.archive.transaction("said once") as tx:
            tx.edit(f"block:{stage.blocks[0]}", title="New")
        there.catch_up()
        (intent,) = there.intents()
        there.record(
            lambda _device: [Draft(kind="tx.sent", object_id=intent.tx, payload={"intent": intent.intent})]
        )
        seen: list[str] = []

        def look(_device: str) -> list[Draft]:
            seen.extend(one.state for one in here.intents())
            return []

        here.record(look)
        assert seen == ["sent"], "it has caught up by the time it builds"
