"""Words for people: events in a phrase, values cut to size, text that can steer neither terminal nor page."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from vfdir_lab.event.event import ARENA

SHOWN = 40
"""So many characters of a value are shown."""

# Joiners (U+200C, U+200D) are parts of words in some scripts, and of emoji: they steer nothing.
_STEERS = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)
_VERBS = {
    "observed": "seen",
    "vanished": "found gone",
    "ranked": "ordered",
    "access_lost": "refused to us",
    "started": "begun",
    "edited": "edited",
    "drafted": "drafted",
    "made": "connected",
    "unmade": "disconnected",
    "moved": "moved",
    "deleted": "deleted",
    "bound": "got its number",
    "committed": "committed",
    "sent": "sent",
    "accepted": "accepted",
    "settled": "settled",
    "superseded": "overtaken",
    "rejected": "refused",
    "unknown": "left without an answer",
    "requeued": "queued again",
    "cancelled": "withdrawn",
}
_RECORDED_BESIDE = frozenset({"intent", "intents", "base", "before", "leader"})
"""What a wish says of itself, for sending and undoing it."""

_STYLE = (
    "border-collapse:collapse;margin:0;table-layout:auto;font-variant-numeric:tabular-nums;"
    "color:var(--jp-ui-font-color1,currentColor)"
)
_LINES = "white-space:pre-wrap;font-family:monospace;background:none;color:inherit"
_CELL = "text-align:left;vertical-align:top;padding:4px 12px 4px 0;border-bottom:1px solid #8884"


def escaped(text: str) -> str:
    """A text in which whatever steers a terminal, breaks a line or turns the writing round is spelled out."""
    return _STEERS.sub(lambda match: _spelled(ord(match[0])), text)


def _spelled(code: int) -> str:
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"


def cut(text: str, length: int = SHOWN) -> str:
    """A text escaped, and cut to `length` characters at the most."""
    start = escaped(text[: length + 1])
    return start if len(start) <= length else start[: length - 1] + "…"


def value_of(text: str | None) -> str:
    """A value as a phrase has it: “Tides”, or nothing."""
    return "nothing" if text is None else f"“{cut(text)}”"


def told(value: Any) -> str | None:
    """A value of a payload as text: strings as they are, prose as its markdown, the rest as JSON."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, dict) and isinstance(value.get("markdown"), str):
        return str(value["markdown"])
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def moment_of(moment: datetime | None) -> str:
    """A time to the second, in UTC."""
    return "at an unknown time" if moment is None else f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def phrase(event: Mapping[str, Any]) -> str:
    """What sort of news an event was: `seen on are.na (scan:…)`, `edited on device k3f9`."""
    verb = str(event["kind"]).partition(".")[2]
    said = _VERBS.get(verb, str(event["kind"]))
    if event["origin"] == ARENA:
        said += " by are.na" if verb == "access_lost" else " on are.na"
    else:
        said += f" on device {event['origin']}"
    return escaped(f"{said} ({event['cause']})" if event["cause"] else said)


def is_news(event: Mapping[str, Any], field: str) -> bool:
    """Whether a field of an event's payload is something it says, not what a wish needs to be carried out."""
    return event["origin"] == ARENA or field not in _RECORDED_BESIDE


def text_table(columns: Sequence[str], rows: Sequence[Sequence[str | None]]) -> str:
    """Aligned columns; values are escaped and cut, a null is a space."""
    lines = [[cut("" if value is None else value) for value in row] for row in (columns, *rows)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(columns))]
    spaced = (
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines
    )
    return "\n".join(line.rstrip() for line in spaced)


def html_table(caption: str, columns: Sequence[str], rows: Sequence[Sequence[str | None]]) -> str:
    """An accessible table, readable in a light and a dark theme; every value is text, whatever it holds."""
    head = "".join(f'<th scope="col" style="{_CELL}">{_text(column)}</th>' for column in columns)
    body = "".join(f"<tr>{_html_row(row)}</tr>" for row in rows)
    about = f'<caption style="text-align:left;padding:0 0 6px">{html.escape(escaped(caption))}</caption>'
    return f'<table style="{_STYLE}">{about}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def _html_row(row: Sequence[str | None]) -> str:
    first = f'<th scope="row" style="{_CELL};font-weight:400">{_text(row[0])}</th>'
    return first + "".join(f'<td style="{_CELL}">{_text(value)}</td>' for value in row[1:])


def _text(value: str | None) -> str:
    return "" if value is None else html.escape(cut(value, 15 * SHOWN))


def html_lines(text: str) -> str:
    """Lines of text as they are; each is escaped already for a terminal, here for a page too."""
    return f'<pre style="{_LINES}">{html.escape(text)}</pre>'
