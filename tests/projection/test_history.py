"""The history of an object as lines for people, which is still a relation."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import asdict, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standpoints import OverTable

from vfdir_lab.event import Event
from vfdir_lab.log import Head
from vfdir_lab.projection.provenance import describe, history
from vfdir_lab.projection.provenance.wording import cut, escaped

MakeEvent = Callable[..., Event]


@pytest.fixture
def told(event: MakeEvent) -> OverTable:
    events = [
        event("aaaa", 1, "block.observed", "block:1", title="Tides", description={"markdown": "Low *water*"}),
        event("aaaa", 2, "block.observed", "block:1", title="Neap tides", description=None, type="Text"),
        event("bbbb", 1, "block.observed", "block:1", at=5, title="Neap tides"),
        event("aaaa", 3, "block.edited", "block:1", at=6, title="Mine"),
        event("aaaa", 4, "object.access_lost", "block:1", at=7),
        event("aaaa", 5, "block.vanished", "block:1", at=8),
        event("aaaa", 6, "block.observed", "block:2", at=9, title="Another"),
    ]
    events[1] = replace(events[1], cause="scan:s")
    events[3] = replace(events[3], origin="aaaa")
    return OverTable(events)


def test_each_event_says_what_it_changed(told: OverTable) -> None:
    noon = "2026-11-03 12:00:00"
    assert list(history(told, "block:1")) == [
        f"{noon}  seen on are.na: description “Low *water*”, title “Tides”",
        f"{noon}  seen on are.na (scan:s): description cleared, title “Tides” → “Neap tides”, type “Text”",
        f"{noon}  seen on are.na",
        f"{noon}  edited on device aaaa: title “Neap tides” → “Mine”",
        f"{noon}  refused to us by are.na",
        f"{noon}  found gone on are.na",
    ]


def test_what_became_of_a_wish_is_said_in_words(event: MakeEvent) -> None:
    """Its ids and what it needs to be sent and undone are left out."""
    wish = {"intent": "0f", "base": {"title": "Tides"}, "title": "Mine"}
    found = [
        event("aaaa", 1, "block.edited", "tx:1", **wish),
        event("aaaa", 2, "tx.committed", "tx:1", label="tidy", intents=["0f"]),
        event("aaaa", 3, "tx.sent", "tx:1", intent="0f", request="PUT /v3/blocks/{id}"),
        event("aaaa", 4, "tx.unknown", "tx:1", intent="0f", reason="cut off"),
        event("aaaa", 5, "tx.settled", "tx:1", intent="0f"),
    ]
    said = history(OverTable([replace(one, origin="aaaa") for one in found]), "tx:1")
    assert [line.partition("  ")[2] for line in said] == [
        "edited on device aaaa: title “Mine”",
        "committed on device aaaa: label “tidy”",
        "sent on device aaaa: request “PUT /v3/blocks/{id}”",
        "left without an answer on device aaaa: reason “cut off”",
        "settled on device aaaa",
    ]


def test_it_is_still_a_relation(told: OverTable) -> None:
    found = history(told, "block:1")
    assert found.pl()["event_id"].to_list() == [row[0] for row in found.fetchall()]
    assert found.to_arrow_table().column("event_id").to_pylist() == [
        "aaaa:1",
        "aaaa:2",
        "bbbb:1",
        "aaaa:3",
        "aaaa:4",
        "aaaa:5",
    ]
    assert found.project("event_id").limit(1).fetchall() == [("aaaa:1",)]
    assert found.relation.columns == found.columns
    assert len(found) == 6
    with pytest.raises(AttributeError):
        found.no_such_thing  # noqa: B018 - asking is the test


def test_a_copy_asks_for_nothing_without_end(told: OverTable) -> None:
    assert copy.copy(history(told, "block:1")).object_id == "block:1"


def test_it_ends_at_a_head(told: OverTable) -> None:
    assert len(history(told, "block:1", Head.parse("aaaa:2"))) == 2


def test_an_unknown_object_has_an_empty_history_that_says_so(told: OverTable) -> None:
    found = history(told, "block:\x1b9")
    assert list(found) == []
    assert str(found) == "nothing is known of block:\\x1b9"
    assert "<table" in found._repr_mimebundle_()["text/html"]


def test_a_long_history_says_what_is_left_out(event: MakeEvent) -> None:
    events = [event("aaaa", n, "block.observed", "block:1", title=f"{n}") for n in range(1, 151)]
    found = history(OverTable(events), "block:1")
    lines = str(found).splitlines()
    assert lines[:2] == ["block:1", "… 50 earlier events"]
    assert len(lines) == 102
    assert lines[-1].endswith("title “149” → “150”")
    assert found._repr_mimebundle_()["text/html"].count('scope="row"') == 100


def test_many_fields_and_long_texts_are_cut(event: MakeEvent) -> None:
    one = event("aaaa", 1, "block.observed", "block:1", **{f"field{n:02}": "x" * 500 for n in range(20)})
    line = describe(asdict(one))
    assert line.endswith("and 12 more")
    assert len(line) < 600


def test_a_payload_of_the_future_is_no_error(event: MakeEvent) -> None:
    one = asdict(event("aaaa", 1, "block.dreamt", "block:1")) | {"payload": "not JSON"}
    assert describe(one) == "2026-11-03 12:00:00  block.dreamt on are.na"


def test_hostile_text_stays_text(event: MakeEvent) -> None:
    title = "<img src=x onerror=alert(1)>\x1b]0;owned\x07\r\n\u202e"
    events = [event("aaaa", 1, "block.observed", "block:1", **{"title": title, "<b>\x1b": 1})]
    shown = history(OverTable(events), "block:1")._repr_mimebundle_()
    assert "<img" not in shown["text/html"]
    assert "<b>" not in shown["text/html"]
    assert not set("".join(shown.values())) & {"\x1b", "\x07", "\r", "\u202e"}
    assert len(shown["text/plain"].splitlines()) == 2


@given(text=st.text(st.characters(codec=None), max_size=60), length=st.integers(2, 30))
def test_cut_text_is_short_printable_and_one_line(text: str, length: int) -> None:
    shown = cut(text, length)
    assert len(shown) <= length
    assert len(f"[{shown}]".splitlines()) == 1
    assert not any(ord(one) < 32 or 127 <= ord(one) < 160 for one in shown)
    shown.encode("utf-8")
    assert escaped(escaped(text)) == escaped(text)
