"""The words that pages of both dresses share: dates, counts, sizes, what a snapshot says of itself.

Guarantees: the same in every locale and time zone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from vfdir_lab import __version__

MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def day(moment: str | None) -> str | None:
    """`2026-11-23T00:41:00Z` as `23 November 2026`; None for none."""
    if not moment:
        return None
    date = datetime.fromisoformat(moment)
    return f"{date.day} {MONTHS[date.month - 1]} {date.year}"


def minute(moment: str) -> str:
    """`2026-11-23T00:41:00Z` as `23 November 2026, 00:41 UTC`."""
    return f"{day(moment)}, {datetime.fromisoformat(moment):%H:%M} UTC"


def counted(number: int, what: str) -> str:
    """`1 item`, `2,413 items`."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def size(bytes_: int | None) -> str | None:
    """A file's size for people; None for none."""
    if bytes_ is None:
        return None
    if bytes_ < 1000:
        return counted(bytes_, "byte")
    amount, unit = (bytes_ / 1e3, "kB") if bytes_ < 1e6 else (bytes_ / 1e6, "MB")
    return f"{amount:,.1f} {unit}"


def provenance_facts(provenance: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What a snapshot says of where it comes from: what it is called, and what it is."""
    if provenance["known_at"]:
        yield "known on", minute(provenance["known_at"])
    if provenance["as_of"]:
        yield "asked as of", str(provenance["as_of"])
    yield "head", str(provenance["head"])
    yield "lens", f"{provenance['lens']['name']}, {short(provenance['lens']['fingerprint'])}"
    yield "written by", f"vfdir_lab {__version__}"
    yield "proof", "sha256 of every file in snapshot.json"


def short(fingerprint: str) -> str:
    """The beginning of a fingerprint."""
    sort, _, digits = fingerprint.rpartition(":")
    return f"fingerprint {digits[:12]}…" if sort or digits else fingerprint
