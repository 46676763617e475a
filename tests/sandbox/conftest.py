"""A small world of its own for each test, the whole of `data/` for those that only read."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from vfdir_lab.sandbox import Sandbox, World

PLENTY = dict.fromkeys(("guest", "free", "premium", "supporter"), 1_000_000)
DESCRIPTION = Path(__file__).parents[2].parent / "shared" / "arena" / "openapi.json"
Connect = Callable[..., httpx.Client]


def _connector(sandbox: Sandbox, clients: list[httpx.Client]) -> Connect:
    def connect(kind: str | None = "write", prefix: str = "/v3") -> httpx.Client:
        token = getattr(sandbox.tokens, kind) if kind else None
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        # No certificates are needed on loopback, and reading them takes longer than most tests.
        base = sandbox.url + prefix
        client = httpx.Client(base_url=base, headers=headers, timeout=10, trust_env=False, verify=False)
        clients.append(client)
        return client

    return connect


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """An empty world: two people, nothing else, no limits."""
    with Sandbox(rate_limits=PLENTY, world=World()) as running:
        yield running


@pytest.fixture
def connect(sandbox: Sandbox) -> Iterator[Connect]:
    clients: list[httpx.Client] = []
    yield _connector(sandbox, clients)
    for client in clients:
        client.close()


@pytest.fixture
def me(connect: Connect) -> httpx.Client:
    return connect("write")


@pytest.fixture
def other(connect: Connect) -> httpx.Client:
    return connect("other")


@pytest.fixture
def reader(connect: Connect) -> httpx.Client:
    return connect("read")


@pytest.fixture
def guest(connect: Connect) -> httpx.Client:
    return connect(None)


@pytest.fixture
def bare(connect: Connect) -> httpx.Client:
    """A guest at the root, for media, uploads and the control door."""
    return connect(None, "")


@pytest.fixture
def channel(me: httpx.Client) -> Any:
    """A public channel of the main person."""
    return me.post("/channels", json={"title": "Harbour", "visibility": "public"}).json()


@pytest.fixture
def add(me: httpx.Client, channel: Any) -> Callable[..., int]:
    """Add a text to the channel; returns the block's number."""

    def add(value: str = "text", **fields: object) -> int:
        answer = me.post("/blocks", json={"value": value, "channel_ids": [channel["id"]], **fields})
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    return add


@pytest.fixture
def contents(me: httpx.Client, channel: Any) -> Callable[..., list[Any]]:
    """The channel's contents, from the bottom up unless sorted otherwise."""

    def contents(client: httpx.Client = me, **query: object) -> list[Any]:
        query = {"per": 100, "sort": "position_asc", **query}
        answer = client.get(f"/channels/{channel['id']}/contents", params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    return contents


@pytest.fixture(scope="session")
def library() -> Iterator[Sandbox]:
    """The world of `data/`, to be read only."""
    with Sandbox(rate_limits=PLENTY) as running:
        yield running


@pytest.fixture(scope="session")
def visit(library: Sandbox) -> Iterator[Connect]:
    clients: list[httpx.Client] = []
    yield _connector(library, clients)
    for client in clients:
        client.close()


@pytest.fixture(scope="session")
def description() -> Any:
    """The published description, with what is known to be otherwise put right."""
    if not DESCRIPTION.is_file():
        pytest.skip("the published OpenAPI description is not beside this checkout")
    spec = json.loads(DESCRIPTION.read_text(encoding="utf-8"))
    schemas = spec["components"]["schemas"]
    # Recorded traffic: a connection's self link is a bare string.
    schemas["Connection"]["allOf"][1]["properties"]["_links"] = {"type": "object", "required": ["self"]}
    # A block that is still processing can be in a channel's contents.
    pending = {"$ref": "#/components/schemas/PendingBlock"}
    schemas["ConnectableList"]["properties"]["data"]["items"]["oneOf"].append(pending)
    # Its prose: "Invalid requests return 400", whatever an operation lists.
    for operations in spec["paths"].values():
        for operation in operations.values():
            bad = {"$ref": "#/components/responses/BadRequestResponse"}
            operation["responses"].setdefault("400", bad)
    return spec
