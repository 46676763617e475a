"""Answers stay what they were when asked for; damage, clashes and missing heads have names."""

from __future__ import annotations

import gc
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa
import pytest

from vfdir_lab.archive import Archive
from vfdir_lab.errors import HeadError, LogDamagedError, LogError, QueryError, UsageError
from vfdir_lab.event import Draft, Event
from vfdir_lab.log import SCHEMA, EventLog, Head, compact
from vfdir_lab.projection import Engine, Lens, default_lens
from vfdir_lab.projection.definition import define
from vfdir_lab.projection.engine import KEPT_CONNECTIONS
from vfdir_lab.projection.lens import lens_of

TITLES = "SELECT title FROM blocks ORDER BY title"
TIDES = [("Tide 1",), ("Tide 2",), ("Tide 3",)]
MakeEvent = Callable[..., Event]


def break_pages(path: Path, share: float = 1) -> None:
    """Flip every bit of the last `share` of a segment's pages; its footer stays readable."""
    data = bytearray(path.read_bytes())
    end = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    start = 4 + int((end - 4) * (1 - share))
    data[start:end] = bytes(byte ^ 0xFF for byte in data[start:end])
    path.write_bytes(data)


# ------------------------------------------------------------------------------------- relations


def test_a_query_that_only_counts_computes_no_columns(tides: Any) -> None:
    """What most people ask first; see decisions/0020."""

    def plan(query: str) -> str:
        (row,) = tides.archive.sql(f"EXPLAIN (FORMAT json) {query}").fetchall()
        return str(row[1])

    assert "payload" in plan("SELECT max(title) FROM blocks_v2")
    assert "payload" not in plan("SELECT count(*) FROM blocks_v2")
    assert "bare_content" in plan("FROM blocks")
    assert "bare_content" not in plan("SELECT count(*) FROM blocks")
    assert tides.archive.sql("SELECT count(*) FROM blocks").fetchall() == [(3,)]


def test_a_relation_answers_in_every_shape(tides: Any) -> None:
    relation = tides.archive.sql(TITLES)
    assert relation.fetchall() == TIDES
    assert relation.pl()["title"].to_list() == [title for (title,) in TIDES]
    assert relation.to_arrow_table().column_names == ["title"]
    assert relation.filter("title > 'Tide 1'").fetchall() == TIDES[1:]
    assert "Tide 1" in str(relation)


def test_a_relation_stays_what_it_was_when_more_is_appended(tides: Any, event: MakeEvent) -> None:
    archive = tides.archive
    before, then = archive.sql(TITLES), archive.as_of(head="aaaa:5").sql(TITLES)
    tides.write([event("bbbb", 1, "block.observed", "block:1", at=99, title="A new tide")])
    assert archive.sql(TITLES).fetchall() == [("A new tide",), *TIDES[1:]]
    assert before.fetchall() == TIDES
    assert then.fetchall() == TIDES[:1]
    assert archive.as_of(head="aaaa:10").sql(TITLES).fetchall() == TIDES


def test_a_relation_outlives_its_archive(tides: Any) -> None:
    archive = tides.archive
    mine = pl.DataFrame({"object_id": ["block:2"]})
    relations = [
        archive.sql(TITLES),
        archive.sql("SELECT title FROM blocks JOIN mine USING (object_id)", mine=mine),
    ]
    del archive, mine
    gc.collect()
    assert [relation.fetchall() for relation in relations] == [TIDES, TIDES[1:2]]
    assert relations[0].pl().height == 3


def test_a_relation_outlives_the_connections_that_are_kept(tides: Any, event: MakeEvent) -> None:
    archive = tides.archive
    relation = archive.sql(TITLES)
    for seq in range(1, 2 * KEPT_CONNECTIONS):
        tides.write([event("bbbb", seq, "block.observed", f"block:{seq}", at=100 + seq, title=f"New {seq}")])
        assert archive.sql("SELECT count(*) FROM events").fetchall() == [(10 + seq,)]
        assert len(archive.engine._kept) <= KEPT_CONNECTIONS
    gc.collect()
    assert relation.fetchall() == TIDES


def test_relations_do_not_disturb_each_other(tides: Any) -> None:
    archive = tides.archive
    relations = [archive.sql(f"{TITLES} LIMIT {count}") for count in (1, 2, 3)]
    assert [len(relation.fetchall()) for relation in reversed(relations)] == [3, 2, 1]
    assert [len(relation.fetchall()) for relation in relations] == [1, 2, 3]


def test_an_empty_archive_has_every_table(desk: Any, tides: Any, new_desk: Any) -> None:
    """With no rows and the columns it will have."""
    with new_desk() as empty:
        for table in ("events", *default_lens().versions):
            confined, trusted = (
                empty.engine().relation(f"FROM {table}"),
                empty.engine().arrow(f"FROM {table}"),
            )
            full = tides.engine().arrow(f"FROM {table}")
            assert (len(confined), trusted.num_rows) == (0, 0)
            assert confined.to_arrow_table().schema == trusted.schema == full.schema
        assert empty.engine().facts("FROM events", {}, head=Head()).num_rows == 0


def test_the_events_table_names_each_event(tides: Any) -> None:
    table = tides.engine().arrow("FROM events ORDER BY seq LIMIT 2")
    assert table.column_names == ["event_id", *SCHEMA.names]
    assert table["event_id"].to_pylist() == ["aaaa:1", "aaaa:2"]


# ---------------------------------------------------------------------------------- own tables


def rows() -> pl.DataFrame:
    return pl.DataFrame({"object_id": ["block:1", "block:9"], "mine": [1, 2]})


JOINED = "SELECT mine FROM blocks JOIN own USING (object_id)"


OWN: dict[str, Callable[[], object]] = {
    "polars": rows,
    "arrow": lambda: rows().to_arrow(),
    "a stream": lambda: rows().to_arrow().to_reader(),
    "a batch": lambda: rows().to_arrow().to_batches()[0],
    "a relation": lambda: duckdb.connect().from_arrow(rows().to_arrow()),
}


@pytest.mark.parametrize("own", OWN.values(), ids=OWN)
def test_a_person_may_pass_tables(tides: Any, own: Callable[[], object]) -> None:
    relation = tides.archive.sql(JOINED, own=own())
    assert (relation.fetchall(), relation.pl()["mine"].to_list()) == ([(1,)], [1])


def test_passed_tables_are_there_for_every_form_of_query(tides: Any) -> None:
    reader = rows().to_arrow().to_reader()
    assert tides.archive.sql("PIVOT own ON mine USING count(*)", own=reader).pl().height == 2
    assert "own" in str(tides.archive.sql("SHOW TABLES", own=rows()).fetchall())
    assert "own" not in str(tides.archive.sql("SHOW TABLES").fetchall())


def test_a_table_may_not_take_a_name_of_the_archive(tides: Any) -> None:
    archive = tides.archive
    for name in ("events", "blocks", "Blocks", "USERS", "log_segments", "LOG_SEGMENTS", ""):
        with pytest.raises(UsageError, match=f"^'{name}' is a table of the archive already; give yours"):
            archive.sql("SELECT 1", **{name: rows()})
    assert archive.sql(TITLES).fetchall() == TIDES


def test_two_tables_may_not_share_a_name(tides: Any) -> None:
    with pytest.raises(UsageError, match="'OWN' is a table of the archive already"):
        tides.archive.sql("SELECT 1", own=rows(), OWN=rows())


def test_a_table_may_have_any_other_name(tides: Any) -> None:
    for name in ('a "b"; DROP VIEW blocks', "select", "é 🌊", "block"):
        quoted = '"' + name.replace('"', '""') + '"'
        assert tides.archive.sql(f"SELECT count(*) FROM {quoted}", **{name: rows()}).fetchall() == [(2,)]


def test_what_is_no_table_is_refused(tides: Any) -> None:
    archive = tides.archive
    for table in ({"a": [1]}, [1], None, "c.csv", Path("c.csv"), pl.Series("a", [1]), 5):
        said = f"^own is a {type(table).__name__}; pass a DataFrame or an Arrow table"
        with pytest.raises(UsageError, match=said):
            archive.sql("SELECT 1", own=table)


# ---------------------------------------------------------------------------------- lens and head


def test_a_lens_is_its_versions_not_its_name(tides: Any) -> None:
    """Two lenses of one name are two interpretations, also after the first was asked."""
    engine = tides.engine()
    assert engine.relation(TITLES).fetchall() == TIDES
    other = Lens(name="default", definitions=(default_lens()["users"],))
    assert engine.relation("SHOW TABLES", lens=other).fetchall() == [
        ("events",),
        ("log_segments",),
        ("users",),
    ]
    with pytest.raises(QueryError, match="blocks"):
        engine.relation(TITLES, lens=other)


def test_a_lens_may_hold_a_table_of_the_persons_own(tides: Any) -> None:
    text = "-- projection: titles\n-- version: 4\n-- title: T\n-- key: id\n"
    text += "SELECT object_id AS id, latest('title') ->> '$' AS title FROM events GROUP BY ALL"
    lens = lens_of("mine", [define(text, where="titles", source="own")])
    query = "SELECT title FROM titles WHERE id = 'block:1'"
    assert tides.engine().relation(query, lens=lens).fetchall() == TIDES[:1]
    assert tides.engine().arrow(query, lens=lens)["title"].to_pylist() == ["Tide 1"]


@pytest.mark.parametrize("head", ["aaaa:11", "aaaa:1,bbbb:1", "zzzz:1"])
def test_a_head_that_is_not_reached_is_named(tides: Any, head: str) -> None:
    asked = Head.parse(head)
    engine = tides.engine()
    questions: list[Callable[[], object]] = [
        lambda: engine.relation(TITLES, head=asked),
        lambda: engine.arrow(TITLES, head=asked),
        lambda: list(engine.stream(TITLES, head=asked)),
        lambda: engine.facts("FROM events", {}, head=asked),
    ]
    for ask in questions:
        with pytest.raises(HeadError, match=r"this log reaches .*, the head asks for"):
            ask()


def test_every_head_cuts_where_it_says(tides: Any) -> None:
    engine = tides.engine()
    for seq in range(11):
        head = Head({"aaaa": seq})
        expected = [f"aaaa:{one}" for one in range(1, seq + 1)]
        query = "SELECT event_id FROM events ORDER BY seq"
        answers = [engine.arrow(query, head=head), engine.facts(query, {}, head=head)]
        answers += [engine.relation(query, head=head).to_arrow_table()]
        answers += [pa.Table.from_batches(engine.stream(query, head=head), schema=answers[0].schema)]
        assert [answer["event_id"].to_pylist() for answer in answers] == [expected] * 4
        bare = engine.relation("SELECT device || ':' || seq FROM log_segments ORDER BY seq", head=head)
        assert [row[0] for row in bare.fetchall()] == expected


# --------------------------------------------------------------------------------------- damage


def ask_arrow(engine: Engine, query: str) -> object:
    return engine.arrow(query)


def ask_stream(engine: Engine, query: str) -> object:
    return list(engine.stream(query))


def ask_facts(engine: Engine, query: str) -> object:
    return engine.facts(query, {}, head=Head({"aaaa": 10}))


@pytest.mark.usefixtures("as_large")
@pytest.mark.parametrize("ask", [ask_arrow, ask_stream, ask_facts])
def test_a_damaged_segment_is_named(tides: Any, ask: Callable[[Engine, str], object]) -> None:
    segment = tides.segments()[1]
    engine = tides.engine()
    assert engine.arrow("SELECT 1").num_rows == 1  # the footers are known, as they are in a running process
    break_pages(segment)
    with pytest.raises(
        LogDamagedError, match=f"{segment.name}: not readable as recorded; `vfdir-lab verify`"
    ):
        ask(engine, "FROM events")
    assert engine.arrow("SELECT max(seq) AS last FROM events")["last"].to_pylist() == [3]


@pytest.mark.usefixtures("as_large")
def test_damage_in_the_middle_of_a_long_answer_is_named(desk: Any, event: MakeEvent) -> None:
    """The answer has begun when the broken pages are reached."""
    words = [f"{number * 7919 % 100_003:06d} a text long enough to fill pages" for number in range(60_000)]
    events = [
        event("aaaa", seq, "block.observed", f"block:{seq}", title=word) for seq, word in enumerate(words, 1)
    ]
    desk.write(events, lambda: 20_000)
    engine = desk.engine()
    stream = engine.stream("SELECT payload FROM events")
    last = desk.segments()[-1]
    break_pages(last, share=0.3)
    with pytest.raises(LogDamagedError, match=last.name):
        sum(batch.num_rows for batch in stream)


def test_what_is_held_stays_right_over_damage_and_what_is_opened_next_names_it(tides: Any) -> None:
    archive: Archive = tides.archive
    relation = archive.sql(TITLES)
    for segment in tides.segments():
        break_pages(segment)
    assert relation.fetchall() == TIDES
    with pytest.raises(LogDamagedError, match=tides.segments()[0].name):
        tides.archive.sql(TITLES).fetchall()


@pytest.mark.usefixtures("as_large")
def test_a_lazy_relation_over_damage_fails_and_never_answers_wrongly(tides: Any) -> None:
    archive: Archive = tides.archive
    relation = archive.sql("FROM events")
    segment = tides.segments()[1]
    break_pages(segment)
    with pytest.raises(duckdb.Error):
        relation.to_arrow_table()


def test_what_is_no_damage_is_a_query_error(tides: Any) -> None:
    """A log that is whole, and a query of ours that fails on what it holds."""
    for query in ("SELECT error('odd')", "SELECT CAST('x' AS INTEGER)", "FROM nowhere"):
        with pytest.raises(QueryError):
            tides.engine().arrow(query)


def test_a_payload_that_is_no_json_is_a_query_error(desk: Any, event: MakeEvent) -> None:
    """As a hostile archive may hold it; the events themselves stay readable."""
    odd = event("aaaa", 1, "block.observed", "block:1")
    hostile = Event(**{name: getattr(odd, name) for name in SCHEMA.names} | {"payload": "{not json"})
    engine = desk.write([hostile]).engine()
    with pytest.raises(QueryError, match=r"(?i)malformed json"):
        engine.arrow("FROM blocks")
    assert engine.relation("SELECT payload FROM events").fetchall() == [("{not json",)]


# ----------------------------------------------------------------------- compacted while being read


def compacting(desk: Any, events: int = 6) -> EventLog:
    """The log of a desk, with so many segments to be compacted."""
    log: EventLog = desk.log()
    for number in range(1, events + 1):
        log.append([Draft(kind="block.observed", object_id=f"block:{number}", payload={"title": "T"})])
    return log


COUNT = "SELECT count(*) AS n FROM blocks"
BLOCKS = "SELECT DISTINCT object_id FROM events WHERE kind = 'block.observed'"


@pytest.mark.parametrize("size", ["held", "large"])
@pytest.mark.parametrize("how", ["arrow", "stream", "facts", "relation"])
def test_an_answer_whose_files_are_compacted_away_begins_again(
    desk: Any, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, how: str, size: str
) -> None:
    """Another process runs `compact --now` between the listing and the reading."""
    if size == "large":
        request.getfixturevalue("as_large")
    log = compacting(desk)
    engine = desk.engine()
    listed = engine._log.coverage()
    compact(log, now=True)
    known = iter([listed])
    again = engine._log.coverage
    monkeypatch.setattr(engine._log, "coverage", lambda: next(known, None) or again())
    head = listed.head
    ask: dict[str, Callable[[], pa.Table]] = {
        "arrow": partial(engine.arrow, COUNT, head=head),
        "stream": lambda: pa.Table.from_batches(engine.stream(COUNT, head=head)),
        "facts": partial(engine.facts, f"WITH blocks AS ({BLOCKS}) {COUNT}", {}, head=head),
        "relation": lambda: engine.relation(COUNT, head=head).to_arrow_table(),
    }
    assert ask[how]()["n"].to_pylist() == [6]
    assert next(known, None) is None


@pytest.mark.usefixtures("as_large")
def test_files_that_keep_going_away_are_an_error_with_a_name(
    desk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = compacting(desk)
    engine = desk.engine()
    listed = engine._log.coverage()
    compact(log, now=True)
    monkeypatch.setattr(engine._log, "coverage", lambda: listed)
    for ask in (engine.arrow, engine.relation):
        with pytest.raises(LogError, match="keep changing while being read; try again"):
            ask(COUNT)


@pytest.mark.usefixtures("as_large")
def test_a_stream_under_way_says_to_run_it_again(desk: Any, event: MakeEvent) -> None:
    events = [
        event("aaaa", seq, "block.observed", f"block:{seq}", title=f"{seq * 7919 % 100_003:06d} a text" * 9)
        for seq in range(1, 60_001)
    ]
    desk.write(events, lambda: 500)
    stream = desk.engine().stream("SELECT payload FROM events")
    rows = next(stream).num_rows
    for segment in desk.segments():
        segment.unlink()
    try:
        rows += sum(batch.num_rows for batch in stream)
    except LogError as error:
        assert str(error).startswith("files went away while this answer was being read")  # noqa: PT017
        assert str(error).endswith("; run it again")  # noqa: PT017
    else:
        assert rows == 60_000  # it had read ahead: whole all the same, never short
