"""A file on its way to are.na: from the archive's own copy to where are.na says, before the block is made.

Guarantees: the bytes that leave are those that were wished, by their sha256. An upload makes nothing that
anybody sees, so one that failed is simply done again, at a new address: those are.na gives expire.
Checked by: `tests/sync/test_push_files.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from vfdir_lab.arena import Accepted, ArenaClient, NotSent, Refused, Sent, Unknown, upload_value
from vfdir_lab.errors import UsageError


class Uploader:
    """Uploads files of an archive. `path_of` gives the proven copy of a sha256.

    `path_of` raises `UsageError` where there is none.
    """

    def __init__(self, client: ArenaClient, path_of: Callable[[str], Path]) -> None:
        self._client = client
        self._path_of = path_of

    def upload(self, file: dict[str, Any]) -> str | NotSent:
        """Upload a wished file (sha256, name, content_type); the value to make the block of.

        Raises:
            UsageError: the copy is not there any more. ArenaError: are.na or its storage refused the file.
        """
        path = self._path_of(str(file.get("sha256")))
        name, content_type = str(file.get("name")), str(file.get("content_type"))
        place = self._client.presign([(name, content_type)])
        if not isinstance(place, Accepted) or place.body is None:
            return _not_done(place)
        given = place.body["files"][0]
        try:
            with path.open("rb") as opened:
                put = self._client.upload(given["upload_url"], opened, given["content_type"])
        except OSError as error:
            raise UsageError(
                f"{path.name} in the archive's media cannot be read ({error.strerror or error}); add the "
                "file again"
            ) from error
        return upload_value(given["key"]) if isinstance(put, Accepted) else _not_done(put)


def _not_done(sent: Sent) -> NotSent:
    """Whatever became of it, no block was made of it."""
    if isinstance(sent, Refused):
        raise sent.error
    if isinstance(sent, Unknown):
        return NotSent(
            asked=sent.asked,
            begun_at=sent.begun_at,
            got_at=sent.got_at,
            error=sent.error,
            pause_seconds=sent.pause_seconds,
        )
    if isinstance(sent, NotSent):
        return sent
    raise UsageError(f"are.na's answer to {sent.asked} makes no sense; push again")
