"""Canonical JSON: one spelling for one value, so that equal payloads are equal bytes.

Keys sorted by code point, no white space, no escapes but those JSON demands, numbers as Python's shortest
spelling that reads back the same. What JSON or UTF-8 cannot hold (NaN, infinities, lone surrogates, keys
that are no text) is refused. A payload is always an object, nested no deeper than `DEPTH_BOUND`. `parse` is
the inverse; it too refuses, with a typed error, what a hostile file may bring: other shapes, nesting without
end.
"""

from __future__ import annotations

import json
from typing import Any, NoReturn

from vfdir_lab.errors import EventError

DEPTH_BOUND = 200
"""Objects and arrays within each other. Far from Python's own limit: what is written can be read anywhere."""

_LEAVES = frozenset({str, int, float, bool, type(None)})
_encode = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"), check_circular=False
).encode


def canonical(payload: dict[str, Any]) -> str:
    """The one spelling of `payload`.

    Raises:
        EventError: it holds something that canonical JSON has no spelling for.
    """
    if not isinstance(payload, dict):
        raise EventError(f"a payload is a JSON object, this is {type(payload).__name__}")
    _check(payload, DEPTH_BOUND)
    try:
        text = _encode(payload)
        text.encode("utf-8")
    except (TypeError, ValueError, RecursionError) as error:
        raise EventError(f"this payload has no canonical spelling: {error}") from error
    return text


def parse(text: str) -> dict[str, Any]:
    """The object that `text` spells.

    Raises:
        EventError: the text is not JSON, not an object, or nested too deeply.
    """
    try:
        value = _decode(text)
    except (ValueError, RecursionError) as error:
        raise EventError(f"this payload is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise EventError(f"a payload is a JSON object, this is {type(value).__name__}")
    return value


def is_canonical(text: str) -> bool:
    """Whether `text` is a payload in its one spelling."""
    try:
        return canonical(parse(text)) == text
    except EventError:
        return False


def _check(value: Any, depth_left: int) -> None:
    """Refuse what the encoder would let pass: keys that it would turn into text, nesting without end."""
    if not depth_left:
        raise EventError(f"this payload is nested more than {DEPTH_BOUND} deep")
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str):
                raise EventError(f"a key of a payload is text, {key!r} is not")
        value = value.values()
    for inner in value:
        if type(inner) not in _LEAVES and isinstance(inner, (dict, list, tuple)):
            _check(inner, depth_left - 1)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_decode = json.JSONDecoder(parse_constant=_refuse_constant).decode
