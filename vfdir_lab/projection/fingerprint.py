"""Fingerprints: what a projection means, as a hash that formatting and comments do not change.

Over the projection's own SQL as written, the helpers, and the fingerprints of all it reads; for one that
reads events, the upcasters too. Nothing of a library's internals goes in, so an upgrade changes none.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files

from vfdir_lab.projection.definition import LEAF, Definition

_TOKEN = re.compile(
    r"""
    (?P<nothing> \s+ | --[^\n\r]* | /\*.*?\*/ )
    | (?P<quoted> [eE]'(?:[^'\\]|\\.|'')*' | '(?:[^']|'')*' | "(?:[^"]|"")*"
                | \$(?P<tag>\w*)\$.*?\$(?P=tag)\$ )
    | (?P<word> \w+ )
    | (?P<sign> . )
    """,
    re.DOTALL | re.VERBOSE,
)


def normal(sql: str) -> str:
    """The SQL without comments, with one space between tokens and unquoted words in lower case."""
    found = (match for match in _TOKEN.finditer(sql) if match["nothing"] is None)
    return " ".join(match["word"].lower() if match["word"] else match[0] for match in found)


def fingerprints(definitions: Iterable[Definition]) -> dict[str, str]:
    """The fingerprint of each, tagged with its algorithm; each comes after those it reads."""
    found: dict[str, str] = {}
    for definition in definitions:
        found[definition.name] = _fingerprint(definition, found)
    return found


def of_all(prints: Mapping[str, str]) -> str:
    """One fingerprint for a whole choice of projections."""
    parts = [f"{name}={prints[name]}" for name in sorted(prints)]
    return f"sha256:{hashlib.sha256(chr(0).join(parts).encode()).hexdigest()}"


def _fingerprint(definition: Definition, below: Mapping[str, str]) -> str:
    parts = [normal(definition.sql), *_helpers()]
    if LEAF in definition.reads:
        parts += _upcasters()
    parts += [f"{column}:{type_}" for column, type_ in definition.fills]
    parts += [f"{name}={below[name]}" for name in sorted(definition.reads - {LEAF})]
    return f"sha256:{hashlib.sha256(chr(0).join(parts).encode()).hexdigest()}"


def _helpers() -> list[str]:
    return _normal_files("helpers")


def _upcasters() -> list[str]:
    return _normal_files("upcasts")


@cache
def _normal_files(folder: str) -> list[str]:
    place = files("vfdir_lab.projection") / "sql" / folder
    found = sorted(place.iterdir(), key=lambda file: file.name)
    return [f"{file.name} {normal(file.read_text('utf-8'))}" for file in found if file.name.endswith(".sql")]
