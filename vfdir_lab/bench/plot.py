"""A picture of the ratios: one bar a figure, and a mark where its bound is."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from math import log10

from vfdir_lab.bench.measure import Figure

_ROW, _LABEL, _BARS = 26, 430, 300


def bars(figures: Sequence[Figure]) -> str:
    """The figures that have a ratio, as an SVG on a logarithmic scale."""
    rows = [(figure, figure.ratio) for figure in figures if figure.ratio is not None]
    most = max([10.0, *(ratio for _, ratio in rows)])
    lines = [opening(_LABEL + _BARS + 70, _ROW * len(rows) + 10)]
    for number, (figure, ratio) in enumerate(rows):
        top = _ROW * number + 5
        width = _length(ratio, most)
        color = "#2a7" if figure.holds else "#c33"
        lines.append(f'<text x="{_LABEL - 8}" y="{top + 15}" text-anchor="end">{escape(figure.what)}</text>')
        lines.append(f'<rect x="{_LABEL}" y="{top + 3}" width="{width:.1f}" height="16" fill="{color}"/>')
        lines.append(f'<text x="{_LABEL + width + 6:.1f}" y="{top + 15}">{ratio:.1f} &#215;</text>')
        if figure.bound is not None:
            at = _LABEL + _length(figure.bound, most)
            lines.append(f'<path d="M{at:.1f} {top} v22" stroke="#333" stroke-width="2"/>')
    return "\n".join([*lines, "</svg>", ""])


def opening(wide: int, high: int) -> str:
    """The tag that such a picture begins with; white, for a page that shows it may be dark."""
    size, type_ = f'width="{wide}" height="{high}"', 'font-family="sans-serif" font-size="13"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} {type_} style="background:#fff">'


def _length(ratio: float, most: float) -> float:
    """From a tenth on; what is quicker than that has no bar."""
    return max(0.0, (log10(max(ratio, 0.1)) + 1) / (log10(most) + 1) * _BARS)
