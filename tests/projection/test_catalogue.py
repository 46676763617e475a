"""The catalogue reads what is right, and says of everything else which file it is and how to mend it."""

from __future__ import annotations

from importlib.resources import files
from itertools import pairwise
from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp

from vfdir_lab.errors import ProjectionFileError
from vfdir_lab.projection import Catalogue, Definition, default_lens
from vfdir_lab.projection import definition as module
from vfdir_lab.projection.catalogue import shipped
from vfdir_lab.projection.definition import define
from vfdir_lab.projection.lens import DEFAULT_VERSIONS

HEADER = "-- projection: mine\n-- version: 1\n-- title: Mine\n-- key: object_id\n"
WHERE = "mine/v1_test.sql"


def defined(sql: str) -> Definition:
    return define(HEADER + sql, where=WHERE)


def folder(tmp_path: Path, **texts: str) -> Path:
    """A folder of projections: `mine__v1_a="…"` is the file mine/v1_a.sql."""
    for name, text in texts.items():
        path = tmp_path / (name.replace("__", "/") + ".sql")
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
    return tmp_path


def refused(sql: str) -> str:
    with pytest.raises(ProjectionFileError) as caught:
        defined(sql)
    assert str(caught.value).startswith(WHERE)
    return str(caught.value)


def reading(name: str, *others: str) -> str:
    """The file of a projection that reads others."""
    tables = " NATURAL JOIN ".join(others or ["events"])
    return f"-- projection: {name}\n-- version: 1\n-- title: T\n-- key: object_id\nSELECT * FROM {tables}\n"


# --------------------------------------------------------------------------------------- headers


def test_the_header_is_read() -> None:
    text = "-- projection: mine\n--version:3\n-- title : A title: of two \n-- key: a, b\n-- refresh by: a\n"
    found = define(text + "/* -- key: not this */ SELECT object_id AS a, 1 AS b FROM events", where="x")
    assert (found.name, found.version, found.title) == ("mine", 3, "A title: of two")
    assert (found.key, found.refresh_by, found.reads) == ("a, b", "a", {"events"})
    assert defined("SELECT 1").refresh_by is None


@pytest.mark.parametrize("missing", ["projection", "version", "title", "key"])
def test_an_incomplete_header_is_refused(missing: str) -> None:
    lines = [line for line in HEADER.splitlines() if not line.startswith(f"-- {missing}")]
    for text in ("\n".join(lines), "\n".join([*lines, f"-- {missing}:"]), "\n".join([*lines, "", HEADER])):
        with pytest.raises(ProjectionFileError, match=rf"^{WHERE}:1: .*lacks {missing}; begin the file with"):
            define(f"{text}\nSELECT 1", where=WHERE)


@pytest.mark.parametrize("version", ["two", "1.5", "-1", "²"])
def test_a_version_that_is_no_number_is_refused(version: str) -> None:
    with pytest.raises(ProjectionFileError, match=rf"^{WHERE}: version .* is not a number; count from 1"):
        define(HEADER.replace("version: 1", f"version: {version}") + "SELECT 1", where=WHERE)


@pytest.mark.parametrize(
    ("place", "header"),
    [("mine__v2_a", "version: 1"), ("other__v1_a", "version: 1"), ("mine__v1_a", "version: 2")],
)
def test_header_folder_and_file_name_must_agree(tmp_path: Path, place: str, header: str) -> None:
    text = HEADER.replace("version: 1", header) + "SELECT 1"
    with pytest.raises(
        ProjectionFileError, match=r"v._a\.sql: the header says .*; make header, folder and file"
    ):
        Catalogue.load(folder(tmp_path, **{place: text}))


def test_a_number_is_taken_once(tmp_path: Path) -> None:
    place = folder(tmp_path, mine__v1_a=HEADER + "SELECT 1", mine__v1_b=HEADER + "SELECT 2")
    with pytest.raises(ProjectionFileError, match="mine: there are two files of version 1; give one of them"):
        Catalogue.load(place)


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "v1_a.sql").write_bytes(HEADER.encode() + b"SELECT '\xff'")
    with pytest.raises(ProjectionFileError, match=r"mine/v1_a.sql: not UTF-8; save it"):
        Catalogue.load(tmp_path)


def test_only_files_named_as_versions_are_read(tmp_path: Path) -> None:
    place = folder(tmp_path, mine__v1_a=HEADER + "SELECT 1", helpers__v1_a="not read")
    (place / "mine" / "notes.txt").write_text("no header")
    (place / "mine" / ".v2_a.sql").write_text("an editor's")
    (place / "README.md").write_text("about")
    (place / "mine" / "cases").mkdir()
    assert [(one.name, one.version) for one in Catalogue.load(place)] == [("mine", 1)]


def test_a_misspelt_file_of_sql_is_not_passed_over(tmp_path: Path) -> None:
    place = folder(tmp_path, mine__v1_a=HEADER + "SELECT 1", mine__version2="SELECT 1")
    with pytest.raises(ProjectionFileError, match=r"mine/version2.sql: call it v4_my_rule.sql"):
        Catalogue.load(place)


# ------------------------------------------------------------------------------------------- SQL


@pytest.mark.parametrize(
    "sql",
    [
        *["", ";", "-- only prose", "SELECT 1; SELECT 2", "SELECT 1; DROP TABLE events", "VALUES (1)"],
        *[
            "CREATE TABLE x AS SELECT 1",
            "CREATE VIEW x AS SELECT 1",
            "DROP VIEW events",
            "ALTER TABLE x ADD y INT",
        ],
        *[
            "INSERT INTO events VALUES (1)",
            "UPDATE events SET seq = 1",
            "DELETE FROM events",
            "TRUNCATE events",
        ],
        *["COPY events TO 'f'", "COPY (SELECT 1) TO 'f'", "EXPORT DATABASE 'd'", "IMPORT DATABASE 'd'"],
        *[
            "ATTACH 'x'",
            "DETACH x",
            "USE x",
            "INSTALL httpfs",
            "LOAD httpfs",
            "PRAGMA version",
            "SET threads = 1",
        ],
        *["CALL pragma_version()", "EXPLAIN SELECT 1", "EXPLAIN ANALYZE DROP VIEW events", "DESCRIBE events"],
        *[
            "PREPARE x AS SELECT 1",
            "EXECUTE x",
            "BEGIN",
            "COMMIT",
            "CHECKPOINT",
            "VACUUM",
            "SUMMARIZE events",
        ],
        "WITH x AS (COPY (SELECT 1) TO 'f') SELECT * FROM x",
        "WITH x AS (INSERT INTO events VALUES (1)) SELECT * FROM x",
        "SELECT * FROM (WITH x AS (DELETE FROM events RETURNING *) SELECT * FROM x)",
        *[
            "selec",
            "SELECT (",
            "SELECT * FROM",
            "SELECT 'open",
            "{}",
            "\x00",
            "(" * 3000 + "SELECT 1" + ")" * 3000,
        ],
    ],
    ids=lambda sql: sql[:30],
)
def test_anything_but_one_select_is_refused(sql: str) -> None:
    assert "; " in refused(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "FROM events",
        "TABLE events",
        "(SELECT 1)",
        "SELECT 1 UNION ALL SELECT 2",
        "SELECT 1; -- end",
        "SELECT 1;",
    ],
)
def test_one_select_may_be_written_in_many_ways(sql: str) -> None:
    assert isinstance(sqlglot.parse_one(defined(sql).plain, dialect="duckdb"), exp.Query)


@pytest.mark.parametrize(
    ("sql", "reads"),
    [
        ("SELECT 1", set()),
        ("FROM EVENTS, \"Blocks\"", {"events", "blocks"}),
        (
            "FROM events WHERE object_id IN (SELECT item FROM connections WHERE EXISTS (FROM users))",
            {"events", "connections", "users"},
        ),
        ("WITH own AS (FROM blocks) FROM own", {"blocks"}),
        ("WITH blocks AS (FROM blocks) FROM blocks", {"blocks"}),
        ("WITH blocks AS (FROM events) FROM blocks", {"events"}),
        ("FROM (WITH users AS (FROM events) FROM users) UNION ALL FROM users", {"events", "users"}),
        ("SELECT (SELECT max(seq) FROM events), unnest([1])", {"events"}),
        ("WITH RECURSIVE r AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM r WHERE i < 3) FROM r", set()),
    ],
)  # fmt: skip
def test_dependencies_are_found_by_parsing(sql: str, reads: set[str]) -> None:
    assert defined(sql).reads == reads


@pytest.mark.parametrize(
    "source",
    ["elsewhere", "'file.parquet'", "read_parquet('f')", "query('DROP TABLE x')", "glob('*')", "mine"],
)
def test_tables_that_are_none_of_the_catalogue_are_refused(tmp_path: Path, source: str) -> None:
    catalogue = Catalogue.load(folder(tmp_path, other__v1_a=reading("other", source)))
    with pytest.raises(
        ProjectionFileError, match=r"other v1 reads .*, which is no table here; there are events, other"
    ):
        catalogue.in_order({"other": 1})


def test_each_comes_after_those_it_reads(tmp_path: Path) -> None:
    place = folder(tmp_path, a__v1_x=reading("a", "b", "c"), b__v1_x=reading("b", "c"), c__v1_x=reading("c"))
    assert [one.name for one in Catalogue.load(place).in_order(dict.fromkeys("abc", 1))] == ["c", "b", "a"]


@pytest.mark.parametrize("circle", ["aa", "aba", "abca"])
def test_a_circle_is_refused_and_drawn(tmp_path: Path, circle: str) -> None:
    files_ = {f"{one}__v1_x": reading(one, "events", other) for one, other in pairwise(circle)}
    with pytest.raises(
        ProjectionFileError, match=r"in a circle: .* reads .*; let one of them read events"
    ) as caught:
        Catalogue.load(folder(tmp_path, **files_)).in_order(dict.fromkeys(circle, 1))
    drawn = str(caught.value).split(": ")[1].split(";")[0].split(" reads ")
    assert all(f"{a}{b}" in circle for a, b in pairwise(drawn))


# --------------------------------------------------------------------------------------- helpers


@pytest.mark.parametrize(
    ("call", "mend"),
    [
        ("latest()", "latest takes 1 argument(s), not 0; call it as latest(field)"),
        ("prose('a', 'b')", "prose takes 1 argument(s), not 2; call it as prose(value)"),
        ("agent(latest('a', 'b', 'c'))", "latest takes 1 argument(s), not 3; call it as latest(field)"),
    ],
)
def test_a_helper_called_wrongly_is_refused(call: str, mend: str) -> None:
    assert refused(f"SELECT {call} FROM events") == f"{WHERE}: {mend}"


@pytest.mark.parametrize(
    "call", ["latest('title')", "LATEST('title')", "prose(latest('title'))", "agent(prose(latest('x')))"]
)
def test_helpers_are_expanded_wherever_they_stand(call: str) -> None:
    plain = defined(f"SELECT object_id, {call} AS x FROM events GROUP BY 1 HAVING {call} IS NOT NULL").plain
    assert not helper_calls(plain)
    assert "arg_max" in plain.lower()


def test_a_text_that_looks_like_a_helper_stays() -> None:
    assert "'latest(x)'" in defined("SELECT 'latest(x)' AS x FROM events").plain


def test_a_helper_file_without_its_first_line_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sql" / "helpers").mkdir(parents=True)
    (tmp_path / "sql" / "helpers" / "odd.sql").write_text("SELECT 1")
    monkeypatch.setattr(module, "files", lambda _package: tmp_path)
    with pytest.raises(ProjectionFileError, match=r"^helpers/odd.sql: begin with a line like"):
        module._helpers.__wrapped__()


# --------------------------------------------------------------------------------------- shipped


def helper_calls(sql: str) -> set[str]:
    names = {
        file.name.removesuffix(".sql")
        for file in (files("vfdir_lab.projection") / "sql" / "helpers").iterdir()
    }
    tree = sqlglot.parse_one(sql, dialect="duckdb")
    return {node.name.lower() for node in tree.find_all(exp.Anonymous)} & names


@pytest.mark.parametrize("definition", list(shipped()), ids=lambda one: f"{one.name}-{one.version}")
def test_every_shipped_file_is_whole(definition: Definition) -> None:
    assert shipped()[definition.name, definition.version] is definition
    assert not helper_calls(definition.plain)
    assert ";" not in definition.plain
    assert "/*" in definition.sql
    columns = sqlglot.parse_one(definition.plain, dialect="duckdb").named_selects
    assert set(definition.key.split(", ")) <= set(columns)
    assert len(set(columns)) == len(columns)


def test_the_default_lens_chooses_what_there_is() -> None:
    order = [one.name for one in default_lens().definitions]
    assert sorted(order) == sorted([*DEFAULT_VERSIONS, "blocks_v2", "connections_v2"])
    assert order.index("connections") < order.index("channels")


@pytest.mark.parametrize("name", sorted({definition.name for definition in shipped()}))
def test_no_shipped_file_is_passed_over_for_its_name(name: str) -> None:
    there = [
        file
        for file in (files("vfdir_lab.projection") / "sql" / name).iterdir()
        if file.name.endswith(".sql")
    ]
    assert len(there) == len([definition for definition in shipped() if definition.name == name])
