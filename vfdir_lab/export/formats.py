"""The formats: each writes its files into a folder, a row at a time, and says how many rows went where."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from vfdir_lab.export.rows import Row, Rows, spelled

Counts = dict[str, int]
Tell = Callable[[int], None]


def write_json(
    rows: Rows, channel: Row, provenance: Mapping[str, object], folder: Path, tell: Tell
) -> Counts:
    """One document, `channel.json`: the channel, its items in order, the people, where it comes from."""
    counts: Counts = {"blocks": 0, "channels": 0, "users": 0}
    with (folder / "channel.json").open("w", encoding="utf-8", newline="\n") as file:
        file.write('{"channel":' + spelled(channel) + ',\n"items":[')
        for number, item in enumerate(rows.of("items")):
            kind = "channel" if str(item["connection"]["item"]).startswith("channel:") else "block"
            file.write((",\n" if number else "\n") + spelled(_item(item, kind)))
            counts[f"{kind}s"] += 1
            tell(number + 1)
        file.write('],\n"users":[')
        for number, user in enumerate(rows.of("users")):
            file.write((",\n" if number else "\n") + spelled(user))
            counts["users"] += 1
        file.write('],\n"provenance":' + spelled(provenance) + "}\n")
    return counts


def _item(item: Row, kind: str) -> Row:
    """An item as people read it: where it stands, what it is; null where we never saw it itself."""
    return {
        "position": item["connection"]["position"],
        "connection": item["connection"],
        kind: item[kind],
    }


def write_jsonl(
    rows: Rows, _channel: Row, _provenance: Mapping[str, object], folder: Path, tell: Tell
) -> Counts:
    """Tables, a row a line: `blocks.jsonl`, `connections.jsonl`, `channels.jsonl`, `users.jsonl`."""
    counts: Counts = {}
    done = 0
    for table in ("blocks", "connections", "channels", "users"):
        counts[table] = 0
        with (folder / f"{table}.jsonl").open("w", encoding="utf-8", newline="\n") as file:
            for row in rows.of(table):
                file.write(spelled(row) + "\n")
                counts[table] += 1
                done += 1
                tell(done)
    return counts
