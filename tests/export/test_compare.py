"""How two snapshots differ: said for people, item by item and field by field."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vfdir_lab.errors import ExportError, UsageError
from vfdir_lab.export.compare import longest_rising


@given(st.lists(st.integers(0, 30), unique=True, max_size=9))
def test_the_fewest_items_move(numbers: list[int]) -> None:
    stay = sorted(longest_rising(numbers))
    kept = [numbers[index] for index in stay]
    assert kept == sorted(kept)
    longer = combinations(numbers, len(kept) + 1)
    assert not any(list(more) == sorted(more) for more in longer)


@pytest.fixture
def shelf(desk: Any) -> Any:
    return desk.say(
        desk.channel(1, slug="shelf", title="Shelf"),
        *[desk.block(number, title=f"Book {number}") for number in range(1, 6)],
        *[desk.held(number, 1, f"block:{number}", rank=f"a{number}") for number in range(1, 6)],
        ("scan.started", "scan:s", {"channel": "channel:1"}),
        ("scan.finished", "scan:s", {"channel": "channel:1", "complete": True}),
    )


def test_what_was_added_removed_moved_and_changed_is_named(shelf: Any, tmp_path: Path) -> None:
    before = shelf.archive.export("shelf", tmp_path / "before", format="html").path
    shelf.say(
        shelf.channel(1, slug="shelf", title="The shelf"),
        shelf.block(2, title="Book two", source={"url": "https://a.b"}),
        shelf.block(6, title="Book 6"),
        shelf.held(6, 1, "block:6", rank="a05"),
        shelf.held(1, 1, "block:1", rank="a9"),
        ("connection.vanished", "connection:3", {}),
    )
    after = shelf.archive.export("shelf", tmp_path / "after", format="csv").path
    archive = shelf.archive
    found = archive.diff_snapshots(before, after)
    assert [(one.item, one.position) for one in found.added] == [("block:6", 1)]
    assert [(one.item, one.position) for one in found.removed] == [("block:3", 3)]
    assert [(one.item, one.before, one.after) for one in found.moved] == [("block:1", 1, 5)]
    assert [(one.object_id, one.field, one.before, one.after) for one in found.changed] == [
        ("channel:1", "title", "Shelf", "The shelf"),
        ("block:2", "title", "Book 2", "Book two"),
        ("block:2", "source_url", None, "https://a.b"),
    ]
    said = str(found).splitlines()
    assert said[0].startswith("The shelf, from aaaa:")
    assert "added    1. Book 6 (block:6)" in said
    assert "removed  3. Book 3 (block:3)" in said
    assert "moved    Book 1 (block:1): 1 → 5" in said
    assert 'changed  Book two (block:2), title: "Book 2" → "Book two"' in said
    assert said[-1] == "1 added, 1 removed, 1 moved, 3 changed"
    assert archive.diff_snapshots(before) == found
    assert set(found.as_dict()) == {"title", "before", "after", "added", "removed", "moved", "changed"}


def test_nothing_differs_from_itself(shelf: Any, tmp_path: Path) -> None:
    place = shelf.archive.export("shelf", tmp_path / "out").path
    found = shelf.archive.diff_snapshots(place, place)
    assert str(found).splitlines()[1:] == ["0 added, 0 removed, 0 moved, 0 changed"]


def test_what_shifts_because_others_came_and_went_has_not_moved(shelf: Any, tmp_path: Path) -> None:
    place = shelf.archive.export("shelf", tmp_path / "out").path
    shelf.say(
        ("connection.vanished", "connection:1", {}), shelf.block(9), shelf.held(9, 1, "block:9", rank="a25")
    )
    found = shelf.archive.diff_snapshots(place)
    assert [one.item for one in found.added] == ["block:9"]
    assert [one.item for one in found.removed] == ["block:1"]
    assert found.moved == ()


def test_two_channels_are_not_compared(shelf: Any, tmp_path: Path) -> None:
    shelf.say(shelf.channel(2, slug="other"))
    archive = shelf.archive
    one, two = (archive.export(name, tmp_path / name).path for name in ("shelf", "other"))
    with pytest.raises(UsageError, match="snapshots of two channels"):
        archive.diff_snapshots(one, two)


def test_a_channel_that_became_private_is_compared_only_where_it_may_leave(
    shelf: Any, tmp_path: Path
) -> None:
    place = shelf.archive.export("shelf", tmp_path / "out").path
    shelf.say(shelf.channel(1, visibility="private"))
    with pytest.raises(ExportError, match="is private"):
        shelf.archive.diff_snapshots(place)
