"""The time machine: a channel at the moments at which something came up about it, and what differs from now.

Owns: the slider, the axis, and the comparison with now.
Guarantees: what a step shows is what `archive.as_of` answers at its moment. Slow answers never pile up: they
are read in one thread, by a handle of its own, and only the newest step is shown. What goes wrong is a line.
Leaves to others: which moments there are (`moments`), squares (`shelf`), the comparison (`room`).
Checked by: `tests/notebook/test_time_machine.py`.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from html import escape
from threading import Lock

import ipywidgets as widgets
import pyarrow as pa

from vfdir_lab.archive import Archive
from vfdir_lab.arena import SYSTEM_TIME
from vfdir_lab.errors import VfdirError
from vfdir_lab.export.wording import counted
from vfdir_lab.media import MediaStore
from vfdir_lab.notebook.look.gallery import channel_id, title_of
from vfdir_lab.notebook.look.moments import EFFECTIVE, KNEW, moments_of
from vfdir_lab.notebook.look.newest import Newest
from vfdir_lab.notebook.look.opened import Opened
from vfdir_lab.notebook.look.parts import Alert, Framed, button, html, row
from vfdir_lab.notebook.look.room import Changes, Item, Room, changes_between, room_of, sql
from vfdir_lab.notebook.look.shelf import Shelf
from vfdir_lab.notebook.look.slider import Slider
from vfdir_lab.notebook.look.squares import caption
from vfdir_lab.notebook.table import cut, html_text, visible
from vfdir_lab.projection import View

AXES = {KNEW: "as we knew it", EFFECTIVE: "as it was so"}
NAMES_SHOWN = 20
_WIDTH, _HEIGHT, _LEAST_HEIGHT, _BARS = 1000, 30, 4, 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A place of the slider: an axis, and a moment on it; None is now."""

    axis: str
    moment: datetime | None

    @property
    def words(self) -> str:
        """The moment, as it is said."""
        return "now" if self.moment is None else f"{self.moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


@dataclass(frozen=True, slots=True, kw_only=True)
class Now:
    """What is there now: the head and lens that mean it, the room, are.na's ids of what was born here."""

    means: str
    room: Room
    bound: pa.Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What there is at a step: the room, how it differs from now, and the view it was read from."""

    view: View
    moments: tuple[datetime, ...]
    room: Room
    items_now: int
    changes: Changes


class TimeMachine(Framed):
    """A channel through time. `moments` are the places of the slider before its last, which is now.

    Raises:
        UnknownObjectError, UsageError: there is no such channel. ProjectionError, LogError
    """

    def __init__(self, archive: Archive, channel: int | str) -> None:
        self._archive = archive.reopened(time=SYSTEM_TIME)
        self.channel = channel_id(self._archive, channel)
        self._title = title_of(self._archive, self.channel)
        self._known: dict[str, tuple[datetime, ...]] = {}
        self._now: Now | None = None
        self._seen: Seen | None = None
        self._step = Step(axis=KNEW, moment=None)
        self._is_changing = False
        self._reading = Lock()
        self._newest: Newest[Step, Seen | VfdirError] = Newest(self._read_safely, self._show)
        self._head, self._said, self._bars = html("grow"), Alert(), html("grow")
        self._changed = html("grow")
        self._opened = Opened(self._archive)
        self.shelf = Shelf(MediaStore(archive.path), self._open)
        self.axis, self.slider = _axis(), Slider("Moment", [(self._step.words, self._step)])
        before = button("Moment before", partial(self._go, -1))
        after = button("Next moment", partial(self._go, 1))
        parts = (row(self._bars), row(self.slider, before, after), row(self._changed))
        super().__init__([row(self._head, self.axis), *parts, self._said, self._opened, self.shelf])
        self._show(self._step, self._read(self._step))
        self.axis.observe(lambda change: self._ask(Step(axis=change["new"], moment=None)), "value")
        self.slider.observe(lambda change: self._ask(change["new"]), "value")

    @property
    def moments(self) -> tuple[datetime, ...]:
        """The moments of the axis that is shown, oldest first; the slider ends with one more: now."""
        return () if self._seen is None else self._seen.moments

    def join(self, timeout_seconds: float | None = None) -> bool:
        """Wait until what was asked for is shown; whether that came to be."""
        return self._newest.join(timeout_seconds)

    def lines(self) -> list[str]:
        """What is shown, as lines of text."""
        said = f"{visible(self._title)}, {self._step.words}, {AXES[self._step.axis]}"
        if self._seen is None:
            return [said]
        shown = [f"  {caption(item)}" for item in self.shelf.page.items]
        return [said, summary(self._seen), self.shelf.counted, *shown]

    def _go(self, places: int) -> None:
        index = self.slider.index + places
        if 0 <= index < len(self.slider.options):
            self.slider.index = index

    def _ask(self, step: Step) -> None:
        if self._is_changing:
            return
        self._head.value = self._heading(step, "reading")
        self._newest.want(step)

    def _read_safely(self, step: Step) -> Seen | VfdirError:
        with self._reading:
            try:
                return self._read(step)
            except VfdirError as error:
                return error

    def _read(self, step: Step) -> Seen:
        newest = self._archive.as_of()
        now = self._room_now(newest)
        if step.axis not in self._known:
            along = newest if step.axis == KNEW else self._archive.as_of(datetime.now(UTC), axis=EFFECTIVE)
            self._known[step.axis] = moments_of(along, self.channel, step.axis)
        view = newest if step.moment is None else self._archive.as_of(step.moment, axis=step.axis)
        room = now.room if step.moment is None else room_of(view, self.channel)
        return Seen(
            view=view,
            moments=self._known[step.axis],
            room=room,
            items_now=len(now.room),
            changes=changes_between(room, now.room, now.bound),
        )

    def _room_now(self, newest: View) -> Now:
        """What is there now, read again only when something was recorded since."""
        means = f"{newest.head} {newest.fingerprint}"
        if self._now is None or self._now.means != means:
            bound = newest.sql(sql("bound")).to_arrow_table()
            self._now = Now(means=means, room=room_of(newest, self.channel), bound=bound)
            self._known.clear()
        return self._now

    def _show(self, step: Step, seen: Seen | VfdirError) -> None:
        if isinstance(seen, VfdirError):
            self._said.tell(seen)
            self._head.value = self._heading(self._step, "")
            return
        self._step, self._seen = step, seen
        self._said.value = ""
        self._head.value = self._heading(step, "")
        self._changed.value = f"<p>{html_text(summary(seen))}</p>{_told(seen.changes)}"
        self._opened.close_item()
        self.shelf.show(seen.room)
        self._bars.value = bars(seen.moments, step.moment)
        self._place(step, seen)

    def _place(self, step: Step, seen: Seen) -> None:
        """Put the slider where the step is, among the moments there are now; that asks for nothing."""
        steps = [Step(axis=step.axis, moment=one) for one in (*seen.moments, None)]
        self._is_changing = True
        try:
            self.slider.offer([(one.words, one) for one in steps], step if step in steps else steps[-1])
        finally:
            self._is_changing = False

    def _heading(self, step: Step, doing: str) -> str:
        said = f'<span class="quiet">{step.words}, {AXES[step.axis]}</span>'
        wait = f' <span role="status" class="wait">{doing}</span>' if doing else ""
        return f"<h2 dir='auto'>{html_text(self._title)}</h2> {said}{wait}"

    def _open(self, item: Item) -> None:
        if self._seen is None:
            return
        with self._said.guarding(), self._reading:
            self._opened.show(item, self._seen.view)


def summary(seen: Seen) -> str:
    """The counts of a step, in words, with the head it was read at."""
    changes = seen.changes
    parts = (
        (changes.added, "added since"),
        (changes.gone, "gone"),
        (changes.renamed, "renamed"),
        (changes.moved, "moved"),
    )
    differs = ", ".join(f"{len(found):,} {words}" for found, words in parts if found) or "no difference"
    return f"{counted(len(seen.room), 'item')} then, {seen.items_now:,} now: {differs}. Head {seen.view.head}"


def bars(moments: tuple[datetime, ...], chosen: datetime | None) -> str:
    """How many moments there are along the time, as a drawing; what it says the slider says, too."""
    if len(moments) < 2:
        return ""
    first = moments[0]
    whole = (moments[-1] - first).total_seconds() or 1.0

    def place(moment: datetime) -> int:
        return min(_BARS - 1, int(_BARS * (moment - first).total_seconds() / whole))

    counts = Counter(map(place, moments))
    most = max(counts.values())
    here = None if chosen is None else place(chosen)
    width = _WIDTH / _BARS
    drawn = "".join(
        f'<rect x="{nth * width:.1f}" y="{_HEIGHT - height:.1f}" width="{width - 1:.1f}" '
        f'height="{height:.1f}" opacity="{1 if nth == here else 0.4}"/>'
        for nth, count in sorted(counts.items())
        for height in [_LEAST_HEIGHT + (_HEIGHT - _LEAST_HEIGHT) * count / most]
    )
    return (
        f'<svg class="bars" viewBox="0 0 {_WIDTH} {_HEIGHT}" preserveAspectRatio="none" aria-hidden="true">'
        f'<g fill="currentColor">{drawn}</g></svg>'
    )


def _axis() -> widgets.RadioButtons:
    return widgets.RadioButtons(
        options=[(words, axis) for axis, words in AXES.items()],
        description="Show it",
        orientation="horizontal",
        style={"description_width": "initial"},
        layout={"width": "auto"},
    )


def _told(changes: Changes) -> str:
    """The names behind the counts, there to be unfolded."""
    parts = []
    for name in ("added", "gone", "renamed", "moved"):
        found: tuple[tuple[str, str], ...] = getattr(changes, name)
        if found:
            rows = "".join(
                f"<li dir='auto'>{escape(cut(label, 160))} <span class='quiet'>{html_text(item)}</span></li>"
                for item, label in found[:NAMES_SHOWN]
            )
            more = f"<li>and {len(found) - NAMES_SHOWN:,} more</li>" if len(found) > NAMES_SHOWN else ""
            parts.append(f"<h3>{name}</h3><ul>{rows}{more}</ul>")
    return f"<details><summary>What differs from now</summary>{''.join(parts)}</details>" if parts else ""
