"""Laws of version 1 of `blocks`, `channels` and `connections`, over any history of facts and wishes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from stories import MIRROR, OPEN, Shown, Story, stories

from vfdir_lab.event import Event

Row = dict[str, Any]
FIELDS = {"blocks": ("title", "description", "content"), "channels": ("title", "description", "visibility")}


@pytest.fixture(scope="module")
def predicted() -> Iterator[Shown]:
    shown = Shown()
    yield shown
    shown.close()


@pytest.fixture(scope="module")
def mirrored() -> Iterator[Shown]:
    shown = Shown(**MIRROR)
    yield shown
    shown.close()


def by_id(rows: Iterable[Row]) -> dict[str, Row]:
    """The rows by their object, each of which is there once."""
    found: dict[str, Row] = {}
    for row in rows:
        assert row["object_id"] not in found, row
        found[row["object_id"]] = row
    return found


@settings(max_examples=50)
@given(story=stories(closed=True))
def test_where_no_wish_is_open_it_is_the_mirror(predicted: Shown, mirrored: Shown, story: Story) -> None:
    assert predicted.rows(story.events, *MIRROR) == mirrored.rows(story.events, *MIRROR)


@settings(max_examples=50)
@given(story=stories())
def test_whatever_is_wished_an_object_is_there_once_and_a_channel_is_counted_through(
    predicted: Shown, story: Story
) -> None:
    shown = predicted.rows(story.events, *MIRROR)
    channels, connections = by_id(shown["channels"]), shown["connections"]
    by_id(shown["blocks"])
    by_id(connections)
    positions: dict[str, list[int]] = {}
    for row in connections:
        positions.setdefault(row["channel"], []).append(row["position"])
    for channel, found in positions.items():
        assert sorted(found) == list(range(1, len(found) + 1))
        if channel in channels:
            assert channels[channel]["length"] == len(found)


# ------------------------------------------------------------------------------- against a naive fold


class Wishes:
    """The open wishes of a history, by walking it: of each object its open events in their order."""

    def __init__(self, events: Iterable[Event]) -> None:
        ordered = sorted(events, key=lambda event: event.order)
        states: dict[str, str] = {}
        names: dict[str, str] = {}
        for event in ordered:
            verb = event.kind.partition(".")[2]
            if event.kind == "object.bound":
                names.setdefault(event.object_id, event.fields["remote"])
            elif event.kind == "tx.committed":
                for intent in event.fields["intents"]:
                    states.setdefault(intent, "committed")
            elif event.kind.startswith("tx."):
                states[event.fields["intent"]] = "committed" if verb == "requeued" else verb
        self.of: dict[str, list[Event]] = {}
        for event in ordered:
            if states.get(event.fields.get("intent", "")) in OPEN:
                self.of.setdefault(names.get(event.object_id, event.object_id), []).append(event)


def text(value: Any) -> Any:
    return value["markdown"] if isinstance(value, dict) else value


def covered(row: Row, wishes: Iterable[Event], fields: Iterable[str]) -> Row:
    """A row of the mirror with wishes over it, oldest first."""
    row = dict(row)
    metadata = json.loads(row["metadata"]) if row["metadata"] else None
    for event in wishes:
        verb = event.kind.partition(".")[2]
        if verb not in {"edited", "drafted"}:
            continue
        row["pending"] = True
        for field, value in event.fields.items():
            if field in fields and not (field == "content" and verb == "drafted"):
                row[field] = text(value)
            elif field == "metadata" and value:
                metadata = {**(metadata or {}), **value}
                metadata = {key: one for key, one in metadata.items() if value.get(key, one) is not None}
    return row | {"metadata": metadata}


@settings(max_examples=50)
@given(story=stories())
def test_the_newest_open_wish_of_each_field_goes_over_what_are_na_shows(
    predicted: Shown, mirrored: Shown, story: Story
) -> None:
    """Of everything that are.na shows; where a mark alone tells what was made, the fold says nothing."""
    wishes = Wishes(story.events)
    before, after = mirrored.rows(story.events, *FIELDS), predicted.rows(story.events, *FIELDS)
    for name, fields in FIELDS.items():
        there, shown = by_id(before[name]), by_id(after[name])
        for about, row in there.items():
            open_ = wishes.of.get(about, [])
            if any(event.kind == "channel.deleted" for event in open_):
                assert about not in shown
                continue
            if "vfdir_tx" in (row["metadata"] or ""):
                continue
            now = shown[about] | {"metadata": json.loads(shown[about]["metadata"] or "null")}
            expected = covered(row, open_, fields)
            assert {key: now[key] for key in (*fields, "metadata", "pending")} == {
                key: expected[key] for key in (*fields, "metadata", "pending")
            }
