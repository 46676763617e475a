"""The further versions of the shipped projections, and what every version keeps."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from random import Random
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from folds import Fold, histories
from hypothesis import given, settings
from hypothesis import strategies as st

from vfdir_lab.event import Event, canonical
from vfdir_lab.log.segment import table_of
from vfdir_lab.projection.catalogue import shipped
from vfdir_lab.projection.lens import DEFAULT_VERSIONS, Lens, choice
from vfdir_lab.projection.opening import named
from vfdir_lab.projection.scratch import answers

VALUE = st.sampled_from([None, "", "a", "{}", "\u202eر", True, 7, {"deep": [{"er": "y"}]}])
PROSE = st.one_of(VALUE, st.fixed_dictionaries({}, optional={"markdown": VALUE, "html": VALUE}))
Lines = Callable[[pa.Table], list[str]]
Fields = dict[str, Any]
VERSIONS = sorted((one.name, one.version) for one in shipped())
MIRROR = {"blocks": 2, "channels": 2, "connections": 2}
LAST_WRITER = {"blocks": 3, "channels": 3, "connections": 3}
SHOWN = {
    "block": "type title description content visibility state source image attachment embed user",
    "channel": "slug title description visibility state owner",
}
SAME = "created_at updated_at metadata"


def ask(name: str, version: int, events: Iterable[Event]) -> pa.Table:
    lens = Lens(name="asked", definitions=tuple(choice({**DEFAULT_VERSIONS, name: version})))
    chosen = [one for one in lens.definitions if one.name in named(lens, name)]
    return answers(chosen, table_of(list(events)), f'SELECT * FROM "{name}"')


FIELDS = [
    ("blocks", "block.observed", "block:1", "title", "title", {}),
    ("blocks", "block.observed", "block:1", "description", "description", {}),
    ("channels", "channel.observed", "channel:1", "title", "title", {}),
    ("channels", "channel.observed", "channel:1", "slug", "slug", {}),
    ("channel_states", "channel.observed", "channel:1", "title", "title", {}),
    ("channel_writes", "channel.observed", "channel:1", "title", "title", {}),
    ("connections", "connection.observed", "connection:1", "item", "item", {"channel": "channel:1"}),
    ("connection_states", "connection.observed", "connection:1", "item", "item", {}),
    ("connection_ranks", "connection.observed", "connection:1", "rank", "rank", {}),
    ("users", "user.observed", "user:1", "name", "name", {}),
    ("comments", "comment.observed", "comment:1", "body", "body", {}),
    ("scans", "scan.started", "scan:1", "account", "account", {}),
]
REMEMBERING = [(version, *row) for row in FIELDS for name, version in VERSIONS if name == row[0]]
NO_FIELDS = {
    *("gone", "readings", "intents", "commits", "answers", "bindings", "wishes", "open_wishes"),
    *("outbox", "conflicts", "media"),
}


@pytest.mark.parametrize(
    "row",
    REMEMBERING,
    ids=[f"{row[1]}-v{row[0]}-{row[4]}" for row in REMEMBERING],
)
def test_a_cleared_field_stays_cleared_and_a_returning_value_returns(
    row: tuple[Any, ...], event: Callable[..., Event]
) -> None:
    version, name, kind, about, field, column, besides = row
    said: list[Fields] = [{field: "old", **besides}, {field: None}, {"unrelated": 1}, {field: "old"}]
    events = [event("aaaa", seq, kind, about, **fields) for seq, fields in enumerate(said, 1)]
    seen = [ask(name, version, events[:count]).column(column).to_pylist() for count in range(1, 5)]
    assert seen == [["old"], [None], [None], ["old"]]


def test_every_version_with_fields_is_asked_about_clearing() -> None:
    asked = {(row[1], row[0]) for row in REMEMBERING}
    assert asked == {(name, version) for name, version in VERSIONS if name not in NO_FIELDS}


class LastWriter(Fold):
    """The naive fold of version 3: who wrote does not count, only when; what is removed is kept."""

    def __init__(self, events: Iterable[Event]) -> None:
        super().__init__(events)
        self.written: dict[str, Fields] = defaultdict(dict)
        self.writer: dict[str, dict[str, str]] = defaultdict(dict)
        self.state: dict[str, str] = {}
        self.newest_at: dict[str, Any] = {}
        self.seen: set[str] = set()
        for event in self.events:
            space, _, verb = event.kind.partition(".")
            if space in SHOWN and verb in {"observed", "vanished", "drafted", "edited", "deleted"}:
                if space == "block" and verb == "deleted":
                    continue
                self.written[event.object_id] |= event.fields
                self.writer[event.object_id] |= dict.fromkeys(event.fields, verb)
                if verb != "edited":
                    self.state[event.object_id] = verb
            if event.kind.endswith((".observed", ".vanished")):
                self.newest_at[event.object_id] = event.recorded_at
            if event.kind == "connection.observed":
                self.seen.add(event.object_id)

    def mirror(self, said: dict[str, Fields], here: Iterable[str]) -> Any:
        """A plain fold that takes what is said for what was observed, of the objects that are here."""
        fold = Fold(self.events)
        fold.said, fold.newest = said, dict.fromkeys(here, "observed")
        return fold

    def last(self, table: str, space: str) -> list[Fields]:
        """The rows of a table, of what was last written."""
        here = [one for one, verb in self.state.items() if verb in {"observed", "drafted"}]
        rows: list[Fields] = getattr(self.mirror(self.written, here), table)()
        shown = {*SHOWN[space].split(), *SAME.split()}
        for row in rows:
            writer = self.writer[row["object_id"]]
            row["pending"] = any(writer.get(field) in {"drafted", "edited"} for field in shown)
        return rows

    def blocks(self) -> list[Fields]:
        return self.last("blocks", "block")

    def channels(self) -> list[Fields]:
        length = {row["channel"]: 0 for row in self.scans()}
        for row in super().connections():
            length[row["channel"]] = length.get(row["channel"], 0) + 1
        return [row | {"length": length.get(row["object_id"])} for row in self.last("channels", "channel")]

    def connections(self) -> list[Fields]:
        gone = {one: at for one, at in self.newest_at.items() if self.newest[one] == "vanished"}
        there = {row["object_id"]: row["position"] for row in super().connections()}
        rows = []
        for row in self.mirror(self.said, sorted(self.seen)).connections():
            about = (row["object_id"], row["channel"], row["item"])
            removed = [gone[one] for one in about if one in gone]
            at = min(removed).isoformat().replace("+00:00", "Z") if removed else None
            rows.append(row | {"position": there.get(row["object_id"]), "removed_at": at})
        return rows


WRITES = {
    "block.drafted": {
        "title": VALUE,
        "content": PROSE,
        "metadata": VALUE,
    },
    "block.edited": {
        "title": VALUE,
        "description": PROSE,
        "what nobody knows": VALUE,
    },
    "channel.drafted": {"title": VALUE, "visibility": VALUE},
    "channel.edited": {"title": VALUE, "description": PROSE},
    "channel.deleted": {"title": VALUE},
    "block.sold": {"title": VALUE},
}


@st.composite
def wished(draw: st.DrawFn) -> list[Event]:
    """A history in which some of the observations are the person's own writing instead."""
    events = draw(histories())
    found = []
    for event in events:
        about = event.object_id.partition(":")[0]
        kinds = [kind for kind in sorted(WRITES) if kind.startswith(f"{about}.")]
        if kinds and draw(st.booleans()):
            kind = draw(st.sampled_from(kinds))
            fields = draw(st.fixed_dictionaries({}, optional=WRITES[kind]))
            found.append(replace(event, kind=kind, payload=canonical(fields)))
        else:
            found.append(event)
    return found


class Choices:
    """The shipped views under choices that have every version between them, over a log laid down anew."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._connections = []
        self._has_views = False
        for changed in ({}, MIRROR, LAST_WRITER):
            versions = {**DEFAULT_VERSIONS, **changed}
            connection = duckdb.connect()
            connection.execute("SET TimeZone = 'UTC'")
            self._connections.append((connection, versions))

    def close(self) -> None:
        for connection, _ in self._connections:
            connection.close()

    def answers(self, log: pa.Table | list[str], *, threads: int = 2) -> dict[tuple[str, int], list[str]]:
        """What each version says over a table of events, or over segment files in this order."""
        found = {}
        source = "log" if isinstance(log, pa.Table) else f"read_parquet({log}, hive_partitioning = false)"
        for connection, versions in self._connections:
            if isinstance(log, pa.Table):
                connection.register("log", log)
            connection.execute(f"SET threads = {threads}")
            sql = f"SELECT device || ':' || seq AS event_id, * FROM {source}"
            connection.execute(f"CREATE OR REPLACE VIEW events AS {sql}")
            for one in choice(versions):
                if not self._has_views:
                    connection.execute(f'CREATE VIEW "{one.name}" AS {one.plain}')
                if one.name in versions and (one.name, one.version) not in found:
                    rows = connection.sql(f'SELECT * FROM "{one.name}"').to_arrow_table()
                    found[one.name, one.version] = self._lines(rows)
        self._has_views = True
        return found


@pytest.fixture(scope="module")
def choices(lines: Lines) -> Iterator[Choices]:
    found = Choices(lines)
    yield found
    found.close()


@settings(max_examples=25)
@given(events=wished())
def test_the_further_versions_and_a_naive_fold_agree(choices: Choices, events: list[Event]) -> None:
    fold = LastWriter(events)
    found = choices.answers(table_of(events))
    assert found.keys() == set(VERSIONS)
    for name, version in LAST_WRITER.items():
        assert found[name, version] == fold.lines(name), name


@settings(max_examples=5)
@given(events=wished().filter(bool), chance=st.randoms(use_true_random=False))
def test_no_layout_and_no_number_of_threads_changes_the_answer_of_any_version(
    choices: Choices, new_desk: Any, events: list[Event], chance: Random
) -> None:
    expected = choices.answers(table_of(events))
    with new_desk() as desk:
        paths = [str(path) for path in desk.write(events, lambda: chance.randint(1, 5)).segments()]
        for threads in (1, 2, 8):
            chance.shuffle(paths)
            assert choices.answers(paths, threads=threads) == expected
