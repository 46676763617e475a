"""are.na's own exports, imported: what becomes a fact, and what a pull adds or keeps."""

import csv
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import permutations
from pathlib import Path

import pytest
from exported import HEADER, blocks, csv_of, exported, facts, row, take_in, zip_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vfdir_lab.archive import Archive
from vfdir_lab.errors import UsageError
from vfdir_lab.event import Draft
from vfdir_lab.event.event import ARENA
from vfdir_lab.log import EventLog, Machine
from vfdir_lab.projection import Engine
from vfdir_lab.sandbox import Sandbox
from vfdir_lab.sync import exports, exports_survey
from vfdir_lab.sync.exports import import_export
from vfdir_lab.sync.exports_report import ImportProgress
from vfdir_lab.sync.exports_rows import moment_in, spelled

FEW = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
NOW = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.fixture
def alone(tmp_path: Path) -> Archive:
    """An archive that never asks are.na."""
    return Archive(tmp_path / "alone", create=True)


@pytest.fixture
def fresh() -> Iterator[Callable[[], tuple[Archive, Path]]]:
    """Makes an empty archive, with a folder beside it."""
    with tempfile.TemporaryDirectory() as folder:
        made = iter(range(10_000))

        def make() -> tuple[Archive, Path]:
            path = Path(folder) / str(next(made))
            path.mkdir()
            return Archive(path / "archive", create=True), path

        yield make


def test_a_row_becomes_one_fact_in_the_shape_of_a_pull(alone: Archive, tmp_path: Path) -> None:
    content = csv_of(
        [
            row(7, 'A, b\n"c"', "2024-05-01T10:00:00Z", description="*So*", source="https://x.example/?a=1")
            | {"Filename": "p.jpg"}
        ]
    )
    report = take_in(alone, tmp_path / "tides.csv", content)
    (fact,) = facts(alone, "kind = 'block.observed'")
    assert fact["payload"] == {
        "id": 7,
        "title": 'A, b\n"c"',
        "description": {"markdown": "*So*"},
        "source": {"url": "https://x.example/?a=1"},
        "created_at": "2020-01-31T12:00:00Z",
        "updated_at": "2024-05-01T10:00:00Z",
    }
    assert (fact["object_id"], fact["origin"], fact["cause"]) == ("block:7", "arena", report.id)
    assert fact["origin_at"] == datetime(2024, 5, 1, 10, tzinfo=UTC)
    shown = blocks(alone)["block:7"]
    assert (shown["title"], shown["description"], shown["source_url"]) == (
        'A, b\n"c"',
        "*So*",
        "https://x.example/?a=1",
    )
    assert shown["type"] is shown["content"] is shown["visibility"] is shown["filename"] is None


def test_the_bracket_keeps_membership_order_and_what_is_beside(alone: Archive, tmp_path: Path) -> None:
    rows = [row(9, "x") | {"Filename": "a.jpg", "Tags": "t"}, row(3), row(9)]
    take_in(alone, tmp_path / "some-slug.csv", csv_of(rows, [*HEADER, "Tags"]), title="Some")
    started, finished = facts(alone, "kind LIKE 'import.%'")
    assert started["payload"] | finished["payload"] == finished["payload"]
    assert started["object_id"] == finished["object_id"] == started["cause"]
    kept = finished["payload"]
    assert (kept["file"], kept["format"], kept["named"], kept["title"]) == (
        "some-slug.csv",
        "csv",
        "some-slug",
        "Some",
    )
    assert kept["items"] == ["block:9", "block:3", "block:9"]
    assert kept["beside"] == {"Filename": {"block:9": "a.jpg"}, "Tags": {"block:9": "t"}}
    assert (kept["rows"], kept["new"], kept["part"], kept["parts"]) == (3, 2, 1, 1)
    assert alone.sql("SELECT count(*) FROM connections").fetchall() == [(0,)]
    assert not facts(alone, "kind LIKE 'connection.%' OR kind LIKE 'channel.%'")


def test_long_lists_are_kept_in_parts(
    alone: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports_survey, "PART_ITEMS", 4)
    monkeypatch.setattr(exports, "BATCH_ROWS", 3)
    numbers = list(range(50, 40, -1))
    told: list[ImportProgress] = []
    content = csv_of(row(number) for number in numbers)
    take_in(alone, tmp_path / "long.csv", content, channel=275, on_progress=told.append)
    parts = [one["payload"] for one in facts(alone, "kind = 'import.finished'")]
    assert [(one["part"], one["parts"], one["first"]) for one in parts] == [(1, 3, 1), (2, 3, 5), (3, 3, 9)]
    assert [item for one in parts for item in one["items"]] == [f"block:{number}" for number in numbers]
    assert {one["channel"] for one in parts} == {"channel:275"}
    assert [one.get("rows") for one in parts] == [None, None, 10]
    assert [(one.rows, one.total) for one in told] == [(0, 10), (3, 10), (6, 10), (9, 10), (10, 10)]


def test_the_same_file_again_records_nothing(alone: Archive, tmp_path: Path) -> None:
    content = csv_of([row(1, "a"), row(2, "b")])
    take_in(alone, tmp_path / "tides.csv", content)
    head = alone.head
    assert take_in(alone, tmp_path / "tides.csv").id is None
    assert take_in(alone, tmp_path / "tides (1).csv", content).id is None
    assert alone.head == head
    other = take_in(alone, tmp_path / "tides.csv", channel="clouds")
    assert other.id is not None
    assert [one["kind"] for one in facts(alone, f"cause = '{other.id}'")] == [
        "import.started",
        "import.finished",
    ]


SPELLINGS: dict[str, dict] = {
    "excel": {"lineterminator": "\r\n"},
    "unix": {"lineterminator": "\n", "quoting": csv.QUOTE_ALL},
}
cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
made_rows = st.lists(
    st.tuples(st.integers(1, 10**17), cells, cells, cells, cells),
    unique_by=lambda one: one[0],
    min_size=1,
    max_size=6,
)


@given(
    rows=made_rows,
    columns=st.permutations([*HEADER, "Else"]),
    dialect=st.sampled_from(["excel", "unix"]),
    mark=st.booleans(),
    packed=st.booleans(),
)
@FEW
def test_any_rows_come_back_as_facts_exactly_once(
    fresh: Callable[[], tuple[Archive, Path]],
    rows: list[tuple[int, str, str, str, str]],
    columns: list[str],
    dialect: str,
    mark: bool,
    packed: bool,
) -> None:
    archive, folder = fresh()
    content = (b"\xef\xbb\xbf" if mark else b"") + csv_of(
        (
            row(number, title, description=description, source=source) | {"Else": other}
            for number, title, description, source, other in rows
        ),
        columns,
        **SPELLINGS[dialect],
    )
    path = folder / ("all.zip" if packed else "tides.csv")
    report = take_in(archive, path, zip_of({"tides.csv": content}) if packed else content)
    assert (report.new, report.refused_rows) == (len(rows), 0)
    assert take_in(archive, path).id is None
    found = [one["payload"] for one in facts(archive, "kind = 'block.observed'")]
    assert [
        (
            one["id"],
            one.get("title", ""),
            one.get("description", {"markdown": ""})["markdown"],
            one.get("source", {"url": ""})["url"],
        )
        for one in found
    ] == [one[:4] for one in rows]
    (finished,) = facts(archive, "kind = 'import.finished'")
    assert finished["payload"]["beside"].get("Else", {}) == {
        f"block:{one[0]}": one[4] for one in rows if one[4]
    }
    assert archive.verify().ok


stated = st.dictionaries(st.integers(1, 3), st.integers(1, 4), min_size=1)


@given(
    exports_made=st.lists(stated, min_size=3, max_size=3),
    titles=st.lists(st.sampled_from("xyz"), min_size=5, max_size=5),
)
@settings(FEW, max_examples=3)
def test_exports_in_any_order_end_with_what_the_newest_states(
    fresh: Callable[[], tuple[Archive, Path]], exports_made: list[dict[int, int]], titles: list[str]
) -> None:
    """Each export is block -> day; on a day a block has one title, which may come back later."""
    files = [
        csv_of(row(block, titles[day], f"2024-05-0{day}T00:00:00Z") for block, day in one.items())
        for one in exports_made
    ]
    newest = {block: max(one.get(block, 0) for one in exports_made) for one in exports_made for block in one}
    for order in permutations(files):
        archive, folder = fresh()
        for content in order:
            take_in(archive, folder / "tides.csv", content)
        shown = {key: (one["title"], one["updated_at"]) for key, one in blocks(archive).items()}
        assert shown == {
            f"block:{block}": (titles[day], datetime(2024, 5, day, tzinfo=UTC))
            for block, day in newest.items()
        }


def test_an_empty_cell_clears_nothing_and_an_older_export_fills_gaps(alone: Archive, tmp_path: Path) -> None:
    take_in(alone, tmp_path / "a.csv", csv_of([row(1, "new", "2024-05-02T00:00:00Z")]))
    take_in(alone, tmp_path / "b.csv", csv_of([row(1, "old", "2024-05-01T00:00:00Z", description="d")]))
    report = take_in(alone, tmp_path / "c.csv", csv_of([row(1, "", "2024-05-03T00:00:00Z")]))
    assert report.changed == 1
    assert (blocks(alone)["block:1"]["title"], blocks(alone)["block:1"]["description"]) == ("new", "d")
    undated = take_in(
        alone, tmp_path / "d.csv", csv_of([row(1, "undated", "") | {"Source": "https://x.example"}])
    )
    assert undated.changed == 1
    assert (blocks(alone)["block:1"]["title"], blocks(alone)["block:1"]["source_url"]) == (
        "new",
        "https://x.example",
    )


def test_a_pull_after_an_import_adds_only_what_differs(
    sandbox: Sandbox, open_archive: Callable[..., Archive], tmp_path: Path
) -> None:
    archive, pulled_only = open_archive("one"), open_archive("two")
    rows = exported(sandbox, "tides")
    report = take_in(archive, tmp_path / "tides.csv", csv_of(rows))
    assert report.new == len(rows) > 5
    archive.pull("tides")
    pulled_only.pull("tides")
    numbers = {f"block:{one['ID']}" for one in rows}
    added = [one for one in facts(archive, "cause LIKE 'scan:%'") if one["object_id"] in numbers]
    told = [one for one in facts(pulled_only, "kind = 'block.observed'") if one["object_id"] in numbers]
    assert len(added) == len(told) == len(numbers)
    given = {f"block:{one['ID']}": one for one in rows}
    for one, whole in zip(
        sorted(added, key=lambda one: one["object_id"]),
        sorted(told, key=lambda one: one["object_id"]),
        strict=True,
    ):
        cells = given[one["object_id"]]
        same = {"id", "created_at", "updated_at"} | ({"title"} if cells["Title"] else set())
        same |= {key for key, value in whole["payload"].items() if value is None}
        richer = {"description", "source"}
        assert one["payload"].keys() - richer == whole["payload"].keys() - same - richer
    assert blocks(archive) == blocks(pulled_only)
    again = take_in(archive, tmp_path / "tides.csv")
    assert (again.id, again.new, again.changed, again.older) == (None, 0, 0, 0)
    assert archive.pull("tides").channels[0].changed == 0


def test_an_import_after_a_pull_changes_no_row(sandbox: Sandbox, archive: Archive, tmp_path: Path) -> None:
    archive.pull("tides")
    before = blocks(archive)
    report = take_in(archive, tmp_path / "tides.csv", csv_of(exported(sandbox, "tides")))
    assert (report.new, report.changed, report.older) == (0, 0, 0)
    assert blocks(archive) == before
    assert not facts(archive, "kind = 'block.observed' AND cause LIKE 'import:%'")


def test_an_older_export_does_not_undo_what_a_pull_showed(
    sandbox: Sandbox, archive: Archive, tmp_path: Path
) -> None:
    rows = exported(sandbox, "tides")
    sandbox.control.edit_block(rows[0]["ID"], title="Edited since", description="")
    archive.pull("tides")
    before = blocks(archive)
    report = take_in(archive, tmp_path / "tides.csv", csv_of(rows))
    assert (report.changed, report.older) == (0, 1)
    assert blocks(archive) == before
    assert before[f"block:{rows[0]['ID']}"]["title"] == "Edited since"


def test_what_an_export_knows_newer_shows(sandbox: Sandbox, archive: Archive, tmp_path: Path) -> None:
    archive.pull("tides")
    before = blocks(archive)
    sandbox.control.set_clock_offset(3600)
    rows = exported(sandbox, "tides")
    sandbox.control.edit_block(rows[0]["ID"], title="Edited since")
    report = take_in(archive, tmp_path / "tides.csv", csv_of(exported(sandbox, "tides")))
    assert (report.new, report.changed, report.older) == (0, 1, 0)
    after = blocks(archive)
    changed = f"block:{rows[0]['ID']}"
    assert after[changed]["title"] == "Edited since"
    assert after[changed] == before[changed] | {key: after[changed][key] for key in ("title", "updated_at")}
    assert {key: one for key, one in after.items() if key != changed} == {
        key: one for key, one in before.items() if key != changed
    }


def test_a_block_that_vanished_stays_away(sandbox: Sandbox, archive: Archive, tmp_path: Path) -> None:
    archive.pull("tides")
    rows = exported(sandbox, "tides")
    gone = f"block:{rows[0]['ID']}"
    sandbox.control.remove_block(rows[0]["ID"])
    for _ in range(3):
        archive.pull("tides", full=True)
    assert gone not in blocks(archive)
    take_in(archive, tmp_path / "tides.csv", csv_of(rows))
    assert gone not in blocks(archive)


@pytest.mark.parametrize(
    ("complete", "vanished", "title"),
    [(True, False, "shown"), (False, False, "exported"), (True, True, "exported")],
    ids=["seen again by a complete scan", "by no complete scan", "no longer in the channel"],
)
def test_a_complete_scan_has_seen_what_it_records_nothing_of(
    tmp_path: Path, complete: bool, vanished: bool, title: str
) -> None:
    """Looking again at an unchanged block leaves no event about it, yet are.na showed it then."""
    moments = iter(NOW + timedelta(hours=hour) for hour in range(100))
    log = EventLog(tmp_path, Machine("of-the-tests", tmp_path, tmp_path / "state"), now=lambda: next(moments))
    said = lambda kind, about, **payload: Draft(  # noqa: E731
        kind=kind, object_id=about, payload=payload, origin=ARENA, cause="scan:a"
    )
    (tmp_path / "log").mkdir()
    log.append([said("scan.started", "scan:a", channel="channel:1")])
    log.append([said("block.observed", "block:7", title="shown", updated_at="2026-01-01T00:00:00Z")])
    seen = log.append([said("connection.observed", "connection:5", channel="channel:1", item="block:7")])
    if vanished:
        log.append([said("connection.vanished", "connection:5")])
    updated = spelled(seen[-1].recorded_at + timedelta(hours=0 if not vanished else 1.5))
    later = [said("scan.started", "scan:b", channel="channel:1")]
    log.append([later[0], said("scan.finished", "scan:b", channel="channel:1", complete=complete)])
    path = tmp_path / "a.csv"
    path.write_bytes(csv_of([row(7, "exported", updated)]))
    engine = Engine(log)
    import_export(log, engine, path, now=lambda: NOW + timedelta(days=5))
    assert engine.arrow("SELECT title FROM blocks").to_pylist() == [{"title": title}]


def test_what_is_spelled_otherwise_is_the_same(alone: Archive, tmp_path: Path) -> None:
    said = {
        "id": 1,
        "title": "A &amp; B",
        "description": {"markdown": "one\r\ntwo ", "html": "<p>one two</p>", "plain": "one two"},
        "source": {"url": "https://x.example", "title": "X", "provider": None},
        "created_at": "2020-01-31T12:00:00.123Z",
        "updated_at": "2020-01-31T12:00:00Z",
    }
    alone.log.append([Draft(kind="block.observed", object_id="block:1", payload=said, cause="import:x")])
    cells = {"description": "one\ntwo", "source": "https://x.example"}
    take_in(alone, tmp_path / "a.csv", csv_of([row(1, "A & B", "2024-05-01T00:00:00Z", **cells)]))
    (fact,) = facts(alone, "cause LIKE 'import:_%' AND kind = 'block.observed' AND seq > 2")
    assert fact["payload"] == {"updated_at": "2024-05-01T00:00:00Z"}


@pytest.mark.parametrize(
    ("text", "spelling"),
    [
        ("2020-01-31T12:00:00Z", "2020-01-31T12:00:00Z"),
        ("2020-01-31T12:00:00", "2020-01-31T12:00:00Z"),
        ("2020-01-31 12:00:00 UTC", "2020-01-31T12:00:00Z"),
        ("2020-01-31 12:00:00", "2020-01-31T12:00:00Z"),
        ("2020-01-31 13:00:00 +0100", "2020-01-31T12:00:00Z"),
        ("2020-01-31T13:00:00.250+01:00", "2020-01-31T12:00:00.250Z"),
        (" 2020-01-31T12:00:00.000001Z ", "2020-01-31T12:00:00.000001Z"),
        *((text, None) for text in ("", "soon", "2020-01-31", "2020-13-01T00:00Z", "2999-01-01T00:00:00Z")),
        ("0001-01-01T00:00:00+14:00", None),
        ("2026-11-24T00:00:00Z", "2026-11-24T00:00:00Z"),
        ("2026-11-24T00:00:01Z", None),
    ],
)
def test_times_are_read_as_are_na_and_ruby_write_them(text: str, spelling: str | None) -> None:
    found = moment_in(text, NOW)
    assert (found and spelled(found)) == spelling


@given(st.text(max_size=30))
def test_no_text_breaks_the_reading_of_times(text: str) -> None:
    found = moment_in(text, NOW)
    assert found is None or found.tzinfo is UTC


def test_a_time_that_cannot_be_is_left_out_and_told(alone: Archive, tmp_path: Path) -> None:
    report = take_in(alone, tmp_path / "a.csv", csv_of([row(1, "t", "2999-01-01T00:00:00Z")]))
    (fact,) = facts(alone, "kind = 'block.observed'")
    assert "updated_at" not in fact["payload"]
    assert fact["origin_at"] is None
    assert "a.csv, row 2: Updated At '2999-01-01T00:00:00Z'" in str(report)


@pytest.mark.parametrize(
    ("files", "named"),
    [
        ({"tides.csv": 1, "knots.csv": 2}, ["tides", "knots"]),
        ({"all/tides.csv": 1, "all/knots.csv": 2}, ["tides", "knots"]),
        ({"tides/channel.csv": 1, "knots/export.csv": 2}, ["tides", "knots"]),
        ({"contents.csv": 1}, ["of-the-test"]),
        ({"a b.csv": 1}, [None]),
        ({"tides (2).csv": 1, "__MACOSX/._tides.csv": 2, ".tides.csv": 3}, ["tides"]),
    ],
    ids=str,
)
def test_a_channel_is_named_by_its_csv_its_folder_or_the_zip(
    alone: Archive, tmp_path: Path, files: dict[str, int], named: list[str | None]
) -> None:
    content = {name: csv_of([row(number)]) for name, number in files.items()}
    report = take_in(alone, tmp_path / "of-the-test.zip", zip_of(content | {"tides/1.jpg": b"x"}))
    assert [one.named for one in report.channels] == named
    assert report.files == 1 + len(files) - len(named)


def test_one_name_does_not_fit_several_channels(alone: Archive, tmp_path: Path) -> None:
    content = zip_of({"a.csv": csv_of([row(1)]), "b.csv": csv_of([row(2)])})
    with pytest.raises(UsageError, match="2 channels"):
        take_in(alone, tmp_path / "a.zip", content, channel="tides")
    assert not facts(alone)


def test_the_report_reads_well(alone: Archive, tmp_path: Path) -> None:
    rows = [row(1, "a"), row(2), {"ID": "<b>abc</b>"}]
    content = zip_of({"tides.csv": csv_of(rows), "1.jpg": b"x", "table.csv": b"some,thing\n1,2\n"})
    report = take_in(alone, tmp_path / "a.zip", content)
    text = str(report)
    assert "tides.csv: 2 blocks of the channel tides" in text
    assert "2 new, 0 changed, 0 known already" in text
    assert "refused tides.csv, row 4: its ID '<b>abc</b>' is no block's number" in text
    assert "table.csv" in text
    assert "shows after a pull" in text
    assert "<b>" not in report._repr_html_()
    assert report.as_dict()["refused"] == [
        {"file": "tides.csv", "row": 4, "why": "its ID '<b>abc</b>' is no block's number"}
    ]
    assert report.rows == 2


def test_the_clock_and_the_id_are_given(alone: Archive, tmp_path: Path) -> None:
    take = {"now": lambda: NOW, "new_import": lambda: "mine"}
    report = take_in(alone, tmp_path / "a.csv", csv_of([row(1, "t", "2026-11-25T00:00:00Z")]), **take)
    assert report.id == "import:mine"
    assert report.notes
