"""The small parts that everything to look at is made of, in the manner of the sync panel.

Owns: the style (that of the sync panel, and `look.css`), labelled controls, and what a saved notebook shows.
Guarantees: no control without a label; no description is taken for HTML; texts given as such are escaped.
Leaves to others: what is shown.
Checked by: the tests of who uses them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from html import escape
from importlib.resources import files
from typing import Any

import ipywidgets as widgets

from vfdir_lab.errors import VfdirError
from vfdir_lab.notebook.table import html_text, visible

_CSS = "\n".join(
    (files(f"vfdir_lab.notebook.{part}") / name).read_text("utf-8")
    for part, name in (("sync", "panel.css"), ("look", "look.css"))
)
_STALE = "<p>This is a picture of an earlier session: run the cell again to use it.</p>"


class Framed(widgets.VBox):  # type: ignore[misc]  # ipywidgets publishes no types
    """A box in the panel's frame, which is shown as text where no kernel is behind it any more."""

    def __init__(self, children: Iterable[widgets.Widget]) -> None:
        super().__init__([widgets.HTML(f"<style>{_CSS}</style>"), *children])
        self.add_class("vfdir-panel")
        self.add_class("vfdir-look")

    def lines(self) -> list[str]:
        """What is shown, as lines of text in which nothing is hidden."""
        raise NotImplementedError

    def picture(self) -> str:
        """Our own HTML that shows it without a kernel, if there is such a thing."""
        return ""

    def _repr_mimebundle_(self, **_options: Any) -> dict[str, Any]:
        bundle: dict[str, Any] = super()._repr_mimebundle_(**_options) or {}
        text = "\n".join(self.lines())
        kept = f"{_standing_alone(self.picture())}<pre>{escape(text)}</pre>{_STALE}"
        return {**bundle, "text/plain": text, "text/html": kept}


class Alert(widgets.HTML):  # type: ignore[misc]  # ipywidgets publishes no types
    """A line that says what went wrong last, and is empty where nothing did."""

    def __init__(self) -> None:
        super().__init__()
        self.add_class("grow")

    @contextmanager
    def guarding(self) -> Iterator[None]:
        """What a click does: it has nobody to raise to, so what goes wrong is said."""
        try:
            yield
        except VfdirError as error:
            self.tell(error)
        else:
            self.value = ""

    def tell(self, error: VfdirError) -> None:
        """Say what went wrong."""
        self.value = f'<p role="alert" class="err">{html_text(str(error))}</p>'


def _standing_alone(picture: str) -> str:
    if not picture:
        return ""
    return f'<style>{_CSS}</style><div class="vfdir-panel vfdir-look">{picture}</div>'


def html(classes: str = "", value: str = "") -> widgets.HTML:
    """Our own HTML."""
    made = widgets.HTML(value)
    for one in classes.split():
        made.add_class(one)
    return made


def row(*children: widgets.Widget) -> widgets.HBox:
    """Parts side by side, with a line beneath."""
    made = widgets.HBox(children)
    made.add_class("vfdir-row")
    return made


def button(name: str, click: Callable[[], None], *, tooltip: str = "") -> widgets.Button:
    """A button; its words are text, whatever they are."""
    made = widgets.Button(description=visible(name), tooltip=visible(tooltip or name))
    made.on_click(lambda _button: click())
    return made


def choice(label: str, options: Sequence[tuple[str, Any]], changed: Callable[[], None]) -> widgets.Dropdown:
    """A choice of one, with its label; `changed` is called when a person (or a program) chose another."""
    made = widgets.Dropdown(
        description=label,
        options=[(visible(name), value) for name, value in options],
        description_allow_html=False,
        style={"description_width": "initial"},
        layout={"width": "auto"},
    )
    made.observe(lambda _change: changed(), "value")
    return made


def details(title: str, text: str) -> str:
    """A text that is there to be unfolded, line by line as it is."""
    shown = "\n".join(map(html_text, text.splitlines()))
    return f"<details><summary>{html_text(title)}</summary><pre>{shown}</pre></details>"
