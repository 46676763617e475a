"""A canvas of pixels with soft edges, written as PNG by the standard library alone."""

from __future__ import annotations

import math
import struct
import zlib
from itertools import pairwise
from pathlib import Path

Point = tuple[float, float]
Colour = tuple[int, int, int]

PAPER: Colour = (246, 243, 236)
INK: Colour = (38, 42, 51)
BLUE: Colour = (62, 98, 138)
PALE: Colour = (186, 204, 214)
RED: Colour = (184, 84, 66)
SAND: Colour = (219, 196, 156)
GREEN: Colour = (104, 132, 104)
NIGHT: Colour = (24, 30, 48)
LAMP: Colour = (244, 214, 140)


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """A colour between two."""
    return tuple(round(a + (b - a) * share) for a, b in zip(first, second, strict=True))


class Canvas:
    """Draws shapes by how far each pixel is from them, so that edges are soft."""

    def __init__(self, width: int, height: int, ground: Colour = PAPER) -> None:
        self.width, self.height = width, height
        self._rows = [bytearray(bytes(ground) * width) for _ in range(height)]

    def gradient(self, top: Colour, bottom: Colour) -> None:
        """Fill with a vertical gradient."""
        for y in range(self.height):
            self._rows[y][:] = bytes(mix(top, bottom, y / self.height)) * self.width

    def disc(self, centre: Point, radius: float, colour: Colour) -> None:
        """A filled circle."""
        x, y = centre
        box = (x - radius, y - radius, x + radius, y + radius)
        self._cover(box, colour, lambda px, py: math.hypot(px - x, py - y) - radius)

    def ring(self, centre: Point, radius: float, width: float, colour: Colour) -> None:
        """A circle's line."""
        x, y = centre
        reach = radius + width
        box = (x - reach, y - reach, x + reach, y + reach)
        self._cover(box, colour, lambda px, py: abs(math.hypot(px - x, py - y) - radius) - width / 2)

    def line(self, start: Point, end: Point, width: float, colour: Colour) -> None:
        """A line with round ends."""
        (ax, ay), (bx, by) = start, end
        dx, dy = bx - ax, by - ay
        length = dx * dx + dy * dy or 1e-9
        half = width / 2

        def distance(px: float, py: float) -> float:
            along = max(0.0, min(1.0, ((px - ax) * dx + (py - ay) * dy) / length))
            return math.hypot(px - ax - along * dx, py - ay - along * dy) - half

        box = (min(ax, bx) - half, min(ay, by) - half, max(ax, bx) + half, max(ay, by) + half)
        self._cover(box, colour, distance)

    def path(self, points: list[Point], width: float, colour: Colour) -> None:
        """Lines from point to point."""
        for start, end in pairwise(points):
            self.line(start, end, width, colour)

    def box(self, left: float, top: float, width: float, height: float, colour: Colour) -> None:
        """A filled rectangle."""
        self.polygon(
            [(left, top), (left + width, top), (left + width, top + height), (left, top + height)], colour
        )

    def polygon(self, points: list[Point], colour: Colour) -> None:
        """A filled polygon, four samples a row."""
        low = max(0, math.floor(min(y for _, y in points)))
        high = min(self.height, math.ceil(max(y for _, y in points)))
        for row in range(low, high):
            cover = [0.0] * self.width
            for sample in range(4):
                self._span(points, row + (sample + 0.5) / 4, cover)
            for column, share in enumerate(cover):
                if share:
                    self._blend(column, row, colour, min(1.0, share))

    def save(self, path: Path) -> None:
        """Write the picture as a PNG."""
        raw = b"".join(b"\0" + bytes(row) for row in self._rows)
        header = struct.pack(">IIBBBBB", self.width, self.height, 8, 2, 0, 0, 0)
        chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(raw, 9)), (b"IEND", b"")]
        packed = b"".join(
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
            for kind, body in chunks
        )
        path.write_bytes(b"\x89PNG\r\n\x1a\n" + packed)

    def _span(self, points: list[Point], y: float, cover: list[float]) -> None:
        crossings = sorted(
            ax + (y - ay) * (bx - ax) / (by - ay)
            for (ax, ay), (bx, by) in zip(points, points[1:] + points[:1], strict=True)
            if (ay <= y) != (by <= y)
        )
        for left, right in zip(crossings[::2], crossings[1::2], strict=False):
            for column in range(max(0, math.floor(left)), min(self.width, math.ceil(right))):
                cover[column] += max(0.0, min(right, column + 1) - max(left, column)) / 4

    def _cover(self, box, colour: Colour, distance) -> None:
        left, top, right, bottom = box
        for y in range(max(0, int(top) - 1), min(self.height, int(bottom) + 2)):
            for x in range(max(0, int(left) - 1), min(self.width, int(right) + 2)):
                share = 0.5 - distance(x + 0.5, y + 0.5)
                if share > 0:
                    self._blend(x, y, colour, min(1.0, share))

    def _blend(self, x: int, y: int, colour: Colour, share: float) -> None:
        row, start = self._rows[y], 3 * x
        for channel in range(3):
            old = row[start + channel]
            row[start + channel] = round(old + (colour[channel] - old) * share)
