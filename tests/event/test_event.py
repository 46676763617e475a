"""Events are frozen values with a name and a place in the total order."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields, replace
from datetime import UTC, datetime

import pytest

from vfdir_lab.errors import EventError
from vfdir_lab.event import Draft, Event

EVENT = Event(
    device="k3f9",
    seq=7,
    hlc=5 << 16,
    recorded_at=datetime(2026, 11, 3, tzinfo=UTC),
    origin="arena",
    origin_at=None,
    kind="block.observed",
    kind_version=1,
    object_id="block:1",
    cause=None,
    payload='{"title":null}',
)


def test_the_envelope_is_frozen_as_version_1() -> None:
    assert [field.name for field in fields(Event)] == [
        "device",
        "seq",
        "hlc",
        "recorded_at",
        "origin",
        "origin_at",
        "kind",
        "kind_version",
        "object_id",
        "cause",
        "payload",
    ]


def test_values_cannot_be_changed() -> None:
    draft = Draft(kind="block.observed", object_id="block:1", payload={})
    for value, name in ((EVENT, "seq"), (draft, "kind")):
        with pytest.raises(FrozenInstanceError):
            setattr(value, name, 1)


def test_an_event_is_named_by_device_and_seq() -> None:
    assert EVENT.event_id == "k3f9:7"


def test_the_total_order_is_by_stamp_then_device_then_seq() -> None:
    later = [
        EVENT,
        replace(EVENT, seq=8),
        replace(EVENT, seq=10),
        replace(EVENT, device="m2aa", seq=1),
        replace(EVENT, hlc=EVENT.hlc + 1, device="aaaa", seq=1),
    ]
    assert later == sorted([later[4], later[2], later[0], later[3], later[1]], key=lambda event: event.order)


def test_the_fields_of_an_event_are_its_payload_read_anew() -> None:
    EVENT.fields["title"] = "changed"
    assert EVENT.fields == {"title": None}
    with pytest.raises(EventError):
        _ = replace(EVENT, payload="[]").fields
