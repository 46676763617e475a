"""Rows spelled in bulk: as lines of JSON, as cells of a spreadsheet.

Owns: `Speller`. Guarantees: a line says what `json_line` says of the same row, keys in the same order; times
are ISO 8601 in UTC; metadata is JSON as it was recorded; no cell begins as a formula does. Leaves to others:
files. Checked by: laws in `tests/export/test_spelling.py`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from itertools import groupby
from typing import Any

import pyarrow as pa

from vfdir_lab.export.safe import FORMULA
from vfdir_lab.projection.connection import connect, literal, quoted

_JSON = "metadata"
_CONTROLS = r"[\x00-\x08\x0b\x0c\x0e-\x1f]"
_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode

Fields = Iterable[pa.Field]


def json_line(value: Any) -> str:
    """One line of JSON, keys in the order of the columns."""
    return _encode(value)


class Speller:
    """Spells batches of rows; holds a DuckDB connection of its own, which sees nothing but the batch."""

    def __init__(self) -> None:
        self._connection = connect()

    def lines(self, batch: pa.RecordBatch) -> list[str]:
        """A line of JSON for each row."""
        spelled: list[str] = self._select(batch, f"{_object(batch.schema)} AS line").column(0).to_pylist()
        return spelled

    def cells(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The same rows as a spreadsheet may have them: text that cannot compute, numbers as numbers."""
        columns = ", ".join(f"{_cell(one)} AS {quoted(one.name)}" for one in batch.schema)
        spelled = self._select(batch, columns).combine_chunks()
        found = spelled.to_batches() or [pa.RecordBatch.from_pylist([], schema=spelled.schema)]
        return found[0]

    def _select(self, batch: pa.RecordBatch, columns: str) -> pa.Table:
        self._connection.register("batch", pa.Table.from_batches([batch]))
        return self._connection.sql(f"SELECT {columns} FROM batch").to_arrow_table()  # noqa: S608 - quoted


def _object(fields: Fields) -> str:
    """SQL for the row as an object: what is JSON already is put between, as it is."""
    parts, first = [], True
    for is_json, group in groupby(fields, key=lambda one: one.name == _JSON):
        for text in map(_raw, group) if is_json else [_struct(group)]:
            parts.append(text if first else f"',' || {text}")
            first = False
    return f"'{{' || {' || '.join(parts)} || '}}'"


def _struct(group: Fields) -> str:
    pairs = ", ".join(f"{quoted(one.name)}: {_value(one)}" for one in group)
    return f"CAST(to_json({{{pairs}}}) AS VARCHAR)[2:-2]"


def _raw(field: pa.Field) -> str:
    name = quoted(field.name)
    if not pa.types.is_string(field.type):
        return f"'\"{field.name}\":' || coalesce(CAST(to_json({name}) AS VARCHAR), 'null')"
    text = f"CASE WHEN json_valid({name}) THEN {name} ELSE CAST(to_json({name}) AS VARCHAR) END"
    return f"'\"{field.name}\":' || coalesce({text}, 'null')"


def _value(field: pa.Field) -> str:
    name = quoted(field.name)
    if not pa.types.is_timestamp(field.type):
        return name
    return f"replace(strftime({name}, '%Y-%m-%dT%H:%M:%S.%fZ'), '.000000Z', 'Z')"


def _cell(field: pa.Field) -> str:
    name = quoted(field.name)
    kinds: tuple[Callable[[pa.DataType], bool], ...] = (
        pa.types.is_integer,
        pa.types.is_floating,
        pa.types.is_boolean,
    )
    if any(is_kind(field.type) for is_kind in kinds):
        return name
    if pa.types.is_nested(field.type):
        text = f"CAST(to_json({name}) AS VARCHAR)"
    else:
        text = f"CAST({_value(field)} AS VARCHAR)"
    clean = f"regexp_replace({text}, {literal(_CONTROLS)}, '\N{REPLACEMENT CHARACTER}', 'g')"
    return f"CASE WHEN regexp_matches({clean}, {literal(FORMULA)}) THEN '''' || {clean} ELSE {clean} END"
