"""Channel snapshots: dated, reproducible copies of a channel for people, readable without us.

Owns the formats and the manifest `snapshot.json`. Guarantees: the same head, lens and options give the same
bytes; a snapshot is written beside its place and renamed, so there is a whole one or none. Leaves what a
value is to `projection`. Checked by golden files and kill tests in `tests/export`.
"""

from vfdir_lab.export.snapshot import FORMATS, Snapshot, SnapshotOptions, export_channel

__all__ = ["FORMATS", "Snapshot", "SnapshotOptions", "export_channel"]
