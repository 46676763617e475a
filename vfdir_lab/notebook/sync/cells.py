"""After each cell of a notebook: what it recorded is shown at once, without a click.

Guarantees: outside of IPython nothing happens; what is to be called is not kept alive by it.
Checked by: `tests/notebook/test_cells.py`, and in a browser by `tests/browser`.
"""

from __future__ import annotations

from collections.abc import Callable
from weakref import WeakMethod

from IPython.core.getipython import get_ipython


def after_each_cell(call: Callable[[], None]) -> None:
    """Call a bound method whenever a cell of this shell has run, as long as its object lives."""
    shell = get_ipython()
    if shell is None:
        return
    alive, events = WeakMethod(call), shell.events

    def ran(_result: object = None) -> None:
        method = alive()
        if method is None:
            events.unregister("post_run_cell", ran)
        else:
            method()

    events.register("post_run_cell", ran)
