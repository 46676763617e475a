"""The sync panel: what is known, what is happening, what waits for the person.

Owns: how a desk looks as widgets, and which click is which method of it.
Guarantees: everything remote is text: titles, labels, values and reasons are escaped, and no HTML but our own
is ever inserted. Every state has a word, not only a colour. A panel can be reached by keyboard. A saved
notebook shows the last state as text, and says to run the cell again.
Leaves to others: what happens (`desk`).
Checked by: `tests/notebook/test_panel.py`, and in a browser by `tests/browser`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

import ipywidgets as widgets
from IPython.display import display

from vfdir_lab.archive import Archive
from vfdir_lab.notebook.sync.desk import SyncDesk, desk_of
from vfdir_lab.notebook.sync.state import ChannelRow, ConflictRow, PanelState, WishRow
from vfdir_lab.notebook.table import html_text, visible

GLYPHS = {"committed": "○", "sent": "→", "unknown": "?", "accepted": "✓", "rejected": "✕"}
WORDS = {
    "committed": "ready",
    "sent": "sent",
    "unknown": "no answer came; it is looked for before it is sent again",
    "accepted": "accepted; not read back yet",
    "rejected": "refused",
}
_TONES = {"rejected": "err", "unknown": "wait"}
_STALE = "This is a picture of an earlier session: run the cell again to have the panel."
_CSS, _PICTURE_CSS = (
    (files("vfdir_lab.notebook.sync") / name).read_text("utf-8") for name in ("panel.css", "picture.css")
)


class SyncPanel(widgets.VBox):  # type: ignore[misc]  # ipywidgets publishes no types
    """Drives are.na for one archive. Closing the cell's output stops nothing: the desk goes on."""

    def __init__(self, archive: Archive) -> None:
        self._desk: SyncDesk = desk_of(archive)
        self._name = archive.path.name
        self._head = _html("grow")
        self._account = _html("quiet num")
        self._buttons = self._make_buttons()
        self._channels = widgets.VBox()
        self._rows: dict[str, _ChannelLine] = {}
        self._outbox = widgets.VBox()
        self._conflicts = widgets.VBox()
        self._said = _html("grow")
        name = widgets.Text(placeholder="add a channel: slug or address", layout={"flex": "1 1 auto"})
        name.description_allow_html = False
        self._add = name
        add = _button("Add", self._add_channel)
        super().__init__(
            [
                widgets.HTML(f"<style>{_CSS}</style>"),
                _html("vfdir-stale", _STALE),
                _row(self._head, self._account),
                _row(*self._buttons.values()),
                self._channels,
                _row(name, add),
                self._outbox,
                self._conflicts,
                _row(self._said),
            ]
        )
        self.add_class("vfdir-panel")
        self._drawn: tuple[Any, ...] = ()
        self._desk.listen(self.show)
        self.show(self._desk.state)

    def _make_buttons(self) -> dict[str, widgets.Button]:
        desk = self._desk
        clicks: dict[str, Callable[[], None]] = {
            "Sync": desk.sync,
            "Pull": desk.pull,
            "Push": desk.push,
            "Pause": desk.pause,
            "Cancel": desk.cancel,
        }
        buttons = {name: _button(name, click) for name, click in clicks.items()}
        buttons["Sync"].add_class("vfdir-do")
        return buttons

    def _add_channel(self) -> None:
        wanted, self._add.value = self._add.value, ""
        self._desk.add(wanted)

    def show(self, state: PanelState) -> None:
        """Draw a state; what did not change is left alone, so that a focus stays where it is."""
        self._show_head(state)
        self._show_channels(state)
        drawn = (state.wishes, state.conflicts, self._desk.worker.is_busy)
        if drawn != self._drawn:
            self._drawn = drawn
            self._outbox.children = self._outbox_rows(state.wishes)
            self._conflicts.children = tuple(map(self._conflict_row, state.conflicts))
        lines = "".join(f"<li>{html_text(line)}</li>" for line in reversed(state.said))
        # It can be scrolled by keyboard, too: hence the tabindex.
        self._said.value = (
            f'<div class="said" role="log" aria-label="what happened" tabindex="0"><ul>{lines}</ul></div>'
        )

    def _show_head(self, state: PanelState) -> None:
        worker = self._desk.worker
        doing = self._doing(state)
        self._head.value = (
            f'<b>{html_text(self._name)}</b> <span class="quiet num">{_counted(state)}</span>'
            f' <span role="status" class="wait">{html_text(doing)}</span>'
        )
        self._account.value = html_text(state.account)
        ready = sum(one.is_ours and one.state != "rejected" for one in state.wishes)
        for name in ("Sync", "Pull", "Push"):
            self._buttons[name].disabled = worker.is_busy
        self._buttons["Push"].description = f"Push {ready}" if ready else "Push"
        self._buttons["Pause"].description = "Go on" if worker.is_paused else "Pause"
        for name in ("Pause", "Cancel"):
            self._buttons[name].disabled = not worker.is_busy or worker.is_stopping

    def _doing(self, state: PanelState) -> str:
        """What is happening, in words."""
        worker, doing = self._desk.worker, state.doing
        if worker.is_stopping:
            return "cancelling: the request under way is waited for"
        if worker.is_paused:
            return "paused" if worker.is_resting else "pausing: the request under way is waited for"
        if not doing.name:
            return ""
        far = f" {doing.items} of {doing.total}" if doing.total else ""
        return ": ".join(
            part for part in (doing.name, f"{doing.channel}{far}".strip(), doing.waiting) if part
        )

    def _show_channels(self, state: PanelState) -> None:
        if [one.object_id for one in state.channels] != list(self._rows):
            self._rows = {one.object_id: _ChannelLine(one, self._desk) for one in state.channels}
            self._channels.children = tuple(line.box for line in self._rows.values())
        for one in state.channels:
            self._rows[one.object_id].show(one, state)

    def _outbox_rows(self, wishes: Sequence[WishRow]) -> tuple[widgets.Widget, ...]:
        if not wishes:
            return ()
        return (_row(_html("grow", "<h3>Outbox</h3>")), *(self._wish_row(one) for one in wishes))

    def _wish_row(self, wish: WishRow) -> widgets.Widget:
        tone = _TONES.get(wish.state, "quiet")
        whose = "" if wish.is_ours else ", on another device"
        why = f": {wish.why}" if wish.why else ""
        tries = f", try {wish.attempts}" if wish.attempts > 1 else ""
        glyph = f'<span class="glyph" aria-hidden="true">{GLYPHS.get(wish.state, "·")}</span>'
        said = WORDS.get(wish.state, wish.state) + whose + why + tries
        label = _html("grow", f'{glyph}{html_text(wish.label)} <span class="{tone}">{html_text(said)}</span>')
        buttons: list[widgets.Widget] = []
        if wish.is_ours and wish.state == "rejected":
            buttons.append(self._decision("Retry", wish.label, lambda: self._desk.retry(wish.tx)))
        if wish.is_ours and wish.state != "accepted":
            buttons.append(self._decision("Cancel", wish.label, lambda: self._desk.withdraw(wish.tx)))
        return _row(label, *buttons)

    def _decision(self, word: str, about: str, click: Callable[[], None]) -> widgets.Button:
        button = _button(word, click, tooltip=f"{word}: {visible(about)}")
        button.disabled = self._desk.worker.is_busy
        return button

    def _conflict_row(self, conflict: ConflictRow) -> widgets.Widget:
        values = (("mine, waiting", conflict.mine), ("theirs", conflict.theirs), ("before", conflict.base))
        shown = "<br>".join(f'<span class="chip">{word}</span> {_value(value)}' for word, value in values)
        about = f"{conflict.field} of {conflict.object_id}"
        return _row(
            _html("grow", f"<h3>Conflict: {html_text(about)}</h3>{shown}"),
            self._decision("Keep mine", about, lambda: self._desk.keep_mine(conflict)),
            self._decision("Take theirs", about, lambda: self._desk.take_theirs(conflict)),
        )

    def _ipython_display_(self) -> None:
        """Two outputs: the last state as text, which a live panel hides, and the live panel."""
        for bundle in self.outputs():
            display(bundle, raw=True)  # type: ignore[no-untyped-call]

    def outputs(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """A picture of the state now, for when no kernel is behind the panel any more; and the live panel.

        In one output JupyterLab would choose the panel, and say "model not found" where there is none.
        """
        lines = as_text(self._desk.state, self._name)
        text = "\n".join(map(html_text, lines))
        picture = (
            f'<style>{_PICTURE_CSS}</style><div class="vfdir-picture"><pre>{text}</pre><p>{_STALE}</p></div>'
        )
        live: dict[str, Any] = self._repr_mimebundle_() or {}
        return {"text/plain": "\n".join(lines), "text/html": picture}, {**live, "text/plain": _STALE}


class _ChannelLine:
    """One channel: chosen or not, how much is in it, what changed, when it was seen."""

    def __init__(self, channel: ChannelRow, desk: SyncDesk) -> None:
        # No checkbox: JupyterLab takes its description for TeX, and only a description labels it.
        self.chosen = widgets.ToggleButton(
            value=channel.object_id in desk.chosen,
            tooltip="read by the next pull, or not",
            layout={"width": "34%"},
        )
        self._title = visible(channel.title)
        self.chosen.observe(
            lambda change: self._choose(channel.object_id, desk, is_chosen=change["new"]), "value"
        )
        self._facts = _html("grow")
        self._seen = _html("quiet num")
        self.box = _row(self.chosen, self._facts, self._seen)

    def _choose(self, channel: str, desk: SyncDesk, *, is_chosen: bool) -> None:
        desk.choose(channel, is_chosen=is_chosen)
        self._label()

    def _label(self) -> None:
        self.chosen.description = f"{'☑' if self.chosen.value else '☐'} {self._title}"

    def show(self, channel: ChannelRow, state: PanelState) -> None:
        """Draw what is known of the channel now."""
        self._title = visible(channel.title)
        self._label()
        tone = channel.visibility if channel.visibility in {"public", "private"} else "closed"
        items = "" if channel.length is None else f"{channel.length:,} items"
        changes = state.changes.get(channel.object_id, "")
        self._facts.value = (
            f'<span class="dot {tone}" aria-hidden="true"></span><span class="quiet">{tone}</span> '
            f'<span class="num">{items}</span> <span class="quiet">{html_text(changes)}</span>'
        )
        self._seen.value = self._progress(channel, state) or html_text(ago(channel.seen_at))

    def _progress(self, channel: ChannelRow, state: PanelState) -> str:
        doing = state.doing
        if doing.channel != channel.title or not doing.total:
            return ""
        share = min(100, round(100 * doing.items / doing.total))
        label = f"{doing.items} of {doing.total} items read"
        return (
            f'<span class="track" role="progressbar" aria-valuenow="{share}" aria-valuemin="0" '
            f'aria-valuemax="100" aria-label="{label}"><i style="width:{share}%"></i></span>{label}'
        )


def as_text(state: PanelState, name: str) -> list[str]:
    """A state as lines of text."""
    lines = [f"{visible(name)}: {_counted(state)}"]
    lines += [f"  {visible(one.title)}: {one.length} items, {ago(one.seen_at)}" for one in state.channels]
    lines += [f"  outbox: {visible(one.label)}: {WORDS.get(one.state, one.state)}" for one in state.wishes]
    return lines + [
        f"  conflict: {visible(one.field)} of {visible(one.object_id)}" for one in state.conflicts
    ]


def ago(when: datetime | None) -> str:
    """How long ago something was, in words."""
    if when is None:
        return "never seen"
    seconds = max(0, round((datetime.now(UTC) - when).total_seconds()))
    for size, word in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size:
            count = seconds // size
            return f"seen {count} {word}{'s' if count > 1 else ''} ago"
    return "seen now"


def _counted(state: PanelState) -> str:
    channels, blocks = len(state.channels), state.blocks
    return f"{channels} channel{'s' * (channels != 1)}, {blocks:,} block{'s' * (blocks != 1)}"


def _value(value: str | None) -> str:
    return '<span class="quiet">nothing</span>' if value is None else html_text(value)


def _html(classes: str, value: str = "") -> widgets.HTML:
    made = widgets.HTML(value)
    for one in classes.split():
        made.add_class(one)
    return made


def _row(*children: widgets.Widget) -> widgets.HBox:
    row = widgets.HBox(children)
    row.add_class("vfdir-row")
    return row


def _button(name: str, click: Callable[[], None], *, tooltip: str = "") -> widgets.Button:
    button = widgets.Button(description=name, tooltip=tooltip or name)
    button.on_click(lambda _button: click())
    return button
