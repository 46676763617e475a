"""What of an answer is a fact."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from vfdir_lab.event import canonical
from vfdir_lab.sync.normalise import Seen, changes, comment, listed_item, moment, whole_block, whole_channel

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
JSON = st.recursive(
    SCALARS | TEXT, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3)
)
UNKNOWN = st.dictionaries(TEXT.map(lambda key: f"x_{key}"), JSON, max_size=4)


@given(UNKNOWN)
def test_fields_nobody_knows_survive_byte_for_byte(unknown: dict[str, Any]) -> None:
    """Law 12, for what tomorrow's interpretation may want."""
    seen, _ = whole_block({"id": 1, "type": "Hologram", **json.loads(json.dumps(unknown))})
    kept = {key: value for key, value in seen.fields.items() if key.startswith("x_")}
    assert canonical(kept) == canonical(unknown)


@given(UNKNOWN)
def test_the_same_seen_again_is_no_change(unknown: dict[str, Any]) -> None:
    seen, _ = whole_block({"id": 1, "type": "Text", **unknown})
    assert changes(json.loads(canonical(seen.fields)), seen) == {}


@given(UNKNOWN, UNKNOWN)
def test_recorded_changes_lead_from_the_old_to_the_new(old: dict[str, Any], new: dict[str, Any]) -> None:
    before, _ = whole_block({"id": 1, **old})
    after, _ = whole_block({"id": 1, **new})
    folded = before.fields | changes(before.fields, after)
    assert {k: v for k, v in folded.items() if v is not None} == {
        k: v for k, v in after.fields.items() if v is not None
    }


def test_true_is_not_one() -> None:
    seen, _ = whole_block({"id": 1, "x": True})
    assert changes({"id": 1, "x": 1}, seen) == {"x": True}


def test_updated_at_alone_is_no_change_and_comes_along_with_one() -> None:
    old = {"id": 1, "title": "a", "updated_at": "2026-01-01T00:00:00Z"}
    moved, _ = whole_block(old | {"updated_at": "2026-02-02T00:00:00Z"})
    edited, _ = whole_block(old | {"updated_at": "2026-02-02T00:00:00Z", "title": "b"})
    assert changes(old, moved) == {}
    assert changes(old, edited) == {"title": "b", "updated_at": "2026-02-02T00:00:00Z"}


def test_a_field_that_went_is_an_explicit_null_only_where_all_fields_are_shown() -> None:
    old = {"id": 1, "title": "a", "image": {"src": "x"}, "note": None}
    whole = Seen(kind="block.observed", object_id="block:1", fields={"id": 1, "title": "a"}, whole=True)
    part = Seen(kind="channel.observed", object_id="channel:1", fields={"id": 1, "title": "a"}, whole=False)
    assert changes(old, whole) == {"image": None}
    assert changes(old, part) == {}


def test_what_is_about_the_asker_and_what_follows_from_connections_is_dropped() -> None:
    counts = {"blocks": 3, "channels": 1, "contents": 4, "collaborators": 2}
    seen, _ = whole_channel({"id": 4, "can": {"update": True}, "_links": {}, "counts": counts})
    assert seen.fields == {"id": 4, "counts": {"collaborators": 2}}


def test_renditions_and_cache_busters_of_a_picture_are_no_facts() -> None:
    small = {"src": "https://images.example/e30=", "width": 1}
    image = {"src": "https://media.example/1/original.png?1700000000?bc=0", "small": small, "width": 9}
    seen, _ = whole_block({"id": 1, "image": image, "attachment": {"url": "https://media.example/a.pdf?17"}})
    assert seen.fields["image"] == {"src": "https://media.example/1/original.png", "width": 9}
    assert seen.fields["attachment"] == {"url": "https://media.example/a.pdf"}


def test_a_query_that_means_something_is_kept() -> None:
    seen, _ = whole_block({"id": 1, "image": {"src": "https://media.example/i?id=17"}})
    assert seen.fields["image"]["src"] == "https://media.example/i?id=17"


def test_people_become_references_and_facts_of_their_own() -> None:
    person = {"id": 9, "type": "User", "name": "Ines", "slug": "ines", "avatar": "https://x.example/a.png?12"}
    group = {"id": 9, "type": "Group", "name": "Readers", "slug": "readers"}
    seen, people = whole_channel({"id": 4, "owner": group, "collaborators": [person]})
    assert seen.fields == {
        "id": 4,
        "owner": {"id": 9, "type": "Group"},
        "collaborators": [{"id": 9, "type": "User"}],
    }
    assert {one.object_id: one.fields.get("avatar") for one in people} == {
        "group:9": None,
        "user:9": "https://x.example/a.png",
    }


def test_an_item_that_cannot_be_told_from_others_is_none() -> None:
    for wire in ({}, {"id": 1}, {"id": "1", "connection": {"id": 2}}, {"id": 1, "connection": {"id": True}},
                 {"id": 0, "connection": {"id": 2}}, {"id": 1, "connection": [2]}):  # fmt: skip
        assert listed_item(wire, "channel:1") is None
    assert comment({"body": "x"}, "block:1") is None


def test_positions_are_no_facts() -> None:
    item = listed_item({"id": 1, "type": "Text", "connection": {"id": 2, "position": 7}}, "channel:5")
    assert item is not None
    assert item.connection.fields == {"id": 2, "channel": "channel:5", "item": "block:1"}


def test_a_time_that_is_none_dates_nothing() -> None:
    assert moment("yesterday") is None
    assert moment(17) is None
    assert moment("2026-01-01T00:00:00") is None
    found = moment("2026-03-09T22:02:26Z")
    assert found is not None
    assert found.isoformat() == "2026-03-09T22:02:26+00:00"


def test_what_only_looks_like_a_person_is_kept_as_it_is() -> None:
    """Metadata is free text: it can make nobody up, and loses nothing."""
    metadata = {"type": "User", "id": 9, "name": "Nobody", "slug": "nobody", "note": "keep"}
    image = {"type": "User", "id": 5, "src": "https://media.example/1.png"}
    seen, people = whole_block({"id": 1, "metadata": metadata, "image": image})
    assert (seen.fields["metadata"], seen.fields["image"]) == (metadata, image)
    assert people == ()


def test_a_channel_is_told_by_its_type_where_it_has_no_base_type() -> None:
    item = listed_item({"id": 4, "type": "Channel", "base_type": None, "connection": {"id": 2}}, "channel:1")
    assert item is not None
    assert item.item.object_id == "channel:4"
