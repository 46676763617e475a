"""Remembered answers: what did not change costs a 304, and nothing else about an answer changes."""

from __future__ import annotations

import gzip
import json
import os
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vfdir_lab.arena import ResponseCache
from vfdir_lab.arena.cache import LARGEST_BODY_BYTES, Entry
from vfdir_lab.errors import ArenaNotFoundError, ArenaServerError

ETAG = 'W/"5d41402abc4b2a76b9719d911017c592"'
URL = "https://api.are.na/v3/blocks/1"


@pytest.fixture
def cache(tmp_path):
    return ResponseCache(tmp_path / "cache")


def test_a_cache_says_where_it_is(tmp_path):
    assert repr(ResponseCache(tmp_path)) == f"ResponseCache({str(tmp_path)!r})"


def files(cache):
    return sorted(cache._folder.glob("*")) if cache._folder.exists() else []


def test_an_unchanged_answer_is_asked_by_its_etag_and_read_from_disk(server, connect, cache):
    server.say(server.json({"id": 1, "title": "é\ud800"}, ETag=ETAG), server.unchanged(ETag=ETAG))
    first = connect(cache=cache).block(1)
    client = connect(cache=cache)
    assert client.block(1) == first
    assert [heard.headers.get("if-none-match") for heard in server.heard] == [None, ETAG]
    assert client.requests == 1


def test_a_changed_answer_replaces_the_remembered_one(server, connect, cache):
    server.say(
        server.json({"id": 1}, ETag='"a"'), server.json({"id": 2}, ETag='"b"'), server.unchanged(ETag='"b"')
    )
    client = connect(cache=cache)
    assert [client.block(1)["id"] for _ in range(3)] == [1, 2, 2]
    assert server.heard[2].headers["if-none-match"] == '"b"'
    assert len(files(cache)) == 1


def test_without_a_cache_nothing_is_asked_by_etag(server, client):
    server.always(server.json({}, ETag=ETAG))
    client.block(1)
    client.block(1)
    assert "if-none-match" not in server.heard[1].headers


@pytest.mark.parametrize("etag", [None, "", "W/abc", '"two" "tags"', '"' + "x" * 300 + '"', '"\xe9"'])
def test_an_answer_without_a_usable_etag_is_not_kept(server, connect, cache, etag):
    server.always(server.json({}, **({} if etag is None else {"ETag": etag})))
    connect(cache=cache).block(1)
    assert files(cache) == []


def test_a_304_for_something_not_remembered_is_asked_again_plainly(server, connect, cache):
    server.say(server.unchanged(), server.json({"id": 1}))
    client = connect(cache=cache)
    assert client.block(1) == {"id": 1}
    assert client.requests == 2
    assert all("if-none-match" not in heard.headers for heard in server.heard)


def test_a_304_to_everything_ends_in_a_typed_error(server, connect, cache):
    server.always(server.unchanged())
    with pytest.raises(ArenaServerError, match="304"):
        connect(cache=cache, attempts=2).block(1)


def test_a_remembered_answer_that_no_longer_makes_sense_is_asked_again(server, connect, cache):
    cache.put("guest", f"{server.url}/v3/blocks/1", Entry(etag=ETAG, body=b"not json"))
    server.say(server.unchanged(), server.json({"id": 1}, ETag=ETAG), server.unchanged())
    client = connect(cache=cache)
    assert client.block(1) == {"id": 1}
    assert [heard.headers.get("if-none-match") for heard in server.heard] == [ETAG, None]
    assert client.block(1) == {"id": 1}


@pytest.mark.parametrize("status", [404, 502])
def test_only_good_answers_are_remembered(server, connect, cache, status):
    server.always(server.error(status, ETag=ETAG))
    with pytest.raises((ArenaNotFoundError, ArenaServerError)):
        connect(cache=cache, attempts=1).block(1)
    assert files(cache) == []


def test_a_page_that_makes_no_sense_is_not_remembered(server, connect, cache):
    server.say(server.json({"data": []}, ETag=ETAG), server.json({"data": [], "meta": {"total_count": 0}}))
    client = connect(cache=cache)
    with pytest.raises(ArenaServerError, match="no `meta`"):
        client.comments(1, page=1)
    assert files(cache) == []
    assert client.comments(1, page=1).items == ()


def test_accounts_do_not_see_each_others_answers(server, connect, cache, token):
    me = {"id": 9, "slug": "a", "name": "A"}
    server.say(
        server.json({"id": 1}, ETag=ETAG), server.json(me, ETag=ETAG), server.json({"id": 2}, ETag=ETAG)
    )
    connect(cache=cache).block(1)
    connect(token, cache=cache).block(1)
    assert server.targets == ["/v3/blocks/1", "/v3/me", "/v3/blocks/1"]
    assert "if-none-match" not in server.heard[2].headers
    assert cache.get("guest", f"{server.url}/v3/blocks/1").body == b'{"id": 1}'
    assert cache.get("user:9", f"{server.url}/v3/blocks/1").body == b'{"id": 2}'
    assert len(files(cache)) == 2, "who I am is never remembered"


@given(body=st.binary(max_size=2000), account=st.text(max_size=20), url=st.text(max_size=200))
def test_what_is_kept_comes_back_byte_for_byte(tmp_path_factory, body, account, url):
    cache = ResponseCache(tmp_path_factory.getbasetemp() / "kept")
    entry = Entry(etag=ETAG, body=body)
    cache.put(account, url, entry)
    assert cache.get(account, url) in {entry, None}
    if account.isascii() and url.isascii():
        assert cache.get(account, url) == entry


@given(damage=st.data())
def test_damage_to_an_entry_makes_it_absent_or_changes_nothing(tmp_path_factory, damage):
    cache = ResponseCache(tmp_path_factory.mktemp("damage"))
    entry = Entry(etag=ETAG, body=b'{"id": 1, "title": "some title"}')
    cache.put("guest", URL, entry)
    (path,) = files(cache)
    packed = bytearray(path.read_bytes())
    at = damage.draw(st.integers(10, len(packed) - 1))
    if damage.draw(st.booleans()):
        del packed[at:]
    else:
        packed[at] ^= damage.draw(st.integers(1, 255))
    path.write_bytes(packed)
    assert cache.get("guest", URL) in {entry, None}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not gzip",
        gzip.compress(b"no head", mtime=0),
        gzip.compress(b"[]\n{}", mtime=0),
        gzip.compress(b"[" * 100_000 + b"\n{}", mtime=0),
        gzip.compress(
            json.dumps({"account": "guest", "etag": ETAG, "format": 2, "url": URL}).encode() + b"\n{}",
            mtime=0,
        ),
        gzip.compress(
            json.dumps({"account": "user:1", "etag": ETAG, "format": 1, "url": URL}).encode() + b"\n{}",
            mtime=0,
        ),
        gzip.compress(
            json.dumps({"account": "guest", "etag": "a\nb", "format": 1, "url": URL}).encode() + b"\n{}",
            mtime=0,
        ),
        gzip.compress(
            json.dumps({"account": "guest", "etag": ETAG, "format": 1, "url": URL}).encode()
            + b"\n"
            + b"0" * (LARGEST_BODY_BYTES + 1),
            mtime=0,
        ),
    ],
)
def test_a_foreign_or_crafted_file_is_as_good_as_absent(cache, content):
    cache.put("guest", URL, Entry(etag=ETAG, body=b"{}"))
    assert cache.get("guest", URL) is not None
    files(cache)[0].write_bytes(content)
    assert cache.get("guest", URL) is None


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_in_the_folder_does_not_hang_the_reader(cache):
    cache.put("guest", URL, Entry(etag=ETAG, body=b"{}"))
    (path,) = files(cache)
    path.unlink()
    os.mkfifo(path)
    assert cache.get("guest", URL) is None


def test_a_folder_that_cannot_be_used_is_as_good_as_no_cache(server, connect, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    cache = ResponseCache(blocked / "cache")
    server.always(server.json({"id": 1}, ETag=ETAG))
    assert connect(cache=cache).block(1) == {"id": 1}
    assert cache.get("guest", URL) is None
    cache.forget("guest", URL)


def test_an_entry_that_cannot_be_put_in_place_leaves_nothing_behind(cache):
    cache.put("guest", URL, Entry(etag=ETAG, body=b"{}"))
    (path,) = files(cache)
    path.unlink()
    path.mkdir()
    cache.put("guest", URL, Entry(etag=ETAG, body=b"{}"))
    assert files(cache) == [path]
    assert cache.get("guest", URL) is None


def test_what_is_forgotten_is_absent(cache):
    cache.put("guest", URL, Entry(etag=ETAG, body=b"{}"))
    cache.forget("guest", URL)
    assert (cache.get("guest", URL), files(cache)) == (None, [])


def test_a_body_or_address_that_is_too_large_is_not_kept(cache):
    cache.put("guest", URL, Entry(etag=ETAG, body=b"0" * (LARGEST_BODY_BYTES + 1)))
    cache.put("guest", URL + "x" * 9000, Entry(etag=ETAG, body=b"{}"))
    assert files(cache) == []


def test_the_oldest_entries_go_when_there_are_too_many(tmp_path):
    foreign = tmp_path / "notes.txt"
    foreign.write_text("mine")
    cache = ResponseCache(tmp_path, most_entries=16)
    for number in range(40):
        cache.put("guest", f"{URL}{number}", Entry(etag=ETAG, body=b"{}"))
        os.utime(cache._path("guest", f"{URL}{number}"), (number, number))
    kept = [number for number in range(40) if cache.get("guest", f"{URL}{number}")]
    assert kept == list(range(24, 40))
    assert foreign.read_text() == "mine"


def test_writers_of_the_same_entry_never_show_half_of_it(cache):
    bodies = [bytes([number]) * 50_000 for number in range(4)]

    def write(body):
        for _ in range(20):
            cache.put("guest", URL, Entry(etag=ETAG, body=body))

    threads = [threading.Thread(target=write, args=(body,)) for body in bodies]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        entry = cache.get("guest", URL)
        assert entry is None or entry.body in bodies
    for thread in threads:
        thread.join()
    assert cache.get("guest", URL).body in bodies
    assert len(files(cache)) == 1
