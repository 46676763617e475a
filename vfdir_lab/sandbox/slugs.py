"""Slugs: the names channels, people and groups have in addresses.

Owns how a title becomes a slug and how a collision is avoided, as are.na was seen to do it: `-` and eleven
characters, among which `_` may be. Randomness is passed in.
"""

from __future__ import annotations

import re
import unicodedata
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container

_TAIL_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789_"
_TAIL_LENGTH = 11
_LONGEST = 80


def slugify(title: str) -> str:
    """Keep the letters and figures of a title that ASCII can write; "" where it can write none."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:_LONGEST].strip("-")


def free_slug(title: str, taken: Container[str], random: Random) -> str:
    """Give a title's slug, with a tail where it is taken, empty or could pass for a number."""
    base = slugify(title)
    if base and base not in taken and not base.isdigit():
        return base
    while True:
        tail = "".join(random.choices(_TAIL_LETTERS, k=_TAIL_LENGTH))
        slug = f"{base}-{tail}" if base else f"channel-{tail}"
        if slug not in taken:
            return slug
