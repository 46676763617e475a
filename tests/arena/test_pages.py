"""Pages: counts that can be relied on to be counts, items exactly as shown."""

from __future__ import annotations

import pytest

from vfdir_lab.arena import Page
from vfdir_lab.errors import ArenaServerError

META = {
    "current_page": 2,
    "next_page": 3,
    "per_page": 2,
    "total_pages": 4,
    "total_count": 7,
    "has_more_pages": True,
}


def ask(server, client, meta, data=(), page=2):
    server.say(server.json({"data": list(data), "meta": meta}))
    return client.contents(1, page=page, sort="position_asc", per=2)


def test_a_full_page_is_read_as_told(server, client):
    items = [{"id": 1, "type": "Text"}, {"id": 1, "type": "Channel", "odd": [{}]}]
    assert ask(server, client, META, items) == Page(
        items=tuple(items), number=2, total_count=7, total_pages=4, has_more=True
    )


def test_an_empty_listing_has_no_pages(server, client):
    page = ask(server, client, {**META, "total_pages": 0, "total_count": 0, "has_more_pages": False}, page=1)
    assert (page.items, page.total_count, page.total_pages, page.has_more) == ((), 0, 0, False)


@pytest.mark.parametrize(
    ("left_out", "more"),
    [
        ({}, True),
        ({"has_more_pages"}, True),
        ({"has_more_pages", "next_page"}, True),
        ({"has_more_pages", "next_page", "total_pages"}, True),
        ({"has_more_pages", "next_page", "total_pages", "current_page", "per_page"}, True),
    ],
)
def test_what_is_not_told_is_worked_out(server, client, left_out, more):
    page = ask(server, client, {key: value for key, value in META.items() if key not in left_out})
    assert (page.number, page.total_count, page.total_pages, page.has_more) == (2, 7, 4, more)


@pytest.mark.parametrize(
    ("meta", "more"),
    [
        ({**META, "has_more_pages": None, "next_page": None}, False),
        ({"total_count": 4}, False),
        ({"total_count": 5}, True),
        ({"total_count": 10**30}, True),
    ],
)
def test_the_last_page_is_told_by_what_there_is(server, client, meta, more):
    assert ask(server, client, meta).has_more is more


@pytest.mark.parametrize(
    ("answer", "what"),
    [
        ({}, "no `data`"),
        ({"data": {}, "meta": META}, "no `data`"),
        ({"data": [1], "meta": META}, "something other than objects"),
        ({"data": [{}, None], "meta": META}, "something other than objects"),
        ({"data": []}, "no `meta`"),
        ({"data": [], "meta": [1]}, "no `meta`"),
        ({"data": [], "meta": {}}, "has no `meta.total_count`"),
        ({"data": [], "meta": {**META, "total_count": -1}}, "`meta.total_count` is not a count"),
        ({"data": [], "meta": {**META, "total_count": True}}, "`meta.total_count` is not a count"),
        ({"data": [], "meta": {**META, "total_count": 7.0}}, "`meta.total_count` is not a count"),
        ({"data": [], "meta": {**META, "total_pages": "4"}}, "`meta.total_pages` is not a count"),
        ({"data": [], "meta": {**META, "current_page": False}}, "`meta.current_page` is not a count"),
        ({"data": [], "meta": {**META, "has_more_pages": 1}}, "neither true nor false"),
        ({"data": [], "meta": {"total_count": 1, "next_page": "x"}}, "`meta.next_page` is not a count"),
    ],
)
def test_a_page_that_counts_wrongly_is_named_and_not_asked_again(server, client, answer, what):
    server.say(server.json(answer))
    with pytest.raises(ArenaServerError) as caught:
        client.contents(1, page=1, sort="position_asc")
    assert what in str(caught.value)
    assert (caught.value.path, client.requests) == ("/v3/channels/1/contents", 1)
