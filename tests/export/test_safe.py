"""Remote text is harmless where it goes."""

from __future__ import annotations

from html.parser import HTMLParser
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vfdir_lab.export.safe import address, escaped, shown

NASTY = st.one_of(
    st.text(),
    st.lists(st.sampled_from(["<", ">", '"', "'", "&", "script", "=", "\x00", "-->", "\u202e"])).map("".join),
)


class Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words += data


@given(NASTY)
def test_escaped_text_is_text_between_tags_and_in_attributes(text: str) -> None:
    reader = Reader()
    reader.feed(f'<p title="{escaped(text)}">{escaped(text)}</p>')
    reader.close()
    assert reader.tags == [("p", {"title": shown(text)})]
    assert reader.words == shown(text)


@given(st.text())
def test_what_is_shown_steers_nothing(text: str) -> None:
    assert not set(shown(text)) & set("\x00\x07\x1b\x7f\x9b\u202a\u202e\u2066\u2069\ufeff\r")
    assert shown(shown(text)) == shown(text)


@pytest.mark.parametrize(
    "text",
    [
        "javascript:alert(1)",
        " java\nscript:alert(1)",
        "JAVASCRIPT:x",
        "data:text/html,x",
        "vbscript:x",
        "file:///etc/passwd",
        "\x01javascript:x",
        "//evil.example",
        "/etc",
        "https:",
        "https://",
        "https:///x",
        "http://[",
        "mailto:",
        "mailto:x",
        "",
        None,
        "ftp://a.b",
        "https:\\\\evil",
        "blob:https://x",
        "about:blank",
        "view-source:https://x",
    ],
)
def test_other_schemes_are_no_addresses(text: str | None) -> None:
    assert address(text) is None


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ('https://a.b/c?d=<e>&f="g"#h', "https://a.b/c?d=%3Ce%3E&f=%22g%22#h"),
        ("  HTTP://A.b ", "HTTP://A.b"),
        ("https://a.b/x y\n", "https://a.b/x%20y"),
        ("https://a.b/é日", "https://a.b/é日"),
        ("mailto:ada@example.org", "mailto:ada@example.org"),
    ],
)
def test_addresses_of_the_web_stay(text: str, spelled: str) -> None:
    assert address(text) == spelled


@given(
    st.text()
    | st.text().map(lambda text: f"https://a.example/{text}")
    | st.text().map(lambda text: f"java{text}script:x")
)
def test_an_address_is_one_of_the_web_or_none(text: str) -> None:
    found = address(text)
    if found is not None:
        assert urlsplit(found).scheme.lower() in {"http", "https", "mailto"}
        assert not set(found) & set(' <>"\\^`{|}\n\r\t\x00\u202e')
        assert address(found) == found
