"""Pictures of a page, from the copies the archive has, written into the page itself.

Owns: `Pictures`. Guarantees: nothing is asked of the web; a picture is one by its bytes (never SVG, which can
hold scripts), at most `largest_bytes` long, and all of a page together at most `page_bytes`.
Checked by: `tests/notebook/test_gallery.py`.
"""

from __future__ import annotations

from base64 import b64encode

from vfdir_lab.errors import VfdirError
from vfdir_lab.media.content_type import HEAD_BYTES, content_type
from vfdir_lab.media.store import MediaStore

LARGEST_BYTES = 1024 * 1024
PAGE_BYTES = 12 * 1024 * 1024
OPENED_BYTES = 8 * 1024 * 1024
_SAFE = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "image/avif"})


class Pictures:
    """Pictures for one page."""

    def __init__(
        self, store: MediaStore, *, largest_bytes: int = LARGEST_BYTES, page_bytes: int = PAGE_BYTES
    ) -> None:
        self._store = store
        self._largest_bytes = largest_bytes
        self._left_bytes = page_bytes

    def uri(self, sha256: str | None) -> str | None:
        """The picture as a `data:` address; None: there is none, it is too large, or it is no picture."""
        if sha256 is None:
            return None
        most = min(self._largest_bytes, self._left_bytes)
        try:
            with self._store.open(sha256) as file:
                data = file.read(most + 1)
        except (VfdirError, OSError):  # a copy that is not here is shown as its words
            return None
        kind = content_type("", data[:HEAD_BYTES])
        if len(data) > most or kind not in _SAFE:
            return None
        self._left_bytes -= len(data)
        return f"data:{kind};base64,{b64encode(data).decode()}"
