"""What the rows of a segment must be: its device's, without gap, in order, canonical, as its footer says.

Takes them a batch at a time. `verify` asks this of what is here, merge of what comes from elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import pairwise

import pyarrow as pa
import pyarrow.compute as pc

from vfdir_lab.errors import EventError
from vfdir_lab.event import KINDS, subject
from vfdir_lab.event.canonical import is_canonical
from vfdir_lab.log.rows import Digests
from vfdir_lab.log.segment import Footer

_GAP = "its seqs are not contiguous"


def row_problems(batches: Iterable[pa.RecordBatch], footer: Footer, unknown: set[str]) -> Iterator[str]:
    """What is wrong with the rows of a segment that has this footer; `unknown` collects kinds.

    Raises:
        ValueError, OverflowError, pa.ArrowException: the rows hold what no event can.
    """
    check = _RowCheck(footer)
    for batch in batches:
        check.take(batch)
        unknown |= _unknown_kinds(batch)
    yield from check.found()


class _RowCheck:
    """Looks at the rows of one segment, a batch at a time."""

    def __init__(self, footer: Footer) -> None:
        self._footer = footer
        self._digests = Digests([piece.rows for piece in footer.pieces])
        self._wrong: dict[str, None] = {}  # in the order it was found, each said once
        self._broken = False  # so that all else differs too
        self._seq = footer.first
        self._stamps: list[int] = []
        self._times: list[datetime] = []

    def take(self, batch: pa.RecordBatch) -> None:
        """Look at the next rows."""
        if self._broken or not batch.num_rows:
            return
        if any(batch.column(field.name).null_count for field in batch.schema if not field.nullable):
            self._break("it holds nulls where the envelope has none")
            return
        if pc.unique(batch.column("device")).to_pylist() != [self._footer.device]:
            self._say("it holds another device's events")
        if batch.column("seq").to_pylist() != list(range(self._seq, self._seq + batch.num_rows)):
            self._break(_GAP)
            return
        self._seq += batch.num_rows
        stamps = batch.column("hlc").to_pylist()
        if any(later <= earlier for earlier, later in pairwise([*self._stamps[-1:], *stamps])):
            self._say("its stamps do not increase")
        self._stamps = [*self._stamps[:1], stamps[0], stamps[-1]]
        recorded = batch.column("recorded_at").to_pylist()
        self._times = [min([*self._times, *recorded]), max([*self._times, *recorded])]
        self._digests.update(batch)
        if not all(map(is_canonical, batch.column("payload").to_pylist())):
            self._say("it holds a payload that is not canonical")
        if not all(map(_is_id, _known_subjects(batch))):
            self._say("it holds an event about something that is no object id")

    def found(self) -> Iterator[str]:
        """What is wrong, once all rows were taken."""
        footer = self._footer
        if not self._broken and self._seq != footer.last + 1:
            self._break(_GAP)
        yield from self._wrong
        if self._broken:
            return
        if (self._stamps[0], self._stamps[-1]) != (footer.hlc_min, footer.hlc_max):
            yield "its footer gives other stamps than its rows"
        if self._times != [footer.recorded_min, footer.recorded_max]:
            yield "its footer gives other times than its rows"
        if self._digests.whole != footer.digest:
            yield "its rows do not have the digest its footer gives"
        elif self._digests.parts != tuple(piece.digest for piece in footer.pieces):
            yield "its parts do not have the digests its footer gives"

    def _say(self, what: str) -> None:
        self._wrong[what] = None

    def _break(self, what: str) -> None:
        self._say(what)
        self._broken = True


def _kinds(batch: pa.RecordBatch) -> set[tuple[str, int]]:
    pairs = pa.table([batch.column("kind"), batch.column("kind_version")], names=["kind", "version"])
    found = pairs.group_by(["kind", "version"]).aggregate([])
    return set(zip(found.column("kind").to_pylist(), found.column("version").to_pylist(), strict=True))


def _unknown_kinds(batch: pa.RecordBatch) -> set[str]:
    return {
        f"{kind} v{version}"
        for kind, version in _kinds(batch)
        if kind not in KINDS or version > KINDS[kind].version
    }


def _known_subjects(batch: pa.RecordBatch) -> set[str]:
    """What the events of kinds that we know are about; others may be about anything."""
    pairs = zip(batch.column("object_id").to_pylist(), batch.column("kind").to_pylist(), strict=True)
    return {about for about, kind in pairs if kind in KINDS}


def _is_id(identifier: str) -> bool:
    try:
        subject(identifier)
    except EventError:
        return False
    return True
