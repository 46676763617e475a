"""A fingerprint changes with the meaning, with what is read and with nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from vfdir_lab.projection import Catalogue, default_lens, fingerprint
from vfdir_lab.projection.catalogue import shipped
from vfdir_lab.projection.fingerprint import fingerprints, normal

HEADER = "-- projection: {}\n-- version: {}\n-- title: {}\n-- key: object_id\n"
PLAIN = "SELECT object_id, 'It''s' AS title FROM events WHERE seq >= 1.5"


def printed(tmp_path: Path, title: str = "T", version: int = 1, **sqls: str) -> dict[str, str]:
    """The fingerprints of these projections."""
    for name, sql in sqls.items():
        (tmp_path / name).mkdir(exist_ok=True)
        text = HEADER.format(name, version, title) + sql
        (tmp_path / name / f"v{version}_x.sql").write_text(text, "utf-8")
    return fingerprints(Catalogue.load(tmp_path).in_order(dict.fromkeys(sqls, version)))


@pytest.mark.parametrize(
    "same",
    [
        "select OBJECT_ID, 'It''s' as Title from Events where SEQ >= 1.5",
        "SELECT\n\tobject_id,\n\t'It''s' AS title\nFROM events\r\nWHERE seq >= 1.5\n\n",
        "SELECT object_id,'It''s'AS title FROM events WHERE seq>=1.5",
        "/* why */ SELECT object_id, -- 'a quote\n 'It''s' AS title /* it's */ FROM events WHERE seq>=1.5 --",
    ],
)
def test_formatting_does_not_count(tmp_path: Path, same: str) -> None:
    assert printed(tmp_path, mine=PLAIN) == printed(tmp_path, title="Another", mine=same)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("'It''s'", "'it''s'"),
        ("'It''s'", "'It''s '"),
        ("'It''s'", "'It''s -- not a comment'"),
        ("AS title", 'AS "Title"'),
        ("1.5", "1.6"),
        (">=", ">"),
        ("events", "events, events AS again"),
        ("seq", "hlc"),
    ],
)
def test_meaning_counts(tmp_path: Path, one: str, other: str) -> None:
    assert one in PLAIN
    assert printed(tmp_path, mine=PLAIN) != printed(tmp_path, mine=PLAIN.replace(one, other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("$$a -- b$$", "$$a -- c$$"),
        ("$x$ $$ /* b */ $x$", "$x$ $$ /* c */ $x$"),
        (r"E'a\' -- b'", r"E'a\' -- c'"),
        ("'a -- b'", "'a -- c'"),
        ("'/* b */'", "'/* c */'"),
        ('"-- b"', '"-- c"'),
    ],
)
def test_what_looks_like_a_comment_in_a_text_counts(one: str, other: str) -> None:
    assert normal(f"SELECT {one}") != normal(f"SELECT {other}")


def test_the_normal_form_is_its_own_normal_form() -> None:
    for definition in shipped():
        assert normal(normal(definition.sql)) == normal(definition.sql)
        assert "--" not in normal(definition.sql)


def test_what_is_read_counts_and_what_is_not_does_not(tmp_path: Path) -> None:
    before = printed(tmp_path, low="FROM events", mid="FROM low", high="FROM mid", aside="FROM events AS e")
    after = printed(
        tmp_path, low="FROM events WHERE true", mid="FROM low", high="FROM mid", aside="FROM events AS e"
    )
    assert {name for name, value in before.items() if after[name] != value} == {"low", "mid", "high"}
    assert before["aside"] != before["low"]


def test_the_helpers_count(monkeypatch: pytest.MonkeyPatch) -> None:
    before = fingerprints(default_lens().definitions)
    monkeypatch.setattr(fingerprint, "_helpers", lambda: ["another meaning of latest"])
    after = fingerprints(default_lens().definitions)
    assert all(after[name] != value for name, value in before.items())


def test_fingerprints_name_their_algorithm_and_differ() -> None:
    found = fingerprints(default_lens().definitions)
    assert found.keys() == default_lens().versions.keys()
    assert len(set(found.values())) == len(found)
    assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", value) for value in found.values())
