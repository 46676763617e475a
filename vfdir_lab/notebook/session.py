"""What one shell has open: the archive, the lens its cells read through, and a display made in advance."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from vfdir_lab.archive import Archive
from vfdir_lab.errors import UsageError
from vfdir_lab.notebook.table import Bundle

if TYPE_CHECKING:
    import duckdb
    from IPython.core.interactiveshell import InteractiveShell

    from vfdir_lab.projection import View

VARIABLE = "archive"


class Session:
    """The state behind the magics of one shell; no other reader is touched by it."""

    def __init__(self, shell: InteractiveShell) -> None:
        self.shell = shell
        self._opened: Archive | None = None
        self._lens: str | None = None
        self._prepared: tuple[duckdb.DuckDBPyRelation, Bundle] | None = None
        self._noted: set[str] = set()

    @property
    def archive(self) -> Archive:
        """The archive that was opened, else the one the user's variable `archive` holds.

        Raises:
            UsageError: neither is there.
        """
        if self._opened is not None:
            return self._opened
        found = self.shell.user_ns.get(VARIABLE)
        if isinstance(found, Archive):
            return found
        raise UsageError(f"no archive is open: `%vfdir open PATH`, or `{VARIABLE} = vf.Archive(PATH)`")

    def open(self, path: str | Path) -> Archive:
        """Open an archive for this session; its lens is the archive's own again."""
        self._opened = Archive(path)
        self._lens = None
        return self._opened

    @property
    def lens(self) -> str:
        """The lens that cells are read through."""
        return self._lens or self.archive.projections.lenses.default

    def choose(self, lens: str) -> None:
        """Read later cells through this lens.

        Raises:
            UsageError: there is none of that name. ProjectionError: it does not run.
        """
        self.archive.projections.lenses.lens(lens)
        self._lens = lens

    def view(self, lens: str | None = None) -> View:
        """The archive through a lens, by default the session's."""
        return self.archive.lens(lens or self.lens)

    def is_news(self, note: str) -> bool:
        """Whether this note was not yet given in this session."""
        if note in self._noted:
            return False
        self._noted.add(note)
        return True

    def prepare(self, relation: duckdb.DuckDBPyRelation, bundle: Bundle) -> None:
        """Keep the display of a relation that is about to be shown, so that it runs once."""
        self._prepared = (relation, bundle)

    def prepared(self, relation: duckdb.DuckDBPyRelation) -> Bundle | None:
        """The display that was kept for this very relation, given once."""
        kept, self._prepared = self._prepared, None
        return kept[1] if kept is not None and kept[0] is relation else None
