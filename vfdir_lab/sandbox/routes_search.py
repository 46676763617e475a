"""Search (for premium accounts) and places to upload files to."""

from __future__ import annotations

from datetime import datetime
from random import Random

from vfdir_lab.sandbox.answers import Answer, Json, Refusal, invalid, json_answer
from vfdir_lab.sandbox.media import UPLOAD_SECONDS, extension, upload_path
from vfdir_lab.sandbox.records import Block, Channel, Group, ItemKey, Person
from vfdir_lab.sandbox.routes_people import CONTENT_SORTS, is_of_type
from vfdir_lab.sandbox.service import Call, Endpoint

_TYPES = ("All", "Text", "Image", "Link", "Attachment", "Embed", "Channel", "Block", "User", "Group")
_SCOPES = ("all", "my", "following")
_SORTS = ("score_desc", *CONTENT_SORTS, "name_asc", "name_desc", "connections_count_desc", "random")
_MOST_FILES = 50
_Found = Block | Channel | Person | Group


def search(call: Call) -> Answer:
    """GET /search: every word of the query must occur; `*` finds everything."""
    if call.me.tier not in ("premium", "supporter"):
        raise Refusal(403, "Search is for premium accounts.")
    query = call.query
    types = [one for one in query.choices("type", _TYPES) if one != "All"]
    sort = query.choice("sort", _SORTS, "score_desc")
    seed = query.integer("seed")
    items = [item for item in call.service.index.documents() if _is_found(call, item)]
    found: list[_Found] = [item for item in items if not types or any(is_of_type(item, t) for t in types)]
    found += _accounts(call, types)
    words = (query.text("query") or "*").lower().split()
    found = [one for one in found if all(word in ("*", "") or word in _text(one) for word in words)]
    _sort(call, found, sort, seed)
    return call.page_of(found, lambda one: _shape(call, one))


def _is_found(call: Call, item: Block | Channel) -> bool:
    query = call.query
    scope = query.choice("scope", _SCOPES, "all")
    person, group = query.integer("user_id"), query.integer("group_id")
    channel, after = query.integer("channel_id"), _moment(query.text("after"))
    endings = (query.text("ext") or "").lower().split(",")
    maker = ("User", item.user_id) if isinstance(item, Block) else (item.owner.kind, item.owner.id)
    connections = call.world.connections_of(
        ItemKey("Block" if isinstance(item, Block) else "Channel", item.id)
    )
    return (
        call.access.sees(item)
        and (scope != "my" or maker == ("User", call.me.id))
        and (scope != "following" or _is_followed(call, item))
        and (person is None or maker == ("User", person))
        and (group is None or maker == ("Group", group))
        and (channel is None or any(connection.channel_id == channel for connection in connections))
        and (after is None or item.updated_at > after)
        and (endings == [""] or _ending(item) in endings)
    )


def _is_followed(call: Call, item: Block | Channel) -> bool:
    if isinstance(item, Channel) and item.slug in call.me.following:
        return True
    maker = item.user_id if isinstance(item, Block) else item.owner.id
    person = call.world.people.get(maker)
    return person is not None and person.slug in call.me.following


def _ending(item: Block | Channel) -> str:
    if isinstance(item, Channel):
        return ""
    name = item.attached.filename if item.attached else item.picture.filename if item.picture else ""
    return extension(name).removeprefix(".")


def _accounts(call: Call, types: list[str]) -> list[_Found]:
    query = call.query
    if any(query.text(name) for name in ("user_id", "group_id", "channel_id", "after", "ext")):
        return []
    if query.choice("scope", _SCOPES, "all") != "all":
        return []
    people: list[_Found] = list(call.world.people.values()) if not types or "User" in types else []
    return people + (list(call.world.groups.values()) if not types or "Group" in types else [])


def _text(one: _Found) -> str:
    if isinstance(one, Person | Group):
        parts = [one.name, one.slug]
    elif isinstance(one, Block):
        parts = [one.title or "", one.description or "", one.content or ""]
    else:
        parts = [one.title, one.slug, one.description or ""]
    return " ".join(parts).lower()


def _name(one: _Found) -> str:
    return (one.name if isinstance(one, Person | Group) else one.title or "").lower()


def _sort(call: Call, found: list[_Found], sort: str, seed: int | None) -> None:
    reverse = sort.endswith("_desc")
    if sort == "random":
        Random(seed or 0).shuffle(found)  # noqa: S311 - the person asks for this very order by its seed
    elif sort.startswith("name"):
        found.sort(key=_name, reverse=reverse)
    elif sort.startswith("connections"):
        found.sort(key=lambda one: _connection_count(call, one), reverse=True)
    elif sort.startswith("updated"):
        found.sort(key=lambda one: getattr(one, "updated_at", one.created_at), reverse=reverse)
    elif sort.startswith("created"):
        found.sort(key=lambda one: one.created_at, reverse=reverse)


def _connection_count(call: Call, one: _Found) -> int:
    if isinstance(one, Person | Group):
        return 0
    return len(call.world.connections_of(ItemKey("Block" if isinstance(one, Block) else "Channel", one.id)))


def _shape(call: Call, one: _Found) -> Json:
    if isinstance(one, Person):
        return call.wire.person(one)
    return call.wire.group(one) if isinstance(one, Group) else call.wire.item(one)


def _moment(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError) as error:
        raise invalid("after must be a date-time") from error


def presign(call: Call) -> Answer:
    """POST /uploads/presign: an address to put each file to, good for an hour."""
    files: list[Json] = []
    for one in call.body().objects("files", _MOST_FILES):
        name, kind = (
            one.required_text("filename", longest=255),
            one.required_text("content_type", longest=255),
        )
        upload = call.world.media.open_upload(name, kind, call.service.clock.now(), call.world.random)
        address = f"{call.service.base}{upload_path(upload.key)}?X-Amz-Expires={UPLOAD_SECONDS}"
        files.append({"upload_url": address, "key": upload.key, "content_type": kind})
    return json_answer({"files": files, "expires_in": UPLOAD_SECONDS}, 201)


ENDPOINTS = (
    Endpoint("GET", "/v3/search", search, "read"),
    Endpoint("POST", "/v3/uploads/presign", presign, "write"),
)
