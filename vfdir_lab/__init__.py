"""vfdir_lab: a local archive of are.na channels, built on facts that never change.

`Archive` is what a notebook holds. Everything else here is what it returns, or raises.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vfdir_lab.archive import Archive, Status
    from vfdir_lab.errors import VfdirError
    from vfdir_lab.event import Event
    from vfdir_lab.export import Snapshot
    from vfdir_lab.log import Head, VerifyReport
    from vfdir_lab.projection import View
    from vfdir_lab.sync import PullProgress, PullReport

__version__ = "0.1.0"

__all__ = [
    "Archive",
    "Event",
    "Head",
    "PullProgress",
    "PullReport",
    "Snapshot",
    "Status",
    "VerifyReport",
    "VfdirError",
    "View",
    "__version__",
]

_HOMES = {
    "Archive": "archive",
    "Event": "event",
    "Head": "log",
    "PullProgress": "sync",
    "PullReport": "sync",
    "Snapshot": "export",
    "Status": "archive",
    "VerifyReport": "log",
    "VfdirError": "errors",
    "View": "projection",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that `import vfdir_lab` costs next to nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module 'vfdir_lab' has no attribute {name!r}")
    value = getattr(import_module(f"vfdir_lab.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)


def load_ipython_extension(shell: Any) -> None:
    """Called by `%load_ext vfdir_lab`: magics, completion and displays; see `vfdir_lab.notebook`."""
    import_module("vfdir_lab.notebook").load(shell)
