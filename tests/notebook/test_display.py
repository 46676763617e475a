"""How things look: nothing remote is markup, nothing is hidden, nulls and cuts are told."""

import html
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vfdir_lab.archive import Archive
from vfdir_lab.event import Draft
from vfdir_lab.notebook.display import COUNTED, SHOWN, relation_bundle
from vfdir_lab.notebook.table import HTML_WIDTH, WHOLE, Column, Table, as_html, as_text, visible
from vfdir_lab.sync.push_report import Pushed, PushReport

OURS = {
    "style", "div", "table", "caption", "thead", "tbody", "tr", "th", "td", "small", "p", "pre",
}  # fmt: skip
HOSTILE = "<img src=x onerror=alert(1)>\x1b[31m\u202egnp.exe\u2066"


class Page(HTMLParser):
    """What a browser would make of our HTML: tags, attributes and the text of the cells."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.cells: list[str] = []
        self.style = ""
        self._open = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs
        self._open = tag
        if tag == "td":
            self.cells.append("")

    def handle_endtag(self, tag: str) -> None:
        self._open = ""

    def handle_data(self, data: str) -> None:
        if self._open == "td":
            self.cells[-1] += data
        if self._open == "style":
            self.style += data


def one_cell(text: str | None) -> Table:
    return Table(caption=text or "", columns=(Column(name=text or "", note=text or ""),), rows=[[text]])


@given(st.text())
def test_any_text_stays_text(text: str) -> None:
    page = Page(as_html(one_cell(text)))
    assert page.tags <= OURS
    assert not [name for name, _ in page.attributes if name.startswith("on") or name in {"src", "href"}]
    if len(text) <= HTML_WIDTH:
        assert page.cells == [visible(text)]


@given(st.text())
def test_nothing_steers_a_terminal_or_turns_the_writing_round(text: str) -> None:
    for shown in (as_text(one_cell(text)), as_html(one_cell(text))):
        controls = [char for char in shown if char != "\n" and ord(char) in {*range(32), *range(127, 160)}]
        assert not controls
        assert not set(shown) & {*"\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f"}


@given(st.text())
def test_a_text_takes_one_line_of_a_terminal(text: str) -> None:
    shown = as_text(one_cell(text))
    assert shown.count("\n") == 2
    assert len(shown.splitlines()) <= 3


def test_hidden_characters_are_spelled_out_and_joined_ones_are_not() -> None:
    assert visible("a\u202eb\x1b") == "a\\u202eb\\x1b"
    assert visible("👩\u200d🚀") == "👩\u200d🚀"
    assert visible("two\nlines") == "two ⏎ lines"


def test_a_long_text_is_cut_and_there_to_be_read_whole() -> None:
    text = "word " * 100
    page = Page(as_html(one_cell(text)))
    assert len(page.cells[0]) == HTML_WIDTH
    assert page.cells[0].endswith("…")
    assert ("title", text) in page.attributes


def test_what_can_be_read_whole_has_a_bound() -> None:
    huge = Table(caption="1 row", columns=(Column(name="text"),), rows=[["x" * 10**6]])
    assert len(as_html(huge)) < WHOLE + 5_000


def test_a_null_is_not_the_text_null() -> None:
    null, text = as_html(one_cell(None)), as_html(one_cell("NULL"))
    assert 'class="null"' in null
    assert 'class="null"' not in text


def test_nothing_is_loaded_from_anywhere() -> None:
    page = Page(as_html(one_cell("x")))
    assert "url(" not in page.style
    assert "@import" not in page.style


def test_a_table_can_be_used_without_seeing_it() -> None:
    shown = as_html(Table(caption="1 row", columns=(Column(name="title"),), rows=[["x"]]))
    assert "<caption>1 row</caption>" in shown
    assert '<th scope="col">' in shown
    assert 'lang="en" role="region" aria-label="1 row" tabindex="0"' in shown


def relation(query: str) -> duckdb.DuckDBPyRelation:
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    return connection.sql(query)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (0, "0 rows"),
        (1, "1 row"),
        (SHOWN, f"{SHOWN} rows"),
        (SHOWN + 1, f"the first {SHOWN} of {SHOWN + 1} rows"),
        (COUNTED, f"the first {SHOWN} of {COUNTED:,} rows"),
        (COUNTED + 1, f"the first {SHOWN} of more than {COUNTED:,} rows"),
        (10**12, f"the first {SHOWN} of more than {COUNTED:,} rows"),
    ],
)
def test_a_relation_says_how_many_rows_there_are_where_that_is_cheap(rows: int, said: str) -> None:
    shown = relation_bundle(relation(f"SELECT range AS n FROM range({rows})"))
    assert shown["text/plain"].splitlines()[0] == said
    assert len(Page(shown["text/html"]).cells) == min(rows, SHOWN)


def test_a_relation_shows_types_aligns_numbers_and_says_utc() -> None:
    shown = relation_bundle(
        relation("SELECT 1::BIGINT AS n, TIMESTAMPTZ '2026-11-03 12:00:00+02' AS at, 'x' AS word")
    )
    assert '<th scope="col" class="num">n<small>BIGINT</small>' in shown["text/html"]
    assert "TIMESTAMPTZ, UTC" in shown["text/html"]
    assert Page(shown["text/html"]).cells == ["1", "2026-11-03 10:00:00", "x"]


def test_times_of_another_zone_are_not_called_utc() -> None:
    """A person's own connection may have another zone; then the offset stays."""
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'Asia/Tokyo'")
    shown = relation_bundle(connection.sql("SELECT TIMESTAMPTZ '2026-11-03 12:00:00+00' AS at"))
    assert "UTC" not in shown["text/html"]
    assert Page(shown["text/html"]).cells == ["2026-11-03 21:00:00+09"]


@pytest.mark.parametrize(
    "value",
    [
        "TIMESTAMPTZ 'infinity'",
        "'\\xff\\x00'::BLOB",
        "{'a': [1, NULL]}",
        "MAP {'k': 1}",
        "170141183460469231731687303715884105727::HUGEINT",
        "INTERVAL 1 MONTH",
        "DATE '-infinity'",
        "'NaN'::DOUBLE",
        "NULL",
        "'a'::ENUM('a', 'b')",
        "union_value(one := 1)",
        "gen_random_uuid()",
        "'{\"a\": 1}'::JSON",
    ],
)
def test_every_type_has_a_look(value: str) -> None:
    assert len(Page(relation_bundle(relation(f"SELECT {value} AS v"))["text/html"]).cells) == 1


def test_columns_of_one_name_are_both_shown() -> None:
    assert Page(relation_bundle(relation("SELECT 1 AS a, 2 AS a"))["text/html"]).cells == ["1", "2"]


def test_a_plan_keeps_its_lines() -> None:
    shown = relation_bundle(relation("EXPLAIN SELECT 1"))
    assert len(shown["text/plain"].splitlines()) > 3
    assert "<pre>" in shown["text/html"]


def test_a_relation_is_shown_as_a_table_wherever_it_comes_from(opened: Any) -> None:
    bundle = opened.shown(opened.variables["archive"].sql("SELECT title FROM blocks ORDER BY 1 LIMIT 1"))
    assert set(bundle) == {"text/plain", "text/html"}
    assert "Spring and neap" in bundle["text/html"]


def test_a_relation_that_fails_says_so_in_its_place(opened: Any) -> None:
    failing = opened.variables["archive"].sql("SELECT title::INTEGER FROM blocks")
    assert "Could not convert string" in opened.shown(failing)["text/plain"]
    assert "QueryError" in opened.shown(failing)["text/plain"]


@pytest.fixture
def hostile(make_archive: Callable[..., Archive]) -> Archive:
    """An archive in which everything that others name is hostile."""
    archive = make_archive(
        Draft(
            kind="channel.observed",
            object_id="channel:1",
            payload={"title": HOSTILE, "slug": HOSTILE, "visibility": HOSTILE},
            origin="arena",
        ),
        Draft(kind="scan.started", object_id="scan:1", payload={"channel": "channel:1"}),
    )
    archive.projections["blocks"].save(4, HOSTILE, f"/* {HOSTILE} */ SELECT object_id FROM events")
    with archive.transaction(HOSTILE) as tx:
        tx.add_channel(HOSTILE)
    return archive


@pytest.mark.parametrize(
    "value",
    [
        lambda archive: archive.status(),
        lambda archive: archive.projections,
        lambda archive: archive.projections["blocks"],
        lambda archive: archive.projections["blocks"][4],
        lambda archive: archive.projections.check(),
        lambda archive: archive.lens("default"),
        lambda archive: archive.lens("unmade"),
        lambda archive: archive.as_of("2026-01-01", axis="effective"),
        lambda archive: archive.verify(),
        lambda archive: archive.sql("FROM channels"),
        lambda archive: archive.rehearse(),
        lambda archive: PushReport(
            transactions=(Pushed(tx="tx:1", label=HOSTILE, state="rejected", attempts=1, why=HOSTILE),),
            requests=1,
            waited_seconds=0,
            paused=HOSTILE,
        ),
        lambda archive: PushReport(transactions=(), requests=0, waited_seconds=0),
        lambda archive: archive.undo(),
    ],
    ids=[
        "status",
        "projections",
        "projection",
        "version",
        "check",
        "view",
        "no lens",
        "was so",
        "verify",
        "sql",
        "plan",
        "push",
        "no push",
        "undo",
    ],
)
def test_everything_displays_and_nothing_hostile_is_markup(
    notebook: Any, hostile: Archive, value: Callable[[Archive], object]
) -> None:
    bundle = notebook.shown(value(hostile))
    assert Page(bundle["text/html"]).tags <= OURS
    for shown in bundle.values():
        assert "\x1b" not in shown
        assert "\u202e" not in shown
    assert html.unescape(bundle["text/plain"])


def test_what_is_wrong_with_a_log_is_a_row_each(notebook: Any, archive: Archive) -> None:
    segment = next(archive.path.glob("log/*/*/*.parquet"))
    data = bytearray(segment.read_bytes())
    data[len(data) // 2] ^= 1
    segment.write_bytes(data)
    bundle = notebook.shown(Archive(archive.path).verify())
    assert "in 1 segments" in bundle["text/plain"]
    assert "not those its name proves" in bundle["text/html"]
