"""People, groups, search."""

from __future__ import annotations

import pytest


def test_people_answer_to_number_and_slug(visit):
    guest = visit(None)
    person = guest.get("/users/ines-havel").json()
    assert guest.get(f"/users/{person['id']}").json() == person
    assert (person["tier"], person["badge"], person["counts"]["following"]) == ("premium", "premium", 3)
    assert guest.get("/users/nobody").status_code == 404


def test_me_has_an_address_and_notifications(visit):
    me = visit("write").get("/me").json()
    assert (me["slug"], me["email"], me["counts"]["notifications"]) == (
        "ines-havel",
        "ines-havel@example.org",
        0,
    )


def test_a_persons_contents_filter_sort_and_say_can(visit):
    me = visit("write")
    channels = me.get("/users/ines-havel/contents", params={"type": "Channel", "per": 100}).json()["data"]
    assert {one["type"] for one in channels} == {"Channel"}
    assert "drafts-and-doubts" in {one["slug"] for one in channels}
    assert all(one["can"]["update"] for one in channels)
    dates = [one["created_at"] for one in channels]
    assert dates == sorted(dates, reverse=True)
    blocks = me.get("/users/ines-havel/contents", params={"type": "Block", "sort": "updated_at_asc"}).json()
    assert {one["base_type"] for one in blocks["data"]} == {"Block"}
    assert me.get("/users/ines-havel/contents", params={"type": "Sound"}).status_code == 400


def test_a_persons_private_channels_are_not_shown_to_others(visit):
    for kind in ("other", None):
        found = visit(kind).get("/users/ines-havel/contents", params={"type": "Channel", "per": 100}).json()
        assert "drafts-and-doubts" not in {one["slug"] for one in found["data"]}


def test_following_followers_and_groups_are_lists(visit):
    guest = visit(None)
    followers = guest.get("/users/ines-havel/followers").json()["data"]
    assert {one["slug"] for one in followers} == {"tomas-quill", "mirela-osei"}
    following = guest.get("/users/ines-havel/following").json()["data"]
    assert [one["type"] for one in following] == ["User", "User", "Channel"]
    only = guest.get("/users/ines-havel/following", params={"type": "Channel"}).json()["data"]
    assert [one["slug"] for one in only] == ["a-small-dictionary-of-plain-words"]
    groups = guest.get("/users/ines-havel/groups", params={"sort": "name_desc"}).json()["data"]
    assert [one["slug"] for one in groups] == ["the-night-desk"]


def test_a_group_owns_channels_and_has_members_owner_first(visit):
    guest = visit(None)
    group = guest.get("/groups/the-night-desk").json()
    assert group["counts"] == {"channels": 2, "users": 3}
    members = guest.get("/groups/the-night-desk/members").json()["data"]
    assert [one["role"] for one in members] == ["owner", "member", "member"]
    assert guest.get("/groups/the-night-desk/followers").json()["data"][0]["slug"] == "mirela-osei"
    owned = guest.get("/groups/the-night-desk/contents").json()["data"]
    assert {one["slug"] for one in owned} == {"lights-and-how-they-speak", "star-lists"}
    assert guest.get("/channels/star-lists").json()["owner"]["type"] == "Group"
    assert guest.get("/groups/nobody").status_code == 404


def test_members_of_a_group_may_change_its_channels_and_give_it_new_ones(me, other, sandbox):
    people = [sandbox.world.who(slug).id for slug in ("sandbox-person", "another-person")]
    group = sandbox.world.add_group("desk", "Desk", (people[1], people[0]))
    owner = {"id": group.id, "type": "Group"}
    assert me.post("/channels", json={"title": "Ours", "owner": owner}).json()["owner"]["slug"] == "desk"
    assert other.put("/channels/ours", json={"description": "x"}).status_code == 200
    assert me.put("/channels/ours", json={"owner": {"id": people[1]}}).status_code == 403
    assert me.put("/channels/ours", json={"owner": {"id": people[0]}}).json()["owner"]["type"] == "User"
    assert me.put("/channels/ours", json={"owner": {"type": "User"}}).status_code == 400


def test_search_is_for_premium_accounts(visit):
    assert visit(None).get("/search").status_code == 401
    assert visit("other").get("/search").status_code == 403
    assert visit("read").get("/search").status_code == 200


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"query": "syzygy"}, {"syzygy", "Syzygy, and the other thing"}),
        ({"query": "night desk", "type": "Group"}, {"The Night Desk"}),
        ({"query": "*", "type": "User"}, {"Ines Havel", "Tomáš Quill", "Mirela Osei", "يسرى Lindqvist"}),
        ({"query": "tides", "type": "Channel,User"}, {"Tides"}),
        ({"ext": "pdf"}, {"Specimen sheet"}),
        ({"query": "fresnel", "scope": "my"}, set()),
        ({"query": "cloud-like nonsense"}, set()),
    ],
)
def test_search_finds_by_words_type_ending_and_scope(visit, query, expected):
    found = visit("write").get("/search", params={"per": 100, **query}).json()["data"]
    names = {one.get("title") or one.get("name") for one in found}
    assert names == expected


@pytest.mark.parametrize(
    "sort", ["name_asc", "connections_count_desc", "random", "updated_at_desc", "created_at_asc"]
)
def test_search_sorts(visit, sort):
    found = (
        visit("write").get("/search", params={"type": "Channel", "sort": sort, "seed": 4, "per": 100}).json()
    )
    assert found["meta"]["total_count"] == 14
    if sort == "name_asc":
        assert [one["title"].lower() for one in found["data"]] == sorted(
            one["title"].lower() for one in found["data"]
        )


def test_search_after_a_moment_and_inside_a_channel(visit):
    me = visit("write")
    inside = me.get("/channels/euclid-in-colours").json()["id"]
    images = me.get("/search", params={"channel_id": inside, "type": "Image"}).json()
    assert images["meta"]["total_count"] == 5
    late = me.get("/search", params={"after": "2024-06-01T00:00:00Z", "per": 100}).json()["data"]
    assert all(one["updated_at"] > "2024-06-01T00:00:00Z" for one in late)
    assert late
    assert me.get("/search", params={"after": "yesterday"}).status_code == 400
