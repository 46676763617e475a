"""A push over a line and a server that fail: each wish is done once, whatever goes wrong on the way.

Normally one fault of each sort strikes a push of all kinds of wishes, each request once; under the `thorough`
profile every fault does, and each kind meets each fault alone, too.
"""

import os
import socket
from collections.abc import Iterator
from contextlib import nullcontext
from itertools import product
from pathlib import Path

import pytest
from pushed import assert_done_once
from pushing import FAST, FAULTS, KINDS, Scene, arm, build, impatient, opened

from vfdir_lab.sandbox import Sandbox

IS_THOROUGH = os.environ.get("HYPOTHESIS_PROFILE") == "thorough"
SOME = ("dropped before", "500 after", "cut", "slow after", "429", "403")
TOGETHER = list(FAULTS) if IS_THOROUGH else SOME
ALONE = (
    list(product(KINDS, FAULTS))
    if IS_THOROUGH
    else [
        *product(["text", "connect", "disconnect", "comment"], ["slow before"]),
        *product(["file", "move"], ["dropped after"]),
    ]
)
ON_THE_WAY = list(FAULTS) if IS_THOROUGH else ["dropped before", "500 after"]


@pytest.fixture(scope="module")
def server() -> Iterator[Sandbox]:
    """One server for all of these tests: each makes channels of its own there."""
    with Sandbox(rate_limits=FAST) as running:
        yield running


@pytest.fixture
def scene(server: Sandbox, tmp_path: Path) -> Iterator[Scene]:
    """A row of texts of its own, and an archive that pulled it."""
    server.control.disarm()
    server.control.clear_requests()
    made = build(server, tmp_path)
    yield made
    made.archive.close()


def push_through(scene: Scene, fault: str, kinds: tuple[str, ...]) -> None:
    """Wish, and push while the fault strikes each request once; a slow answer comes after we hung up."""
    is_slow = fault.startswith("slow")
    if is_slow:
        scene.hours.share = 0.01
    scene.wish(*kinds)
    arm(scene, fault, kinds)
    with impatient(scene) if is_slow else nullcontext():
        scene.push(5 if len(kinds) == 1 else 2 + len(kinds))
    assert_done_once(scene)


@pytest.mark.parametrize("fault", TOGETHER)
def test_every_kind_of_wish_is_done_once(scene: Scene, fault: str) -> None:
    push_through(scene, fault, tuple(KINDS))


@pytest.mark.parametrize(("kind", "fault"), ALONE)
def test_a_wish_alone_is_done_once(scene: Scene, kind: str, fault: str) -> None:
    push_through(scene, fault, (kind,))


@pytest.mark.parametrize("kinds", [tuple(KINDS), ("file",)], ids=["all", "file"])
def test_a_refused_connection_leaves_every_wish_as_it_was(scene: Scene, kinds: tuple[str, ...]) -> None:
    scene.wish(*kinds)
    online = scene.archive
    with socket.create_server(("127.0.0.1", 0)) as listener:
        nowhere = f"http://127.0.0.1:{listener.getsockname()[1]}"
    scene.archive = opened(scene.sandbox, scene.folder, scene.hours, url=nowhere)
    report = scene.archive.push()
    assert (report.paused[:13], scene.states()) == ("no connection", {"committed"})
    assert scene.sandbox.control.requests()[-1]["method"] == "GET"
    scene.archive.close()
    scene.archive = online
    scene.push()
    assert_done_once(scene)


@pytest.mark.parametrize("fault", ON_THE_WAY)
@pytest.mark.parametrize("request_line", ["POST /v3/uploads/presign", "PUT /uploads/.*"])
def test_a_file_whose_way_there_fails_is_one_block(scene: Scene, fault: str, request_line: str) -> None:
    scene.wish("file")
    name, options = FAULTS[fault]
    scene.sandbox.control.arm(name, match=request_line, **options)
    with impatient(scene):
        scene.push()
    assert_done_once(scene)


def test_what_is_sent_is_in_the_log_before(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each request that changes something finds its `tx.sent` among the events another process would read."""
    scene.wish(*KINDS)
    client = scene.archive._connect()
    send, found = client._write, []

    def look_and_send(method: str, path: str, *rest: object) -> object:
        sent = [one.intent for one in scene.outbox().intents() if one.state == "sent"]
        found.append(len(sent))
        return send(method, path, *rest)

    monkeypatch.setattr(client, "_write", look_and_send)
    scene.push()
    assert found == [1] * len(KINDS)
    assert_done_once(scene)
