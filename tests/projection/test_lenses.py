"""A lens is what the log says: changed all at once, undone by another change, never another's SQL."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vfdir_lab.archive import Archive
from vfdir_lab.arena import SYSTEM_TIME
from vfdir_lab.errors import ProjectionError, ProjectionFileError, QueryError, UsageError, VfdirError
from vfdir_lab.event import Draft, Event
from vfdir_lab.log import Head
from vfdir_lab.projection.catalogue import shipped
from vfdir_lab.projection.choices import book_of
from vfdir_lab.projection.lens import DEFAULT_VERSIONS, default_lens, public_columns
from vfdir_lab.projection.view import LensWarning

TITLES = "SELECT title FROM blocks ORDER BY title"
TIDES = [("Tide 1",), ("Tide 2",), ("Tide 3",)]
LOUD = [("TIDE 1",), ("TIDE 2",), ("TIDE 3",)]
BODY = """/* Titles in capitals. */
SELECT object_id, upper(latest('title') ->> '$') AS title
FROM events WHERE kind = 'block.observed' GROUP BY object_id"""
MakeEvent = Callable[..., Event]


@pytest.fixture
def archive(tides: Any) -> Archive:
    """A small archive with a version of the person's own, `blocks` 7."""
    opened: Archive = tides.archive
    opened.projections["blocks"].save(7, "Loud", BODY)
    return opened


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """What a version lacks is told; here it is not what is tested."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*reads as null", category=LensWarning)
        yield


def kinds(archive: Archive) -> list[str]:
    query = "SELECT kind FROM events WHERE kind LIKE 'lens%' OR kind LIKE 'proj%' ORDER BY hlc, device, seq"
    return [kind for (kind,) in archive.sql(query).fetchall()]


# --------------------------------------------------------------------------------- use and go back


def test_a_version_of_ones_own_is_used_and_undone(archive: Archive) -> None:
    before = archive.lens("default").fingerprint
    assert archive.sql(TITLES).fetchall() == TIDES
    archive.projections["blocks"].use(7)
    assert archive.sql(TITLES).fetchall() == LOUD
    assert archive.lens("default").fingerprint != before
    archive.projections["blocks"].use(1)
    assert archive.sql(TITLES).fetchall() == TIDES
    assert archive.lens("default").fingerprint == before
    archive.projections["blocks"].use(7)
    archive.projections["blocks"].use(None)
    assert archive.lens("default").fingerprint == before
    assert archive.verify().ok


def test_a_new_file_is_seen_without_reopening(tides: Any) -> None:
    archive = tides.archive
    assert "loudest" not in archive.projections
    archive.projections["loudest"].save(1, "Loudest", BODY)
    archive.projections["loudest"].use(1)
    assert archive.sql("SELECT title FROM loudest ORDER BY ALL").fetchall() == LOUD
    archive.projections["loudest"].use(None)
    with pytest.raises(VfdirError, match="loudest"):
        archive.sql("FROM loudest")


def test_a_change_is_seen_by_everybody_at_once(tides: Any, archive: Archive) -> None:
    other = tides.archive
    assert other.sql(TITLES).fetchall() == TIDES
    archive.projections["blocks"].use(7)
    assert other.sql(TITLES).fetchall() == LOUD


def test_a_relation_keeps_the_lens_it_was_asked_through(archive: Archive) -> None:
    relation = archive.sql(TITLES)
    archive.projections["blocks"].use(7)
    assert relation.fetchall() == TIDES


def test_a_named_lens_changes_nothing_for_others(archive: Archive) -> None:
    mine = archive.lens("mine").use(blocks=7)
    assert (mine.sql(TITLES).fetchall(), archive.sql(TITLES).fetchall()) == (LOUD, TIDES)
    assert archive.as_of(head="aaaa:5").lens("mine").sql(TITLES).fetchall() == LOUD[:1]
    assert archive.lens("mine").as_of(head="aaaa:5").sql(TITLES).fetchall() == LOUD[:1]
    assert archive.projections.lenses.names() == ("default", "mine")


def test_several_versions_change_together_or_not_at_all(archive: Archive) -> None:
    archive.projections["users"].save(9, "None", "SELECT object_id, nonsense FROM events")
    before, recorded = archive.lens("default").fingerprint, kinds(archive)
    with pytest.raises(ProjectionFileError, match="users"):
        archive.lens("default").use(blocks=7, users=9)
    assert (archive.lens("default").fingerprint, kinds(archive)) == (before, recorded)
    archive.lens("default").use(blocks=7, users=1)
    assert archive.lens("default").versions["blocks"] == 7


def test_the_same_choice_again_records_nothing(archive: Archive) -> None:
    archive.projections["blocks"].use(7)
    archive.projections["blocks"].use(2)
    archive.projections["blocks"].use(7)
    recorded = ["projection.defined", "lens.set", "lens.set", "lens.set"]
    assert kinds(archive) == recorded
    archive.projections["blocks"].use(7)
    assert kinds(archive) == recorded


@settings(max_examples=25)  # each step is an append, flushed to the disk
@given(
    steps=st.lists(
        st.sampled_from([(name, n) for name in ("default", "mine") for n in (2, 7, None)]), max_size=5
    )
)
def test_a_lens_is_what_was_last_chosen(shared: Archive, steps: list[tuple[str, int | None]]) -> None:
    """And each head answers through the lens that was set then."""
    expected, then = {"default": 1}, []
    shared.lens("default").use(blocks=None)
    shared.lens("mine").use(blocks=None)
    for name, number in steps:
        shared.lens(name).use(blocks=number)
        expected[name] = number or 1
        then.append((shared.head, dict(expected)))
        assert shared.lens(name).versions["blocks"] == expected[name]
    for head, chosen in then:
        assert {name: shared.lens(name, as_of=head).versions["blocks"] for name in chosen} == chosen


@pytest.fixture(scope="module")
def shared(new_desk: Any) -> Iterator[Archive]:
    with new_desk() as desk:
        opened = desk.archive
        opened.projections["blocks"].save(7, "Loud", BODY)
        yield opened


# ------------------------------------------------------------------------------- what stays, what waits


def test_what_is_in_force_is_what_the_log_says_whatever_becomes_of_the_file(archive: Archive) -> None:
    archive.projections["blocks"].use(7)
    path = archive.path / "projections" / "blocks" / "v7_loud.sql"
    archive.projections["blocks"].save(7, "Loud", BODY.replace("upper", "lower"))
    with pytest.warns(LensWarning, match=r"the file of blocks v7 was edited .* projection use blocks 7"):
        assert archive.sql(TITLES).fetchall() == LOUD
    archive.projections["blocks"].use(7)
    assert archive.sql(TITLES).fetchall() == [("tide 1",), ("tide 2",), ("tide 3",)]
    path.write_text("what is this")
    assert "cannot be read" in next(iter(archive.projections.lenses.notices()))
    path.unlink()
    assert archive.sql(TITLES).fetchall() == [("tide 1",), ("tide 2",), ("tide 3",)]


def test_an_old_head_can_be_asked_through_the_lens_of_its_time(archive: Archive) -> None:
    archive.projections["blocks"].use(7)
    then, fingerprint = archive.head, archive.lens("default").fingerprint
    archive.projections["blocks"].save(7, "Loud", BODY.replace("upper", "lower"))
    archive.projections["blocks"].use(7)
    view = archive.lens("default", as_of=then)
    assert (view.fingerprint, view.sql(TITLES).fetchall()) == (fingerprint, LOUD)
    with pytest.raises(UsageError, match="as it was set once"):
        view.use(blocks=2)


def copied(archive: Archive, place: Path) -> Archive:
    """The folder as it arrives on another machine: a new device."""
    shutil.copytree(archive.path, place)
    return Archive(place, time=replace(SYSTEM_TIME, now=lambda: datetime(2100, 1, 2, tzinfo=UTC)))


def test_sql_of_another_device_waits_until_a_person_says_use(archive: Archive, tmp_path: Path) -> None:
    archive.projections["users"].use(1)
    archive.projections["blocks"].use(7)
    other = copied(archive, tmp_path / "other")
    shutil.rmtree(other.path / "projections")
    with pytest.warns(LensWarning, match=r"device \w+ set the lens default to SQL that never ran here"):
        assert other.sql(TITLES).fetchall() == TIDES
    assert "upper" in other.projections["blocks"][7].sql
    with pytest.raises(ProjectionError, match=r"blocks v7 is another device's and never ran here"):
        other.diff("blocks", 2, 7)
    other.projections["blocks"].use(7)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", message=".*reads as null")
        assert other.sql(TITLES).fetchall() == LOUD


def test_a_refused_foreign_lens_stops_being_told(archive: Archive, tmp_path: Path) -> None:
    archive.projections["blocks"].use(7)
    other = copied(archive, tmp_path / "other")
    assert len(list(other.projections.lenses.notices())) == 1
    other.projections["blocks"].use(2)
    assert list(other.projections.lenses.notices()) == []


def test_a_shipped_version_that_another_device_chose_is_followed(archive: Archive, tmp_path: Path) -> None:
    archive.lens("mine").use(blocks=2)
    other = copied(archive, tmp_path / "other")
    assert other.lens("mine").sql(TITLES).fetchall() == TIDES


def test_a_foreign_lens_without_anything_before_it_is_refused(archive: Archive, tmp_path: Path) -> None:
    archive.lens("mine").use(blocks=7)
    other = copied(archive, tmp_path / "other")
    with pytest.raises(
        ProjectionError, match=r"SQL that never ran here \(blocks 7\).*use blocks 7 --lens mine"
    ):
        other.lens("mine").sql(TITLES)


def test_a_hostile_log_cannot_choose(tides: Any, event: MakeEvent) -> None:
    """Malformed settings and texts are passed over; SQL under another device's name is not trusted."""
    odd: list[dict[str, Any]] = [
        {"versions": {"blocks": {"version": 7, "sql": "sha256:00"}}},
        {"versions": {"blocks": 7}},
        {"versions": []},
        {"versions": {"blocks": {"version": "many"}}},
        {},
    ]
    hostile = [event("zzzz", n, "lens.set", "lens:default", at=90 + n, **one) for n, one in enumerate(odd, 1)]
    hostile += [
        event("zzzz", 6, "projection.defined", "projection:blocks", at=99, version=7, sql="COPY 1 TO 'x'"),
        event("zzzz", 7, "device.joined", "device:zzzz", at=100, instead_of="aaaa"),
    ]
    tides.write(hostile)
    archive = tides.archive
    with pytest.warns(LensWarning, match="never ran here"):
        assert archive.sql("SELECT title FROM blocks ORDER BY 1").fetchall() == TIDES
    with pytest.raises(ProjectionFileError):
        archive.projections["blocks"].use(7)


def test_a_version_of_a_newer_vfdir_lab_is_named(tides: Any, event: MakeEvent) -> None:
    tides.write([event("bbbb", 1, "lens.set", "lens:default", at=90, versions={"blocks": {"version": 99}})])
    archive = tides.archive
    with pytest.warns(
        LensWarning, match=r"what this version of vfdir_lab does not have \(blocks 99\); update"
    ):
        assert archive.sql(TITLES).fetchall() == TIDES
    archive.projections["blocks"].use(None)
    assert archive.sql(TITLES).fetchall() == TIDES


@pytest.mark.parametrize("name", ["BLOCKS", "../x", "events", "", "blocks v2"])
def test_a_hostile_choice_stands_in_nobodys_way(tides: Any, event: MakeEvent, name: str) -> None:
    versions = {name: {"version": 3}, "channels": {"version": 88}}
    tides.write([event("bbbb", 1, "lens.set", "lens:default", at=90, versions=versions)])
    archive = tides.archive
    with pytest.warns(LensWarning, match="device bbbb set the lens default to what"):
        assert archive.sql(TITLES).fetchall() == TIDES
    archive.projections["blocks"].use(3)
    assert list(archive.projections.lenses.notices()) == []
    assert archive.sql(TITLES).fetchall() == TIDES


def test_a_text_under_another_name_is_not_used(tides: Any, event: MakeEvent) -> None:
    sql = (
        "-- projection: channels\n-- version: 9\n-- title: T\n-- key: object_id\nSELECT object_id FROM events"
    )
    tides.write(
        [event("bbbb", 1, "projection.defined", "projection:blocks", at=90, version=4, title="T", sql=sql)]
    )
    with pytest.raises(
        ProjectionError, match=r"recorded as blocks v4 says that it is channels v9; it is not"
    ):
        tides.archive.projections["blocks"].use(4)
    assert tides.archive.sql(TITLES).fetchall() == TIDES


# ------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("SELECT object_id, now() AS at FROM events", "blocks/v8.*now"),
        ("SELECT object_id FROM read_text('/etc/hostname')", "blocks/v8.*read_text"),
        ("SELECT object_id FROM nowhere", "nowhere"),
        ("SELECT 1 AS title FROM events", "object_id"),
        ("COPY (SELECT 1) TO 'x'", "blocks/v8.*SELECT"),
        ("SELECT object_id, title FROM blocks", "there is no table blocks"),
    ],
)
def test_sql_that_breaks_a_rule_is_not_used(archive: Archive, body: str, said: str) -> None:
    archive.projections["blocks"].save(8, "Bad", body)
    with pytest.raises(ProjectionError, match=said):
        archive.projections["blocks"].use(8)
    assert kinds(archive) == []
    assert archive.sql(TITLES).fetchall() == TIDES


def test_a_broken_file_stands_in_nobodys_way(archive: Archive) -> None:
    folder = archive.path / "projections" / "blocks"
    (folder / "v9_torn.sql").write_text("-- projection: blocks\n-- version: 9\n")
    (folder / "notes.sql").write_text("SELECT 1")
    (folder / "v2_mine.sql").write_text(
        "-- projection: blocks\n-- version: 2\n-- title: T\n-- key: a\nSELECT 1"
    )
    assert archive.sql(TITLES).fetchall() == TIDES
    archive.projections["blocks"].use(7)
    said = " | ".join(str(problem) for problem in archive.projections.problems)
    assert "v9_torn.sql:1: the header lacks title, key" in said
    assert "notes.sql: call it v4_my_rule.sql" in said
    assert "blocks/v2: the numbers of blocks up to" in said
    with pytest.raises(ProjectionFileError, match="v9_torn"):
        archive.projections["blocks"].use(9)


def test_a_file_that_leads_out_of_the_archive_is_not_read(archive: Archive, tmp_path: Path) -> None:
    (tmp_path / "secret.sql").write_text(
        "-- projection: blocks\n-- version: 9\n-- title: T\n-- key: a\nSELECT 1"
    )
    (archive.path / "projections" / "blocks" / "v9_link.sql").symlink_to(tmp_path / "secret.sql")
    with pytest.raises(ProjectionFileError, match=r"v9_link\.sql: it is no file of this archive"):
        archive.projections["blocks"].use(9)


@pytest.mark.parametrize("name", ["events", "log_segments", "Blocks", "a-b", "", "x" * 99])
def test_a_name_that_cannot_be_a_table_is_refused(archive: Archive, name: str) -> None:
    with pytest.raises(UsageError, match="cannot be a projection's name"):
        archive.projections[name]


def test_what_is_not_there_is_named_with_what_is(archive: Archive) -> None:
    with pytest.raises(UsageError, match=r"there is no blocks v99; there are v1, .*v7"):
        archive.projections["blocks"].use(99)
    with pytest.raises(UsageError, match=r"there is no projection 'nothing'; there are .*blocks, channel"):
        archive.projections["nothing"].use(1)
    with pytest.raises(UsageError, match=r"there is no lens 'other'; there are default"):
        archive.lens("other").sql("SELECT 1")
    with pytest.raises(UsageError, match="cannot be a lens's name"):
        archive.lens("a/b")


def test_a_table_that_is_not_in_force_is_said_to_be_one(archive: Archive) -> None:
    """The first thing asked of a new table is a query of it."""
    archive.projections["loud"].save(1, "Loud", BODY)
    with pytest.raises(QueryError, match=r"loud has no version .*default: `vfdir-lab projection use loud 1`"):
        archive.sql("FROM loud")
    archive.lens("mine").use(blocks=7)
    with pytest.raises(QueryError, match=r"use loud 1 --lens mine` puts"):
        archive.lens("mine").sql("FROM loud")
    with pytest.raises(QueryError) as refused:
        archive.sql("FROM louder")
    assert "projection use" not in str(refused.value)


def test_a_number_that_is_taken_cannot_be_written_over(archive: Archive) -> None:
    with pytest.raises(UsageError, match=r"the numbers of blocks up to \d are taken by vfdir_lab; take 8"):
        archive.projections["blocks"].save(2, "Mine", BODY)


# -------------------------------------------------------------------------------------------- columns


def test_missing_columns_read_as_null_and_that_is_told(archive: Archive) -> None:
    with pytest.warns(LensWarning, match=r"blocks v7 gives no .*description.*; that reads as null"):
        relation = archive.lens("mine").use(blocks=7).sql("FROM blocks")
    assert set(public_columns()["blocks"]) == set(relation.columns)
    types = dict(zip(relation.columns, map(str, relation.types), strict=True))
    assert {name: types[name] for name in public_columns()["blocks"] if name != "title"} == {
        name: kind for name, kind in public_columns()["blocks"].items() if name != "title"
    }
    assert relation.pl()["description"].to_list() == [None] * 3


def test_other_projections_go_on_over_a_version_with_fewer_columns(archive: Archive) -> None:
    archive.projections["blocks"].use(7)
    tables = archive.sql("SHOW TABLES").fetchall()
    for (table,) in tables:
        archive.sql(f"SELECT count(*) FROM {table}").fetchall()
    assert archive.status().blocks == 3


def test_a_table_of_ones_own_may_read_others(archive: Archive) -> None:
    body = "SELECT channel AS object_id, count(*) AS n FROM connections GROUP BY channel"
    archive.projections["sizes"].save(1, "Sizes", body)
    archive.projections["sizes"].use(1)
    assert archive.sql("SELECT object_id, n FROM sizes").fetchall() == [("channel:1", 3)]


def test_new_begins_with_what_is_in_force(archive: Archive) -> None:
    path = archive.projections["channels"].new(title="As I see it")
    assert path.name == f"v{shipped().of('channels')[-1].version + 1}_as_i_see_it.sql"
    number = archive.projections["channels"].versions[-1].version
    archive.projections["channels"].use(number)
    assert archive.sql("SELECT title FROM channels").fetchall() == [("Tides",)]
    fresh = archive.projections["brand_new"].new()
    assert fresh.name == "v1_my_rule.sql"
    archive.projections["brand_new"].use(1)
    assert archive.sql("SELECT title FROM brand_new ORDER BY ALL").fetchall() == TIDES


def test_the_default_lens_is_that_of_the_manifest(archive: Archive) -> None:
    archive.lens("mine").use(blocks=7)
    manifest = archive.path / "archive.toml"
    manifest.write_text(manifest.read_text().replace('lens = "default"', 'lens = "mine"'))
    assert Archive(archive.path).sql(TITLES).fetchall() == LOUD


def test_the_public_columns_are_those_of_the_default_lens() -> None:
    by_number = {"blocks_v2", "connections_v2"}
    assert public_columns().keys() == DEFAULT_VERSIONS.keys()
    assert {one.name for one in default_lens().definitions} == DEFAULT_VERSIONS.keys() | by_number


def test_the_book_passes_over_what_is_malformed() -> None:
    row = {"kind": "lens.set", "object_id": "lens:x", "payload": "{", "device": "a", "event_id": "a:1"}
    assert not book_of([row]).settings


def test_settings_say_who_and_when(archive: Archive) -> None:
    archive.projections["blocks"].use(7)
    (setting,) = archive.projections.lenses.settings()
    assert setting.device == archive.log.device()
    assert Head({setting.device: 3}).seq(setting.device) == 3
    assert setting.choices["blocks"].version == 7


def test_a_projection_may_be_recorded_by_hand_and_is_trusted(archive: Archive) -> None:
    """The log is the truth: this copy's own events are its own, whoever wrote them."""
    sql = archive.projections["blocks"].versions[-1].sql
    definition = archive.projections["blocks"][7]
    archive.log.append(
        [
            Draft(
                kind="projection.defined", object_id="projection:blocks", payload={"version": 7, "sql": sql}
            ),
            Draft(
                kind="lens.set",
                object_id="lens:default",
                payload={"versions": {"blocks": {"version": 7, "sql": definition.digest}}},
            ),
        ]
    )
    assert archive.sql(TITLES).fetchall() == LOUD


# --------------------------------------------------------------------------------------------- by number


def test_a_shipped_version_can_be_read_by_its_number(archive: Archive) -> None:
    """Whatever is in force: a rule of one's own is a shipped one with a column changed."""
    body = "SELECT * REPLACE (title || '!' AS title) FROM blocks_v2"
    archive.projections["blocks"].save(8, "Called out", body)
    archive.projections["blocks"].use(8)
    assert archive.sql(TITLES).fetchall() == [(f"{title}!",) for (title,) in TIDES]
    assert archive.sql("SELECT title FROM blocks_v2 ORDER BY title").fetchall() == TIDES
    assert archive.projections.check().ok
    archive.projections["channels"].save(8, "Long ones", "SELECT * FROM channels_v2 WHERE length > 2")
    archive.projections["channels"].use(8)
    assert archive.sql("SELECT title FROM channels").fetchall() == [("Tides",)]
    assert archive.diff("blocks", 2, 8).columns == {"title": 3}


@pytest.mark.parametrize("name", ["blocks_v4", "blocks_v99", "nothing_v2", "blocks_v02", "blocks_v7"])
def test_only_shipped_versions_have_a_number_to_read_by(archive: Archive, name: str) -> None:
    archive.projections["blocks"].save(8, "Bad", f"SELECT * FROM {name}")
    with pytest.raises(ProjectionError, match=f"there is no table {name}"):
        archive.projections["blocks"].use(8)
    assert not archive.projections.check().ok


def test_a_version_by_its_number_means_the_same_whatever_is_in_force(archive: Archive) -> None:
    archive.projections["sizes"].save(1, "Sizes", "SELECT object_id, length(title) AS n FROM blocks_v2")
    archive.lens("mine").use(sizes=1)
    before = archive.lens("mine").definitions.fingerprints["sizes"]
    archive.lens("mine").use(blocks=7)
    assert archive.lens("mine").definitions.fingerprints["sizes"] == before
