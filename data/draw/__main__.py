"""Draws every picture of the sandbox's world again: `python data/draw`. The same bytes come out each time."""

from __future__ import annotations

from pathlib import Path

import craft
import sea
import sky

FOLDER = Path(__file__).parents[1] / "pictures"

for name, draw in (sea.PICTURES | sky.PICTURES | craft.PICTURES).items():
    draw().save(FOLDER / f"{name}.png")
