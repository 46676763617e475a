"""Search finds what a person means: without case and accents, in any script, the best first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vfdir_lab.archive import Archive
from vfdir_lab.errors import UsageError
from vfdir_lab.event import Event

MakeEvent = Callable[..., Event]
WIDE = "".join(chr(ord(letter) + 0xFEE0) for letter in "Tide")
TITLES = {
    1: "Café Straße",
    2: "東京の夜",
    3: "夜の東京タワー",
    4: "한국어 문서",
    5: "ÅNGSTRÖM",
    6: "plain text about tides",
    7: "Tides",
    8: "The tides of Ölfjord",
    9: "Cafe\u0301 in two characters",
    10: "100% of it's _all_ \\ here",
    11: None,
    20: "Ελλάς και θάλασσα",
    21: "\ufb01eld \ufb02ow o\ufb03ce wa\ufb04e \ufb00 \u017fte\ufb06",
    22: f"{WIDE} \uff12\uff10",
}


@pytest.fixture(scope="module")
def archive(new_desk: Any, event: MakeEvent) -> Any:
    """Blocks with titles in many scripts, a channel, and one block whose content says `tides` alone."""
    events = [
        event("aaaa", seq, "block.observed", f"block:{number}", title=title, type="Text")
        for seq, (number, title) in enumerate(TITLES.items(), 1)
    ]
    text = {"markdown": "In the long run the TIDES decide; see also the almanac. " * 5}
    more = [
        ("block:12", "block.observed", {"title": "Notes", "content": text}),
        ("block:13", "block.observed", {"title": "A picture", "image": {"filename": "tides-at-noon.png"}}),
        ("channel:1", "channel.observed", {"title": "Moon and tides", "slug": "moon", "description": "x"}),
        ("connection:1", "connection.observed", {"channel": "channel:1", "item": "block:6", "rank": "a0"}),
    ]
    events += [
        event("aaaa", seq, kind, about, **said)
        for seq, (about, kind, said) in enumerate(more, len(TITLES) + 1)
    ]
    with new_desk() as desk:
        yield desk.write(events).archive


def found(archive: Archive, text: str) -> list[str]:
    return [row[0] for row in archive.search(text).fetchall()]


@pytest.mark.parametrize(
    ("text", "blocks"),
    [
        ("cafe", [9, 1]),
        ("CAFÉ", [9, 1]),
        ("cafe\u0301", [9, 1]),
        ("ΕΛΛΑΣ", [20]),
        ("ελλας", [20]),
        ("strasse", [1]),
        ("field", [21]),
        ("\ufb01eld OFFICE waffle", [21]),
        ("stest", [21]),
        ("tide 20", [22]),
        (f"{WIDE.lower()} \uff12\uff10", [22]),
        ("STRASSE café", [1]),
        ("東京", [2, 3]),
        ("夜", [3, 2]),
        ("한국", [4]),
        ("angstrom", [5]),
        ("olfjord tides", [8]),
        ("100%", [10]),
        ("_all_", [10]),
        ("it's", [10]),
        ("\\", [10]),
        ("nowhere", []),
        ("tides nowhere", []),
    ],
)
def test_words_are_found_whatever_their_script_and_spelling(
    archive: Archive, text: str, blocks: list[int]
) -> None:
    assert sorted(found(archive, text)) == sorted(f"block:{number}" for number in blocks)


def test_the_best_come_first(archive: Archive) -> None:
    """The whole title, then a word of it (what is in a channel first), then names, then the text."""
    order = found(archive, "tides")
    assert order == ["block:7", "block:6", "block:8", "channel:1", "block:13", "block:12"]


def test_a_phrase_as_it_was_asked_counts_more(archive: Archive) -> None:
    phrase, apart = archive.search("moon and tides").fetchall(), archive.search("tides and moon").fetchall()
    assert phrase[0][1] > apart[0][1]
    assert phrase[0][0] == apart[0][0] == "channel:1"


def test_an_excerpt_shows_where_the_word_is(archive: Archive) -> None:
    rows = {row[0]: row for row in archive.search("almanac").fetchall()}
    assert "almanac" in rows["block:12"][3]
    assert archive.search("tides").columns == ["object_id", "score", "title", "excerpt", "channels"]


def test_an_old_view_can_be_searched(archive: Archive) -> None:
    assert archive.search("moon").fetchall()
    with pytest.raises(UsageError, match="at least one word"):
        archive.search("  \t")
    with pytest.raises(UsageError, match="at most 32 words"):
        archive.search("word " * 40)


@settings(max_examples=10)  # each is a query with a table of its own
@given(text=st.text(max_size=20).filter(str.split))
def test_no_text_is_a_mistake(archive: Archive, text: str) -> None:
    """Whatever is asked, nothing breaks; and what is found by a text is found by each of its words."""
    for word in text.split()[:2]:
        assert set(found(archive, text)) <= set(found(archive, word))


@settings(max_examples=15)
@given(number=st.sampled_from([n for n, title in TITLES.items() if title]), upper=st.booleans())
def test_a_title_finds_its_block(archive: Archive, number: int, upper: bool) -> None:
    title = TITLES[number] or ""
    assert f"block:{number}" in found(archive, title.upper() if upper else title)
