"""Clocks: a fact is dated by ours, so ours must agree with are.na's."""

from __future__ import annotations

from datetime import timedelta
from email.utils import format_datetime

import pytest

from vfdir_lab.errors import ArenaNotFoundError, ArenaServerError, ArenaSkewError


def dated(clock, seconds):
    return format_datetime(clock.start + timedelta(seconds=seconds), usegmt=True)


@pytest.mark.parametrize("seconds", [-60, -1, 0, 59, 60])
def test_a_minute_either_way_is_let_pass(server, client, clock, seconds):
    server.always(server.json({"id": 1}, Date=dated(clock, seconds)))
    assert client.block(1) == {"id": 1}


@pytest.mark.parametrize(("seconds", "way"), [(-61, "61 seconds ahead of"), (3600, "3600 seconds behind")])
def test_more_than_a_minute_is_an_error_that_is_not_tried_again(server, client, clock, seconds, way):
    server.always(server.json({"id": 1}, Date=dated(clock, seconds)))
    with pytest.raises(ArenaSkewError, match=f"clock is {way} are.na's") as caught:
        client.block(1)
    assert not caught.value.is_retryable
    assert client.requests == 1


def test_an_answer_from_a_cache_on_the_way_is_as_old_as_it_says(server, client, clock):
    server.say(server.json({"id": 1}, Date=dated(clock, -290), Age="290"))
    assert client.block(1) == {"id": 1}
    server.say(server.json({"id": 1}, Date=dated(clock, -290), Age="100"))
    with pytest.raises(ArenaSkewError):
        client.block(1)


@pytest.mark.parametrize(
    "date", ["", "yesterday", "Mon, 99 Mar 2026 99:00:00 GMT", "Mon, 09 Mar 99999 22:00:00 GMT"]
)
def test_an_unreadable_date_proves_nothing(server, client, date):
    server.always(server.json({"id": 1}, Date=date))
    assert client.block(1) == {"id": 1}


@pytest.mark.parametrize("age", ["-5", "old", "9" * 40])
def test_an_unreadable_age_counts_as_none(server, client, clock, age):
    server.always(server.json({"id": 1}, Date=dated(clock, 0), Age=age))
    assert client.block(1) == {"id": 1}


def test_a_date_without_a_zone_is_utc(server, client):
    server.always(server.json({"id": 1}, Date="Mon, 09 Mar 2026 22:00:00 -0000"))
    assert client.block(1) == {"id": 1}


def test_a_refusal_under_a_wrong_clock_is_a_wrong_clock(server, client, clock):
    server.always(server.error(404, Date=dated(clock, 3600)))
    with pytest.raises(ArenaSkewError):
        client.block(1)
    server.always(server.error(404, Date=dated(clock, 0)))
    with pytest.raises(ArenaNotFoundError):
        client.block(1)


def test_a_gateways_clock_is_nobodys_business(server, connect, clock):
    server.always(server.html(502, Date=dated(clock, 3600)))
    with pytest.raises(ArenaServerError):
        connect(attempts=1).block(1)


def test_a_304_is_dated_too(server, connect, clock, tmp_path):
    from vfdir_lab.arena import ResponseCache

    server.say(server.json({"id": 1}, ETag='"a"'), server.unchanged(Date=dated(clock, 3600)))
    client = connect(cache=ResponseCache(tmp_path))
    client.block(1)
    with pytest.raises(ArenaSkewError):
        client.block(1)
