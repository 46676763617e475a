"""The header of a projection's file: the `-- name: value` lines at its top, and where they stand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_LINE = re.compile(r"--\s*([^:]*?)\s*:\s*(.*?)\s*")
_NAME = re.compile(r"[a-z ]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderLine:
    """One line: what it names, what it says of it, and its offsets in the text, line end included."""

    name: str
    value: str
    start: int
    end: int


def header_lines(text: str) -> Iterator[HeaderLine]:
    """The lines at the top that look like those of a header, whatever they name."""
    start = 0
    for line in text.splitlines(keepends=True):
        match = _LINE.fullmatch(line)
        if match is None:
            break
        end = start + len(line)
        yield HeaderLine(name=match[1], value=match[2], start=start, end=end)
        start = end


def read_header(text: str) -> tuple[dict[str, str], str]:
    """What the header says, and the text below it. It ends at the first line that names nothing in a-z."""
    said: dict[str, str] = {}
    end = 0
    for line in header_lines(text):
        if _NAME.fullmatch(line.name) is None:
            break
        said[line.name] = line.value
        end = line.end
    return said, text[end:]
