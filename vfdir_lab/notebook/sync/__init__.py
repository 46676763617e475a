"""What drives are.na from a notebook: one worker thread for an archive, and panels that show what it does.

`work` is the thread with its pause and stop, `desk` what a person can do and what is known just now, `panel`
how that looks. The state of everything is what the log says; a panel keeps nothing that matters.
"""

from __future__ import annotations

from vfdir_lab.notebook.sync.desk import SyncDesk, desk_of
from vfdir_lab.notebook.sync.panel import SyncPanel

__all__ = ["SyncDesk", "SyncPanel", "desk_of"]
