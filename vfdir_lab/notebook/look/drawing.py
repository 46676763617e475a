"""A network as a drawing: SVG in the colours of the page, which needs no script and nothing from the web.

Guarantees: remote text is escaped; what the drawing says, its label and the tips on its parts say, too.
Checked by: `tests/notebook/test_graph.py`, and in a browser by `tests/browser/test_look.py`.
"""

from __future__ import annotations

from html import escape

from vfdir_lab.export.wording import counted
from vfdir_lab.notebook.look.network import Member, Network, Place, Shared
from vfdir_lab.notebook.table import cut, html_text

_WIDTH, _HEIGHT = 1060, 560
_ASIDE, _ABOVE = 110, 28
_TITLE_CHARACTERS = 36
_TIP_CHARACTERS = 120
_FRAMES = frozenset({"public", "closed", "private"})


def drawn(network: Network) -> str:
    """The network as HTML."""
    places = {node: _on_paper(place) for node, place in network.places().items()}
    lines = [
        _line(places[one.item], places[channel], "tie") for one in network.items for channel in one.channels
    ]
    lines += [_line(places[outer], places[inner], "nested") for outer, inner in network.nested]
    dots = [_dot(one, places[one.item]) for one in network.items]
    first, *others = network.channels
    boxes = [_box(one, places[one.channel]) for one in others]
    middle = _box(first, places[first.channel], "here")
    label = html_text(f"The network of {cut(first.title, _TIP_CHARACTERS)}: {said(network)}")
    return (
        f'<svg class="network" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{label}">'
        f"{''.join(lines)}{''.join(dots)}{''.join(boxes)}{middle}</svg>"
    )


def said(network: Network) -> str:
    """How much there is, and how much of it is shown."""
    others, items = len(network.channels) - 1, len(network.items)
    return (
        f"{counted(network.channels_found, 'other channel')}{_part(others, network.channels_found)}, "
        f"{counted(network.items_found, 'shared item')}{_part(items, network.items_found)}"
    )


def _part(shown: int, found: int) -> str:
    return "" if shown == found else f" ({shown:,} shown)"


def _on_paper(place: Place) -> Place:
    across, down = place
    return _ASIDE + across * (_WIDTH - 2 * _ASIDE), _ABOVE + down * (_HEIGHT - 2 * _ABOVE)


def _line(start: Place, end: Place, kind: str) -> str:
    return (
        f'<line class="{kind}" x1="{start[0]:.1f}" y1="{start[1]:.1f}" x2="{end[0]:.1f}" y2="{end[1]:.1f}"/>'
    )


def _dot(item: Shared, place: Place) -> str:
    named = cut(item.title, _TIP_CHARACTERS) if item.title else item.sort or "not seen yet"
    tip = html_text(f"{named}, {item.item}, in {len(item.channels)} of these channels")
    return f'<circle cx="{place[0]:.1f}" cy="{place[1]:.1f}" r="4"><title>{tip}</title></circle>'


def _box(member: Member, place: Place, kind: str = "") -> str:
    frame = member.visibility if member.visibility in _FRAMES else "closed"
    tip = html_text(
        f"{cut(member.title, _TIP_CHARACTERS)}, {frame}, {counted(member.shared, 'item')} in common"
    )
    across, down = place
    return (
        f'<g class="chan {frame} {kind}"><title>{tip}</title>'
        f'<rect x="{across - 7:.1f}" y="{down - 7:.1f}" width="14" height="14"/>'
        f'<text x="{across:.1f}" y="{down + 21:.1f}" text-anchor="middle">'
        f"{escape(cut(member.title, _TITLE_CHARACTERS))}</text></g>"
    )
