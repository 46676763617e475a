"""Interpretation: projections are versioned SQL definitions over the facts of the log.

Owns the catalogue of `.sql` files, the choice of versions (lens) and the connections that answer queries.
Guarantees: a query sees one coverage, one head and one version of every projection; SQL that a person types
runs confined, and can neither read nor change a file. Leaves what is recorded to `log` and `sync`. Checked by
the cases beside each projection and the confinement tests in `tests/projection`.
"""

from vfdir_lab.projection.catalogue import Catalogue
from vfdir_lab.projection.definition import Definition
from vfdir_lab.projection.engine import Engine
from vfdir_lab.projection.lens import Lens, default_lens
from vfdir_lab.projection.view import View

__all__ = ["Catalogue", "Definition", "Engine", "Lens", "View", "default_lens"]
