"""Old payloads are lifted when read, step by step; what has no upcaster passes through."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vfdir_lab.errors import EventError
from vfdir_lab.event import KINDS, UPCASTERS, Event, Upcasters, canonical, lift


def rename(payload: dict[str, Any]) -> dict[str, Any]:
    return {("title" if key == "name" else key): value for key, value in payload.items()}


def split(payload: dict[str, Any]) -> dict[str, Any]:
    return payload | {"words": str(payload.get("title", "")).split()}


TOY: Upcasters = {("block.observed", 1): rename, ("block.observed", 2): split, ("user.observed", 3): rename}


def event(kind: str, version: int, payload: str) -> Event:
    return Event(
        device="k3f9",
        seq=1,
        hlc=1,
        recorded_at=datetime(2026, 11, 3, tzinfo=UTC),
        origin="arena",
        origin_at=None,
        kind=kind,
        kind_version=version,
        object_id="block:1",
        cause=None,
        payload=payload,
    )


@pytest.mark.parametrize(
    ("version", "payload", "lifted_to", "lifted"),
    [
        (1, '{"name":"a b"}', 3, '{"title":"a b","words":["a","b"]}'),
        (2, '{"name":"a b"}', 3, '{"name":"a b","words":[]}'),
        (3, '{"name":"a b"}', 3, '{"name":"a b"}'),
        (9, '{"name":"a b"}', 9, '{"name":"a b"}'),
    ],
)
def test_a_payload_is_lifted_one_version_at_a_time(
    version: int, payload: str, lifted_to: int, lifted: str
) -> None:
    found = lift(event("block.observed", version, payload), TOY)
    assert (found.kind_version, found.payload) == (lifted_to, lifted)


@given(st.text(), st.integers(1, 32_767), st.dictionaries(st.sampled_from("abc"), st.integers()))
def test_what_has_no_upcaster_passes_through_untouched(
    kind: str, version: int, payload: dict[str, Any]
) -> None:
    untouched = event(kind, version, canonical(payload))
    assert lift(untouched) is untouched


def test_lifting_changes_nothing_but_version_and_payload() -> None:
    old = event("block.observed", 1, '{"name":"a"}')
    new = lift(old, TOY)
    for column in Event.__slots__:
        if column not in {"kind_version", "payload"}:
            assert getattr(new, column) == getattr(old, column)
    assert old.payload == '{"name":"a"}'
    assert lift(new, TOY) == new


def test_an_old_payload_that_is_no_object_is_an_event_error() -> None:
    with pytest.raises(EventError):
        lift(event("block.observed", 1, "[1]"), TOY)


def test_every_shipped_upcaster_leads_to_the_version_written_today() -> None:
    for kind, version in UPCASTERS:
        assert 1 <= version < KINDS[kind].version
    for kind in KINDS.values():
        for version in range(1, kind.version):
            assert (kind.name, version) in UPCASTERS


@pytest.mark.parametrize(("old", "new"), [("{}", '{"status":null}'), ('{"reason":"x"}', '{"reason":"x"}')])
def test_a_lost_access_of_version_1_says_that_its_status_is_not_known(old: str, new: str) -> None:
    """Version 1 was always empty; what a strange file holds beyond that stays, as it does in SQL."""
    found = lift(event("object.access_lost", 1, old))
    assert (found.kind_version, found.payload) == (2, new)
