"""An item as a square: its picture, its first words, its channel's frame, or a sign of what it is.

Guarantees: remote text is escaped, line by line; the caption is plain text and says all that a colour says.
Checked by: `tests/notebook/test_gallery.py`.
"""

from __future__ import annotations

from html import escape
from typing import Any

from vfdir_lab.export.wording import counted
from vfdir_lab.media.pictures import Pictures
from vfdir_lab.notebook.look.room import Item
from vfdir_lab.notebook.table import cut, html_text

WORDS_CHARACTERS = 320
CAPTION_CHARACTERS = 80
_FRAMES = frozenset({"public", "closed", "private"})


def square(item: Item, pictures: Pictures) -> str:
    """The square as HTML."""
    if item["sort"] == "Channel":
        frame = item["visibility"] if item["visibility"] in _FRAMES else "closed"
        items = (
            "" if item["length"] is None else f'<span class="num">{counted(item["length"], "item")}</span>'
        )
        return (
            f'<div class="sq chan {frame}"><b dir="auto">{_short(label(item), 120)}</b>{items}'
            f"<span>{frame} channel</span></div>"
        )
    picture = pictures.uri(item["sha256"])
    if picture is not None:
        alt = escape(cut(item["description"] or label(item), 120), quote=True)
        return f'<div class="sq"><img src="{picture}" alt="{alt}"></div>'
    if item["content"]:
        return f'<div class="sq words" dir="auto">{lines(item["content"], WORDS_CHARACTERS)}</div>'
    return f'<div class="sq sign">{_sign(item)}</div>'


def caption(item: Item) -> str:
    """What stands beneath the square, as text: what it is called, and what is particular about it."""
    said = cut(label(item), CAPTION_CHARACTERS)
    return ", ".join([said, *states(item)])


def states(item: Item) -> list[str]:
    """What is particular about an item, in words."""
    if item["is_gone"]:
        gone = item["gone_at"]
        return ["taken out here, not yet answered" if gone is None else f"gone since {gone:%d %B %Y}"]
    return ["mine, not yet answered"] if item["is_mine"] else []


def label(item: Item) -> str:
    """What an item is called: by its title, else by what else it has."""
    named = (item[name] for name in ("title", "filename", "source_title"))
    return next((str(one) for one in named if one and str(one).strip()), _untitled(item))


def lines(text: str, characters: int) -> str:
    """The beginning of a text as HTML, its lines kept."""
    shown = "\n".join(map(html_text, text[:characters].splitlines()))
    return f"{shown}…" if len(text) > characters else shown


def _untitled(item: Item) -> str:
    sort = str(item["sort"])
    return "untitled channel" if sort == "Channel" else sort


def _sign(item: dict[str, Any]) -> str:
    """What it is, where there is nothing to look at."""
    why = "no copy here to show" if item["sort"] == "Image" else ""
    about = (item["sort"], item["filename"], item["source_title"], item["source_url"], why)
    return "".join(f'<span dir="auto">{_short(str(one), 80)}</span>' for one in about if one)


def _short(text: str, characters: int) -> str:
    return escape(cut(text, characters))
