"""Law 2: what is read through a checkpoint is what is computed in full, for any history and any cut of it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from random import Random
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from folds import histories
from hypothesis import given, settings
from hypothesis import strategies as st

from vfdir_lab.event import Draft, Event
from vfdir_lab.log import Head, compact
from vfdir_lab.log.segment import table_of
from vfdir_lab.projection import Engine, Lens, default_lens, incremental, picking, slices
from vfdir_lab.projection.connection import quoted
from vfdir_lab.projection.definition import define
from vfdir_lab.projection.lens import lens_of
from vfdir_lab.projection.opening import named
from vfdir_lab.projection.refresh import refresh_rule
from vfdir_lab.projection.replay import replay
from vfdir_lab.projection.scratch import scratch

MakeEvent = Callable[..., Event]

OWN = {
    "titles": """-- projection: titles
-- version: 1
-- title: By object, with more than one row of an object
-- key: thing, nth
-- refresh by: thing
SELECT object_id AS thing, row_number() OVER (PARTITION BY object_id ORDER BY hlc, device, seq) AS nth,
    CAST(hlc AS HUGEINT) AS stamp, payload -> '$.title' AS title, recorded_at, [kind, device] AS said
FROM events WHERE kind NOT LIKE 'scan.%'
""",
    "kinds": """-- projection: kinds
-- version: 1
-- title: Not by object
-- key: kind
SELECT kind, count(*) AS n, count(DISTINCT object_id) AS objects, max(hlc) AS newest FROM events GROUP BY kind
""",
    "shelf": """-- projection: shelf
-- version: 1
-- title: Over one by object and one that is not
-- key: thing
SELECT thing, max(nth) AS rows, (SELECT count(*) FROM kinds) AS kinds FROM titles GROUP BY thing
""",
    "busy": """-- projection: busy
-- version: 1
-- title: Over shipped ones and one of its own kind
-- key: object_id, nth
SELECT object_id, blocks.title, nth FROM blocks JOIN titles ON thing = object_id
WHERE object_id IN (SELECT item FROM connections)
""",
}


@cache
def mixed() -> Lens:
    """The shipped projections and a person's own, of every sort of refresh."""
    own = [define(text, where=name, source="own") for name, text in OWN.items()]
    return lens_of("own", [*default_lens().definitions, *own])


@pytest.fixture(autouse=True)
def in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """These are laws about answers: no disk is asked, and no share of a small log is too large."""
    monkeypatch.setattr(os, "fsync", lambda _descriptor: None)
    monkeypatch.setattr(incremental, "SHARE", 100)
    if os.access("/dev/shm", os.W_OK):
        monkeypatch.setattr(tempfile, "tempdir", "/dev/shm")


def cut_of(events: Sequence[Event], chance: Random) -> Head:
    """Any cut of a history, by vector: what of each device was there when the checkpoint was made."""
    devices = sorted({event.device for event in events})
    return Head({one: chance.randint(0, sum(event.device == one for event in events)) for one in devices})


def answer(engine: Engine, lens: Lens, name: str, *, confined: bool, threads: int = 2) -> pa.Table:
    """All rows of a projection, by a connection that has so many threads where that may be chosen."""
    opened = engine._open(name, engine._stand(None, lens), confined=confined)
    if not confined:
        opened.connection.execute(f"SET threads = {threads}")
    return rows(opened.connection, name)


def rows(connection: duckdb.DuckDBPyConnection, name: str) -> pa.Table:
    """All rows of a projection, in one order."""
    return connection.sql(f"FROM {quoted(name)} ORDER BY ALL").to_arrow_table()


def test_every_sort_of_refresh_is_among_those_that_are_tested() -> None:
    kinds = {name: refresh_rule(mixed()[name]).kind for name in OWN}
    assert kinds == {
        "titles": "by object",
        "kinds": "full",
        "shelf": "over projections",
        "busy": "over projections",
    }


@settings(max_examples=settings().max_examples // 2)  # each reads a checkpoint and the whole
@given(
    events=histories().filter(bool),
    seed=st.integers(0, 999),
    name=st.sampled_from([*default_lens().versions, *OWN]),
    how=st.tuples(st.booleans(), st.sampled_from([1, 2, 8])),
    large=st.booleans(),
)
def test_what_is_refreshed_is_what_is_computed_in_full(
    new_desk: Any,
    events: list[Event],
    seed: int,
    name: str,
    how: tuple[bool, int],
    large: bool,
) -> None:
    """Any cut by vector, so that late events may have old stamps; any layout of both parts; any threads.

    Also as it is done where much is to be read.
    """
    lens = mixed() if name in OWN else default_lens()
    chance = Random(seed)
    head = cut_of(events, chance)
    early = [event for event in events if event.seq <= head.seq(event.device)]
    with new_desk() as desk, pytest.MonkeyPatch.context() as patch:
        if large:
            patch.setattr(picking, "LARGE", 0)
            patch.setattr(incremental, "SMALL", 0)
            patch.setattr(slices, "SLICE_EVENTS", 7)
        desk.write(early, lambda: chance.randint(1, 5))
        replay(desk.log(), desk.root / "cache", lens, only=named(lens, name))
        desk.write([event for event in events if event not in early], lambda: chance.randint(1, 5))
        told = [
            answer(engine, lens, name, confined=how[0] or name in OWN, threads=how[1])
            for engine in (Engine(desk.log(), desk.root / "cache"), desk.engine())
        ]
        assert told[0].equals(told[1]), f"{name}: {told[0].to_pylist()} is not {told[1].to_pylist()}"


@settings(max_examples=settings().max_examples // 2)  # each sets up all projections, twice
@given(events=histories().filter(bool), seed=st.integers(0, 999))
def test_every_row_that_differs_is_of_an_object_that_is_touched(events: list[Event], seed: int) -> None:
    """The other half of the rule: what a refresh takes from the checkpoint is as it was."""
    head = cut_of(events, Random(seed))
    new = {event.object_id for event in events if event.seq > head.seq(event.device)}
    early = [event for event in events if event.seq <= head.seq(event.device)]
    by_object = [one for one in mixed().definitions if refresh_rule(one).column is not None]
    with scratch(by_object, table_of(early)) as before, scratch(by_object, table_of(events)) as after:
        for definition in by_object:
            old, now = (
                {
                    repr(row): row[refresh_rule(definition).column]
                    for row in rows(one, definition.name).to_pylist()
                }
                for one in (before, after)
            )
            assert {(old | now)[row] for row in old.keys() ^ now.keys()} <= new


def made(desk: Any, lens: Lens | None = None) -> Engine:
    """An engine over checkpoints of what the desk holds now."""
    replay(desk.log(), desk.root / "cache", lens or default_lens())
    return Engine(desk.log(), desk.root / "cache")


def test_a_late_merge_with_an_old_stamp_is_seen(tides: Any, event: MakeEvent) -> None:
    """It changes what it is the newest word on, though its stamp is before the checkpoint."""
    engine = made(tides)
    late = [
        event("bbbb", 1, "block.observed", "block:1", at=1, title="Older", visibility="private"),
        event("bbbb", 2, "block.observed", "block:7", at=2, title="Seven"),
    ]
    tides.write(late)
    told = engine.arrow("SELECT title, visibility FROM blocks ORDER BY title").to_pylist()
    assert [row["title"] for row in told] == ["Seven", "Tide 1", "Tide 2", "Tide 3"]
    assert told[1]["visibility"] == "private"


def test_a_projection_over_others_is_read_from_its_checkpoint_while_nothing_below_differs(
    tides: Any, event: MakeEvent
) -> None:
    engine = made(tides)
    tides.write([event("bbbb", 1, "block.observed", "block:1", at=99, title="New")])
    opened = engine._open("connections", engine._stand(None, None), confined=False)
    assert any("connections" in text for text in views(opened.connection, reading="read_parquet"))
    tides.write([event("bbbb", 2, "connection.vanished", "connection:1", at=100)])
    opened = engine._open("connections", engine._stand(None, None), confined=False)
    assert not any("connections" in text for text in views(opened.connection, reading="read_parquet"))
    assert engine.arrow("SELECT item, position FROM connections ORDER BY position").to_pylist() == [
        {"item": "block:2", "position": 1},
        {"item": "block:3", "position": 2},
    ]


def views(connection: duckdb.DuckDBPyConnection, *, reading: str) -> list[str]:
    """The names of the views that read so."""
    found = connection.sql("SELECT view_name, sql FROM duckdb_views() WHERE NOT internal").fetchall()
    return [name for name, sql in found if reading in sql and "log_segments" not in name]


def test_a_head_before_the_checkpoint_is_answered_without_it(tides: Any) -> None:
    engine = made(tides)
    early = engine.arrow("SELECT title FROM blocks", head=Head({"aaaa": 5}))
    assert early["title"].to_pylist() == ["Tide 1"]
    opened = engine._open("blocks", engine._stand(Head({"aaaa": 5}), None), confined=False)
    assert opened.checkpoints == ()


def test_what_was_so_at_a_moment_is_answered_without_checkpoints(tides: Any) -> None:
    engine = made(tides)
    stand = engine._stand(None, None, datetime(2026, 11, 3, tzinfo=UTC))
    assert engine._open("blocks", stand, confined=True).checkpoints == ()


def test_with_too_much_to_read_again_it_is_computed_in_full(
    tides: Any, event: MakeEvent, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = made(tides)
    monkeypatch.setattr(incremental, "SHARE", 0.05)
    tides.write([event("bbbb", 1, "block.observed", "block:1", at=99, title="New")])
    assert "New" in engine.arrow("SELECT title FROM blocks")["title"].to_pylist()
    opened = engine._open("blocks", engine._stand(None, None), confined=False)
    fingerprints = default_lens().fingerprints
    used = {one.made.fingerprint for one in opened.checkpoints}
    assert not used & {fingerprints["blocks"], fingerprints["blocks_v2"]}


def test_a_query_that_names_no_projection_opens_no_checkpoint(tides: Any) -> None:
    engine = made(tides)
    shown = engine.relation("SHOW TABLES").fetchall()
    engine.relation("FROM blocks").fetchall()
    assert (
        engine.relation("SHOW TABLES").fetchall()
        == shown
        == tides.engine().relation("SHOW TABLES").fetchall()
    )


def test_columns_have_their_types_with_a_checkpoint_and_without(tides: Any, event: MakeEvent) -> None:
    lens = mixed()
    engine = made(tides, lens)
    for new in ([], [event("bbbb", 1, "block.observed", "block:1", at=99, title="New")]):
        tides.write(new)
        for name in lens.versions:
            query = f"DESCRIBE FROM {name}"
            assert (
                engine.relation(query, lens=lens).fetchall()
                == tides.engine().relation(query, lens=lens).fetchall()
            )


def test_a_compaction_after_the_checkpoint_changes_nothing(desk: Any) -> None:
    """The checkpoint is of the same events, however they are laid out."""
    log = desk.log()
    for number in range(6):
        log.append([Draft(kind="block.observed", object_id=f"block:{number}", payload={"title": "T"})])
    engine = made(desk)
    compact(desk.log(), now=True)
    opened = engine._open("blocks", engine._stand(None, None), confined=False)
    assert {one.made.fingerprint for one in opened.checkpoints} >= {default_lens().fingerprints["blocks"]}
    assert engine.arrow("FROM blocks").num_rows == 6


def test_what_takes_no_event_of_the_new_kinds_is_read_from_its_checkpoint(
    tides: Any, event: MakeEvent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of the log is looked at again for it, and no more than kinds and ids of what is new."""
    engine = made(tides)
    tides.write([event("bbbb", 1, "block.observed", "block:1", at=99, title="New")])
    monkeypatch.setattr(incremental.Ground, "touched", lambda *_: pytest.fail("it was looked for"))
    monkeypatch.setattr(incremental.Ground, "computed", lambda *_: pytest.fail("it was computed"))
    for name in ("users", "readings", "media", "wishes", "outbox"):
        opened = engine._open(name, engine._stand(None, None), confined=False)
        assert default_lens().fingerprints[name] in {one.made.fingerprint for one in opened.checkpoints}


def test_a_checkpoint_that_is_not_read_is_not_proven(tides: Any, event: MakeEvent) -> None:
    """To hash a large one for nothing takes time; a broken one is found once it would be read."""
    engine = made(tides)
    tides.write([event("bbbb", 1, "block.observed", "block:1", at=99, title="New")])
    print_ = default_lens().fingerprints["blocks"]
    (file,) = (tides.root / "cache" / "checkpoints" / print_.removeprefix("sha256:")[:16]).iterdir()
    file.write_bytes(b"PAR1" + b"\0" * 20 + file.read_bytes()[24:])
    assert engine.arrow("SELECT title FROM blocks WHERE object_id = 'block:1'").to_pylist() == [
        {"title": "New"}
    ]
    assert file.exists()


def test_what_was_empty_is_empty_only_while_nothing_is_there_to_make_rows_of(
    tides: Any, event: MakeEvent
) -> None:
    """Open wishes: none, then one, then none again, each time with a block seen anew as well."""
    intent = f"{1:032x}"
    edit = event("bbbb", 1, "block.edited", "block:1", at=90, intent=intent, title="Wished")
    wish = [
        replace(edit, cause="tx:1"),
        event("bbbb", 2, "tx.committed", "tx:1", at=91, label="", intents=[intent]),
        event("bbbb", 3, "block.observed", "block:1", at=92, title="Seen"),
    ]
    answered = [
        event("bbbb", 4, "tx.cancelled", "tx:1", at=93, intent=intent),
        event("bbbb", 5, "block.observed", "block:1", at=94, title="Seen again"),
    ]
    for new, title, count in (wish, "Wished", 1), (answered, "Seen again", 0):
        engine = made(tides)
        tides.write(new)
        told = engine.arrow("SELECT title FROM blocks WHERE object_id = 'block:1'")
        assert told["title"].to_pylist() == [title]
        assert engine.arrow("FROM open_wishes").num_rows == count
