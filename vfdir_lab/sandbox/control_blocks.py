"""Blocks made by the control door: of any kind, ready at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from vfdir_lab.sandbox.media import STAND_IN, guess_type
from vfdir_lab.sandbox.processing import is_address
from vfdir_lab.sandbox.records import BlockKind, Embedded, Source
from vfdir_lab.sandbox.world import BlockFields

if TYPE_CHECKING:
    from vfdir_lab.sandbox.world import World

KINDS: tuple[BlockKind, ...] = get_args(BlockKind)


def made_from(world: World, value: str, kind: BlockKind | None) -> BlockFields:
    """The fields of a block made from a text or an address. Pictures and files are stand-ins."""
    now, media = world.clock.now(), world.media
    name = value.rstrip("/").rsplit("/", 1)[-1]
    source = Source(url=value) if is_address(value) else None
    match kind or ("PendingBlock" if source else "Text"):
        case "Text":
            return {"kind": "Text", "content": value}
        case "Link":
            return {"kind": "Link", "source": source}
        case "Embed":
            return {"kind": "Embed", "source": source, "embedded": Embedded(url=value, title=name)}
        case "Image":
            picture = media.picture(STAND_IN, name, now, "image/png")
            return {"kind": "Image", "title": name, "source": source, "picture": picture}
        case "Attachment":
            attached = media.attached(value.encode(), name, now, guess_type(name))
            return {"kind": "Attachment", "title": name, "source": source, "attached": attached}
        case _:
            return {"kind": "PendingBlock", "state": "processing"}
