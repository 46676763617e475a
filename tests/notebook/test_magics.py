"""`%vfdir` and `%%vfdir`: which archive, which lens, which moment, which tables; and what goes wrong."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from vfdir_lab.archive import Archive
from vfdir_lab.event import Draft

TITLES = "%%vfdir\nSELECT title FROM blocks WHERE title IS NOT NULL ORDER BY title"


def test_a_cell_reads_the_variable_archive(opened: Any) -> None:
    ran = opened.run(TITLES)
    assert ran.value.fetchall() == [("Spring and neap",), ("Tide staff",)]


def test_the_archive_that_was_opened_comes_before_the_variable(
    opened: Any, make_archive: Callable[..., Archive]
) -> None:
    other = make_archive(name="other")
    assert opened.run(f"%vfdir open '{other.path}'").value.path == other.path
    assert opened.run(TITLES).value.fetchall() == []
    assert str(other.path) in opened.run("%vfdir").stdout


def test_without_an_archive_it_says_how_to_open_one(notebook: Any) -> None:
    for cell in ("%vfdir", "%vfdir status", TITLES):
        ran = notebook.run(cell)
        assert not ran.ok
        assert "%vfdir open PATH" in ran.said


def test_status_is_the_status_of_the_archive(opened: Any, archive: Archive) -> None:
    assert opened.run("%vfdir status").value == archive.status()


def test_an_answer_can_be_given_a_name(opened: Any) -> None:
    opened.run("%%vfdir -o found\nSELECT 7 AS n")
    assert opened.variables["found"].fetchall() == [(7,)]


@pytest.mark.parametrize(
    "make",
    [pl.DataFrame, pd.DataFrame, pa.table],
    ids=["polars", "pandas", "arrow"],
)
def test_tables_of_the_notebook_can_be_named_in_a_query(opened: Any, make: Callable[..., object]) -> None:
    opened.variables["moods"] = make({"title": ["Tide staff"], "mood": ["striped"]})
    ran = opened.run("%%vfdir\nSELECT mood FROM moods JOIN blocks USING (title)")
    assert ran.value.fetchall() == [("striped",)]


def test_an_answer_can_be_named_in_the_next_query(opened: Any) -> None:
    opened.run("%%vfdir -o chosen\nSELECT title FROM blocks ORDER BY title LIMIT 1")
    assert opened.run("%%vfdir\nSELECT * FROM chosen").value.fetchall() == [("Spring and neap",)]


def test_a_table_of_the_archive_comes_before_a_variable_of_its_name(opened: Any) -> None:
    opened.variables["blocks"] = pl.DataFrame({"title": ["mine"]})
    assert opened.run("%%vfdir\nSELECT count(*) FROM Blocks").value.fetchall() == [(3,)]


def test_a_name_in_a_text_or_a_comment_names_no_table(opened: Any) -> None:
    """A variable that only seems to be named is not handed over, whatever it is called."""
    opened.variables["tides"] = pl.DataFrame({"a": [1]})
    ran = opened.run("%%vfdir\n-- FROM tides\nWITH tides AS (SELECT 'FROM tides' AS a) SELECT * FROM tides")
    assert ran.value.fetchall() == [("FROM tides",)]


@pytest.mark.parametrize(
    "query",
    [
        "FROM moods",
        "PIVOT moods ON mood USING count(*)",
        "SUMMARIZE moods",
        "DESCRIBE moods",
        "EXPLAIN SELECT * FROM moods",
        "SELECT (SELECT max(mood) FROM moods)",
        "WITH own AS (FROM moods) FROM own UNION ALL FROM own",
        "SELECT * FROM blocks, moods",
    ],
)
def test_a_table_is_found_wherever_a_query_may_name_it(opened: Any, query: str) -> None:
    opened.variables["moods"] = pl.DataFrame({"mood": ["striped"]})
    ran = opened.run(f"%%vfdir\n{query}")
    assert ran.ok
    assert ran.stderr == ""


def test_a_variable_that_is_no_table_is_not_handed_over(opened: Any) -> None:
    opened.variables["notes"] = "a text"
    ran = opened.run("%%vfdir\nSELECT * FROM notes")
    assert not ran.ok
    assert "notes" in ran.said


def test_a_cell_can_ask_what_was_known_and_what_was_so(
    opened: Any, archive: Archive, block: Callable[..., Draft]
) -> None:
    before = archive.head
    archive.log.append([block(number, None, created_at="2024-01-01T00:00:00Z") for number in (4, 5)])
    opened.variables["before"] = before
    count = "\nSELECT count(*) FROM blocks"
    assert opened.run(f"%%vfdir{count}").value.fetchall() == [(5,)]
    assert opened.run(f"%%vfdir --as-of {{before}}{count}").value.fetchall() == [(3,)]
    assert opened.run(f"%%vfdir --as-of 2023-04-01 --axis effective{count}").value.fetchall() == [(1,)]


def test_a_lens_is_chosen_for_this_session_alone(opened: Any, archive: Archive) -> None:
    archive.lens("ever").use(connections=3)
    assert opened.run("%vfdir lens ever").ok
    assert "* ever" in opened.run("%vfdir lens").stdout
    removed = "%%vfdir\nSELECT removed_at FROM connections"
    assert opened.run(removed).ok
    assert not opened.run(removed.replace("%%vfdir", "%%vfdir --lens default")).ok
    assert archive.lens("default").versions["connections"] == 1


def test_a_note_about_the_lens_is_given_once(opened: Any, archive: Archive) -> None:
    archive.projections["blocks"].save(9, "Bare", "SELECT object_id FROM events GROUP BY object_id")
    archive.projections["blocks"].use(9)
    assert "reads as null" in opened.run("%%vfdir\nSELECT object_id FROM blocks").stdout
    assert opened.run("%%vfdir\nSELECT object_id FROM blocks").stdout.count("note:") == 0


@pytest.mark.parametrize(
    ("cell", "named"),
    [
        ("%vfdir nonsense", "open PATH"),
        ("%vfdir open", "open PATH"),
        ("%vfdir open /nowhere/at/all", "/nowhere/at/all"),
        ("%vfdir lens nobody", "nobody"),
        ("%%vfdir --colour red\nSELECT 1", "--colour"),
        ("%%vfdir --lens nobody\nSELECT 1", "nobody"),
        ("%%vfdir --as-of someday\nSELECT 1", "someday"),
        ("%%vfdir --as-of 2026-01-01 --axis sideways\nSELECT 1", "sideways"),
        ("%%vfdir --axis effective\nSELECT 1", "--as-of"),
        ("%%vfdir -o 'not a name'\nSELECT 1", "not a name"),
        ("%%vfdir --lens 'open\nSELECT 1", "quotation"),
        ("%%vfdir\nSELECT titel FROM blocks", "titel"),
        ("%%vfdir\nSELECT title::INTEGER FROM blocks", "INT32"),
        ("%%vfdir\nDROP VIEW blocks", "SELECT"),
        ("%%vfdir\nSELEKT 1", "SELEKT"),
        ('%%projection blocks 2 "Mine"\nSELECT 1', "taken by vfdir_lab"),
        ('%%projection blocks two "Mine"\nSELECT 1', "two"),
        ("%%projection blocks 4\nSELECT 1", "title"),
        ('%%projection Blocks! 4 "Mine"\nSELECT 1', "Blocks!"),
        ('%%projection blocks 4 "Mine" --force\nSELECT 1', "--force"),
    ],
)
def test_what_goes_wrong_is_one_line_without_a_traceback(opened: Any, cell: str, named: str) -> None:
    ran = opened.run(cell)
    assert not ran.ok
    lines = [line for line in ran.said.splitlines() if line.strip()]
    assert len(lines) == 1
    assert named in lines[0]
    assert "Error: " in lines[0]


def test_a_query_that_fails_while_it_runs_fails_its_cell(opened: Any) -> None:
    """Relations are lazy; the cell runs what it shows, so a wrong answer is not found out elsewhere."""
    ran = opened.run("%%vfdir -o broken\nSELECT CAST(title AS DATE) FROM blocks")
    assert not ran.ok
    assert "broken" not in opened.variables


def test_the_answer_runs_once_to_be_shown(opened: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from vfdir_lab.notebook import display, magics

    ran = []

    def counting(relation: Any) -> dict[str, str]:
        ran.append(relation)
        return display_relation(relation)

    display_relation = display.relation_bundle
    monkeypatch.setattr(magics, "relation_bundle", counting)
    monkeypatch.setattr(display, "relation_bundle", counting)
    opened.run("%%vfdir\nSELECT 1 AS n")
    assert len(ran) == 1


def test_a_path_with_spaces_can_be_opened(notebook: Any, make_archive: Callable[..., Archive]) -> None:
    archive = make_archive(name="my arena")
    for written in (str(archive.path), f'"{archive.path}"'):
        assert notebook.run(f"%vfdir open {written}").value.path == Path(archive.path)


def test_each_magic_explains_itself(opened: Any) -> None:
    for magic in ("vfdir", "projection"):
        info = opened.shell.object_inspect(f"%%{magic}")
        assert f"%%{magic}" in info["docstring"]
