"""Tables for people: one value, shown as HTML in a notebook and as text in a terminal.

Every cell is text, whatever it holds: escaped for HTML, and what would steer a terminal or turn the writing
round is spelled out. The HTML carries its own small style, readable in a light and in a dark theme, and can
be reached by keyboard and screen reader; nothing in it is loaded from anywhere.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.cells import cell_len

from vfdir_lab.projection.provenance.wording import escaped

Bundle = dict[str, str]
"""A display: MIME type -> content, `text/plain` and `text/html`."""

SHORT = 28
"""A value of so many characters stays on one line of a page."""
HTML_WIDTH = 120
TEXT_WIDTH = 40
WHOLE = 4_000
"""So many characters of a value that was cut are there to be hovered over."""
NULL = "NULL"

_STYLE = """<style>
.vfdir.vfdir{overflow-x:auto;max-width:100%;color:var(--jp-ui-font-color1,currentColor)}
.vfdir.vfdir table{border-collapse:collapse;table-layout:auto;margin:0;font-variant-numeric:tabular-nums}
.vfdir.vfdir caption{caption-side:top;text-align:left;padding:0 0 6px;opacity:.75}
.vfdir.vfdir th,.vfdir.vfdir td{text-align:left;vertical-align:top;padding:4px 18px 4px 0;border:0;
border-bottom:1px solid #8886;max-width:52ch;font-weight:400;white-space:normal;overflow-wrap:anywhere}
.vfdir.vfdir thead th{font-weight:600;vertical-align:bottom;white-space:nowrap}
.vfdir.vfdir small{display:block;font-weight:400;opacity:.7;font-size:.85em}
.vfdir.vfdir .short{white-space:nowrap}
.vfdir.vfdir .num{text-align:right;white-space:nowrap}
.vfdir.vfdir .null{opacity:.6;font-size:.85em}
.vfdir.vfdir tbody tr:nth-child(n){background:none}
.vfdir.vfdir pre{margin:0;padding:0;background:none;color:inherit;white-space:pre-wrap;
font:12px/1.5 var(--jp-code-font-family,ui-monospace,Menlo,Consolas,monospace)}
.vfdir.vfdir p{margin:6px 0 0;opacity:.75}
</style>"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column's head: its name, a quiet word beneath it (a type), whether it holds numbers."""

    name: str
    note: str = ""
    numeric: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A caption, columns, rows of as many values (None: null), and lines to stand beneath."""

    caption: str
    columns: tuple[Column, ...]
    rows: Sequence[Sequence[str | None]]
    notes: tuple[str, ...] = ()


def named(*names: str, numeric: Iterable[str] = ()) -> tuple[Column, ...]:
    """Columns of these names."""
    numbers = frozenset(numeric)
    return tuple(Column(name=name, numeric=name in numbers) for name in names)


def bundle_of(table: Table) -> Bundle:
    """How a table is shown."""
    return {"text/plain": as_text(table), "text/html": as_html(table)}


def visible(text: str) -> str:
    """A text on one line in which nothing is hidden: control and bidi characters are spelled out."""
    return escaped(text.replace("\r\n", "\n").replace("\n", " \N{RETURN SYMBOL} "))


def cut(text: str, width: int) -> str:
    """The beginning of a text, on one line."""
    shown = visible(text[: width + 1])
    return shown if len(text) <= width else f"{visible(text[: width - 1])}…"


def html_text(text: str) -> str:
    """A text as HTML, on one line."""
    return html.escape(visible(text))


def framed(inner: str, label: str) -> str:
    """Our own HTML in its frame: styled, scrollable by keyboard, in English but for what says otherwise.

    What is between dollar signs in it is text, and not typeset as TeX.
    """
    name = html.escape(visible(label), quote=True)
    return (
        f'{_STYLE}<div class="vfdir mathjax_ignore" lang="en" role="region" aria-label="{name}" tabindex="0">'
        f"{inner}</div>"
    )


def as_html(table: Table) -> str:
    """The table as HTML."""
    head = "".join(_head(column) for column in table.columns)
    body = "".join("<tr>" + "".join(map(_cell, row, table.columns)) + "</tr>" for row in table.rows)
    notes = "".join(f"<p>{html_text(note)}</p>" for note in table.notes)
    caption = html_text(table.caption)
    inner = f"<caption>{caption}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody>"
    return framed(f"<table>{inner}</table>{notes}", table.caption)


def _head(column: Column) -> str:
    kind = ' class="num"' if column.numeric else ""
    note = f"<small>{_short(column.note)}</small>" if column.note else ""
    return f'<th scope="col"{kind}>{_short(column.name)}{note}</th>'


def _short(text: str) -> str:
    return html.escape(cut(text, TEXT_WIDTH))


def _cell(value: str | None, column: Column) -> str:
    kind = "num" if column.numeric else ""
    if value is None:
        return f'<td class="{kind} null">{NULL}</td>' if kind else f'<td class="null">{NULL}</td>'
    whole = f' title="{html.escape(_title(value), quote=True)}"' if len(value) > HTML_WIDTH else ""
    short = ' class="short"' if len(value) <= SHORT else ""
    tone = ' class="num"' if kind else f' dir="auto" lang=""{short}'
    return f"<td{tone}{whole}>{html.escape(cut(value, HTML_WIDTH))}</td>"


def _title(value: str) -> str:
    """The whole of a long value, its lines kept."""
    lines = "\n".join(map(escaped, value[:WHOLE].splitlines()))
    return lines if len(value) <= WHOLE else f"{lines}… ({len(value):,} characters)"


def as_text(table: Table) -> str:
    """The table as aligned text."""
    columns = [cut(column.name, TEXT_WIDTH) for column in table.columns]
    rows = [[NULL if value is None else cut(value, TEXT_WIDTH) for value in row] for row in table.rows]
    widths = [max(cell_len(line[i]) for line in (columns, *rows)) for i in range(len(columns))]
    lines = ["  ".join(map(_padded, line, widths, table.columns)).rstrip() for line in (columns, *rows)]
    return "\n".join([visible(table.caption), *lines, *map(visible, table.notes)])


def _padded(text: str, width: int, column: Column) -> str:
    space = " " * (width - cell_len(text))
    return space + text if column.numeric else text + space
