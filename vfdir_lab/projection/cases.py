"""Cases of a projection: a small log, and the rows that it should give, as files beside the SQL.

`<name>/cases/<case>/events.jsonl` holds the events, one JSON object a line: the envelope, times in ISO 8601,
`hlc` as a text (JSON's numbers are too short for it in some readers), the payload as an object. Beside it
`expected.jsonl` holds the rows, one JSON object a line; where a version answers otherwise, its own rows are
in `expected.v3.jsonl`. Rows are compared as canonical JSON, in any order: times end in Z, what JSON has no
word for (decimals, dates, bytes) is text. A case runs on a confined connection, so also one that came from
elsewhere.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from importlib.resources.abc import Traversable
from typing import Any

from vfdir_lab.errors import EventError, ProjectionFileError
from vfdir_lab.event import Event, canonical
from vfdir_lab.log.segment import table_of
from vfdir_lab.projection.connection import quoted
from vfdir_lab.projection.definition import Definition
from vfdir_lab.projection.scratch import answers

LINE_BOUND = 100_000
"""A case has no more events or rows: it is there to be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One case of one version. `expected` are the rows, as sorted lines of canonical JSON."""

    name: str
    version: int
    events: tuple[Event, ...]
    expected: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResult:
    """What became of a case: rows that were expected and did not come, and rows that came unexpected."""

    case: Case
    missing: tuple[str, ...]
    unexpected: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether the answer is the expected one."""
        return not self.missing and not self.unexpected


def read_cases(folder: Traversable, *, version: int) -> tuple[Case, ...]:
    """The cases of a version of the projection in `folder`, by name; none, where it has no `cases`.

    A case that has rows for other versions only says nothing of this one, and is left out.

    Raises:
        ProjectionFileError: a case is malformed; the message names file, line and mend.
    """
    cases = folder / "cases"
    if not cases.is_dir():
        return ()
    found = (_read_case(place, version) for place in sorted(cases.iterdir(), key=lambda one: one.name))
    return tuple(case for case in found if case is not None)


def _read_case(place: Traversable, version: int) -> Case | None:
    if not place.is_dir() or place.name.startswith("."):
        return None
    files = {file.name: file for file in place.iterdir() if file.name.endswith(".jsonl")}
    expected = files.get(f"expected.v{version}.jsonl") or files.get("expected.jsonl")
    if "events.jsonl" not in files or not any(name.startswith("expected.") for name in files):
        raise ProjectionFileError(
            f"cases/{place.name}: a case is two files, events.jsonl and expected.jsonl; add what is missing"
        )
    if expected is None:
        return None
    events = tuple(_event(row, where) for where, row in _rows(files["events.jsonl"], place.name))
    rows = sorted(_line(row) for _, row in _rows(expected, place.name))
    return Case(name=place.name, version=version, events=events, expected=tuple(rows))


def _rows(file: Traversable, case: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The objects in a file, each with its place."""
    where = f"cases/{case}/{file.name}"
    try:
        lines = file.read_text("utf-8").split("\n")
    except (OSError, UnicodeError) as error:
        raise ProjectionFileError(f"{where}: cannot be read ({error}); save it as UTF-8") from error
    if len(lines) > LINE_BOUND:
        raise ProjectionFileError(f"{where}: {len(lines):,} lines; a case has at most {LINE_BOUND:,}")
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise ProjectionFileError(
                f"{where}:{number}: not JSON ({error}); write one object a line"
            ) from error
        if not isinstance(row, dict):
            raise ProjectionFileError(f"{where}:{number}: a line is one JSON object, like {{…}}; mend it")
        yield f"{where}:{number}", row


def _event(row: Mapping[str, Any], where: str) -> Event:
    """The event of a line. Keys that may be null may also be left out."""
    unknown = sorted(row.keys() - set(Event.__dataclass_fields__))
    if unknown:
        raise ProjectionFileError(f"{where}: an event has no {', '.join(unknown)}; take it out")
    try:
        event = Event(
            device=_text(row, "device"),
            seq=int(row["seq"]),
            hlc=int(row["hlc"]),
            recorded_at=_time(row, "recorded_at"),
            origin=_text(row, "origin"),
            origin_at=None if row.get("origin_at") is None else _time(row, "origin_at"),
            kind=_text(row, "kind"),
            kind_version=int(row["kind_version"]),
            object_id=_text(row, "object_id"),
            cause=None if row.get("cause") is None else _text(row, "cause"),
            payload=canonical(row["payload"]),
        )
        table_of([event])
    except (KeyError, ValueError, TypeError, EventError) as error:
        told = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
        raise ProjectionFileError(
            f"{where}: not an event: {told}; write it as the other lines, or as the cases of `blocks`"
        ) from error
    return event


def _time(row: Mapping[str, Any], key: str) -> datetime:
    moment = datetime.fromisoformat(_text(row, key))
    if moment.tzinfo is None:
        raise ValueError(f"{key} has no time zone")
    return moment


def _text(row: Mapping[str, Any], key: str) -> str:
    value = row[key]
    if not isinstance(value, str):
        raise TypeError(f"{key} is {value!r}, not a text")
    return value


def run_case(definitions: Sequence[Definition], case: Case) -> CaseResult:
    """What the last of these definitions, each after those it reads, says of a case.

    Raises:
        QueryError: DuckDB refuses the SQL of one of them.
    """
    name = definitions[-1].name
    table = answers(definitions, table_of(case.events), f"SELECT * FROM {quoted(name)}")
    came = Counter(_line(row) for row in table.to_pylist())
    expected = Counter(case.expected)
    return CaseResult(
        case=case,
        missing=tuple(sorted((expected - came).elements())),
        unexpected=tuple(sorted((came - expected).elements())),
    )


def _line(row: Mapping[str, Any]) -> str:
    return json.dumps(_spelled(row), ensure_ascii=False, sort_keys=True)


def _spelled(value: object) -> object:
    """A value of a row as JSON has it."""
    match value:
        case None | bool() | int() | float() | str():
            spelled: object = value
        case datetime() if value.tzinfo is not None:
            spelled = value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case datetime() | date() | time():
            spelled = value.isoformat()
        case bytes():
            spelled = b64encode(value).decode()
        case dict():
            spelled = {str(key): _spelled(one) for key, one in value.items()}
        case list() | tuple():
            spelled = [_spelled(one) for one in value]
        case _:
            spelled = str(value)
    return spelled
