"""The notebook side: what `%load_ext vfdir_lab` adds to IPython and Jupyter.

Owns the magics `%vfdir`, `%%vfdir` and `%%projection`, the completion in their cells, and how relations and
reports look. Nothing is added before `load`, and `import vfdir_lab` needs no IPython. Remote text is hostile
input: it is escaped wherever it is shown, and no HTML but our own is ever inserted. Checked in process by
`tests/notebook`, and as a person meets it by the notebooks themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vfdir_lab.notebook.completion import complete_in
from vfdir_lab.notebook.display import show_in
from vfdir_lab.notebook.magics import Magics
from vfdir_lab.notebook.session import Session

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["load"]


def load(shell: InteractiveShell) -> None:
    """Add magics, completion and displays to a shell. Loading again begins a new session."""
    session = Session(shell)
    magics = Magics(session)
    register = shell.magics_manager.register_function
    register(magics.vfdir, magic_kind="line_cell", magic_name="vfdir")
    register(magics.projection, magic_kind="cell", magic_name="projection")
    complete_in(shell, session)
    show_in(shell, session)
