"""The lens board: which version of each projection is in use where, what two of them answer, and Use.

Owns: which projection, versions and lens are chosen.
Guarantees: nothing changes but by Use; what goes wrong is a line, and what was shown stays. Names, titles and
values are text.
Leaves to others: what may be put to use (`projection`), and the comparison (`Archive.diff`).
Checked by: `tests/notebook/test_lens_board.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby

import ipywidgets as widgets

from vfdir_lab.archive import Archive
from vfdir_lab.errors import VfdirError
from vfdir_lab.notebook.look.parts import Framed, button, choice, details, html, row
from vfdir_lab.notebook.table import Table, as_html, html_text, named, visible
from vfdir_lab.projection.shelf import Version


class LensBoard(Framed):
    """Projections, their versions and lenses. Raises ProjectionError, LogError: they cannot be read."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._versions: tuple[Version, ...] = ()
        self._is_changing = False
        self._table, self._said = html("grow"), html("grow")
        self._difference, self._sql = html("grow"), html("grow")
        self.projection = choice("Projection", [], self._chosen)
        self.left = choice("Version", [], self._told)
        self.right = choice("against", [], self._told)
        self.lens = choice("Lens", [], self._told)
        self._use = button("Use", self._put_to_use)
        self._use.add_class("vfdir-do")
        compare = button("Difference", lambda: self._guarded(self._show_difference))
        again = button("Look again", lambda: self._guarded(self._read))
        controls = row(self.projection, self.left, self.right, compare)
        lens = row(self.lens, self._use, self._said)
        for one in (controls, lens):
            one.add_class("wrap")
        listed = html("grow", "<h2>Lenses and projections</h2>")
        super().__init__(
            [row(listed, again), controls, lens, row(self._difference), row(self._sql), row(self._table)]
        )
        self._read()

    def lines(self) -> list[str]:
        """Which versions there are, and where each is in use."""
        return [
            visible(f"{one.name} v{one.version} {one.title}: {', '.join(one.lenses) or 'not in use'}")
            for one in self._versions
        ]

    def _read(self) -> None:
        """What there is now; what was chosen stays chosen, if it is there."""
        shelf = self._archive.projections
        self._versions = shelf.versions()
        self._is_changing = True
        try:
            _offer(self.lens, [(name, name) for name in shelf.lenses.names()], shelf.lenses.default)
            names = [name for name, _ in groupby(self._versions, lambda one: one.name)]
            _offer(self.projection, [(name, name) for name in names], "blocks")
            self._offer_versions()
        finally:
            self._is_changing = False
        self._table.value = self._listed()
        self._told()

    def _chosen(self) -> None:
        if not self._is_changing:
            self._is_changing = True
            try:
                self._offer_versions()
            finally:
                self._is_changing = False
            self._difference.value = ""
            self._told()

    def _offer_versions(self) -> None:
        mine = [one for one in self._versions if one.name == self.projection.value]
        options = [(f"v{one.version} {one.title}", one.version) for one in mine]
        by_use = sorted(mine, key=lambda one: self.lens.value not in one.lenses)
        _offer(self.left, options, by_use[-1].version if by_use else None)
        _offer(self.right, options, by_use[0].version if by_use else None)

    def _told(self) -> None:
        """The words of Use, and the text of the version that it would put to use."""
        if self._is_changing or self.left.value is None:
            return
        called = f"{self.projection.value} v{self.left.value}"
        self._use.description = visible(f"Use {called} in {self.lens.value}")
        self._use.tooltip = self._use.description
        self._use.disabled = any(
            self.lens.value in one.lenses
            for one in self._versions
            if (one.name, one.version) == (self.projection.value, self.left.value)
        )
        self._guarded(self._show_sql)

    def _show_sql(self) -> None:
        found = self._archive.projections[self.projection.value][self.left.value]
        self._sql.value = details(f"The SQL of {found.called}", found.sql)

    def _show_difference(self) -> None:
        found = self._archive.diff(self.projection.value, self.left.value, self.right.value)
        shown = found._repr_mimebundle_()["text/html"]
        self._difference.value = f'<h3>Difference</h3><div class="scroll">{shown}</div>'

    def _put_to_use(self) -> None:
        name, version, lens = self.projection.value, self.left.value, self.lens.value

        def use() -> None:
            self._archive.projections[name].use(version, lens=lens)
            self._read()
            said = f"{name} v{version} is in use in {lens}"
            self._said.value = f'<span role="status">{html_text(said)}</span>'

        self._guarded(use)

    def _listed(self) -> str:
        rows = [
            [one.name, f"v{one.version}", one.title, str(one.source), ", ".join(one.lenses), one.refresh]
            for one in self._versions
        ]
        table = Table(
            caption="Versions, and the lenses each is in use in",
            columns=named("projection", "version", "title", "whose", "in use in", "refreshed"),
            rows=rows,
            notes=tuple(str(one) for one in self._archive.projections.problems),
        )
        return f'<div class="scroll">{as_html(table)}</div>'

    def _guarded(self, work: Callable[[], None]) -> None:
        """A click has nobody to raise to: what went wrong is said."""
        self._said.value = ""
        try:
            work()
        except VfdirError as error:
            self._said.value = f'<span role="alert" class="err">{html_text(str(error))}</span>'


def _offer(control: widgets.Dropdown, options: Sequence[tuple[str, object]], first: object) -> None:
    """Offer other choices; what was chosen stays, if it is among them, else it is `first`."""
    shown = [(visible(name), value) for name, value in options]
    if tuple(shown) == tuple(control.options):
        return
    chosen, values = control.value, [value for _, value in shown]
    control.options = shown
    control.value = chosen if chosen in values else first
