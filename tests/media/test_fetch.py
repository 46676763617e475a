"""Fetching over real sockets: what is stored came whole, from where it may, and no larger than allowed."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest
from web import PNG, Visit, Web

from vfdir_lab.errors import MediaFetchError
from vfdir_lab.media import MediaStore
from vfdir_lab.media.fetch import MOST_REDIRECTS, Fetched, Fetcher, Manners

PICTURE = PNG + bytes(range(256)) * 40
LIMIT = 50_000


@pytest.fixture
def web() -> Iterator[Web]:
    with Web() as running:
        yield running


@pytest.fixture
def slept() -> list[float]:
    return []


@pytest.fixture
def store(tmp_path: Path) -> MediaStore:
    (tmp_path / "archive").mkdir()
    return MediaStore(tmp_path / "archive")


@pytest.fixture
def fetcher(tmp_path: Path, store: MediaStore, slept: list[float]) -> Iterator[Fetcher]:
    manners = Manners(user_agent="vfdir_lab/0 (+test)", loopback=True, largest_bytes=LIMIT, step_seconds=5)

    def resolve(host: str, port: int) -> list[str]:
        return {"inside.example": ["10.0.0.1"]}.get(host, ["127.0.0.1"])

    made = Fetcher(store, tmp_path / "parts", manners, resolve=resolve, sleep=slept.append)
    yield made
    made.close()


def refused(fetcher: Fetcher, url: str, words: str) -> MediaFetchError:
    with pytest.raises(MediaFetchError, match=words) as raised:
        fetcher.fetch(url)
    assert raised.value.url
    return raised.value


def nothing_stored(tmp_path: Path) -> bool:
    return not [path for path in (tmp_path / "archive").rglob("*") if path.is_file()]


def left(tmp_path: Path) -> list[str]:
    return sorted(path.suffix for path in (tmp_path / "parts").glob("*"))


def test_a_file_is_stored_and_described_by_its_bytes(
    web: Web, fetcher: Fetcher, store: MediaStore, tmp_path: Path
) -> None:
    web.file("/a.jpg", PICTURE, Content_Type="text/html")
    told: list[int] = []
    fetched = fetcher.fetch(web.url("/a.jpg"), is_picture=True, on_bytes=told.append)
    sha256 = hashlib.sha256(PICTURE).hexdigest()
    assert fetched == Fetched(
        url=web.url("/a.jpg"), sha256=sha256, size=len(PICTURE), content_type="image/png"
    )
    assert store.path(sha256).read_bytes() == PICTURE
    assert told[-1] == len(PICTURE)
    assert left(tmp_path) == []


def test_a_request_says_who_asks_and_nothing_of_the_person(web: Web, fetcher: Fetcher) -> None:
    web.file("/a.png", PICTURE, Set_Cookie="watch=1; Path=/")
    fetcher.fetch(web.url("/a.png"))
    fetcher.fetch(web.url("/a.png"))
    for _, headers in web.asked:
        assert set(headers) <= {"host", "user-agent", "accept", "accept-encoding", "connection"}
        assert headers["user-agent"] == "vfdir_lab/0 (+test)"
        assert headers["accept-encoding"] == "identity"
        assert headers["host"] == f"127.0.0.1:{web.port}"


def test_requests_are_a_pause_apart(web: Web, fetcher: Fetcher, slept: list[float]) -> None:
    web.file("/a.png", PICTURE)
    for _ in range(3):
        fetcher.fetch(web.url("/a.png"))
    assert slept == [0.1, 0.1]


def test_the_name_that_was_resolved_is_the_one_that_is_asked_for(web: Web, fetcher: Fetcher) -> None:
    """The connection goes to the number that was checked; the name is in the request."""
    web.file("/a.png", PICTURE)
    fetcher.fetch(f"http://pictures.example:{web.port}/a.png?size=2#top")
    assert web.asked[0][0] == "/a.png?size=2"
    assert web.asked[0][1]["host"] == f"pictures.example:{web.port}"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_followed(web: Web, fetcher: Fetcher, status: int) -> None:
    web.pages["/old"] = lambda visit: visit.say(status, b"moved", Location="/new.png")
    web.file("/new.png", PICTURE)
    assert fetcher.fetch(web.url("/old")).size == len(PICTURE)


@pytest.mark.parametrize(("hops", "works"), [(MOST_REDIRECTS, True), (MOST_REDIRECTS + 1, False)])
def test_redirects_are_followed_so_often_and_no_more(
    web: Web, fetcher: Fetcher, hops: int, works: bool
) -> None:
    for hop in range(hops):
        web.pages[f"/{hop}"] = lambda visit, to=hop + 1: visit.say(302, Location=f"/{to}")
    web.file(f"/{hops}", PICTURE)
    if works:
        assert fetcher.fetch(web.url("/0")).size == len(PICTURE)
    else:
        assert not refused(fetcher, web.url("/0"), "from address to address").is_retryable
    assert len(web.asked) <= MOST_REDIRECTS + 1


@pytest.mark.parametrize(
    ("location", "words"),
    [
        ("http://inside.example/a", "not on the public network"),
        ("http://10.0.0.1/a", "not on the public network"),
        ("//inside.example/a", "not on the public network"),
        ("file:///etc/passwd", "no address"),
        ("http://name:word@127.0.0.1/", "no address"),
        ("http://[::1", "garbled|no address"),
    ],
)
def test_where_a_redirect_leads_is_checked_again(
    web: Web, tmp_path: Path, store: MediaStore, location: str, words: str
) -> None:
    def resolve(host: str, _port: int) -> list[str]:
        return ["127.0.0.1"] if host == "127.0.0.1" else ["10.0.0.1"]

    web.pages["/a"] = lambda visit: visit.say(302, Location=location)
    manners = Manners(user_agent="x", loopback=True)
    with closing(Fetcher(store, tmp_path / "parts", manners, resolve=resolve)) as fetcher:
        refused(fetcher, web.url("/a"), words)
    assert nothing_stored(tmp_path)


def test_this_machine_is_not_asked_unless_that_was_allowed(
    web: Web, tmp_path: Path, store: MediaStore
) -> None:
    web.file("/a.png", PICTURE)
    fetcher = Fetcher(store, tmp_path / "parts", Manners(user_agent="x"))
    refused(fetcher, web.url("/a.png"), "not on the public network")
    assert web.asked == []


def test_what_announces_too_much_is_not_read(web: Web, fetcher: Fetcher, tmp_path: Path) -> None:
    web.pages["/a"] = lambda visit: visit.say(200, b"x", Content_Length=str(LIMIT + 1))
    assert not refused(fetcher, web.url("/a"), f"larger than {LIMIT} bytes").is_retryable
    assert nothing_stored(tmp_path)


@pytest.mark.parametrize(("size", "works"), [(LIMIT, True), (LIMIT + 1, False)])
def test_the_limit_counts_where_nothing_is_announced(
    web: Web, fetcher: Fetcher, tmp_path: Path, size: int, works: bool
) -> None:
    def page(visit: Visit) -> None:
        visit.say(200, b"x" * size, Content_Length="", Connection="close")
        visit.hang_up()

    web.pages["/a"] = page
    if works:
        assert fetcher.fetch(web.url("/a")).size == LIMIT
    else:
        refused(fetcher, web.url("/a"), f"larger than {LIMIT} bytes")
        assert nothing_stored(tmp_path)


def test_a_body_without_end_is_cut_at_the_limit(web: Web, fetcher: Fetcher, tmp_path: Path) -> None:
    sent = count()

    def page(visit: Visit) -> None:
        visit.say(200, Content_Length="", Transfer_Encoding="chunked")
        while next(sent) < 1_000_000:
            visit.wfile.write(b"400\r\n" + b"x" * 1024 + b"\r\n")

    web.pages["/a"] = page
    refused(fetcher, web.url("/a"), "larger than")
    assert next(sent) < 100_000
    assert nothing_stored(tmp_path)


def test_a_body_shorter_than_announced_is_not_stored(web: Web, fetcher: Fetcher, tmp_path: Path) -> None:
    web.cut_file("/a.png", PICTURE, 5000)
    error = refused(fetcher, web.url("/a.png"), "broke off")
    assert error.is_retryable
    assert error.is_silent
    assert nothing_stored(tmp_path)


def test_what_comes_behind_the_announced_length_is_not_taken(web: Web, fetcher: Fetcher) -> None:
    web.pages["/a.png"] = lambda visit: visit.say(
        200, PICTURE + b"and more", Content_Length=str(len(PICTURE))
    )
    assert fetcher.fetch(web.url("/a.png")).sha256 == hashlib.sha256(PICTURE).hexdigest()


@pytest.mark.parametrize("mark", [{"ETag": '"v1"'}, {"Last_Modified": "Mon, 02 Nov 2026 10:00:00 GMT"}])
def test_a_file_that_was_cut_off_goes_on_where_it_is_the_same(
    web: Web, fetcher: Fetcher, tmp_path: Path, mark: dict[str, str]
) -> None:
    web.cut_file("/a.png", PICTURE, 5000, **mark)
    refused(fetcher, web.url("/a.png"), "broke off")
    assert left(tmp_path) == [".json", ".part"]

    def rest(visit: Visit) -> None:
        visit.say(206, PICTURE[5000:], Content_Range=f"bytes 5000-{len(PICTURE) - 1}/{len(PICTURE)}", **mark)

    web.pages["/a.png"] = rest
    assert fetcher.fetch(web.url("/a.png")).sha256 == hashlib.sha256(PICTURE).hexdigest()
    headers = web.asked[-1][1]
    assert headers["range"] == "bytes=5000-"
    assert headers["if-range"] == next(iter(mark.values()))
    assert left(tmp_path) == []


def test_it_goes_on_across_fetchers(web: Web, fetcher: Fetcher, store: MediaStore, tmp_path: Path) -> None:
    web.cut_file("/a.png", PICTURE, 5000, ETag='"v1"')
    refused(fetcher, web.url("/a.png"), "broke off")
    web.file("/a.png", PICTURE, ETag='"v1"')
    with closing(Fetcher(store, tmp_path / "parts", Manners(user_agent="x", loopback=True))) as again:
        assert again.fetch(web.url("/a.png")).sha256 == hashlib.sha256(PICTURE).hexdigest()
    assert web.asked[-1][1]["range"] == "bytes=5000-"


def test_a_file_that_changed_meanwhile_is_fetched_whole(web: Web, fetcher: Fetcher) -> None:
    web.cut_file("/a.png", PICTURE, 5000, ETag='"v1"')
    refused(fetcher, web.url("/a.png"), "broke off")
    other = PNG + b"quite another" * 900
    web.file("/a.png", other, ETag='"v2"')
    assert fetcher.fetch(web.url("/a.png")).sha256 == hashlib.sha256(other).hexdigest()


@pytest.mark.parametrize("mark", [{}, {"ETag": 'W/"v1"'}], ids=["none", "weak"])
def test_without_a_mark_that_proves_it_the_file_is_begun_anew(
    web: Web, fetcher: Fetcher, mark: dict[str, str]
) -> None:
    web.cut_file("/a.png", PICTURE, 5000, **mark)
    refused(fetcher, web.url("/a.png"), "broke off")
    web.file("/a.png", PICTURE)
    fetcher.fetch(web.url("/a.png"))
    assert "range" not in web.asked[-1][1]


@pytest.mark.parametrize(
    "wrong",
    [
        lambda visit: visit.say(206, b"x", Content_Range="bytes 4999-4999/9999"),
        lambda visit: visit.say(206, b"x"),
        lambda visit: visit.say(206, b"x", Content_Range="bytes */9999"),
        lambda visit: visit.say(416, Content_Range="bytes */10"),
    ],
    ids=["elsewhere", "unsaid", "nowhere", "beyond"],
)
def test_an_answer_that_does_not_go_on_from_here_begins_anew(
    web: Web, fetcher: Fetcher, wrong: Callable[[Visit], None]
) -> None:
    web.cut_file("/a.png", PICTURE, 5000, ETag='"v1"')
    refused(fetcher, web.url("/a.png"), "broke off")
    web.pages["/a.png"] = lambda visit: wrong(visit) if "Range" in visit.headers else visit.say(200, PICTURE)
    assert fetcher.fetch(web.url("/a.png")).sha256 == hashlib.sha256(PICTURE).hexdigest()
    assert len(web.asked) == 3


def test_a_rest_that_does_not_make_the_announced_whole_is_not_stored(
    web: Web, fetcher: Fetcher, tmp_path: Path
) -> None:
    web.cut_file("/a.png", PICTURE, 5000, ETag='"v1"')
    refused(fetcher, web.url("/a.png"), "broke off")
    web.pages["/a.png"] = lambda visit: visit.say(
        206, b"x", Content_Range="bytes 5000-5000/9999", ETag='"v1"'
    )
    refused(fetcher, web.url("/a.png"), "not what was announced")
    assert nothing_stored(tmp_path)
    web.file("/a.png", PICTURE, ETag='"v1"')
    assert fetcher.fetch(web.url("/a.png")).size == len(PICTURE)


def test_a_part_that_was_not_asked_for_is_refused(web: Web, fetcher: Fetcher) -> None:
    web.pages["/a"] = lambda visit: visit.say(206, b"x", Content_Range="bytes 0-0/9999")
    refused(fetcher, web.url("/a"), "not asked for")


def test_what_came_packed_is_refused(web: Web, fetcher: Fetcher, tmp_path: Path) -> None:
    """Unpacked, a few bytes may be any number; packed, they are not the file."""
    packed = gzip.compress(b"x" * 10_000)
    web.pages["/a"] = lambda visit: visit.say(200, packed, Content_Encoding="gzip")
    refused(fetcher, web.url("/a"), "packed")
    assert nothing_stored(tmp_path)


@pytest.mark.parametrize(
    ("status", "again"),
    [(400, False), (403, False), (404, False), (410, False), (408, True), (500, True), (502, True)],
)
def test_a_refusal_is_a_failure_with_its_number(web: Web, fetcher: Fetcher, status: int, again: bool) -> None:
    web.pages["/a"] = lambda visit: visit.say(status, b"<h1>no</h1>")
    error = refused(fetcher, web.url("/a"), f"answered {status}")
    assert error.is_retryable == again
    assert not error.is_silent


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_server_is_waited_for_once(
    web: Web, fetcher: Fetcher, slept: list[float], status: int
) -> None:
    visits = count()

    def page(visit: Visit) -> None:
        if next(visits):
            visit.say(200, PICTURE)
        else:
            visit.say(status, Retry_After="7")

    web.pages["/a.png"] = page
    fetcher.fetch(web.url("/a.png"))
    assert 7.0 in slept
    web.pages["/b"] = lambda visit: visit.say(status, Retry_After="7")
    assert refused(fetcher, web.url("/b"), "busy").is_retryable


@pytest.mark.parametrize("said", ["3600", "-1", "tomorrow", ""])
def test_no_wait_is_longer_than_bearable(web: Web, fetcher: Fetcher, slept: list[float], said: str) -> None:
    web.pages["/a"] = lambda visit: visit.say(429, Retry_After=said)
    assert refused(fetcher, web.url("/a"), "answered 429").is_retryable
    assert slept == []


def test_a_page_in_place_of_a_picture_is_no_picture(web: Web, fetcher: Fetcher, tmp_path: Path) -> None:
    """A portal that wants a login answers 200 to everything."""
    web.file("/a.png", b"<!doctype html><title>Log in</title>", Content_Type="image/png")
    with pytest.raises(MediaFetchError, match="a text in place of the picture"):
        fetcher.fetch(web.url("/a.png"), is_picture=True)
    assert nothing_stored(tmp_path)
    assert fetcher.fetch(web.url("/a.png"), name="page.html").content_type == "text/html"


def test_an_empty_file_is_none(web: Web, fetcher: Fetcher, tmp_path: Path) -> None:
    web.file("/a.png", b"")
    refused(fetcher, web.url("/a.png"), "not what was announced")
    assert nothing_stored(tmp_path)


def test_nobody_there_is_a_failure_that_may_pass(fetcher: Fetcher) -> None:
    with Web() as web:
        url = web.url()
    error = refused(fetcher, url, "no connection to 127.0.0.1")
    assert error.is_retryable
    assert error.is_silent
