"""What a difference says: counts, cells, labels, refusals, and how it is shown."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from standpoints import lens_with, own, stand

from vfdir_lab.errors import ProjectionError, QueryError, UsageError
from vfdir_lab.event import Event
from vfdir_lab.projection import Lens, default_lens
from vfdir_lab.projection.engine import Engine
from vfdir_lab.projection.provenance import Difference, difference

MakeEvent = Callable[..., Event]
HOSTILE = "<script>alert(1)</script>\x1b[31m\u202e'\"&\n"


def titles(version: int, select: str, **header: Any) -> Lens:
    """A lens with another version of `titles`."""
    return lens_with(own("titles", version, select, **header))


@pytest.fixture
def engine(tides: Any) -> Engine:
    """The small archive: one channel, three blocks, three connections."""
    found: Engine = tides.engine()
    return found


def between(engine: Engine, left: Lens, right: Lens, name: str = "titles") -> Difference:
    return difference(engine, name, stand(engine, left), stand(engine, right))


ROWS = "SELECT * FROM (VALUES ('block:1', 'a'), ('block:2', 'b'), ('block:3', NULL)) AS t(object_id, title)"


def test_rows_and_cells_that_differ_are_counted_and_listed(engine: Engine) -> None:
    other = (
        "SELECT * FROM (VALUES ('block:4', 'd'), ('block:3', 'c'), ('block:1', 'a')) AS t(object_id, title)"
    )
    found = between(engine, titles(1, ROWS), titles(2, other))
    assert (found.same, found.changed, found.only_left, found.only_right) == (1, 1, 1, 1)
    assert dict(found.columns) == {"title": 1}
    assert len(found) == 3
    assert found
    assert found.relation(events=False).fetchall() == [
        ("block:2", "only here", None, '{"object_id":"block:2","title":"b"}', None),
        ("block:3", "changed", "title", None, "c"),
        ("block:4", "only there", None, None, '{"object_id":"block:4","title":"d"}'),
    ]
    assert found.relation().columns == [
        "object_id",
        "what",
        "field",
        "left",
        "right",
        "left_event",
        "right_event",
    ]
    assert [cell.object_id for cell in found.cells(2)] == ["block:2", "block:3"]


def test_the_same_standpoint_has_no_difference_and_says_so(engine: Engine) -> None:
    found = difference(engine, "blocks", stand(engine), stand(engine))
    assert not found
    assert len(found) == 0
    assert str(found) == "blocks: blocks v1 against blocks v1: no difference in 3 rows"
    assert found.relation().fetchall() == found.cells() == []
    assert "no difference" in found._repr_mimebundle_()["text/html"]


def test_a_column_of_one_side_is_named_and_not_compared(engine: Engine) -> None:
    more = "SELECT *, title || '!' AS louder, 1 AS n FROM (" + ROWS + ")"
    found = between(engine, titles(1, ROWS), titles(2, more))
    assert (found.left_columns, found.right_columns) == ((), ("louder", "n"))
    assert len(found) == 0
    assert found
    assert "columns only of titles v2: louder, n" in str(found)


def test_public_columns_that_a_version_lacks_are_of_the_other_side_only(engine: Engine) -> None:
    """They read as null, which would be a difference in each row."""
    few = own("blocks", 9, "SELECT object_id, title FROM (" + ROWS.replace("'a'", "'Tide 1'") + ")")
    found = between(engine, default_lens(), lens_with(few), "blocks")
    assert dict(found.columns) == {"title": 2}
    assert "source_url" in found.left_columns
    assert found.right_columns == ()


def test_different_keys_are_refused(engine: Engine) -> None:
    with pytest.raises(UsageError, match=r"titles v1 has the key object_id, titles v2 title: .*one key"):
        between(engine, titles(1, ROWS), titles(2, ROWS, key="title"))


def test_a_key_that_comes_twice_is_refused_and_the_first_is_named(engine: Engine) -> None:
    twice = f"{ROWS} UNION ALL {ROWS}"
    with pytest.raises(ProjectionError, match=r"titles v2 has 2 rows of the key 'block:1' \(object_id\)"):
        between(engine, titles(1, ROWS), titles(2, twice))


def test_an_unknown_projection_is_refused(engine: Engine) -> None:
    with pytest.raises(UsageError, match=r"there is no projection 'tables'; there are .*blocks"):
        difference(engine, "tables", stand(engine), stand(engine))


def test_keys_may_be_null_and_of_several_columns(engine: Engine) -> None:
    rows = "SELECT * FROM (VALUES ('a', 1, {}), ('a', NULL, {}), (NULL, NULL, {})) AS t(object_id, n, said)"
    left = titles(1, rows.format("'x'", "'y'", "'z'"), key="object_id, n", by=None)
    right = titles(2, rows.format("'x'", "'Y'", "'Z'"), key="object_id, n", by=None)
    found = between(engine, left, right)
    assert found.relation(events=False).project('object_id, field, "left", "right"').fetchall() == [
        ('["a",null]', "said", "y", "Y"),
        ("[null,null]", "said", "z", "Z"),
    ]
    assert found.same == 1
    alone = between(
        engine, titles(1, "SELECT NULL AS object_id, 1 AS n"), titles(2, "SELECT NULL AS object_id, 2 AS n")
    )
    assert [(cell.object_id, cell.left, cell.right) for cell in alone.cells()] == [(None, "1", "2")]


def test_keys_and_values_of_different_types_are_compared_as_text(engine: Engine) -> None:
    left = titles(1, "SELECT 1 AS object_id, '2' AS n, 1 AS m")
    right = titles(2, "SELECT '1' AS object_id, 2 AS n, 1.0::DOUBLE AS m")
    assert not between(engine, left, right)


@pytest.mark.parametrize(
    ("left", "right", "differs"),
    [
        ('\'{"a":1,"b":2}\'::JSON', '\'{ "b":2, "a":1 }\'::JSON', False),
        ("'{\"a\":1}'::JSON", "'{\"a\":2}'::JSON", True),
        ("'{\"a\":1}'", "'{ \"a\":1 }'", True),
        ("{'a': [1, NULL]}", "{'a': [1, NULL]}", False),
        ("{'a': [1, NULL]}", "{'a': [1, 2]}", True),
        ("[1, 2]", "NULL", True),
        ("'NaN'::DOUBLE", "'NaN'::DOUBLE", False),
        ("NULL", "NULL", False),
        ("''", "NULL", True),
    ],
)
def test_values_are_compared_null_safely_and_json_by_what_it_says(
    engine: Engine, left: str, right: str, differs: bool
) -> None:
    query = "SELECT 'block:1' AS object_id, {} AS said"
    assert bool(between(engine, titles(1, query.format(left)), titles(2, query.format(right)))) is differs


def test_metadata_is_json_even_as_text(engine: Engine) -> None:
    query = "SELECT 'block:1' AS object_id, '{}' AS metadata, {} AS more"
    left, right = query.format('{"a":1,"b":[]}', 1), query.format('{"b": [], "a": 1}', 2)
    assert dict(between(engine, titles(1, left), titles(2, right)).columns) == {"more": 1}


def test_columns_may_be_called_anything(engine: Engine) -> None:
    names = ["l", "r", "d0", "what", "key", "owner", "select", 'quo"te', "it's", "is_there", "left_row", "n"]
    given = ", ".join(f"{{}} AS {chr(34)}{name.replace(chr(34), chr(34) * 2)}{chr(34)}" for name in names)
    left, right = (f"SELECT 'a' AS object_id, {given.format(*[n] * len(names))}" for n in (1, 2))
    found = between(engine, titles(1, left), titles(2, right))
    assert dict(found.columns) == dict.fromkeys(names, 1)
    assert [cell.field for cell in found.cells()] == names


def test_two_heads_are_told_apart_with_the_event_behind_each_value(tides: Any, event: MakeEvent) -> None:
    tides.write([event("bbbb", 1, "block.observed", "block:1", at=99, title="Ebb")])
    engine = tides.engine()
    found = difference(engine, "blocks", stand(engine, head="aaaa:10"), stand(engine))
    assert (found.left, found.right) == ("head aaaa:10", "head aaaa:10,bbbb:1")
    assert found.relation().fetchall() == [
        ("block:1", "changed", "title", "Tide 1", "Ebb", "aaaa:4", "bbbb:1")
    ]
    assert str(found).splitlines()[-1].split() == ["block:1", "title", "Tide", "1", "Ebb", "aaaa:4", "bbbb:1"]
    (cell,) = found.cells()
    assert "bbbb:1 seen on are.na, 2026-11-03 12:00:00" in cell.because


def test_two_moments_are_told_apart(tides: Any, event: MakeEvent) -> None:
    engine = tides.write([event("bbbb", 1, "block.observed", "block:1", at=9999, title="Ebb")]).engine()
    then = datetime(2026, 11, 3, 12, 0, 5, tzinfo=UTC)
    found = difference(engine, "blocks", stand(engine, at=then), stand(engine, at=then + timedelta(hours=1)))
    assert (found.left, found.right) == ("what was so 2026-11-03 12:00:05", "what was so 2026-11-03 13:00:05")
    assert [(cell.left, cell.right, cell.left_event, cell.right_event) for cell in found.cells()] == [
        ("Tide 1", "Ebb", "aaaa:4", "bbbb:1")
    ]


def test_lenses_of_one_version_are_told_apart_by_name(engine: Engine) -> None:
    """`channels` is the same version, what it reads is not."""
    none = own("connections", 9, "SELECT * FROM (SELECT NULL AS object_id, NULL AS channel) WHERE false")
    found = between(engine, default_lens(), lens_with(none), "channels")
    assert (found.left, found.right) == ("lens default", "lens mine")
    assert [(cell.field, cell.left, cell.right) for cell in found.cells()] == [("length", "3", "0")]


def test_hostile_text_stays_text(tides: Any, event: MakeEvent) -> None:
    tides.write([event("bbbb", 1, "block.observed", "block:1", at=99, title=HOSTILE)])
    engine = tides.engine()
    found = difference(engine, "blocks", stand(engine, head="aaaa:10"), stand(engine))
    shown = found._repr_mimebundle_()
    assert "<script" not in shown["text/html"]
    assert "&lt;script&gt;" in shown["text/html"]
    for text in shown.values():
        assert not set(text) & {"\x1b", "\u202e"}
    assert "\\x1b[31m\\u202e" in str(found)
    assert len(str(found).splitlines()) == len(str(found).split("\n")) == 5
    assert found.cells()[0].right == HOSTILE


def test_a_hostile_column_name_stays_text(engine: Engine) -> None:
    left, right = (f"SELECT 'a' AS object_id, {n} AS \"<b>\x1b\"" for n in (1, 2))
    shown = between(engine, titles(1, left), titles(2, right))._repr_mimebundle_()
    assert "<b>" not in shown["text/html"]
    assert "\x1b" not in shown["text/plain"] + shown["text/html"]


def test_the_page_is_an_accessible_table(engine: Engine) -> None:
    page = between(engine, titles(1, ROWS), titles(2, f"{ROWS} LIMIT 1"))._repr_mimebundle_()["text/html"]
    assert page.count("<caption") == 1
    assert page.count('scope="col"') == 5
    assert page.count('scope="row"') == 2
    assert "background:#fff" not in page
    assert "only in titles v1" in page


def test_what_is_left_out_is_said(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vfdir_lab.projection.provenance.attribution.Attribution.bound", 30)
    rows = "SELECT 'block:' || i AS object_id, i + {} AS n FROM (SELECT unnest(range(50)) AS i)"
    found = between(engine, titles(1, rows.format(0)), titles(2, rows.format(1)))
    lines = str(found).splitlines()
    assert lines[-2:] == [
        "… and 30 more cells: `.relation()` has them all",
        "events are looked for in the first 30 rows that differ",
    ]
    assert len(found.relation().fetchall()) == len(found.cells()) == 50


def test_rows_that_cannot_be_read_are_a_typed_error(engine: Engine) -> None:
    with pytest.raises(QueryError, match="Conversion"):
        between(engine, titles(1, ROWS), titles(2, "SELECT payload::BIGINT AS object_id FROM events"))


def test_a_relation_answers_further_sql_confined(engine: Engine, tmp_path: Any) -> None:
    found = between(engine, titles(1, ROWS), titles(2, f"{ROWS} LIMIT 1"))
    relation = found.relation()
    del found
    assert relation.filter("what = 'only here'").project("object_id").fetchall() == [
        ("block:2",),
        ("block:3",),
    ]
    with pytest.raises(Exception, match="disabled"):
        relation.write_csv(str(tmp_path / "out.csv"))
