"""The square of an item on a channel's page: a picture, the first words, or a sign of what it is."""

from __future__ import annotations

from vfdir_lab.export.html_parts import picture_host, text
from vfdir_lab.export.layout import Item, label, link_between
from vfdir_lab.export.markup import as_lines, as_words
from vfdir_lab.export.rows import Row
from vfdir_lab.export.safe import address, escaped, host
from vfdir_lab.export.wording import counted, size

VISIBILITIES = {"public": "open", "closed": "closed", "private": "private"}
WORDS_CHARACTERS = 320
UNSEEN = {True: "a channel not seen yet", False: "a block not seen yet"}


def square(page: str, item: Item, target: str | None) -> str:
    """The square with its caption; a link where there is somewhere to go."""
    inner = f"{_inside(page, item)}\n{_caption(item)}"
    if target is None:
        return f'<div class="card">\n{inner}\n</div>'
    outward = ' rel="noopener noreferrer"' if target.startswith("http") else ""
    return f'<a class="card" href="{escaped(target)}"{outward}>\n{inner}\n</a>'


def _caption(item: Item) -> str:
    name = _name(item)
    named = text("span", name, "name") if name else ""
    return f'<div class="cap"><span>{item.position}.</span>{named}</div>'


def _name(item: Item) -> str:
    """What stands beneath the square: what is not in it already."""
    if item.block is None:
        return "" if item.channel is None else "Channel"
    if not item.block["title"] and item.picture is None and item.block["content"]:
        return str(item.block["type"] or "")
    return label(item.block)


def _inside(page: str, item: Item) -> str:
    if item.block is None and item.channel is None:
        return f'<div class="sq sign unknown">{UNSEEN[item.is_channel]}</div>'
    if item.channel is not None:
        return _channel(item.channel)
    block = item.block or {}
    if item.picture is not None:
        words = as_words(block["description"], 120) or "Picture"
        source = escaped(link_between(page, item.picture))
        return f'<div class="sq"><img src="{source}" alt="{escaped(words)}" loading="lazy" dir="auto"></div>'
    return _words(block) or _sign(block)


def _channel(channel: Row) -> str:
    visibility = channel["visibility"]
    kind = VISIBILITIES.get(visibility, "closed")
    if visibility == "private" and channel["title"] is None and channel["slug"] is None:
        return '<div class="sq channel private"><span>private channel</span></div>'
    length = channel["length"]
    items = f"<span>{counted(length, 'item')}</span>" if isinstance(length, int) else ""
    return f'<div class="sq channel {kind}">{text("b", label(channel))}{items}</div>'


def _words(block: Row) -> str:
    """The first words of a text."""
    words = as_lines(block["content"], WORDS_CHARACTERS)
    return text("div", words, "sq words") if words else ""


def _sign(block: Row) -> str:
    """What it is, where there is nothing to look at."""
    sort = block["type"] or "Block"
    if sort == "PendingBlock":
        sort = "being processed by are.na"
    source = address(block["source_url"])
    details = (
        picture_host(block["image_url"]) if sort == "Image" else "",
        host(source) if source and sort != "Image" else "",
        block["filename"] if block["attachment_url"] else "",
        size(block["file_size"]) if block["attachment_url"] else "",
    )
    lines = "".join(text("span", detail) for detail in details if detail)
    return f'<div class="sq sign"><span>{escaped(sort)}</span>{lines}</div>'
