"""Looking into widgets as a person would: all of them, their own HTML, their buttons."""

from __future__ import annotations

import ipywidgets as widgets


def every(widget: widgets.Widget) -> list[widgets.Widget]:
    """A widget and all that is in it."""
    found = [widget]
    for child in getattr(widget, "children", ()):
        found += every(child)
    return found


def markup(widget: widgets.Widget) -> str:
    """The HTML of ours that is shown in a widget."""
    return "\n".join(one.value for one in every(widget) if isinstance(one, widgets.HTML))


def buttons(widget: widgets.Widget) -> dict[str, widgets.Button]:
    """The buttons in a widget, by their tooltips."""
    return {one.tooltip: one for one in every(widget) if isinstance(one, widgets.Button)}
