"""What a person types can change nothing and read no file, whatever statement or function it tries."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from vfdir_lab.archive import Archive
from vfdir_lab.errors import ProjectionFileError, QueryError
from vfdir_lab.log import SCHEMA
from vfdir_lab.projection.definition import define
from vfdir_lab.projection.lens import default_lens
from vfdir_lab.projection.lint import lint
from vfdir_lab.projection.scratch import answers, scratch

CANARY = "canary-4711"


@pytest.fixture
def outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder beside the archive with files that must not be read; also the working directory."""
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "c.csv").write_text(f"word\n{CANARY}\n")
    (folder / "c.json").write_text(f'{{"word":"{CANARY}"}}\n')
    (folder / "c.sql").write_text(f"SELECT '{CANARY}'")
    pq.write_table(pa.table({"word": [CANARY]}), folder / "c.parquet")
    with duckdb.connect(str(folder / "c.duckdb")) as connection:
        connection.execute(f"CREATE TABLE word AS SELECT '{CANARY}' AS word")
    monkeypatch.chdir(folder)
    return folder


STATE = """
SELECT
    (SELECT string_agg(title, ',' ORDER BY title) FROM blocks) AS titles,
    (SELECT sum(seq) FROM events) AS seqs,
    (SELECT string_agg(view_name || view_oid, ',' ORDER BY view_oid) FROM duckdb_views()) AS views,
    (SELECT count(*) FROM duckdb_tables()) AS tables,
    lower('X') AS lower,
    current_setting('TimeZone') || current_schema() || current_database() AS setting
"""


class Prey:
    """An archive under attack: what it must look like, answer and never say."""

    def __init__(self, desk: Any, outside: Path) -> None:
        self.archive: Archive = desk.archive
        self._desk = desk
        self._outside = outside
        self._held = self.archive.sql("SELECT title FROM blocks ORDER BY title")
        self._before = self._files()
        self._says = self.archive.sql(STATE).fetchall()

    def _files(self) -> dict[str, bytes]:
        kept = {str(path): path.read_bytes() for path in self._outside.parent.rglob("*") if path.is_file()}
        return kept | self._desk.bytes()

    def attack(self, query: str) -> bool:
        """Run a query to its end. Returns whether it was answered; nothing may leak either way."""
        said = ""
        answered = False
        with suppress(QueryError, duckdb.Error):
            said = str(self.archive.sql(query).to_arrow_table().to_pylist())
            answered = True
        assert CANARY not in said, query
        if answered:
            self.is_whole(query)
        return answered

    def is_whole(self, after: str = "") -> None:
        assert self._files() == self._before, after
        assert self.archive.sql(STATE).fetchall() == self._says, after

    def still_holds(self) -> None:
        """What was asked before the attacks is answered as before, and so is what is asked now."""
        titles = [("Tide 1",), ("Tide 2",), ("Tide 3",)]
        assert self._held.fetchall() == titles
        assert self.archive.sql("SELECT title FROM blocks ORDER BY title").fetchall() == titles
        assert self.archive.sql("SELECT count(*), max(seq) FROM events").fetchall() == [(10, 10)]
        self.is_whole()


@pytest.fixture(params=["held", "large"])
def prey(request: pytest.FixtureRequest, tides: Any, outside: Path) -> Iterator[Prey]:
    if request.param == "large":
        request.getfixturevalue("as_large")
    found = Prey(tides, outside)
    yield found
    found.still_holds()


def statements(segment: Path) -> list[str]:
    """Every type of statement that DuckDB has, with a segment of the log and files outside as targets."""
    lines = Path(__file__).with_name("hostile.sql").read_text("utf-8").splitlines()
    return [line.replace("SEGMENT", str(segment)) for line in lines if not line.startswith("--")]


WRAPPINGS = [
    "{}",
    "/* SELECT */ -- SELECT\n{}",
    "({})",
    "EXPLAIN ANALYZE {}",
    "WITH x AS ({}) SELECT * FROM x",
    "WITH x AS ({} RETURNING *) SELECT * FROM x",
    "EXPLAIN ANALYZE WITH x AS ({}) SELECT * FROM x",
    "SELECT * FROM ({})",
    "SELECT ({})",
    "SELECT 1; {}",
    "{}; SELECT 1",
    "PREPARE p AS {}",
    "PREPARE p AS {}; EXECUTE p",
    "COPY ({}) TO 'new.csv'",
    "CREATE TABLE t AS {}",
    "SELECT * FROM (PIVOT ({}) ON 1)",
    "FROM blocks; {}; PIVOT blocks ON title USING count(*)",
]


def test_no_statement_changes_or_reads_a_file(prey: Prey, tides: Any) -> None:
    """Plain, second, in a common table, prepared, pivoted, analysed."""
    for statement in statements(tides.segments()[0]):
        for wrapping in WRAPPINGS:
            prey.attack(wrapping.format(statement))


@pytest.mark.parametrize(
    "call", ["FROM query({})", "FROM json_execute_serialized_sql(json_serialize_sql({}))"]
)
def test_no_statement_hides_in_a_text(prey: Prey, tides: Any, call: str) -> None:
    for statement in statements(tides.segments()[0]):
        prey.attack(call.format("'" + statement.replace("'", "''") + "'"))


def test_the_plain_changes_are_refused_in_our_words(prey: Prey) -> None:
    for query in (
        "DROP VIEW blocks",
        "INSERT INTO blocks VALUES (1)",
        "SELECT 1; SELECT 2",
        "",
        "SET threads = 1",
    ):
        with pytest.raises(QueryError, match="one SELECT at a time: a query reads the archive"):
            prey.archive.sql(query)


SUSPICIOUS = re.compile(
    r"read|scan|glob|sniff|parquet|write|secret|load|import|export|copy|attach|checkpoint|logg?|profil|external|file"
    r"|extension|storage|query|sql|exec|python|arrow|pandas|env|path|http|url|crypt|config|setting|variable|database"
)
ARGUMENTS = [
    *[
        "",
        "'c.csv'",
        "['c.csv']",
        "'c.parquet'",
        "'c.json'",
        "'c.duckdb'",
        "'*'",
        "'memory'",
        "1",
        "'c.csv', 'x'",
    ],
    *[
        "'c.parquet', 'word', 'x'",
        "'/etc/passwd'",
        "'SELECT 1'",
        "'a', 'b', 'c', 'd', 'e'",
        "1, 2, 3",
        "(SELECT 1)",
    ],
    *[
        "save_location := 'new.json'",
        "storage := 'file', storage_path := 'new'",
        "'c.csv', store_rejects := true",
    ],
]


def test_no_function_reads_a_file_or_changes_a_setting(prey: Prey) -> None:
    """All that DuckDB has whose name suggests files, settings, network or SQL, with arguments that fit."""
    kinds = {
        "table": "FROM {}({})",
        "table_macro": "FROM {}({})",
        "scalar": "SELECT {}({})",
        "pragma": "CALL {}({})",
    }
    functions = prey.archive.sql(
        "SELECT DISTINCT function_name, function_type FROM duckdb_functions()"
    ).fetchall()
    chosen = [(name, kind) for name, kind in functions if kind in kinds and SUSPICIOUS.search(name)]
    names = {name for name, _ in chosen}
    assert {
        "read_csv",
        "read_text",
        "read_blob",
        "read_parquet",
        "read_json",
        "glob",
        "sniff_csv",
        "query",
    } <= names
    assert {
        "parquet_metadata",
        "parquet_scan",
        "duckdb_secrets",
        "enable_logging",
        "enable_profiling",
    } <= names
    assert len(names) > 50
    for name, kind in sorted(chosen):
        for arguments in ARGUMENTS:
            prey.attack(kinds[kind].format(f'"{name}"', arguments))


def test_variables_of_the_program_are_no_tables(prey: Prey) -> None:
    frame = pl.DataFrame({"word": [CANARY]})
    assert frame.height == 1
    for query in (
        "SELECT * FROM frame",
        'FROM "frame"',
        "FROM CANARY",
        "FROM pl",
        "FROM query_table('frame')",
    ):
        assert not prey.attack(query)
    setting = "SELECT current_setting('python_enable_replacements')"
    assert prey.archive.sql(setting).fetchall() == [(False,)]


def test_a_query_that_fails_does_not_fail_the_next(prey: Prey) -> None:
    pauses = ["EXPLAIN ANALYZE BEGIN", "FROM force_checkpoint()", "SELECT error('x')", "FROM nowhere"]
    for query in [*pauses, *reversed(pauses)]:
        prey.attack(query)
        prey.still_holds()


READING = [
    "SELECT 1 AS x",
    "(SELECT 1 AS x)",
    "FROM blocks",
    "TABLE blocks",
    "VALUES (1)",
    "SHOW TABLES",
    "DESCRIBE blocks",
    "SUMMARIZE blocks",
    "EXPLAIN SELECT 1",
    "EXPLAIN ANALYZE SELECT 1",
    "WITH x AS (FROM blocks) FROM x",
    "SHOW blocks",
    "PIVOT blocks ON title USING count(*)",
    "UNPIVOT blocks ON title",
    "FROM query('FROM blocks')",
    "WITH x AS (PIVOT blocks ON title USING count(*)) FROM x",
    "FROM blocks PIVOT (count(*) FOR title IN ('a'))",
    "WITH blocks AS (SELECT 'mine' AS title) FROM blocks",
]


def test_reading_in_any_form_is_allowed(prey: Prey) -> None:
    for query in READING:
        assert prey.attack(query), query


def test_a_text_that_sql_cannot_hold_is_a_query_error(prey: Prey) -> None:
    for query in ("(" * 3000 + "1", "SELECT 'open", "selec", "SELECT \x00", "SELECT '\ud800'"):
        with pytest.raises(QueryError):
            prey.archive.sql(query)


@pytest.fixture
def count(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """How many connections to DuckDB were made so far."""
    made: list[object] = []
    connect = duckdb.connect
    monkeypatch.setattr(duckdb, "connect", lambda *args, **kwargs: made.append(1) or connect(*args, **kwargs))
    return lambda: len(made)


def test_a_plain_question_needs_no_new_connection(tides: Any, count: Callable[[], int]) -> None:
    archive = tides.archive
    archive.sql("SELECT 1")
    before = count()
    for _ in range(3):
        archive.sql("SELECT * FROM blocks").to_arrow_table()
    assert count() == before


def kinds(statement: str) -> set[str]:
    """The types that DuckDB gives a statement, by name; none where its own list does not have them."""
    with suppress(duckdb.Error, ValueError):
        return {one.type.name for one in duckdb.extract_statements(statement)}
    return set()


UNSPELLABLE = {
    *("INVALID", "CREATE_FUNC", "RELATION", "EXTENSION", "LOGICAL_PLAN"),  # made by programs, not by parsing
    *("ANALYZE", "VARIABLE_SET"),  # which parse as VACUUM and SET
    *("MULTI", "SELECT", "EXPLAIN"),  # in other tests: READING, WRAPPINGS
}


def test_every_type_of_statement_that_duckdb_knows_is_among_the_hostile(tmp_path: Path) -> None:
    tried = set().union(*(kinds(statement) for statement in statements(tmp_path)))
    assert set(duckdb.StatementType.__members__) - tried - UNSPELLABLE == set()


HEADER = "-- projection: mine\n-- version: 1\n-- title: Mine\n-- key: object_id\n"
BODIES = [
    *(
        "{}",
        "WITH x AS ({}) SELECT * FROM x",
        "WITH x AS ({} RETURNING *) SELECT * FROM x",
        "SELECT * FROM ({})",
    ),
    *(
        "SELECT ({}) AS object_id",
        "SELECT 1 AS object_id; {}",
        "{}; SELECT 1 AS object_id",
        "EXPLAIN ANALYZE {}",
    ),
    *("FROM query('{}')", "SELECT 1 AS object_id /* */ ; {} --", "SELECT * FROM (PIVOT ({}) ON 1)"),
]


def run_as_a_file(body: str, events: pa.Table) -> str:
    """What a person's file with this SQL says, if it is let run at all."""
    try:
        definition = define(HEADER + body, where="mine/v1_test.sql", source="own")
        return str(answers([definition], events, "FROM mine").to_pylist())
    except (ProjectionFileError, QueryError) as error:
        return str(error)


def test_no_statement_hides_in_a_projections_file(prey: Prey, tides: Any) -> None:
    """Each is a finding of the lint; run all the same, it changes nothing and reads nothing."""
    events = SCHEMA.empty_table()
    for statement in statements(tides.segments()[0]):
        for body in BODIES:
            text = body.format(statement.replace("'", "''") if "query" in body else statement)
            assert CANARY not in run_as_a_file(text, events), text
        prey.is_whole(statement)


def test_every_hostile_statement_is_a_finding(tides: Any) -> None:
    known = default_lens().definitions
    hostile = statements(tides.segments()[0])
    assert [one for one in hostile if not lint(HEADER + one, where="mine/v1_test.sql", known=known)] == []


BOMBS = {
    "recursion": "WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r) SELECT max(i) FROM r",
    "cross-join": "SELECT sum(hash(a.x, b.y)) FROM range(10000000) a(x), range(10000000) b(y)",
    "product": "SELECT count(*) FROM range(10000000) a(x), range(10000000) b(y) WHERE (a.x * b.y) % 7 = 3",
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_query_without_end_heeds_an_interrupt_from_another_thread(bomb: str) -> None:
    """Ctrl-C alone may come too late: the thread that would hear of it can be the one that computes."""
    with scratch(()) as connection:
        timer = threading.Timer(0.5, connection.interrupt)
        timer.start()
        with pytest.raises(duckdb.InterruptException):
            connection.sql(BOMBS[bomb]).fetchall()
        timer.join()


BOMBER = """
import sys
from vfdir_lab.archive import Archive
archive = Archive(sys.argv[1])
print(archive.sql("SELECT current_setting('temp_directory')").fetchall()[0][0], flush=True)
archive.sql(sys.argv[2]).to_arrow_table()
"""


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_query_without_end_writes_nothing_into_the_archive(tides: Any, tmp_path: Path, bomb: str) -> None:
    """Killed in the midst of it: the archive is as before, and what is spilled goes outside of it."""
    before = tides.bytes()
    command = [sys.executable, "-c", BOMBER, str(tides.root), BOMBS[bomb]]
    home = tmp_path / "state-of-the-bomb"
    environment = os.environ | {"VFDIR_STATE_HOME": str(home)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert Path(process.stdout.readline().strip()).is_relative_to(home)
            time.sleep(0.5)
            assert process.poll() is None, "the bomb went out by itself"
        finally:
            process.kill()
    assert tides.bytes() == before
