"""The functions that translated queries call, as text for Spark: one file each, below `sql/functions`.

A file begins with the head of its function, `-- name(argument TYPE, …) RETURNS TYPE` (STRING where it says
none), and holds one expression. They exist in a session of ours only, under names that begin with `vfdir_`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.resources import files

from vfdir_lab.errors import ProjectionFileError

_HEAD = re.compile(r"-- (\w+\([^)]*\))(?: RETURNS (\S+))?\n")
NAMES = (
    "vfdir_json_spelled",
    "vfdir_json",
    "vfdir_json_text",
    "vfdir_json_list",
    "vfdir_json_keys",
    "vfdir_json_type",
    "vfdir_json_merged",
    "vfdir_whole_number",
    "vfdir_truth",
    "vfdir_instant_part",
    "vfdir_instant",
)
"""Every function, each after those it calls."""


def definitions() -> Iterator[str]:
    """The statements that define every function, each after those it calls."""
    for name in NAMES:
        text = (files("vfdir_lab.scale") / "sql" / "functions" / f"{name}.sql").read_text("utf-8")
        head = _HEAD.match(text)
        if head is None:
            raise ProjectionFileError(f"{name}.sql: begin with the head of the function, -- {name}(…)")
        returns = head[2] or "STRING"
        yield f"CREATE OR REPLACE TEMPORARY FUNCTION {head[1]} RETURNS {returns} RETURN {text[head.end() :]}"
