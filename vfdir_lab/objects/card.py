"""Objects as cards: a line for a terminal, a small table for a notebook.

Owns: which fields a card shows, and how.
Guarantees: whatever is remote is text: nothing in it steers a terminal or is taken for HTML, only http(s)
addresses become links, and nothing is loaded from anywhere: a picture is the copy the archive has.
Leaves to others: tables of objects (`notebook`).
Checked by: `tests/objects/test_card.py`.
"""

from __future__ import annotations

import re
from datetime import datetime
from html import escape
from typing import TYPE_CHECKING, Any

from vfdir_lab.errors import VfdirError
from vfdir_lab.objects.ids import id_of
from vfdir_lab.projection.provenance.wording import cut, escaped, moment_of

if TYPE_CHECKING:
    from vfdir_lab.objects.thing import Thing

_TITLES = ("title", "name", "filename", "body")
_LEFT_OUT = frozenset({"object_id", "remote_id", "title", "name", "pending", "embed_html", "metadata"})
_WEB = re.compile(r"https?://[^\s\"'<>\\]+", re.IGNORECASE)
_LONGEST = 600
_FRAME = (
    "max-width:44em;border:1px solid #8884;border-radius:6px;padding:10px 14px;"
    "color:var(--jp-ui-font-color1,currentColor);overflow-wrap:anywhere"
)
_CELL = "text-align:left;vertical-align:top;padding:2px 14px 2px 0;background:none;white-space:normal"


def text_card(thing: Thing) -> str:
    """`<Block block:123 “Tides”>`, on one line."""
    try:
        row = thing.as_dict()
        gone = ", vanished" if thing.vanished_at is not None else ""
    except VfdirError as error:  # a repr is asked for when something else went wrong, too
        return f"<{_sort(thing)}, cannot be read: {cut(str(error), _LONGEST)}>"
    title = _title(row)
    said = f" “{cut(title)}”" if title else ""
    return f"<{_sort(thing)}{said}{gone}>"


def _sort(thing: Thing) -> str:
    return f"{type(thing).__name__} {cut(id_of(thing.SPACE, thing.key), _LONGEST)}"


def html_card(thing: Thing, picture: str | None = None) -> str:
    """The fields that say something, under the title and the picture (a `data:` address), if there is one."""
    try:
        row, gone = thing.as_dict(), thing.vanished_at
    except VfdirError as error:
        row, gone = {"cannot be read": str(error)}, None
    sort = _sort(thing)
    lines = [_line(name, value) for name, value in row.items() if name not in _LEFT_OUT and _says(value)]
    if gone is not None:
        lines.insert(0, _line("vanished at", gone))
    if row.get("pending"):
        lines.insert(0, _line("pending", "a wish about it is open"))
    title = escape(cut(_title(row) or "untitled", _LONGEST))
    return (
        f'<div class="vfdir-card" lang="en" role="group" aria-label="{_attribute(sort)}" style="{_FRAME}">'
        f'<strong dir="auto" lang="">{title}</strong> <small style="opacity:.7">{_text(sort)}</small>'
        f"{_image(picture, title)}"
        f'<table style="border-collapse:collapse;margin:6px 0 0">{"".join(lines)}</table></div>'
    )


def _image(picture: str | None, title: str) -> str:
    if picture is None:
        return ""
    style = "display:block;max-width:100%;max-height:320px;margin:8px 0"
    return f'<img src="{_attribute(picture)}" alt="{title}" style="{style}">'


def _title(row: dict[str, Any]) -> str:
    found = (row.get(name) for name in _TITLES)
    return next((text for text in found if isinstance(text, str) and text.strip()), "")


def _says(value: Any) -> bool:
    return value is not None and value != ""


def _line(name: str, value: Any) -> str:
    head = f'<th scope="row" style="{_CELL};font-weight:400;opacity:.7">{_text(name.replace("_", " "))}</th>'
    return f'<tr>{head}<td style="{_CELL}" dir="auto" lang="">{_value(value)}</td></tr>'


def _value(value: Any) -> str:
    if isinstance(value, datetime):
        return f"{moment_of(value)} UTC"
    text = str(value)
    if _WEB.fullmatch(text):
        return f'<a href="{_attribute(text)}" rel="noopener noreferrer" target="_blank">{_text(text)}</a>'
    return _text(text)


def _text(text: str) -> str:
    return escape(cut(text, _LONGEST))


def _attribute(text: str) -> str:
    return escape(escaped(text), quote=True)
