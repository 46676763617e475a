"""What a format is given to write a snapshot from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from vfdir_lab.export.copies import Copies
from vfdir_lab.export.rows import Rows
from vfdir_lab.export.scope import Scope

Counts = dict[str, int]
Tell = Callable[[int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One snapshot to be written into `folder`, which exists and is empty.

    `provenance` is what `snapshot.json` will say of head, moment and lens; `tell` takes how many rows are
    done.
    """

    rows: Rows
    scope: Scope
    provenance: Mapping[str, object]
    copies: Copies
    folder: Path
    tell: Tell
