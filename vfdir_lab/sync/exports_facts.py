"""What an export says that the log does not know yet: the difference of each row against the mirror.

An export is a look into the past by a narrow window: it shows some fields of a block as they were at its
`Updated At`, or as they still were later. So, against what is known of the block:

- nothing: all that the row states is recorded;
- the row is newer (its `Updated At` is after the known one, and after are.na itself last showed the block or
  said that it is gone, give or take a minute between the clocks): the fields that differ are recorded;
- older or undated: never against what is known. Only where everything known comes from exports, fields that
  they left out are filled in.

An empty cell clears nothing. Values differ when they mean something else: are.na's API spells texts with
other line ends, entities and white space than a CSV, and gives descriptions as markdown, HTML and plain text.
So importing in any order ends with what the newest row of each block states, and an import never undoes what
a pull has shown.
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from vfdir_lab.event import Draft, object_id
from vfdir_lab.event.event import ARENA
from vfdir_lab.event.stamp import moment_of
from vfdir_lab.projection import Engine
from vfdir_lab.projection.engine import read_sql
from vfdir_lab.sync.exports_rows import Row
from vfdir_lab.sync.mirror import SQL, Mirror
from vfdir_lab.sync.normalise import Fields, moment

CLOCKS_DIFFER_BY = timedelta(seconds=60)
_TIMES = frozenset({"created_at", "updated_at"})


@dataclass(slots=True, kw_only=True)
class Found:
    """What rows came to.

    `new`: blocks not known before; `changed`: known ones about which something was recorded; `same`: rows
    that said nothing new; `older`: rows that say otherwise than what is known and newer.
    """

    new: int = 0
    changed: int = 0
    same: int = 0
    older: int = 0

    def add(self, other: Found) -> None:
        """Count what was found elsewhere, too."""
        self.new += other.new
        self.changed += other.changed
        self.same += other.same
        self.older += other.older


def fact_drafts(mirror: Mirror, engine: Engine, rows: Sequence[Row], cause: str, found: Found) -> list[Draft]:
    """The facts that these rows add to the mirror, which has caught up with the log; counts into `found`."""
    ids = [object_id("block", row.block) for row in rows]
    known = {one: mirror.last_fields(one) for one in ids}
    in_doubt = {
        one
        for one, row in zip(ids, rows, strict=True)
        if (known[one] and _differing(row, known[one])) or mirror.access_lost(one)
    }
    shown = _last_shown(mirror, engine, sorted(in_doubt))
    drafts = []
    for identifier, row in zip(ids, rows, strict=True):
        payload = _news(row, known[identifier], shown.get(identifier))
        if payload:
            found.changed += bool(known[identifier])
            found.new += not known[identifier]
            known[identifier] = known[identifier] | payload
            drafts.append(
                Draft(
                    kind="block.observed",
                    object_id=identifier,
                    payload=payload,
                    origin=ARENA,
                    origin_at=row.updated,
                    cause=cause,
                )
            )
        elif _differing(row, known[identifier]).keys() - _TIMES:
            found.older += 1
        else:
            found.same += 1
    return drafts


def _last_shown(mirror: Mirror, engine: Engine, objects: Sequence[str]) -> dict[str, datetime]:
    """When are.na itself last showed each of these, or said that it is gone."""
    if not objects:
        return {}
    table = engine.facts(read_sql(SQL, "last_shown"), {"objects": list(objects)}, head=mirror.head)
    return {row["object_id"]: moment_of(row["hlc"]) for row in table.to_pylist()}


def _news(row: Row, known: Fields, shown: datetime | None) -> Fields:
    """What of a row is to be recorded, by the rules above."""
    if not known and shown is None:
        return row.fields
    if _is_newer(row.updated, moment(known.get("updated_at")), shown):
        return _differing(row, known)
    if shown is not None:
        return {}
    return {key: value for key, value in row.fields.items() if known.get(key) is None}


def _is_newer(updated: datetime | None, known: datetime | None, shown: datetime | None) -> bool:
    if updated is None:
        return False
    after_known = known is None or updated.replace(microsecond=0) > known.replace(microsecond=0)
    return after_known and (shown is None or updated > shown + CLOCKS_DIFFER_BY)


def _differing(row: Row, known: Fields) -> Fields:
    return {
        key: value for key, value in row.fields.items() if not _means_the_same(key, known.get(key), value)
    }


def _means_the_same(key: str, known: Any, value: Any) -> bool:
    if key in _TIMES:
        times = moment(known), moment(value)
        return None not in times and len({at.replace(microsecond=0) for at in times if at}) == 1
    if key == "description":
        told = [known.get("markdown"), known.get("plain")] if isinstance(known, Mapping) else [known]
        return _plain(value["markdown"]) in map(_plain, told)
    if key == "source":
        return isinstance(known, Mapping) and bool(known.get("url") == value["url"])
    return bool(_plain(known) == _plain(value))


def _plain(value: Any) -> Any:
    """A text without what only its way here gave it."""
    return html.unescape(value).replace("\r\n", "\n").strip() if isinstance(value, str) else value
