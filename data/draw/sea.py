"""Tides, lighthouses and maps."""

from __future__ import annotations

import math

from canvas import BLUE, GREEN, INK, LAMP, NIGHT, PALE, PAPER, RED, SAND, Canvas, Point, mix


def _tide(day: float) -> float:
    """Height of a tide with moon (12.42 h) and sun (12 h) in it, -1.4 to 1.4."""
    hours = day * 24
    return math.cos(2 * math.pi * hours / 12.42) + 0.4 * math.cos(2 * math.pi * hours / 12)


def tide_curve() -> Canvas:
    """Fifteen days of high and low water, from springs through neaps to springs."""
    canvas = Canvas(960, 480)
    points = [(40 + 880 * step / 900, 240 - 110 * _tide(step / 60)) for step in range(901)]
    canvas.polygon([(40, 470), *[(x, y) for x, y in points], (920, 470)], mix(PALE, PAPER, 0.35))
    for level in range(-3, 4):
        canvas.line((40, 240 - 45 * level), (920, 240 - 45 * level), 1, mix(INK, PAPER, 0.8))
    canvas.path(points, 2.6, BLUE)
    return canvas


def alignment() -> Canvas:
    """Sun, moon and earth in one line, and at right angles."""
    canvas = Canvas(800, 500)
    for y, moon in ((150, (430.0, 150.0)), (350, (560.0, 270.0))):
        canvas.disc((110, y), 52, LAMP)
        stretch = 26 if moon[1] == y else 10
        canvas.polygon(_oval((560, y), 40 + stretch, 40), PALE)
        canvas.disc((560, y), 34, BLUE)
        canvas.disc(moon, 13, INK)
        canvas.line((180, y), (500, y), 1, mix(INK, PAPER, 0.6))
    return canvas


def _oval(centre: Point, wide: float, high: float) -> list[Point]:
    turns = [2 * math.pi * step / 90 for step in range(90)]
    return [(centre[0] + wide * math.cos(turn), centre[1] + high * math.sin(turn)) for turn in turns]


def tide_staff() -> Canvas:
    """A staff in the water, striped by the decimetre."""
    canvas = Canvas(480, 720, mix(PALE, PAPER, 0.6))
    for band in range(12):
        canvas.box(190, 60 + band * 50, 100, 50, INK if band % 2 else PAPER)
        canvas.box(290, 60 + band * 50, 30, 4, INK)
    water = [(x, 452 + 7 * math.sin(x / 26) + 3 * math.sin(x / 9)) for x in range(0, 481, 4)]
    canvas.polygon([*water, (480, 720), (0, 720)], BLUE)
    canvas.path(water, 3, PAPER)
    return canvas


def moon_phases() -> Canvas:
    """Eight moons."""
    canvas = Canvas(960, 240, NIGHT)
    for phase in range(8):
        x = 80 + phase * 114
        canvas.disc((x, 120), 42, mix(NIGHT, PAPER, 0.12))
        canvas.polygon(_lit(x, phase / 8), mix(LAMP, PAPER, 0.6))
    return canvas


def _lit(x: float, phase: float) -> list[Point]:
    turns = [math.pi * step / 60 - math.pi / 2 for step in range(61)]
    edge = math.cos(2 * math.pi * phase)
    side = 1 if phase <= 0.5 else -1
    outer = [(x + side * 42 * math.cos(turn), 120 + 42 * math.sin(turn)) for turn in turns]
    inner = [(x + side * edge * 42 * math.cos(turn), 120 + 42 * math.sin(turn)) for turn in reversed(turns)]
    return outer + inner


def lighthouse() -> Canvas:
    """A tower at night with two beams."""
    canvas = Canvas(720, 540)
    canvas.gradient(NIGHT, mix(NIGHT, BLUE, 0.5))
    glow = mix(mix(NIGHT, BLUE, 0.2), LAMP, 0.35)
    canvas.polygon([(360, 150), (720, 70), (720, 190)], glow)
    canvas.polygon([(360, 150), (0, 110), (0, 230)], glow)
    canvas.polygon([(325, 440), (395, 440), (380, 180), (340, 180)], PAPER)
    for band in range(3):
        y = 210 + band * 84
        inset = 17 - (y - 180) * 0.058
        canvas.polygon(
            [(325 + inset, y), (395 - inset, y), (395 - inset + 2, y + 38), (325 + inset - 2, y + 38)], RED
        )
    canvas.box(342, 134, 36, 46, INK)
    canvas.disc((360, 152), 13, LAMP)
    canvas.polygon([(336, 134), (384, 134), (360, 108)], RED)
    canvas.polygon(
        [(0, 540), (0, 470), (240, 452), (330, 436), (420, 438), (560, 470), (720, 480), (720, 540)], INK
    )
    return canvas


def light_characters() -> Canvas:
    """How lights speak: fixed, flashing, group flashing, occulting, isophase, quick."""
    canvas = Canvas(800, 480, NIGHT)
    rows = ["1" * 40, "1" + "0" * 9, "1010" + "0" * 12, "1" * 8 + "00", "1111100000", "10"]
    for rank, pattern in enumerate(rows):
        for slot in range(40):
            on = pattern[slot % len(pattern)] == "1"
            canvas.box(40 + slot * 18, 50 + rank * 68, 18, 34, LAMP if on else mix(NIGHT, BLUE, 0.3))
    return canvas


def fresnel() -> Canvas:
    """The rings of a Fresnel lens, seen from the sea."""
    canvas = Canvas(600, 600, NIGHT)
    for step in range(11):
        radius = 270 - step * 23
        canvas.disc((300, 300), radius, mix(mix(NIGHT, BLUE, 0.75), LAMP, step / 12))
        canvas.ring((300, 300), radius, 2.4, mix(NIGHT, PAPER, 0.75))
    canvas.disc((300, 300), 20, PAPER)
    return canvas


def dipping_range() -> Canvas:
    """Why a high lamp is seen further: the earth is round."""
    canvas = Canvas(900, 420)
    canvas.disc((450, 1500), 1200, PALE)
    canvas.ring((450, 1500), 1200, 2, BLUE)
    canvas.line((180, 331), (170, 230), 7, INK)
    canvas.disc((170, 222), 12, RED)
    canvas.line((700, 326), (704, 290), 5, INK)
    canvas.line((170, 222), (704, 290), 1.6, RED)
    return canvas


def contours() -> Canvas:
    """Contour lines of three hills that meet in a saddle."""
    canvas = Canvas(720, 540)
    hills = ((230, 230, 120, 1.0), (480, 300, 140, 0.9), (380, 120, 80, 0.55))
    for y in range(540):
        for x in range(720):
            height = (
                sum(h * math.exp(-((x - a) ** 2 + (y - b) ** 2) / (2 * r * r)) for a, b, r, h in hills) * 14
            )
            nearest = abs(height - round(height))
            bold = round(height) % 5 == 0
            if height > 0.6 and nearest < (0.1 if bold else 0.055):
                canvas.box(x, y, 1, 1, GREEN if bold else mix(SAND, GREEN, 0.4))
    return canvas


def graticule() -> Canvas:
    """Meridians and parallels in the sinusoidal projection."""
    canvas = Canvas(900, 480)
    for degrees in range(-180, 181, 20):
        meridian = [_sinusoidal(degrees, latitude) for latitude in range(-90, 91, 3)]
        canvas.path(meridian, 1.4 if degrees % 60 else 2.4, BLUE)
    for latitude in range(-80, 81, 20):
        ends = [_sinusoidal(-180, latitude), _sinusoidal(180, latitude)]
        canvas.path(ends, 1.4 if latitude else 2.6, RED if latitude == 0 else BLUE)
    return canvas


def _sinusoidal(longitude: float, latitude: float) -> Point:
    return 450 + longitude * 2.3 * math.cos(math.radians(latitude)), 240 - latitude * 2.3


def compass_rose() -> Canvas:
    """Thirty-two points."""
    canvas = Canvas(640, 640)
    for point in range(32):
        length = 270 if point % 8 == 0 else 210 if point % 4 == 0 else 150 if point % 2 == 0 else 110
        turn = 2 * math.pi * point / 32 - math.pi / 2
        tip = (320 + length * math.cos(turn), 320 + length * math.sin(turn))
        for side, colour in ((-1, INK), (1, mix(INK, PAPER, 0.75))):
            root = turn + side * math.pi / 32
            canvas.polygon([(320, 320), (320 + 60 * math.cos(root), 320 + 60 * math.sin(root)), tip], colour)
    canvas.ring((320, 320), 288, 2, RED)
    canvas.disc((320, 320), 10, RED)
    return canvas


PICTURES = {
    "tide-curve": tide_curve,
    "alignment": alignment,
    "tide-staff": tide_staff,
    "moon-phases": moon_phases,
    "lighthouse": lighthouse,
    "light-characters": light_characters,
    "fresnel": fresnel,
    "dipping-range": dipping_range,
    "contours": contours,
    "graticule": graticule,
    "compass-rose": compass_rose,
}
