"""Opening a connection that answers from a standpoint: one coverage, one head, a view for each projection.

Two sorts, over the same views. The *trusted* one reads Parquet itself and runs only SQL that ships with
vfdir_lab. The *confined* one is for what a person types: segments are registered as datasets, then external
access is switched off and the configuration locked, so no statement can read or write a file. (Allowing the
folder instead would not do: `COPY … TO` overwrites a segment, also hidden inside a SELECT.) The rows of a
small log are read into either once, before the lock.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import duckdb
import pyarrow as pa

from vfdir_lab.errors import LogDamagedError, QueryError
from vfdir_lab.log import EventLog, Head, Segment
from vfdir_lab.projection.catalogue import needed
from vfdir_lab.projection.checkpoint import Checkpoint
from vfdir_lab.projection.connection import confine, connect, plainly, quoted, set_view
from vfdir_lab.projection.definition import Definition
from vfdir_lab.projection.incremental import Ground, Refresh
from vfdir_lab.projection.leaf import cut_of
from vfdir_lab.projection.lens import Lens
from vfdir_lab.projection.source import (
    hold_events,
    is_small,
    keep_events,
    paths_of,
    read_events,
    segments_dataset,
)

FOREIGN = (duckdb.Error, pa.ArrowException, OSError)
"""What goes wrong where files are read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standpoint:
    """From where a question is answered: at a head, through a lens, and, with `at`, as things were then."""

    head: Head
    lens: Lens
    at: datetime | None


_SURVEYS = frozenset({"show", "information_schema", "sqlite_master", "sqlite_schema"})
"""Words of queries about the tables there are."""


@dataclass(slots=True, kw_only=True)
class Opened:
    """A connection that answers, with the files that it reads.

    Views are set up when a query names them, since each costs some milliseconds: `names` are there already.
    """

    connection: duckdb.DuckDBPyConnection
    segments: tuple[Path, ...]
    definitions: tuple[Definition, ...] = ()
    checkpoints: tuple[Checkpoint, ...] = ()
    names: set[str] = field(default_factory=set)

    def show(self, names: Collection[str] | None = None, refresh: Refresh | None = None) -> bool:
        """Set up the views of these projections (`names` with all they read), or of all.

        With a `refresh`, over checkpoints where any serves. Returns whether any was missing.
        """
        missing = [
            one
            for one in self.definitions
            if (names is None or one.name in names) and one.name not in self.names
        ]
        for one in missing:
            quick = refresh.view(one) if refresh is not None else None
            set_view(self.connection, one.name, quick or _countable(one))
            self.names.add(one.name)
        return bool(missing)


def _countable(definition: Definition) -> str:
    """The SELECT of a definition, of which a query that only counts its rows does not compute every column.

    DuckDB leaves out the columns that nobody asks for, but of a query with a WITH only where some column is
    asked for (decisions/0020). The join with nothing asks for the key, and gives the same rows.
    """
    key = f'CAST("its rows".{quoted(definition.keys[0])} AS VARCHAR)'
    nothing = '(SELECT CAST(NULL AS VARCHAR) AS "key" WHERE false) AS "nothing"'
    rows = f'({definition.view}) AS "its rows"'
    return f'SELECT "its rows".* FROM {rows} LEFT JOIN {nothing} ON "nothing"."key" = {key}'


def named(lens: Lens, query: str) -> frozenset[str]:
    """The projections that a query may read, as its words have it, and all that those read."""
    return frozenset(one.name for one in needed(lens.definitions, re.findall(r"\w+", query.lower())))


def is_survey(query: str) -> bool:
    """Whether a query is about the tables there are."""
    words = re.findall(r"\w+", query.lower())
    return any(word in _SURVEYS or word.startswith(("duckdb_", "pg_")) for word in words)


def open_connection(  # noqa: PLR0913 - what a connection is made of
    log: EventLog,
    segments: Sequence[Segment],
    stand: Standpoint,
    *,
    confined: bool,
    ground: Ground | None = None,
    names: Collection[str] = (),
    connection: duckdb.DuckDBPyConnection | None = None,
) -> Opened:
    """A connection over these segments, with the views of `names`; with a `ground`, by checkpoints.

    It is a new one, unless one is given that nothing was done with.

    Raises:
        duckdb.Error, OSError, pa.ArrowException: a file went away, or SQL of the lens is refused.
    """
    paths = paths_of(log, segments)
    connection = connection or connect()
    with gone_is_named(paths):
        if is_small(log, segments):
            keep_events(connection, log, segments, stand.head, stand.at)
        elif confined:
            rows = segments_dataset(paths, cut_of(segments, stand.head))
            hold_events(connection, rows, segments, stand.head, stand.at)
        else:
            read_events(connection, log, segments, stand.head, stand.at)
        if confined:
            confine(connection)
        opened = Opened(connection=connection, segments=paths, definitions=stand.lens.definitions)
        refresh = Refresh(connection, ground, stand.lens, confined=confined) if ground is not None else None
        opened.show(names, refresh)
        opened.checkpoints = tuple(refresh.used) if refresh is not None else ()
    return opened


def open_best(
    log: EventLog,
    segments: Sequence[Segment],
    stand: Standpoint,
    *,
    confined: bool,
    ground: Ground | None,
    names: Collection[str],
) -> Opened:
    """As `open_connection`, but whatever is wrong with checkpoints is no error: it goes without."""
    if ground is not None:
        with suppress(*FOREIGN):
            return open_connection(log, segments, stand, confined=confined, ground=ground, names=names)
    return open_connection(log, segments, stand, confined=confined, names=names)


@contextmanager
def gone_is_named(paths: Sequence[Path]) -> Iterator[None]:
    """Where files are opened: that one of them went away is a FileNotFoundError, however it shows."""
    try:
        yield
    except FOREIGN as error:
        if not all(path.exists() for path in paths):
            raise FileNotFoundError(str(error)) from error
        raise


def meaning(log: EventLog, error: Exception) -> LogDamagedError | QueryError:
    """What a failed read means: broken segments, if hashing finds any; else the error itself."""
    broken = log.recheck()
    if not broken:
        return QueryError(plainly(error))
    names = ", ".join(one.path for one in broken)
    return LogDamagedError(f"{names}: not readable as recorded; `vfdir-lab verify` says what is lost with it")
