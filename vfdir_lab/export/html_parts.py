"""Pieces of HTML that several pages have.

Guarantees: every text that comes in is escaped here; what is called `…_html` is HTML already.
Checked by: `tests/export/test_html.py`.
"""

from __future__ import annotations

from collections.abc import Iterable

from vfdir_lab.export.safe import address, escaped, host

POLICY = (
    "default-src 'none'; img-src 'self' file:; style-src 'self' file:; base-uri 'none'; form-action 'none'"
)
SHOWN_ADDRESS_CHARACTERS = 80


def whole(title: str, style: str, body_html: str) -> str:
    """A whole page."""
    return f"{beginning(title, style)}{body_html}{END}"


def beginning(title: str, style: str) -> str:
    """A page until the first thing that is seen; `style` is a link to the style sheet."""
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<meta name="referrer" content="no-referrer">
<title>{escaped(title)}</title>
<link rel="stylesheet" href="{style}">
</head>
<body>
"""


END = "</body>\n</html>\n"


def text(tag: str, words: str, kind: str = "") -> str:
    """An element that holds a text from elsewhere, in its own direction."""
    marked = f' class="{kind}"' if kind else ""
    return f'<{tag}{marked} dir="auto">{escaped(words)}</{tag}>'


def link(words: str, target: str, *, kind: str = "", rel: str = "") -> str:
    """A link to a page of ours."""
    marks = "".join(f' {name}="{value}"' for name, value in (("class", kind), ("rel", rel)) if value)
    return f'<a{marks} href="{escaped(target)}" dir="auto">{escaped(words)}</a>'


def outward(url: str | None, words: str | None = None, *, kind: str = "") -> str:
    """A link that leaves the site; only the words where the address may not be one."""
    safe = address(url)
    if safe is None:
        return escaped(words or "")
    marked = f' class="{kind}"' if kind else ""
    return f'<a{marked} href="{escaped(safe)}" rel="noopener noreferrer">{escaped(words or brief(safe))}</a>'


def brief(url: str) -> str:
    """An address for people: without its scheme, not too long."""
    said = url.partition("://")[2] or url
    said = said.removeprefix("www.").removesuffix("/")
    most = SHOWN_ADDRESS_CHARACTERS
    return said if len(said) <= most else f"{said[: most - 1]}…"


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """A list of facts: the name of each, and its value in HTML. Those without a value are left out."""
    rows = [f"<div><dt>{escaped(name)}</dt><dd>{value}</dd></div>\n" for name, value in pairs if value]
    return f'<dl class="facts">\n{"".join(rows)}</dl>\n' if rows else ""


def prose(inner_html: str, kind: str = "prose") -> str:
    """A text of paragraphs; nothing for none."""
    return f'<div class="{kind}" dir="auto">\n{inner_html}</div>\n' if inner_html else ""


def picture_host(url: str | None) -> str:
    """Where a picture is that did not come along."""
    safe = address(url)
    return host(safe) if safe else ""
