"""Copies of pictures and files that go with a snapshot, from those the archive keeps.

Owns: `Copies`. Guarantees: what is copied is proven to be what its hash says; what is not there or is damaged
is not copied and counted, and the snapshot then has the address in its place. A copy's name ends by what its
bytes are. Leaves to others: keeping them (`archive/media`). Checked by: `tests/export/test_html.py`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vfdir_lab.export.names import SHOWN_TYPES, file_name, media_name
from vfdir_lab.export.rows import Row, Rows

SORTS = {"image": "images", "attachment": "files"}
"""Which folder a copy lies in, by what it is to its block."""

_SHA256 = re.compile(r"[0-9a-f]{64}")
_PIECE_BYTES = 1 << 20


@dataclass(slots=True, kw_only=True)
class Copies:
    """The copies of one snapshot. `store` is where the archive keeps files, None: pictures do not go with it.

    `lost` are the (block, sort) of which no whole copy was found.
    """

    store: Path | None
    lost: set[tuple[str, str]] = field(default_factory=set)
    made: int = 0

    def make(self, rows: Rows, folder: Path) -> Iterator[Row]:
        """Copy all there are into `images/` and `files/` below a folder; gives a row for each.

        Columns: block, sort (image, attachment), url, sha256, size (bytes), content_type, file.
        """
        if self.store is None:
            return
        for row in rows.of("copies"):
            for sort in SORTS:
                path = self.path(row, sort, row[sort])
                if path is None:
                    continue
                size = _copied(self.store, row[sort]["sha256"], folder / path)
                if size is None:
                    self.lost.add((row["object_id"], sort))
                    continue
                self.made += 1
                yield {
                    "block": row["object_id"],
                    "sort": sort,
                    "url": row[f"{sort}_url"],
                    "sha256": row[sort]["sha256"],
                    "size": size,
                    "content_type": row[sort]["content_type"],
                    "file": path,
                }

    def path(self, block: Row, sort: str, copy: dict[str, Any] | None) -> str | None:
        """Where the copy of a block's picture or file is, from the snapshot's folder; None: there is none.

        A picture that browsers do not show does not come along.
        """
        if self.store is None or copy is None or (block["object_id"], sort) in self.lost:
            return None
        if sort == "image" and copy["content_type"] not in SHOWN_TYPES:
            return None
        stem = file_name(block["object_id"], block["title"], block["type"])
        return f"{SORTS[sort]}/{media_name(stem, copy['content_type'])}"


def kept_path(store: Path, sha256: str) -> Path | None:
    """Where the archive keeps the file of that hash; None: this is no hash."""
    return store / sha256[:2] / sha256[2:4] / sha256 if _SHA256.fullmatch(sha256) else None


def _copied(store: Path, sha256: str, target: Path) -> int | None:
    """Copy a kept file; the size in bytes, or None where there is no whole one."""
    source = kept_path(store, sha256)
    if source is None or not source.is_file():
        return None
    target.parent.mkdir(exist_ok=True)
    digest, size = hashlib.sha256(), 0
    with source.open("rb") as kept, target.open("wb") as file:
        while piece := kept.read(_PIECE_BYTES):
            digest.update(piece)
            size += len(piece)
            file.write(piece)
    if digest.hexdigest() == sha256:
        return size
    target.unlink()
    return None
