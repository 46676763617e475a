"""Remote Markdown: read once, then given as HTML, as plain words, or as Markdown again (`remark.py`).

Owns: `tokens_of`, `as_html`, `as_words`. Guarantees: HTML in the text is text; links lead to the web or to a
mailbox or are none; pictures become links, so that nothing is fetched by looking; headings are `lowest` or
deeper and skip no level. Leaves to others: one-line texts (`safe.py`). Checked by: laws in
`tests/export/test_markup.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from markdown_it import MarkdownIt
from markdown_it.token import Token

from vfdir_lab.export.safe import address, shown

DEEPEST = 6


class _Reader(MarkdownIt):
    """CommonMark without HTML. Which addresses may stand is decided later, when there is a token to drop."""

    def validateLink(self, url: str) -> bool:  # noqa: N802 - the name it is called by
        return bool(url)

    def normalizeLink(self, url: str) -> str:  # noqa: N802 - the same
        return url

    def normalizeLinkText(self, link: str) -> str:  # noqa: N802 - the same
        return link


_READER = _Reader("commonmark", {"html": False, "breaks": True, "xhtmlOut": False})


def tokens_of(text: str, *, lowest: int = 2) -> list[Token]:
    """The parts of a Markdown text, harmless. `lowest` is the level of its highest heading."""
    tokens = _READER.parse(shown(text))
    level = lowest - 1
    for token in tokens:
        if token.type == "heading_open":
            level = min(level + 1, lowest - 1 + int(token.tag[1]), DEEPEST)
            token.tag = f"h{level}"
        elif token.type == "heading_close":
            token.tag = f"h{level}"
        elif token.type == "fence":
            token.info = ""
        elif token.type == "inline":
            token.children = list(_harmless(token.children or []))
    return tokens


def as_html(text: str | None, *, lowest: int = 2) -> str:
    """A Markdown text as HTML; empty for none."""
    if not text or not text.strip():
        return ""
    return str(_READER.renderer.render(tokens_of(text, lowest=lowest), _READER.options, {}))


def as_words(text: str | None, most: int) -> str:
    """The words of a Markdown text without marks, in one line; at most so many characters."""
    return _cut(" ".join(_words(text, most).split()), most)


def as_lines(text: str | None, most: int) -> str:
    """The same with a line for each paragraph, item and line break."""
    lines = (" ".join(line.split()) for line in _words(text, most).split("\n"))
    return _cut("\n".join(filter(None, lines)), most)


def _words(text: str | None, most: int) -> str:
    """What is said in a text, as far as it is needed."""
    tokens = tokens_of(text[: most * 3]) if text else []
    return "\n".join(_said(token) for token in tokens)


def _cut(words: str, most: int) -> str:
    """The words, cut where one ends."""
    if len(words) <= most:
        return words
    whole = max(words.rfind(" ", 0, most), words.rfind("\n", 0, most))
    return f"{words[: whole if whole > 0 else most]}…"


def _said(token: Token) -> str:
    if token.type in {"fence", "code_block"}:
        return token.content
    return "".join("\n" if one.type.endswith("break") else one.content for one in token.children or [])


def _harmless(tokens: Sequence[Token]) -> Iterator[Token]:
    """The same without links that lead elsewhere; a picture is a link to it."""
    waiting: list[bool] = []
    for token in tokens:
        if token.type == "link_open":
            url = address(str(token.attrGet("href") or ""))
            waiting.append(url is not None)
            if url is not None:
                yield _link(url)
        elif token.type == "link_close":
            if waiting.pop():
                yield token
        elif token.type == "image":
            yield from _picture(token, inside=any(waiting))
        else:
            yield token


def _picture(token: Token, *, inside: bool) -> Iterator[Token]:
    words = token.content.strip() or "picture"
    url = None if inside else address(str(token.attrGet("src") or ""))
    if url is not None:
        yield _link(url)
    yield Token("text", "", 0, content=words)
    if url is not None:
        yield Token("link_close", "a", -1)


def _link(url: str) -> Token:
    return Token("link_open", "a", 1, attrs={"href": url, "rel": "noopener noreferrer"})
