"""Fetching: a file from an address on the web into the store, whole, or not at all.

Owns: `Fetcher`: redirects, ranges, sizes, what of an answer counts, and the pace.
Guarantees: each address that is asked, a redirect's too, was checked first; nothing larger than the limit
is taken, whatever was announced; a file that was cut off is gone on with where that is provably the same
file. What is stored came whole, as far as the origin said how much it is.
Leaves to others: which files are wanted and what is recorded of them (`sync.media`).
Checked by: `tests/media/test_fetch.py`, `test_fetch_crash.py`, over real sockets.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from vfdir_lab.errors import MediaFetchError, UsageError
from vfdir_lab.media.address import Resolve, system_resolve, target_of
from vfdir_lab.media.content_type import HEAD_BYTES, content_type
from vfdir_lab.media.line import STEP_SECONDS, Answer, Line
from vfdir_lab.media.part import Part
from vfdir_lab.media.store import MediaStore

LARGEST_BYTES = 200 * 1024 * 1024
MOST_REDIRECTS = 5
PAUSE_SECONDS = 0.1
LONGEST_WAIT_SECONDS = 60.0

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_BUSY = frozenset({429, 503})
_AGAIN = frozenset({408, 425, 429})
_RANGE = re.compile(r"bytes (\d{1,15})-(\d{1,15})/(\d{1,15}|\*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A file that is in the store now; `content_type` as its bytes say, or its name where they cannot."""

    url: str
    sha256: str
    size: int
    content_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manners:
    """How a fetcher behaves.

    `user_agent` says who asks. `loopback`: this machine may be asked. `largest_bytes` of a file are taken.
    Requests are `pause_seconds` apart; a step of one takes `step_seconds` at the most.
    """

    user_agent: str
    loopback: bool = False
    largest_bytes: int = LARGEST_BYTES
    pause_seconds: float = PAUSE_SECONDS
    step_seconds: float = STEP_SECONDS


class _StartOverError(Exception):
    """What is here cannot be gone on with."""


class Fetcher:
    """Fetches files one after the other. `parts` is a disposable folder for what is not whole yet."""

    def __init__(
        self,
        store: MediaStore,
        parts: Path,
        manners: Manners,
        *,
        resolve: Resolve = system_resolve,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._store = store
        self._parts = parts
        self._manners = manners
        self._resolve = resolve
        self._sleep = sleep
        self._line = Line(manners.user_agent, is_direct=manners.loopback, step_seconds=manners.step_seconds)
        self._has_asked = False

    def close(self) -> None:
        """Hang up."""
        self._line.close()

    def fetch(
        self,
        url: str,
        *,
        name: str = "",
        is_picture: bool = False,
        on_bytes: Callable[[int], None] = lambda _size: None,
    ) -> Fetched:
        """Fetch a file into the store; `on_bytes` hears how much of it is here.

        `name` is what it is called, where the address does not say. Text in place of a picture is refused: it
        is a page that says why there is none.

        Raises:
            MediaFetchError: it could not be fetched; the message says why, another try may go on from there.
            ArchiveWriteError: the archive refuses to be written.
        """
        part = Part(self._parts, url)
        try:
            self._download(url, part, on_bytes)
        except _StartOverError:
            part.forget()
            self._download(url, part, on_bytes)
        kind = self._kind(url, name, part)
        if is_picture and kind.startswith("text/"):
            part.forget()
            raise MediaFetchError("there is a text in place of the picture", url=url, is_retryable=True)
        try:
            stored = self._store.put(part.path, largest_bytes=self._manners.largest_bytes)
        except UsageError as error:
            raise MediaFetchError(str(error), url=url, is_retryable=False) from error
        part.forget()
        return Fetched(url=url, sha256=stored.sha256, size=stored.size, content_type=kind)

    @staticmethod
    def _kind(url: str, name: str, part: Part) -> str:
        with part.path.open("rb") as file:
            return content_type(name or urlsplit(url).path.rpartition("/")[2], file.read(HEAD_BYTES))

    def _download(self, url: str, part: Part, on_bytes: Callable[[int], None]) -> None:
        """Have all of the file in `part`."""
        if (seconds := self._asked(url, part, on_bytes)) is not None:
            self._sleep(seconds)
            if self._asked(url, part, on_bytes) is not None:
                raise MediaFetchError("the server is busy", url=url, is_retryable=True)

    def _asked(self, url: str, part: Part, on_bytes: Callable[[int], None]) -> float | None:
        """The same in one try; gives the seconds that a busy server asks us to wait."""
        at = url
        for _ in range(MOST_REDIRECTS + 1):
            target = target_of(at, loopback=self._manners.loopback, resolve=self._resolve)
            self._keep_pace()
            with self._line.get(target, _wanted(part)) as answer:
                if answer.status in _REDIRECTS:
                    at = _led(at, answer.headers.get("location", ""))
                    continue
                wait = _wait_of(answer)
                if wait is None:
                    self._take(url, answer, part, on_bytes)
                return wait
        raise MediaFetchError(
            f"it leads from address to address, more than {MOST_REDIRECTS} times", url=url, is_retryable=False
        )

    def _keep_pace(self) -> None:
        if self._has_asked:
            self._sleep(self._manners.pause_seconds)
        self._has_asked = True

    def _take(self, url: str, answer: Answer, part: Part, on_bytes: Callable[[int], None]) -> None:
        goes_on, whole = self._judged(url, answer, part)
        with part.writing(_mark_of(answer.headers), goes_on=goes_on):
            for piece in answer.pieces():
                if part.size + len(piece) > self._manners.largest_bytes:
                    raise self._too_large(url)
                part.append(piece)
                on_bytes(part.size)
        if part.size == 0 or (whole is not None and part.size != whole):
            part.forget()
            raise MediaFetchError("what came is not what was announced", url=url, is_retryable=True)

    def _judged(self, url: str, answer: Answer, part: Part) -> tuple[bool, int | None]:
        """Whether an answer goes on from what is here, and how large the file will be, if that was said."""
        headers, status = answer.headers, answer.status
        if status == 416 and part.size:
            raise _StartOverError
        if status not in {200, 206}:
            again = status in _AGAIN or status >= 500
            raise MediaFetchError(f"the server answered {status}", url=url, is_retryable=again)
        if headers.get("content-encoding", "").strip().lower() not in {"", "identity"}:
            raise MediaFetchError("it came packed, which was not asked for", url=url, is_retryable=False)
        whole: int | None = None
        if status == 206:
            found = _RANGE.fullmatch(headers.get("content-range", "").strip())
            if found is None or not part.size or int(found[1]) != part.size:
                raise _StartOverError if part.size else _nonsense(url)
            whole = int(found[2]) + 1 if found[3] == "*" else int(found[3])
        elif (length := headers.get("content-length", "")).isdecimal():
            whole = int(length)
        if whole is not None and whole > self._manners.largest_bytes:
            raise self._too_large(url)
        return status == 206, whole

    def _too_large(self, url: str) -> MediaFetchError:
        return MediaFetchError(
            f"it is larger than {self._manners.largest_bytes} bytes", url=url, is_retryable=False
        )


def _led(at: str, location: str) -> str:
    """Where a redirect leads."""
    try:
        return urljoin(at, location)
    except ValueError as error:
        raise MediaFetchError("it leads to what is no address", url=at, is_retryable=False) from error


def _nonsense(url: str) -> MediaFetchError:
    return MediaFetchError(
        "the server answered with a part of it, which was not asked for", url=url, is_retryable=True
    )


def _wanted(part: Part) -> dict[str, str]:
    """What is asked for: the rest, if the file is still the one whose beginning is here."""
    return {"Range": f"bytes={part.size}-", "If-Range": part.mark} if part.size else {}


def _mark_of(headers: Mapping[str, str]) -> str:
    """By what the origin tells this version of a file from others, empty where it does not."""
    tag = headers.get("etag", "").strip()
    if tag.startswith('"') and tag.endswith('"') and len(tag) > 2:
        return tag
    return headers.get("last-modified", "").strip() if not tag else ""


def _wait_of(answer: Answer) -> float | None:
    """How long a busy server asks us to wait, if that is bearable."""
    said = answer.headers.get("retry-after", "").strip()
    if answer.status in _BUSY and said.isdecimal() and len(said) <= 4:
        return float(said) if float(said) <= LONGEST_WAIT_SECONDS else None
    return None
