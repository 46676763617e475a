"""Clouds after Luke Howard, and stars."""

from __future__ import annotations

import math
from random import Random

from canvas import BLUE, INK, LAMP, NIGHT, PALE, PAPER, Canvas, Point, mix

_SKY = (150, 182, 205)


def _dice(seed: int) -> Random:
    return Random(seed)  # noqa: S311 - a picture must come out the same each time


def cirrus() -> Canvas:
    """Parallel, flexuous fibres."""
    canvas = Canvas(720, 480)
    canvas.gradient((112, 154, 190), PALE)
    dice = _dice(1803)
    for _ in range(26):
        x, y, long = dice.uniform(-60, 560), dice.uniform(40, 380), dice.uniform(140, 330)
        points = [(x + long * t / 40, y - 40 * math.sin(t / 26) + 0.02 * t * t) for t in range(41)]
        canvas.path(points, dice.uniform(1.2, 4.2), mix(_SKY, PAPER, dice.uniform(0.5, 0.95)))
    return canvas


def cumulus() -> Canvas:
    """Convex heaps from a level base."""
    canvas = Canvas(720, 480)
    canvas.gradient((104, 150, 190), mix(PALE, PAPER, 0.5))
    dice = _dice(1802)
    for base_x, scale in ((210, 1.0), (520, 0.72)):
        for shade, lift in ((0.55, 0), (0.98, 16)):
            for _ in range(22):
                x = base_x + dice.gauss(0, 62) * scale
                radius = dice.uniform(22, 54) * scale
                y = 330 - abs(dice.gauss(0, 60)) * scale - lift - radius * 0.4
                canvas.disc((x, y), radius, mix(_SKY, PAPER, shade))
    canvas.box(0, 338, 720, 142, mix(PALE, PAPER, 0.42))
    return canvas


def stratus() -> Canvas:
    """A widely extended, continuous, horizontal sheet."""
    canvas = Canvas(720, 480, mix(PALE, PAPER, 0.5))
    for layer in range(9):
        top = [
            (x, 60 + layer * 42 + 9 * math.sin(x / (70 + 13 * layer) + layer * 2)) for x in range(0, 721, 6)
        ]
        canvas.polygon([*top, (720, 480), (0, 480)], mix(mix(PALE, PAPER, 0.7), (120, 134, 148), layer / 9))
    return canvas


def nimbus() -> Canvas:
    """A cloud from which rain is falling."""
    canvas = Canvas(720, 480, (176, 188, 196))
    dice = _dice(1821)
    for _ in range(150):
        x, y = dice.uniform(120, 640), dice.uniform(230, 450)
        canvas.line((x, y), (x - 9, y + 26), 1.6, mix(BLUE, PALE, 0.35))
    for shade in (0.1, 0.35, 0.55):
        for _ in range(20):
            centre = (360 + dice.gauss(0, 110), 170 - shade * 70 + dice.gauss(0, 22))
            canvas.disc(centre, dice.uniform(34, 66), mix((84, 96, 110), PAPER, shade))
    return canvas


def cloud_heights() -> Canvas:
    """Which cloud lives how high."""
    canvas = Canvas(600, 760)
    canvas.gradient((96, 138, 178), PAPER)
    for level in range(7):
        canvas.line((60, 90 + level * 100), (540, 90 + level * 100), 1, mix(INK, PAPER, 0.6))
    for turn in range(9):
        canvas.path(
            [(120 + turn * 40 + t, 130 - t * 0.5 + (t / 9) ** 2) for t in range(0, 50, 5)], 2.2, PAPER
        )
    for x, y, r in (
        (160, 330, 20),
        (200, 322, 26),
        (240, 330, 20),
        (360, 345, 18),
        (396, 338, 24),
        (430, 346, 18),
    ):
        canvas.disc((x, y), r, mix(PAPER, _SKY, 0.1))
    for x, y, r in ((170, 560, 36), (220, 530, 48), (280, 550, 42), (330, 568, 30)):
        canvas.disc((x, y), r, PAPER)
    canvas.box(60, 640, 480, 26, mix(PAPER, INK, 0.14))
    return canvas


def _stars(canvas: Canvas, stars: list[tuple[float, float, float]], lines: list[tuple[int, int]]) -> Canvas:
    dice = _dice(len(stars) * 7 + len(lines))
    for _ in range(90):
        spot = (dice.uniform(0, canvas.width), dice.uniform(0, canvas.height))
        canvas.disc(spot, dice.uniform(0.5, 1.3), mix(NIGHT, PAPER, dice.uniform(0.25, 0.6)))
    for start, end in lines:
        canvas.line(stars[start][:2], stars[end][:2], 1.2, mix(NIGHT, PALE, 0.45))
    for x, y, size in stars:
        canvas.disc((x, y), size + 3, mix(NIGHT, LAMP, 0.18))
        canvas.disc((x, y), size, mix(LAMP, PAPER, 0.6))
    return canvas


def orion() -> Canvas:
    """Shoulders, belt and feet."""
    stars = [
        *((250, 150, 7.0), (420, 170, 5.4), (372, 330, 4.6), (332, 345, 4.8), (292, 360, 4.6)),
        *((282, 530, 4.4), (440, 505, 7.2), (330, 90, 3.4)),
    ]
    lines = [(0, 1), (0, 4), (1, 2), (2, 3), (3, 4), (4, 5), (2, 6), (5, 6), (0, 7), (1, 7)]
    return _stars(Canvas(660, 660, NIGHT), stars, lines)


def plough() -> Canvas:
    """Seven stars, and the two that point north."""
    stars = [
        *((620, 330, 5.2), (606, 430, 5.0), (470, 450, 4.8), (452, 360, 3.8), (350, 330, 5.2)),
        *((270, 300, 4.8), (150, 330, 5.0), (680, 70, 4.8)),
    ]
    lines = [(0, 1), (1, 2), (2, 3), (3, 0), (3, 4), (4, 5), (5, 6)]
    canvas = _stars(Canvas(780, 560, NIGHT), stars, lines)
    for step in range(10):
        canvas.disc((620 + step * 6, 310 - step * 24), 1.4, LAMP)
    return canvas


def cassiopeia() -> Canvas:
    """A W, or an M, by season."""
    stars = [(110, 250, 4.4), (230, 360, 5.2), (340, 260, 5.4), (440, 390, 4.8), (580, 330, 4.2)]
    return _stars(Canvas(700, 540, NIGHT), stars, [(0, 1), (1, 2), (2, 3), (3, 4)])


def star_trails() -> Canvas:
    """An hour of turning about the pole."""
    canvas = Canvas(720, 540)
    canvas.gradient(NIGHT, mix(NIGHT, BLUE, 0.45))
    dice = _dice(23)
    for _ in range(70):
        radius, start = dice.uniform(14, 480), dice.uniform(0, 2 * math.pi)
        arc: list[Point] = [
            (360 + radius * math.cos(start + t / 40), 200 + radius * math.sin(start + t / 40))
            for t in range(11)
        ]
        canvas.path(arc, dice.uniform(0.8, 1.9), mix(NIGHT, PAPER, dice.uniform(0.4, 0.9)))
    canvas.disc((360, 200), 2.6, LAMP)
    return canvas


PICTURES = {
    "cirrus": cirrus,
    "cumulus": cumulus,
    "stratus": stratus,
    "nimbus": nimbus,
    "cloud-heights": cloud_heights,
    "orion": orion,
    "plough": plough,
    "cassiopeia": cassiopeia,
    "star-trails": star_trails,
}
