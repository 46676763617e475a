"""File names made from titles that hold on every file system.

Owns: `file_name`, `media_name`. Guarantees: a name is letters, marks and digits of any script, small, joined
by `-`, at most `NAME_BYTES_MAX` bytes of UTF-8 before its ending; it ends in the object's id, so two objects
never share one, not even where case or normal forms do not count, and it is never a name that some system
reserves. The same object with the same title always has the same name. Leaves to others: which folder it lies
in. Checked by: laws in `tests/export/test_names.py`.
"""

from __future__ import annotations

import unicodedata

TITLE_BYTES_MAX = 80
MARKS_MAX = 2
NAME_BYTES_MAX = TITLE_BYTES_MAX + 20

ENDINGS = {
    "application/epub+zip": "epub",
    "application/gzip": "gz",
    "application/json": "json",
    "application/pdf": "pdf",
    "application/zip": "zip",
    "audio/flac": "flac",
    "audio/mp4": "m4a",
    "audio/mpeg": "mp3",
    "audio/ogg": "ogg",
    "audio/wav": "wav",
    "font/otf": "otf",
    "font/ttf": "ttf",
    "font/woff2": "woff2",
    "image/avif": "avif",
    "image/gif": "gif",
    "image/heic": "heic",
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/svg+xml": "svg",
    "image/tiff": "tif",
    "image/webp": "webp",
    "text/csv": "csv",
    "text/markdown": "md",
    "text/plain": "txt",
    "video/mp4": "mp4",
    "video/quicktime": "mov",
    "video/webm": "webm",
}
"""How a copy's name ends, by what its bytes are; any other sort ends in `bin`, so that nothing runs on a
click."""

SHOWN_TYPES = frozenset({"image/avif", "image/gif", "image/jpeg", "image/png", "image/svg+xml", "image/webp"})
"""What every browser shows as a picture."""


def file_name(object_id: str, *said: str | None) -> str:
    """A name for an object, without an ending: the first text that has letters, and the id's number.

    `file_name("block:12", "Low water!")` is `low-water-12`; an id of a device, `block:~k3f9.7`, ends in
    `~k3f9_7`.
    """
    number = object_id.partition(":")[2].replace(".", "_")
    words = next(filter(None, map(_words, filter(None, said))), "")
    return f"{words}-{number}" if words else number


def media_name(stem: str, content_type: str | None) -> str:
    """The name of a copied file: what its bytes are decides how it ends, not what somebody called it."""
    return f"{stem}.{ENDINGS.get(content_type or '', 'bin')}"


def _words(text: str) -> str:
    """The letters and digits of a text, small, with `-` between the words; cut where a character ends."""
    small = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text[:1000]).casefold())
    kept: list[str] = []
    marks = 0
    for sign in small:
        sort = unicodedata.category(sign)[0]
        marks = marks + 1 if sort == "M" else 0
        if sort in "LN" or (sort == "M" and kept and kept[-1] != "-" and marks <= MARKS_MAX):
            kept.append(sign)
        elif sort != "M" and kept and kept[-1] != "-":
            kept.append("-")
    whole = unicodedata.normalize("NFC", "".join(kept))
    return whole.encode()[:TITLE_BYTES_MAX].decode(errors="ignore").strip("-")
