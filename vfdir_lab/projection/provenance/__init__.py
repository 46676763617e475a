"""Provenance: what differs between two standpoints, and which events made it so.

Owns the comparison of a projection's rows (`difference`), the attribution of cells to events (`causes`),
`why` and `history`, and how they are shown. Definitions are black boxes: what an event did is found by
replaying prefixes of the events in their total order, never by reading the SQL. Guarantees: every bound that
leaves something out is said in the text; remote text is escaped on terminals and in HTML. Checked against
brute force under Hypothesis in `tests/projection/test_difference_laws.py` and `test_causes.py` beside it.
"""

from vfdir_lab.projection.provenance.difference import Cell, Difference, difference
from vfdir_lab.projection.provenance.history import History, describe, history
from vfdir_lab.projection.provenance.why import Loser, Why, why

__all__ = ["Cell", "Difference", "History", "Loser", "Why", "describe", "difference", "history", "why"]
