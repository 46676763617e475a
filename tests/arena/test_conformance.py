"""What we ask and what the sandbox answers, held against are.na's published description."""

from __future__ import annotations

import functools
import json
import re
from pathlib import Path
from typing import get_type_hints

import httpx
import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from vfdir_lab.arena import Accepted, ArenaClient, NotSent, Refused, checks, wire
from vfdir_lab.arena.writes import _KINDS, _VISIBILITIES
from vfdir_lab.errors import ArenaError
from vfdir_lab.sandbox import Sandbox, World

DESCRIPTION = Path(__file__).parents[2].parent / "shared" / "arena" / "openapi.json"
pytestmark = pytest.mark.skipif(
    not DESCRIPTION.exists(), reason="are.na's published description does not lie beside this checkout"
)


@functools.cache
def description():
    return json.loads(DESCRIPTION.read_text())


def validator(schema):
    """A validator of a schema that stands anywhere in the description."""
    resource = Resource.from_contents(description(), default_specification=DRAFT202012)
    registry = Registry().with_resource("urn:arena", resource)
    return Draft202012Validator(placed(schema), registry=registry)


def placed(node):
    """A part of the description whose references can be followed from outside of it."""
    if isinstance(node, dict):
        return {key: f"urn:arena{value}" if key == "$ref" else placed(value) for key, value in node.items()}
    return [placed(one) for one in node] if isinstance(node, list) else node


def follow(node):
    while "$ref" in node:
        found = description()
        for key in node["$ref"].removeprefix("#/").split("/"):
            found = found[key]
        node = found
    return node


def operation(method, path):
    """The described operation for a request, its path as described, and the values in the path."""
    for template, methods in description()["paths"].items():
        match = re.fullmatch(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template), path)
        if match and method.lower() in methods:
            return methods[method.lower()], template, match.groupdict()
    raise AssertionError(f"{method} {path} is in no description")


class Recorder(httpx.BaseTransport):
    """The network, with everything that passes written down."""

    def __init__(self):
        self.network = httpx.HTTPTransport()
        self.exchanges = []

    def handle_request(self, request):
        response = self.network.handle_request(request)
        body = response.read()
        self.exchanges.append((request, response, body))
        headers = [(name, value) for name, value in response.headers.items() if name != "content-encoding"]
        return httpx.Response(response.status_code, headers=headers, content=body)

    def close(self):
        self.network.close()


@pytest.fixture(scope="module")
def exchanges():
    """Every method of the client once, met with an answer and with a refusal."""
    recorder = Recorder()
    with (
        Sandbox(rate_limits={"premium": 10_000}) as sandbox,
        ArenaClient(
            sandbox.tokens.read, sandbox.url, transport=recorder, pause_seconds=0, attempts=1
        ) as client,
    ):
        channel = sandbox.control.add_channel("To be described", by="ines-havel")
        inner = sandbox.control.add_channel("Inner", by="ines-havel")
        made = [
            sandbox.control.add_block(channel["slug"], value, kind=kind, title="T", description="*d*")
            for kind, value in (("Text", "one *two*"), ("Link", "https://example.com/a"))
        ]
        sandbox.control.connect(f"channel:{inner['slug']}", channel["slug"])
        sandbox.control.comment(made[0]["id"], "a comment")
        for missing in (0, 10**6):
            for ask in questions(client, channel["id"] + missing, made[0], missing):
                try:
                    ask()
                except ArenaError:
                    assert missing
    return recorder.exchanges


def questions(client, channel, block, missing):
    user = client.account().id
    return [
        lambda: client.channel(channel),
        lambda: client.channel(f"no-such-{missing}" if missing else channel),
        lambda: client.contents(channel, page=1, sort="position_asc"),
        lambda: client.contents(channel, page=2, sort="created_at_desc", per=1),
        lambda: client.block(block["id"] + missing),
        lambda: client.connection(block["connection"] + missing),
        lambda: client.comments(block["id"] + missing, page=1),
        lambda: client.user_channels(user + missing, page=1),
    ]


def test_every_request_is_one_that_the_description_allows(exchanges):
    for request, _, _ in exchanges:
        found, _, in_path = operation(request.method, request.url.path)
        described = [follow(parameter) for parameter in found.get("parameters", [])]
        known = {parameter["name"]: parameter for parameter in described if parameter["in"] == "query"}
        for name, text in request.url.params.multi_items():
            assert name in known, f"{name} is no parameter of {request.url.path}"
            schema = known[name]["schema"]
            value = int(text) if follow(schema).get("type") == "integer" else text
            Draft202012Validator(follow(schema)).validate(value)
        assert set(in_path) == {parameter["name"] for parameter in described if parameter["in"] == "path"}


def test_every_answer_of_the_sandbox_has_its_described_shape(exchanges):
    assert {check_answer(*exchange) for exchange in exchanges} == {200, 404}


def check_answer(request, response, body):
    """Hold an answer against its description; gives the status."""
    found, template, _ = operation(request.method, request.url.path)
    status = str(response.status_code)
    # Its prose says of every operation: 400 for invalid requests, 403 for writing without the scope.
    assert status in {"400", "403", *found["responses"]}, f"{status} is no described answer of {template}"
    described = follow(found["responses"].get(status, {"content": {}}))
    if "content" not in described:
        assert body == b""
        return response.status_code
    schema = described["content"].get("application/json", {}).get("schema", {})
    errors = [
        f"{request.url.path} {status} {error.json_path}: {error.message[:300]}"
        for error in validator(schema).iter_errors(json.loads(body))
        # Recorded traffic has a bare text there, and so has the sandbox (facts.md, quirk 4).
        if not (template.startswith("/v3/connections") and error.json_path.endswith("['_links'].self"))
    ]
    assert errors == []
    return response.status_code


@pytest.fixture(scope="module")
def writes():
    """Every write of the client once: done, refused, and with a token that may only read."""
    recorder = Recorder()
    kinds = set()
    with Sandbox(rate_limits={"premium": 10_000}, world=World()) as sandbox:
        for token in (sandbox.tokens.write, sandbox.tokens.read):
            options = {"pause_seconds": 0, "write_pause_seconds": 0, "transport": recorder}
            client = ArenaClient(token, sandbox.url, **options)
            scene = Scene(sandbox)
            for missing in (10**6, 0):
                kinds |= {type(write()) for write in wishes(client, scene, missing)}
        client.close()
    assert kinds == {Accepted, Refused, NotSent}
    return recorder.exchanges


class Scene:
    """Things of the account that can be written about."""

    def __init__(self, sandbox):
        me = sandbox.world.main
        self.channel, self.other, self.spare = (
            sandbox.control.add_channel(title, by=me)["id"] for title in ("One", "Two", "Three")
        )
        self.block = sandbox.control.add_block(self.channel, "text", kind="Text", by=me)
        self.comment = sandbox.control.comment(self.block["id"], "hm", by=me)


def wishes(client, scene, missing):
    """Each method of the client with all it can be given; what is missing is not there."""
    data = {"a": "text", "b": 1, "c": 0.5, "d": True}
    block, connection = scene.block["id"] + missing, scene.block["connection"] + missing
    channel, other = scene.channel + missing, scene.other + missing
    return [
        lambda: client.create_block("text", [(channel, None, None)]),
        lambda: client.create_block(
            "https://example.org/a",
            [(channel, 1, data), (other, None, None)],
            title="T",
            description="*d*",
            alt_text="A",
            original_source_url="https://example.org/",
            original_source_title="S",
            metadata=data,
        ),
        lambda: client.update_block(block, title="T", description=None, content="c", metadata=data),
        lambda: client.update_block(block, metadata=dict.fromkeys(data)),
        lambda: client.create_channel("Made", visibility="private", description="d", metadata=data),
        lambda: client.update_channel(
            channel, title="New", description=None, visibility="public", metadata={"a": None}
        ),
        lambda: client.connect(block, "Block", other, position=1, metadata=data),
        lambda: client.connect(channel, "Channel", other),
        lambda: client.update_connection(connection, {"a": 1, "b": None}),
        lambda: client.move(connection, 1),
        lambda: client.move(connection, "top"),
        lambda: client.move(connection, "bottom"),
        lambda: client.create_comment(block, "a comment"),
        lambda: client.delete_comment(scene.comment + missing),
        lambda: client.presign([("a.png", "image/png"), ("b.pdf", "application/pdf")]),
        lambda: client.disconnect(connection),
        lambda: client.delete_channel(scene.spare + missing),
    ]


def test_every_write_is_one_that_the_description_allows(writes):
    for request, _, _ in writes:
        found, template, in_path = operation(request.method, request.url.path)
        assert request.url.query == b""
        numbers = [int(text) for text in in_path.values()]
        assert all(number > 0 for number in numbers)
        if "requestBody" not in found:
            assert request.content == b""
            continue
        content = follow(found["requestBody"])["content"]
        kind, body = request.headers["content-type"], json.loads(request.content)
        errors = [
            f"{template} {error.json_path}: {error.message[:300]}"
            for error in validator(content[kind]["schema"]).iter_errors(body)
        ]
        assert errors == []
        assert set(body) <= properties(content[kind]["schema"]), f"a field that {template} does not know"


def properties(schema):
    """Every property that a schema names, in whichever alternative."""
    schema = follow(schema)
    names = set(schema.get("properties", {}))
    for part in [*schema.get("allOf", []), *schema.get("oneOf", [])]:
        names |= properties(part)
    return names


def test_every_write_that_is_described_and_ours_is_met(writes):
    """All writes to blocks, channels, connections, comments and uploads, but for the batch (facts.md)."""
    met = {(request.method.lower(), operation(request.method, request.url.path)[1]) for request, *_ in writes}
    described = {
        (method, path)
        for path, methods in description()["paths"].items()
        for method in methods
        if method in {"post", "put", "delete"} and path.split("/")[2] not in {"oauth", "me", "groups"}
    }
    assert described - met == {("post", "/v3/blocks/batch")}


def test_every_answer_of_the_sandbox_to_a_write_has_its_described_shape(writes):
    assert {check_answer(*exchange) for exchange in writes} >= {200, 201, 204, 404}


def test_our_limits_and_choices_are_the_described_ones():
    schemas = description()["components"]["schemas"]
    assert schemas["MetadataInput"]["maxProperties"] == checks.MOST_KEYS
    texts = schemas["MetadataInput"]["additionalProperties"]["oneOf"][0]
    assert texts == {"type": "string", "maxLength": checks.LONGEST_VALUE}
    assert schemas["ChannelIds"]["maxItems"] == checks.MOST_CHANNELS
    presign = description()["paths"]["/v3/uploads/presign"]["post"]["requestBody"]
    files = presign["content"]["application/json"]["schema"]["properties"]["files"]
    assert files["maxItems"] == checks.MOST_FILES
    assert set(schemas["ChannelVisibility"]["enum"]) == set(_VISIBILITIES)
    assert set(schemas["ConnectableType"]["enum"]) == set(_KINDS)


@pytest.mark.parametrize(
    ("shape", "schemas"),
    [
        (wire.MarkdownWire, ["MarkdownContent"]),
        (wire.UserWire, ["EmbeddedUser"]),
        (wire.MeWire, ["User", "EmbeddedUser"]),
        (wire.ConnectionWire, ["EmbeddedConnection"]),
        (wire.ProviderWire, ["BlockProvider"]),
        (wire.SourceWire, ["BlockSource"]),
        (wire.ImageVersionWire, ["ImageVersion"]),
        (wire.ImageWire, ["BlockImage"]),
        (wire.AttachmentWire, ["BlockAttachment"]),
        (wire.EmbedWire, ["BlockEmbed"]),
        (wire.BlockWire, ["TextBlock", "ImageBlock", "AttachmentBlock", "EmbedBlock", "BaseBlockProperties"]),
        (wire.CountsWire, ["ChannelCounts"]),
        (wire.ChannelWire, ["Channel"]),
        (wire.CommentWire, ["Comment"]),
    ],
)
def test_every_key_of_our_shapes_is_a_described_one(shape, schemas):
    described = {}
    for name in schemas:
        schema = description()["components"]["schemas"][name]
        for part in [schema, *schema.get("allOf", [])]:
            described |= part.get("properties", {})
    assert set(get_type_hints(shape)) <= set(described)
