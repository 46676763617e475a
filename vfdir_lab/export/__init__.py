"""Channel snapshots: dated, reproducible copies of a channel for people, readable without us.

Owns: the formats, the place a snapshot goes to, the manifest `snapshot.json`, and what can be asked of a
snapshot later: is it as it was written, does the archive still say the same, how does it differ from another.
Guarantees: the same head, lens and options give the same bytes; there is a whole snapshot or none; remote
text is text. Leaves to others: what a value is (`projection`). Checked by: golden files, laws and killed
processes in `tests/export`.
"""

from vfdir_lab.export.again import rebuild, taken_from, verify_snapshot
from vfdir_lab.export.compare import SnapshotDifference, difference_between
from vfdir_lab.export.formats import FORMATS
from vfdir_lab.export.manifest import Verdict
from vfdir_lab.export.place import manifest_of
from vfdir_lab.export.snapshot import Snapshot, SnapshotOptions, export_channel

__all__ = [
    "FORMATS",
    "Snapshot",
    "SnapshotDifference",
    "SnapshotOptions",
    "Verdict",
    "difference_between",
    "export_channel",
    "manifest_of",
    "rebuild",
    "taken_from",
    "verify_snapshot",
]
