"""Looking at an archive in a notebook: a channel as a gallery, through time, among others; and the lenses.

`room` holds what is in a channel from one standpoint, `shelf` shows it as squares page by page, `opened` one
item of it. `gallery`, `time_machine`, `graph` and `lens_board` are what a person gets. They keep nothing that
matters, and nothing is asked of the web: pictures are the copies the archive has.
"""

from __future__ import annotations

from vfdir_lab.notebook.look.gallery import Gallery
from vfdir_lab.notebook.look.graph import Graph
from vfdir_lab.notebook.look.lens_board import LensBoard
from vfdir_lab.notebook.look.time_machine import TimeMachine

__all__ = ["Gallery", "Graph", "LensBoard", "TimeMachine"]
