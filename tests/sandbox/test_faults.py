"""Every fault, shown working on a real connection."""

from __future__ import annotations

import time

import httpx
import pytest

from vfdir_lab.errors import SandboxError
from vfdir_lab.sandbox.faults import KINDS

POST = "POST /v3/blocks"
PAGE = "GET /v3/channels/.*/contents"


@pytest.fixture
def post(me, channel):
    return lambda: me.post("/blocks", json={"value": "x", "channel_ids": ["harbour"]})


@pytest.fixture
def page(me, channel, add):
    for number in range(5):
        add(f"text {number}")
    return lambda number=1, per=2: me.get(
        "/channels/harbour/contents", params={"page": number, "per": per}
    ).json()


@pytest.fixture
def held(sandbox):
    """How many items the channel truly holds."""
    return lambda: len(sandbox.control.snapshot("harbour"))


@pytest.mark.parametrize(("fault", "kept"), [("fail_before", 0), ("fail_after", 1)])
def test_a_failure_comes_before_or_after_the_write_took_effect(sandbox, post, held, fault, kept):
    sandbox.control.arm(fault, match=POST)
    assert post().status_code == 500
    assert held() == kept
    assert post().status_code == 201


@pytest.mark.parametrize(("fault", "kept"), [("drop_before", 0), ("drop_after", 1)])
def test_a_dropped_connection_gives_no_answer_at_all(sandbox, post, held, fault, kept):
    sandbox.control.arm(fault, match=POST)
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        post()
    assert held() == kept
    entry = sandbox.control.requests()[-1]
    assert (entry["fault"], entry["status"]) == (fault, None)
    assert post().status_code == 201


def test_too_many_is_a_429_that_did_nothing(sandbox, post, held):
    sandbox.control.arm("too_many", match=POST, retry_after=7)
    answer = post()
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")
    assert answer.json()["error"]["retry_after"] == 7
    assert held() == 0


def test_a_torn_page_misses_items(sandbox, page):
    sandbox.control.arm("torn_page", match=PAGE, missing=1)
    torn, whole = page(), page()
    assert [item["id"] for item in torn["data"]] == [item["id"] for item in whole["data"]][1:]
    assert torn["meta"] == whole["meta"]


def test_a_torn_page_repeats_items(sandbox, page):
    sandbox.control.arm("torn_page", match=PAGE, missing=0, repeated=1)
    torn, whole = page(), page()
    assert [item["id"] for item in torn["data"]] == [
        whole["data"][0]["id"],
        *(i["id"] for i in whole["data"]),
    ]


def test_a_torn_page_is_never_hidden_by_a_304(sandbox, me, page):
    tag = me.get("/channels/harbour/contents").headers["etag"]
    sandbox.control.arm("torn_page", match=PAGE)
    assert me.get("/channels/harbour/contents", headers={"If-None-Match": tag}).status_code == 200


def test_a_truncated_answer_breaks_off_on_the_connection(sandbox, me, channel):
    sandbox.control.arm("truncate", match="GET .*")
    with pytest.raises(httpx.RemoteProtocolError, match=r"without sending complete"):
        me.get("/channels/harbour")
    assert me.get("/channels/harbour").status_code == 200


def test_a_truncated_answer_can_be_valid_http_around_cut_json(sandbox, me, channel):
    sandbox.control.arm("truncate", match="GET .*", mode="json", keep=0.9)
    answer = me.get("/channels/harbour")
    assert answer.status_code == 200
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        answer.json()


@pytest.mark.parametrize("status", [502, 503, 404, 403, 200])
def test_a_gateway_answers_in_html(sandbox, me, channel, status):
    sandbox.control.arm("gateway_html", match="GET .*", status=status)
    answer = me.get("/channels/harbour")
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.text.startswith("<!DOCTYPE html>")


def test_a_gateway_may_fail_after_the_write_took_effect(sandbox, post, held):
    sandbox.control.arm("gateway_html", match=POST, commit=True)
    assert post().status_code == 502
    assert held() == 1


@pytest.mark.parametrize(("when", "kept"), [("before", 0), ("after", 1)])
def test_a_slow_answer_outlasts_an_impatient_client(sandbox, me, channel, held, when, kept):
    sandbox.control.arm("slow", match=POST, seconds=0.4, when=when)
    with pytest.raises(httpx.ReadTimeout):
        me.post("/blocks", json={"value": "x", "channel_ids": ["harbour"]}, timeout=0.1)
    assert held() == kept
    deadline = time.monotonic() + 5
    while held() == 0 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert held() == 1


def test_others_are_answered_while_one_is_slow(sandbox, me, guest, channel):
    sandbox.control.arm("slow", match="GET /v3/me", seconds=5)
    with pytest.raises(httpx.ReadTimeout):
        me.get("/me", timeout=0.05)
    assert guest.get("/ping", timeout=2).status_code == 200


def test_counts_can_lie(sandbox, page):
    sandbox.control.arm("garbage_count", match=PAGE, total_count=3)
    assert page()["meta"]["total_count"] == 3
    assert page()["meta"]["total_count"] == 5


def test_pages_can_be_endless_and_repeat(sandbox, page):
    sandbox.control.arm("endless_pages", match=PAGE, times=None)
    pages = [page(number) for number in range(1, 9)]
    assert all(one["meta"]["has_more_pages"] and one["meta"]["next_page"] for one in pages)
    assert [i["id"] for i in pages[7]["data"]] == [i["id"] for i in pages[2]["data"]]


def test_pages_can_be_endless_and_invent(sandbox, page):
    sandbox.control.arm("endless_pages", match=PAGE, times=None, mode="invent")
    ids = [item["connection"]["id"] for number in range(1, 9) for item in page(number)["data"]]
    assert len(ids) == len(set(ids))
    assert len(ids) > 5


def test_a_redirect_points_elsewhere(sandbox, me, channel):
    sandbox.control.arm("redirect", match="GET .*", to="http://elsewhere.invalid/x", status=307)
    answer = me.get("/channels/harbour")
    assert (answer.status_code, answer.headers["location"]) == (307, "http://elsewhere.invalid/x")


@pytest.mark.parametrize(("fault", "status"), [("unauthorized", 401), ("forbidden", 403)])
def test_permissions_can_be_withdrawn(sandbox, post, held, fault, status):
    sandbox.control.arm(fault, match=POST)
    answer = post()
    assert (answer.status_code, answer.json()["code"]) == (status, status)
    assert held() == 0


@pytest.mark.parametrize(("commit", "kept"), [(False, 0), (True, 1)])
def test_any_status_can_be_had_in_are_na_shape(sandbox, post, held, commit, kept):
    sandbox.control.arm("status", match=POST, status=408, message="Too slow.", commit=commit)
    answer = post()
    assert (answer.status_code, answer.json()["details"]["message"]) == (408, "Too slow.")
    assert held() == kept


def test_a_fault_waits_strikes_and_is_used_up(sandbox, me):
    sandbox.control.arm("fail_before", match="GET /v3/ping", times=2, after=1)
    assert [me.get("/ping").status_code for _ in range(5)] == [200, 500, 500, 200, 200]


def test_a_fault_strikes_only_the_whole_path_and_the_method(sandbox, me, channel):
    sandbox.control.arm("fail_before", match="GET /v3/channels", times=None)
    assert me.get("/channels/harbour").status_code == 200
    assert me.post("/channels", json={"title": "x"}).status_code == 201
    assert me.get("/channels").status_code == 500


def test_faults_reach_media_too_and_are_taken_back(sandbox, bare):
    sandbox.control.arm("fail_before", match="* /media/.*", times=None)
    assert bare.get("/media/x").status_code == 500
    sandbox.control.disarm()
    assert bare.get("/media/x").status_code == 404


@pytest.mark.parametrize(
    ("fault", "options"),
    [
        ("explode", {}),
        ("slow", {"minutes": 1}),
        ("slow", {"when": "never"}),
        ("truncate", {"mode": "half"}),
        ("slow", {"match": "GET"}),
        ("slow", {"match": "GET ("}),
    ],
)
def test_a_fault_that_is_not_known_is_refused_when_arming(sandbox, fault, options):
    with pytest.raises(SandboxError):
        sandbox.control.arm(fault, **options)


def test_every_fault_of_the_catalogue_can_be_armed_as_it_is(sandbox, me):
    for kind in KINDS:
        sandbox.control.arm(kind, match="GET /v3/nowhere")
    sandbox.control.disarm()
    assert me.get("/ping").status_code == 200
