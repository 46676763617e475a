"""Validation: what the published description allows in a request, and the 400 for everything else.

Owns reading parameters and bodies into typed values. Guarantees that what it returns can be stored and
written as JSON again (no lone surrogates, no NUL, no infinities). Leaves meaning (does this channel exist?)
to routes.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from vfdir_lab.sandbox.answers import invalid

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vfdir_lab.sandbox.records import Scalar

_Choice = TypeVar("_Choice", bound=str)
_METADATA_KEY = re.compile(r"[A-Za-z0-9_]{1,40}")
METADATA_KEYS = 50
METADATA_TEXT = 2000
METADATA_BYTES = 32 * 1024


def parse_json(body: bytes) -> object:
    """Read a request body; only JSON that can be written again is accepted."""
    try:
        value: object = json.loads(body, parse_constant=_no_constant)
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError) as error:
        raise invalid("The request body is not valid JSON.") from error
    return value


def _no_constant(name: str) -> object:
    raise ValueError(name)


class Query:
    """The parameters behind the question mark."""

    def __init__(self, pairs: Sequence[tuple[str, str]]) -> None:
        self._values = dict(pairs)

    def text(self, name: str) -> str | None:
        """A parameter as it was given, None without it."""
        value = self._values.get(name)
        return None if value is None else _storable(name, value)

    def integer(self, name: str) -> int | None:
        """A parameter that must be a whole number."""
        value = self._values.get(name)
        if value is None:
            return None
        if not re.fullmatch(r"[+-]?[0-9]{1,18}", value):
            raise invalid(f"{name} must be an integer")
        return int(value)

    def page(self) -> tuple[int, int]:
        """`page` (1 and up) and `per` (1 to 100)."""
        page, per = self.integer("page"), self.integer("per")
        page, per = 1 if page is None else page, 24 if per is None else per
        if page < 1:
            raise invalid("page must be greater than or equal to 1")
        if not 1 <= per <= 100:
            raise invalid("per must be between 1 and 100")
        return page, per

    def choice(self, name: str, choices: tuple[_Choice, ...], default: _Choice) -> _Choice:
        """A parameter with a closed list of values."""
        value = self._values.get(name)
        return default if value is None else _one_of(name, value, choices)

    def choices(self, name: str, choices: tuple[_Choice, ...]) -> list[_Choice]:
        """A parameter with several values of a closed list, separated by commas."""
        value = self._values.get(name)
        return [_one_of(name, one, choices) for one in value.split(",")] if value else []


class Body:
    """A JSON object from a client, read field by field."""

    def __init__(self, value: object, where: str = "body") -> None:
        if not isinstance(value, dict):
            raise invalid(f"{where} must be an object")
        self._fields: Mapping[str, object] = value

    def has(self, name: str) -> bool:
        """Whether the field was given at all."""
        return name in self._fields

    def text(self, name: str, *, longest: int = 2_000_000) -> str | None:
        """A text, or None if the field was not given."""
        if not self.has(name):
            return None
        value = self._fields[name]
        if not isinstance(value, str):
            raise invalid(f"{name} must be a string")
        if len(value) > longest:
            raise invalid(f"{name} is too long")
        return _storable(name, value)

    def nullable_text(self, name: str) -> str | None:
        """A text or null."""
        return None if self._fields.get(name) is None else self.text(name)

    def required_text(self, name: str, *, longest: int = 2_000_000) -> str:
        """A text that must be given and say something."""
        value = self.text(name, longest=longest)
        if value is None or not value.strip():
            raise invalid(f"{name} is required")
        return value

    def address(self, name: str) -> str | None:
        """A web address."""
        value = self.text(name)
        if value is None:
            return None
        try:
            is_whole = bool(urlsplit(value).netloc) and value.startswith(("http://", "https://"))
        except ValueError:
            is_whole = False
        if not is_whole or re.search(r"\s", value):
            raise invalid(f"{name} must be a URI")
        return value

    def integer(self, name: str) -> int | None:
        """A whole number, or None if the field was not given."""
        if not self.has(name):
            return None
        value = self._fields[name]
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool):
            raise invalid(f"{name} must be an integer")
        return value

    def choice(self, name: str, choices: tuple[_Choice, ...]) -> _Choice | None:
        """One of a closed list of texts, or None if the field was not given."""
        value = self.text(name)
        return None if value is None else _one_of(name, value, choices)

    def metadata(self, *, with_null: bool = False) -> dict[str, Scalar | None]:
        """The `metadata` field within are.na's limits; empty if it was not given."""
        if not self.has("metadata"):
            return {}
        return _metadata(self._fields["metadata"], with_null=with_null)

    def inner(self, name: str) -> Body:
        """An object inside this one."""
        return Body(self._fields.get(name), name)

    def objects(self, name: str, most: int) -> list[Body]:
        """A list of objects, 1 to `most`."""
        return [Body(one, name) for one in self._list(name, most)]

    def names(self, name: str, most: int) -> list[str | int]:
        """A list of numbers or slugs, 1 to `most`."""
        return [_id_or_slug(name, one) for one in self._list(name, most)]

    def name(self, name: str) -> str | int:
        """One number or slug, which must be given."""
        return _id_or_slug(name, self._fields.get(name))

    def _list(self, name: str, most: int) -> list[object]:
        value = self._fields.get(name)
        if not isinstance(value, list):
            raise invalid(f"{name} must be an array")
        if not 1 <= len(value) <= most:
            raise invalid(f"{name} must have 1 to {most} items")
        return value


def stored_metadata(merged: Mapping[str, Scalar]) -> dict[str, Scalar]:
    """Check metadata after a merge: the limits hold for what is kept, too."""
    if len(merged) > METADATA_KEYS:
        raise invalid(f"metadata may have at most {METADATA_KEYS} keys")
    if len(json.dumps(merged).encode()) > METADATA_BYTES:
        raise invalid("metadata may have at most 32 KB")
    return dict(merged)


def _metadata(value: object, *, with_null: bool) -> dict[str, Scalar | None]:
    if not isinstance(value, dict):
        raise invalid("metadata must be an object")
    if len(value) > METADATA_KEYS:
        raise invalid(f"metadata may have at most {METADATA_KEYS} keys")
    for key, held in value.items():
        if not _METADATA_KEY.fullmatch(key):
            raise invalid("metadata keys are 1 to 40 letters, figures or _")
        if not (isinstance(held, str | int | float) or (held is None and with_null)):
            raise invalid(f"metadata {key} must be a string, number or boolean")
        if isinstance(held, str) and len(_storable(key, held)) > METADATA_TEXT:
            raise invalid(f"metadata {key} may have at most {METADATA_TEXT} characters")
        if isinstance(held, float) and not math.isfinite(held):
            raise invalid(f"metadata {key} must be finite")
    return value


def _id_or_slug(name: str, value: object) -> str | int:
    if isinstance(value, str):
        return _storable(name, value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise invalid(f"{name} must hold numbers or slugs")


def _one_of(name: str, value: str, choices: tuple[_Choice, ...]) -> _Choice:
    for choice in choices:
        if value == choice:
            return choice
    raise invalid(f"{name} must be one of {', '.join(choices)}")


def _storable(name: str, value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise invalid(f"{name} is not valid Unicode") from error
    if "\0" in value:
        raise invalid(f"{name} must not contain NUL")
    return value
