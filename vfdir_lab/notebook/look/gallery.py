"""The gallery: a channel as squares, in are.na's order; one of them opened; and the way into other channels.

Owns: which channel is looked at, from which view.
Guarantees: everything is read by a handle of its own, one question at a time, whichever thread a click comes
in; what goes wrong is a line, and what was shown stays. Remote text is text.
Leaves to others: what is in a channel (`room`), squares (`shelf`), one item (`opened`).
Checked by: `tests/notebook/test_gallery.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import RLock

from vfdir_lab.archive import Archive
from vfdir_lab.arena import SYSTEM_TIME
from vfdir_lab.export.wording import counted
from vfdir_lab.log import Moment
from vfdir_lab.media import MediaStore
from vfdir_lab.notebook.look.opened import Opened
from vfdir_lab.notebook.look.parts import Alert, Framed, button, html, row
from vfdir_lab.notebook.look.room import Item, Room, room_of
from vfdir_lab.notebook.look.shelf import Shelf
from vfdir_lab.notebook.look.squares import caption
from vfdir_lab.notebook.table import html_text, visible
from vfdir_lab.sync.names import channel_name


class Gallery(Framed):
    """A channel to look at; with None, all the channels there are, each a way in.

    Raises:
        UnknownObjectError, UsageError: there is no such channel. HeadError, ProjectionError
    """

    def __init__(
        self,
        archive: Archive,
        channel: int | str | None = None,
        *,
        lens: str | None = None,
        as_of: Moment | None = None,
    ) -> None:
        self._archive = archive.reopened(time=SYSTEM_TIME)
        view = self._archive.lens(lens)
        self._view = view if as_of is None else view.as_of(as_of)
        self._lock = RLock()
        self._title = ""
        self._head = html("grow")
        self._said = Alert()
        self._all = button("All channels", lambda: self._go(None))
        self._again = button("Look again", lambda: self._go(self.channel))
        self._opened = Opened(self._archive, self._go)
        self.shelf = Shelf(MediaStore(archive.path), self._open)
        super().__init__([row(self._head, self._all, self._again), self._said, self._opened, self.shelf])
        self.channel: str | None = None if channel is None else channel_id(self._archive, channel)
        self._show(self.channel)

    def look(self, channel: int | str | None) -> None:
        """Go to another channel, or with None, to all. Raises: as the class."""
        with self._lock:
            self._show(None if channel is None else channel_id(self._archive, channel))

    def lines(self) -> list[str]:
        """What is shown, as lines of text."""
        shown = [f"  {caption(item)}" for item in self.shelf.page.items]
        return [f"{visible(self._title)}: {self.shelf.counted}", *shown]

    def _show(self, channel: str | None) -> None:
        room = room_of(self._view, channel)
        self.channel = channel
        self._title = "All channels" if channel is None else title_of(self._archive, channel)
        self._opened.close_item()
        self._all.disabled = channel is None
        self._head.value = f"<h2 dir='auto'>{html_text(self._title)}</h2> {self._counts(room)}"
        self.shelf.show(room)

    def _counts(self, room: Room) -> str:
        when = "now" if self._view.head is None else f"at head {self._view.head}"
        said = f"{counted(len(room), 'item')}, {when}, through the lens {self._view.name}"
        return f'<span class="quiet num">{html_text(said)}</span>'

    def _go(self, channel: str | None) -> None:
        self._guarded(lambda: self._show(channel))

    def _open(self, item: Item) -> None:
        self._guarded(lambda: self._opened.show(item, self._view))

    def _guarded(self, work: Callable[[], None]) -> None:
        """A click has nobody to raise to: what went wrong is said."""
        with self._lock, self._said.guarding():
            work()


def channel_id(archive: Archive, channel: int | str) -> str:
    """The id of the channel of this slug, number, id or address.

    Raises:
        UnknownObjectError, UsageError: there is none.
    """
    text = str(channel)
    name = text if text.startswith("channel:") else channel_name(text)
    return archive.objects.channel(name).object_id


def title_of(archive: Archive, channel: str) -> str:
    """What a channel is called now, or was when it was last there."""
    return archive.objects.channel(channel).title or "untitled channel"
