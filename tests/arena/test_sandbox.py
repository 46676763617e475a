"""The client at the sandbox: a whole are.na over real sockets, faults included."""

from __future__ import annotations

import pytest

from vfdir_lab.arena import GUEST, SYSTEM_TIME, ArenaClient, ResponseCache, Time
from vfdir_lab.errors import (
    ArenaAuthError,
    ArenaForbiddenError,
    ArenaNetworkError,
    ArenaNotFoundError,
    ArenaRateLimitError,
    ArenaServerError,
    ArenaSkewError,
    ArenaValidationError,
    BudgetReachedError,
)
from vfdir_lab.sandbox import Sandbox

FAST = {"guest": 10_000, "free": 10_000, "premium": 10_000, "supporter": 10_000}


@pytest.fixture(scope="module")
def running():
    with Sandbox(rate_limits=FAST) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running):
    yield running
    running.control.disarm()
    running.control.set_clock_offset(0)


@pytest.fixture
def at_sandbox(sandbox, make_clock):
    """Makes clients whose waits take no time and whose wall clock is the real one, as the sandbox's is."""
    clients = []

    def make(token: str = "", **options) -> ArenaClient:
        clock = make_clock()
        time = Time(now=SYSTEM_TIME.now, monotonic=lambda: clock.elapsed, sleep=clock.sleep)
        clients.append(ArenaClient(token, sandbox.url, **{"time": time, "timeout_seconds": 5, **options}))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def channel(sandbox):
    """A channel of the token's account with seven texts, and one of them commented on."""
    return filled(sandbox, 7)


def filled(sandbox, size):
    made = sandbox.control.add_channel("A channel to read", by="ines-havel")
    for number in range(size):
        sandbox.control.add_block(made["slug"], f"text {number}", kind="Text", by="ines-havel")
    return made


def walk(ask, per):
    pages = [ask(page=1, per=per)]
    while pages[-1].has_more:
        pages.append(ask(page=pages[-1].number + 1, per=per))
    return pages


def test_the_tokens_account_is_known_and_a_guest_is_a_guest(sandbox, at_sandbox):
    me = at_sandbox(sandbox.tokens.read).account()
    assert me.key == f"user:{me.id}"
    assert at_sandbox().account() == GUEST


def test_a_channel_is_the_same_by_slug_and_by_number(sandbox, at_sandbox, channel):
    client = at_sandbox(sandbox.tokens.read)
    assert client.channel(channel["slug"]) == client.channel(channel["id"])


@pytest.mark.parametrize("per", [1, 3, 7, 100])
def test_all_pages_together_are_the_channel(sandbox, at_sandbox, channel, per):
    client = at_sandbox(sandbox.tokens.read)
    pages = walk(lambda **asked: client.contents(channel["id"], sort="position_asc", **asked), per)
    items = [item for page in pages for item in page.items]
    assert [item["content"]["plain"] for item in items] == [f"text {number}" for number in range(7)]
    assert {(page.total_count, page.total_pages) for page in pages} == {(7, -(-7 // per))}
    assert len({item["connection"]["id"] for item in items}) == 7


def test_a_block_and_its_connection_can_be_asked_alone(sandbox, at_sandbox, channel):
    client = at_sandbox(sandbox.tokens.read)
    item = client.contents(channel["id"], page=1, sort="created_at_desc", per=1).items[0]
    assert client.block(item["id"])["content"] == item["content"]
    assert client.connection(item["connection"]["id"])["position"] == item["connection"]["position"]
    assert client.comments(item["id"], page=1).total_count == item["comment_count"] == 0


def test_the_channels_of_an_account_are_listed(sandbox, at_sandbox):
    client = at_sandbox(sandbox.tokens.read)
    pages = walk(lambda **asked: client.user_channels(client.account().id, **asked), 2)
    assert {item["type"] for page in pages for item in page.items} == {"Channel"}


def test_an_empty_channel_has_an_empty_page(sandbox, at_sandbox):
    empty = sandbox.control.add_channel("Empty", by="ines-havel")
    page = at_sandbox(sandbox.tokens.read).contents(empty["id"], page=1, sort="position_asc")
    assert (page.items, page.total_count, page.has_more) == ((), 0, False)


def test_what_is_not_there_is_not_found(sandbox, at_sandbox):
    client = at_sandbox(sandbox.tokens.read)
    for ask in (lambda: client.block(10**9), lambda: client.channel("no-such-thing")):
        with pytest.raises(ArenaNotFoundError):
            ask()


def test_a_wrong_token_is_refused_plainly(at_sandbox, token):
    with pytest.raises(ArenaAuthError, match=r"refused the token \(GET /v3/me\)"):
        at_sandbox(token).account()


def test_the_rate_is_told_from_the_first_answer(sandbox, at_sandbox):
    client = at_sandbox(sandbox.tokens.read)
    client.account()
    assert (client.rate.limit, client.rate.used) == (10_000, 1)


def test_an_unchanged_channel_costs_304s_only(sandbox, at_sandbox, channel, tmp_path):
    cache = ResponseCache(tmp_path)
    first, again = (at_sandbox(sandbox.tokens.read, cache=cache) for _ in range(2))

    def read(client):
        return client.channel(channel["id"]), client.contents(channel["id"], page=1, sort="created_at_desc")

    seen = read(first)
    sandbox.control.clear_requests()
    assert read(again) == seen
    assert [request["status"] for request in sandbox.control.requests()] == [200, 304, 304]
    sandbox.control.add_block(channel["slug"], "new", kind="Text")
    assert read(again) != seen


@pytest.mark.parametrize(
    "fault",
    [
        {"fault": "fail_before", "status": 503},
        {"fault": "drop_before"},
        {"fault": "drop_after"},
        {"fault": "too_many", "retry_after": 3},
        {"fault": "truncate", "mode": "cut"},
        {"fault": "truncate", "mode": "json"},
        {"fault": "gateway_html", "status": 502},
        {"fault": "gateway_html", "status": 403},
        {"fault": "gateway_html", "status": 404},
    ],
)
def test_a_passing_fault_costs_further_tries_and_nothing_else(sandbox, at_sandbox, channel, fault):
    client = at_sandbox(sandbox.tokens.read)
    clean = client.contents(channel["id"], page=1, sort="position_asc")
    sandbox.control.arm(match="GET /v3/channels/.*", times=2, **fault)
    before = client.requests
    assert client.contents(channel["id"], page=1, sort="position_asc") == clean
    assert client.requests == before + 3


@pytest.mark.parametrize(
    ("fault", "kind", "tries"),
    [
        ({"fault": "fail_after", "status": 500}, ArenaServerError, 5),
        ({"fault": "drop_before"}, ArenaNetworkError, 5),
        ({"fault": "too_many", "retry_after": 3}, ArenaRateLimitError, 5),
        ({"fault": "too_many", "retry_after": 600}, ArenaRateLimitError, 1),
        ({"fault": "gateway_html", "status": 404}, ArenaServerError, 5),
        ({"fault": "redirect"}, ArenaServerError, 1),
        ({"fault": "unauthorized"}, ArenaAuthError, 1),
        ({"fault": "forbidden"}, ArenaForbiddenError, 1),
        ({"fault": "status", "status": 422}, ArenaValidationError, 1),
        ({"fault": "status", "status": 400}, ArenaValidationError, 1),
    ],
)
def test_a_lasting_fault_ends_in_its_error(sandbox, at_sandbox, fault, kind, tries):
    client = at_sandbox(sandbox.tokens.read)
    sandbox.control.arm(match="GET /v3/channels/.*", times=None, **fault)
    with pytest.raises(kind) as caught:
        client.channel("tides")
    assert type(caught.value) is kind
    assert client.requests == tries
    assert sandbox.tokens.read not in str(caught.value)


def test_a_budget_ends_a_walk_where_the_next_run_can_go_on(sandbox, at_sandbox, channel):
    client = at_sandbox(sandbox.tokens.read)
    client.allow(3)
    sandbox.control.clear_requests()
    with pytest.raises(BudgetReachedError):
        walk(lambda **asked: client.contents(channel["id"], sort="position_asc", **asked), 1)
    assert [request["query"]["page"] for request in sandbox.control.requests()] == ["1", "2", "3"]


@pytest.mark.parametrize("seconds", [-3600, 3600])
def test_a_clock_that_disagrees_is_noticed(sandbox, at_sandbox, channel, seconds):
    sandbox.control.set_clock_offset(seconds)
    client = at_sandbox()
    with pytest.raises(ArenaSkewError):
        client.channel(channel["id"])
    assert client.requests == 1


def test_the_limit_is_never_reached(make_clock):
    """Fifty requests on a steady clock that client and sandbox share: none is refused."""
    clock = make_clock()
    time = Time(now=SYSTEM_TIME.now, monotonic=lambda: clock.elapsed, sleep=clock.sleep)
    with Sandbox(rate_limits={"guest": 20}) as sandbox, ArenaClient("", sandbox.url, time=time) as client:
        sandbox.world.clock.steady = time.monotonic
        channel = filled(sandbox, 1)
        for _ in range(50):
            client.channel(channel["id"])
        assert {request["status"] for request in sandbox.control.requests()} == {200}
        assert clock.elapsed > 60 * (50 // 16)
