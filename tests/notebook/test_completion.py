"""Completion, as a front end asks for it."""

from typing import Any

import pytest

from vfdir_lab.archive import Archive
from vfdir_lab.notebook import completion


@pytest.mark.parametrize(
    ("marked", "offered"),
    [
        ("%%vfdir\nSELECT * FROM bl|", "blocks"),
        ("%%vfdir\nSELECT * FROM ev|", "events"),
        ("%%vfdir -o x --lens default\nSELECT ti| FROM blocks", "title"),
        ("%%vfdir\nSELECT b.ti|\nFROM blocks AS b", "title"),
        ("%%vfdir\nSELECT c.sl| FROM blocks b JOIN channels c ON true", "slug"),
        ("%%vfdir\nSELECT *\nFROM blocks, connections k\nWHERE k.posi|", "position"),
        ("%%vfdir\nSELECT events.hl| FROM events", "hlc"),
        ("%%vfdir\nSELECT B.TI| FROM blocks AS b", "title"),
        ("%%vfdir\nSELECT * FROM blocks AS chosen WHERE cho|", "chosen"),
        ('%%projection blocks 4 "x"\nSELECT late|', "latest"),
        ('%%projection blocks 4 "x"\nSELECT pay| FROM events', "payload"),
        ('%%projection blocks 4 "x"\nSELECT * FROM blocks_v|', "blocks_v2"),
        ('%%projection blocks 4 "x"\nSELECT conten| FROM blocks_v2', "content"),
        ("%vfdir le|", "lens"),
        ("%vfdir lens de|", "default"),
        ("%%vfdir --lens de|", "default"),
        ("%%projection bl|", "blocks"),
    ],
)
def test_it_offers(opened: Any, marked: str, offered: str) -> None:
    before, _, _ = marked.partition("|")
    start = before.rstrip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_")
    assert start + offered in opened.completions(marked)


def test_after_an_alias_it_offers_the_columns_of_that_table_alone(opened: Any) -> None:
    offered = opened.completions("%%vfdir\nSELECT c.| FROM blocks b JOIN channels c ON true")
    columns = {text.rpartition(".")[2] for text in offered}
    assert "slug" in columns
    assert not columns & {"content", "blocks", "source_url"}


def test_it_offers_no_columns_of_tables_that_are_not_in_the_query(opened: Any) -> None:
    assert not any(text.endswith("slug") for text in opened.completions("%%vfdir\nSELECT sl| FROM blocks"))


def test_helpers_are_for_projections_alone(opened: Any) -> None:
    """A query that a person asks runs as it is: there, a helper would be no function."""
    assert opened.completions("%%vfdir\nSELECT lates|") == []


def test_python_is_completed_as_ever(opened: Any) -> None:
    opened.variables["tide_table"] = 1
    assert "x = tide_table" in opened.completions("x = tide_t|")
    assert not any("blocks" in text for text in opened.completions("x = bl|"))


def test_an_unfinished_query_is_completed_and_a_broken_one_does_no_harm(opened: Any) -> None:
    assert "%%vfdir\nSELECT count(* FROM blocks" in opened.completions("%%vfdir\nSELECT count(* FROM bloc|")
    opened.completions("%%vfdir\nSELECT 'never closed FROM bl|")


def test_without_an_archive_nothing_is_offered(notebook: Any) -> None:
    assert notebook.completions("%%vfdir\nSELECT * FROM block|") == []


def test_the_lens_of_the_session_says_which_columns_there_are(opened: Any, archive: Archive) -> None:
    archive.lens("ever").use(connections=3)
    marked = "%%vfdir\nSELECT remov| FROM connections"
    assert opened.completions(marked) == []
    opened.run("%vfdir lens ever")
    assert opened.completions(marked) == ["%%vfdir\nSELECT removed_at"]


def test_no_event_is_read_and_a_lens_is_asked_once(
    opened: Any, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    columns = completion.columns_of.__class__(completion._tables_of)
    monkeypatch.setattr(completion, "columns_of", columns)
    asked = []
    scratch = completion.scratch

    def counting(definitions: Any) -> Any:
        asked.append(definitions)
        return scratch(definitions)

    monkeypatch.setattr(completion, "scratch", counting)
    monkeypatch.setattr(archive.engine, "relation", None)
    monkeypatch.setattr(archive.engine, "arrow", None)
    for _ in range(3):
        assert opened.completions("%%vfdir\nSELECT titl| FROM blocks")
    assert len(asked) == 1
