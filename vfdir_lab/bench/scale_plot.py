"""A picture of cost against size, both logarithmic: a straight line is a power, its slope says which."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from math import ceil, floor, log10

from vfdir_lab.bench.measure import Figure
from vfdir_lab.bench.plot import opening
from vfdir_lab.bench.scale import Cost

_WIDE, _HIGH, _LEFT, _FOOT, _LEGEND = 420, 300, 110, 40, 380
_COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")


def lines(figures: Sequence[Figure]) -> str:
    """The costs in milliseconds as an SVG: a line for each, with the slope it ends in."""
    costs = [one for one in figures if isinstance(one, Cost) and one.unit == "ms" and one.value > 0]
    wide, high = _LEFT + _WIDE + _LEGEND, _HIGH + _FOOT + 10
    drawn = [opening(wide, high)]
    if costs:
        drawn += _drawing(costs)
    return "\n".join([*drawn, "</svg>", ""])


def _drawing(costs: Sequence[Cost]) -> list[str]:
    sizes, values = [one.events for one in costs], [one.value for one in costs]
    low, high = floor(log10(min(values))), max(floor(log10(min(values))) + 1, ceil(log10(max(values))))
    first, span = log10(min(sizes)), max(1.0, log10(max(sizes)) - log10(min(sizes)))

    def at(events: int, value: float) -> tuple[float, float]:
        across = _LEFT + (log10(events) - first) / span * _WIDE
        return across, 10 + (high - log10(value)) / (high - low) * _HIGH

    drawn = []
    for power in range(low, high + 1):
        _, top = at(sizes[0], 10.0**power)
        drawn.append(f'<path d="M{_LEFT} {top:.1f} h{_WIDE}" stroke="#ddd"/>')
        drawn.append(
            f'<text x="{_LEFT - 8}" y="{top + 4:.1f}" text-anchor="end">{_plain(10.0**power)} ms</text>'
        )
    for size in sorted(set(sizes)):
        across, _ = at(size, values[0])
        drawn.append(f'<text x="{across:.1f}" y="{_HIGH + 30}" text-anchor="middle">{size:,} events</text>')
    for number, measure in enumerate(dict.fromkeys(one.measure for one in costs)):
        of = [one for one in costs if one.measure == measure]
        color = _COLORS[number % len(_COLORS)]
        points = [at(one.events, one.value) for one in of]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        drawn.append(f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="2"/>')
        drawn += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{color}"/>' for x, y in points]
        slope = "" if of[-1].slope is None else f", slope {of[-1].slope:.2f}"
        left, top = _LEFT + _WIDE + 30, 25 + 22 * number
        drawn.append(f'<text x="{left}" y="{top}" fill="{color}">{escape(measure + slope)}</text>')
    return drawn


def _plain(value: float) -> str:
    return f"{value:,.0f}" if value >= 1 else f"{value:g}"
