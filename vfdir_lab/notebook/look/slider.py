"""A slider through named places, by keyboard, hand and screen reader.

Owns: `Slider` and its front end, `slider.js`, which comes out of this package and asks nothing of the web.
Guarantees: the control has a name and a spoken value, which that of ipywidgets has not. Places are text.
`value` changes once where a hand lets go, not on the way.
Checked by: `tests/notebook/test_slider.py`, and in a browser by `tests/browser/test_look.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from typing import Any

import anywidget
import traitlets

from vfdir_lab.notebook.table import visible

_SCRIPT = (files("vfdir_lab.notebook.look") / "slider.js").read_text("utf-8")


class Slider(anywidget.AnyWidget):
    """Named values in a row. `index` is the place it is at, `value` what is there."""

    _esm = _SCRIPT
    label = traitlets.Unicode().tag(sync=True)
    places = traitlets.List(traitlets.Unicode()).tag(sync=True)
    index = traitlets.Int(0).tag(sync=True)
    value = traitlets.Any()

    def __init__(self, label: str, options: Sequence[tuple[str, Any]]) -> None:
        self._values: tuple[Any, ...] = ()
        super().__init__(label=label)
        self.offer(options, options[0][1])

    @property
    def options(self) -> tuple[tuple[str, Any], ...]:
        """The names of the places, with what is there."""
        return tuple(zip(self.places, self._values, strict=True))

    def offer(self, options: Sequence[tuple[str, Any]], value: Any) -> None:
        """Other places; it is at that of `value`, which is one of them."""
        self._values = tuple(one for _, one in options)
        with self.hold_sync():
            self.places = [visible(name) for name, _ in options]
            self.index = self._values.index(value)
        self.value = value

    @traitlets.validate("index")
    def _within(self, proposal: dict[str, Any]) -> int:
        """What a browser sends is no promise."""
        return max(0, min(int(proposal["value"]), len(self._values) - 1))

    @traitlets.observe("index")
    def _moved(self, _change: dict[str, Any]) -> None:
        self.value = self._values[self.index]
