"""What keeps a replay from Spark is said in one line, before anything is begun; no Java is needed here."""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from every_case import awkward_archive
from ran import Ran

from vfdir_lab.archive import Archive
from vfdir_lab.cli import main
from vfdir_lab.errors import ProjectionError, UsageError
from vfdir_lab.scale import session
from vfdir_lab.scale.comparison import Comparison
from vfdir_lab.scale.replay import SparkReport

Run = Callable[..., Ran]
WEEKDAYS = """-- projection: weekdays
-- version: 1
-- title: By day of the week
-- key: day
SELECT dayofweek(created_at) AS day, count(*) AS blocks FROM blocks GROUP BY dayofweek(created_at)
"""


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(awkward_archive(tmp_path / "home"))


@pytest.fixture
def weekdays(archive: Archive) -> Path:
    """A projection of a person's own that is not the same on Spark, in force."""
    file = Path(archive.path) / "projections" / "weekdays" / "v1_by_day.sql"
    file.parent.mkdir(parents=True)
    file.write_text(WEEKDAYS)
    archive.projections["weekdays"].use(1)
    return file


@pytest.fixture
def run(archive: Archive, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """The command line on that archive, in this process."""

    def runner(*arguments: str) -> Ran:
        capfd.readouterr()
        monkeypatch.setattr(sys, "argv", ["vfdir-lab", "--home", str(archive.path), *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capfd.readouterr()
        assert isinstance(ended.value.code, int)
        return Ran(code=ended.value.code, out=out, err=err)

    return runner


def test_what_is_not_portable_is_refused_by_name_before_spark_is_asked(
    archive: Archive, weekdays: Path, tmp_path: Path
) -> None:
    """What is given as a session here is none: asking it anything would fail otherwise."""
    with pytest.raises(
        ProjectionError, match=r"weekdays v1:5:8: spark-weekday: dayofweek\(\) .* \(and 1 more\)"
    ):
        archive.on_spark("nowhere").replay(to=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_folder_with_something_in_it_is_left_alone(archive: Archive, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "notes.txt").write_text("mine")
    with pytest.raises(UsageError, match="out is not empty; give a new folder, or remove what is in it"):
        archive.on_spark("local[1]").replay(to=tmp_path / "out")


def test_a_table_that_is_none_is_refused(archive: Archive, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no table 'tides'; there are answers, bindings"):
        archive.on_spark("local[1]").replay("tides", to=tmp_path / "out")


def test_without_pyspark_the_extra_is_named(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    with pytest.raises(UsageError, match=r"pyspark is not installed; .*'vfdir_lab\[scale\]'"):
        archive.on_spark("local[1]").replay(to=tmp_path / "out")


def test_without_java_it_is_said_how_to_get_it(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pyspark")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(
        UsageError, match=r"Spark runs on Java, .* `apt-get install openjdk-17-jre-headless`"
    ) as told:
        archive.on_spark("local[1]").replay(to=tmp_path / "out")
    assert "\n" not in str(told.value)


def test_a_master_that_does_not_answer_is_named_at_once(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pyspark")
    monkeypatch.setattr(session, "_require_java", lambda: None)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        master = f"spark://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(UsageError, match=f"nobody answers at {master}; start a master there"):
            archive.on_spark(master).replay(to=tmp_path / "out")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--engine", "spark"), "Spark needs to know where: --master local[2]"),
        (("--engine", "spark", "--master", "local[1]", "--out", "x", "--full"), "leave out --full"),
        (("--check",), "--master, --out and --check are Spark's; say --engine spark"),
    ],
)
def test_options_that_do_not_go_together_are_refused(run: Run, arguments: tuple[str, ...], told: str) -> None:
    done = run("replay", *arguments)
    assert done.code == 1
    assert told in done.err


def test_lint_says_of_a_projection_what_does_not_carry_over(run: Run, weekdays: Path) -> None:
    for named in (("weekdays",), ("weekdays", "1"), (str(weekdays),)):
        done = run("projection", "lint", *named, "--portable")
        assert done.code == 1
        assert "spark-weekday: dayofweek() is not the same on Spark; take date_diff('day'" in done.out
    assert run("projection", "lint").code == 0


def test_lint_says_that_what_is_shipped_carries_over(run: Run) -> None:
    done = run("projection", "lint", "blocks", "2", "--portable", "--json")
    assert done.code == 0
    assert json.loads(done.out)["files"] == ["blocks v2"]


def test_a_version_without_portable_is_refused(run: Run) -> None:
    assert run("projection", "lint", "blocks", "2").code == 1


def test_a_report_says_of_each_projection_how_it_compares() -> None:
    apart = Comparison(only_duckdb=2, only_spark=1, first=('["block:1"]', '["block:2"]'))
    report = SparkReport(
        to=Path("/out"),
        lens="default",
        head="a:1",
        rows={"users": 3, "blocks": 1200},
        comparisons={"users": Comparison(), "blocks": apart},
        seconds=1.25,
    )
    assert not report.ok
    assert str(report).splitlines() == [
        "users: 3 rows, equal",
        (
            "blocks: 1,200 rows, 2 rows of DuckDB's and 1 of Spark's have no equal; "
            'first at ["block:1"], ["block:2"]'
        ),
        "2 projections, 1,203 rows, 1 differ from DuckDB's, in 1.2 s, below /out",
    ]
