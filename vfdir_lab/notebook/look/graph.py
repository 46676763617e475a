"""The graph: a channel among those it shares items with, as a network; any of them moves to the middle.

Owns: which channel is in the middle, from which view.
Guarantees: everything is read by a handle of its own, one question at a time; what goes wrong is a line, and
what was shown stays. All that the drawing shows can be reached by keyboard beside it. Remote text is text.
Leaves to others: what is near (`network`), the drawing (`drawing`), one item (`opened`).
Checked by: `tests/notebook/test_graph.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from threading import RLock

import ipywidgets as widgets

from vfdir_lab.archive import Archive
from vfdir_lab.arena import SYSTEM_TIME
from vfdir_lab.export.wording import counted
from vfdir_lab.log import Moment
from vfdir_lab.notebook.look.drawing import drawn, said
from vfdir_lab.notebook.look.gallery import channel_id
from vfdir_lab.notebook.look.network import Member, Network, Shared, network_of
from vfdir_lab.notebook.look.opened import Opened
from vfdir_lab.notebook.look.parts import Alert, Framed, button, choice, details, html, row
from vfdir_lab.notebook.look.room import room_of
from vfdir_lab.notebook.table import cut, html_text, visible

_TITLE_CHARACTERS = 60


class Graph(Framed):
    """A channel in the middle of its network.

    Raises:
        UnknownObjectError, UsageError: there is no such channel. HeadError, ProjectionError
    """

    def __init__(
        self,
        archive: Archive,
        channel: int | str,
        *,
        lens: str | None = None,
        as_of: Moment | None = None,
    ) -> None:
        self._archive = archive.reopened(time=SYSTEM_TIME)
        view = self._archive.lens(lens)
        self._view = view if as_of is None else view.as_of(as_of)
        self._lock = RLock()
        self._is_changing = False
        self._head, self._paper, self._query = (html("grow") for _ in range(3))
        self._said = Alert()
        self._doors = row()
        self._doors.add_class("wrap")
        self.shared = choice("Open what is shared", [], self._chosen)
        self._opened = Opened(self._archive, self._go)
        super().__init__(
            [
                row(self._head, button("Look again", lambda: self._go(self.channel))),
                self._said,
                row(self._paper),
                self._doors,
                row(self.shared),
                self._opened,
                row(self._query),
            ]
        )
        self.channel = channel_id(self._archive, channel)
        self.network = self._show(self.channel)

    def look(self, channel: int | str) -> None:
        """Put another channel in the middle. Raises: as the class."""
        with self._lock:
            self._show(channel_id(self._archive, channel))

    def lines(self) -> list[str]:
        """The network as lines of text: the channel, then each other with what is in common."""
        first, *others = self.network.channels
        return [f"{visible(first.title)}: {said(self.network)}", *(f"  {_told(one)}" for one in others)]

    def picture(self) -> str:
        """The drawing, for where no kernel is behind it any more."""
        return str(self._paper.value)

    def _show(self, channel: str) -> Network:
        network = network_of(self._view, channel)
        paper = drawn(network)
        self.channel, self.network = channel, network
        first, *others = network.channels
        found = f"<span class='quiet num'>{html_text(said(network))}</span>"
        self._head.value = f"<h2 dir='auto'>{html_text(first.title)}</h2> {found}"
        self._paper.value = paper
        self._query.value = details("The SQL it stands on", network.query)
        self._doors.children = [self._door(one) for one in others]
        self._offer(network.items)
        self._opened.close_item()
        return network

    def _door(self, member: Member) -> widgets.Button:
        go = partial(self._go, member.channel)
        return button(_told(member), go, tooltip=f"Put {member.title} in the middle")

    def _offer(self, items: tuple[Shared, ...]) -> None:
        self._is_changing = True
        try:
            named = [(visible(_named(one)), one.item) for one in items]
            self.shared.options = [("nothing", ""), *named]
            self.shared.value = ""
            self.shared.disabled = not items
        finally:
            self._is_changing = False

    def _chosen(self) -> None:
        if not self._is_changing:
            self._guarded(lambda: self._open(self.shared.value))

    def _open(self, item: str) -> None:
        if not item:
            self._opened.close_item()
            return
        holder = next(one.channels[0] for one in self.network.items if one.item == item)
        rows = room_of(self._view, holder).items.to_pylist()
        self._opened.show(next(one for one in rows if one["item"] == item), self._view)

    def _go(self, channel: str | None) -> None:
        self._guarded(lambda: self._show(channel or self.channel))

    def _guarded(self, work: Callable[[], object]) -> None:
        """A click has nobody to raise to: what went wrong is said."""
        with self._lock, self._said.guarding():
            work()


def _told(member: Member) -> str:
    """A near channel in words; what shares nothing is near because one of the two is in the other."""
    common = f"{counted(member.shared, 'item')} in common" if member.shared else "one is in the other"
    return f"{cut(member.title, _TITLE_CHARACTERS)}, {common}"


def _named(item: Shared) -> str:
    called = cut(item.title, _TITLE_CHARACTERS) if item.title else item.sort or "not seen yet"
    return f"{called} ({item.item}), in {len(item.channels)}"
