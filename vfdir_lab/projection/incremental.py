"""Incremental refresh: a projection's rows from its checkpoint and the events after it, merged on read.

New events are those above the checkpoint's head, device by device, never by their stamps: a late merge brings
old ones. K is the set of objects they are about. Of a projection that is answered object by object
(`refresh.py`) the rows of K are computed from K's events, all others are the checkpoint's. One that takes
only events of kinds that are not among the new ones is its checkpoint as long as no row below it differs,
and so is one over other projections. Else that is computed in full over the refreshed parts; for its sake a
small one below that is computed in full is compared with its checkpoint. Nothing that is kept is rewritten.
That the rows are those of a full computation, for any cut, is checked by
`tests/projection/test_incremental.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from vfdir_lab.log import SCHEMA, Coverage, EventLog, Head
from vfdir_lab.projection.catalogue import needed
from vfdir_lab.projection.checkpoint import Checkpoint
from vfdir_lab.projection.checkpoints import Checkpoints
from vfdir_lab.projection.connection import connect, literal, quoted, set_view
from vfdir_lab.projection.definition import LEAF, Definition
from vfdir_lab.projection.leaf import SOURCE, events_sql
from vfdir_lab.projection.lens import Lens
from vfdir_lab.projection.picking import rows_about
from vfdir_lab.projection.refresh import refresh_rule
from vfdir_lab.projection.source import open_dataset, paths_of, read_events

SHARE = 0.2
"""Of the events: with more of them to be read again, computing in full is as quick."""
SMALL = 10_000
"""Rows: a checkpoint of no more is compared row by row with what is now, for the sake of what reads it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Touched:
    """The objects that new events are about (`object_id`), and the rows of the segments about them.

    `sql` is the SELECT of `events` over a table of those rows.
    """

    objects: pa.Table
    rows: pa.Table
    sql: str


@dataclass(frozen=True, kw_only=True)
class Ground:
    """What a refresh stands on: the events up to a head, and the checkpoints that may be used for it.

    `accepts` says of a projection's name and a checkpoint of it whether that may be used. What is found once
    is kept, so that a ground serves any number of connections.
    """

    log: EventLog
    coverage: Coverage
    head: Head
    checkpoints: Checkpoints
    accepts: Callable[[str, Checkpoint], bool] = lambda _name, _checkpoint: True
    _news: dict[Head, pa.Table] = field(default_factory=dict)
    _touched: dict[Head, Touched | None] = field(default_factory=dict)
    _computed: dict[Path, pa.Table] = field(default_factory=dict)

    def newest(self, name: str, fingerprint: str, *, proven: bool = True) -> Checkpoint | None:
        """The newest checkpoint of a projection that may be used; its bytes are looked at where `proven`."""
        found = self.checkpoints.newest(fingerprint, self.head, self.coverage, proven=proven)
        return found if found is not None and self.accepts(name, found) else None

    def news(self, since: Head) -> pa.Table:
        """What the events after `since` are about, and their kinds: `object_id`, `kind`, distinct."""
        if since not in self._news:
            self._news[since] = self._find_news(since)
        return self._news[since]

    def kinds(self, since: Head) -> frozenset[str]:
        """The kinds of the events after `since`."""
        return frozenset(self.news(since).column("kind").unique().to_pylist())

    def _find_news(self, since: Head) -> pa.Table:
        """By Arrow: to open a connection takes longer than to read some new segments."""
        found = [SCHEMA.empty_table().select(["object_id", "kind"])]
        for segment in self.coverage.upto(self.head):
            device, last = segment.footer.device, segment.footer.last
            if last > since.seq(device):
                file = pq.ParquetFile(self.log.path(segment))
                rows = file.read(["seq", "object_id", "kind"])
                seqs = rows.column("seq")
                new = pc.greater(seqs, since.seq(device))
                new = pc.and_(new, pc.less_equal(seqs, self.head.seq(device)))
                found.append(rows.filter(new).drop_columns("seq"))
        return pa.concat_tables(found).group_by(["object_id", "kind"]).aggregate([])

    def touched(self, since: Head) -> Touched | None:
        """What the events after `since` touch; None where that is too large a share of the log."""
        if since not in self._touched:
            self._touched[since] = self._find_touched(since)
        return self._touched[since]

    def _find_touched(self, since: Head) -> Touched | None:
        events = sum(self.head.values())
        most = int(SHARE * events)
        if events - sum(since.values()) > most:
            return None
        segments = self.coverage.upto(self.head)
        paths, among = paths_of(self.log, segments), self.coverage.events
        objects = pa.table({"object_id": self.news(since).column("object_id").unique()})
        rows = rows_about(objects, paths, among=among, at_most=most)
        if rows is None:
            return None
        return Touched(objects=objects, rows=rows, sql=events_sql(segments, self.head))

    def computed(self, lens: Lens, name: str, like: Checkpoint) -> pa.Table:
        """All rows of a shipped projection as they are now, spelled as in its checkpoint.

        By a connection of its own: a confined one begins to read the whole log where the SQL looks at little.
        """
        if like.path not in self._computed:
            with connect() as connection:
                read_events(connection, self.log, self.coverage.upto(self.head), self.head)
                refresh = Refresh(connection, self, lens, confined=False)
                for one in needed(lens.definitions, {name}):
                    quick = refresh.view(one) if one.name != name else None
                    set_view(connection, one.name, quick or one.view)
                self._computed[like.path] = connection.sql(like.spelled(quoted(name))).to_arrow_table()
        return self._computed[like.path]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a refresh does to a projection: the SELECTs of the rows of K, or of all, at a head, and now.

    `is_small` says that to compare them takes no time.
    """

    since: Head
    old: str
    new: str
    is_small: bool


class Refresh:
    """The views of a lens in one connection, over checkpoints where there are any that serve.

    `used` are the checkpoints that they read.
    """

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, ground: Ground, lens: Lens, *, confined: bool
    ) -> None:
        self.used: list[Checkpoint] = []
        self._connection = connection
        self._ground = ground
        self._lens = lens
        self._confined = confined
        self._tables: dict[tuple[str, Head], str] = {}
        self._same_since: dict[str, Head] = {}
        self._changes: dict[str, Change] = {}

    def view(self, definition: Definition) -> str | None:
        """The SELECT of a projection that reads its checkpoint; None: none serves, it is computed in full.

        To be asked of each projection after those it reads.
        """
        name, print_ = definition.name, self._lens.fingerprints[definition.name]
        rule = refresh_rule(definition)
        if rule.kind == "over projections":
            seen = self._ground.newest(name, print_, proven=False)
            if seen is None or not self._stays(definition, seen):
                return None  # to prove one that is not read would take time for nothing
        checkpoint = self._ground.newest(name, print_)
        if checkpoint is None:
            return None
        if not self._stays(definition, checkpoint):
            if rule.kind == "by object" and rule.column is not None:
                return self._by_object(definition, checkpoint, rule.column)
            return self._anew(definition, checkpoint) if rule.kind == "full" else None
        self._same_since[name] = checkpoint.head
        return self._rows(name, checkpoint)

    def _stays(self, definition: Definition, checkpoint: Checkpoint) -> bool:
        """Whether a projection's rows are those of its checkpoint, as far as that takes no time to see."""
        since, rule = checkpoint.head, refresh_rule(definition)
        if since == self._ground.head:
            return True
        if rule.takes is None or rule.takes & self._ground.kinds(since):
            return checkpoint.rows == 0 and rule.base is not None and not self._gives_rows(rule.base)
        return self._nothing_below_differs(definition, since)

    def _by_object(self, definition: Definition, checkpoint: Checkpoint, column: str) -> str | None:
        touched = self._ground.touched(checkpoint.head)
        if touched is None:
            return None
        objects = self._register("objects touched", checkpoint.head, touched.objects)
        rows = self._register("rows about them", checkpoint.head, touched.rows)
        kept = self._rows(definition.name, checkpoint)
        about = f"{quoted(column)} IN (SELECT object_id FROM {objects})"
        events = f"{SOURCE} AS (SELECT * FROM {rows}), {LEAF} AS ({touched.sql})"
        anew = f"(WITH {events} SELECT * FROM ({definition.view}))"
        found = self._connection.sql(checkpoint.spelled(anew)).to_arrow_table()
        change = Change(
            since=checkpoint.head,
            is_small=checkpoint.rows <= SMALL,
            old=f"SELECT * FROM ({kept}) WHERE {about}",
            new=checkpoint.select(self._register(f"new rows of {definition.name}", checkpoint.head, found)),
        )
        self._changes[definition.name] = change
        return f"SELECT * FROM ({kept}) WHERE NOT {about} UNION ALL {change.new}"

    def _anew(self, definition: Definition, checkpoint: Checkpoint) -> str | None:
        """Of a small one that others read: all of it as it is now, to be told whether it differs."""
        name, all_ = definition.name, self._lens.definitions
        is_read = any(name in one.reads for one in all_)
        is_shipped = all(one.source == "shipped" for one in needed(all_, {name}))
        if checkpoint.rows > SMALL or not (is_read and is_shipped):
            return None
        rows = self._ground.computed(self._lens, name, checkpoint)
        new = checkpoint.select(self._register(f"rows of {name}", checkpoint.head, rows))
        old = self._rows(name, checkpoint)
        self._changes[name] = Change(since=checkpoint.head, old=old, new=new, is_small=True)
        return new

    def _nothing_below_differs(self, definition: Definition, since: Head) -> bool:
        below = sorted(definition.reads - {LEAF})
        may = all(self._same_since.get(name) == since or self._changed_since(name) == since for name in below)
        return may and all(self._is_same(name, since) for name in below)

    def _changed_since(self, name: str) -> Head | None:
        """The head whose rows of a projection can be compared with those of now, if there is one."""
        return self._changes[name].since if name in self._changes else None

    def _is_same(self, name: str, since: Head) -> bool:
        """Whether the rows of a projection are those that it had at a head; False where that is not known."""
        change = self._changes.get(name)
        if name not in self._same_since and change is not None and not self._differs(change):
            self._same_since[name] = change.since
        return self._same_since.get(name) == since

    def _differs(self, change: Change) -> bool:
        """Whether rows differ. Of many, any row of K counts as such: to look it up would take too long."""
        old, new = change.old, change.new
        if change.is_small:
            return self._gives_rows(f"({old} EXCEPT ALL {new}) UNION ALL ({new} EXCEPT ALL {old})")
        return self._gives_rows(new) or self._gives_rows(old)

    def _gives_rows(self, query: str) -> bool:
        return bool(self._connection.sql(f"SELECT 1 FROM ({query}) LIMIT 1").fetchall())

    def _rows(self, name: str, checkpoint: Checkpoint) -> str:
        """The SELECT of a checkpoint's rows."""
        self.used.append(checkpoint)
        if not self._confined:
            return checkpoint.select(
                f"read_parquet({literal(str(checkpoint.path))}, hive_partitioning = false)"
            )
        table = f"checkpoint of {name}"
        self._connection.register(table, open_dataset(checkpoint.path))
        return checkpoint.select(quoted(table))

    def _register(self, what: str, since: Head, rows: pa.Table) -> str:
        """Make rows a table of the connection, once; its name, quoted, is none a projection can have."""
        if (what, since) not in self._tables:
            self._tables[what, since] = f"{what} {len(self._tables)}"
            self._connection.register(self._tables[what, since], rows)
        return quoted(self._tables[what, since])
