"""Every shipped version of every projection on a real cluster: the same rows as DuckDB's, whatever dies."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, cast

import duckdb
import pyarrow as pa
import pytest
import sqlglot
from awkward_texts import ANSWERED
from every_case import awkward_archive
from sparking import Cluster, require_spark, session_at

from vfdir_lab.archive import Archive
from vfdir_lab.projection.catalogue import shipped
from vfdir_lab.projection.lens import Lens, choice, default_lens
from vfdir_lab.scale.replay import OnSpark, SparkReport
from vfdir_lab.scale.session import working
from vfdir_lab.scale.translation import spark_sql

if TYPE_CHECKING:
    from pyspark.sql import SparkSession
    from sqlglot import exp

pytestmark = [
    pytest.mark.xdist_group("spark"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # py4j leaves its sockets to the collector
]

MIRROR = {"channels": 2, "connections": 3, "blocks": 3}
BELOW = ("channel_states", "connection_states", "connection_ranks", "readings", "gone", "scans")
LAST_WRITER = {"channels": 3, "connections": 2, "channel_writes": 1, "blocks": 2}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    require_spark()
    running = Cluster(tmp_path_factory.mktemp("cluster"))
    yield running
    running.stop()


@pytest.fixture(scope="module")
def session(cluster: Cluster) -> Iterator[SparkSession]:
    with session_at(cluster.master) as opened:
        yield opened


@pytest.fixture(scope="module")
def ours(session: SparkSession) -> Iterator[SparkSession]:
    """A session with our settings and functions."""
    with working(session) as prepared:
        yield prepared


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive in a folder whose name is awkward, too."""
    return awkward_archive(tmp_path_factory.mktemp("home") / "my [log] {a,b} 100%")


def lens(versions: dict[str, int]) -> Lens:
    return Lens(name="test", definitions=tuple(choice(dict.fromkeys(BELOW, 1) | versions)))


def replayed(home: Path, session: SparkSession, chosen: Lens, to: Path, **options: object) -> SparkReport:
    archive = Archive(home)
    return OnSpark(archive.log, archive.engine, lambda _: chosen, session).replay(
        to=to, check=True, **options
    )


def differing(report: SparkReport) -> dict[str, str]:
    assert report.comparisons is not None
    return {name: str(one) for name, one in report.comparisons.items() if not one.equal}


def test_the_default_lens_has_the_rows_that_duckdb_has(
    home: Path, session: SparkSession, tmp_path: Path
) -> None:
    report = replayed(home, session, default_lens(), tmp_path / "out")
    assert differing(report) == {}
    assert report.ok
    assert sum(report.rows.values()) > 3000
    assert all(report.rows.values())


def test_other_versions_have_them_though_an_executor_is_killed_in_the_middle_of_a_job(
    home: Path, cluster: Cluster, session: SparkSession, tmp_path: Path
) -> None:
    killed: list[int] = []

    def kill() -> None:
        tracker = session.sparkContext.statusTracker()
        while not tracker.getActiveJobsIds():
            time.sleep(0.005)
        killed.append(cluster.kill_one())

    def when_blocks_begin(_done: int, _all: int, name: str) -> None:
        if name == "blocks":
            killer.start()

    killer = threading.Thread(target=kill)
    report = replayed(home, session, lens(MIRROR), tmp_path / "out", on_progress=when_blocks_begin)
    killer.join()
    assert killed
    assert differing(report) == {}
    assert killed[0] not in cluster.executors()


def test_the_versions_that_are_left_have_them(home: Path, session: SparkSession, tmp_path: Path) -> None:
    report = replayed(home, session, lens(LAST_WRITER), tmp_path / "out")
    assert differing(report) == {}


@pytest.mark.parametrize("said", ANSWERED)
def test_a_construct_answers_as_it_does_in_duckdb(said: str, ours: SparkSession) -> None:
    """Over every awkward text at once; what differs is shown by text."""
    query = f"SELECT t, CAST({said} AS VARCHAR) AS x FROM texts"
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.register("texts", pa.table({"t": ANSWERED[said]}))
        # The text of a time is each engine's own.
        expected = {one: x and x.removesuffix("+00") for one, x in connection.sql(query).fetchall()}
    rows = ours.createDataFrame([(one,) for one in ANSWERED[said]], "t STRING")
    rows.createOrReplaceTempView("texts")
    tree = cast("exp.Query", sqlglot.parse_one(query, dialect="duckdb"))
    found = {row.t: row.x for row in ours.sql(spark_sql(tree, where="mine v1")).collect()}
    assert {one: x for one, x in found.items() if x != expected[one]} == {}


def test_a_number_that_spark_would_spell_otherwise_ends_the_query(ours: SparkSession) -> None:
    from pyspark.errors import PySparkException

    for text in ('{"a":{"b":1e-7}}', '{"a":{"b":12345678.0}}', '{"a":1e22}'):
        with pytest.raises(PySparkException, match="VFDIR a number with an exponent"):
            ours.sql(f"SELECT vfdir_json('{text}', '$.a')").collect()


def test_a_sum_beyond_64_bits_is_no_other_number(ours: SparkSession) -> None:
    from pyspark.errors import PySparkException

    with pytest.raises(PySparkException, match="OVERFLOW"):
        ours.sql("SELECT sum(x) FROM VALUES (9223372036854775807), (1) t(x)").collect()


def test_no_shipped_version_is_left_out() -> None:
    lenses = (default_lens(), lens(MIRROR), lens(LAST_WRITER))
    done = {(one.name.removesuffix("_v2"), one.version) for each in lenses for one in each.definitions}
    assert done == {(one.name, one.version) for one in shipped()}
