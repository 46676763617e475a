"""Why a cell says what it says: winner, losers, rule, and how it is shown."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from standpoints import OverTable, lens_with, own, stand

from vfdir_lab.errors import UsageError
from vfdir_lab.event import Event
from vfdir_lab.projection.provenance import Why, why

MakeEvent = Callable[..., Event]
CREATED = "2026-01-01T00:00:00Z"
HOSTILE = "<script>alert(1)</script>\x1b[31m\u202e"


@pytest.fixture
def told(event: MakeEvent) -> OverTable:
    """One block seen three times by two devices, wished otherwise once, and a channel with two items."""
    shown = [
        event("aaaa", 1, "block.observed", "block:1", title="Tides", created_at=CREATED),
        event("aaaa", 2, "block.observed", "block:1", title="Neap tides"),
        event("aaaa", 3, "block.edited", "block:1", title="My tides"),
        event(
            "bbbb",
            1,
            "block.observed",
            "block:1",
            at=9,
            title="Neap tides",
            created_at="2026-01-01T00:00:00Z",
        ),
        event("aaaa", 4, "block.observed", "block:2", at=10, title="Gone"),
        event("aaaa", 5, "block.vanished", "block:2", at=11),
        event("aaaa", 6, "connection.observed", "connection:2", at=12, channel="channel:1", item="block:3"),
        event("aaaa", 7, "connection.observed", "connection:1", at=13, channel="channel:1", item="block:1"),
    ]
    shown[1] = replace(shown[1], cause="scan:s")
    shown[2] = replace(shown[2], origin="aaaa")
    return OverTable(shown)


def of(engine: OverTable, object_id: str, field: str, **options: Any) -> Why:
    return why(engine, object_id, field, stand(engine), **options)


def test_the_winner_and_the_losers_are_named(told: OverTable) -> None:
    found = of(told, "block:1", "TITLE")
    assert (found.field, found.value, found.is_there) == ("title", "Neap tides", True)
    assert found.winner is not None
    assert found.winner["event_id"] == "aaaa:2"
    assert [(one.event["event_id"], one.value, one.reason) for one in found.losers] == [
        ("aaaa:1", "Tides", "earlier in the total order, overridden by aaaa:2"),
        ("aaaa:3", "My tides", "not shown by this rule"),
    ]


def test_a_value_that_is_spelled_otherwise_in_the_payload_did_not_lose(told: OverTable) -> None:
    """The second device's `created_at` is the same moment as the winner's."""
    found = of(told, "block:1", "created_at")
    assert found.winner is not None
    assert found.winner["event_id"] == "aaaa:1"
    assert found.losers == ()


def test_the_rule_is_told_with_the_lines_about_the_column(told: OverTable) -> None:
    found = of(told, "block:1", "title")
    assert found.rule.called == "blocks v1"
    assert found.lines
    assert all("title" in line.lower() for line in found.lines)
    text = str(found)
    assert "rule   blocks v1: Best prediction" in text
    assert found.rule.prose.split(".", maxsplit=1)[0] in text


def test_it_reads_as_sentences(told: OverTable) -> None:
    lines, when = str(of(told, "block:1", "title")).splitlines(), "on 2026-11-03 12:00:00"
    assert lines[:4] == [
        "block:1 title is “Neap tides”",
        "from   aaaa:2  seen on are.na (scan:s) on 2026-11-03 12:00:00",
        f"not    “Tides”: aaaa:1  seen on are.na {when}; earlier in the total order, overridden by aaaa:2",
        "not    “My tides”: aaaa:3  edited on device aaaa on 2026-11-03 12:00:00; not shown by this rule",
    ]


def test_a_row_that_is_gone_has_the_event_that_took_it_away(told: OverTable) -> None:
    found = of(told, "block:2", "title")
    assert (found.is_there, found.value) == (False, None)
    assert found.winner is not None
    assert found.winner["event_id"] == "aaaa:5"
    assert str(found).startswith("block:2 title: no row of blocks v1\nfrom   aaaa:5  found gone on are.na")


def test_a_position_is_explained_by_another_connection(told: OverTable) -> None:
    found = of(told, "connection:2", "position")
    assert found.value == "2"
    assert found.winner is not None
    assert found.winner["event_id"] == "aaaa:7"


def test_another_projection_can_be_asked(told: OverTable) -> None:
    mine = own("loud", 1, "SELECT title AS loud, upper(title) AS said FROM blocks", key="loud", by=None)
    found = why(told, "Neap tides", "said", stand(told, lens_with(mine)), projection="loud")
    assert found.value == "NEAP TIDES"
    assert found.winner is not None
    assert found.winner["event_id"] == "aaaa:2"
    assert found.rule.called == "loud v1"


def test_a_key_of_several_columns_is_a_json_array(told: OverTable) -> None:
    """As a difference gives it; the losers are the events of the object in it."""
    select = "SELECT object_id, 'title' AS field, title AS said FROM blocks"
    fields = own("fields", 1, select, key="object_id, field", by="object_id")
    where = stand(told, lens_with(fields))
    found = why(told, '["block:1","title"]', "said", where, projection="fields")
    assert found.winner is not None
    assert (found.value, found.winner["event_id"]) == ("Neap tides", "aaaa:2")
    assert [one.value for one in found.losers] == ["Tides"]
    with pytest.raises(UsageError, match="give it as a JSON array of texts, not 'block:1'"):
        why(told, "block:1", "said", where, projection="fields")


def test_what_is_not_there_is_refused_with_what_there_is(told: OverTable) -> None:
    with pytest.raises(UsageError, match="nothing is known of 'block:9'"):
        of(told, "block:9", "title")
    with pytest.raises(UsageError, match="blocks v1 has no column 'titel'; it has object_id, remote_id"):
        of(told, "block:1", "titel")
    with pytest.raises(UsageError, match="'tides' has no table here; ids begin with block, channel"):
        of(told, "tides", "title")
    with pytest.raises(UsageError, match=r"there is no projection 'tables'; .*projections are .*blocks"):
        of(told, "block:1", "title", projection="tables")


def test_as_dict_is_json(told: OverTable) -> None:
    found = json.loads(json.dumps(of(told, "block:1", "title").as_dict()))
    assert found["value"] == "Neap tides"
    assert found["winner"]["event_id"] == "aaaa:2"
    assert isinstance(found["winner"]["hlc"], str)
    assert [one["value"] for one in found["losers"]] == ["Tides", "My tides"]
    assert (found["rule"]["projection"], found["rule"]["version"]) == ("blocks", 1)


def test_hostile_text_stays_text(event: MakeEvent) -> None:
    engine = OverTable(
        [
            event("aaaa", 1, "block.observed", "block:1", title=HOSTILE),
            event("aaaa", 2, "block.observed", "block:1", title=f"{HOSTILE}!"),
        ]
    )
    shown = of(engine, "block:1", "title")._repr_mimebundle_()
    assert "<script" not in shown["text/html"]
    assert "&lt;script&gt;" in shown["text/html"]
    assert not set("".join(shown.values())) & {"\x1b", "\u202e"}
    assert 'scope="row"' in shown["text/html"]


def test_a_hostile_id_is_a_value(told: OverTable) -> None:
    with pytest.raises(UsageError, match="nothing is known"):
        of(told, "block:1' OR '1'='1", "title")
