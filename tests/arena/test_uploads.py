"""Files: to the presigned place only, as presigned, without the token."""

from __future__ import annotations

import io
import logging

import pytest

from vfdir_lab.arena import Accepted, ArenaClient, NotSent, Refused, Unknown, upload_value
from vfdir_lab.arena import uploads as uploads_module
from vfdir_lab.errors import UsageError
from vfdir_lab.sandbox import Sandbox, World

PICTURE = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b550000"
    "000a49444154789c636800000082008177cd72b60000000049454e44ae426082"
)


@pytest.fixture(scope="module")
def running():
    with Sandbox(world=World(), rate_limits={"premium": 1_000_000}) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running):
    running.control.disarm()
    running.control.clear_requests()
    yield running
    running.control.disarm()


@pytest.fixture
def client(sandbox):
    with ArenaClient(
        sandbox.tokens.write, sandbox.url, pause_seconds=0, write_pause_seconds=0, timeout_seconds=5
    ) as client:
        yield client


@pytest.fixture
def place(client):
    """Where one picture may be put."""
    return client.presign([("a b, c/é.png", "image/png")]).body["files"][0]


@pytest.mark.parametrize("file", [PICTURE, io.BytesIO(b"skipped" + PICTURE)], ids=["bytes", "stream"])
def test_a_picture_becomes_a_block(sandbox, client, place, file):
    if not isinstance(file, bytes):
        file.seek(len(b"skipped"))
    sent = client.upload(place["upload_url"], file, "image/png")
    assert isinstance(sent, Accepted)
    assert (sent.status, sent.body, sent.asked) == (200, None, "PUT 127.0.0.1")
    channel = client.create_channel("Pictures").body["id"]
    block = client.create_block(upload_value(place["key"]), [(channel, None, None)], alt_text="grey")
    sandbox.control.finish_processing(block.body["id"])
    shown = client.block(block.body["id"])
    assert (shown["type"], shown["image"]["file_size"]) == ("Image", len(PICTURE))
    assert shown["image"]["alt_text"] == "grey"


def test_the_key_is_form_encoded_as_are_nas_own_kit_does():
    assert upload_value("uploads/a b,c.png") == (
        "https://s3.amazonaws.com/arena_images-temp/uploads%2Fa+b%2Cc.png"
    )


def test_a_file_goes_without_the_token_and_outside_the_budget(sandbox, client, place):
    client.allow(0)
    before = client.requests
    assert isinstance(client.upload(place["upload_url"], PICTURE, "image/png"), Accepted)
    assert client.requests == before
    assert [request["token_kind"] for request in sandbox.control.requests()] == ["write", "guest"]


def test_the_request_has_a_size_and_exactly_the_presigned_type(server, connect, token):
    url = f"{server.url}/bucket/key?X-Amz-Signature=s3cr3t"
    kind = "text/plain; charset=utf-8"
    presigned = {"upload_url": url, "key": "key", "content_type": kind}
    server.say(server.json({"files": [presigned]}, 201), server.bytes(b""))
    client = connect(token)
    client.presign([("a.txt", kind)])
    assert isinstance(client.upload(url, io.BytesIO(b"x" * 200_000), kind), Accepted)
    heard = server.heard[1]
    assert (heard.method, heard.target) == ("PUT", "/bucket/key?X-Amz-Signature=s3cr3t")
    assert (heard.headers["content-type"], heard.headers["content-length"]) == (kind, "200000")
    assert not {"authorization", "transfer-encoding", "cookie"} & heard.headers.keys()
    assert heard.body == b"x" * 200_000


def test_another_place_or_type_than_presigned_is_refused(sandbox, client, place):
    url = place["upload_url"]
    for bad in (url + "&x=1", url.replace("127.0.0.1", "localhost"), "https://example.org/", ""):
        with pytest.raises(UsageError, match="ask with presign"):
            client.upload(bad, PICTURE, "image/png")
    with pytest.raises(UsageError, match="presigned this upload as 'image/png'"):
        client.upload(url, PICTURE, "image/PNG")
    assert len(sandbox.control.requests()) == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://s3.amazonaws.com/x",
        "ftp://127.0.0.1/x",
        "https://ada:pw@127.0.0.1/x",
        "https://s3.amazonaws.com/x",
        "file:///etc/passwd",
        "https://",
        "",
    ],
)
def test_a_presigned_place_that_is_a_trick_gets_no_file(server, connect, token, url):
    """From an are.na on this machine nothing leads out of it, and from elsewhere nothing leads into it."""
    server.say(server.json({"files": [{"upload_url": url, "key": "k", "content_type": "a/b"}]}, 201))
    client = connect(token)
    client.presign([("a", "a/b")])
    with pytest.raises(UsageError) as caught:
        client.upload(url, b"x", "a/b")
    assert "pw" not in str(caught.value)
    assert len(server.heard) == 1


@pytest.mark.parametrize("url", ["https://127.0.0.1:1/x", "https://localhost/x", "https://[::1]/x"])
def test_an_are_na_elsewhere_cannot_point_into_this_machine(url):
    line = None
    places = uploads_module.Uploads(base_url="https://api.are.na", line=line, now=None)
    places.remember({"files": [{"upload_url": url, "key": "k", "content_type": "a/b"}]})
    with pytest.raises(UsageError, match="no file is sent there"):
        places.send(url, b"x", "a/b")


def test_a_file_beyond_the_bound_is_refused_before_it_is_read(sandbox, client, place, monkeypatch):
    monkeypatch.setattr(uploads_module, "LARGEST_FILE_BYTES", 10)
    for file in (b"x" * 11, io.BytesIO(b"x" * 11)):
        with pytest.raises(UsageError, match="file of 11 bytes is more than 10"):
            client.upload(place["upload_url"], file, "image/png")
    assert isinstance(client.upload(place["upload_url"], b"x" * 10, "image/png"), Accepted)


def test_only_so_many_places_are_remembered(monkeypatch):
    monkeypatch.setattr(uploads_module, "_MOST_REMEMBERED", 2)
    places = uploads_module.Uploads(base_url="https://api.are.na", line=None, now=None)
    for number in range(4):
        file = {"upload_url": f"https://s3.example/{number}", "content_type": "a/b"}
        places.remember({"files": [file]})
    assert list(places._presigned) == ["https://s3.example/2", "https://s3.example/3"]


FAULTS = [
    ("fail before", {"fault": "fail_before"}, Unknown, False),
    ("fail after", {"fault": "fail_after"}, Unknown, True),
    ("drop before", {"fault": "drop_before"}, Unknown, False),
    ("drop after", {"fault": "drop_after"}, Unknown, True),
    ("gateway", {"fault": "gateway_html", "status": 502, "commit": True}, Unknown, True),
    ("gateway 200", {"fault": "gateway_html", "status": 200}, Unknown, False),
    ("gateway 403", {"fault": "gateway_html", "status": 403, "commit": True}, Unknown, True),
    ("too many", {"fault": "too_many"}, Unknown, False),
    ("redirect", {"fault": "redirect", "status": 307}, Unknown, False),
    ("408", {"fault": "status", "status": 408, "commit": True}, Unknown, True),
]


@pytest.mark.parametrize("case", [case[1:] for case in FAULTS], ids=[case[0] for case in FAULTS])
def test_what_is_said_of_a_file_is_what_is_proven(sandbox, client, place, caplog, case):
    fault, kind, effect = case
    caplog.set_level(logging.DEBUG)
    sandbox.control.clear_requests()
    sandbox.control.arm(match="PUT /uploads/.*", **fault)
    sent = client.upload(place["upload_url"], PICTURE, "image/png")
    assert type(sent) is kind
    assert (sandbox.world.media.uploads[place["key"]].file is not None) == effect
    assert len(sandbox.control.requests()) == 1
    assert sandbox.tokens.write not in repr(sent) + caplog.text
    assert "X-Amz" not in repr(sent) + str(sent.error)


def test_an_expired_place_is_a_refusal_that_says_what_to_do(sandbox, client, place):
    sandbox.control.set_clock_offset(2 * 3600)
    try:
        sent = client.upload(place["upload_url"], PICTURE, "image/png")
    finally:
        sandbox.control.set_clock_offset(0)
    assert isinstance(sent, Refused)
    assert "presign again" in str(sent.error)


def test_a_storage_that_cannot_be_reached_was_sent_nothing(server, connect, token):
    url = "http://127.0.0.1:1/x"
    server.say(server.json({"files": [{"upload_url": url, "key": "k", "content_type": "a/b"}]}, 201))
    client = connect(token)
    client.presign([("a", "a/b")])
    assert isinstance(client.upload(url, b"x", "a/b"), NotSent)


def test_a_file_that_shrinks_meanwhile_is_no_upload(sandbox, client, place):
    class Shrinking(io.BytesIO):
        def read(self, size=-1):
            return super().read(10) if self.tell() < 20 else b""

    with pytest.raises(OSError, match="became shorter"):
        client.upload(place["upload_url"], Shrinking(PICTURE), "image/png")
    me = client.account()  # by now the server has seen the other line end
    assert me.id
    assert sandbox.world.media.uploads[place["key"]].file is None


def test_a_file_that_grows_meanwhile_is_sent_as_it_was(sandbox, client, place):
    class Growing(io.BytesIO):
        def read(self, size=-1):
            found = super().read(size)
            self.write(b"more")
            self.seek(-4, 1)
            return found

    assert isinstance(client.upload(place["upload_url"], Growing(PICTURE), "image/png"), Accepted)
    assert sandbox.world.media.uploads[place["key"]].file.body == PICTURE


def test_a_file_that_cannot_be_read_says_so_itself(client, place):
    class Broken(io.BytesIO):
        def read(self, size=-1):
            raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        client.upload(place["upload_url"], Broken(PICTURE), "image/png")


def test_a_large_file_may_take_longer_than_an_answer(server, connect, token, monkeypatch):
    """The time for the whole grows with the size; a single step does not."""
    from vfdir_lab.arena import transport

    monkeypatch.setattr(transport, "SLOWEST_BYTES_A_SECOND", 1000)
    monkeypatch.setattr(transport, "ANSWER_STEPS", 0.5)
    url = f"{server.url}/x"
    server.say(server.json({"files": [{"upload_url": url, "key": "k", "content_type": "a/b"}]}, 201))
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"
    slow = server.raw(head[:1], head[1:9], head[9:], b"\r\n", pause_seconds=0.15, hang_up=False)
    server.say(slow, slow)
    client = connect(token, timeout_seconds=0.4)
    client.presign([("a", "a/b")])
    assert isinstance(client.upload(url, b"x", "a/b"), Unknown)
    assert isinstance(client.upload(url, b"x" * 2000, "a/b"), Accepted)


def test_a_closed_client_uploads_nothing(client, place):
    client.close()
    with pytest.raises(UsageError, match="closed"):
        client.upload(place["upload_url"], PICTURE, "image/png")
