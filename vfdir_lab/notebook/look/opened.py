"""One item, opened: its picture or words, its particulars, the channels it is in, and its history.

Guarantees: remote text is text; only http(s) addresses become links, which tell the other side nothing of us.
Leaves to others: where "look inside" leads.
Checked by: `tests/notebook/test_gallery.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape
from typing import Any

import ipywidgets as widgets

from vfdir_lab.archive import Archive
from vfdir_lab.media import MediaStore
from vfdir_lab.media.pictures import OPENED_BYTES, Pictures
from vfdir_lab.notebook.look.parts import button, html, row
from vfdir_lab.notebook.look.room import Item, filled, sql
from vfdir_lab.notebook.look.squares import label, lines, states
from vfdir_lab.notebook.table import html_text
from vfdir_lab.projection import View
from vfdir_lab.projection.provenance import history

WORDS_CHARACTERS = 8_000
CHANNELS_SHOWN = 24
_WEB = re.compile(r"https?://[^\s\"'<>\\]+", re.IGNORECASE)


class Opened(widgets.VBox):  # type: ignore[misc]  # ipywidgets publishes no types
    """Nothing, until `show`. `look`, if given, is called with the id of a channel to look into."""

    def __init__(self, archive: Archive, look: Callable[[str], None] | None = None) -> None:
        self._archive = archive
        self._look = look
        super().__init__()

    def close_item(self) -> None:
        """Show nothing."""
        self._fill()

    def show(self, item: Item, view: View) -> None:
        """Show an item, as things stand in the view.

        Raises:
            VfdirError: its history or its channels cannot be read.
        """
        query = filled(sql("inside"), item=item["item"])
        channels = view.sql(query).to_arrow_table().to_pylist()
        told = history(self._archive.engine, item["item"], view.head, view.at)
        called = f"<h2 dir='auto'>{html_text(label(item))}</h2>"
        title = f"{called} <span class='quiet'>{html_text(item['item'])}</span>"
        self._fill(
            row(html("grow", title), *self._doors(item), button("Close", self.close_item)),
            row(html("grow", f'<div class="opened">{self._look_of(item)}{_particulars(item)}</div>')),
            self._row_of_channels(channels),
            row(html("grow", f'<div class="scroll">{told._repr_mimebundle_()["text/html"]}</div>')),
        )

    def _fill(self, *parts: widgets.Widget) -> None:
        self.children = parts

    def _doors(self, item: Item) -> list[widgets.Widget]:
        look = self._look
        if look is None or item["sort"] != "Channel":
            return []
        return [button("Look inside", lambda: look(item["item"]), tooltip=f"Look inside {label(item)}")]

    def _row_of_channels(self, channels: list[dict[str, Any]]) -> widgets.HBox:
        named = [(one["object_id"], one["title"] or "untitled channel") for one in channels]
        shown, look = named[:CHANNELS_SHOWN], self._look
        more = f" and {len(named) - len(shown):,} more" if len(named) > len(shown) else ""
        count = f"in {len(named):,} channel{'' if len(named) == 1 else 's'}{more}"
        if look is None:
            words = ", ".join(html_text(title) for _, title in shown)
            return row(html("grow", f"<h3>{count}</h3>{words}"))
        doors = [
            button(title, lambda one=one: look(one), tooltip=f"Look inside {title}")  # type: ignore[misc]
            for one, title in shown
        ]
        made = row(html("quiet", count), *doors)
        made.add_class("wrap")
        return made

    def _look_of(self, item: Item) -> str:
        store = MediaStore(self._archive.path)
        most = Pictures(store, largest_bytes=OPENED_BYTES, page_bytes=OPENED_BYTES)
        picture = most.uri(item["sha256"])
        words = lines(item["content"] or "", WORDS_CHARACTERS)
        shown = f'<img src="{picture}" alt="{escape(label(item), quote=True)}">' if picture else ""
        return f'<div>{shown}<div class="words" dir="auto">{words}</div></div>'


def _particulars(item: Item) -> str:
    since = item["since"]
    told = {
        "type": item["sort"],
        "state": ", ".join(states(item)),
        "position": item["position"],
        "connected": f"{since:%Y-%m-%d %H:%M:%S} UTC" if since else None,
        "visibility": item["visibility"],
        "items": item["length"],
        "description": item["description"],
        "file": item["filename"],
        "source": item["source_title"],
        "address": item["source_url"],
    }
    rows = (
        f"<dt>{name}</dt><dd dir='auto'>{_value(str(value))}</dd>" for name, value in told.items() if value
    )
    return f"<dl>{''.join(rows)}</dl>"


def _value(text: str) -> str:
    if _WEB.fullmatch(text):
        address = escape(text, quote=True)
        return f'<a href="{address}" rel="noopener noreferrer" target="_blank">{html_text(text)}</a>'
    return lines(text, WORDS_CHARACTERS)
