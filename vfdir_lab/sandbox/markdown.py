"""Markdown as the service shows it: `{markdown, html, plain}`.

Owns a small, safe rendering. Guarantees that nothing a person typed reaches the HTML unescaped, and that
only http, https and mailto addresses become links. Makes no claim to render as are.na does, character for
character.
"""

from __future__ import annotations

import re
from html import escape
from typing import TypedDict

_HEADING = re.compile(r"(#{1,6}) +(.+)")
_INLINE = (
    (re.compile(r"`([^`\n]+)`"), r"<code>\1</code>"),
    (re.compile(r"\[([^\]\n]+)\]\(((?:https?://|mailto:)[^\s)]+)\)"), r'<a href="\2" rel="nofollow">\1</a>'),
    (re.compile(r"\*\*([^*\n]+)\*\*"), r"<strong>\1</strong>"),
    (re.compile(r"(?<![*\w])\*([^*\n]+)\*(?![*\w])"), r"<em>\1</em>"),
)
_PLAIN = (
    (re.compile(r"`([^`\n]+)`"), r"\1"),
    (re.compile(r"\[([^\]\n]+)\]\([^\s)]*\)"), r"\1"),
    (re.compile(r"\*\*([^*\n]+)\*\*"), r"\1"),
    (re.compile(r"(?<![*\w])\*([^*\n]+)\*(?![*\w])"), r"\1"),
    (re.compile(r"^(?:#{1,6}|>|[-*]) +", re.MULTILINE), ""),
)


class Markdown(TypedDict):
    """One text in three forms."""

    markdown: str
    html: str
    plain: str


def render(text: str) -> Markdown:
    """Render a text; the markdown comes back as it was given."""
    plain = text
    for pattern, replacement in _PLAIN:
        plain = pattern.sub(replacement, plain)
    blocks = re.split(r"\n{2,}", text.replace("\r\n", "\n").strip())
    return Markdown(markdown=text, html="\n".join(_block(block) for block in blocks if block), plain=plain)


def _block(block: str) -> str:
    lines = block.split("\n")
    heading = _HEADING.fullmatch(block)
    if heading:
        level = len(heading[1])
        return f"<h{level}>{_inline(heading[2])}</h{level}>"
    if all(line.startswith(("- ", "* ")) for line in lines):
        return "<ul>" + "".join(f"<li>{_inline(line[2:])}</li>" for line in lines) + "</ul>"
    if all(line.startswith(">") for line in lines):
        quoted = "\n".join(line[1:].lstrip() for line in lines)
        return f"<blockquote><p>{_inline(quoted)}</p></blockquote>"
    return f"<p>{_inline(block)}</p>"


def _inline(text: str) -> str:
    html = escape(text, quote=True)
    for pattern, replacement in _INLINE:
        html = pattern.sub(replacement, html)
    return html.replace("\n", "<br>\n")
