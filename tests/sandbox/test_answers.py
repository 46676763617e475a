"""Errors, pages, caching, limits, tokens: what every answer has in common."""

from __future__ import annotations

from email.utils import parsedate_to_datetime

import httpx
import pytest

from vfdir_lab.sandbox import Sandbox, World


def test_ping_needs_no_token(guest):
    assert guest.get("/ping").json() == {"status": "ok"}


def test_me_needs_a_token_and_does_not_tell_its_scope(guest, reader, me):
    assert guest.get("/me").status_code == 401
    assert reader.get("/me").json() == me.get("/me").json()
    assert "scope" not in me.get("/me").json()


def test_a_read_token_may_not_write(reader):
    answer = reader.post("/channels", json={"title": "No"})
    assert answer.status_code == 403
    assert answer.json()["code"] == 403


@pytest.mark.parametrize("header", ["Bearer wrong", "Basic abc", "Bearer", "nonsense"])
def test_a_token_nobody_has_is_refused_even_where_none_is_needed(bare, header):
    assert bare.get("/v3/ping", headers={"Authorization": header}).status_code == 401


@pytest.mark.parametrize(
    "path", ["/v3/nowhere", "/v2/channels/x", "/", "/v3/channels//contents", "/v3/blocks/1/x"]
)
def test_every_unknown_path_is_a_404_in_are_na_shape(bare, path):
    answer = bare.get(path)
    assert answer.status_code == 404
    assert answer.json() == {
        "error": "Not Found",
        "code": 404,
        "details": {"message": "The resource you are looking for does not exist."},
    }
    assert "etag" not in answer.headers


@pytest.mark.parametrize("method", ["PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"])
def test_every_other_method_is_a_404_too(bare, method):
    answer = bare.request(method, "/v3/ping")
    assert (answer.status_code, answer.json()["code"]) == (404, 404)
    assert answer.headers["x-ratelimit-tier"] == "guest"


def test_there_is_no_way_to_delete_a_block(me, add):
    block = add()
    assert me.delete(f"/blocks/{block}").status_code == 404
    assert me.get(f"/blocks/{block}").status_code == 200


@pytest.mark.parametrize(
    "query",
    [
        {"per": 101},
        {"per": 0},
        {"per": "many"},
        {"page": 0},
        {"page": "1.5"},
        {"sort": "position", "direction": "desc"},
        {"user_id": "ines"},
    ],
)
def test_parameters_outside_the_description_are_refused(me, channel, query):
    answer = me.get("/channels/harbour/contents", params=query)
    assert answer.status_code == 400
    assert answer.json()["details"]["errors"]


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b'"x"', b'{"title": 1}', b'{"title": ""}', b'{"title": "\\ud800"}', b'{"title": NaN}',
     b"\xff", b"[" * 100_000, b'{"title": "a\\u0000b"}', b'{"title": "x", "visibility": "open"}'],
)  # fmt: skip
def test_bodies_outside_the_description_are_refused(me, body):
    answer = me.post("/channels", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400


def test_pages_count_what_is_there(me, channel, add):
    for number in range(5):
        add(f"text {number}")
    pages = [me.get("/channels/harbour/contents", params={"per": 2, "page": n}).json() for n in (1, 2, 3)]
    assert [len(page["data"]) for page in pages] == [2, 2, 1]
    assert [page["meta"]["next_page"] for page in pages] == [2, 3, None]
    assert [page["meta"]["prev_page"] for page in pages] == [None, 1, 2]
    assert {page["meta"]["total_count"] for page in pages} == {5}
    assert pages[2]["meta"]["has_more_pages"] is False


def test_an_empty_list_has_no_pages(me, channel):
    answer = me.get("/channels/harbour/contents").json()
    assert answer["data"] == []
    assert answer["meta"]["total_pages"] == 0


def test_offset_pages_shift_while_being_read(me, sandbox, channel, add):
    for number in range(4):
        add(f"text {number}")
    query = {"per": 2, "sort": "created_at_desc"}
    first = me.get("/channels/harbour/contents", params=query | {"page": 1}).json()["data"]
    sandbox.control.add_block("harbour", "newest")
    second = me.get("/channels/harbour/contents", params=query | {"page": 2}).json()["data"]
    assert first[-1]["id"] == second[0]["id"]


def test_an_unchanged_answer_costs_a_304(me, channel):
    first = me.get("/channels/harbour")
    assert first.headers["etag"].startswith('W/"')
    again = me.get("/channels/harbour", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["x-ratelimit-limit"]
    me.put("/channels/harbour", json={"description": "new"})
    changed = me.get("/channels/harbour", headers={"If-None-Match": first.headers["etag"]})
    assert changed.status_code == 200


def test_caching_headers_differ_for_guests_accounts_and_writes(me, guest, channel):
    assert guest.get("/channels/harbour").headers["cache-control"] == "max-age=300, public"
    assert me.get("/channels/harbour").headers["cache-control"] == "private, no-cache"
    assert me.get("/channels/harbour").headers["vary"] == "Authorization, Origin"
    written = me.put("/channels/harbour", json={})
    assert written.headers["cache-control"] == "max-age=0, private, must-revalidate"
    assert written.headers["vary"] == "Origin"


def test_answers_tell_the_tier_and_a_reset_one_minute_after_their_date(me, other, guest):
    for client, tier in ((me, "premium"), (other, "free"), (guest, "guest")):
        headers = client.get("/ping").headers
        assert headers["x-ratelimit-tier"] == tier
        assert headers["x-ratelimit-window"] == "60"
        date = parsedate_to_datetime(headers["date"]).timestamp()
        assert int(headers["x-ratelimit-reset"]) == date + 60


def test_a_204_has_neither_rate_headers_nor_an_etag(me, channel):
    answer = me.delete("/channels/harbour")
    assert (answer.status_code, answer.content) == (204, b"")
    assert not {"etag", "x-ratelimit-limit", "content-length"} & set(answer.headers)


def test_too_many_requests_get_a_429_whose_error_is_an_object():
    with Sandbox(rate_limits={"guest": 2}, world=World()) as sandbox:
        answers = [httpx.get(f"{sandbox.url}/v3/ping", trust_env=False) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    error = answers[2].json()["error"]
    assert (error["tier"], error["limit"]) == ("guest", 2)
    assert answers[2].headers["retry-after"] == str(error["retry_after"])
    assert 1 <= error["retry_after"] <= 60
    assert answers[2].headers["x-ratelimit-limit"] == "2"


def test_the_true_limits_hold_unless_others_are_given():
    with Sandbox(world=World()) as sandbox:
        limits = {}
        for kind in ("write", "other", None):
            token = getattr(sandbox.tokens, kind) if kind else ""
            headers = {"Authorization": f"Bearer {token}"} if kind else {}
            answer = httpx.get(f"{sandbox.url}/v3/ping", headers=headers, trust_env=False)
            limits[answer.headers["x-ratelimit-tier"]] = answer.headers["x-ratelimit-limit"]
    assert limits == {"premium": "300", "free": "120", "guest": "30"}


def test_a_304_counts_against_the_limit_and_media_do_not():
    with Sandbox(rate_limits={"guest": 2}, world=World()) as sandbox:
        tag = httpx.get(f"{sandbox.url}/v3/ping", trust_env=False).headers["etag"]
        for _ in range(5):
            assert httpx.get(f"{sandbox.url}/media/x", trust_env=False).status_code == 404
        second = httpx.get(f"{sandbox.url}/v3/ping", headers={"If-None-Match": tag}, trust_env=False)
        third = httpx.get(f"{sandbox.url}/v3/ping", headers={"If-None-Match": tag}, trust_env=False)
    assert (second.status_code, third.status_code) == (304, 429)
