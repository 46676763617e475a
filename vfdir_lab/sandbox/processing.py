"""Processing: what becomes of a block made from an address or an upload.

Owns the guess of a block's type and the waiting: a new block is a `PendingBlock` until it has been asked for
a few times or a little time has passed. Guarantees that nothing is ever fetched from the network: a picture
on the web becomes a grey stand-in. A host under `.invalid`, or an upload without its file, fails.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit

from vfdir_lab.sandbox.media import STAND_IN, UPLOADS, extension, guess_type
from vfdir_lab.sandbox.records import Embedded, Source
from vfdir_lab.sandbox.world import BlockFields

if TYPE_CHECKING:
    from vfdir_lab.sandbox.records import Block
    from vfdir_lab.sandbox.world import World

_PICTURES = {".png", ".jpg", ".jpeg", ".gif", ".webp", ".svg", ".avif"}
_FILES = {".pdf", ".csv", ".txt", ".zip", ".mp3", ".wav", ".epub", ".md", ".json"}
_PLAYERS = {
    "youtube.com": "YouTube",
    "youtu.be": "YouTube",
    "vimeo.com": "Vimeo",
    "soundcloud.com": "SoundCloud",
}
# What may stand in an address as it is (RFC 3986).
_IN_ADDRESSES = "%:/?#[]@!$&'()*+,;=-._~"
_URL = re.compile(r"https?://[^\s/$.?#][^\s]*", re.IGNORECASE)


@dataclass(slots=True)
class _Waiting:
    value: str
    since: float
    alt_text: str | None = None
    polls: int = 0
    is_held: bool = False


class Processing:
    """The blocks still being worked on. Delays: `polls` readings of the block, or `seconds`."""

    def __init__(self, world: World, polls: int = 2, seconds: float = 1.0) -> None:
        self._world = world
        self.polls = polls
        self.seconds = seconds
        self._waiting: dict[int, _Waiting] = {}
        for block in world.blocks.values():
            if block.kind == "PendingBlock":
                self._hold(block)

    def start(self, block: Block, value: str, alt_text: str | None = None) -> None:
        """Begin to work on a block made from `value`; `alt_text` is for the picture it may become."""
        self._waiting[block.id] = _Waiting(value, self._world.clock.steady(), alt_text)

    def poll(self, block_id: int) -> None:
        """Somebody asks for this block: work on it if it is due."""
        waiting = self._waiting.get(block_id)
        if waiting:
            waiting.polls += 1
        self.settle()

    def settle(self) -> None:
        """Finish every block that is due."""
        now = self._world.clock.steady()
        for block_id, waiting in list(self._waiting.items()):
            is_due = waiting.polls > self.polls or now - waiting.since >= self.seconds
            if is_due and not waiting.is_held:
                self.finish(block_id)

    def finish(self, block_id: int | None = None) -> None:
        """Finish one block now, due or not; `None` finishes all."""
        for key in [*self._waiting] if block_id is None else [block_id]:
            waiting = self._waiting.pop(key, None)
            if waiting and key in self._world.blocks:
                fields = self._outcome(waiting.value, self._world.blocks[key])
                picture = fields.get("picture")
                if picture and waiting.alt_text is not None:
                    fields["picture"] = replace(picture, alt_text=waiting.alt_text)
                self._world.edit_block(key, **fields)

    def _hold(self, block: Block) -> None:
        value = block.source.url if block.source else "https://example.org/"
        self._waiting[block.id] = _Waiting(value, 0.0, is_held=True)

    def _outcome(self, value: str, block: Block) -> BlockFields:
        if value.startswith(UPLOADS):
            return self._uploaded(value, block)
        parts = urlsplit(value)
        host = (parts.hostname or "").removeprefix("www.")
        if host.endswith(".invalid"):
            return {"state": "failed"}
        name = unquote(parts.path.rstrip("/").rsplit("/", 1)[-1])
        source = block.source or source_of(value, None)
        if extension(name) in _PICTURES:
            return self._file(STAND_IN, name, "image/png", block) | {"source": source}
        if extension(name) in _FILES:
            return self._file(b"A stand-in.\n", name, guess_type(name), block) | {"source": source}
        fields: BlockFields = {"state": "available", "source": source, "title": block.title or name or host}
        if host in _PLAYERS:
            embedded = Embedded(url=source.url, title=name or host, author_name=_PLAYERS[host])
            return fields | {"kind": "Embed", "embedded": embedded}
        return fields | {"kind": "Link"}

    def _uploaded(self, value: str, block: Block) -> BlockFields:
        upload = self._world.media.uploaded(value)
        if upload is None or upload.file is None:
            return {"state": "failed"}
        return self._file(upload.file.body, upload.filename, upload.content_type, block)

    def _file(self, body: bytes, filename: str, content_type: str, block: Block) -> BlockFields:
        now, media = self._world.clock.now(), self._world.media
        fields: BlockFields = {"state": "available", "title": block.title or filename}
        if content_type.startswith("image/"):
            return fields | {"kind": "Image", "picture": media.picture(body, filename, now, content_type)}
        return fields | {"kind": "Attachment", "attached": media.attached(body, filename, now, content_type)}


def is_address(value: str) -> bool:
    """Whether a block's value is one web address, and so is not text."""
    try:
        return _URL.fullmatch(value.strip()) is not None and bool(urlsplit(value.strip()).hostname)
    except ValueError:
        return False


def source_of(url: str, title: str | None) -> Source:
    """The source of a block at an address, which comes out with every odd character percent-encoded."""
    parts = urlsplit(url)
    address = quote(url, safe=_IN_ADDRESSES)
    if not parts.hostname:
        return Source(url=address, title=title)
    name = parts.hostname.removeprefix("www.")
    provider = quote(f"{parts.scheme}://{parts.hostname}", safe=_IN_ADDRESSES)
    return Source(url=address, title=title, provider_name=name, provider_url=provider)
