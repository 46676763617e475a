"""Uploads: a file to the place that are.na presigned for it.

Owns: the request that carries a file, and what the storage's answer proves.
Guarantees: a file goes only to an address that are.na gave this client, over https (or within this machine),
with exactly the content type that was presigned, in one request, without the token; redirects are not
followed. The address is a key to the storage for an hour, so no error shows more of it than its host.
Leaves to others: asking for the address, making a block of the file (`writes`).
Checked by: `tests/arena/test_uploads.py`.

Sending the same file again to the same address is harmless: until a block is made of it, nobody sees it.
"""

from __future__ import annotations

import os
from typing import IO, TYPE_CHECKING
from urllib.parse import urlsplit

from vfdir_lab.arena.address import check_base_url, is_loopback
from vfdir_lab.arena.answers import Asked, Reply
from vfdir_lab.arena.sent import Accepted, NotSent, Refused, Sent, Unknown
from vfdir_lab.arena.transport import Content, Line
from vfdir_lab.errors import ArenaApiError, ArenaServerError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from vfdir_lab.arena.failure import Failure
    from vfdir_lab.arena.wire import Wire

# are.na documents no limit; this one keeps a mistake from sending a disk.
LARGEST_FILE_BYTES = 256 * 1024 * 1024
_PIECE_BYTES = 64 * 1024
_MOST_REMEMBERED = 1000


class Uploads:
    """Puts files where one are.na said. `line` carries no token."""

    def __init__(self, *, base_url: str, line: Line, now: Callable[[], datetime]) -> None:
        self._base_url = base_url
        self._line = line
        self._now = now
        self._presigned: dict[str, str] = {}

    def close(self) -> None:
        """Hang up."""
        self._line.close()

    def remember(self, answer: Wire) -> None:
        """Take note of where are.na lets files be put; the oldest are forgotten."""
        for file in answer["files"]:
            self._presigned[file["upload_url"]] = file["content_type"]
        for url in list(self._presigned)[:-_MOST_REMEMBERED]:
            del self._presigned[url]

    def send(self, url: str, file: bytes | IO[bytes], content_type: str) -> Sent:
        """What becomes of one upload.

        Raises:
            UsageError: are.na did not presign this address or content type, it leads to a place that no
                file may go to, or the file is too large.
            OSError: the file cannot be read to its end; the storage keeps no part of it.
        """
        self._check(url, content_type)
        content = _content(file)
        asked = Asked(method="PUT", path=_host(url))
        begun_at = self._now()
        result = self._line.send(asked, url, {"Content-Type": content_type}, content)
        return _verdict(asked, result, begun_at, self._now())

    def _check(self, url: str, content_type: str) -> None:
        if url not in self._presigned:
            raise UsageError("a file can only be put where are.na said: ask with presign for an upload_url")
        if self._presigned[url] != content_type:
            raise UsageError(
                f"are.na presigned this upload as {self._presigned[url]!r}, not as {content_type!r}: "
                "send the same content type"
            )
        parts = urlsplit(url)
        # Loopback is for an are.na on this machine; from elsewhere it would be a trick.
        origin = check_base_url(f"{parts.scheme}://{parts.netloc}", with_token=True)
        if is_loopback(origin) != is_loopback(self._base_url):
            raise UsageError(f"are.na gave {_host(url)} as the place for an upload: no file is sent there")


def _host(url: str) -> str:
    return urlsplit(url).hostname or "nowhere"


def _content(file: bytes | IO[bytes]) -> Content:
    """The body of an upload; the storage wants its size beforehand."""
    if isinstance(file, bytes):
        size = len(file)
    else:
        start = file.tell()
        size = file.seek(0, os.SEEK_END) - start
        file.seek(start)
    if size > LARGEST_FILE_BYTES:
        raise UsageError(f"a file of {size} bytes is more than {LARGEST_FILE_BYTES}: make it smaller")
    return Content(size=size, data=file if isinstance(file, bytes) else _pieces(file, size))


def _pieces(file: IO[bytes], size: int) -> Iterator[bytes]:
    """Exactly `size` bytes of a file, however it grows meanwhile."""
    left = size
    while left > 0:
        piece = file.read(min(left, _PIECE_BYTES))
        if not piece:
            raise OSError("the file became shorter while it was sent: upload it again when it is finished")
        left -= len(piece)
        yield piece


def _verdict(asked: Asked, result: Reply | Failure, begun_at: datetime, got_at: datetime) -> Sent:
    """Storage answers 200 with nothing, or refuses in XML; whatever else comes is not its word."""
    if not isinstance(result, Reply):
        if result.is_unsent:
            return NotSent(asked=str(asked), begun_at=begun_at, got_at=got_at, error=result.error)
        return Unknown(
            asked=str(asked), begun_at=begun_at, got_at=got_at, error=result.error, status=result.status
        )
    status = result.status
    if status == 200 and not result.body:
        return Accepted(asked=str(asked), begun_at=begun_at, got_at=got_at, status=status, body=None)
    if status in {400, 403, 404, 411, 413} and b"<Error>" in result.body:
        refused = ArenaApiError(
            f"the storage refused the file ({asked}, {status}): the address may have expired, presign again",
            status=status,
            path=asked.path,
        )
        return Refused(asked=str(asked), begun_at=begun_at, got_at=got_at, error=refused)
    error = ArenaServerError(
        f"the storage answered {status} to the file ({asked}), which proves nothing: upload it again",
        status=status,
        path=asked.path,
    )
    return Unknown(asked=str(asked), begun_at=begun_at, got_at=got_at, error=error, status=status)
