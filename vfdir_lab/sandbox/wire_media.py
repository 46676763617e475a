"""Wire shapes of what a block carries: pictures, files, embeds, sources.

Owns their addresses, which end in a time that only serves to get past caches, as are.na's do; and the four
renditions of a picture, whose address holds base64 JSON, as are.na's does. The sandbox serves the original
for each of them.
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

from vfdir_lab.sandbox.answers import Json
from vfdir_lab.sandbox.clock import iso
from vfdir_lab.sandbox.media import extension

if TYPE_CHECKING:
    from vfdir_lab.sandbox.records import Attached, Embedded, Picture, Source

Shape = dict[str, Json]
_SIZES = {"small": 400, "medium": 800, "large": 1600, "square": 600}


def original(base: str, block_id: int, picture: Picture) -> str:
    """The address of a picture as it was uploaded."""
    return f"{base}/media/{block_id}/original_{picture.media}?{picture.updated_at}"


def picture(base: str, block_id: int, held: Picture) -> Shape:
    """A picture with its four renditions."""
    width, height = held.width, held.height
    shape: Shape = {
        "alt_text": held.alt_text,
        "blurhash": None,
        "width": width,
        "height": height,
        "src": original(base, block_id, held),
        "aspect_ratio": round(width / height, 4) if width and height else None,
        "content_type": held.content_type,
        "filename": held.filename,
        "file_size": held.file_size,
        "updated_at": iso(held.updated_at),
    }
    return shape | {name: _rendition(base, held, name, side) for name, side in _SIZES.items()}


def attachment(base: str, block_id: int, attached: Attached) -> Shape:
    """The file of an Attachment."""
    return {
        "filename": attached.filename,
        "content_type": attached.content_type,
        "file_size": attached.file_size,
        "file_extension": extension(attached.filename).removeprefix(".") or None,
        "updated_at": iso(attached.updated_at),
        "url": f"{base}/media/{block_id}/{attached.media}?{attached.updated_at}",
    }


def source(held: Source | None) -> Shape | None:
    """Where a block came from."""
    if held is None:
        return None
    provider: Json = None
    if held.provider_name and held.provider_url:
        provider = {"name": held.provider_name, "url": held.provider_url}
    return {"url": held.url, "title": held.title, "provider": provider}


def embed(embedded: Embedded, thumbnail: str | None) -> Shape:
    """What another site offers to embed; its HTML comes through as it was given."""
    return {
        "url": embedded.url,
        "type": embedded.kind,
        "title": embedded.title,
        "author_name": embedded.author_name,
        "author_url": embedded.author_url,
        "source_url": embedded.url,
        "width": embedded.width,
        "height": embedded.height,
        "html": embedded.html,
        "thumbnail_url": thumbnail,
    }


def _rendition(base: str, held: Picture, name: str, side: int) -> Shape:
    def address(factor: int) -> str:
        edits = {"resize": {"width": side * factor, "fit": "cover" if name == "square" else "inside"}}
        token = json.dumps({"bucket": "sandbox", "key": held.media, "edits": edits})
        return f"{base}/media/{base64.urlsafe_b64encode(token.encode()).decode()}"

    width, height = held.width, held.height
    if name == "square":
        width = height = side
    elif width and height:
        scale = min(1.0, side / max(width, height))
        width, height = max(1, round(width * scale)), max(1, round(height * scale))
    return {"src": address(1), "src_2x": address(2), "width": width, "height": height}
