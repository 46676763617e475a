"""Fingerprints: what a projection means, as a hash that formatting and comments do not change.

Over the projection's own SQL as written, the helpers, and the fingerprints of all it reads. Nothing of a
library's internals goes in, so an upgrade changes no fingerprint.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from importlib.resources import files

from vfdir_lab.projection.catalogue import LEAF, Catalogue, Definition

_TOKEN = re.compile(
    r"""
    (?P<nothing> \s+ | --[^\n]* | /\*.*?\*/ )
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


def fingerprints(catalogue: Catalogue, versions: Mapping[str, int]) -> dict[str, str]:
    """The fingerprint of each projection under this choice of versions, tagged with its algorithm."""
    found: dict[str, str] = {}
    for definition in catalogue.in_order(versions):
        found[definition.name] = _fingerprint(definition, found)
    return found


def _fingerprint(definition: Definition, below: Mapping[str, str]) -> str:
    parts = [normal(definition.sql), *_helpers()]
    parts += [f"{name}={below[name]}" for name in sorted(definition.reads - {LEAF})]
    return f"sha256:{hashlib.sha256(chr(0).join(parts).encode()).hexdigest()}"


def _helpers() -> list[str]:
    folder = files("vfdir_lab.projection") / "sql" / "helpers"
    return [normal(file.read_text("utf-8")) for file in sorted(folder.iterdir(), key=lambda one: one.name)]
