"""Remote Markdown: as HTML, and written again as Markdown, it says the same and runs nothing."""

from __future__ import annotations

import json
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from vfdir_lab.export.markup import as_html, as_lines, as_words
from vfdir_lab.export.remark import as_markdown, front_matter, plain_words

PIECES = [
    "# a",
    "### b",
    "- c",
    "  - d",
    "1. e",
    "> f",
    "```",
    "~~~",
    "`",
    "``",
    "*",
    "**",
    "_",
    "[g](javascript:h)",
    "[i](https://j.k)",
    "![l](https://m.n/o.png)",
    "<b>",
    "<script>",
    "<!--",
    "-->",
    "[[p]]",
    "#q",
    "^r",
    "{{s}}",
    "<% t %>",
    "==u==",
    "%%v%%",
    "$w$",
    "| x | y |",
    "|---|---|",
    "---",
    "===",
    "&amp;",
    "&lt;script&gt;",
    "\\",
    "    z",
    "\t",
    "<https://auto.link>",
    "[a]: https://b.c",
    "[a]",
    "\x00",
    "\u202e",
    "word",
    "two words",
    "é",
    "🧵",
    "1)",
    "+",
    "=",
]
TEXTS = st.lists(st.one_of(st.sampled_from(PIECES), st.sampled_from(["\n", "\n\n", " "])), max_size=20).map(
    "".join
)
TAGS = {
    "p",
    "br",
    "em",
    "strong",
    "code",
    "pre",
    "a",
    "ul",
    "ol",
    "li",
    "blockquote",
    "hr",
    *[f"h{n}" for n in range(1, 7)],
}


class Reader(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_comment(self, data: str) -> None:
        self.found.append(("comment", {}))

    def handle_data(self, data: str) -> None:
        self.words += data


def assert_harmless(found: list[tuple[str, dict[str, str | None]]]) -> None:
    for tag, attributes in found:
        assert tag in TAGS
        assert set(attributes) <= ({"href", "rel"} if tag == "a" else {"start"})
        assert str(attributes.get("href", "https://")).startswith(("https://", "http://", "mailto:"))


@given(TEXTS)
def test_as_html_it_is_elements_of_a_short_list(text: str) -> None:
    assert_harmless(Reader(as_html(text)).found)


@given(TEXTS)
def test_headings_begin_below_the_title_and_skip_no_level(text: str) -> None:
    level = 1
    for tag, _ in Reader(as_html(text)).found:
        if tag[0] == "h" and tag[1:].isdigit():
            assert 2 <= int(tag[1]) <= level + 1
            level = int(tag[1])


@given(TEXTS)
def test_written_as_markdown_no_reader_finds_html_in_it(text: str) -> None:
    """Read by a parser that lets HTML through, tables and strikethrough included."""
    loose = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    written = as_markdown(text)
    found = Reader(loose.render(written)).found
    assert_harmless(found)


@given(TEXTS)
def test_written_as_markdown_it_says_the_same(text: str) -> None:
    once, twice = as_html(text), as_html(as_markdown(text))
    assert "".join(Reader(once).words.split()) == "".join(Reader(twice).words.split())


@given(TEXTS, TEXTS)
def test_nothing_is_left_open_at_the_end(text: str, after: str) -> None:
    written = as_markdown(text)
    whole = MarkdownIt("commonmark").render(f"{written}\n<!-- -->\n\nlast words\n")
    assert whole.rstrip().endswith("<p>last words</p>")


@given(st.text() | TEXTS)
def test_plain_words_are_words(text: str) -> None:
    rendered = MarkdownIt("commonmark", {"html": True}).render(plain_words(text))
    reader = Reader(rendered)
    assert [tag for tag, _ in reader.found] in ([], ["p"])
    assert "[[" not in plain_words(text)
    assert "{{" not in plain_words(text)


@given(TEXTS, st.integers(1, 40))
def test_words_are_one_line_and_not_too_many(text: str, most: int) -> None:
    words = as_words(text, most)
    assert "\n" not in words
    assert len(words) <= most + 1
    assert len(as_lines(text, most)) <= most + 1


@given(
    st.dictionaries(
        st.sampled_from(["title", "slug", "id"]), st.text() | st.integers() | st.booleans() | st.none()
    )
)
def test_front_matter_is_yaml_whatever_is_in_it(values: dict[str, object]) -> None:
    yaml = pytest.importorskip("yaml")
    written = front_matter(values)
    assert written.startswith("---\n")
    assert written.endswith("\n---\n")
    inside = written.removeprefix("---\n").removesuffix("---\n")
    assert (yaml.safe_load(inside) or {}) == {
        key: value for key, value in values.items() if value is not None
    }
    for line in inside.splitlines():
        json.loads(line.partition(": ")[2])


def test_unsafe_links_lose_their_address_and_keep_their_words() -> None:
    text = "[click me](javascript:alert(1)) ![seen](https://a.b/c.png) [![in](https://d.e)](data:x)"
    assert as_html(text) == (
        '<p>click me <a href="https://a.b/c.png" rel="noopener noreferrer">seen</a> '
        '<a href="https://d.e" rel="noopener noreferrer">in</a></p>\n'
    )
    assert as_markdown(text) == "click me [seen](https://a.b/c.png) [in](https://d.e)\n"
