"""Bytes of a body to JSON values that the rest of the house can hold.

Owns: what counts as well-formed. JSON in UTF-8 (a byte order mark is let pass), nested at most `DEEPEST`
levels, numbers finite: `NaN`, `Infinity` and `1e999` are not JSON and are refused. Whole numbers may be as
long as Python reads them (4,300 digits). A lone surrogate, an escape without its other half, has no UTF-8
form and could be neither stored nor shown: it is replaced by U+FFFD, in keys and values.
Guarantees: any bytes give a value or `MalformedError`, nothing else.
Leaves to others: what the values mean (`pages`, `account`), which request it was (`answers`).
Checked by: `tests/arena/test_decode.py`, properties over arbitrary bytes.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn

# are.na's deepest documented answer has seven levels.
DEEPEST = 100

_SURROGATE_ESCAPE = re.compile(rb"\\u[dD][89a-fA-F]")


class MalformedError(ValueError):
    """An answer is not what are.na promises; the text completes "… answered with". Stays in this package."""


def decode(body: bytes) -> Any:
    """The JSON value of a body.

    Raises:
        MalformedError: it is not JSON, or JSON that nothing here could hold.
    """
    try:
        value = json.loads(body.decode("utf-8-sig"), parse_constant=_refuse, parse_float=_finite)
    except UnicodeDecodeError:
        raise MalformedError("bytes that are not UTF-8") from None
    except RecursionError:
        raise MalformedError(f"JSON nested deeper than {DEEPEST} levels") from None
    except ValueError:
        raise MalformedError("something that is not JSON, or is cut off") from None
    _check_depth(value)
    return _without_surrogates(value) if _SURROGATE_ESCAPE.search(body) else value


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def _finite(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise ValueError(digits)
    return value


_NESTS = frozenset({dict, list})  # exactly what json makes; asking for the type itself is the quickest way


def _check_depth(value: Any) -> None:
    level = [value] if type(value) in _NESTS else []
    for _ in range(DEEPEST):
        level = [
            child
            for node in level
            for child in (node.values() if type(node) is dict else node)
            if type(child) in _NESTS
        ]
        if not level:
            return
    raise MalformedError(f"JSON nested deeper than {DEEPEST} levels")


def _without_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_without_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(item) for key, item in value.items()}
    return value
