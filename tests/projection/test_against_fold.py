"""The shipped SQL against a naive fold in Python, over every history that Hypothesis can think of.

The fold knows nothing of SQL: it walks the events in their total order and keeps, for each field, the newest
value that was said, `None` included. Both must give the same rows, in any layout of the log.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vfdir_lab.event import Event, canonical
from vfdir_lab.log import Head
from vfdir_lab.log.segment import table_of
from vfdir_lab.projection import Engine, Lens, default_lens

NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)
TABLES = ("blocks", "channels", "connections", "users", "comments", "scans")
Lines = Callable[[pa.Table], list[str]]
Fields = dict[str, Any]
Row = dict[str, Any]

# ------------------------------------------------------------------------------------- the fold

TIMES = {
    "2026-01-01T00:00:00Z": "2026-01-01T00:00:00Z",
    "2026-01-01T00:00:00.25+01:00": "2025-12-31T23:00:00.250000Z",
    "2025-06-30": "2025-06-30T00:00:00Z",
    "2026-02-30T00:00:00Z": None,
    "infinity": None,
    "someday": None,
}


def text(value: Any) -> str | None:
    """A JSON value as text: strings bare, the rest as JSON."""
    if value is None or isinstance(value, str):
        return value
    return canonical({"": value})[4:-1]


def inside(value: Any, key: str) -> str | None:
    return text(value.get(key)) if isinstance(value, dict) else None


def prose(value: Any) -> str | None:
    return value if isinstance(value, str) else inside(value, "markdown")


def person(value: Any) -> str | None:
    number = inside(value, "id")
    space = "group" if inside(value, "type") == "Group" else "user"
    return None if number is None else f"{space}:{number}"


def time(value: Any) -> str | None:
    return TIMES.get(text(value) or "")


def whole(value: str | None) -> int | None:
    return int(value) if value is not None and value.isdecimal() else None


def truth(value: Any) -> bool | None:
    return {"true": True, "1": True, "false": False, "0": False}.get(text(value) or "")


def told(value: Any) -> str | None:
    return canonical(value) if isinstance(value, dict) else None


def remote(object_id: str) -> int | None:
    return whole(object_id.partition(":")[2])


REMEMBERED = {
    f"{space}.{verb}" for space in ("block", "channel", "connection") for verb in ("observed", "vanished")
}
REMEMBERED |= {"user.observed", "comment.observed", "scan.started", "scan.finished"}


class Fold:
    """Everything that was last said of every object, by walking the events once."""

    def __init__(self, events: Iterable[Event]) -> None:
        self.events = sorted(events, key=lambda event: event.order)
        self.said: dict[str, Fields] = defaultdict(dict)
        self.newest: dict[str, str] = {}
        self.ranks: dict[tuple[str, str], Any] = {}
        for event in self.events:
            if event.kind in REMEMBERED:
                self.said[event.object_id] |= event.fields
                self.newest[event.object_id] = event.kind.partition(".")[2]
            if event.kind in {"connection.observed", "connection.ranked"} and "rank" in event.fields:
                self.ranks[event.object_id, event.device] = text(event.fields["rank"])

    def here(self, *spaces: str) -> Iterable[tuple[str, Callable[[str], Any]]]:
        for object_id, verb in self.newest.items():
            if object_id.partition(":")[0] in spaces and verb != "vanished":
                yield object_id, self.said[object_id].get

    def blocks(self) -> list[Row]:
        return [
            {
                "object_id": object_id,
                "remote_id": remote(object_id),
                "type": text(of("type")),
                "title": text(of("title")),
                "description": prose(of("description")),
                "content": prose(of("content")),
                "source_url": inside(of("source"), "url"),
                "source_title": inside(of("source"), "title"),
                "image_url": inside(of("image"), "src"),
                "attachment_url": inside(of("attachment"), "url"),
                **{name: self.of_file(of, name) for name in ("filename", "content_type")},
                "file_size": whole(self.of_file(of, "file_size")),
                "embed_url": inside(of("embed"), "url"),
                "embed_html": inside(of("embed"), "html"),
                "visibility": text(of("visibility")),
                "state": text(of("state")),
                "author": person(of("user")),
                "created_at": time(of("created_at")),
                "updated_at": time(of("updated_at")),
                "metadata": told(of("metadata")),
                "pending": False,
            }
            for object_id, of in self.here("block")
        ]

    @staticmethod
    def of_file(of: Callable[[str], Any], name: str) -> str | None:
        found = inside(of("attachment"), name)
        return inside(of("image"), name) if found is None else found

    def channels(self) -> list[Row]:
        length = {row["channel"]: 0 for row in self.scans()}
        for row in self.connections():
            length[row["channel"]] = length.get(row["channel"], 0) + 1
        return [
            {
                "object_id": object_id,
                "remote_id": remote(object_id),
                "slug": text(of("slug")),
                "title": text(of("title")),
                "description": prose(of("description")),
                "visibility": text(of("visibility")),
                "state": text(of("state")),
                "owner": person(of("owner")),
                "created_at": time(of("created_at")),
                "updated_at": time(of("updated_at")),
                "metadata": told(of("metadata")),
                "length": length.get(object_id),
                "pending": False,
            }
            for object_id, of in self.here("channel")
        ]

    def leader(self, channel: str | None) -> str | None:
        """The device whose ranks order a channel."""
        started = finished = None
        for event in self.events:
            if channel is not None and text(event.fields.get("channel")) == channel:
                if event.kind == "scan.started":
                    started = event.device
                elif event.kind == "scan.finished" and text(event.fields.get("complete")) == "true":
                    finished = event.device
        return finished or started

    def connections(self) -> list[Row]:
        gone = {one for one, verb in self.newest.items() if verb == "vanished"}
        rows = []
        for object_id, of in self.here("connection"):
            channel, item = text(of("channel")), text(of("item"))
            if channel in gone or item in gone:
                continue
            rank = self.ranks.get((object_id, self.leader(channel) or ""))
            rows.append(
                {
                    "object_id": object_id,
                    "remote_id": remote(object_id),
                    "channel": channel,
                    "item": item,
                    "position": (rank is not None, rank or ""),
                    "pinned": truth(of("pinned")),
                    "connected_at": time(of("connected_at")),
                    "connected_by": person(of("connected_by")),
                    "metadata": told(of("metadata")),
                    "pending": False,
                }
            )
        rows.sort(key=self.standing)
        count: dict[str | None, int] = defaultdict(int)
        for row in rows:
            count[row["channel"]] += 1
            row["position"] = count[row["channel"]]
        return rows

    @staticmethod
    def standing(row: Row) -> tuple[Any, ...]:
        ranked, rank = row["position"]
        since, number = row["connected_at"], row["remote_id"]
        known = datetime.fromisoformat(since) if since else datetime.min.replace(tzinfo=UTC)
        return not ranked, rank.encode(), known, number is None, number or 0, row["object_id"]

    def users(self) -> list[Row]:
        return [
            {
                "object_id": object_id,
                "remote_id": remote(object_id),
                "slug": text(of("slug")),
                "name": text(of("name")),
            }
            for object_id, of in self.here("user", "group")
        ]

    def comments(self) -> list[Row]:
        return [
            {
                "object_id": object_id,
                "remote_id": remote(object_id),
                "block": text(of("block")),
                "author": person(of("user")),
                "body": prose(of("body")),
                "created_at": time(of("created_at")),
            }
            for object_id, of in self.here("comment")
        ]

    def scans(self) -> list[Row]:
        return [
            {
                "scan": object_id,
                "channel": text(of("channel")),
                "started_at": self.clock(min, object_id, "scan.started"),
                "finished_at": self.clock(max, object_id, "scan.finished"),
                "complete": truth(of("complete")) or False,
                "items": whole(text(of("items"))),
                "requests": whole(text(of("requests"))),
                "mode": text(of("mode")),
                "account": text(of("account")),
            }
            for object_id, of in self.here("scan")
        ]

    def clock(self, pick: Callable[[list[datetime]], datetime], object_id: str, kind: str) -> str | None:
        found = [one.recorded_at for one in self.events if (one.object_id, one.kind) == (object_id, kind)]
        return pick(found).isoformat().replace("+00:00", "Z") if found else None

    def lines(self, table: str) -> list[str]:
        rows = getattr(self, table)()
        return sorted(json.dumps(row, ensure_ascii=False, sort_keys=True) for row in rows)


# --------------------------------------------------------------------------------- the histories

WORDS = st.sampled_from(
    ["", "a", "sea", "é🌊", "\u202eر", "a\x00b", "'", '"', "\u2028", "%s", "{}", "[]", "null"]
)
JUNK = st.sampled_from([None, True, False, 7, ["x", None], {}, {"deep": [{"er": "y"}]}, 10**25])
VALUE = st.one_of(st.none(), WORDS, JUNK)


def shaped(**keys: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """An object with some of these keys, or something that is none."""
    return st.one_of(st.fixed_dictionaries({}, optional=keys), VALUE)


PROSE = st.one_of(shaped(markdown=VALUE, html=WORDS, plain=WORDS), WORDS)
PERSON = shaped(id=st.one_of(st.integers(1, 3), VALUE), type=st.sampled_from(["User", "Group", None]))
TIME = st.one_of(st.sampled_from(sorted(TIMES)), st.none(), JUNK)
COUNT = st.one_of(st.integers(0, 9), WORDS, st.none())
FILE = {"url": VALUE, "src": VALUE, "filename": VALUE, "content_type": VALUE, "file_size": COUNT}
META = st.one_of(st.dictionaries(WORDS, VALUE, max_size=3), VALUE)

BLOCKS = st.sampled_from(["block:1", "block:1", "block:10", "block:~aaaa.1"])
CHANNELS = st.sampled_from(["channel:1", "channel:1", "channel:2"])
CONNECTIONS = st.sampled_from([f"connection:{name}" for name in (1, 9, 10, "~aaaa.1", "~bbbb.1")])
CHANNEL = st.one_of(CHANNELS, CHANNELS, CHANNELS, VALUE)
RANK = st.sampled_from(["a0", "a1", "a0V", "Zz", "é", None])

THING: dict[str, st.SearchStrategy[Any]] = {
    "title": VALUE,
    "description": PROSE,
    "visibility": VALUE,
    "state": VALUE,
    "created_at": TIME,
    "updated_at": TIME,
    "metadata": META,
    "what nobody knows": VALUE,
}
FIELDS: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "block.observed": THING
    | {
        "type": VALUE,
        "content": PROSE,
        "source": shaped(url=VALUE, title=VALUE),
        "image": shaped(**FILE),
        "attachment": shaped(**FILE),
        "embed": shaped(url=VALUE, html=VALUE),
        "user": PERSON,
    },
    "channel.observed": THING | {"slug": VALUE, "owner": PERSON},
    "connection.observed": {
        "channel": CHANNEL,
        "item": st.one_of(BLOCKS, CHANNELS, VALUE),
        "rank": RANK,
        "pinned": VALUE,
        "connected_at": TIME,
        "connected_by": PERSON,
        "metadata": META,
    },
    "connection.ranked": {"rank": RANK},
    "user.observed": {"slug": VALUE, "name": VALUE},
    "comment.observed": {"block": VALUE, "user": PERSON, "body": PROSE, "created_at": TIME},
    "scan.started": {"channel": CHANNEL, "account": VALUE},
    "scan.finished": {
        "channel": CHANNEL,
        "complete": VALUE,
        "items": COUNT,
        "requests": COUNT,
        "mode": VALUE,
    },
    "block.vanished": {"title": VALUE},
    "channel.vanished": {},
    "connection.vanished": {},
    "block.edited": {"title": VALUE},
    "connection.dreamt": {"channel": CHANNEL, "rank": RANK},
}
ABOUT = {
    "block": BLOCKS,
    "channel": CHANNELS,
    "connection": CONNECTIONS,
    "user": st.sampled_from(["user:1", "group:1"]),
    "comment": st.sampled_from(["comment:1", "comment:2"]),
    "scan": st.sampled_from(["scan:1", "scan:2", "scan:3"]),
}


@st.composite
def said(draw: st.DrawFn) -> tuple[str, str, Fields]:
    """What an event says: its kind, what it is about, some of the fields of that kind."""
    kind = draw(st.sampled_from(sorted(FIELDS)))
    about = draw(ABOUT[kind.partition(".")[0]])
    names = (
        draw(st.lists(st.sampled_from(sorted(FIELDS[kind])), unique=True, max_size=5)) if FIELDS[kind] else []
    )
    return kind, about, {name: draw(FIELDS[kind][name]) for name in names}


@st.composite
def connected(draw: st.DrawFn) -> tuple[str, str, Fields]:
    """A connection as a scan records it, so that channels fill."""
    fields = {"channel": draw(CHANNELS), "item": draw(BLOCKS), "rank": draw(RANK)}
    return "connection.observed", draw(CONNECTIONS), fields


@st.composite
def histories(draw: st.DrawFn) -> list[Event]:
    """Events of three devices. Each device's stamps increase; those of two devices often tie."""
    least = draw(st.sampled_from([0, 8, 16]))
    stamp: dict[str, int] = defaultdict(int)
    seq: dict[str, int] = defaultdict(int)
    events = []
    spoken = st.tuples(
        st.sampled_from(["aaaa", "bbbb", "cccc"]), st.integers(1, 2), st.one_of(said(), connected())
    )
    for device, step, (kind, about, fields) in draw(st.lists(spoken, min_size=least, max_size=30)):
        stamp[device] += step
        seq[device] += 1
        events.append(
            Event(
                device=device,
                seq=seq[device],
                hlc=(1_793_707_200_000 + stamp[device] // 2 << 16) + stamp[device] % 2,
                recorded_at=NOON + timedelta(seconds=stamp[device] * (1 if device == "aaaa" else 3)),
                origin="arena",
                origin_at=None,
                kind=kind,
                kind_version=1,
                object_id=about,
                cause=None,
                payload=canonical(fields),
            )
        )
    return events


# ---------------------------------------------------------------------------------- the properties


class Scratch:
    """The shipped views over a log that a test lays down anew for each example, without an engine."""

    def __init__(self, lines: Lines) -> None:
        self.connection = duckdb.connect()
        self.connection.execute("SET TimeZone = 'UTC'")
        self._lines = lines
        self._has_views = False

    def over(self, log: pa.Table | list[Path], threads: int = 1) -> Scratch:
        """Over a table of events, or over segment files in this order."""
        self.connection.execute(f"SET threads = {threads}")
        if isinstance(log, pa.Table):
            self.connection.register("log", log)
            source = "log"
        else:
            source = f"read_parquet({[str(path) for path in log]}, hive_partitioning = false)"
        self.connection.execute(
            f"CREATE OR REPLACE VIEW events AS SELECT device || ':' || seq AS event_id, * FROM {source}"
        )
        for definition in default_lens().definitions if not self._has_views else ():
            self.connection.execute(f"CREATE VIEW {definition.name} AS {definition.plain}")
        self._has_views = True
        return self

    def answer(self, table: str) -> list[str]:
        return self._lines(self.connection.sql(f"FROM {table}").to_arrow_table())

    def answers(self) -> dict[str, list[str]]:
        return {table: self.answer(table) for table in TABLES}


@pytest.fixture(autouse=True)
def in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """These are laws about answers: no disk is asked, so that an example costs little."""
    monkeypatch.setattr(os, "fsync", lambda _descriptor: None)
    if os.access("/dev/shm", os.W_OK):
        monkeypatch.setattr(tempfile, "tempdir", "/dev/shm")


@pytest.fixture(scope="module")
def scratch(lines: Lines) -> Iterator[Scratch]:
    found = Scratch(lines)
    yield found
    found.connection.close()


def folded(events: Iterable[Event]) -> dict[str, list[str]]:
    fold = Fold(events)
    return {table: fold.lines(table) for table in TABLES}


@given(events=histories())
def test_the_sql_and_a_naive_fold_agree(scratch: Scratch, events: list[Event]) -> None:
    assert scratch.over(table_of(events)).answers() == folded(events)


@given(
    events=histories().filter(bool),
    chance=st.randoms(use_true_random=False),
    threads=st.sampled_from([1, 2, 8]),
    table=st.sampled_from(TABLES),
)
def test_no_layout_of_the_log_changes_an_answer(
    scratch: Scratch, new_desk: Any, events: list[Event], chance: Random, threads: int, table: str
) -> None:
    """Any split into segments, any order of files, with 1, 2 and 8 threads."""
    with new_desk() as desk:
        paths = desk.write(events, lambda: chance.randint(1, 5)).segments()
        chance.shuffle(paths)
        assert scratch.over(paths, threads).answer(table) == Fold(events).lines(table)


def part_of_the_lens(table: str) -> Lens:
    """What the shipped lens needs for one table, so that an engine over it is set up quickly."""
    wanted = {table}
    for one in reversed(default_lens().definitions):
        wanted |= one.reads if one.name in wanted else set()
    return Lens(name="part", definitions=tuple(o for o in default_lens().definitions if o.name in wanted))


@given(
    events=histories(),
    chance=st.randoms(use_true_random=False),
    table=st.sampled_from(TABLES),
    how=st.tuples(st.booleans(), st.booleans(), st.booleans()),
)
def test_an_answer_at_a_head_never_changes(
    new_desk: Any, lines: Lines, events: list[Event], chance: Random, table: str, how: tuple[bool, bool, bool]
) -> None:
    """It is that of a log that ends there, confined and trusted, held in memory and read from its files.

    In a log that has grown since, of an engine that has answered before, or in one laid out in any way.
    """
    grown, confined, is_large = how
    devices = sorted({event.device for event in events})
    head = Head({one: chance.randint(0, sum(event.device == one for event in events)) for one in devices})
    known = [event for event in events if event.seq <= head.seq(event.device)]
    expected, lens = Fold(known).lines(table), part_of_the_lens(table)

    def at(engine: Engine) -> list[str]:
        if confined:
            return lines(engine.relation(f"FROM {table}", head=head, lens=lens).to_arrow_table())
        return lines(engine.arrow(f"FROM {table}", head=head, lens=lens))

    with new_desk() as desk, pytest.MonkeyPatch.context() as patch:
        if is_large:
            patch.setattr("vfdir_lab.projection.source.HELD_BYTES", -1)
        engine = desk.engine()
        if grown:
            desk.write(known)
            assert at(engine) == expected
            for event in events:
                if event not in known:
                    desk.write([event])
        else:
            desk.write(events, lambda: chance.randint(1, 9))
        assert at(engine) == expected
