"""The sandbox against the published OpenAPI description: shapes by jsonschema, behaviour by schemathesis."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from jsonschema import Draft202012Validator
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from vfdir_lab.sandbox import Sandbox
from vfdir_lab.sandbox.doors import ENDPOINTS
from vfdir_lab.sandbox.service import Endpoint

PLENTY = dict.fromkeys(("guest", "free", "premium", "supporter"), 1_000_000)
GETS = [
    ("ConnectableListResponse", "/channels/{channel}/contents?per=100"),
    ("ConnectableListResponse", "/users/ines-havel/contents?per=100"),
    ("ConnectableListResponse", "/groups/the-night-desk/contents"),
    ("ChannelListResponse", "/channels/tides/connections"),
    ("UserListResponse", "/channels/a-small-dictionary-of-plain-words/followers"),
    ("UserListResponse", "/users/ines-havel/followers"),
    ("FollowableListResponse", "/users/ines-havel/following"),
    ("GroupListResponse", "/users/ines-havel/groups"),
    ("GroupMemberListResponse", "/groups/the-night-desk/members"),
    ("EverythingListResponse", "/search?per=100"),
    ("Me", "/me"),
    ("User", "/users/tomas-quill"),
    ("Group", "/groups/the-night-desk"),
    ("PingResponse", "/ping"),
    ("Error", "/nowhere"),
]


def _check(description: Any, schema: str, value: object) -> None:
    whole = {"$ref": f"#/components/schemas/{schema}", "components": description["components"]}
    Draft202012Validator(whole, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(value)


@pytest.mark.parametrize(("schema", "path"), GETS)
@pytest.mark.parametrize("kind", ["write", "other", None])
def test_every_reading_has_the_described_shape(visit, library, description, schema, path, kind):
    for channel in library.world.channels.values() if "{channel}" in path else [None]:
        answer = visit(kind).get(path.format(channel=channel.slug if channel else ""))
        if answer.status_code >= 400:
            _check(description, "Error", answer.json())
        else:
            _check(description, schema, answer.json())


def test_every_block_channel_connection_and_comment_has_the_described_shape(visit, library, description):
    me = visit("write")
    for block in library.world.blocks:
        _check(description, "Block", me.get(f"/blocks/{block}").json())
        _check(description, "ChannelListResponse", me.get(f"/blocks/{block}/connections").json())
        _check(description, "CommentListResponse", me.get(f"/blocks/{block}/comments").json())
    for channel in library.world.channels:
        _check(description, "Channel", me.get(f"/channels/{channel}").json())
    for connection in library.world.connections:
        _check(description, "Connection", me.get(f"/connections/{connection}").json())


def test_every_writing_answers_in_the_described_shape(me, sandbox, description):
    channel = me.post("/channels", json={"title": "Harbour", "metadata": {"a": 1}}).json()
    text = me.post("/blocks", json={"value": "x", "channel_ids": ["harbour"], "metadata": {"a": "b"}}).json()
    link = {"value": "https://example.org/", "channel_ids": ["harbour"]}
    pending = me.post("/blocks", json=link).json()
    body = {"connectable_id": text["id"], "connectable_type": "Block", "channel_ids": ["harbour"]}
    made = me.post("/connections", json=body).json()["data"][0]
    moved = me.post(f"/connections/{made['id']}/move", json={"movement": "move_to_bottom"}).json()
    comment = me.post(f"/blocks/{text['id']}/comments", json={"body": "hm"}).json()
    files = {"files": [{"filename": "a.png", "content_type": "image/png"}]}
    for schema, value in (
        ("Channel", channel),
        ("Channel", me.put("/channels/harbour", json={"description": "d"}).json()),
        ("Block", text),
        ("Block", pending),
        ("Block", me.put(f"/blocks/{text['id']}", json={"title": "t"}).json()),
        ("Connection", made),
        ("Connection", moved),
        ("Comment", comment),
        ("PresignResponse", me.post("/uploads/presign", json=files).json()),
        ("Error", me.post("/channels", json={}).json()),
    ):
        _check(description, schema, value)


def test_a_429_has_the_described_shape(me, sandbox, description):
    sandbox.control.arm("too_many")
    _check(description, "RateLimitError", me.get("/ping").json())


def test_every_endpoint_is_a_described_one(description):
    for endpoint in ENDPOINTS:
        assert endpoint.method.lower() in description["paths"][endpoint.path]


CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
# Nothing can be asked wrongly of these two.
PLAIN = ("/v3/ping", "/v3/me")
# What deletes comes last, or there would be little left to try the others on.
TRIES = [
    (endpoint, mode)
    for endpoint in sorted(ENDPOINTS, key=lambda one: one.method == "DELETE")
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    if mode is GenerationMode.POSITIVE or endpoint.path not in PLAIN
]
NUMBERED = {"blocks": "blocks", "connections": "connections", "comments": "comments"}
NAMED = {"channels": "channels", "users": "people", "groups": "groups"}


@pytest.fixture(scope="module")
def playground() -> Iterator[Sandbox]:
    """The world of `data/`, to be written into by machines."""
    with Sandbox(rate_limits=PLENTY) as running:
        yield running


@pytest.fixture(scope="module")
def api(description: Any, playground: Sandbox) -> Any:
    """What the sandbox has of the description, with numbers and slugs that exist among those to try."""
    description = copy.deepcopy(description)
    schemas = description["components"]["schemas"]
    schemas["ChannelIds"]["items"] = {"enum": [*playground.world.channels]}
    schemas["ConnectTo"]["properties"]["id"] = {"enum": [*playground.world.channels]}
    content = description["paths"]["/v3/connections"]["post"]["requestBody"]["content"]["application/json"]
    content["schema"]["allOf"][0]["properties"]["connectable_id"] = {"enum": [*playground.world.blocks][:20]}
    had = {(endpoint.method.lower(), endpoint.path) for endpoint in ENDPOINTS}
    paths: dict[str, Any] = {}
    for path, operations in description["paths"].items():
        kept = {method: operation for method, operation in operations.items() if (method, path) in had}
        if kept:
            paths[path] = {method: _with_names(playground, path, kept[method]) for method in kept}
    return schemathesis.openapi.from_dict(description | {"paths": paths})


def _label(endpoint: Endpoint) -> str:
    return f"{endpoint.method} {endpoint.path}"


def _with_names(sandbox: Sandbox, path: str, operation: Any) -> Any:
    kind = path.split("/")[2]
    known: list[Any] = [*getattr(sandbox.world, (NUMBERED | NAMED).get(kind, "blocks"))][:40:5]
    if kind in NAMED:
        known = [str(number) for number in known] + ["tides", "ines-havel", "the-night-desk", "nobody"]
    schema = {"enum": [*known, "1" if kind in NAMED else 1]}
    parameters = [
        {"name": "id", "in": "path", "required": True, "schema": schema}
        if one.get("$ref", "").endswith("IdParam")
        else one
        for one in operation.get("parameters", [])
    ]
    return operation | {"parameters": parameters}


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    with requests.Session() as opened:
        opened.trust_env = False
        yield opened


@pytest.mark.parametrize(
    ("endpoint", "mode"), TRIES, ids=lambda one: getattr(one, "value", None) or _label(one)
)
def test_machines_find_nothing_undescribed(
    api: Any, playground: Sandbox, session: requests.Session, endpoint: Endpoint, mode: GenerationMode
) -> None:
    """Right requests and wrong ones; every answer is of a described status, type and shape."""
    operation = api[endpoint.path][endpoint.method]

    @settings(
        max_examples=20,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def every_case(case: schemathesis.Case) -> None:
        headers = {"Authorization": f"Bearer {playground.tokens.write}"}
        case.call_and_validate(playground.url, session, headers, checks=CHECKS)

    every_case()
