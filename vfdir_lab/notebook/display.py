"""How relations, views, projections and reports look, registered with a shell; the values know nothing of it.

A relation is run for it once, up to `COUNTED` rows: up to `SHOWN` are shown, and how many there are is said
where that many are enough to know. Whatever is remote is text (`table.py`).
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import duckdb

from vfdir_lab.archive import Status
from vfdir_lab.errors import VfdirError
from vfdir_lab.export import Snapshot
from vfdir_lab.log import CompactReport, VerifyReport
from vfdir_lab.log.merged import MergeReport
from vfdir_lab.notebook.session import Session
from vfdir_lab.notebook.table import Bundle, Column, Table, bundle_of, framed, named, visible
from vfdir_lab.projection import Definition, View
from vfdir_lab.projection.checking import CheckReport
from vfdir_lab.projection.connection import refusals_told
from vfdir_lab.projection.replay import ReplayReport
from vfdir_lab.projection.shelf import Projection, Projections
from vfdir_lab.sync import PullReport
from vfdir_lab.sync.exports_report import ImportReport
from vfdir_lab.sync.media_report import MediaReport
from vfdir_lab.sync.push_report import PushPlan, PushReport
from vfdir_lab.sync.undo import TakenBack

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

SHOWN = 50
COUNTED = 1_000

_NUMBER = re.compile(r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|DECIMAL\(.*\)|FLOAT|DOUBLE|BIGNUM")
_TIME = "TIMESTAMP WITH TIME ZONE"
_UTC = "+00"
_EXPLAINED = ["explain_key", "explain_value"]
Renderer = Callable[[Any], Bundle]
_TEXTS: tuple[type, ...] = (
    CheckReport,
    CompactReport,
    ImportReport,
    MediaReport,
    MergeReport,
    ReplayReport,
    Snapshot,
    TakenBack,
)


def show_in(shell: InteractiveShell, session: Session) -> None:
    """Register the displays with a shell."""
    formatter = shell.display_formatter
    if formatter is None:
        return
    register = formatter.mimebundle_formatter.for_type
    register(duckdb.DuckDBPyRelation, lambda relation: session.prepared(relation) or _shown(relation))
    renderers: dict[type, Renderer] = {
        View: _guarded(view_bundle),
        Projections: _guarded(projections_bundle),
        Projection: _guarded(projection_bundle),
        Definition: definition_bundle,
        PullReport: pull_bundle,
        PushReport: push_bundle,
        PushPlan: plan_bundle,
        VerifyReport: verify_bundle,
        Status: status_bundle,
    }
    for type_, renderer in renderers.items():
        register(type_, renderer)
    for type_ in _TEXTS:
        register(type_, lambda report: text_bundle(str(report), type(report).__name__))


def relation_bundle(relation: duckdb.DuckDBPyRelation) -> Bundle:
    """The first rows of a relation, with the type of each column; times are in UTC.

    Raises:
        QueryError: DuckDB fails while it runs.
    """
    with refusals_told():
        texts = relation.limit(COUNTED + 1).project("CAST(COLUMNS(*) AS VARCHAR)").to_arrow_table()
    values = [column.slice(0, SHOWN).to_pylist() for column in texts.columns]
    if relation.columns == _EXPLAINED:
        return text_bundle("\n".join(values[1]), "query plan")
    shown = [_column(*one) for one in zip(relation.columns, map(str, relation.types), values, strict=True)]
    rows = list(zip(*(cells for _, cells in shown), strict=True))
    columns = tuple(column for column, _ in shown)
    return bundle_of(Table(caption=_count(texts.num_rows), columns=columns, rows=rows))


def _column(name: str, type_: str, values: list[str | None]) -> tuple[Column, list[str | None]]:
    """A column's head and what is shown of it; that times are in UTC is said once, in the head."""
    if type_ == _TIME and all(value is None or value.endswith(_UTC) for value in values):
        times = [None if value is None else value.removesuffix(_UTC) for value in values]
        return Column(name=name, note="TIMESTAMPTZ, UTC"), times
    is_number = _NUMBER.fullmatch(type_) is not None
    return Column(name=name, note=type_.strip('"'), numeric=is_number), values


def _count(rows: int) -> str:
    if rows > COUNTED:
        return f"the first {SHOWN} of more than {COUNTED:,} rows"
    if rows > SHOWN:
        return f"the first {SHOWN} of {rows:,} rows"
    return f"{rows} row{'' if rows == 1 else 's'}"


def _shown(relation: duckdb.DuckDBPyRelation) -> Bundle:
    """As `relation_bundle`; a display has nobody to raise to, so what went wrong is shown in its place."""
    return _guarded(relation_bundle)(relation)


def _guarded(renderer: Renderer) -> Renderer:
    def render(value: Any) -> Bundle:
        try:
            return renderer(value)
        except VfdirError as error:
            return text_bundle(f"{type(error).__name__}: {error}", "error")

    return render


def text_bundle(text: str, label: str) -> Bundle:
    """Lines of text as they are."""
    shown = "\n".join(map(visible, text.splitlines()))
    return {"text/plain": shown, "text/html": framed(f"<pre>{html.escape(shown)}</pre>", label)}


def view_bundle(view: View) -> Bundle:
    """Which versions a view reads through, and from where. Raises VfdirError: its lens does not run."""
    standpoint = view.standpoint
    when = "newest" if view.head is None else f"head {standpoint.head}"
    so = f", what was so before {view.at:%Y-%m-%d %H:%M:%S} UTC" if view.at else ""
    rows = [[one.name, f"v{one.version}", one.title, one.source] for one in standpoint.lens.definitions]
    return bundle_of(
        Table(
            caption=f"View through the lens {view.name}, {when}{so}",
            columns=named("projection", "version", "title", "whose"),
            rows=sorted(rows),
        )
    )


def projections_bundle(shelf: Projections) -> Bundle:
    """Every version there is, which lenses use it, and files that cannot be read."""
    return bundle_of(
        Table(
            caption="Projections",
            columns=named("projection", "version", "title", "whose", "in the lens", "refreshed"),
            rows=[
                [one.name, f"v{one.version}", one.title, one.source, ", ".join(one.lenses), one.refresh]
                for one in shelf.versions()
            ],
            notes=tuple(str(problem) for problem in shelf.problems),
        )
    )


def projection_bundle(projection: Projection) -> Bundle:
    """The versions of one projection. Raises UsageError: there is no such projection."""
    return bundle_of(
        Table(
            caption=f"Versions of {projection.name}",
            columns=named("version", "title", "whose", "rule"),
            rows=[
                [f"v{one.version}", one.title, one.source, one.prose.partition("\n\n")[0]]
                for one in projection.versions
            ],
        )
    )


def definition_bundle(definition: Definition) -> Bundle:
    """The text of one version."""
    return text_bundle(definition.sql.rstrip(), definition.called)


def pull_bundle(report: PullReport) -> Bundle:
    """What was found, a row a channel."""
    counts = ("new", "changed", "moved", "vanished", "requests", "waited")
    notes = [f"{one.title or one.name}: {note}" for one in report.channels for note in one.notes]
    notes += [f"{one.name}: {one.error}" for one in report.channels if one.error]
    return bundle_of(
        Table(
            caption=f"Pulled as {report.account}, {report.requests} requests",
            columns=named("channel", *counts, "state", numeric=counts),
            rows=report.rows(),
            notes=tuple(notes),
        )
    )


def push_bundle(report: PushReport) -> Bundle:
    """What became of each transaction, a row each."""
    if not report.transactions:
        return text_bundle(str(report), "push")
    return bundle_of(
        Table(
            caption=f"Pushed, {report.requests} requests",
            columns=named("transaction", "state", "requests", "why", numeric=["requests"]),
            rows=report.rows(),
            notes=tuple(report.lines()),
        )
    )


def plan_bundle(plan: PushPlan) -> Bundle:
    """What a push would send, a row a request."""
    if not plan.requests:
        return text_bundle(str(plan), "push")
    return bundle_of(
        Table(
            caption=f"To be sent: {len(plan.requests)} requests",
            columns=named("transaction", "request", "body", "waits"),
            rows=plan.rows(),
        )
    )


def verify_bundle(report: VerifyReport) -> Bundle:
    """What was proven; a row for each thing that is wrong."""
    if report.ok:
        return text_bundle(str(report), "verify")
    count = len(report.problems)
    return bundle_of(
        Table(
            caption=f"{count} problem{'s' if count > 1 else ''} in {report.segments} segments",
            columns=named("file", "what is wrong", "lost"),
            rows=[[one.path, one.what, one.lost] for one in report.problems],
            notes=(f"head {report.head}",),
        )
    )


def status_bundle(status: Status) -> Bundle:
    """What is here, a row a channel, and beneath it what stands in the way of more."""
    rows = [
        [
            row["slug"],
            row["title"],
            row["visibility"],
            str(row["length"]),
            *(
                None if row[name] is None else f"{row[name]:%Y-%m-%d %H:%M:%S}"
                for name in ("seen_at", "whole_at")
            ),
        ]
        for row in status.channels
    ]
    notes = [f"{status.events:,} events in {status.segments} segments, head {status.head}"]
    if status.wishes or status.waiting or status.conflicts:
        notes.append(
            f"wishes: {status.wishes} open, {status.waiting} waiting for you, {status.conflicts} in conflict"
        )
    notes += [f"lost: {lost}" for lost in status.regressions]
    notes += [f"missing: {gap}" for gap in status.missing]
    notes += [f"refused: {one.path}: {one.reason}" for one in status.refused]
    notes += [f"unknown: {count} events of {kind}" for kind, count in status.unknown_kinds.items()]
    return bundle_of(
        Table(
            caption=f"{status.path}: {len(status.channels)} channels, {status.blocks:,} blocks",
            columns=named(
                "slug", "title", "visibility", "length", "seen (UTC)", "whole (UTC)", numeric=["length"]
            ),
            rows=rows,
            notes=tuple(notes),
        )
    )
