"""A log of any size, made in bulk: events as `replay_events.sql` gives them, laid down as proper segments.

Quick because no event ever is a Python object but while the digest of its segment is taken. The files are
what `append` would have written for as many events at once, and `verify` finds nothing wrong with them.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from vfdir_lab.bench.material import new_log
from vfdir_lab.log import SCHEMA, EventLog
from vfdir_lab.log.segment import Footer, digest_of, seal

DEVICE = "bench"
SEGMENT_EVENTS = 100_000


def log_of_blocks(folder: Path, *, events: int) -> EventLog:
    """A log of so many events, two thirds as many blocks, in segments of 100,000 events."""
    log = new_log(folder)
    sql = (files("vfdir_lab.bench") / "replay_events.sql").read_text("utf-8")
    digest = ""
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for first in range(1, events + 1, SEGMENT_EVENTS):
            last = min(first + SEGMENT_EVENTS - 1, events)
            asked = {"first": first, "last": last, "device": DEVICE}
            rows = connection.sql(sql, params=asked).to_arrow_table().cast(SCHEMA)
            digest = _lay_down(log.root, rows, digest)
    return log


def _lay_down(root: Path, rows: pa.Table, prev: str) -> str:
    """Write a segment of these rows; returns its digest, which the next one names."""
    seqs, stamps, recorded = (pc.min_max(rows.column(name)) for name in ("seq", "hlc", "recorded_at"))
    footer = Footer(
        device=DEVICE,
        first=seqs["min"].as_py(),
        last=seqs["max"].as_py(),
        recorded_min=recorded["min"].as_py(),
        recorded_max=recorded["max"].as_py(),
        hlc_min=stamps["min"].as_py(),
        hlc_max=stamps["max"].as_py(),
        digest=digest_of(rows),
        prev=prev,
    )
    name, data = seal(rows, footer)
    month = root / "log" / f"device={DEVICE}" / f"month={footer.recorded_min:%Y-%m}"
    month.mkdir(parents=True, exist_ok=True)
    (month / str(name)).write_bytes(data)
    return footer.digest
