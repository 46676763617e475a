"""Whatever the text: lint answers, at places that are in the file. Whatever it lets pass is deterministic."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random

import pyarrow as pa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vfdir_lab.event import Event, canonical
from vfdir_lab.event.stamp import EPOCH
from vfdir_lab.log.segment import table_of
from vfdir_lab.projection.lint import RULES, Finding
from vfdir_lab.projection.scratch import scratch

Lint = Callable[[str], tuple[Finding, ...]]
SCRAPS = [
    *(
        "SELECT",
        "object_id",
        "FROM",
        "events",
        "blocks",
        "(",
        ")",
        ",",
        ";",
        "'",
        '"',
        "--",
        "/*",
        "*/",
        "\n",
    ),
    *("GROUP BY", "ORDER BY", "LIMIT", "1", "arg_max", "list", "now", "OVER", "WITH x AS", "COPY", "é", "*"),
    *("JOIN", "ON", "=", "->>", "UNION", "latest", "COALESCE", "$", "-- key: x", "\r", "\x00", "{", "}", ":"),
]


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.one_of(st.text(max_size=80), st.lists(st.sampled_from(SCRAPS), max_size=20).map(" ".join)))
def test_any_text_is_answered_with_places_in_it(text: str, findings: Lint) -> None:
    lines = ("-- projection: mine\n-- version: 1\n-- title: Mine\n-- key: object_id\n" + text).split("\n")
    for found in findings(text):
        assert found.rule in RULES
        assert 1 <= found.line <= len(lines)
        assert 1 <= found.column <= len(lines[found.line - 1]) + 1
        assert found.message
        assert "\n" not in str(found)


def test_nesting_without_end_is_a_finding(findings: Lint) -> None:
    for text in (
        "SELECT " + "(" * 5000,
        "SELECT " + "(" * 3000 + "1" + ")" * 3000,
        "SELECT " + "1+" * 4000 + "1",
    ):
        assert [one.rule for one in findings(text)] == ["one-select"]


def log() -> list[Event]:
    """Twelve events by three devices with few stamps: equal in all that is not a key."""
    events = []
    for number in range(12):
        device = "abc"[number % 3] * 4
        events.append(
            Event(
                device=device,
                seq=number // 3 + 1,
                hlc=number // 3,
                recorded_at=EPOCH,
                origin="arena",
                origin_at=None,
                kind=f"kind.{number}",
                kind_version=1,
                object_id=f"block:{number % 2}",
                cause=None,
                payload=canonical({"n": number}),
            )
        )
    return events


COLUMNS = st.lists(st.sampled_from(["hlc", "device", "seq", "event_id", "object_id", "origin"]), max_size=4)


@st.composite
def queries(draw: st.DrawFn) -> str:
    """A query that picks or lines up events by some columns, in one of the ways that there are."""
    order = ", ".join(draw(COLUMNS)) or "origin"
    group = draw(st.sampled_from(["object_id", "device", "object_id, device", "origin"]))
    shape = draw(
        st.sampled_from(
            [
                "SELECT {g}, arg_max(kind, ({o}, 0)) AS x FROM events GROUP BY {g}",
                "SELECT {g}, list(kind ORDER BY {o}) AS x FROM events GROUP BY {g}",
                "SELECT {g}, first(kind ORDER BY {o}) AS x FROM events GROUP BY ALL",
                "SELECT {g}, row_number() OVER (PARTITION BY {g} ORDER BY {o}) AS n, kind FROM events",
                "SELECT {g}, lag(kind) OVER (PARTITION BY {g} ORDER BY {o}) AS n, kind FROM events",
                "SELECT {g}, count(*) OVER (ORDER BY {o} ROWS 2 PRECEDING) AS n, kind FROM events",
                "SELECT {g}, kind FROM events ORDER BY {o} LIMIT 5",
                "SELECT DISTINCT ON ({g}) {g}, kind FROM events ORDER BY {o}",
                (
                    "SELECT {g}, arg_max(x, n) AS y FROM (SELECT {g}, kind AS x, row_number() OVER "
                    "(PARTITION BY {g} ORDER BY {o}) AS n FROM events) GROUP BY {g}"
                ),
                (
                    "SELECT {g}, any_value(x) AS y FROM (SELECT {g}, kind AS x FROM events QUALIFY "
                    "row_number() OVER (PARTITION BY {g} ORDER BY {o}) = 1) GROUP BY {g}"
                ),
                "SELECT ARRAY(SELECT kind FROM events ORDER BY {o}) AS x",
                (
                    "SELECT {g}, first(y.k ORDER BY {o}) AS x FROM events, LATERAL (SELECT f.kind AS k "
                    "FROM events f WHERE f.event_id = events.event_id LIMIT 1) y GROUP BY {g}"
                ),
                (
                    "SELECT e.{g}, list(f.kind ORDER BY f.seq) AS x FROM events e JOIN events f "
                    "USING (event_id) GROUP BY e.{g}"
                ),
            ]
        )
    )
    return shape.format(g=group if "e.{g}" not in shape else group.partition(",")[0], o=order)


def answer(sql: str, events: pa.Table) -> list[str]:
    with scratch((), events) as connection:
        return sorted(
            json.dumps(row, default=str) for row in connection.sql(sql).to_arrow_table().to_pylist()
        )


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sql=queries(), seed=st.integers(0, 99))
def test_what_passes_answers_the_same_in_any_order_of_its_events(sql: str, seed: int, findings: Lint) -> None:
    if any(one.rule.endswith("-order") for one in findings(sql)):
        return
    events = log()
    shuffled = Random(seed).sample(events, len(events))
    assert answer(sql, table_of(events)) == answer(sql, table_of(shuffled))
