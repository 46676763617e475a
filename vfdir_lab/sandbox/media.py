"""Pictures and files: the bytes behind Image and Attachment blocks.

Owns a content-addressed store (a name is a hash and an extension), the measuring of pictures, and uploads
that wait for their block. Guarantees that names from outside never become paths. Leaves addresses to `wire`
and serving to `doors`.
"""

from __future__ import annotations

import hashlib
import mimetypes
import re
import struct
import uuid
from dataclasses import dataclass
from random import Random
from urllib.parse import quote, quote_plus, unquote_plus

from vfdir_lab.sandbox.records import Attached, Picture

UPLOADS = "https://s3.amazonaws.com/arena_images-temp/"
UPLOAD_SECONDS = 3600
# A grey pixel: what stands for a picture on the web, which the sandbox never fetches.
STAND_IN = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b550000"
    "000a49444154789c636800000082008177cd72b60000000049454e44ae426082"
)


@dataclass(frozen=True, slots=True)
class MediaFile:
    """Bytes and what they are."""

    body: bytes
    content_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A place to put a file; `file` is None until somebody has."""

    key: str
    filename: str
    content_type: str
    expires_at: int
    file: MediaFile | None = None


class MediaStore:
    """Every file of a world by its name."""

    def __init__(self) -> None:
        self.files: dict[str, MediaFile] = {}
        self.uploads: dict[str, Upload] = {}

    def put(self, body: bytes, filename: str, content_type: str | None = None) -> str:
        """Keep bytes, return their name."""
        kind = content_type or guess_type(filename)
        name = hashlib.sha256(body).hexdigest()[:32] + extension(filename)
        self.files[name] = MediaFile(body, kind)
        return name

    def picture(self, body: bytes, filename: str, at: int, content_type: str | None = None) -> Picture:
        """Keep a picture and measure it."""
        name = self.put(body, filename, content_type)
        width, height = measure(body)
        return Picture(
            media=name,
            filename=name,
            content_type=self.files[name].content_type,
            file_size=len(body),
            width=width,
            height=height,
            updated_at=at,
        )

    def attached(self, body: bytes, filename: str, at: int, content_type: str | None = None) -> Attached:
        """Keep a file under the name its person gave it (which is only ever shown, never used as a path)."""
        name = self.put(body, filename, content_type)
        kind = self.files[name].content_type
        return Attached(media=name, filename=filename, content_type=kind, file_size=len(body), updated_at=at)

    def open_upload(self, filename: str, content_type: str, now: int, random: Random) -> Upload:
        """Make a place for one file, good for an hour."""
        key = f"{uuid.UUID(int=random.getrandbits(128), version=4)}/{filename}"
        upload = Upload(
            key=key, filename=filename, content_type=content_type, expires_at=now + UPLOAD_SECONDS
        )
        self.uploads[key] = upload
        return upload

    def uploaded(self, value: str) -> Upload | None:
        """Find the upload that a block's value points at, its key form-encoded or bare."""
        if not value.startswith(UPLOADS):
            return None
        tail = value[len(UPLOADS) :]
        return self.uploads.get(unquote_plus(tail)) or self.uploads.get(tail)


def upload_value(key: str) -> str:
    """The value a block is made with once its file is uploaded, encoded as are.na's own SDK does."""
    return UPLOADS + quote_plus(key)


def upload_path(key: str) -> str:
    """The path part of the address a file is put to."""
    return "/uploads/" + quote(key, safe="/")


def extension(filename: str) -> str:
    """A file name's extension with its dot, lower case, harmless; "" where it has none."""
    found = re.search(r"\.([A-Za-z0-9]{1,8})$", filename)
    return f".{found[1].lower()}" if found else ""


def guess_type(filename: str) -> str:
    """The content type a file name suggests."""
    return mimetypes.guess_type("file" + extension(filename))[0] or "application/octet-stream"


def measure(body: bytes) -> tuple[int | None, int | None]:
    """Width and height of a PNG, GIF or SVG in pixels; None where they cannot be told."""
    if body.startswith(b"\x89PNG\r\n\x1a\n") and len(body) >= 24:
        width, height = struct.unpack(">II", body[16:24])
        return int(width), int(height)
    if body[:6] in (b"GIF87a", b"GIF89a") and len(body) >= 10:
        width, height = struct.unpack("<HH", body[6:10])
        return int(width), int(height)
    found = re.search(rb'viewBox="0 0 (\d{1,6}) (\d{1,6})"', body[:2000])
    return (int(found[1]), int(found[2])) if found else (None, None)
