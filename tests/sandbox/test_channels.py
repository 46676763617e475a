"""Channels: slugs, visibility, contents, permissions."""

from __future__ import annotations

import re

import pytest


def test_a_channel_answers_to_its_number_and_its_slug(guest, channel):
    assert guest.get(f"/channels/{channel['id']}").json() == guest.get("/channels/harbour").json()


def test_a_new_channel_is_closed_unless_said_otherwise(me):
    assert me.post("/channels", json={"title": "Quiet"}).json()["visibility"] == "closed"


def test_a_rename_changes_the_slug_and_the_old_one_is_a_404(me, channel):
    renamed = me.put("/channels/harbour", json={"title": "Pier"}).json()
    assert (renamed["slug"], renamed["id"]) == ("pier", channel["id"])
    assert me.get("/channels/harbour").status_code == 404


def test_a_slug_that_is_taken_gets_a_tail_of_eleven(me, channel):
    slug = me.post("/channels", json={"title": "Harbour!"}).json()["slug"]
    assert re.fullmatch(r"harbour-[a-z0-9_]{11}", slug)


@pytest.mark.parametrize("title", ["雲", "🌊", "2024", "???"])
def test_a_title_without_a_slug_of_its_own_still_gets_one(me, title):
    made = me.post("/channels", json={"title": title}).json()
    assert re.fullmatch(r"[a-z0-9-]+-[a-z0-9_]{11}", made["slug"])
    assert me.get(f"/channels/{made['slug']}").json()["title"] == title


def test_a_null_description_clears_it(me, channel):
    assert me.put("/channels/harbour", json={"description": "*wet*"}).json()["description"] == {
        "markdown": "*wet*",
        "html": "<p><em>wet</em></p>",
        "plain": "wet",
    }
    assert me.put("/channels/harbour", json={"description": None}).json()["description"] is None


def test_what_is_not_given_does_not_change(me, channel):
    me.put("/channels/harbour", json={"description": "wet", "metadata": {"a": 1}})
    changed = me.put("/channels/harbour", json={"visibility": "closed"}).json()
    assert (changed["title"], changed["description"]["plain"], changed["metadata"]) == (
        "Harbour",
        "wet",
        {"a": 1},
    )


def test_only_its_owner_may_change_or_delete_a_channel(other, channel):
    assert other.put("/channels/harbour", json={"title": "Mine"}).status_code == 403
    assert other.delete("/channels/harbour").status_code == 403


def test_a_deleted_channel_is_gone_and_its_blocks_are_orphans(me, add):
    block = add()
    assert me.delete("/channels/harbour").status_code == 204
    assert me.get("/channels/harbour").status_code == 404
    assert me.get(f"/blocks/{block}").json()["visibility"] == "orphan"


def test_anyone_with_an_account_may_add_to_a_public_channel_but_not_to_a_closed_one(
    me, other, guest, channel
):
    body = {"value": "hello", "channel_ids": ["harbour"]}
    assert other.post("/blocks", json=body).status_code == 201
    assert guest.post("/blocks", json=body).status_code == 401
    me.put("/channels/harbour", json={"visibility": "closed"})
    assert other.post("/blocks", json=body).status_code == 403
    assert guest.get("/channels/harbour").status_code == 200


def test_a_private_channel_is_a_404_to_everyone_else(me, other, guest, channel):
    me.put("/channels/harbour", json={"visibility": "private"})
    for path in ("/channels/harbour", "/channels/harbour/contents", "/channels/harbour/connections"):
        assert (other.get(path).status_code, guest.get(path).status_code) == (404, 404)
        assert me.get(path).status_code == 200


def test_what_accounts_get_for_hidden_things_can_be_a_403(me, other, sandbox, channel):
    me.put("/channels/harbour", json={"visibility": "private"})
    sandbox.control.set_hidden_status(403)
    assert other.get("/channels/harbour").status_code == 403


def test_a_guest_does_not_see_a_private_channel_inside_but_the_counts_hold_it(me, guest, channel, contents):
    hidden = me.post("/channels", json={"title": "Hidden", "visibility": "private"}).json()
    body = {"connectable_id": hidden["id"], "connectable_type": "Channel", "channel_ids": ["harbour"]}
    assert me.post("/connections", json=body).status_code == 201
    assert [item["slug"] for item in contents()] == ["hidden"]
    assert contents(guest) == []
    assert guest.get("/channels/harbour/contents").json()["meta"]["total_count"] == 0
    assert guest.get("/channels/harbour").json()["counts"]["contents"] == 1


def test_channels_may_contain_each_other(me, channel):
    pier = me.post("/channels", json={"title": "Pier", "visibility": "public"}).json()
    for inner, outer in ((pier["id"], channel["id"]), (channel["id"], pier["id"])):
        body = {"connectable_id": inner, "connectable_type": "Channel", "channel_ids": [outer]}
        assert me.post("/connections", json=body).status_code == 201
    assert [one["slug"] for one in me.get("/channels/pier/connections").json()["data"]] == ["harbour"]
    assert [one["slug"] for one in me.get("/channels/harbour/connections").json()["data"]] == ["pier"]


def test_a_channel_is_not_put_into_itself(me, channel):
    body = {"connectable_id": channel["id"], "connectable_type": "Channel", "channel_ids": [channel["id"]]}
    assert me.post("/connections", json=body).status_code == 422


def test_contents_sort_by_position_connection_time_and_change(sandbox, me, channel, add, contents):
    first, second, third = (add(f"text {n}") for n in range(3))
    sandbox.control.set_clock_offset(100)
    sandbox.control.edit_block(first, title="changed")
    sandbox.control.move(contents()[0]["connection"]["id"], 2)
    orders = {sort: [item["id"] for item in contents(sort=sort)] for sort in (
        "position_asc", "position_desc", "created_at_asc", "created_at_desc", "updated_at_desc")}  # fmt: skip
    assert orders["position_asc"] == [second, first, third]
    assert orders["position_desc"] == [third, first, second]
    assert orders["created_at_asc"] == [first, second, third]
    assert orders["created_at_desc"] == [third, second, first]
    assert orders["updated_at_desc"][0] == first


def test_contents_filter_by_who_added(me, other, channel, add, contents):
    add("mine")
    other.post("/blocks", json={"value": "theirs", "channel_ids": ["harbour"]})
    theirs = contents(user_id=other.get("/me").json()["id"])
    assert [item["content"]["plain"] for item in theirs] == ["theirs"]


def test_only_contents_carry_a_connection_and_only_single_things_say_can(me, add, contents):
    block = add()
    item, alone = contents()[0], me.get(f"/blocks/{block}").json()
    assert "connection" in item
    assert "can" not in item
    assert "connection" not in alone
    assert alone["can"] == {"manage": True, "comment": True, "connect": True}
    assert "_links" in item["connection"]["connected_by"]


def test_adding_touches_the_channel_and_moving_or_removing_does_not(sandbox, me, add, contents):
    add()
    sandbox.control.set_clock_offset(100)
    add()
    touched = me.get("/channels/harbour").json()["updated_at"]
    sandbox.control.set_clock_offset(200)
    bottom = contents()[0]["connection"]["id"]
    me.post(f"/connections/{bottom}/move", json={"movement": "move_to_top"})
    me.delete(f"/connections/{bottom}")
    assert me.get("/channels/harbour").json()["updated_at"] == touched


def test_followers_of_a_channel_are_a_list(guest, channel):
    assert guest.get("/channels/harbour/followers").json()["data"] == []
