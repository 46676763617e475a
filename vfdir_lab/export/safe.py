"""Remote text made harmless for where it goes: a page, an address, a cell of a spreadsheet.

Owns: `shown`, `escaped`, `address`, `href`, `FORMULA`. Guarantees: what comes out of `escaped` is text and
nothing else in HTML; an address is one of the web or of a mailbox; nothing here changes the meaning of plain
words. Leaves to others: Markdown (`markup.py`). Checked by: laws in `tests/export/test_safe.py`.
"""

from __future__ import annotations

import html
import re
from urllib.parse import quote, urlsplit

_STEERING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufdd0-\ufdef\ufeff\ufffe\uffff\ud800-\udfff"
    + "".join(f"{chr(plane * 0x10000 + 0xFFFE)}{chr(plane * 0x10000 + 0xFFFF)}" for plane in range(1, 17))
    + "]"
)
_UNSAID = re.compile(
    r"""[\x00-\x20"<>\\^`{|}\x7f-\xa0\u1680\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff]"""
)
_WEB = re.compile(r"https?://[^/?#]", re.IGNORECASE)
_MAIL = re.compile(r"mailto:[^@?]+@[^@?]+", re.IGNORECASE)

FORMULA = "^[\\s\\x00-\\x20\\x{a0}\\x{feff}]*[=+\\-@\\x{ff1d}\\x{ff0b}\\x{ff0d}\\x{ff20}]|^[\\t\\r\\n]"
"""What a spreadsheet might compute, as a pattern of RE2: it begins with = + - @, wide ones too, or with a tab
or a break."""


def shown(text: str) -> str:
    """A text without characters that steer: controls, overrides of direction, what is no character.

    Each becomes U+FFFD. Tabs and line feeds stay.
    """
    return _STEERING.sub("\N{REPLACEMENT CHARACTER}", text.replace("\r\n", "\n").replace("\r", "\n"))


def escaped(text: str | None) -> str:
    """A text for HTML, between tags or inside a quoted attribute."""
    return html.escape(shown(text or ""), quote=True)


def address(text: str | None) -> str | None:
    """An address that may become a link: http, https or mailto; None for anything else.

    Characters that no address has are percent-encoded.
    """
    spelled = _UNSAID.sub(lambda found: quote(found[0]), (text or "").strip())
    spelled = _STEERING.sub("%EF%BF%BD", spelled)
    if _MAIL.match(spelled):
        return spelled
    if not _WEB.match(spelled):
        return None
    try:
        return spelled if urlsplit(spelled).hostname else None
    except ValueError:
        return None


def host(url: str) -> str:
    """Where an address leads, for people: its host without `www.`."""
    try:
        return (urlsplit(url).hostname or url).removeprefix("www.")
    except ValueError:
        return url


def href(path: str) -> str:
    """A path of our own, relative, as a link."""
    return quote(path, safe="/~_-.")
