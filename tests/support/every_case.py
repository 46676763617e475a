"""An archive with the events of every shipped case, side by side, and a few more: all that is awkward."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

from vfdir_lab.event import Event, canonical
from vfdir_lab.log.segment import encode
from vfdir_lab.projection.cases import read_cases

MANIFEST = 'format = 1\nid = "every-case"\ncreated_at = 2026-11-03T12:00:00Z\nlens = "default"\n'
APART = 1_000_000
NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)
_NUMBERED = re.compile(r"\b(block|channel|connection|comment):([0-9]+)\b")
_LOCAL = re.compile(r"\b(block|channel|connection|comment):~([a-z0-9]+)\.")
_NAMED = re.compile(r"\b(tx|scan):([A-Za-z0-9_-]+)")
_MORE = (
    (
        "block.observed",
        "block:1",
        1,
        {"title": "Ebbe 🌊 \u2028", "metadata": {"depth": 12345678.5, "whole": 1}},
    ),
    ("block.observed", "block:1", 1, {"title": None, "metadata": {"low": 0.0005, "text": "1e5"}}),
    ("block.observed", "block:2", 1, {"title": "", "metadata": {"b": {"z": 1.0, "a": [None, "ü"]}}}),
    ("block.observed", "block:2", 1, {"attachment": {"file_size": 12.5, "filename": 'a\\b"c\n'}}),
    ("object.access_lost", "channel:9", 1, {}),
)


def awkward_archive(folder: Path) -> Path:
    """Make it: one segment of what a device says in any case, and segments that a larger one replaced."""
    folder.mkdir(parents=True)
    (folder / "archive.toml").write_text(MANIFEST)
    devices: dict[str, list[Event]] = defaultdict(list)
    for event in _events():
        devices[event.device].append(event)
    for events in devices.values():
        _write(folder, [replace(one, seq=seq) for seq, one in enumerate(events, 1)])
    more = [_more(seq, *fields) for seq, fields in enumerate(_MORE, 1)]
    for part in (more[:2], more[2:], more):
        _write(folder, part)
    return folder


def _write(folder: Path, events: Sequence[Event]) -> None:
    name, _, data = encode(events, "")
    place = folder / "log" / f"device={events[0].device}" / "month=2026-11"
    place.mkdir(parents=True, exist_ok=True)
    (place / str(name)).write_bytes(data)


def _more(seq: int, kind: str, object_id: str, version: int, payload: dict[str, object]) -> Event:
    return Event(
        device="zzzz",
        seq=seq,
        hlc=(int(NOON.timestamp() * 1000) << 16) + seq // 2,
        recorded_at=NOON,
        origin="arena",
        origin_at=None,
        kind=kind,
        kind_version=version,
        object_id=object_id,
        cause=None,
        payload=canonical(payload),
    )


def _events() -> Iterator[Event]:
    """The events of all cases, those of each with ids of its own; so their stamps often tie."""
    shipped = Path(str(files("vfdir_lab.projection") / "sql"))
    number = 0
    for place in sorted(shipped.glob("*/cases")):
        seen = {
            case.name: case.events
            for version in (1, 2, 3)
            for case in read_cases(place.parent, version=version)
        }
        for events in seen.values():
            number += 1
            yield from (_apart(event, number) for event in sorted(events, key=lambda one: one.seq))


def _apart(event: Event, number: int) -> Event:
    def renamed(text: str) -> str:
        text = _LOCAL.sub(rf"\1:~\g<2>x{number}.", text)
        text = _NUMBERED.sub(lambda match: f"{match[1]}:{number * APART + int(match[2])}", text)
        return _NAMED.sub(rf"\1:\2x{number}", text)

    fields = json.loads(renamed(event.payload))
    _mark(fields, f"x{number}")
    return replace(
        event,
        object_id=renamed(event.object_id),
        cause=None if event.cause is None else renamed(event.cause),
        payload=canonical(fields),
    )


def _mark(fields: dict[str, object], mark: str) -> None:
    """Give the intents of a case names of their own."""
    if isinstance(fields.get("intent"), str):
        fields["intent"] = f"{fields['intent']}{mark}"
    intents, metadata = fields.get("intents"), fields.get("metadata")
    if isinstance(intents, list):
        fields["intents"] = [f"{one}{mark}" if isinstance(one, str) else one for one in intents]
    if isinstance(metadata, dict) and isinstance(metadata.get("vfdir_tx"), str):
        metadata["vfdir_tx"] += mark
