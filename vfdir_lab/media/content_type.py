"""What sort of file: told by its first bytes, and by its name where bytes cannot tell.

Owns: `content_type`.
Guarantees: pure, and the same on every machine: the system's own tables of file endings are not asked. A name
never makes a file what its bytes deny: `a.png` that holds no PNG is not called one.
Leaves to others: what are.na makes of it.
Checked by: `tests/media/test_content_type.py`.
"""

from __future__ import annotations

import codecs
from mimetypes import MimeTypes

HEAD_BYTES = 4096
"""How much of a file's beginning is looked at."""

UNKNOWN = "application/octet-stream"

_SIGNATURES = (
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (8, b"WAVE", "audio/wav"),
    (0, b"%PDF-", "application/pdf"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"\xff\xfb", "audio/mpeg"),
    (0, b"\xff\xf3", "audio/mpeg"),
    (0, b"\xff\xf2", "audio/mpeg"),
    (4, b"ftypavif", "image/avif"),
    (4, b"ftypheic", "image/heic"),
    (4, b"ftypM4A ", "audio/mp4"),
    (4, b"ftypqt  ", "video/quicktime"),
    (4, b"ftyp", "video/mp4"),
    (0, b"\x1a\x45\xdf\xa3", "video/webm"),
    (0, b"OggS", "audio/ogg"),
    (0, b"fLaC", "audio/flac"),
    (0, b"II*\x00", "image/tiff"),
    (0, b"MM\x00*", "image/tiff"),
    (0, b"PK\x03\x04", "application/zip"),
    (0, b"\x1f\x8b", "application/gzip"),
)
"""(where, which bytes, what it is), the first that fits."""

_RIFF = frozenset({"image/webp", "audio/wav"})
_IN_ZIP = ("application/epub+zip", "application/vnd.openxmlformats", "application/vnd.oasis.opendocument")
_OF_TEXT = frozenset({"application/json", "application/xml", "image/svg+xml", "application/javascript"})
_TOLD_BY_BYTES = frozenset(kind for _, _, kind in _SIGNATURES)
_NAMES = MimeTypes()
for _kind, _ending in (("text/markdown", ".md"), ("image/webp", ".webp"), ("application/epub+zip", ".epub")):
    _NAMES.add_type(_kind, _ending)


def content_type(name: str, head: bytes) -> str:
    """The content type of a file of this name that begins with these bytes (`HEAD_BYTES` of them, or all)."""
    named = _NAMES.guess_type(name)[0] or UNKNOWN
    signed = _signed(head)
    if signed == "application/zip" and named.startswith(_IN_ZIP):
        return named
    if signed is not None:
        return signed
    if _is_text(head):
        return named if named.startswith("text/") or named in _OF_TEXT else "text/plain"
    if named in _TOLD_BY_BYTES or named.startswith("text/") or named in _OF_TEXT:
        return UNKNOWN
    return named


def _signed(head: bytes) -> str | None:
    """What the bytes themselves say."""
    for start, sign, kind in _SIGNATURES:
        if head[start : start + len(sign)] == sign and (kind not in _RIFF or head.startswith(b"RIFF")):
            return kind
    return None


def _is_text(head: bytes) -> bool:
    """Whether this is the beginning of a text in UTF-8; the last character may be cut."""
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return not any(sign < " " and sign not in "\t\n\r\f\x1b" for sign in text)
