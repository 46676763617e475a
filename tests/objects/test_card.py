"""Cards show remote text as text."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vfdir_lab.errors import LogError
from vfdir_lab.event import Draft
from vfdir_lab.media import MediaStore
from vfdir_lab.objects.card import html_card, text_card

PNG = b"\x89PNG\r\n\x1a\n"
TAGS = {"div", "strong", "small", "table", "tr", "th", "td", "a"}
HOSTILE = st.sampled_from(
    [
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "javascript:alert(1)",
        'https://x.example/" onmouseover="x',
        "https://x.example/a",
        "HTTPS://x.example/<b>",
        "\x1b[31mred",
        "\u202egnp.exe",
        "line\nbreak",
        "data:text/html,<b>x</b>",
    ]
)
TEXTS = st.one_of(st.none(), HOSTILE, st.text(max_size=30), st.integers(), st.booleans())
ROWS = st.dictionaries(
    st.one_of(st.sampled_from(["title", "source_url", "description", "pending"]), st.text(max_size=8)), TEXTS
)


class Shown:
    """Stands for an object with any row."""

    SPACE, key, vanished_at = "block", 7, None

    def __init__(self, row: dict[str, Any]) -> None:
        self.row = row

    def as_dict(self) -> dict[str, Any]:
        return self.row


class Reader(HTMLParser):
    """Collects the tags of a card, and where its links lead."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs


@given(row=ROWS)
def test_no_text_becomes_markup_and_only_web_addresses_become_links(row: dict[str, Any]) -> None:
    thing: Any = Shown(row)
    reader = Reader()
    reader.feed(html_card(thing))
    assert reader.tags <= TAGS
    names = {name for name, _ in reader.attributes}
    assert names <= {"class", "lang", "role", "aria-label", "style", "dir", "scope", "href", "rel", "target"}
    links = [value or "" for name, value in reader.attributes if name == "href"]
    assert all(link.lower().startswith(("http://", "https://")) for link in links)


@given(row=ROWS)
def test_the_line_for_a_terminal_is_one_line_that_steers_nothing(row: dict[str, Any]) -> None:
    thing: Any = Shown(row)
    line = text_card(thing)
    assert line.isprintable() or all(
        sign.isprintable() or sign in "\u200c\u200d\xad\xa0" or ord(sign) > 255 for sign in line
    )
    assert "\x1b" not in line
    assert "\u202e" not in line
    assert len(line.splitlines()) == 1


def test_a_card_says_what_there_is_to_say(home: Any) -> None:
    home.observe("block:1", source={"url": "https://example.org/a?b=1&c=2", "title": "Source"})
    card = html_card(home.objects.block(1))
    assert '<strong dir="auto" lang="">Entry 1</strong>' in card
    assert 'href="https://example.org/a?b=1&amp;c=2" rel="noopener noreferrer"' in card
    assert "file size" not in card, "what says nothing is left out"
    assert repr(home.objects.block(1)) == "<Block block:1 “Entry 1”>"
    assert repr(home.objects.user(9)) == "<User user:9 “Ada”>"


def test_a_repr_never_raises(home: Any) -> None:
    block = home.objects.block(1)

    def broken() -> Any:
        raise LogError("files went away")

    home.archive._pool._lens = broken
    home.archive._pool._look_at = 0.0
    assert repr(block) == "<Block block:1, cannot be read: files went away>"
    assert "files went away" in block._repr_html_()


@pytest.mark.parametrize("title", [None, "", "   "])
def test_what_has_no_title_is_called_untitled(home: Any, title: str | None) -> None:
    home.observe("block:1", title=title)
    assert "untitled" in html_card(home.objects.block(1))
    assert repr(home.objects.block(1)) == "<Block block:1>"


def test_a_saved_picture_is_in_the_card_of_its_block(home: Any) -> None:
    """A picture that was not saved is its address, and what is no picture is never shown as one."""
    address = "https://images.example/a.png"
    home.observe("block:1", type="Image", title="<b>", image={"src": address})
    block = home.objects.block(1)
    assert "<img" not in block._repr_html_()
    for content, is_shown in ((b"<svg><script/></svg>", False), (PNG, True)):
        stored = MediaStore(home.archive.path).put(content)
        payload = {"url": address, "sha256": stored.sha256, "size": len(content), "content_type": "image/png"}
        home.record(Draft(kind="media.saved", object_id=f"media:{stored.sha256}", payload=payload))
        shown = block._repr_html_()
        assert ('<img src="data:image/png;base64,' in shown) == is_shown
    assert 'alt="&lt;b&gt;"' in shown
