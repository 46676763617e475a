"""A shelf: a room as a page of squares, with what a person chooses of it.

Owns: filter, search, order, paging, and the cards, which are made once and change what they show.
Guarantees: only a page is ever built, and a card that shows the same is not touched. Every card is a button.
Leaves to others: which room (`gallery`, `time_machine`), and what opening an item does.
Checked by: `tests/notebook/test_gallery.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import RLock

import ipywidgets as widgets

from vfdir_lab.media import MediaStore
from vfdir_lab.media.pictures import Pictures
from vfdir_lab.notebook.look.parts import button, choice, details, html, row
from vfdir_lab.notebook.look.room import EVERYTHING, GONE, MINE, ORDERS, PAGE_ITEMS, Item, Page, Room, Wanted
from vfdir_lab.notebook.look.squares import caption, square
from vfdir_lab.notebook.table import visible

_SORTS = {MINE: "mine, not yet answered", GONE: "gone"}
_ORDERS = ("as on are.na, top first", "newest first", "oldest first")


class Shelf(widgets.VBox):  # type: ignore[misc]  # ipywidgets publishes no types
    """Squares of a room. `opened` is called with the item whose card was clicked."""

    def __init__(self, store: MediaStore, opened: Callable[[Item], None]) -> None:
        self._store = store
        self._opened = opened
        self._room: Room | None = None
        self._page = Page(items=(), found=0)
        self._number = 0
        self._is_changing = False
        self._lock = RLock()
        self.sort = choice("Show", [("everything", EVERYTHING)], self._chosen)
        self.order = choice("Order", list(zip(_ORDERS, ORDERS, strict=True)), self._chosen)
        self.words = widgets.Text(
            description="Search",
            placeholder="words, then Enter",
            continuous_update=False,
            description_allow_html=False,
            style={"description_width": "initial"},
        )
        self.words.observe(lambda _change: self._chosen(), "value")
        self._before = button("Page before", lambda: self._turn(-1))
        self._after = button("Next page", lambda: self._turn(1))
        self._count = html("grow num")
        self._query = html("grow")
        self._cards: list[_Card] = []
        self._layout, self._style = widgets.Layout(), widgets.ButtonStyle()
        self._grid = widgets.Box()
        self._grid.add_class("vfdir-grid")
        controls = row(self.sort, self.order, self.words)
        controls.add_class("wrap")
        super().__init__(
            [controls, row(self._count, self._before, self._after), self._grid, row(self._query)]
        )

    @property
    def page(self) -> Page:
        """What is shown now."""
        return self._page

    @property
    def counted(self) -> str:
        """Which items are shown, in words."""
        first = self._number * PAGE_ITEMS
        if not self._page.items:
            return "nothing to show"
        return f"{first + 1:,} to {first + len(self._page.items):,} of {self._page.found:,}"

    def show(self, room: Room) -> None:
        """Show another room; what was chosen stays chosen, a search ends with its channel."""
        with self._lock:
            if self._room is not None and room.query != self._room.query:
                self._number = 0
                self._forget_words()
            self._room = room
            self._offer(room)
            self._query.value = details("The SQL it stands on", room.query)
            self._draw()

    def _forget_words(self) -> None:
        self._is_changing = True
        try:
            self.words.value = ""
        finally:
            self._is_changing = False

    def _offer(self, room: Room) -> None:
        """The sorts there are in the room; choosing is not what a person does here."""
        self._is_changing = True
        try:
            sort = self.sort.value
            options = [("everything", EVERYTHING)]
            options += [(f"{_SORTS.get(one, one)} ({n:,})", one) for one, n in sorted(room.sorts.items())]
            options = [(visible(name), value) for name, value in options]
            if tuple(options) != tuple(self.sort.options):
                self.sort.options = options
                self.sort.value = sort if sort in dict(options).values() else EVERYTHING
        finally:
            self._is_changing = False

    def _chosen(self) -> None:
        with self._lock:
            if not self._is_changing:
                self._number = 0
                self._draw()

    def _turn(self, pages: int) -> None:
        with self._lock:
            self._number = max(0, self._number + pages)
            self._draw()

    def _draw(self) -> None:
        if self._room is None:
            return
        wanted = Wanted(
            sort=self.sort.value, words=self.words.value, order=self.order.value, page=self._number
        )
        self._page = self._room.page(wanted)
        last = max(0, (self._page.found - 1) // PAGE_ITEMS)
        self._number = min(self._number, last)
        self._count.value = f'<span role="status">{self.counted}</span>'
        self._before.disabled = self._number == 0
        self._after.disabled = self._number >= last
        self._lay_out(self._page.items)

    def _lay_out(self, items: tuple[Item, ...]) -> None:
        pictures = Pictures(self._store)
        while len(self._cards) < len(items):
            self._cards.append(_Card(self._opened, self._layout, self._style))
        for card, item in zip(self._cards, items, strict=False):
            card.show(item, pictures)
        boxes = tuple(card.box for card in self._cards[: len(items)])
        if boxes != self._grid.children:
            self._grid.children = boxes


class _Card:
    """A square with its caption; the whole of it is a button."""

    def __init__(
        self, opened: Callable[[Item], None], layout: widgets.Layout, style: widgets.ButtonStyle
    ) -> None:
        self._item: Item = {}
        self._square = widgets.HTML(layout=layout)
        self._button = widgets.Button(layout=layout, style=style)
        self._button.on_click(lambda _button: opened(self._item))
        self.box = widgets.VBox([self._square, self._button], layout=layout)
        self.box.add_class("vfdir-card")

    def show(self, item: Item, pictures: Pictures) -> None:
        self._item = item
        self._square.value = square(item, pictures)
        self._button.description = caption(item)
        self._button.tooltip = f"Open {caption(item)}"
        for name, is_so in (("gone", item["is_gone"]), ("mine", item["is_mine"])):
            (self.box.add_class if is_so else self.box.remove_class)(name)
