"""Connections: positions, moves, removal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vfdir_lab.sandbox import positions


@pytest.fixture
def five(add, contents):
    """Five texts from the bottom up: their connections."""
    for number in range(5):
        add(f"text {number}")
    return [item["connection"]["id"] for item in contents()]


@pytest.fixture
def order(contents):
    return lambda: [(item["connection"]["id"], item["connection"]["position"]) for item in contents()]


def test_a_new_item_gets_the_highest_position_and_shows_first(five, contents):
    assert [item["connection"]["position"] for item in contents()] == [1, 2, 3, 4, 5]
    assert contents(sort="position_desc")[0]["connection"]["id"] == five[-1]


def test_an_item_that_leaves_leaves_a_gap(me, five, order):
    me.delete(f"/connections/{five[1]}")
    assert [position for _, position in order()] == [1, 3, 4, 5]


def test_inserting_pushes_up_what_is_above_and_marks_nothing(me, sandbox, channel, five, contents, order):
    before = {item["connection"]["id"]: item["updated_at"] for item in contents()}
    sandbox.control.set_clock_offset(100)
    me.post("/blocks", json={"value": "between", "channel_ids": ["harbour"], "insert_at": 2})
    assert [position for _, position in order()] == [1, 2, 3, 4, 5, 6]
    assert [key for key, _ in order() if key in five] == five
    assert {
        i["connection"]["id"]: i["updated_at"] for i in contents() if i["connection"]["id"] in five
    } == before


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"movement": "move_to_top"}, [0, 2, 3, 4, 1]),
        ({"movement": "move_to_bottom"}, [1, 0, 2, 3, 4]),
        ({"movement": "move_up"}, [0, 2, 1, 3, 4]),
        ({"movement": "move_down"}, [1, 0, 2, 3, 4]),
        ({"position": 4}, [0, 2, 3, 1, 4]),
        ({"movement": "insert_at", "position": 99}, [0, 2, 3, 4, 1]),
        ({"movement": "insert_at", "position": -3}, [1, 0, 2, 3, 4]),
    ],
)
def test_the_movements_move(me, five, order, body, expected):
    answer = me.post(f"/connections/{five[1]}/move", json=body)
    assert answer.status_code == 200
    assert [five.index(key) for key, _ in order()] == expected
    assert answer.json()["position"] == dict(order())[five[1]]


def test_moving_past_the_end_changes_nothing(me, five, order):
    before = order()
    me.post(f"/connections/{five[4]}/move", json={"movement": "move_up"})
    me.post(f"/connections/{five[0]}/move", json={"movement": "move_down"})
    assert order() == before


def test_insert_at_needs_a_position_and_movements_are_a_closed_list(me, five):
    assert me.post(f"/connections/{five[0]}/move", json={}).status_code == 400
    assert me.post(f"/connections/{five[0]}/move", json={"movement": "sideways"}).status_code == 400


def test_only_the_channels_people_may_arrange_it(other, five):
    assert other.post(f"/connections/{five[0]}/move", json={"movement": "move_to_top"}).status_code == 403


def test_who_put_it_in_or_owns_the_channel_may_take_it_out(me, other, channel, five, contents):
    assert other.delete(f"/connections/{five[0]}").status_code == 403
    other.post("/blocks", json={"value": "theirs", "channel_ids": ["harbour"]})
    theirs = contents()[-1]["connection"]["id"]
    assert other.get(f"/connections/{theirs}").json()["can"] == {"remove": True}
    assert other.delete(f"/connections/{theirs}").status_code == 204
    assert other.delete(f"/connections/{theirs}").status_code == 404


def test_a_connection_has_its_self_link_as_a_bare_string(me, sandbox, five):
    links = me.get(f"/connections/{five[0]}").json()["_links"]
    assert links["self"] == f"{sandbox.url}/v3"
    assert links["channel"]["href"].startswith(sandbox.url)


def test_connecting_answers_with_every_connection_made(me, channel, five, contents):
    me.post("/channels", json={"title": "Pier"})
    block = contents()[0]["id"]
    places = [{"id": "harbour", "position": 1, "metadata": {"n": 1}}, {"id": "pier"}]
    body = {"connectable_id": block, "connectable_type": "Block", "channels": places}
    made = me.post("/connections", json=body)
    assert made.status_code == 201
    assert [one["metadata"] for one in made.json()["data"]] == [{"n": 1}, None]
    assert [item["id"] for item in contents()].count(block) == 2


def test_a_connections_metadata_merges_and_nothing_else_changes(me, five):
    me.put(f"/connections/{five[0]}", json={"metadata": {"a": 1}})
    changed = me.put(f"/connections/{five[0]}", json={"metadata": {"b": 2}, "position": 4}).json()
    assert (changed["metadata"], changed["position"]) == ({"a": 1, "b": 2}, 1)


def test_a_connection_back_is_a_new_connection(me, channel, five, contents):
    block = contents()[0]["id"]
    me.delete(f"/connections/{five[0]}")
    body = {"connectable_id": block, "connectable_type": "Block", "channel_ids": ["harbour"]}
    assert me.post("/connections", json=body).json()["data"][0]["id"] not in five


def test_connecting_what_is_missing_or_badly_named_is_refused(me, channel):
    good = {"connectable_id": 1, "connectable_type": "Block", "channel_ids": ["harbour"]}
    assert me.post("/connections", json=good).status_code == 404
    assert me.post("/connections", json=good | {"connectable_type": "User"}).status_code == 400
    assert me.post("/connections", json=good | {"connectable_id": "1"}).status_code == 400
    assert me.post("/connections", json={"connectable_type": "Block"}).status_code == 400


@given(st.lists(st.integers(1, 40), unique=True, min_size=1, max_size=12), st.data())
def test_a_move_keeps_positions_unique_and_the_others_in_order(held, data):
    places = dict(enumerate(sorted(held)))
    mover = data.draw(st.sampled_from(sorted(places)))
    wanted = data.draw(st.integers(-3, 45))
    after = places | positions.move(places, mover, wanted)
    assert len(set(after.values())) == len(after)
    assert min(after.values()) >= 1
    rest = [key for key in sorted(after, key=after.__getitem__) if key != mover]
    assert rest == [key for key in places if key != mover]


@given(st.lists(st.integers(1, 40), unique=True, max_size=12), st.none() | st.integers(-3, 45))
def test_an_insertion_keeps_positions_unique_and_the_others_in_order(held, wanted):
    places = dict(enumerate(sorted(held)))
    place, pushed = positions.insert(places, wanted)
    after = places | pushed
    assert place not in after.values()
    assert sorted(after, key=after.__getitem__) == list(places)
