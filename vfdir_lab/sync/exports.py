"""Import of are.na's own exports: the CSV or zip that its site gives members becomes facts.

A row is a `block.observed` with the fields the row states and nothing else: no type, content or visibility is
made up. `exports_facts` says when a row adds something. All facts of an import have the cause `import:<id>`,
between one `import.started` and its `import.finished`.

The export gives connections no ids, so none are recorded. What it says of membership and order is kept in
`import.finished`, for a person or a later interpretation: for each CSV the channel it is said to be of
(`named`, `title`; `channel` where it is a number) and the blocks in the export's order (`items`), with the
cells that are no facts about a block (`beside`: `Filename`, unknown columns). Long lists come in parts of
`PART_ITEMS`, one event each, all in one append; only the last has the counts. So an import is finished when
the log holds the part whose number is `parts`. Rows of nested channels look like any other: are.na's export
does not say which ids are channels.

Guarantees: the file is read and checked whole before anything is recorded; then facts are appended in
batches, each durable and different from all the log knew when it was written. An import that was interrupted
goes on by being run again; the same file under the same names, imported again, records nothing at all.
Memory is bounded: `ROWS_MAX` rows and `BESIDE_CHARS_MAX` of what is beside them. Checked in
`tests/sync/test_exports*.py`.
"""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

from vfdir_lab.errors import UsageError
from vfdir_lab.event import Draft, Event, object_id
from vfdir_lab.event.stamp import utc_now
from vfdir_lab.log import EventLog
from vfdir_lab.projection import Engine
from vfdir_lab.projection.engine import read_sql
from vfdir_lab.sync.exports_facts import Found, fact_drafts
from vfdir_lab.sync.exports_file import ExportFile, open_export
from vfdir_lab.sync.exports_report import ImportedChannel, ImportProgress, ImportReport
from vfdir_lab.sync.exports_rows import Row, read_rows
from vfdir_lab.sync.exports_survey import Survey, survey_of
from vfdir_lab.sync.mirror import SQL, Known, Mirror
from vfdir_lab.sync.names import channel_name
from vfdir_lab.sync.normalise import Fields
from vfdir_lab.sync.record import Recorder

BATCH_ROWS = 1_000
BATCH_CHARS = 4 * 2**20
MIRROR_BATCHES = 10
"""After so many batches the mirror is begun anew, since it holds all that it has met."""
TITLE_MAX = 1_000


def import_export(  # noqa: PLR0913 - the options of one command
    log: EventLog,
    engine: Engine,
    path: Path,
    *,
    channel: int | str | None = None,
    title: str | None = None,
    now: Callable[[], datetime] = utc_now,
    new_import: Callable[[], str] = lambda: secrets.token_hex(8),
    on_progress: Callable[[ImportProgress], None] = lambda _progress: None,
) -> ImportReport:
    """Record what the export at `path` says.

    `channel` (slug, number or address) and `title` say which channel a CSV is of; by default its name does.

    Raises:
        UsageError: there is no file at `path`, or `channel` makes no sense.
        ImportFileError: the file is no export of are.na's, or damaged or hostile; nothing was recorded.
        LogError, ArchiveWriteError: facts could not be recorded; what was recorded before stays.
    """
    named = None if channel is None else str(channel_name(channel))
    if title is not None and not (0 < len(title) <= TITLE_MAX and title.isprintable()):
        raise UsageError(f"{title[:80]!r} is no title: give one line of 1 to {TITLE_MAX} characters")
    with open_export(path) as export:
        survey = survey_of(export, named, title, now())
        cause = f"import:{new_import()}"
        about: Fields = {"file": export.name, "sha256": export.sha256, "format": export.format}
        opening = Draft(
            kind="import.started", object_id=cause, payload=about | {"rows": survey.rows}, cause=cause
        )
        known = Known(log, engine)
        # An import is of no channel that the log knows: its mirror begins empty and meets what the rows name.
        recorder = Recorder(log, Mirror(log, engine, cause, known), scan=cause, opening=opening)
        found, done = Found(), 0
        on_progress(ImportProgress(name=export.name, rows=0, total=survey.rows))
        for number, batch in enumerate(_batches(_rows(export, now())), 1):
            if number % MIRROR_BATCHES == 0:
                recorder.mirror = Mirror(log, engine, cause, known)
            found.add(_record(recorder, engine, batch))
            done += len(batch)
            on_progress(ImportProgress(name=export.name, rows=done, total=survey.rows))
        ending = _finish(recorder, engine, survey, about, found)
        return _report(export, survey, found, cause if ending else None)


def _rows(export: ExportFile, now: datetime) -> Iterator[Row]:
    """The rows that name a block, CSV by CSV."""
    for listing in export.listings:
        with export.text(listing) as text:
            for row in read_rows(text, listing.name, now):
                if isinstance(row, Row):
                    yield row


def _batches(rows: Iterator[Row]) -> Iterator[list[Row]]:
    """At most `BATCH_ROWS` rows at a time, fewer where they are long."""
    batch: list[Row] = []
    chars = 0
    for row in rows:
        batch.append(row)
        chars += row.chars
        if len(batch) >= BATCH_ROWS or chars >= BATCH_CHARS:
            yield batch
            batch, chars = [], 0
    if batch:
        yield batch


def _record(recorder: Recorder, engine: Engine, batch: list[Row]) -> Found:
    """Append what a batch adds to the log, in one durable append."""
    recorder.mirror.meet(object_id("block", row.block) for row in batch)
    found = Found()

    def build(_device: str) -> list[Draft]:
        return fact_drafts(recorder.mirror, engine, batch, recorder.cause, found)

    recorder.append(build)
    return found


def _finish(
    recorder: Recorder, engine: Engine, survey: Survey, about: Fields, found: Found
) -> tuple[Event, ...]:
    """Record what the export lists, unless nothing was new and it was all said before."""
    parts = [part for one in survey.contents for part in one.parts()]
    counts: Fields = {
        "rows": survey.rows,
        "new": found.new,
        "changed": found.changed,
        "older": found.older,
        "refused_rows": survey.refused_rows,
        "refused": [{"file": one.file, "row": one.row, "why": one.why} for one in survey.refused],
    }
    parts[-1] |= counts

    def build(_device: str) -> list[Draft]:
        if not found.new + found.changed and _said_before(recorder.mirror, engine, survey, about):
            return []
        return [
            Draft(
                kind="import.finished",
                object_id=recorder.cause,
                payload=about | part | {"part": number, "parts": len(parts)},
                cause=recorder.cause,
            )
            for number, part in enumerate(parts, 1)
        ]

    return tuple(recorder.append(build))


def _said_before(mirror: Mirror, engine: Engine, survey: Survey, about: Fields) -> bool:
    """Whether an import of the same bytes has finished that named the channels in them alike."""
    query = read_sql(SQL, "imports_of")
    table = engine.facts(query, {"sha256": about["sha256"]}, head=mirror.head)
    said: dict[str, set[tuple[str, str | None, str | None]]] = defaultdict(set)
    for row in table.to_pylist():
        said[row["object_id"]].add((row["listing"], row["named"], row["title"]))
    names = {one.name for one in survey.contents}
    if about["format"] == "csv":  # the name of the file alone is no statement
        names = {("", *name[1:]) for name in names}
        said = defaultdict(set, {one: {("", *name[1:]) for name in those} for one, those in said.items()})
    return names in said.values()


def _report(export: ExportFile, survey: Survey, found: Found, cause: str | None) -> ImportReport:
    channels = tuple(
        ImportedChannel(listing=one.listing.name, named=one.named, title=one.title, rows=len(one.blocks))
        for one in survey.contents
    )
    return ImportReport(
        file=export.name,
        sha256=export.sha256,
        format=export.format,
        id=cause,
        channels=channels,
        new=found.new,
        changed=found.changed,
        same=found.same,
        older=found.older,
        refused=tuple(survey.refused),
        refused_rows=survey.refused_rows,
        files=export.files,
        notes=tuple(survey.notes),
    )
