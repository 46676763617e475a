"""`status`, `sql`, `log`, `verify`: ask the archive. None of them writes to it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from enum import StrEnum
from typing import Annotated

import duckdb
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import typer

from vfdir_lab.archive import Status
from vfdir_lab.cli.options import AsJson, AsOf, Axis, Home, LensName, open_archive
from vfdir_lab.cli.screen import patiently, progress_bar, say, say_json, say_table
from vfdir_lab.errors import UsageError
from vfdir_lab.log import Head
from vfdir_lab.projection.connection import refusals_told

ROWS_SHOWN = 1000


class Format(StrEnum):
    """How `sql` answers."""

    table = "table"
    csv = "csv"
    json = "json"
    parquet = "parquet"


def add_to(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command("status")(status)
    app.command("sql")(sql)
    app.command("log")(log)
    app.command("verify")(verify)


def status(home: Home = None, as_json: AsJson = False) -> None:
    """What is in the archive, and what is missing."""
    found = open_archive(home).status()
    if as_json:
        say_json(_as_dict(found))
        return
    say(f"archive  {found.path}")
    say(f"holds    {len(found.channels)} channels, {found.blocks} blocks")
    say(f"log      {found.events} events in {found.segments} segments")
    chosen = ", ".join(f"{name} v{version}" for name, version in found.chosen.items())
    say(f"lens     {found.lens}: {chosen or 'as shipped'}")
    say(f"wishes   {_wishes(found)}")
    say(f"device   {found.device or 'none yet'}")
    say(f"head     {found.head}")
    for device in found.devices:
        if len(found.devices) > 1:
            say(f"         {device.device}{' (this copy)' if device.own else ''}: seq {device.seq}")
        for held in device.waiting:
            say(f"waiting  {held}")
    for lost in found.regressions:
        say(f"lost     {lost}")
    for gap in found.missing:
        say(f"missing  {gap} (a file sync still under way, or a lost file: `vfdir-lab verify`)")
    for refused in found.refused:
        say(f"refused  {refused.path}: {refused.reason}")
    for kind, count in found.unknown_kinds.items():
        say(f"unknown  {count} events of {kind}, kept for a newer version")
    if found.channels:
        say("")
        columns = ("slug", "title", "visibility", "length", "seen_at", "whole_at")
        say_table(columns, [[row[column] for column in columns] for row in found.channels])


def _wishes(found: Status) -> str:
    """How many are open, and what of that is for the person."""
    said = [f"{found.wishes} open"]
    said += [f"{found.waiting} waiting for you (`vfdir-lab outbox`)"] if found.waiting else []
    said += [f"{found.conflicts} in conflict (`vfdir-lab conflicts`)"] if found.conflicts else []
    return ", ".join(said)


def _as_dict(found: Status) -> dict[str, object]:
    return {
        "path": found.path,
        "archive": found.archive,
        "device": found.device,
        "head": str(found.head),
        "devices": [
            {
                "device": one.device,
                "own": one.own,
                "seq": one.seq,
                "was": one.was,
                "newest": one.newest,
                "missing": [str(gap) for gap in one.missing],
                "waiting": [str(held) for held in one.waiting],
                "refused": [{"path": bad.path, "reason": bad.reason} for bad in one.refused],
            }
            for one in found.devices
        ],
        "lens": {"name": found.lens, "chosen": found.chosen},
        "segments": found.segments,
        "events": found.events,
        "blocks": found.blocks,
        "missing": [str(gap) for gap in found.missing],
        "refused": [{"path": one.path, "reason": one.reason} for one in found.refused],
        "unknown_kinds": found.unknown_kinds,
        "wishes": {"open": found.wishes, "waiting": found.waiting, "conflicts": found.conflicts},
        "channels": list(found.channels),
    }


def sql(
    query: Annotated[
        str, typer.Argument(metavar="QUERY", help="One SELECT; - reads it from standard input.")
    ],
    format_: Annotated[Format, typer.Option("--format", help="How to answer.")] = Format.table,
    as_of: AsOf = None,
    axis: Axis = "knew",
    lens: LensName = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Ask in SQL: tables events, blocks, channels, connections, users, comments, scans, outbox, conflicts."""
    archive = open_archive(home)
    text = sys.stdin.read() if query == "-" else query
    view = archive.lens(lens)
    relation = (view if as_of is None else view.as_of(as_of, axis=axis)).sql(text)
    chosen = Format.json if as_json else format_
    if chosen is Format.table:
        first = relation.limit(ROWS_SHOWN + 1) if relation.type == "QUERY_RELATION" else relation
        answer = patiently(archive, lambda: _fetch(first))
        rows = list(zip(*(column.to_pylist() for column in answer.columns), strict=True))
        say_table(answer.column_names, rows[:ROWS_SHOWN])
        if len(rows) > ROWS_SHOWN:
            say(f"… and more; these are the first {ROWS_SHOWN} rows (--format csv gives all)")
        return
    _write(patiently(archive, lambda: _fetch(relation)), chosen)


def _fetch(relation: duckdb.DuckDBPyRelation) -> pa.Table:
    """The rows. Types that only DuckDB has (ENUM, UNION …) arrive as Arrow's nearest.

    Times that Python's calendar does not have (`infinity`, before the year 1) come as text, with the rest.
    """
    with refusals_told():
        answer = relation.to_arrow_table()
        if all(map(_fits_python, answer.columns)):
            return answer
        return relation.project("CAST(COLUMNS(*) AS VARCHAR)").to_arrow_table()


def _fits_python(column: pa.ChunkedArray) -> bool:
    try:
        return not pa.types.is_temporal(column.type) or column.to_pylist() is not None
    except (OverflowError, ValueError):
        return False


def _write(answer: pa.Table, format_: Format) -> None:
    if format_ is Format.json:
        say_json(answer.to_pylist())
    elif format_ is Format.csv:
        _raw(lambda sink: pacsv.write_csv(_flat(answer), sink))
    elif sys.stdout.isatty():
        raise UsageError("parquet is no text: send it to a file, `… --format parquet > answer.parquet`")
    else:
        _raw(lambda sink: pq.write_table(answer, sink))


def _flat(answer: pa.Table) -> pa.Table:
    """CSV has no nested values, and no intervals: they become text."""
    columns = [
        pa.array([None if v is None else str(v) for v in column.to_pylist()])
        if pa.types.is_nested(column.type) or pa.types.is_interval(column.type)
        else column
        for column in answer.columns
    ]
    return pa.table(columns, names=answer.column_names)


def _raw(write: Callable[[pa.BufferOutputStream], object]) -> None:
    sink = pa.BufferOutputStream()
    write(sink)
    sys.stdout.buffer.write(sink.getvalue())
    sys.stdout.buffer.flush()


def log(
    object_id: Annotated[str | None, typer.Argument(metavar="[OBJECT]", help="Such as block:123.")] = None,
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, help="At most the newest N.")] = 50,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """The facts themselves, newest last: all of them, or those about one object."""
    archive = open_archive(home)
    about = archive.sql("SELECT * FROM events") if object_id is None else archive.history(object_id)
    newest = _fetch(about.order("hlc DESC, device DESC, seq DESC").limit(limit)).to_pylist()[::-1]
    if not newest and object_id is not None:
        raise UsageError(f"nothing is known of {object_id!r}; object ids look like block:123 or channel:45")
    if as_json:
        say_json([event | {"hlc": str(event["hlc"])} for event in newest])
        return
    columns = ("event_id", "recorded_at", "origin", "kind", "object_id", "payload")
    say_table(columns, [[event[column] for column in columns] for event in newest])


def verify(home: Home = None, as_json: AsJson = False) -> None:
    """Re-read the whole log and prove it: every byte, the chain, the order. Repairs nothing."""
    archive = open_archive(home)
    with progress_bar() as bar:
        task = bar.add_task("verify", total=None, note="")
        report = archive.verify(lambda done, total: bar.update(task, completed=done, total=total))
    if as_json:
        problems = [{"path": one.path, "what": one.what, "lost": one.lost} for one in report.problems]
        say_json(
            {
                "ok": report.ok,
                "segments": report.segments,
                "events": report.events,
                "head": str(Head(report.head)),
                "problems": problems,
                "unknown_kinds": list(report.unknown_kinds),
                "foreign": list(report.foreign),
            }
        )
    else:
        say(report)
    if not report.ok:
        raise typer.Exit(1)
