"""Laws 5, 6 and 7: wishes under faults, deaths, wrong clocks, another person and another device."""

from __future__ import annotations

import json
import os
import tempfile
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from wishing import Device, Stage

from vfdir_lab.archive import Archive
from vfdir_lab.errors import UsageError
from vfdir_lab.sync.outbox import Intent, Outbox
from vfdir_lab.sync.plan import plan
from vfdir_lab.sync.visible import Visible

EXAMPLES = settings.default.max_examples if settings.default else 100
MARK = "vfdir_tx"
WHO = st.sampled_from([0, 0, 0, 1])
PICK = st.integers(0, 11)
FIELD = st.sampled_from(["title", "description", "content"])
FAULTS = st.sampled_from(
    [
        ("drop_after", {}),
        ("drop_before", {}),
        ("fail_after", {}),
        ("fail_before", {"status": 503}),
        ("too_many", {"retry_after": 2}),
        ("gateway_html", {}),
        ("gateway_html", {"commit": True}),
        ("truncate", {}),
        ("unauthorized", {}),
        ("forbidden", {}),
        ("status", {"status": 422}),
    ]
)
METHODS = st.sampled_from(["POST", "PUT", "DELETE"])


class Wishes(RuleBasedStateMachine):
    """A person with two devices, another person, and a service that is not well."""

    def __init__(self) -> None:
        super().__init__()
        self.stage = Stage()
        self.devices = [self.stage.device(), self.stage.device()]
        self.expected: dict[tuple[int, str, str], Any] = {}
        self.writers: dict[tuple[str, str], set[str]] = {}
        self.again: set[str] = set()
        self.was_clock_set = False

    @initialize()
    def begin(self) -> None:
        for device in self.devices:
            device.archive.pull(*self.stage.channels, self.stage.open)

    def teardown(self) -> None:
        try:
            self.everything_ends()
        finally:
            self.stage.close()

    # What the person does

    @rule(who=WHO, pick=PICK, high=st.booleans())
    def add_block(self, who: int, pick: int, high: bool) -> None:
        place = self._channels(who)
        channel = place[pick % len(place)]
        row = self._row(who, channel)
        after = row[pick % len(row)] if row and not high else None
        self._wish(who, lambda tx: tx.add_block(channel, self.stage.word(), after=after))

    @rule(who=WHO, pick=PICK, field=FIELD, clear=st.sampled_from([False, False, True]))
    def edit(self, who: int, pick: int, field: str, clear: bool) -> None:
        self._edit(who, pick, field, clear=clear)

    @rule(who=WHO, pick=PICK)
    def edit_channel(self, who: int, pick: int) -> None:
        channels = [one for one in self._channels(who) if one != f"channel:{self.stage.open}"]
        channel, word = channels[pick % len(channels)], self.stage.word()
        if self._wish(who, lambda tx: tx.edit(channel, title=word)):
            self._expect(who, channel, "title", word)

    @rule(who=WHO, pick=PICK, other=PICK)
    def connect(self, who: int, pick: int, other: int) -> None:
        items, channels = self._blocks(who), self._channels(who)
        if items:
            self._wish(who, lambda tx: tx.connect(items[pick % len(items)], channels[other % len(channels)]))

    @rule(who=WHO, pick=PICK)
    def disconnect(self, who: int, pick: int) -> None:
        there = self._connections(who)
        if there:
            self._wish(who, lambda tx: tx.disconnect(there[pick % len(there)]))

    @rule(who=WHO, pick=PICK, other=PICK)
    def move(self, who: int, pick: int, other: int) -> None:
        channels = self._channels(who)
        row = self._row(who, channels[pick % len(channels)])
        if len(row) < 2:
            return
        moved, place = row[pick % len(row)], ["top", "bottom", *row][other % (len(row) + 2)]
        said: Any = {"to": place} if ":" not in place else {"after": place}
        self._wish(who, lambda tx: tx.move(moved, **said))

    @rule(who=WHO)
    def add_channel(self, who: int) -> None:
        self._wish(who, lambda tx: tx.add_channel(self.stage.word()))

    @rule(who=WHO, pick=PICK)
    def comment(self, who: int, pick: int) -> None:
        items = self._blocks(who)
        if items:
            self._wish(who, lambda tx: tx.comment(items[pick % len(items)], self.stage.word()))

    @rule(who=WHO, is_redo=st.booleans())
    def undo(self, who: int, is_redo: bool) -> None:
        archive = self.devices[who].archive
        try:
            done = archive.redo(yes=True) if is_redo else archive.undo(yes=True)
        except UsageError:
            return
        self._forget({done.of, done.tx, *self._redone(who, done.of)})

    @rule(who=WHO, pick=PICK, what=st.sampled_from(["cancel", "retry", "not done", "theirs"]))
    def decide(self, who: int, pick: int, what: str) -> None:
        self._decide(who, pick, what)

    # What the devices do

    @rule(who=WHO, full=st.booleans())
    def pull(self, who: int, full: bool) -> None:
        self.devices[who].run(lambda archive: self._pull(archive, full=full))

    @rule(who=WHO, budget=st.sampled_from([None, None, 1]))
    def push(self, who: int, budget: int | None) -> None:
        self.devices[who].run(lambda archive: archive.push(budget=budget))

    @rule(who=WHO, append=st.integers(1, 6), durable=st.booleans())
    def push_and_die(self, who: int, append: int, durable: bool) -> None:
        self.devices[who].dies_at(append, durable=durable)
        self.devices[who].run(lambda archive: archive.push())

    @rule(
        who=WHO, lock=st.integers(1, 6), pick=PICK, what=st.sampled_from(["push", "edit", "cancel", "other"])
    )
    def pull_while(self, who: int, lock: int, pick: int, what: str) -> None:
        self.devices[who].first(lock, lambda: self._meanwhile(who, pick, what))
        self.devices[who].run(lambda archive: self._pull(archive, full=True))

    @rule(
        who=WHO, lock=st.integers(1, 6), pick=PICK, what=st.sampled_from(["pull", "edit", "cancel", "other"])
    )
    def push_while(self, who: int, lock: int, pick: int, what: str) -> None:
        self.devices[who].first(lock, lambda: self._meanwhile(who, pick, what))
        self.devices[who].run(lambda archive: archive.push())

    @rule(who=WHO)
    def merge(self, who: int) -> None:
        self._merge(who)

    # What happens

    @rule(pick=PICK, field=FIELD)
    def somebody_edits(self, pick: int, field: str) -> None:
        self._somebody_edits(pick, field)

    @rule(pick=PICK, what=st.sampled_from(["connect", "disconnect", "move"]))
    def somebody_rearranges(self, pick: int, what: str) -> None:
        control, world = self.stage.sandbox.control, self.stage.sandbox.world
        connections = sorted(world.connections)
        if what == "connect":
            blocks = sorted(world.blocks)
            control.connect(blocks[pick % len(blocks)], self.stage.channels[pick % 2])
        elif connections:
            chosen = connections[pick % len(connections)]
            control.disconnect(chosen) if what == "disconnect" else control.move(chosen, 1 + pick % 3)

    @rule(pick=PICK)
    def a_block_is_removed(self, pick: int) -> None:
        blocks = sorted(self.stage.sandbox.world.blocks)
        if len(blocks) > 2:
            chosen = blocks[pick % len(blocks)]
            self.stage.sandbox.control.remove_block(chosen)
            for field in ("title", "description", "content"):
                self._written(f"block:{chosen}", field, "somebody")

    @rule(fault=FAULTS, method=METHODS, after=st.integers(0, 2), times=st.integers(1, 2))
    def are_na_is_not_well(
        self, fault: tuple[str, dict[str, Any]], method: str, after: int, times: int
    ) -> None:
        self.stage.sandbox.control.arm(fault[0], match=f"{method} .*", after=after, times=times, **fault[1])

    @rule(wrong_by=st.sampled_from([-25.0, 0.0, 25.0]))
    def the_clock_steps(self, wrong_by: float) -> None:
        self.stage.sky.wrong_by = wrong_by
        self.was_clock_set = True

    @rule(seconds=st.sampled_from([5.0, 70.0, 400.0]))
    def time_passes(self, seconds: float) -> None:
        self.stage.later(seconds)

    # Laws

    @invariant()
    def nothing_is_made_twice(self) -> None:
        """Law 5."""
        world = self.stage.sandbox.world
        marks = [("block", one.metadata.get(MARK)) for one in world.blocks.values()]
        marks += [("channel", one.metadata.get(MARK)) for one in world.channels.values()]
        marks += [(f"in {one.channel_id}", one.metadata.get(MARK)) for one in world.connections.values()]
        said = Counter(one.content for one in world.blocks.values() if one.content not in self.again)
        said += Counter(one.body for one in world.comments.values() if one.body not in self.again)
        twice = [one for one, n in Counter(marks).items() if n > 1 and one[1] not in {None, *self.again}]
        assert not twice, f"made twice: {twice}"
        assert max([n for one, n in said.items() if one], default=1) == 1, said

    @invariant()
    def nothing_goes_back(self) -> None:
        """Law 6: what was wished last is what shows, unless somebody else had a say in it."""
        self._drop_the_refused()
        for who, device in enumerate(self.devices):
            wanted = {key[1:]: value for key, value in self.expected.items() if key[0] == who}
            shown = showing(device, {about for about, _ in wanted})
            for (about, field), value in wanted.items():
                assert (shown[about].get(field) or None) == value, (who, about, field)

    def only_what_was_read_afterwards_proves_anything(self) -> None:
        """Law 7."""
        asked = self.stage.sandbox.control.requests()
        for device in self.devices:
            outbox = device.outbox()
            accepted: dict[str, int] = {}
            for event in device.events():
                if event.event_id not in device.noted or not event.kind.startswith("tx."):
                    continue
                intent, came = str(event.fields.get("intent")), device.noted[event.event_id]
                if event.kind == "tx.accepted":
                    accepted[intent] = came
                if event.kind == "tx.settled" and (wish := outbox.intent(intent)) is not None:
                    read = asked[accepted[intent] : came]
                    paths = {one["path"] for one in read if one["method"] == "GET" and one["status"]}
                    assert proofs(wish, outbox) <= paths, (wish.kind, proofs(wish, outbox), paths)

    def everything_ends(self) -> None:
        """The end of law 5: with are.na well again, each wish ends, or waits for a person with a reason."""
        self.stage.sandbox.control.disarm()
        self.stage.sky.wrong_by = 0.0
        for _ in range(6):
            self.stage.later(400)
            before = [device.archive.head for device in self.devices]
            for who, device in enumerate(self.devices):
                self._merge(who)
                device.archive.push()
            if [device.archive.head for device in self.devices] == before:
                break
        self.nothing_is_made_twice()
        self.nothing_goes_back()
        self.only_what_was_read_afterwards_proves_anything()
        for device in self.devices:
            self._all_ended(device)
        self._is_the_same(self.devices[0])

    def _all_ended(self, device: Device) -> None:
        outbox = device.outbox()
        waiting = plan(outbox, device.name).waiting
        for intent in outbox.intents():
            if intent.device == device.name and intent.is_open:
                reason = waiting.get(intent.intent) or (intent.reason if intent.state == "unknown" else None)
                assert reason, (intent.kind, intent.state, intent.attempts, intent.reason)
                assert intent.state != "unknown" or intent.found, intent
            if intent.state == "rejected":
                assert intent.reason
            if intent.state == "superseded" and intent.kind.endswith(".edited"):
                fields = set(intent.fields) - {"base", "before"}
                about = outbox.canonical(intent.object_id)
                assert any(len(self.writers.get((about, one), ())) > 1 for one in fields), intent

    def _is_the_same(self, device: Device) -> None:
        """What a full pull knows is what the service holds."""
        world = self.stage.sandbox.world
        for _ in range(2):  # what is gone is believed when it is missed twice
            self._pull(device.archive, full=True)
        mirror = device.archive.lens("mirror")
        mirror.use(blocks=2, channels=2, connections=2)
        rows = mirror.sql("SELECT channel, object_id, item FROM connections ORDER BY position").fetchall()
        for number in world.channels:
            here = [row[1:] for row in rows if row[0] == f"channel:{number}"]
            assert here == self.stage.row(number)
        titles = dict(mirror.sql("SELECT remote_id, title FROM channels").fetchall())
        assert titles == {number: channel.title for number, channel in world.channels.items()}
        found = mirror.sql("SELECT remote_id, title, description, content, metadata FROM blocks").fetchall()
        held = {row[0]: row[1:] for row in found}
        for block in [world.blocks[one.item.id] for one in world.connections.values()]:
            *texts, metadata = held[block.id]
            said = (block.title, block.description, block.content)
            assert [one or None for one in texts] == [one or None for one in said]
            assert json.loads(metadata or "{}") == dict(block.metadata)

    # How it is done

    def _wish(self, who: int, say: Callable[[Any], object]) -> bool:
        try:
            with self.devices[who].archive.transaction() as tx:
                say(tx)
        except UsageError:
            return False
        return True

    def _edit(self, who: int, pick: int, field: str, *, clear: bool) -> None:
        blocks = self._blocks(who)
        if blocks:
            block, value = blocks[pick % len(blocks)], None if clear else self.stage.word()
            if self._wish(who, lambda tx: tx.edit(block, **{field: value})):
                self._expect(who, block, field, value)

    def _decide(self, who: int, pick: int, what: str) -> None:
        device = self.devices[who]
        wishes = [one for one in device.outbox().intents(device.name) if one.state not in {"settled"}]
        if not wishes:
            return
        chosen = wishes[pick % len(wishes)]
        try:
            if what == "retry":
                device.archive.outbox.retry(chosen.tx)
            elif what == "not done":
                self._may_be_twice(device, chosen.tx)
                device.archive.outbox.resolve(chosen.tx, None)
            else:
                about = chosen.object_id if what == "theirs" else None
                device.archive.outbox.cancel(chosen.tx, about=about)
        except UsageError:
            return
        self._forget({chosen.tx}, for_ever=True)

    def _may_be_twice(self, device: Device, tx: str) -> None:
        """A person who says that a wish without an answer goes out again may get it twice."""
        for one in device.outbox().intents():
            if one.tx == tx and one.state in {"sent", "unknown"}:
                self.again |= {one.intent, str(one.fields.get("value")), str(one.fields.get("body"))}

    def _meanwhile(self, who: int, pick: int, what: str) -> None:
        with self.devices[who].another() as archive:
            if what == "push":
                archive.push()
            elif what == "pull":
                self._pull(archive, full=True)
            elif what == "edit":
                self._edit(who, pick, "title", clear=False)
            elif what == "cancel":
                self._decide(who, pick, "cancel")
            else:
                self._somebody_edits(pick, "title")

    def _somebody_edits(self, pick: int, field: str) -> None:
        blocks = sorted(self.stage.sandbox.world.blocks)
        if blocks:
            chosen = blocks[pick % len(blocks)]
            change: Any = {field: self.stage.word()}
            self.stage.sandbox.control.edit_block(chosen, **change)
            self._written(f"block:{chosen}", field, "somebody")

    def _merge(self, who: int) -> None:
        """Where clocks were set, an older reading of one device may count as newer until the next reading."""
        self.devices[who].archive.merge(self.devices[1 - who].path)
        if self.was_clock_set:
            self.expected.clear()

    def _pull(self, archive: Archive, *, full: bool) -> None:
        channels = sorted(self.stage.sandbox.world.channels)
        archive.pull(*channels, full=full)

    def _channels(self, who: int) -> list[str]:
        device = self.devices[who]
        outbox = device.outbox()
        known = [f"channel:{one}" for one in (*self.stage.channels, self.stage.open)]
        for intent in outbox.intents():
            name = outbox.canonical(intent.object_id)
            if intent.kind == "channel.drafted" and intent.state not in {"rejected", "cancelled"}:
                known.append(name)
        gone = {outbox.canonical(one.object_id) for one in outbox.intents() if one.kind == "channel.deleted"}
        return [one for one in dict.fromkeys(known) if one not in gone]

    def _row(self, who: int, channel: str) -> list[str]:
        device = self.devices[who]
        row = Visible(device.archive.engine, device.outbox()).row(channel)
        return [str(one) for one in row.items]

    def _items(self, who: int) -> dict[str, str]:
        device = self.devices[who]
        visible = Visible(device.archive.engine, device.outbox())
        rows = [visible.row(channel) for channel in self._channels(who)]
        return {str(key): str(visible.canonical(item)) for row in rows for key, item in row.items.items()}

    def _connections(self, who: int) -> list[str]:
        return list(self._items(who))

    def _blocks(self, who: int) -> list[str]:
        return list(dict.fromkeys(self._items(who).values()))

    def _expect(self, who: int, about: str, field: str, value: Any) -> None:
        self._written(about, field, self.devices[who].name)
        if len(self._writers(about, field)) == 1:
            self.expected[who, about, field] = value

    def _writers(self, about: str, field: str) -> set[str]:
        names = {about} | {one.outbox().canonical(about) for one in self.devices}
        return {writer for name in names for writer in self.writers.get((name, field), ())}

    def _written(self, about: str, field: str, writer: str) -> None:
        for name in {about} | {one.outbox().canonical(about) for one in self.devices}:
            self.writers.setdefault((name, field), set()).add(writer)
        self._drop_the_contested()

    def _drop_the_contested(self) -> None:
        self.expected = {
            key: value for key, value in self.expected.items() if len(self._writers(*key[1:])) == 1
        }

    def _drop_the_refused(self) -> None:
        for device in self.devices:
            states = {"rejected", "superseded", "cancelled"}
            self._forget({one.tx for one in device.outbox().intents() if one.state in states})
        self._drop_the_contested()

    def _redone(self, who: int, of: str) -> set[str]:
        found = self.devices[who].outbox().transactions()
        return {name for one in found if one.tx == of for name in (one.undoes, one.redoes) if name}

    def _forget(self, transactions: set[str], *, for_ever: bool = False) -> None:
        """What was decided about is no longer what was wished last."""
        for device in self.devices:
            outbox = device.outbox()
            for intent in outbox.intents():
                if intent.tx not in transactions:
                    continue
                for key in [
                    one
                    for one in self.expected
                    if outbox.canonical(one[1]) == outbox.canonical(intent.object_id)
                ]:
                    del self.expected[key]
                if for_ever:
                    for field in intent.fields:
                        self.writers.setdefault((outbox.canonical(intent.object_id), field), set()).add(
                            "person"
                        )


def showing(device: Device, objects: set[str]) -> dict[str, dict[str, Any]]:
    """What shows of objects, by field."""
    visible = Visible(device.archive.engine, device.outbox())
    return {
        one: visible.block(one).fields if one.startswith("block:") else visible.channel(one).fields
        for one in sorted(objects)
    }


def proofs(intent: Intent, outbox: Outbox) -> set[str]:
    """The pages that can prove a wish."""

    def page(name: object, tail: str = "") -> str:
        space, _, number = outbox.canonical(str(name)).partition(":")
        return f"/v3/{space}s/{number}{tail}"

    channels = {
        page(fields["channel"], "/contents") for event, fields in intent.parts() if event.kind in PLACING
    }
    if channels:
        return channels
    if intent.kind == "comment.drafted":
        return {page(intent.fields["block"], "/comments")}
    return {page(intent.object_id)}


PLACING = frozenset({"connection.made", "connection.moved"})


@pytest.fixture(autouse=True)
def in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """No flush and no disk: deaths here are those of a process, not of the machine."""
    monkeypatch.setattr(os, "fsync", lambda _descriptor: None)
    if os.access("/dev/shm", os.W_OK):
        monkeypatch.setattr(tempfile, "tempdir", "/dev/shm")


TestWishes = Wishes.TestCase
TestWishes.settings = settings(max_examples=max(1, EXAMPLES // 12), stateful_step_count=20)
