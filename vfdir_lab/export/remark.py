"""Markdown written anew from the tokens of a remote text: the same meaning, and nothing any reader would run.

Owns: `as_markdown`, `plain_words`, `front_matter`. Guarantees: every mark in a text that means something to
CommonMark, to Obsidian or to a template is escaped; nothing is left open at the end; front matter is YAML
whatever is in it. Leaves to others: which links may stand (`markup.py`). Checked by: laws in
`tests/export/test_markup.py`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from markdown_it.tree import SyntaxTreeNode

from vfdir_lab.export.markup import tokens_of
from vfdir_lab.export.safe import shown

_MARKS = re.compile(r"[\\`*_\[\]#|~$^]|&(?=[#\w])|=(?==)|%(?=%)|(?<=\{)[{%#]")
_AT_START = re.compile(r"^(\s*)([-+=>]|\d{1,9}(?=[.)]))", re.MULTILINE)
_TICKS = re.compile(r"`+")
_UNPRINTED = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
"""What YAML does not take as it is, or takes for a line's end."""


def as_markdown(text: str | None, *, lowest: int = 2) -> str:
    """A Markdown text, safe; empty for none. Ends in a line feed."""
    if not text or not text.strip():
        return ""
    tree = SyntaxTreeNode(tokens_of(text, lowest=lowest))
    return "\n".join(_blocks(tree.children)) + "\n"


def plain_words(text: str) -> str:
    """A text of one line that no reader takes for Markdown."""
    line = " ".join(shown(text).split())
    return _AT_START.sub(_guarded, _guard(line))


def front_matter(values: Mapping[str, object]) -> str:
    """YAML front matter, with a line for each value that there is."""
    lines = [f"{key}: {_scalar(value)}" for key, value in values.items() if value is not None]
    return "\n".join(["---", *lines, "---", ""])


def _scalar(value: object) -> str:
    spelled = json.dumps(value, ensure_ascii=False)
    return _UNPRINTED.sub(lambda found: f"\\u{ord(found[0]):04x}", spelled)


def _guard(text: str) -> str:
    """A text without marks; `<` is spelled out, for template engines pass over backslashes."""
    return _MARKS.sub(r"\\\g<0>", text).replace("<", "&lt;")


def _guarded(found: re.Match[str]) -> str:
    start, mark = found.groups()
    return f"{start}{mark}\\" if mark.isdigit() else f"{start}\\{mark}"


def _blocks(nodes: Sequence[SyntaxTreeNode]) -> list[str]:
    """The lines of some blocks, with an empty one between two."""
    lines: list[str] = []
    for node in nodes:
        if lines:
            lines.append("")
        lines += _block(node)
    return lines


def _block(node: SyntaxTreeNode) -> list[str]:
    match node.type:
        case "heading":
            lines = ["#" * int(node.tag[1]) + " " + " ".join(_text(node).split("\n"))]
        case "blockquote":
            lines = _inside(_blocks(node.children), "> ", "> ")
        case "bullet_list" | "ordered_list":
            lines = _list(node)
        case "fence" | "code_block":
            lines = _fenced(node.content)
        case "hr":
            lines = ["* * *"]
        case _:
            lines = _text(node).split("\n")
    return lines


def _list(node: SyntaxTreeNode) -> list[str]:
    number = int(node.attrs.get("start", 1)) if node.type == "ordered_list" else None
    lines: list[str] = []
    for item in node.children:
        mark = "- " if number is None else f"{number}. "
        lines += _inside(_blocks(item.children) or [""], mark, " " * len(mark))
        number = None if number is None else number + 1
    return lines


def _inside(lines: Sequence[str], first: str, rest: str) -> list[str]:
    return [((rest if index else first) + line).rstrip() for index, line in enumerate(lines)]


def _fenced(content: str) -> list[str]:
    longest = max((len(found) for found in _TICKS.findall(content)), default=0)
    fence = "`" * max(3, longest + 1)
    return [fence, *content.removesuffix("\n").split("\n"), fence]


def _text(node: SyntaxTreeNode) -> str:
    """The text of a paragraph or a heading."""
    whole = "".join(_inline(child) for inline in node.children for child in inline.children)
    return _AT_START.sub(_guarded, whole)


def _inline(node: SyntaxTreeNode) -> str:
    inner = "".join(_inline(child) for child in node.children)
    match node.type:
        case "text":
            inner = _guard(node.content)
        case "softbreak":
            inner = "\n"
        case "hardbreak":
            inner = "\\\n"
        case "strong" | "em":
            mark = "**" if node.type == "strong" else "*"
            inner = f"{mark}{inner}{mark}"
        case "code_inline":
            inner = _code(node.content)
        case "link":
            inner = link(inner, str(node.attrs.get("href", "")))
    return inner


def link(inner: str, target: str) -> str:
    """A link; `inner` is Markdown already, `target` an address or a path that is spelled as one."""
    return f"[{inner}]({target.replace('(', '%28').replace(')', '%29')})"


def _code(content: str) -> str:
    longest = max((len(found) for found in _TICKS.findall(content)), default=0)
    ticks = "`" * (longest + 1)
    return f"{ticks} {content} {ticks}" if "`" in content else f"{ticks}{content}{ticks}"
