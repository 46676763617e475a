"""Queries, and the rules they break with line and column below the header, which is four lines."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from vfdir_lab.projection.catalogue import shipped
from vfdir_lab.projection.lens import default_lens
from vfdir_lab.projection.lint import RULES, Finding, lint

Lint = Callable[[str], tuple[Finding, ...]]

BROKEN = [
    ("SELECT object_id,\n NOW() AS t FROM events", ["clock 6:2"]),
    ('SELECT object_id, "now"() AS t FROM events', ["clock 5:19"]),
    ("SELECT object_id, main.now() AS t FROM events", ["clock 5:24"]),
    ("SELECT object_id, current_date AS t FROM events", ["clock 5:19"]),
    ('SELECT object_id, "current_date" AS t FROM events', ["clock 5:19"]),
    ("SELECT object_id, age(recorded_at::TIMESTAMP) AS t FROM events", ["clock 5:19"]),
    ("SELECT object_id, 'TimeZone'.current_setting() AS t FROM events", ["surroundings 5:30"]),
    ("SELECT object_id, user AS t FROM events", ["surroundings 5:19"]),
    ("SELECT object_id, version() AS t FROM events", ["surroundings 5:19"]),
    ("SELECT object_id FROM main.events", ["surroundings 5:23"]),
    ("SELECT table_name AS object_id FROM duckdb_tables()", ["surroundings 5:37"]),
    ("SELECT name AS object_id FROM sqlite_master", ["surroundings 5:31"]),
    ("SELECT table_name AS object_id FROM information_schema.tables", ["surroundings 5:37"]),
    ("SELECT 'x' AS object_id FROM glob('*')", ["outside 5:30"]),
    ("SELECT * FROM 'a.parquet'", ["outside 5:15"]),
    ("SELECT object_id FROM events JOIN enable_logging() ON true", ["outside 5:35"]),
    ("SELECT object_id FROM events WHERE EXISTS (FROM 'a.csv')", ["outside 5:49"]),
    ("SELECT object_id FROM query_table('events')", ["text-as-sql 5:23"]),
    ("SELECT object_id FROM events TABLESAMPLE 10%", ["sample 5:30"]),
    ("SELECT object_id, é FROM events", ["unknown-name 5:19"]),
    ("SELECT 'é' AS e, nope AS object_id FROM events", ["unknown-name 5:18"]),
    ("SELECT nope AS object_id FROM (SELECT object_id AS nope_id FROM events)", ["unknown-name 5:8"]),
    ("SELECT foo(object_id) AS object_id FROM events", ["unknown-name 5:8"]),
    ("SELECT object_id FROM blocks b WHERE c.title = ''", ["unknown-name 5:38"]),
    ("SELECT object_id FROM eventz", ["unknown-name 5:23"]),
    ("COPY events TO 'x'", ["one-select 5:1"]),
    ("WITH x AS (COPY events TO 'x') SELECT * FROM x", ["one-select 5:12"]),
    ("SELECT object_id FROM events; SELECT 2", ["one-select 5:31"]),
    ("EXPLAIN ANALYZE SELECT 1", ["one-select 5:1"]),
    ("SELECT object_id FROM (SUMMARIZE events)", ["one-select 5:34"]),
    ("SELECT object_id FROM (PIVOT events ON kind USING count(*))", ["one-select 5:1"]),
    ("SELECT object_id FROM events WHERE", ["one-select 5:30"]),
    ("", ["one-select 1:1"]),
    ("SELECT object_id, arg_min(kind, device, 3) AS k FROM events GROUP BY 1", ["arg-max-order 5:19"]),
    ("SELECT object_id, kind.arg_max(hlc) AS k FROM events GROUP BY 1", ["arg-max-order 5:24"]),
    (
        "SELECT object_id, arg_max((kind), hlc) AS k, arg_max(kind, device) AS d FROM events GROUP BY ALL",
        ["arg-max-order 5:19", "arg-max-order 5:46"],
    ),
    ("SELECT author AS object_id, list(title) AS l FROM blocks GROUP BY author", ["aggregate-order 5:29"]),
    ("SELECT author AS object_id, title.list() AS l FROM blocks GROUP BY 1", ["aggregate-order 5:35"]),
    (
        "SELECT author AS object_id, list(DISTINCT title) AS l FROM blocks GROUP BY 1",
        ["aggregate-order 5:29"],
    ),
    ("SELECT author AS object_id, any_value(type) AS l FROM blocks GROUP BY 1", ["aggregate-order 5:29"]),
    ("SELECT author AS object_id, mode(type) AS l FROM blocks GROUP BY 1", ["aggregate-order 5:29"]),
    (
        (
            "SELECT author AS object_id, list(b.title ORDER BY c.position) AS l\n"
            "FROM connections c JOIN blocks b ON b.object_id = c.item GROUP BY author"
        ),
        ["aggregate-order 5:29"],
    ),
    (
        (
            "SELECT object_id, list(u.x ORDER BY hlc, device, seq) AS l\n"
            "FROM events, unnest([1, 2]) AS u(x) GROUP BY object_id"
        ),
        ["aggregate-order 5:19"],
    ),
    ("SELECT object_id, lag(kind) OVER (ORDER BY hlc) AS l FROM events", ["window-order 5:19"]),
    ("SELECT object_id, lag(kind) OVER w AS l FROM events WINDOW w AS (ORDER BY hlc)", ["window-order 5:19"]),
    ("SELECT object_id, first_value(kind) OVER (ORDER BY hlc) AS l FROM events", ["window-order 5:19"]),
    (
        "SELECT object_id, count(*) OVER (ORDER BY hlc ROWS 1 PRECEDING) AS l FROM events",
        ["window-order 5:19"],
    ),
    (
        "SELECT author AS object_id, row_number() OVER (ORDER BY count(*)) AS n FROM blocks GROUP BY author",
        ["window-order 5:29"],
    ),
    ("SELECT object_id FROM events LIMIT 3", ["limit-order 5:30"]),
    ("SELECT object_id, title FROM blocks ORDER BY title OFFSET 3", ["limit-order 5:52"]),
    ("SELECT DISTINCT object_id, kind FROM events ORDER BY kind LIMIT 1", ["limit-order 5:59"]),
    ("(SELECT object_id, title FROM blocks) ORDER BY title LIMIT 1", ["limit-order 5:54"]),
    (
        "SELECT object_id, kind FROM events UNION ALL SELECT object_id, title FROM blocks ORDER BY 2 LIMIT 1",
        ["limit-order 5:93"],
    ),
    ("SELECT DISTINCT ON (author) author AS object_id, title FROM blocks", ["distinct-on-order 5:21"]),
    ("SELECT blocks.object_id FROM blocks POSITIONAL JOIN channels", ["join-order 5:53"]),
    (
        (
            "WITH e AS (SELECT object_id, hlc, device, payload ->> '$.title' AS title FROM events)\n"
            "SELECT object_id, max_by(upper(title), (hlc, device)) AS t FROM e GROUP BY ALL"
        ),
        ["cleared-values 6:19"],
    ),
    (
        (
            "SELECT object_id, last_value(payload ->> 'title' IGNORE NULLS)\n"
            " OVER (PARTITION BY object_id ORDER BY hlc, device, seq) AS t FROM events"
        ),
        ["cleared-values 5:19"],
    ),
    (
        (
            "SELECT a.object_id, COALESCE(a.payload ->> 'title', b.payload ->> '$.title') AS t\n"
            "FROM events a JOIN events b USING (object_id)"
        ),
        ["cleared-values 5:21"],
    ),
    ("SELECT author AS object_id, avg(file_size / 2) AS a FROM blocks GROUP BY 1", ["float-sum 5:29"]),
    ("SELECT author AS object_id, stddev(file_size) AS a FROM blocks GROUP BY 1", ["float-sum 5:29"]),
    ("SELECT object_id, sum(1::DOUBLE) OVER () AS a FROM blocks", ["float-sum 5:19"]),
    ("SELECT object_id, ARRAY(SELECT title FROM blocks) AS l FROM channels", ["aggregate-order 5:19"]),
    (
        (
            "SELECT c.object_id, ARRAY(SELECT b.title FROM blocks b WHERE b.author = c.owner\n"
            "ORDER BY b.created_at) AS l FROM channels c"
        ),
        ["aggregate-order 5:21"],
    ),
    (
        "SELECT 1 AS object_id, array((SELECT title FROM blocks UNION SELECT slug FROM channels)) AS l",
        ["aggregate-order 5:24"],
    ),
    ("SELECT object_id, ARRAY(SELECT title FROM blocks LIMIT 3) AS l FROM channels", ["limit-order 5:50"]),
    (
        "SELECT object_id, json_group_structure(payload) AS s FROM events GROUP BY object_id",
        ["aggregate-order 5:19"],
    ),
    ("SELECT DISTINCT title COLLATE NOCASE AS object_id FROM blocks", ["collation 5:17"]),
    (
        "SELECT title AS object_id FROM blocks GROUP BY title, title COLLATE NOACCENT",
        ["collation 5:55"],
    ),
    (
        "SELECT object_id, rank() OVER (ORDER BY title COLLATE NOCASE) AS r FROM blocks",
        ["collation 5:41"],
    ),
    ("SELECT object_id FROM blocks UNION SELECT title COLLATE NOCASE FROM blocks", ["collation 5:43"]),
    (
        "SELECT author AS object_id FROM blocks GROUP BY author HAVING max(title COLLATE NOCASE) = 'x'",
        ["collation 5:67"],
    ),
    (
        (
            "SELECT b.author AS object_id, first(b.title) AS t FROM blocks b\n"
            "JOIN users u ON b.object_id = u.name COLLATE NOCASE GROUP BY b.author, u.object_id"
        ),
        ["aggregate-order 5:31"],
    ),
    (
        "SELECT object_id, arg_max(payload->'$.source.url', (hlc, device)) AS u FROM events GROUP BY ALL",
        ["cleared-values 5:19"],
    ),
    ("SELECT object_id, list(payload->'title' ORDER BY hlc, device) AS l FROM events", ["one-select 5:41"]),
    ("SELECT object_id FROM events, read_json(payload) e", ["outside 5:31"]),
    (
        (
            "SELECT author AS object_id, first(t.item) AS i FROM blocks b, LATERAL (SELECT item\n"
            "FROM connections c WHERE c.item = b.object_id LIMIT 1) t GROUP BY author"
        ),
        ["aggregate-order 5:29"],
    ),
]


@pytest.mark.parametrize(("sql", "told"), BROKEN, ids=[sql[:60] for sql, _ in BROKEN])
def test_it_is_found_at_its_place(sql: str, told: list[str], findings: Lint) -> None:
    assert [f"{one.rule} {one.line}:{one.column}" for one in findings(sql)] == told


RIGHT = [
    "SELECT * FROM events WHERE object_id LIKE 'block:%'",
    "FROM blocks",
    "SELECT object_id, user FROM (SELECT object_id, latest('user') AS user FROM events GROUP BY ALL)",
    "WITH stats(object_id) AS (SELECT object_id FROM blocks) SELECT object_id FROM stats",
    "SELECT object_id, age(updated_at, created_at) AS a FROM blocks",
    "SELECT object_id, arg_max(kind, {'h': hlc, 'd': device}) AS k FROM events GROUP BY object_id",
    "SELECT object_id, arg_max(kind, (seq, device)) AS k FROM events GROUP BY object_id",
    "SELECT object_id, device, arg_max(kind, seq) AS k FROM events GROUP BY ALL",
    "SELECT object_id, arg_max(kind, event_id) AS k FROM events WHERE device = 'aaaa' GROUP BY object_id",
    "SELECT object_id, arg_max(kind, seq) AS k FROM events WHERE device = 'aaaa' GROUP BY object_id",
    "SELECT object_id, arg_max(kind, kind) AS k FROM events GROUP BY object_id",
    (
        "SELECT object_id, arg_max(kind, hlc * 32 + d.n) AS k FROM events JOIN (SELECT device, row_number() "
        "OVER (ORDER BY device) AS n FROM events GROUP BY device) d USING (device) GROUP BY object_id"
    ),
    "SELECT author AS object_id, list(DISTINCT title ORDER BY title) AS l FROM blocks GROUP BY 1",
    (
        "SELECT channel AS object_id, string_agg(b.title, ', ' ORDER BY position) AS l\n"
        "FROM connections c JOIN blocks b ON b.object_id = c.item GROUP BY channel"
    ),
    "SELECT channel AS object_id, arg_max(item, position) AS top FROM connections GROUP BY channel",
    (
        "SELECT channel AS object_id, item FROM connections\n"
        "QUALIFY row_number() OVER (PARTITION BY channel ORDER BY position DESC) = 1"
    ),
    (
        "SELECT object_id, ARRAY(SELECT item FROM connections c WHERE c.channel = h.object_id\n"
        "ORDER BY position) AS l FROM channels h"
    ),
    "SELECT object_id, ARRAY(SELECT title FROM blocks ORDER BY title) AS l FROM channels",
    "SELECT object_id, ARRAY(SELECT max(title) FROM blocks) AS l, ARRAY[1, 2] AS m FROM channels",
    "SELECT object_id FROM blocks WHERE title COLLATE NOCASE = 'sea' OR (title COLLATE NOCASE) LIKE 's%'",
    "SELECT object_id, title COLLATE NOCASE IN ('sea', 'bay') AS wet FROM blocks",
    "SELECT object_id, json_group_structure(title) AS s FROM blocks GROUP BY object_id",
    "SELECT object_id, arg_max(payload->'$.title', (hlc, device)) ->> '$' AS t FROM events GROUP BY ALL",
    "SELECT object_id, max(payload->'$.title') AS t, json_type(payload->'n') AS n FROM events GROUP BY 1, 3",
    "SELECT i AS object_id FROM range(10) t(i)",
    (
        "SELECT author AS object_id, list(t.item ORDER BY b.object_id) AS l FROM blocks b, LATERAL (SELECT "
        "item FROM connections c WHERE c.item = b.object_id LIMIT 1) t GROUP BY author"
    ),
    "SELECT object_id, e.key FROM events, json_each(payload) e",
    "SELECT object_id, any_value(title) AS t FROM blocks GROUP BY object_id",
    (
        "SELECT channel AS object_id, list(b.title ORDER BY c.position, c.object_id) AS l\n"
        "FROM connections c JOIN blocks b ON b.object_id = c.item GROUP BY channel"
    ),
    (
        "SELECT object_id FROM (SELECT object_id, kind, row_number() OVER (PARTITION BY object_id "
        "ORDER BY hlc DESC, device, seq) AS nth FROM events) WHERE nth = 1 ORDER BY object_id LIMIT 5"
    ),
    (
        "SELECT object_id, any_value(kind) AS k FROM (SELECT object_id, kind FROM events QUALIFY "
        "row_number() OVER (PARTITION BY object_id ORDER BY hlc, device) = 1) GROUP BY object_id"
    ),
    "SELECT object_id, rank() OVER (ORDER BY hlc) AS r FROM events",
    "SELECT object_id, count(*) OVER (ORDER BY hlc) AS r FROM events",
    "SELECT author AS object_id, row_number() OVER (ORDER BY count(*), author) AS n FROM blocks GROUP BY 1",
    "SELECT object_id FROM blocks UNION ALL SELECT object_id FROM channels ORDER BY object_id LIMIT 3",
    "SELECT object_id, title FROM blocks ORDER BY ALL LIMIT 3",
    "SELECT max(object_id) AS object_id FROM blocks LIMIT 1",
    "SELECT object_id FROM blocks b WHERE EXISTS (FROM connections WHERE item = b.object_id LIMIT 1)",
    "SELECT object_id, (SELECT title FROM blocks c WHERE c.object_id = b.author LIMIT 1) AS t FROM blocks b",
    "SELECT object_id, COALESCE(payload ->> 'title', payload ->> 'slug', 'Untitled') AS t FROM events",
    "SELECT author AS object_id, sum(file_size) AS s, avg(file_size) AS a FROM blocks GROUP BY author",
    "SELECT author AS object_id, sum(1.5 * file_size) AS s FROM blocks GROUP BY author",
    "SELECT author AS object_id, sum(file_size / 2 ORDER BY object_id) AS s FROM blocks GROUP BY author",
    (
        "WITH RECURSIVE up(object_id) AS (SELECT object_id FROM blocks UNION SELECT channel FROM up "
        "JOIN connections ON item = up.object_id) SELECT object_id FROM up"
    ),
]


@pytest.mark.parametrize("sql", RIGHT, ids=[sql[:60] for sql in RIGHT])
def test_what_is_right_is_left_alone(sql: str, findings: Lint) -> None:
    assert findings(sql) == ()


def test_a_position_that_may_be_null_tells_no_rows_apart() -> None:
    """Version 3 of connections has no position for what was removed."""
    known = [one for one in default_lens().definitions if one.name not in {"connections", "channels"}]
    text = (
        "-- projection: mine\n-- version: 1\n-- title: Mine\n-- key: object_id\n"
        "SELECT channel AS object_id, arg_max(item, position) AS top FROM connections GROUP BY channel"
    )
    found = lint(text, where="mine/v1_test.sql", known=[*known, shipped()["connections", 3]])
    assert [one.rule for one in found] == ["arg-max-order"]


def test_what_takes_no_order_is_mended_by_a_list(findings: Lint) -> None:
    (found,) = findings("SELECT author AS object_id, json_group_array(title) AS l FROM blocks GROUP BY 1")
    assert found.mend == "it takes no ORDER BY; make it of a list: to_json(list(x ORDER BY object_id))"


def test_an_arrow_that_is_not_read_is_mended_by_brackets(findings: Lint) -> None:
    (found,) = findings("SELECT object_id, first(payload->'title'\nORDER BY hlc, device) AS t FROM events")
    assert found.mend == "put brackets around (payload->'title')"


HEADERS = [
    ("-- projection: mine\n-- version: 1\nSELECT 1 AS object_id", ["header 1:1", "header 1:1"]),
    (
        "-- projection: mine\n-- version: 1\n-- title: T\n-- key: id\nSELECT 1 AS object_id",
        ["key-column 4:1"],
    ),
    (
        "-- projection: mine\n-- version: 2\n-- title: T\n-- key: object_id\nSELECT 1 AS object_id",
        ["header 2:1"],
    ),
    (
        (
            "-- projection: mine\n-- version: 1\n-- title: T\n-- key: object_id\n-- refresh-by: x\n"
            "SELECT 1 AS object_id"
        ),
        ["header 5:1"],
    ),
    (
        (
            "-- projection: mine\n-- version: 1\n-- title: T\n-- title: U\n-- key: object_id, kind\n"
            "-- refresh by: moon\nSELECT 1 AS object_id"
        ),
        ["header 4:1", "key-column 5:1", "key-column 6:1"],
    ),
]


@pytest.mark.parametrize(("text", "told"), HEADERS, ids=range(len(HEADERS)))
def test_a_header_is_checked_line_by_line(text: str, told: list[str], findings: Lint) -> None:
    assert [f"{one.rule} {one.line}:{one.column}" for one in findings(text)] == told


def test_every_rule_is_met_here_or_in_its_examples() -> None:
    met = {one.split()[0] for _, told in [*BROKEN, *HEADERS] for one in told}
    here = {name for name in RULES if not name.startswith("spark-")}
    assert here - met == {"helper-call", "does-not-run", "chance", "estimate", "column-patterns"}
