"""The leaf: `events`, as every projection reads it. What of the log counts, lifted to today's payloads.

Two ways to look: as we knew it up to a head, and as it was so at a moment, as far as is known up to a head.
Old payload versions are lifted here as `vfdir_lab.event.upcast` lifts them in Python; a test holds the two
equal. Files are never rewritten for that.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import cast

import sqlglot
from sqlglot import exp

from vfdir_lab.log import SCHEMA, Head, Segment
from vfdir_lab.projection.connection import literal
from vfdir_lab.projection.definition import expand

SOURCE = "log_segments"
"""The bare rows of all segments that count."""

_SQL = files("vfdir_lab.projection") / "sql"
_UPCAST = re.compile(r"([a-z_.]+)\.v([0-9]+)\.sql")


def events_sql(segments: Sequence[Segment], head: Head, at: datetime | None = None) -> str:
    """The SELECT behind `events`: up to `head`, and, with `at`, as it was so before that moment."""
    columns = ", ".join(SCHEMA.names)
    rows = f"SELECT device || ':' || seq AS event_id, {columns} FROM ({_lifted()})"
    known = f"{rows} WHERE {within(segments, head)}"
    if at is None:
        return known
    effective = _effective().replace("$moment", literal(at.isoformat()))
    return f"WITH facts AS ({known}) SELECT * FROM ({effective})"


@cache
def _effective() -> str:
    """The SELECT of what was so before `$moment`, over `facts`, with helpers expanded."""
    text = (_SQL / "effective.sql").read_text("utf-8")
    tree = cast("exp.Query", sqlglot.parse_one(text, dialect="duckdb"))
    return expand(tree, where="effective.sql").sql(dialect="duckdb", comments=False)


def within(segments: Sequence[Segment], head: Head) -> str:
    """The condition on the segments' rows that they are within a head."""
    cut = sorted(cut_of(segments, head).items())
    return " AND ".join(["true", *(f"(device <> {literal(d)} OR seq <= {seq})" for d, seq in cut)])


def cut_of(segments: Sequence[Segment], head: Head) -> dict[str, int]:
    """The devices of which the segments hold more than the head has, with how far the head goes."""
    return {
        segment.footer.device: head.seq(segment.footer.device)
        for segment in segments
        if segment.footer.last > head.seq(segment.footer.device)
    }


def _lifted() -> str:
    """The segments' rows with old payloads lifted, one step after the other."""
    rows = f"SELECT * FROM {SOURCE}"
    for kind, version, lifted in _upcasts():
        old = f"kind = {literal(kind)} AND kind_version = {version}"
        rows = (
            f"SELECT * REPLACE (CASE WHEN {old} THEN {lifted} ELSE payload END AS payload, "
            f"CAST(CASE WHEN {old} THEN {version + 1} ELSE kind_version END AS SMALLINT) AS kind_version) "
            f"FROM ({rows})"
        )
    return rows


@cache
def _upcasts() -> tuple[tuple[str, int, str], ...]:
    """Kind, version lifted from, and the expression over `payload` that lifts it."""
    return tuple(sorted(_read_upcasts()))


def _read_upcasts() -> Iterator[tuple[str, int, str]]:
    for file in (_SQL / "upcasts").iterdir():
        match = _UPCAST.fullmatch(file.name)
        if match is not None:
            yield match[1], int(match[2]), file.read_text("utf-8")
