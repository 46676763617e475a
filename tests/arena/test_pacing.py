"""Pace, rate limit and budget: what reaches are.na, and when, on a clock that waits in no time."""

from __future__ import annotations

import math
import threading
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vfdir_lab.arena import SYSTEM_TIME, Rate
from vfdir_lab.arena.pacing import Pace
from vfdir_lab.errors import BudgetReachedError, UsageError

WINDOW = 60.0


@given(
    limit=st.integers(1, 40),
    pause=st.floats(0, 5),
    write_pause=st.floats(0, 5),
    exchanges=st.lists(st.tuples(st.floats(0, 3), st.floats(0, 40), st.booleans()), max_size=120),
)
def test_fewer_than_four_fifths_of_the_limit_reach_are_na_in_any_minute(
    make_clock, limit, pause, write_pause, exchanges
):
    """Wherever between its start and end each request arrived, and whatever the person's idle times."""
    clock = make_clock()
    pace = Pace(
        time=clock.time,
        pause_seconds=pause,
        write_pause_seconds=write_pause,
        assumed_limit=limit,
        on_wait=None,
    )
    spans, writes = [], []
    for takes, idle, is_write in exchanges:
        with pace.turn(is_write=is_write):
            start = clock.elapsed
            clock.elapsed += takes
        spans.append((start, clock.elapsed))
        writes += spans[-1:] if is_write else []
        clock.elapsed += idle
    most = max(1, math.ceil(limit * 0.8) - 1)
    assert most < limit * 0.8 or most == 1
    for (_, end), (start, _) in zip(spans, spans[most:], strict=False):
        assert start - end >= WINDOW
    for (_, end), (start, _) in pairwise(spans):
        assert start - end >= pause - 1e-6
    for (_, end), (start, _) in pairwise(writes):
        assert start - end >= write_pause - 1e-6


def test_half_a_second_lies_between_writes_and_questions_may_come_between(server, clock, token, make_writer):
    waits = []
    server.always(server.json({"id": 1}))
    client = make_writer(on_wait=waits.append)
    client.create_comment(1, "a")
    client.create_comment(1, "b")
    client.block(1)
    client.create_comment(1, "c")
    assert clock.slept == pytest.approx([0.5, 0.2, 0.3])
    assert waits == []


@pytest.fixture
def make_writer(connect, token):
    """A client with the pauses that people get."""
    return lambda **options: connect(token, pause_seconds=0.2, write_pause_seconds=0.5, **options)


@pytest.mark.parametrize("seconds", [-1, math.inf, math.nan])
def test_a_pause_between_writes_that_makes_no_sense_is_refused(connect, seconds):
    with pytest.raises(UsageError, match="makes no sense"):
        connect(write_pause_seconds=seconds)


def test_calls_keep_the_ordinary_pace_without_telling_anyone(server, connect, clock):
    waits = []
    server.always(server.json({}))
    client = connect(pause_seconds=0.2, on_wait=waits.append)
    for _ in range(4):
        client.block(1)
    assert clock.slept == pytest.approx([0.2] * 3)
    assert waits == []
    assert client.waited_seconds == pytest.approx(0.6)


def test_a_told_limit_is_heeded_and_the_wait_announced(server, connect, clock):
    waits = []
    server.always(server.json({}, X_RateLimit_Limit="10", X_RateLimit_Tier="free"))
    client = connect(on_wait=waits.append)
    assert client.rate is None
    for _ in range(8):
        client.block(1)
    assert client.rate == Rate(tier="free", limit=10, used=1)
    assert [round(wait.seconds) for wait in waits] == [60]
    assert waits[0].reason == "staying below are.na's 10 requests a minute"
    assert clock.elapsed == pytest.approx(60, abs=0.1)


@pytest.mark.parametrize(("who", "free"), [("", 23), ("a-member-s-token", 95)])
def test_the_lowest_limit_of_such_an_account_holds_until_one_is_told(server, connect, clock, who, free):
    server.always(server.json({}))
    client = connect(who)
    for _ in range(free):
        client.block(1)
    assert clock.slept == []
    client.block(1)
    assert len(clock.slept) == 1
    assert client.rate is None


def test_a_limit_that_shrinks_holds_at_once(server, client, clock):
    server.say(*[server.json({}, X_RateLimit_Limit="100")] * 20, server.json({}, X_RateLimit_Limit="5"))
    server.always(server.json({}, X_RateLimit_Limit="5"))
    for _ in range(22):
        client.block(1)
    assert len(clock.slept) == 1


@pytest.mark.parametrize("limit", ["0", "-1", "many", "", "1e3", "9" * 30, "\uff13\uff10", "+30"])
def test_a_nonsense_limit_is_ignored(server, client, limit):
    server.always(server.bytes(b"{}", X_RateLimit_Limit=limit.encode().decode("latin-1")))
    client.block(1)
    assert client.rate is None


@pytest.mark.parametrize("tier", ["", "x" * 41, "\x01"])
def test_a_nonsense_tier_is_not_repeated(server, client, tier):
    server.always(server.json({}, X_RateLimit_Limit="30", X_RateLimit_Tier=tier or " "))
    if tier == "\x01":
        server.always(server.json({}, X_RateLimit_Limit="30", X_RateLimit_Tier="\xa0\x85"))
    client.block(1)
    assert client.rate is not None
    assert client.rate.tier is None


def test_the_count_of_the_last_minute_forgets_what_is_older(server, client, clock):
    server.always(server.json({}, X_RateLimit_Limit="30"))
    client.block(1)
    clock.elapsed += 59
    client.block(1)
    assert client.rate.used == 2
    clock.elapsed += 2
    assert client.rate.used == 1


def test_a_budget_stops_before_the_request_that_would_exceed_it(server, client):
    server.always(server.json({}))
    client.block(1)
    client.allow(2)
    client.block(1)
    client.block(1)
    with pytest.raises(
        BudgetReachedError, match="the 2 requests allowed for this run are used up: run again"
    ):
        client.block(1)
    assert len(server.heard) == 3
    client.allow(None)
    client.block(1)
    assert client.requests == 4


def test_a_budget_of_nothing_sends_nothing(server, client):
    client.allow(0)
    with pytest.raises(BudgetReachedError):
        client.block(1)
    assert server.heard == []


def test_further_tries_and_redirects_are_paid_from_the_budget(server, client, clock):
    server.say(server.html(502), server.json({}, 302, Location="/v3/blocks/2"), server.html(502))
    client.allow(3)
    with pytest.raises(BudgetReachedError):
        client.block(1)
    assert len(server.heard) == 3
    assert len(clock.slept) == 1, "no waiting for a try that may not be made"


@pytest.mark.parametrize("budget", [-1, True])
def test_a_budget_that_makes_no_sense_is_refused(client, budget):
    with pytest.raises(UsageError):
        client.allow(budget)


def test_threads_take_turns(server, connect):
    """On the real clock, since only there could two requests leave at once: each keeps its distance."""
    server.always(server.json({}))
    client = connect(time=SYSTEM_TIME, pause_seconds=0.05)
    threads = [threading.Thread(target=client.block, args=(number,)) for number in range(1, 6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert server.connections == 1
    assert [later.at - earlier.at > 0.045 for earlier, later in pairwise(server.heard)] == [True] * 4
