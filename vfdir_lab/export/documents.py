"""`json`: one document of a channel; where there are several, one of each and one that lists them.

Owns: `write_json`. Guarantees: items in order, each as people read it: where it stands, what it is, null
where we never saw it itself; keys in the order of the columns. Only the first document says when it was
taken, so that the others change only with their channels. Checked by: golden files in
`tests/export/golden/json`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from itertools import count
from pathlib import Path
from typing import TextIO

from vfdir_lab.export.names import file_name
from vfdir_lab.export.rows import Row
from vfdir_lab.export.spelling import json_line
from vfdir_lab.export.work import Counts, Work

DOCUMENT, LIST = "channel.json", "index.json"


def write_json(work: Work) -> Counts:
    """Write `channel.json` or, of all channels, `index.json`; and `channels/<name>.json` for each other."""
    counts: Counts = {"blocks": 0, "channels": 0, "users": 0}
    copies = list(work.copies.make(work.rows, work.folder))
    known = {row["object_id"]: row for row in work.scope.channels}
    others = [row for row in work.scope.channels if row is not work.scope.home]
    people = {str(row["owner"]) for row in known.values()}
    done = count(1)
    with _document(work.folder / (LIST if work.scope.home is None else DOCUMENT)) as first:
        for channel, rows in work.rows.items():
            is_home = known[channel] is work.scope.home
            items = _items(rows, counts, people, lambda: work.tell(next(done)))
            with (
                nullcontext(first) if is_home else _document(work.folder / _file(known[channel])) as document
            ):
                document.put("channel", known[channel])
                document.put("items", items)
        if others:
            first.put("channels", map(_listed, others))
        users = list(work.rows.of("users", people=sorted(people)))
        counts["users"] = len(users)
        first.put("users", users)
        if work.copies.store is not None:
            first.put("media", copies)
        first.put("provenance", work.provenance)
    return counts


class _Document:
    """A document that is being written, a part after the other, a line for each thing in its lists."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._before = "{"

    def put(self, key: str, value: Mapping[str, object] | Iterable[Row]) -> None:
        """Write a part: an object, or a list."""
        self._file.write(f'{self._before}"{key}":')
        self._before = ",\n"
        if isinstance(value, Mapping):
            self._file.write(json_line(value))
            return
        self._file.write("[")
        self._file.writelines((",\n" if index else "\n") + json_line(one) for index, one in enumerate(value))
        self._file.write("]")


@contextmanager
def _document(path: Path) -> Iterator[_Document]:
    path.parent.mkdir(exist_ok=True)
    with path.open("w", encoding="utf-8", newline="\n") as file:
        yield _Document(file)
        file.write("}\n")


def _items(rows: Iterable[Row], counts: Counts, people: set[str], tell: Callable[[], None]) -> Iterator[Row]:
    """The items as they are written; notes who is behind them."""
    for row in rows:
        connection = row["connection"]
        kind = "channel" if str(connection["item"]).startswith("channel:") else "block"
        counts[f"{kind}s"] += 1
        person = (row[kind] or {}).get("owner" if kind == "channel" else "author")
        people.update(filter(None, (person, connection["connected_by"])))
        yield {"position": connection["position"], "connection": connection, kind: row[kind]}
        tell()


def _listed(channel: Row) -> Row:
    return {key: channel[key] for key in ("object_id", "slug", "title")} | {"file": _file(channel)}


def _file(channel: Row) -> str:
    return f"channels/{file_name(channel['object_id'], channel['title'], channel['slug'])}.json"
