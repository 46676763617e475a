"""Every write at every fault of the sandbox: what the client says is never more than what is proven."""

from __future__ import annotations

import logging
import time
import traceback

import pytest

from vfdir_lab.arena import Accepted, ArenaClient, NotSent, Refused, Unknown
from vfdir_lab.errors import (
    ArenaApiError,
    ArenaAuthError,
    ArenaForbiddenError,
    ArenaNetworkError,
    ArenaNotFoundError,
    ArenaRateLimitError,
    ArenaServerError,
    ArenaValidationError,
)
from vfdir_lab.sandbox import Sandbox, World
from vfdir_lab.sandbox.faults import KINDS

PLENTY = dict.fromkeys(("guest", "free", "premium", "supporter"), 1_000_000)
PATIENT_SECONDS = 10
IMPATIENT_SECONDS = 0.15
ELSEWHERE = "http://127.0.0.1:9/elsewhere"

# Name, fault with its options, what must be said, what the error is, whether the write took effect.
FAULTS = [
    ("fail before", {"fault": "fail_before"}, Unknown, ArenaServerError, False),
    ("503 before", {"fault": "fail_before", "status": 503}, Unknown, ArenaServerError, False),
    ("fail after", {"fault": "fail_after"}, Unknown, ArenaServerError, True),
    ("drop before", {"fault": "drop_before"}, Unknown, ArenaNetworkError, False),
    ("drop after", {"fault": "drop_after"}, Unknown, ArenaNetworkError, True),
    ("too many", {"fault": "too_many", "retry_after": 7}, NotSent, ArenaRateLimitError, False),
    ("cut off", {"fault": "truncate", "mode": "cut"}, Unknown, ArenaNetworkError, True),
    ("a byte short", {"fault": "truncate", "mode": "cut", "keep": 1.0}, Unknown, ArenaNetworkError, True),
    ("cut JSON", {"fault": "truncate", "mode": "json"}, Unknown, ArenaServerError, True),
    ("gateway 502", {"fault": "gateway_html"}, Unknown, ArenaServerError, False),
    ("gateway 502 after", {"fault": "gateway_html", "commit": True}, Unknown, ArenaServerError, True),
    ("gateway 200", {"fault": "gateway_html", "status": 200}, Unknown, ArenaServerError, False),
    ("gateway 201 after", {"fault": "gateway_html", "status": 201, "commit": True}, Unknown, None, True),
    ("gateway 401 after", {"fault": "gateway_html", "status": 401, "commit": True}, Unknown, None, True),
    ("gateway 403 after", {"fault": "gateway_html", "status": 403, "commit": True}, Unknown, None, True),
    ("gateway 404 after", {"fault": "gateway_html", "status": 404, "commit": True}, Unknown, None, True),
    ("gateway 429 after", {"fault": "gateway_html", "status": 429, "commit": True}, Unknown, None, True),
    ("slow before", {"fault": "slow", "seconds": 0.4, "when": "before"}, Unknown, ArenaNetworkError, True),
    ("slow after", {"fault": "slow", "seconds": 0.4, "when": "after"}, Unknown, ArenaNetworkError, True),
    ("redirect", {"fault": "redirect", "to": ELSEWHERE}, Unknown, ArenaServerError, False),
    ("redirect 307", {"fault": "redirect", "to": ELSEWHERE, "status": 307}, Unknown, None, False),
    ("unauthorized", {"fault": "unauthorized"}, NotSent, ArenaAuthError, False),
    ("forbidden", {"fault": "forbidden"}, Refused, ArenaForbiddenError, False),
    ("400", {"fault": "status", "status": 400}, Refused, ArenaValidationError, False),
    ("404", {"fault": "status", "status": 404}, Refused, ArenaNotFoundError, False),
    ("409", {"fault": "status", "status": 409}, Refused, ArenaApiError, False),
    ("422", {"fault": "status", "status": 422, "message": "No more."}, Refused, None, False),
    ("408", {"fault": "status", "status": 408}, Unknown, ArenaServerError, False),
    ("408 after", {"fault": "status", "status": 408, "commit": True}, Unknown, ArenaServerError, True),
    ("200 of no use", {"fault": "status", "status": 200, "commit": True}, Unknown, None, True),
    ("torn page", {"fault": "torn_page"}, Accepted, None, True),
    ("wrong counts", {"fault": "garbage_count"}, Accepted, None, True),
    ("endless pages", {"fault": "endless_pages"}, Accepted, None, True),
]


@pytest.fixture(scope="module")
def running():
    with Sandbox(rate_limits=PLENTY, world=World()) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running):
    running.control.disarm()
    yield running
    running.control.disarm()


@pytest.fixture
def open_client(sandbox):
    """Makes clients that do not pause, and hangs up in the end."""
    clients = []

    def make(token, **options):
        options = {
            "pause_seconds": 0,
            "write_pause_seconds": 0,
            "timeout_seconds": PATIENT_SECONDS,
            **options,
        }
        clients.append(ArenaClient(token, sandbox.url, **options))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


class Scene:
    """A channel with a block, a connection and a comment of the token's account, and what is true of them."""

    def __init__(self, sandbox):
        self.control, self.world = sandbox.control, sandbox.world
        me = self.world.main
        self.channel = self.control.add_channel("Scene", by=me)["id"]
        self.spare = self.control.add_channel("Spare", by=me)["id"]
        made = [self.control.add_block(self.channel, f"text {n}", kind="Text", by=me) for n in range(3)]
        self.block, self.connection = made[0]["id"], made[0]["connection"]
        self.comment = self.control.comment(self.block, "hm", by=me)
        self.uploads = len(self.world.media.uploads)

    def in_spare(self):
        return len(self.control.snapshot(self.spare))

    def on_top(self):
        return self.control.snapshot(self.channel)[-1]["connection"]


# For each endpoint: the write, and whether it took effect, read behind the service's back.
WRITES = {
    "POST /blocks": (
        lambda c, s: c.create_block("new", [(s.spare, None, None)]),
        lambda s: s.in_spare() == 1,
    ),
    "PUT /blocks/{id}": (
        lambda c, s: c.update_block(s.block, title="New"),
        lambda s: s.world.blocks[s.block].title == "New",
    ),
    "POST /channels": (
        lambda c, s: c.create_channel(f"Made {s.channel}"),
        lambda s: any(one.title == f"Made {s.channel}" for one in s.world.channels.values()),
    ),
    "PUT /channels/{id}": (
        lambda c, s: c.update_channel(s.channel, title="Renamed"),
        lambda s: s.world.channels[s.channel].title == "Renamed",
    ),
    "DELETE /channels/{id}": (
        lambda c, s: c.delete_channel(s.spare),
        lambda s: s.spare not in s.world.channels,
    ),
    "POST /connections": (
        lambda c, s: c.connect(s.block, "Block", s.spare),
        lambda s: s.in_spare() == 1,
    ),
    "DELETE /connections/{id}": (
        lambda c, s: c.disconnect(s.connection),
        lambda s: s.connection not in s.world.connections,
    ),
    "PUT /connections/{id}": (
        lambda c, s: c.update_connection(s.connection, {"a": 1}),
        lambda s: s.world.connections[s.connection].metadata == {"a": 1},
    ),
    "POST /connections/{id}/move": (
        lambda c, s: c.move(s.connection, "top"),
        lambda s: s.on_top() == s.connection,
    ),
    "POST /blocks/{id}/comments": (
        lambda c, s: c.create_comment(s.block, "more"),
        lambda s: len(s.world.comments_on(s.block)) == 2,
    ),
    "DELETE /comments/{id}": (
        lambda c, s: c.delete_comment(s.comment),
        lambda s: s.world.comments_on(s.block) == [],
    ),
    "POST /uploads/presign": (
        lambda c, s: c.presign([("a.png", "image/png")]),
        lambda s: len(s.world.media.uploads) == s.uploads + 1,
    ),
}


def everything_shown(sent):
    """What a person, a log or a crash report could see of an answer to a write."""
    seen, link = [repr(sent), str(sent)], getattr(sent, "error", None)
    while link is not None:
        seen += [str(link), repr(link), repr(vars(link))]
        seen += traceback.TracebackException.from_exception(link, capture_locals=True).format()
        link = link.__cause__ or link.__context__
    return "\n".join(seen)


def came_true(happened, scene, *, expected):
    """Whether the write took effect, waiting for one that may still be under way."""
    deadline = time.monotonic() + 3
    while expected and not happened(scene) and time.monotonic() < deadline:
        time.sleep(0.02)
    return happened(scene)


@pytest.mark.parametrize("endpoint", WRITES)
@pytest.mark.parametrize("case", [case[1:] for case in FAULTS], ids=[case[0] for case in FAULTS])
def test_what_is_said_is_what_is_proven(sandbox, open_client, caplog, endpoint, case):
    fault, kind, error, effect = case
    write, happened = WRITES[endpoint]
    scene = Scene(sandbox)
    caplog.set_level(logging.DEBUG)
    seconds = IMPATIENT_SECONDS if fault["fault"] == "slow" else PATIENT_SECONDS
    client = open_client(sandbox.tokens.write, may_write=True, timeout_seconds=seconds)
    sandbox.control.clear_requests()
    sandbox.control.arm(**fault)
    sent = write(client, scene)
    if fault["fault"] == "truncate" and endpoint.startswith("DELETE"):
        kind = Accepted  # the answer to a delete has no body that could be cut off
    assert type(sent) is kind
    if error is not None and kind is not Accepted:
        assert type(sent.error) is error
    assert came_true(happened, scene, expected=effect) == effect
    assert [request["fault"] for request in sandbox.control.requests()] == [fault["fault"]]
    assert client.requests == 1
    assert sandbox.tokens.write not in everything_shown(sent) + caplog.text


def test_every_fault_of_the_sandbox_is_met():
    assert {fault["fault"] for _, fault, *_ in FAULTS} == set(KINDS)


@pytest.mark.parametrize("endpoint", WRITES)
def test_without_a_fault_a_write_is_accepted_and_done(sandbox, open_client, endpoint):
    write, happened = WRITES[endpoint]
    scene = Scene(sandbox)
    assert not happened(scene)
    sent = write(open_client(sandbox.tokens.write), scene)
    assert isinstance(sent, Accepted)
    assert happened(scene)


@pytest.mark.parametrize("endpoint", WRITES)
def test_a_403_without_proof_of_the_scope_rejects_nothing(sandbox, open_client, endpoint):
    write, happened = WRITES[endpoint]
    scene = Scene(sandbox)
    sent = write(open_client(sandbox.tokens.read), scene)
    assert isinstance(sent, NotSent)
    assert isinstance(sent.error, ArenaForbiddenError)
    assert not happened(scene)


def test_a_403_that_names_the_scope_rejects_nothing_even_with_proof(sandbox, open_client):
    scene = Scene(sandbox)
    client = open_client(sandbox.tokens.write, may_write=True)
    sandbox.control.arm("status", status=403, message="This needs the write scope.")
    assert isinstance(client.delete_channel(scene.spare), NotSent)
    sandbox.control.arm("status", status=403, message="You cannot change Telescopes.")
    assert isinstance(client.delete_channel(scene.spare), Refused)


def test_the_pause_that_is_asked_for_is_told_and_not_waited_for(sandbox, open_client, make_clock):
    clock, scene = make_clock(), Scene(sandbox)
    client = open_client(sandbox.tokens.write, time=clock.time)
    sandbox.control.arm("too_many", retry_after=7)
    sent = client.delete_channel(scene.spare)
    assert (sent.pause_seconds, sent.error.retry_after_seconds, clock.slept) == (7, 7, [])


def test_a_lasting_fault_is_met_once_by_each_write(sandbox, open_client):
    """The client never repeats a write: what it may repeat is for those to say who know what was meant."""
    scene = Scene(sandbox)
    client = open_client(sandbox.tokens.write, attempts=5)
    for fault in ("fail_after", "drop_after", "too_many", "gateway_html"):
        sandbox.control.arm(fault, times=None)
        sandbox.control.clear_requests()
        client.create_comment(scene.block, fault)
        assert len(sandbox.control.requests()) == 1
        sandbox.control.disarm()


def test_a_wrong_clock_does_not_unmake_what_was_done(sandbox, open_client):
    """Reading with a wrong clock is refused; a write that was answered is done whatever the clocks say."""
    scene = Scene(sandbox)
    client = open_client(sandbox.tokens.write)
    sandbox.control.set_clock_offset(3600)
    try:
        assert isinstance(client.create_comment(scene.block, "late"), Accepted)
    finally:
        sandbox.control.set_clock_offset(0)


def test_after_a_fault_the_same_client_writes_on(sandbox, open_client):
    scene = Scene(sandbox)
    client = open_client(sandbox.tokens.write)
    for fault in ("drop_before", "drop_after", "truncate"):
        sandbox.control.arm(fault)
        assert isinstance(client.update_block(scene.block, title="x"), Unknown)
        assert isinstance(client.update_block(scene.block, title="y"), Accepted)
