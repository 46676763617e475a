"""The engine: answers queries over a log, each from one standpoint.

Owns the connections, which `opening.py` opens and which are kept as long as they answer the same. Where there
are checkpoints, an answer is read from them and the events after them; anything wrong with one means that it
is computed in full. An answer whose files a compaction took away begins again over those that replaced them.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, TypeVar

import duckdb
import pyarrow as pa

from vfdir_lab.errors import LogError, QueryError, VfdirError
from vfdir_lab.log import Coverage, EventLog, Head
from vfdir_lab.log.listing import LISTING_TRIES
from vfdir_lab.projection.checkpoints import Checkpoints
from vfdir_lab.projection.connection import connect, plainly
from vfdir_lab.projection.definition import LEAF
from vfdir_lab.projection.incremental import Ground
from vfdir_lab.projection.leaf import SOURCE
from vfdir_lab.projection.lens import Lens, default_lens
from vfdir_lab.projection.opening import (
    FOREIGN,
    Opened,
    Standpoint,
    gone_is_named,
    is_survey,
    meaning,
    named,
    open_best,
)
from vfdir_lab.projection.source import add_tables, as_table, paths_of, read_events

__all__ = ["Engine", "Standpoint", "read_sql"]

KEPT_CONNECTIONS = 6
_ALLOWED = (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN)

Cache = Path | Callable[[], Path] | None
Answer = TypeVar("Answer")


class Engine:
    """Answers queries over a log; where no lens is given, through the shipped default.

    `cache` is the folder where checkpoints may be, or gives it when first needed; None: there are none.
    """

    def __init__(self, log: EventLog, cache: Cache = None) -> None:
        self._log = log
        self._cache = cache
        self._checkpoints: Checkpoints | None = None
        self._ground: Ground | None = None
        self._kept: OrderedDict[object, Opened] = OrderedDict()
        self._facts: duckdb.DuckDBPyConnection | None = None
        self._facts_over: tuple[tuple[Path, ...], Head] | None = None
        self._asked: Opened | None = None

    def interrupt(self) -> None:
        """End the query that runs in another thread, if one does; it fails there."""
        if self._asked is not None:
            self._asked.connection.interrupt()

    @property
    def notices(self) -> tuple[str, ...]:
        """What a person may want to know of the checkpoints: each said once."""
        return () if self._checkpoints is None else tuple(self._checkpoints.notices)

    def arrow(
        self,
        query: str,
        parameters: Mapping[str, object] | None = None,
        *,
        head: Head | None = None,
        lens: Lens | None = None,
    ) -> pa.Table:
        """The answer to one of our own queries, as an Arrow table.

        `head` defaults to everything that counts now.
        """
        given = dict(parameters or {})
        _, answer = self._ask(
            lambda: self._trusting(query, head, lens),
            lambda opened: opened.connection.sql(query, params=given).to_arrow_table(),
        )
        return answer

    def facts(self, query: str, parameters: Mapping[str, object], *, head: Head) -> pa.Table:
        """The answer to one of our own queries over `events` alone: no projection is set up for it."""
        given = dict(parameters)
        _, answer = self._ask(
            lambda: self._only_events(head),
            lambda opened: opened.connection.sql(query, params=given).to_arrow_table(),
        )
        return answer

    def stream(
        self,
        query: str,
        parameters: Mapping[str, object] | None = None,
        *,
        head: Head | None = None,
        lens: Lens | None = None,
    ) -> Iterator[pa.RecordBatch]:
        """As `arrow`, a batch at a time. One answer at a time: the next query ends it.

        Raises:
            LogError: files went away while the answer was under way; ask again.
        """
        given = dict(parameters or {})

        def begin(opened: Opened) -> tuple[pa.RecordBatchReader, pa.RecordBatch | None]:
            reader = opened.connection.sql(query, params=given).to_arrow_reader(10_000)
            return reader, next(reader, None)

        opened, (reader, first) = self._ask(lambda: self._trusting(query, head, lens), begin)
        if first is None:
            return
        yield first
        try:
            yield from reader
        except FOREIGN as error:
            if self._went_away(opened):
                raise LogError(
                    "files went away while this answer was being read (a compaction); run it again"
                ) from error
            raise meaning(self._log, error) from error

    def relation(
        self,
        query: str,
        *,
        head: Head | None = None,
        lens: Lens | None = None,
        at: datetime | None = None,
        tables: Mapping[str, object] | None = None,
    ) -> duckdb.DuckDBPyRelation:
        """A person's query, confined, as a lazy relation.

        `at` asks for what was so before that moment, as far as is known at the head. `tables` are further
        tables of the person's own: anything with `__arrow_c_stream__`.

        Raises:
            QueryError: it is not one reading statement, or DuckDB refuses it.
            UsageError: a table of `tables` is no table, or takes a name that is in use.
        """
        if not isinstance(query, str):
            raise QueryError("a query is a text, in Unicode")
        own = {name: as_table(name, table) for name, table in (tables or {}).items()}

        def ask(opened: Opened) -> duckdb.DuckDBPyRelation:
            if not _is_select(opened.connection, query) and not own:
                # EXPLAIN ANALYZE runs what it explains: it has a connection to itself.
                opened = self._open(query, self._stand(head, lens, at), confined=True, alone=True)
                self._asked = opened
            return opened.connection.sql(query)

        _, relation = self._ask(
            lambda: self._open(query, self._stand(head, lens, at), confined=True, tables=own),
            ask,
            lambda error: QueryError(plainly(error)),
        )
        if relation is None:
            raise QueryError("this statement gives no rows")
        return relation

    def _stand(self, head: Head | None, lens: Lens | None, at: datetime | None = None) -> Standpoint:
        known = self._log.coverage().head if head is None else head
        return Standpoint(head=known, lens=lens or default_lens(), at=at)

    def _ask(
        self,
        open_: Callable[[], Opened],
        ask: Callable[[Opened], Answer],
        said: Callable[[Exception], VfdirError] | None = None,
    ) -> tuple[Opened, Answer]:
        """Open and ask, anew as long as files go away meanwhile. `said` is what another failure means.

        Raises:
            LogError: the files keep changing.
        """
        for _ in range(LISTING_TRIES):
            opened = None
            try:
                opened = self._asked = open_()
                return opened, _answer(opened, ask)
            except FOREIGN as error:
                if not (isinstance(error, FileNotFoundError) if opened is None else self._went_away(opened)):
                    raise (said(error) if said else meaning(self._log, error)) from error
        raise self._log.unquiet()

    def _trusting(self, query: str, head: Head | None, lens: Lens | None) -> Opened:
        """A connection for our own queries; confined where the views beneath them are a person's."""
        stand = self._stand(head, lens)
        return self._open(query, stand, confined=not stand.lens.is_shipped)

    def _only_events(self, head: Head) -> Opened:
        """The connection without projections; set up anew only where another head, or other files, are asked.

        Files that went away since show in the answer, as anywhere.
        """
        if self._facts is None:
            self._facts = connect()
        segments = self._log.require(head).upto(head)
        paths = paths_of(self._log, segments)
        if self._facts_over != (paths, head):
            self._facts_over = None
            with gone_is_named(paths):
                read_events(self._facts, self._log, segments, head)
            self._facts_over = (paths, head)
        return Opened(connection=self._facts, segments=paths)

    def _open(
        self,
        query: str,
        stand: Standpoint,
        *,
        confined: bool,
        tables: Mapping[str, pa.Table] | None = None,
        alone: bool = False,
    ) -> Opened:
        """A connection that answers the query from there; one that is `alone`, or has tables, only that."""
        coverage = self._log.require(stand.head)
        segments = coverage.upto(stand.head)
        survey = is_survey(query)
        names = frozenset(stand.lens.versions) if survey else named(stand.lens, query)
        kept = self._listing(stand.lens, names) if stand.at is None and not survey else ()
        key = (tuple(segment.path for segment in segments), stand.head, stand.at, stand.lens.fingerprint)
        if not (tables or alone) and (*key, confined, kept) in self._kept:
            self._kept.move_to_end((*key, confined, kept))
            opened = self._kept[*key, confined, kept]
            opened.show(names)
            return opened
        ground = self._grounded(coverage, stand.head) if kept else None
        opened = open_best(self._log, segments, stand, confined=confined, ground=ground, names=names)
        if tables or alone:
            add_tables(opened.connection, tables or {}, {SOURCE, LEAF, *stand.lens.versions})
            return opened
        self._kept[*key, confined, kept] = opened
        while len(self._kept) > KEPT_CONNECTIONS:
            self._kept.popitem(last=False)
        return opened

    def _listing(self, lens: Lens, names: frozenset[str]) -> tuple[object, ...]:
        """The checkpoint files there are of these projections: others, and it is another connection."""
        if not names or self._cache is None:
            return ()
        if self._checkpoints is None:
            try:
                folder = self._cache if isinstance(self._cache, Path) else self._cache()
            except VfdirError:  # this machine has no place for them: answers are computed in full
                return ()
            self._checkpoints = Checkpoints(folder)
        return self._checkpoints.listing(lens.fingerprints[name] for name in sorted(names))

    def _grounded(self, coverage: Coverage, head: Head) -> Ground | None:
        """What refreshes stand on, kept so that several connections find out once what is touched."""
        if self._checkpoints is None:
            return None
        if self._ground is None or self._ground.coverage is not coverage or self._ground.head != head:
            self._ground = Ground(log=self._log, coverage=coverage, head=head, checkpoints=self._checkpoints)
        return self._ground

    def _went_away(self, opened: Opened) -> bool:
        """Whether files that an answer needed are gone or broken, so that it is worth to begin anew."""
        missing = [path for path in opened.segments if not path.exists()]
        for path in missing:
            self._log.look_again(path.relative_to(self._log.root).as_posix())
        known = self._checkpoints
        broken = [one for one in opened.checkpoints if known is not None and known.forget(one)]
        if missing or broken:
            for key in [key for key, kept in self._kept.items() if kept is opened]:
                del self._kept[key]
        return bool(missing or broken)


def _answer(opened: Opened, ask: Callable[[Opened], Answer]) -> Answer:
    """The answer; a query may look at tables that it does not name in so many words (`SHOW TABLES`)."""
    try:
        return ask(opened)
    except duckdb.CatalogException:
        if not opened.show():
            raise
        return ask(opened)


def read_sql(folder: Traversable, name: str) -> str:
    """The text of one of our own `.sql` files."""
    return (folder / f"{name}.sql").read_text("utf-8")


def _is_select(connection: duckdb.DuckDBPyConnection, query: str) -> bool:
    """Whether a query is a plain SELECT; EXPLAIN and such read, too.

    Raises:
        QueryError: it does anything else.
    """
    try:
        statements = connection.extract_statements(query)
    except TypeError as error:
        raise QueryError("a query is a text, in Unicode") from error
    if len(statements) != 1 or not _reads(statements[0], query):
        raise QueryError(
            "one SELECT at a time: a query reads the archive, it does not change it (facts come by "
            "`pull`, wishes by `transaction`)"
        )
    return bool(statements[0].type == duckdb.StatementType.SELECT)


def _reads(statement: Any, query: str) -> bool:
    try:
        kind = statement.type
    except ValueError:  # DuckDB parses statements that its own list of types does not have
        return False
    if kind == duckdb.StatementType.MULTI:  # a PIVOT is two statements to the parser
        return query.lstrip("( \n\t").lower().startswith(("pivot", "unpivot", "from", "with", "select"))
    return kind in _ALLOWED
