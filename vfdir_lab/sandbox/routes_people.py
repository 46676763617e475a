"""People and groups, and what they made, as the lagging search index knows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from vfdir_lab.sandbox.answers import Answer, Refusal, json_answer
from vfdir_lab.sandbox.records import Block, Channel, Group, Owner, Person
from vfdir_lab.sandbox.routes_channels import BY_CREATION
from vfdir_lab.sandbox.service import Call, Endpoint

if TYPE_CHECKING:
    from collections.abc import Callable

    from vfdir_lab.sandbox.answers import Json

CONTENT_SORTS = ("created_at_desc", "created_at_asc", "updated_at_desc", "updated_at_asc")
_GROUP_SORTS = ("name_asc", "name_desc", *CONTENT_SORTS)
_TYPES = ("", "Text", "Image", "Link", "Attachment", "Embed", "Channel", "Block")
_FOLLOWABLE: tuple[Literal["", "User", "Channel", "Group"], ...] = ("", "User", "Channel", "Group")


def ping(_call: Call) -> Answer:
    """GET /ping."""
    return json_answer({"status": "ok"})


def get_me(call: Call) -> Answer:
    """GET /me. Does not tell the token's scope."""
    return json_answer(call.wire.me(call.me))


def get_person(call: Call) -> Answer:
    """GET /users/{id}."""
    return json_answer(call.wire.person(call.person()))


def get_person_contents(call: Call) -> Answer:
    """GET /users/{id}/contents: blocks the person made and channels they own."""
    person = call.person()
    owner = Owner("User", person.id)
    return _contents(call, lambda item: _maker(item) == owner)


def get_group_contents(call: Call) -> Answer:
    """GET /groups/{id}/contents: channels the group owns."""
    owner = Owner("Group", _group(call).id)
    return _contents(call, lambda item: _maker(item) == owner)


def is_of_type(item: Block | Channel, wanted: str) -> bool:
    """Whether an item passes a type filter; "" lets everything pass, "Block" every block."""
    kind = item.kind if isinstance(item, Block) else "Channel"
    return wanted in ("", kind) or (wanted == "Block" and isinstance(item, Block))


def _maker(item: Block | Channel) -> Owner:
    return Owner("User", item.user_id) if isinstance(item, Block) else item.owner


def _contents(call: Call, is_wanted: Callable[[Block | Channel], bool]) -> Answer:
    sort = call.query.choice("sort", CONTENT_SORTS, "created_at_desc")
    kind = call.query.choice("type", _TYPES, "")
    found = [
        item
        for item in call.service.index.documents()
        if is_wanted(item) and is_of_type(item, kind) and call.access.sees(item)
    ]
    is_updated = sort.startswith("updated")
    found.sort(
        key=lambda item: (item.updated_at if is_updated else item.created_at, item.id),
        reverse=sort.endswith("_desc"),
    )
    return call.page_of(found, lambda item: call.wire.item(item, with_can=True))


def get_followers(call: Call) -> Answer:
    """GET /users/{id}/followers."""
    slug = call.person().slug
    call.query.choice("sort", BY_CREATION, "created_at_desc")
    followers = [person for person in call.world.people.values() if slug in person.following]
    return call.page_of(followers, call.wire.person)


def get_following(call: Call) -> Answer:
    """GET /users/{id}/following: people, channels and groups, as far as the viewer may see them."""
    person = call.person()
    call.query.choice("sort", BY_CREATION, "created_at_desc")
    wanted = call.query.choice("type", _FOLLOWABLE, "")
    found: list[Person | Channel | Group] = []
    for slug in person.following:
        followed = call.world.person(slug) or call.world.group(slug) or call.world.channel(slug)
        if followed is None or (isinstance(followed, Channel) and not call.access.sees(followed)):
            continue
        if wanted in ("", _kind(followed)):
            found.append(followed)
    return call.page_of(found, lambda followed: _followed(call, followed))


def _kind(followed: Person | Channel | Group) -> str:
    return {Person: "User", Channel: "Channel", Group: "Group"}[type(followed)]


def _followed(call: Call, followed: Person | Channel | Group) -> Json:
    if isinstance(followed, Person):
        return call.wire.person(followed)
    return call.wire.group(followed) if isinstance(followed, Group) else call.wire.item(followed)


def get_groups(call: Call) -> Answer:
    """GET /users/{id}/groups."""
    groups = call.world.groups_of(call.person().id)
    sort = call.query.choice("sort", _GROUP_SORTS, "name_asc")
    by_name = sort.startswith("name")
    groups.sort(key=lambda group: (group.name if by_name else "", group.id), reverse=sort.endswith("_desc"))
    return call.page_of(groups, call.wire.group)


def get_group(call: Call) -> Answer:
    """GET /groups/{id}."""
    return json_answer(call.wire.group(_group(call)))


def get_members(call: Call) -> Answer:
    """GET /groups/{id}/members, the owner first."""
    group = _group(call)
    members = sorted(group.member_ids, key=lambda number: (number != group.owner_id, number))

    def shape(number: int) -> Json:
        role = "owner" if number == group.owner_id else "member"
        return call.wire.embedded_person(call.world.people[number]) | {"role": role}

    return call.page_of(members, shape)


def get_group_followers(call: Call) -> Answer:
    """GET /groups/{id}/followers."""
    slug = _group(call).slug
    call.query.choice("sort", BY_CREATION, "created_at_desc")
    followers = [person for person in call.world.people.values() if slug in person.following]
    return call.page_of(followers, call.wire.person)


def _group(call: Call) -> Group:
    group = call.world.group(call.name)
    if group is None:
        raise Refusal(404)
    return group


ENDPOINTS = (
    Endpoint("GET", "/v3/ping", ping),
    Endpoint("GET", "/v3/me", get_me, "read"),
    Endpoint("GET", "/v3/users/{id}", get_person),
    Endpoint("GET", "/v3/users/{id}/contents", get_person_contents),
    Endpoint("GET", "/v3/users/{id}/followers", get_followers),
    Endpoint("GET", "/v3/users/{id}/following", get_following),
    Endpoint("GET", "/v3/users/{id}/groups", get_groups),
    Endpoint("GET", "/v3/groups/{id}", get_group),
    Endpoint("GET", "/v3/groups/{id}/members", get_members),
    Endpoint("GET", "/v3/groups/{id}/contents", get_group_contents),
    Endpoint("GET", "/v3/groups/{id}/followers", get_group_followers),
)
