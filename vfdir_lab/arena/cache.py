"""Answers kept on disk, so that what did not change costs a 304 and no body.

Owns: the files `<key>.answer` in one folder: ETag and body of the last good answer per account and address.
Guarantees: it can only save time, never change an answer: an entry is offered to are.na by its ETag and used
only when are.na says it still holds. Unreadable, corrupt, foreign or unwritable is as good as absent. Entries
appear whole or not at all; at most `most_entries` of them, none above `LARGEST_BODY_BYTES`. The token, or a
hash of it, is in no name and no content.
Leaves to others: judging answers before they are kept, and refusing those that repeat the token (`client`).
Checked by: `tests/arena/test_cache.py`.

An entry is gzip (whose checksum finds damage) of one line of JSON, `{"account", "etag", "format", "url"}`,
and the body's bytes. It holds what the account may see, so its folder belongs to this device alone.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import re
import tempfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeGuard

if TYPE_CHECKING:
    from collections.abc import Iterator

LARGEST_BODY_BYTES = 8 * 1024 * 1024
_FORMAT = 1
_LARGEST_HEAD_BYTES = 8 * 1024
_ETAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e]{0,200}"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A remembered answer: its ETag as are.na sent it, and its body, decompressed."""

    etag: str
    body: bytes


class ResponseCache:
    """Remembered answers in a folder, which is made when first needed."""

    def __init__(self, folder: Path, *, most_entries: int = 4096) -> None:
        self._folder = Path(folder)
        self._most_entries = most_entries
        self._added = 0

    def __repr__(self) -> str:
        return f"ResponseCache({str(self._folder)!r})"

    def get(self, account: str, url: str) -> Entry | None:
        """What was kept for this account and address, if it can be read."""
        path = self._path(account, url)
        try:
            if not path.is_file():
                return None
            with gzip.open(path, "rb") as file:
                head = json.loads(file.readline(_LARGEST_HEAD_BYTES))
                body = file.read(LARGEST_BODY_BYTES + 1)
        except (OSError, EOFError, zlib.error, ValueError, RecursionError):
            return None
        if not isinstance(head, dict) or len(body) > LARGEST_BODY_BYTES:
            return None
        etag = head.get("etag")
        if head != _head(account, url, etag) or not is_etag(etag):
            return None
        return Entry(etag=etag, body=body)

    def put(self, account: str, url: str, entry: Entry) -> None:
        """Keep an answer, if it can be kept; the oldest go when there are too many."""
        head = json.dumps(_head(account, url, entry.etag)).encode()
        if (
            not is_etag(entry.etag)
            or len(entry.body) > LARGEST_BODY_BYTES
            or len(head) >= _LARGEST_HEAD_BYTES
        ):
            return
        packed = gzip.compress(head + b"\n" + entry.body, compresslevel=1, mtime=0)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._replace(self._path(account, url), packed)
            self._prune()
        except OSError:
            return

    def forget(self, account: str, url: str) -> None:
        """Drop what was kept for this account and address."""
        try:
            self._path(account, url).unlink(missing_ok=True)
        except OSError:
            return

    def _path(self, account: str, url: str) -> Path:
        key = hashlib.sha256(f"{account}\n{url}".encode()).hexdigest()
        return self._folder / f"{key[:40]}.answer"

    def _replace(self, path: Path, packed: bytes) -> None:
        handle, name = tempfile.mkstemp(dir=self._folder, suffix=".answer")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(packed)
            Path(name).replace(path)
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise

    def _prune(self) -> None:
        """Drop the oldest beyond the bound; looked at every so often, and before the first put counts."""
        if self._added % max(1, self._most_entries // 16) == 0:
            newest_first = sorted(self._entries(), reverse=True)
            for _, path in newest_first[self._most_entries :]:
                Path(path).unlink(missing_ok=True)
        self._added += 1

    def _entries(self) -> Iterator[tuple[float, str]]:
        with os.scandir(self._folder) as found:
            for item in found:
                if item.name.endswith(".answer") and item.is_file(follow_symlinks=False):
                    yield item.stat(follow_symlinks=False).st_mtime, item.path


def is_etag(text: object) -> TypeGuard[str]:
    """Whether this is an entity tag that can be sent back in a header (RFC 9110, 8.8.3)."""
    return isinstance(text, str) and _ETAG.fullmatch(text) is not None


def _head(account: str, url: str, etag: object) -> dict[str, object]:
    return {"account": account, "etag": etag, "format": _FORMAT, "url": url}
