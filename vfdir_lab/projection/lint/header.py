"""Rules of the header: the lines are there, well-formed, and name columns that the SELECT gives."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import get_close_matches

from vfdir_lab.log import SCHEMA
from vfdir_lab.projection.lint.rules import Finding
from vfdir_lab.projection.lint.source import Source

_REQUIRED = ("projection", "version", "title", "key")
_NAMES = (*_REQUIRED, "refresh by")
_PLACE = re.compile(r"(?:.*[/\\])?([^/\\]+)[/\\]v([0-9]+)_[^/\\]*\.sql")


def check_header(source: Source) -> Iterator[Finding]:
    """The lines themselves."""
    for name in _REQUIRED:
        if not any(value for value, _ in source.header.get(name, ())):
            yield source.finding(
                "header", 0, f"the header lacks `{name}`", f"add a line `-- {name}: …` at the top of the file"
            )
    for name, lines in source.header.items():
        near = [] if name in _NAMES else get_close_matches(name.lower().replace("-", " "), _NAMES, 1, 0.8)
        if near:
            yield source.finding(
                "header", lines[0][1], f"`{name}` is no line of a header", f"write it as `-- {near[0]}: …`"
            )
        if name in _NAMES and len(lines) > 1:
            yield source.finding(
                "header", lines[1][1], f"`{name}` is there twice", "take out the one that is not meant"
            )
    yield from _check_version(source)
    yield from _check_place(source)


def _check_version(source: Source) -> Iterator[Finding]:
    for value, offset in source.header.get("version", [])[:1]:
        if value and not re.fullmatch(r"[1-9][0-9]{0,8}", value, re.ASCII):
            yield source.finding(
                "header",
                offset,
                f"version {value!r} is not a number from 1",
                "count from 1, as the file's name does",
            )


def _check_place(source: Source) -> Iterator[Finding]:
    place = _PLACE.fullmatch(source.where)
    for name, told in zip(("projection", "version"), place.groups() if place else (), strict=False):
        for value, offset in source.header.get(name, [])[:1]:
            if value and value.isascii() and value != told:
                yield source.finding(
                    "header",
                    offset,
                    f"the header says {name} {value}, the file's place says {told}",
                    "make header, folder and file name agree",
                )


def check_columns(source: Source, columns: Sequence[str]) -> Iterator[Finding]:
    """`key` and `refresh by` against the columns that the SELECT gives.

    A partition may also be one of `events`: `refresh by: object_id` where the SELECT calls it `scan`.
    """
    for name in ("key", "refresh by"):
        given = {column.lower() for column in (*columns, *(SCHEMA.names if name == "refresh by" else ()))}
        for value, offset in source.header.get(name, [])[:1]:
            for column in filter(None, (part.strip() for part in value.split(","))):
                if column.lower() not in given:
                    yield source.finding(
                        "key-column",
                        offset,
                        f"`{name}` is {column}, which the SELECT does not give",
                        f"select it, or name one of {', '.join(columns)}",
                    )
