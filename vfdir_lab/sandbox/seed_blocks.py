"""Seeding blocks: from a table of a channel's file to a block of the world.

Owns the kinds of items and their fields, and the reading of the pictures, files and longer texts they name.
Guarantees that a file is only ever read from its folder in the world's data.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from vfdir_lab.errors import SandboxError
from vfdir_lab.sandbox.media import guess_type
from vfdir_lab.sandbox.processing import source_of
from vfdir_lab.sandbox.records import Embedded
from vfdir_lab.sandbox.world import BlockFields

if TYPE_CHECKING:
    from pathlib import Path

    from vfdir_lab.sandbox.records import Block, Channel, Picture
    from vfdir_lab.sandbox.seed_files import Row
    from vfdir_lab.sandbox.world import World

KINDS = ("text", "text_file", "image", "link", "file", "embed", "pending")
_FIELDS = (
    *("key", "title", "description", "by", "at", "position", "pinned", "metadata", "place", "comments"),
    *(
        "source",
        "source_title",
        "picture",
        "alt",
        "filename",
        "content",
        "html",
        "author",
        "block",
        "channel",
    ),
)


class BlockMaker:
    """Makes the blocks of a world and remembers those with a `key`."""

    def __init__(self, world: World, root: Path) -> None:
        self._world = world
        self._root = root
        self._named: dict[str, int] = {}

    def make(self, item: Row, at: int, channel: Channel) -> Block | None:
        """Make the block of an item; None if the item refers to a channel or to a block made elsewhere."""
        item.only(*KINDS, *_FIELDS)
        kind = next((kind for kind in KINDS if item.has(kind)), None)
        if kind is None:
            return None
        fields = self._common(item, at) | self._own(kind, item, at)
        block = self._world.add_block(self._maker(item, channel), **fields)
        if item.has("key"):
            self._named[item.text("key")] = block.id
        for rank, row in enumerate(item.rows("comments"), 1):
            row.only("by", "body", "at")
            person = self._world.person(row.text("by"))
            if person is None:
                raise row.error("names nobody in people.toml")
            comment = self._world.add_comment(block.id, person.id, row.text("body"))
            said_at = row.moment("at", at + rank * 86_400)
            self._world.comments[comment.id] = replace(comment, created_at=said_at)
        return block

    def named(self, item: Row) -> int:
        """The number of the block that an item refers to by key."""
        key = item.text("block")
        if key not in self._named:
            raise item.error(f"names the block {key}, which no channel has")
        return self._named[key]

    def _maker(self, item: Row, channel: Channel) -> int:
        person = self._world.person(item.text("by")) if item.has("by") else None
        if person:
            return person.id
        owner = channel.owner
        return owner.id if owner.kind == "User" else self._world.groups[owner.id].owner_id

    def _common(self, item: Row, at: int) -> BlockFields:
        fields: BlockFields = {
            "title": item.optional("title"),
            "description": item.optional("description"),
            "metadata": item.metadata("metadata"),
            "created_at": at,
            "updated_at": at,
        }
        if item.has("source"):
            fields["source"] = source_of(item.text("source"), item.optional("source_title"))
        return fields

    def _own(self, kind: str, item: Row, at: int) -> BlockFields:
        value = item.text(kind)
        fields: BlockFields
        match kind:
            case "text":
                return {"kind": "Text", "content": value}
            case "text_file":
                return {"kind": "Text", "content": self._read("texts", value).decode()}
            case "image":
                return {"kind": "Image", "picture": self._picture(item, value, at)}
            case "link":
                source = source_of(value, item.optional("source_title") or item.optional("title"))
                fields = {"kind": "Link", "source": source, "content": item.optional("content")}
            case "file":
                name = item.optional("filename") or value
                attached = self._world.media.attached(self._read("files", value), name, at, guess_type(value))
                fields = {"kind": "Attachment", "attached": attached}
            case "embed":
                source = source_of(value, item.optional("title"))
                fields = {"kind": "Embed", "source": source, "embedded": _embedded(value, item)}
            case _:
                return {"kind": "PendingBlock", "state": "processing", "source": source_of(value, None)}
        if item.has("picture"):
            fields["picture"] = self._picture(item, item.text("picture"), at)
        return fields

    def _picture(self, item: Row, name: str, at: int) -> Picture:
        picture = self._world.media.picture(self._read("pictures", name), name, at)
        return replace(picture, alt_text=item.optional("alt"))

    def _read(self, folder: str, name: str) -> bytes:
        path = self._root / folder / name
        try:
            if path.resolve().parent == (self._root / folder).resolve():
                return path.read_bytes()
        except OSError as error:
            raise SandboxError(f"The sandbox's world cannot be read: {folder}/{name}: {error}") from error
        raise SandboxError(f"The sandbox's world cannot be read: {folder}/{name} is not in its folder.")


def _embedded(url: str, item: Row) -> Embedded:
    return Embedded(
        url=url,
        title=item.optional("title"),
        author_name=item.optional("author"),
        width=640,
        height=360,
        html=item.optional("html"),
    )
