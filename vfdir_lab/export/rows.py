"""The rows of a snapshot, streamed from the projections in a fixed order and spelled in a fixed way."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

from vfdir_lab.log import Head
from vfdir_lab.projection import Engine, Lens
from vfdir_lab.projection.engine import read_sql

SQL = files("vfdir_lab.export") / "sql"

Row = dict[str, Any]
_spell = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


class Rows:
    """The rows of one channel, at one head, through one lens. One iteration at a time."""

    def __init__(self, engine: Engine, head: Head, lens: Lens, channel: str) -> None:
        self._engine = engine
        self._head = head
        self._lens = lens
        self.channel = channel

    def of(self, query: str) -> Iterator[Row]:
        """The rows of `sql/<query>.sql`, private channels inside without anything that tells of them."""
        parameters = {"channel": self.channel}
        reader = self._engine.stream(read_sql(SQL, query), parameters, head=self._head, lens=self._lens)
        for batch in reader:
            for row in batch.to_pylist():
                yield self._discreet(plain(row))

    def _discreet(self, row: Row) -> Row:
        inner = row.get("channel") if isinstance(row.get("channel"), dict) else row
        if inner is None or inner.get("visibility") != "private" or inner.get("object_id") == self.channel:
            return row
        if not str(inner.get("object_id")).startswith("channel:"):
            return row
        placeholder = dict.fromkeys(inner) | {
            key: inner[key] for key in ("object_id", "visibility", "pending") if key in inner
        }
        return placeholder if inner is row else row | {"channel": placeholder}


def find_channel(engine: Engine, name: int | str, head: Head, lens: Lens) -> list[Row]:
    """The channels that bear this slug, or have this number."""
    wanted = f"channel:{name}" if str(name).isdecimal() else str(name)
    table = engine.arrow(read_sql(SQL, "find"), {"name": wanted}, head=head, lens=lens)
    return [plain(row) for row in table.to_pylist()]


def plain(value: Any) -> Any:
    """A value as JSON has it: times as ISO 8601 in UTC, metadata as an object."""
    if isinstance(value, dict):
        return {key: _metadata(one) if key == "metadata" else plain(one) for key, one in value.items()}
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return value


def _metadata(text: str | None) -> Any:
    return None if text is None else json.loads(text)


def spelled(value: Any) -> str:
    """One line of JSON, keys in the order of the columns."""
    return _spell(value)
