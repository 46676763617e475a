"""Replay on Spark: the projections of a lens from the same log by the same SQL, each as Parquet in a folder.

Owns the order of work and the proof: with `check`, each projection's rows are compared with DuckDB's at the
same head. Guarantees: nothing is written but the folder that was named; what is not portable is refused, by
name, before Spark is asked anything; `replay.json` is there once all is, and says of which head and lens.
Leaves translation to `translation.py`. Checked by `tests/scale`: every shipped version, on a cluster.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
from sqlglot import exp

from vfdir_lab.errors import ArchiveWriteError, LogError, ProjectionError, QueryError, UsageError
from vfdir_lab.log import EventLog, Head, Segment
from vfdir_lab.projection.catalogue import needed
from vfdir_lab.projection.checking import known_to
from vfdir_lab.projection.connection import quoted
from vfdir_lab.projection.definition import Definition
from vfdir_lab.projection.engine import Engine
from vfdir_lab.projection.lens import Lens
from vfdir_lab.projection.lint import unportable
from vfdir_lab.projection.scratch import scratch
from vfdir_lab.projection.source import paths_of
from vfdir_lab.scale.comparison import Comparison, compare
from vfdir_lab.scale.events import pattern, place, show_events
from vfdir_lab.scale.session import working
from vfdir_lab.scale.translation import translated

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

Progress = Callable[[int, int, str], None]
"""Told before each projection: how many are done, of how many, the name of the next; empty at the end."""

MANIFEST = "replay.json"
_OURS = "VFDIR "


@dataclass(frozen=True, slots=True, kw_only=True)
class SparkReport:
    """What a replay on Spark did.

    `rows` counts the rows of each projection, by name; `to` is the folder that holds one folder of Parquet
    for each. `comparisons` says how each compares with DuckDB's rows, None where that was not asked for.
    """

    to: Path
    lens: str
    head: str
    rows: dict[str, int] = field(default_factory=dict)
    comparisons: dict[str, Comparison] | None = None
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether nothing was found to differ."""
        return all(one.equal for one in (self.comparisons or {}).values())

    def __str__(self) -> str:
        lines = [
            f"{name}: {count:,} rows" + (f", {self.comparisons[name]}" if self.comparisons else "")
            for name, count in self.rows.items()
        ]
        compared = ""
        if self.comparisons is not None:
            differing = sum(not one.equal for one in self.comparisons.values())
            compared = f", {differing} differ from DuckDB's" if differing else ", all equal to DuckDB's"
        total = f"{len(self.rows)} projections, {sum(self.rows.values()):,} rows{compared}"
        return "\n".join([*lines, f"{total}, in {self.seconds:.1f} s, below {self.to}"])


class OnSpark:
    """The projections of an archive on Spark. `where` is a session, or a master such as `local[2]`.

    The log's files and the folder for the answers are read and written by every worker at the paths that they
    have here: one machine, or a file system that all of them share.
    """

    def __init__(
        self, log: EventLog, engine: Engine, lens_of: Callable[[str | None], Lens], where: Any
    ) -> None:
        self._log = log
        self._engine = engine
        self._lens_of = lens_of
        self._where = where

    def replay(
        self,
        *projections: str,
        lens: str | None = None,
        to: str | Path,
        check: bool = False,
        on_progress: Progress = lambda _done, _all, _name: None,
    ) -> SparkReport:
        """Compute the projections of a lens, by default the archive's, into `to`/<name>/ as Parquet.

        All of them, or those named and what they read. `to` is a new or empty folder. With `check`, DuckDB
        computes each too, and the rows are compared.

        Raises:
            UsageError: the folder is not empty, or there is no Spark to work with.
            ProjectionError: something in a projection does not carry over; nothing was computed.
            QueryError: Spark refuses a projection. LogError: files went away meanwhile.
            ArchiveWriteError: the folder cannot be written.
        """
        began = perf_counter()
        chosen = _part(self._lens_of(lens), projections)
        _require_portable(chosen)
        folder = _new_folder(Path(to))
        coverage = self._log.coverage()
        segments = coverage.upto(coverage.head)
        rows: dict[str, int] = {}
        comparisons: dict[str, Comparison] = {}
        with working(self._where) as session, tempfile.TemporaryDirectory(prefix="vfdir-check-") as aside:
            run = _Run(session, paths_of(self._log, segments), chosen, folder)
            run.begin(segments, coverage.head)
            for done, one in enumerate(chosen.definitions):
                on_progress(done, len(chosen.definitions), one.name)
                rows[one.name] = run.compute(one)
                if check:
                    ours = Path(aside) / f"{one.name}.parquet"
                    self._answer(one, chosen, coverage.head, ours)
                    comparisons[one.name] = compare(ours, folder / one.name, one.keys)
        on_progress(len(chosen.definitions), len(chosen.definitions), "")
        _sign(folder, chosen, coverage.head, rows)
        return SparkReport(
            to=folder,
            lens=chosen.name,
            head=str(coverage.head),
            rows=rows,
            comparisons=comparisons if check else None,
            seconds=perf_counter() - began,
        )

    def _answer(self, one: Definition, lens: Lens, head: Head, file: Path) -> None:
        """DuckDB's rows of a projection, as a file."""
        query = f"SELECT * FROM {quoted(one.name)}"
        schema = self._engine.arrow(f"{query} LIMIT 0", head=head, lens=lens).schema
        with pq.ParquetWriter(file, schema) as writer:
            for batch in self._engine.stream(query, head=head, lens=lens):
                writer.write_table(pa.Table.from_batches([batch]).cast(schema))


class _Run:
    """One replay under way: what was computed is read by what comes after it."""

    def __init__(self, session: SparkSession, paths: tuple[Path, ...], lens: Lens, folder: Path) -> None:
        self._session = session
        self._paths = paths
        self._folder = folder
        with scratch(lens.definitions) as connection:
            self._columns = {
                one.name: connection.execute(f"DESCRIBE {quoted(one.name)}").fetchall()
                for one in lens.definitions
            }

    def begin(self, segments: tuple[Segment, ...], head: Head) -> None:
        """Set up `events`."""
        self._asked("the log", lambda: show_events(self._session, self._paths, segments, head))

    def compute(self, one: Definition) -> int:
        """Write the rows of a projection, which are read from there from now on. Returns their number."""
        written: int = self._asked(one.called, lambda: self._written(one))
        return written

    def _written(self, one: Definition) -> int:
        folder = self._folder / one.name
        self._session.sql(self._select(one)).write.parquet(place(folder))
        rows = self._session.read.parquet(pattern(folder))
        rows.createOrReplaceTempView(one.name)
        return rows.count()

    def _select(self, one: Definition) -> str:
        """The projection with the columns, and the types, that DuckDB gives it."""
        lacking = {name for name, _ in one.fills}
        columns = ", ".join(
            f"CAST({'NULL' if name in lacking else _ticked(name)} AS {_type(type_)}) AS {_ticked(name)}"
            for name, type_, *_ in self._columns[one.name]
        )
        return f"SELECT {columns} FROM ({translated(one)})"

    def _asked(self, what: str, ask: Callable[[], Any]) -> Any:
        """What Spark gives; what it says against it is one line of ours.

        Raises:
            QueryError: it refuses. LogError: files are not there any more.
        """
        from py4j.protocol import Py4JError  # noqa: PLC0415 - with pyspark, which is there by now
        from pyspark.errors import PySparkException  # noqa: PLC0415 - as above

        try:
            return ask()
        except (PySparkException, Py4JError) as error:
            gone = [path for path in self._paths if not path.exists()]
            if gone:
                raise LogError(
                    f"{gone[0].name} went away while Spark was reading (a compaction); run it again"
                ) from error
            raise QueryError(f"{what}: {_plainly(str(error))}") from error


def _part(lens: Lens, names: tuple[str, ...]) -> Lens:
    """The lens with no more than these projections and those they read; without names, all of it."""
    for name in names:
        if lens.get(name) is None:
            raise UsageError(f"there is no table {name!r}; there are {', '.join(sorted(lens.versions))}")
    return replace(lens, definitions=tuple(needed(lens.definitions, names))) if names else lens


def _require_portable(lens: Lens) -> None:
    """Refuse, by name, what would answer otherwise on Spark. The shipped ones are proven by tests."""
    findings = [
        finding
        for one in lens.definitions
        if one.source == "own"
        for finding in unportable(
            one.sql,
            where=one.called,
            known=known_to(one.sql, where=one.called, definitions=lens.definitions),
        )
    ]
    if findings:
        more = f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""
        raise ProjectionError(
            f"{findings[0]}{more}; `vfdir-lab projection lint --portable` lists all, "
            f"`--explain {findings[0].rule}` says why"
        )


def _new_folder(folder: Path) -> Path:
    folder = folder.expanduser().absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise UsageError(f"{folder} is not empty; give a new folder, or remove what is in it")
    except OSError as error:
        raise ArchiveWriteError(f"{folder} cannot be written ({error.strerror}); give another") from error
    return folder


def _sign(folder: Path, lens: Lens, head: Head, rows: dict[str, int]) -> None:
    said = {"lens": lens.name, "fingerprints": dict(lens.fingerprints), "head": str(head), "rows": rows}
    (folder / MANIFEST).write_text(json.dumps(said, indent=1) + "\n", "utf-8")


def _ticked(name: str) -> str:
    return f"`{name.replace('`', '``')}`"


def _type(of_duckdb: str) -> str:
    """A type in Spark's words; JSON is text there."""
    built = exp.DataType.build(of_duckdb, dialect="duckdb")
    for inner in [built, *built.find_all(exp.DataType)]:
        if inner.this is exp.DataType.Type.JSON:
            inner.set("this", exp.DataType.Type.TEXT)
    return built.sql("spark")


def _plainly(message: str) -> str:
    """Spark's message without the plan and the stack that follow it."""
    if _OURS in message:
        said = message.partition(_OURS)[2].splitlines()[0].partition(" SQLSTATE")[0]
        return f"{said.strip()} is spelled otherwise by Spark; replay this lens with DuckDB"
    first = next((line.strip() for line in message.splitlines() if line.strip()), "Spark failed")
    return f"Spark refuses it: {first[:400]}"
