"""The control door: another person's hands, the clock, the journal; from Python and over HTTP."""

from __future__ import annotations

import threading
from email.utils import parsedate_to_datetime

import pytest

from vfdir_lab.errors import SandboxError
from vfdir_lab.sandbox.control import Control
from vfdir_lab.sandbox.control_blocks import KINDS
from vfdir_lab.sandbox.control_door import ACTING, LOOKING

JSON = {"Content-Type": "application/json"}


def test_another_person_adds_edits_and_comments(sandbox, me, channel):
    made = sandbox.control.add_block(
        "harbour", "text", title="t", description="d", metadata={"a": 1}, position=1
    )
    sandbox.control.edit_block(made["id"], title=None, content="changed")
    sandbox.control.comment(made["id"], "hm")
    block = me.get(f"/blocks/{made['id']}").json()
    assert (block["title"], block["content"]["plain"], block["metadata"]) == (None, "changed", {"a": 1})
    assert (block["user"]["slug"], block["comment_count"]) == ("another-person", 1)
    assert block["can"]["manage"] is False


@pytest.mark.parametrize("kind", KINDS)
def test_blocks_of_every_kind_can_be_made(sandbox, me, channel, kind):
    made = sandbox.control.add_block("harbour", "https://example.org/a/b.png", kind=kind)
    assert me.get(f"/blocks/{made['id']}").json()["type"] == kind


def test_an_edit_touches_updated_at_and_a_pin_does_not(sandbox, me, add, contents):
    block = add()
    before = contents()[0]
    sandbox.control.set_clock_offset(100)
    sandbox.control.pin(before["connection"]["id"])
    assert contents()[0] == before | {"connection": before["connection"] | {"pinned": True}}
    sandbox.control.edit_block(block, title="t")
    assert contents()[0]["updated_at"] > before["updated_at"]
    sandbox.control.pin(before["connection"]["id"], False)
    assert contents()[0]["connection"]["pinned"] is False


def test_a_removed_block_is_a_404_everywhere_and_can_come_back(sandbox, me, add, contents):
    block = add()
    connection = contents()[0]["connection"]["id"]
    sandbox.control.remove_block(block)
    for path in (f"/blocks/{block}", f"/blocks/{block}/comments", f"/connections/{connection}"):
        assert me.get(path).status_code == 404
    assert contents() == []
    sandbox.control.restore_block(block)
    assert [item["id"] for item in contents()] == [block]
    with pytest.raises(SandboxError):
        sandbox.control.restore_block(block)


def test_items_are_connected_moved_and_disconnected(sandbox, channel, add):
    first, second = add(), add()
    sandbox.control.add_channel("Pier")
    nested = sandbox.control.connect("channel:pier", "harbour", position=1)
    again = sandbox.control.connect(f"block:{first}", "harbour")
    sandbox.control.move(again, 1)
    places = sandbox.control.snapshot("harbour")
    assert [place["connection"] for place in places][:2] == [again, nested]
    assert [place["id"] for place in places][2:] == [first, second]
    sandbox.control.disconnect(again)
    assert again not in [place["connection"] for place in sandbox.control.snapshot(channel["id"])]


def test_channels_are_made_renamed_hidden_and_removed(sandbox, me):
    made = sandbox.control.add_channel("Pier", by="sandbox-person")
    assert sandbox.control.edit_channel("pier", title="Quay")["slug"] == "quay"
    sandbox.control.set_visibility("quay", "private")
    assert me.get("/channels/quay").json()["visibility"] == "private"
    sandbox.control.remove_channel(made["id"])
    assert me.get("/channels/quay").status_code == 404


def test_the_clock_can_be_wrong(sandbox, me):
    sandbox.control.set_clock_offset(-3600)
    early = parsedate_to_datetime(me.get("/ping").headers["date"]).timestamp()
    sandbox.control.set_clock_offset(0)
    now = parsedate_to_datetime(me.get("/ping").headers["date"]).timestamp()
    assert 3595 <= now - early <= 3605


def test_peoples_contents_lag_and_can_be_made_to_catch_up(sandbox, me):
    sandbox.control.refresh_index()
    sandbox.control.set_index_lag(1000)
    me.post("/channels", json={"title": "New"})
    path = "/users/sandbox-person/contents"
    assert me.get(path).json()["data"] == []
    sandbox.control.refresh_index()
    assert [one["slug"] for one in me.get(path).json()["data"]] == ["new"]
    me.put("/channels/new", json={"title": "Newer"})
    assert [one["slug"] for one in me.get(path).json()["data"]] == ["new"]
    sandbox.control.set_index_lag(0)
    assert [one["slug"] for one in me.get(path).json()["data"]] == ["newer"]


def test_the_journal_tells_requests_but_never_a_token(sandbox, me, reader, other, guest, bare):
    sandbox.control.clear_requests()
    me.post("/channels", json={"title": "Pier"})
    for client in (reader, other, guest):
        client.get("/channels/pier", params={"a": "b"})
    bare.get("/v3/ping", headers={"Authorization": "Bearer wrong"})
    entries = sandbox.control.requests()
    assert [entry["token_kind"] for entry in entries] == ["write", "read", "other", "guest", "invalid"]
    assert entries[0]["body"] == {"title": "Pier"}
    assert entries[1] == {
        "method": "GET",
        "path": "/v3/channels/pier",
        "query": {"a": "b"},
        "token_kind": "read",
        "status": 200,
        "fault": None,
        "body": None,
    }
    assert not any(token in str(entries) for token in (sandbox.tokens.write, sandbox.tokens.other, "wrong"))


def test_wrong_names_are_refused(sandbox, channel):
    control = sandbox.control
    for call in (
        lambda: control.add_block("nowhere", "x"),
        lambda: control.add_block("harbour", "x", by="nobody"),
        lambda: control.add_block("harbour", "x", kind="Sculpture"),
        lambda: control.edit_block(1, title="x"),
        lambda: control.move(1, 1),
        lambda: control.connect("user:1", "harbour"),
        lambda: control.set_hidden_status(500),
    ):
        with pytest.raises(SandboxError):
            call()


def test_many_threads_may_act_at_once(sandbox, channel):
    def work() -> None:
        for _ in range(20):
            sandbox.control.add_block("harbour", "x")

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [place["position"] for place in sandbox.control.snapshot("harbour")] == list(range(1, 161))


def test_the_same_calls_work_over_http(bare, sandbox, channel):
    made = bare.post("/_control/add_block", json={"channel": "harbour", "value": "x"}).json()["result"]
    assert (
        bare.post("/_control/move", json={"connection": made["connection"], "position": 1}).status_code == 200
    )
    assert bare.post("/_control/disarm", headers=JSON).json() == {"result": None}
    places = bare.get("/_control/snapshot", params={"channel": "harbour"}).json()["result"]
    assert [place["id"] for place in places] == [made["id"]]
    bare.post("/_control/arm", json={"fault": "fail_before", "match": "GET /v3/ping"})
    assert bare.get("/v3/ping").status_code == 500
    assert bare.get("/_control/requests").json()["result"][-1]["path"] == "/v3/ping"


def test_every_call_of_the_control_door_is_one_over_http():
    public = {name for name in vars(Control) if not name.startswith("_")}
    assert public == LOOKING | ACTING


def test_the_control_door_refuses_what_a_web_page_could_send(bare, channel):
    as_form = bare.post("/_control/disarm", content=b"{}", headers={"Content-Type": "text/plain"})
    assert as_form.status_code == 415
    assert bare.get("/_control/disarm").status_code == 404
    assert bare.post("/_control/__init__", json={}).status_code == 404
    assert bare.post("/_control/arm", json={"fault": "explode"}).status_code == 400
    assert bare.post("/_control/arm", json={"wrong": 1}).status_code == 400
    assert bare.post("/_control/arm", json=[]).status_code == 400
    assert bare.post("/_control/snapshot", json={"channel": {}}).status_code == 400
    assert bare.post("/_control/arm", content=b"{", headers=JSON).status_code == 400
