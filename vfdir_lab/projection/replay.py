"""Replay: compute the projections of a lens from the log again, and keep them as checkpoints.

Never needed for an answer to be right, only for it to be quick. Guarantees: nothing is sent and nothing is
written but below the cache; projection by projection, each whole or not there, so that an interrupted replay
goes on where it stopped; two at once do no harm. Checked by `tests/projection/test_replay*.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

import duckdb

from vfdir_lab.errors import LogError
from vfdir_lab.log import EventLog, Segment
from vfdir_lab.log.listing import LISTING_TRIES
from vfdir_lab.projection.checkpoint import Made, events_up_to
from vfdir_lab.projection.checkpoints import Checkpoints
from vfdir_lab.projection.connection import connect, quoted
from vfdir_lab.projection.definition import LEAF, Definition
from vfdir_lab.projection.incremental import Ground, Refresh
from vfdir_lab.projection.lens import Lens
from vfdir_lab.projection.opening import (
    FOREIGN,
    Opened,
    Standpoint,
    meaning,
    named,
    open_connection,
)
from vfdir_lab.projection.refresh import refresh_rule
from vfdir_lab.projection.slices import Slices, cut, slices_needed

Progress = Callable[[int, int, str], None]
"""Told before each projection: how many are done, of how many, the name of the next; empty at the end."""

MEMORY_MIB = 1200
"""So much a replay takes before it spills to disk; with what Arrow and Python hold it stays below 2 GiB."""
MEANS: tuple[dict[str, int], ...] = ({"memory_mib": MEMORY_MIB}, {"memory_mib": MEMORY_MIB, "threads": 1}, {})
"""With what a replay is tried, in turn: some operators do not spill, and each thread takes its own."""
MANY_EVENTS = 20_000
MANY_SHARE = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayReport:
    """What a replay did.

    `rows` counts the rows of each projection that was computed, `reused` names those whose checkpoint was
    there already. `kept_out` says of the others why there is none of them. `seconds` is the time it took.
    """

    rows: dict[str, int] = field(default_factory=dict)
    reused: tuple[str, ...] = ()
    kept_out: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    def __str__(self) -> str:
        computed = f"{len(self.rows)} projections computed, {sum(self.rows.values()):,} rows"
        lines = [f"{computed}, {len(self.reused)} reused, in {self.seconds:.1f} s"]
        return "\n".join(
            [*lines, *(f"no checkpoint of {name}: {why}" for name, why in self.kept_out.items())]
        )


def replay(  # noqa: PLR0913 - what may be chosen of a replay
    log: EventLog,
    cache: Path,
    lens: Lens,
    *,
    only: Collection[str] | None = None,
    full: bool = False,
    used_by: Sequence[Lens] = (),
    on_progress: Progress = lambda _done, _all, _name: None,
) -> ReplayReport:
    """Make a checkpoint of each projection of a lens (`only` of those named) at the present head.

    What is there from before is gone on from, unless `full`. Checkpoints of lenses that are neither this nor
    `used_by` are removed when there are many.

    Raises:
        ArchiveWriteError: the cache refuses to be written; queries go on without.
        QueryError: DuckDB refuses the SQL of a projection. LogDamagedError: segments cannot be read.
        LogError: the files keep changing.
    """
    began = perf_counter()
    run = _Run(log, Checkpoints(cache), lens, full=full)
    chosen = [one for one in lens.definitions if only is None or one.name in only]
    with closing(run):
        for done, definition in enumerate(chosen):
            on_progress(done, len(chosen), definition.name)
            run.keep(definition)
    run.checkpoints.tidy([print_ for one in (lens, *used_by) for print_ in one.fingerprints.values()])
    on_progress(len(chosen), len(chosen), "")
    return ReplayReport(
        rows=run.rows, reused=tuple(run.reused), kept_out=run.kept_out, seconds=perf_counter() - began
    )


def needs_replay(log: EventLog, cache: Path, lens: Lens) -> bool:
    """Whether so many events came since the checkpoints of a lens that making new ones is worth the while."""
    coverage, checkpoints = log.coverage(), Checkpoints(cache)
    if coverage.events <= MANY_EVENTS:
        return False
    new = 0
    for definition in lens.definitions:
        if definition.source == "shipped":  # of a person's own there may be none, whatever is done
            found = checkpoints.newest(lens.fingerprints[definition.name], coverage.head, coverage)
            new = max(new, coverage.events - (0 if found is None else sum(found.head.values())))
    return new > max(MANY_EVENTS, MANY_SHARE * coverage.events)


def unsteady_part(lens: Lens, definition: Definition) -> str | None:
    """Why no checkpoint is made of a projection: what it is made of is another at each moment. Else None."""
    rule = refresh_rule(definition)
    if not rule.steady:
        return rule.reason
    for name in sorted(definition.reads - {LEAF}):
        if unsteady_part(lens, lens[name]) is not None:
            return f"it reads {name}, which is another each time it is asked for"
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A connection at work, with the views that are the quickest there are, over these segments."""

    opened: Opened
    ground: Ground
    refresh: Refresh
    segments: tuple[Segment, ...]
    confined: bool


class _Run:
    """One replay: the head it is at, the connection it goes by, and what it did so far."""

    def __init__(self, log: EventLog, checkpoints: Checkpoints, lens: Lens, *, full: bool) -> None:
        self.checkpoints = checkpoints
        self.rows: dict[str, int] = {}
        self.reused: list[str] = []
        self.kept_out: dict[str, str] = {}
        self._log = log
        self._full = full
        self._stand = Standpoint(head=log.coverage().head, lens=lens, at=None)
        self._work: Work | None = None
        self._slices: Slices | None = None
        self._means = list(MEANS)

    def close(self) -> None:
        """Remove what only this run was in need of."""
        if self._slices is not None:
            self._slices.close()

    def keep(self, definition: Definition) -> None:
        """Make the checkpoint of a projection, unless it is there."""
        why = unsteady_part(self._stand.lens, definition)
        if why is not None:
            self.kept_out[definition.name] = why
            return
        for _ in range(LISTING_TRIES):
            try:
                self._work = self._work or self._begin()
                self._make(self._work, definition)
            except FOREIGN as error:
                if isinstance(error, duckdb.OutOfMemoryException) and len(self._means) > 1:
                    del self._means[0]
                elif not self._lacks_files(error):
                    raise meaning(self._log, error) from error
                self._work = None
            else:
                return
        raise self._log.unquiet()

    def _begin(self) -> Work:
        """Open a connection; listed anew, for compactions go on meanwhile."""
        ground = Ground(
            log=self._log,
            coverage=self._log.require(self._stand.head),
            head=self._stand.head,
            checkpoints=self.checkpoints,
            accepts=lambda name, _checkpoint: not self._full or name in self.rows,
        )
        confined = not self._stand.lens.is_shipped
        segments = ground.coverage.upto(self._stand.head)
        connection = connect(**self._means[0])
        opened = open_connection(self._log, segments, self._stand, confined=confined, connection=connection)
        refresh = Refresh(opened.connection, ground, self._stand.lens, confined=confined)
        return Work(
            opened=opened, ground=ground, refresh=refresh, segments=tuple(segments), confined=confined
        )

    def _make(self, work: Work, definition: Definition) -> None:
        name = definition.name
        made = self._made(work, name)
        found = work.ground.newest(name, made.fingerprint)
        if found is not None and found.head == made.head:
            self.reused.append(name)
            return
        queries = self._queries(work, definition, is_new=found is None)
        count = self.checkpoints.write(work.opened.connection, queries, definition.keys, made)
        if count is None:
            self.kept_out[name] = "a column is of a type that Parquet does not keep"
        else:
            self.rows[name] = count
            work.opened.names.discard(name)  # who reads it next reads its checkpoint

    def _queries(self, work: Work, definition: Definition, *, is_new: bool) -> list[str]:
        """What gives the rows of a projection; of a large log slice by slice, where that is the same."""
        column = refresh_rule(definition).column
        if is_new and column is not None and definition.keys[0].lower() == column:
            slices = self._cut(work)
            if slices is not None:
                return slices.selects(work.opened.connection, definition, confined=work.confined)
        work.opened.show(named(self._stand.lens, definition.name), work.refresh)
        return [f"FROM {quoted(definition.name)}"]

    def _cut(self, work: Work) -> Slices | None:
        """The slices of a large log, made when they are first wanted; None: it is not large."""
        if self._slices is None:
            count = slices_needed(self._log, work.segments)
            if count > 1:
                connection, head = connect(**self._means[0]), self._stand.head
                self._slices = cut(connection, self._log, work.segments, head, count=count)
        return self._slices

    def _made(self, work: Work, name: str) -> Made:
        events = events_up_to(work.ground.coverage, self._stand.head)
        if events is None:  # what counts ends where an append ended
            raise LogError(f"the log in {self._log.root} changed while it was replayed; run it again")
        return Made(fingerprint=self._stand.lens.fingerprints[name], head=self._stand.head, events=events)

    def _lacks_files(self, error: Exception) -> bool:
        """Whether files went away, so that it is worth to begin anew."""
        if self._work is None:
            return isinstance(error, FileNotFoundError)
        gone = [path for path in self._work.opened.segments if not path.exists()]
        broken = [one for one in self._work.refresh.used if self.checkpoints.forget(one)]
        return bool(gone or broken)
