"""Opening a connection that answers from a standpoint: one coverage, one head, a view for each projection.

Two sorts, over the same views. The *trusted* one reads Parquet itself and runs only SQL that ships with
vfdir_lab. The *confined* one is for what a person types: segments are registered as datasets, then external
access is switched off and the configuration locked, so no statement can read or write a file. (Allowing the
folder instead would not do: `COPY … TO` overwrites a segment, also hidden inside a SELECT.)
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
from vfdir_lab.projection.checkpoint import Checkpoint
from vfdir_lab.projection.connection import confine, connect, plainly, quoted
from vfdir_lab.projection.definition import LEAF, Definition
from vfdir_lab.projection.incremental import Ground, Refresh
from vfdir_lab.projection.leaf import SOURCE, events_sql
from vfdir_lab.projection.lens import Lens
from vfdir_lab.projection.source import segments_dataset, segments_sql

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

    def show(self, names: Collection[str] | None = None) -> bool:
        """Set up the views of these projections (and all they read), or of all; whether any was missing."""
        missing = [
            one
            for one in self.definitions
            if (names is None or one.name in names) and one.name not in self.names
        ]
        for one in missing:
            self.connection.execute(f"CREATE OR REPLACE VIEW {quoted(one.name)} AS {one.view}")
            self.names.add(one.name)
        return bool(missing)


def paths_of(log: EventLog, segments: Sequence[Segment]) -> tuple[Path, ...]:
    """Where the files of these segments are."""
    return tuple(log.path(segment) for segment in segments)


def named(lens: Lens, query: str) -> frozenset[str]:
    """The projections that a query may read, as its words have it, and all that those read."""
    words = frozenset(re.findall(r"\w+", query.lower()))
    found: set[str] = set()
    for definition in reversed(lens.definitions):
        if definition.name in words or definition.name in found:
            found |= {definition.name} | (definition.reads - {LEAF})
    return frozenset(found)


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
    memory_mib: int | None = None,
) -> Opened:
    """A new connection over these segments, with the views of `names`; with a `ground`, by checkpoints.

    Raises:
        duckdb.Error, OSError, pa.ArrowException: a file went away, or SQL of the lens is refused.
    """
    paths = paths_of(log, segments)
    texts = list(map(str, paths))
    connection = connect(memory_mib=memory_mib)
    with gone_is_named(paths):
        if confined:
            connection.register(SOURCE, segments_dataset(texts))
            confine(connection)
        else:
            connection.execute(f"CREATE VIEW {SOURCE} AS {segments_sql(texts)}")
        connection.execute(f"CREATE VIEW {LEAF} AS {events_sql(segments, stand.head, stand.at)}")
        opened = Opened(connection=connection, segments=paths, definitions=stand.lens.definitions)
        if ground is None:
            opened.show(names)
            return opened
        refresh = Refresh(connection, ground, stand.lens, confined=confined)
        set_views(connection, stand.lens, names, refresh)
        opened.names |= set(names)
        opened.checkpoints = tuple(refresh.used)
    return opened


def set_views(
    connection: duckdb.DuckDBPyConnection, lens: Lens, names: Collection[str], refresh: Refresh | None = None
) -> None:
    """Make or replace the views of these projections, each after those it reads."""
    for definition in lens.definitions:
        if definition.name in names:
            view = refresh.view(definition) if refresh is not None else None
            sql = view or definition.view
            connection.execute(f"CREATE OR REPLACE VIEW {quoted(definition.name)} AS {sql}")


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
