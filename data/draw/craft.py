"""Type, string, thread and Euclid."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from canvas import BLUE, GREEN, INK, PALE, PAPER, RED, SAND, Canvas, Point, mix

if TYPE_CHECKING:
    from collections.abc import Callable

KNOT_STEPS = 180


def point_sizes() -> Canvas:
    """From six points to forty-eight."""
    canvas = Canvas(760, 560)
    y = 40.0
    for size in (6, 8, 10, 12, 14, 18, 24, 30, 36, 48):
        for letter in range(int(620 / (size * 0.8))):
            tall = size * (0.95 if letter % 4 == 0 else 0.62)
            canvas.box(60 + letter * size * 0.8, y + size - tall, size * 0.56, tall, INK)
        y += size * 1.32 + 12
    return canvas


def page_canon() -> Canvas:
    """The text block of a book by its diagonals."""
    canvas = Canvas(840, 620)
    grey = mix(INK, PAPER, 0.55)
    canvas.box(60, 70, 720, 480, mix(PAPER, SAND, 0.35))
    canvas.line((420, 70), (420, 550), 2, INK)
    for start, end in (
        ((60, 550), (780, 70)),
        ((780, 550), (60, 70)),
        ((60, 550), (420, 70)),
        ((780, 550), (420, 70)),
    ):
        canvas.line(start, end, 1.1, grey)
    for left in (100, 460):
        for top, bottom, width in ((123, 123, 240), (443, 443, 240)):
            canvas.line((left + (20 if left < 420 else 0), top), (left + width, bottom), 2.4, RED)
        for x in (left + (20 if left < 420 else 0), left + 240):
            canvas.line((x, 123), (x, 443), 2.4, RED)
    return canvas


def forme() -> Canvas:
    """Type and furniture locked in a chase."""
    canvas = Canvas(720, 540, SAND)
    canvas.box(50, 50, 620, 440, INK)
    canvas.box(86, 86, 548, 368, mix(SAND, PAPER, 0.4))
    for line in range(9):
        x, y = 130.0, 130 + line * 28
        while x < 500 - (90 if line == 8 else 0):
            width = 18 + (line * 37 + int(x)) % 41
            canvas.box(x, y, width, 18, mix(INK, SAND, 0.15))
            x += width + 8
    for y in (404, 424):
        canvas.box(120, y, 420, 12, mix(SAND, GREEN, 0.5))
    canvas.disc((590, 410), 16, RED)
    canvas.disc((590, 240), 16, RED)
    return canvas


def letter_o() -> Canvas:
    """A round letter from four circles and a tilted axis."""
    canvas = Canvas(600, 600)
    canvas.disc((300, 300), 210, INK)
    for dx in (-18, 18):
        canvas.ring((300 + dx, 300), 210, 1.4, RED)
    canvas.polygon(_turned((300, 300), 118, 176, 0.42), PAPER)
    canvas.line((214, 108), (386, 492), 1.4, RED)
    for y in (90, 510):
        canvas.line((40, y), (560, y), 1.2, BLUE)
    return canvas


def _turned(centre: Point, wide: float, high: float, turn: float) -> list[Point]:
    points = []
    for step in range(120):
        x, y = wide * math.cos(step * math.pi / 60), high * math.sin(step * math.pi / 60)
        points.append(
            (
                centre[0] + x * math.cos(turn) + y * math.sin(turn),
                centre[1] + y * math.cos(turn) - x * math.sin(turn),
            )
        )
    return points


def equilateral() -> Canvas:
    """Elements I.1."""
    canvas = Canvas(720, 540)
    left, right, top = (260.0, 300.0), (460.0, 300.0), (360.0, 300 - 200 * math.sqrt(3) / 2)
    canvas.polygon([left, right, top], mix(RED, PAPER, 0.55))
    for centre, colour in ((left, BLUE), (right, GREEN)):
        canvas.ring(centre, 200, 3, colour)
    canvas.path([left, right, top, left], 4, INK)
    return canvas


def windmill() -> Canvas:
    """Elements I.47: the squares on the sides."""
    canvas = Canvas(640, 680)
    a, b, c = (220.0, 390.0), (440.0, 390.0), (299.2, 286.4)
    for (ax, ay), (bx, by), colour in ((a, c, BLUE), (c, b, RED), (b, a, SAND)):
        dx, dy = bx - ax, by - ay
        square = [(ax, ay), (bx, by), (bx + dy, by - dx), (ax + dy, ay - dx)]
        canvas.polygon(square, mix(colour, PAPER, 0.3))
    canvas.path([a, b, c, a], 3, INK)
    canvas.line(c, (299.2, 610), 1.6, INK)
    return canvas


def pentagon() -> Canvas:
    """Elements IV.11, with the star its diagonals make."""
    canvas = Canvas(600, 600)
    corners = [
        (300 + 220 * math.sin(2 * math.pi * n / 5), 310 - 220 * math.cos(2 * math.pi * n / 5))
        for n in range(5)
    ]
    canvas.ring((300, 310), 220, 2, BLUE)
    canvas.polygon(corners, mix(SAND, PAPER, 0.5))
    canvas.path([*corners, corners[0]], 3, INK)
    canvas.path([corners[(2 * n) % 5] for n in range(6)], 2, RED)
    return canvas


def hexagon() -> Canvas:
    """Elements IV.15: six radii around a circle."""
    canvas = Canvas(600, 600)
    for n in range(6):
        turn = math.pi * n / 3
        canvas.ring((300 + 130 * math.cos(turn), 300 + 130 * math.sin(turn)), 130, 1.6, mix(BLUE, PAPER, 0.3))
    canvas.ring((300, 300), 130, 3, RED)
    corners = [
        (300 + 130 * math.cos(math.pi * n / 3), 300 + 130 * math.sin(math.pi * n / 3)) for n in range(7)
    ]
    canvas.path(corners, 3, INK)
    return canvas


def _knot(curve: Callable[[float], tuple[float, float, float]], rope: tuple[int, int, int]) -> Canvas:
    canvas = Canvas(600, 600)
    places = [curve(2 * math.pi * step / KNOT_STEPS) for step in range(KNOT_STEPS)]
    for step in sorted(range(KNOT_STEPS), key=lambda one: places[one][2]):
        near = [places[(step + beside) % KNOT_STEPS][:2] for beside in range(-5, 6)]
        canvas.path(near[4:7], 38, PAPER)
        canvas.path(near, 26, INK)
        canvas.path(near, 21, rope)
    return canvas


def trefoil() -> Canvas:
    """The simplest knot that is one."""
    return _knot(
        lambda t: (
            300 + 78 * (math.sin(t) + 2 * math.sin(2 * t)),
            300 + 78 * (math.cos(t) - 2 * math.cos(2 * t)),
            -math.sin(3 * t),
        ),
        SAND,
    )


def figure_eight() -> Canvas:
    """Four crossings, and its own mirror image."""
    return _knot(
        lambda t: (
            300 + 82 * (2 + math.cos(2 * t)) * math.cos(3 * t),
            300 + 82 * (2 + math.cos(2 * t)) * math.sin(3 * t),
            math.sin(4 * t),
        ),
        PALE,
    )


def lissajous_knot() -> Canvas:
    """A knot that a pendulum of three strings would tie."""
    return _knot(
        lambda t: (
            300 + 220 * math.cos(3 * t + 0.7),
            300 + 220 * math.cos(2 * t + 0.2),
            math.cos(7 * t),
        ),
        mix(RED, PAPER, 0.45),
    )


def laid_rope() -> Canvas:
    """Three strands, laid right-handed."""
    canvas = Canvas(760, 280)
    for x in range(-80, 840, 26):
        points = [(x + 60 * t / 20, 200 - 120 * t / 20 + 7 * math.sin(math.pi * t / 10)) for t in range(21)]
        canvas.path(points, 30, INK)
        canvas.path(points, 25, mix(SAND, PAPER, 0.15 + 0.1 * (x // 26 % 3)))
    return canvas


def _draft(
    is_up: Callable[[int, int], bool], warp: tuple[int, int, int], weft: tuple[int, int, int]
) -> Canvas:
    canvas = Canvas(600, 600)
    for row in range(20):
        for column in range(20):
            colour = warp if is_up(column, row) else weft
            canvas.box(30 + column * 27, 30 + row * 27, 25, 25, colour)
    return canvas


def plain_weave() -> Canvas:
    """Over one, under one."""
    return _draft(lambda x, y: (x + y) % 2 == 0, BLUE, mix(SAND, PAPER, 0.4))


def twill() -> Canvas:
    """Two over, two under, one step aside each row."""
    return _draft(lambda x, y: (x + y) % 4 < 2, INK, PALE)


def satin() -> Canvas:
    """Five-end satin: the binding points never touch."""
    return _draft(lambda x, y: (x - 2 * y) % 5 != 0, mix(RED, PAPER, 0.2), INK)


def herringbone() -> Canvas:
    """Twill that turns back."""
    return _draft(lambda x, y: ((x if x % 16 < 8 else 15 - x) + y) % 4 < 2, GREEN, mix(SAND, PAPER, 0.5))


PICTURES = {
    "point-sizes": point_sizes,
    "page-canon": page_canon,
    "forme": forme,
    "letter-o": letter_o,
    "equilateral": equilateral,
    "windmill": windmill,
    "pentagon": pentagon,
    "hexagon": hexagon,
    "trefoil": trefoil,
    "figure-eight": figure_eight,
    "lissajous-knot": lissajous_knot,
    "laid-rope": laid_rope,
    "plain-weave": plain_weave,
    "twill": twill,
    "satin": satin,
    "herringbone": herringbone,
}
