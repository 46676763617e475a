"""The doors for bytes: pictures and attachments to read, uploads to put.

Owns what would be a content network and a storage bucket at are.na: no tokens, no rate limits, addresses
that do not expire (an upload's does), ranges. Guarantees that a name only ever looks up a stored file, never
a path.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import unquote

from vfdir_lab.sandbox.answers import Answer
from vfdir_lab.sandbox.media import MediaFile

if TYPE_CHECKING:
    from vfdir_lab.sandbox.service import Request, Service

_XML = {"Content-Type": "application/xml"}


def get_media(service: Service, request: Request) -> Answer:
    """GET /media/…: an original, a rendition (the original again) or an attachment."""
    with service.world.lock:
        file = service.world.media.files.get(_stored_name(request.ids["rest"]))
    if file is None:
        return _refusal(404, "NoSuchKey")
    tag = f'"{hashlib.sha256(file.body).hexdigest()[:32]}"'
    headers = {
        "Content-Type": file.content_type,
        "ETag": tag,
        "Accept-Ranges": "bytes",
        "Cache-Control": "public, max-age=31536000",
        "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
        "X-Content-Type-Options": "nosniff",
    }
    if request.headers.get("if-none-match") == tag:
        return Answer(status=304, headers=headers)
    return _ranged(file, headers, request.headers.get("range"))


def put_upload(service: Service, request: Request) -> Answer:
    """PUT /uploads/{key}: the file of a presigned upload, with exactly the content type announced."""
    key = unquote(request.ids["rest"])
    with service.world.lock:
        uploads = service.world.media.uploads
        upload = uploads.get(request.ids["rest"]) or uploads.get(key)
        if upload is None or service.clock.now() > upload.expires_at:
            return _refusal(403, "AccessDenied")
        if request.headers.get("content-type") != upload.content_type:
            return _refusal(403, "SignatureDoesNotMatch")
        uploads[upload.key] = replace(upload, file=MediaFile(request.body, upload.content_type))
    return Answer(headers={"ETag": f'"{hashlib.md5(request.body, usedforsecurity=False).hexdigest()}"'})


def _stored_name(rest: str) -> str:
    last = rest.rsplit("/", 1)[-1]
    if "/" in rest:
        return last.removeprefix("original_")
    try:
        token = json.loads(base64.urlsafe_b64decode(last))
    except (ValueError, RecursionError):
        return ""
    return str(token.get("key", "")) if isinstance(token, dict) else ""


def _ranged(file: MediaFile, headers: dict[str, str], wanted: str | None) -> Answer:
    found = re.fullmatch(r"bytes=(\d{1,15})-(\d{0,15})", wanted or "")
    if not found:
        return Answer(body=file.body, headers=headers)
    size, first = len(file.body), int(found[1])
    last = min(int(found[2] or size - 1), size - 1)
    if first > last:
        return Answer(status=416, headers=headers | {"Content-Range": f"bytes */{size}"})
    headers = headers | {"Content-Range": f"bytes {first}-{last}/{size}"}
    return Answer(status=206, body=file.body[first : last + 1], headers=headers)


def _refusal(status: int, code: str) -> Answer:
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code></Error>'
    return Answer(status=status, body=body.encode(), headers=dict(_XML))
