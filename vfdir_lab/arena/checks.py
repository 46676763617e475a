"""What may be written to are.na, checked before anything is sent.

Owns: the limits that are.na documents for what is sent to it (facts.md), and the refusal of what would be a
mistake to publish.
Guarantees: what passes can be encoded as JSON in UTF-8 and is within the documented limits; what does not
raises `UsageError` with one line that names the field. Texts and titles have no documented length, so none
is made up here: are.na decides.
Leaves to others: which fields a request has (`writes`).
Checked by: `tests/arena/test_checks.py`.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import urlsplit

from vfdir_lab.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

Scalar: TypeAlias = str | int | float | bool
"""A value of are.na's metadata."""

Metadata: TypeAlias = Mapping[str, Scalar]
"""Metadata of a new thing."""

MetadataChange: TypeAlias = Mapping[str, Scalar | None]
"""A change of metadata: keys that are not named stay, None removes a key."""

MOST_CHANNELS = 20
MOST_FILES = 50
MOST_KEYS = 50
LONGEST_VALUE = 2000
LARGEST_METADATA_BYTES = 32 * 1024
# Beyond this, JSON readers that know only floating point numbers change whole ones (RFC 8259, 6).
LARGEST_NUMBER = 2**53 - 1

_KEY = re.compile(r"[A-Za-z0-9_]{1,40}")
_ADDRESS = re.compile(r"https?://\S+", re.IGNORECASE)
_CONTENT_TYPE = re.compile(r"[\w.+-]+/[\w.+-]+(; ?[\w.+-]+=[\w.+-]+)*", re.ASCII)


def text(value: object, field: str) -> str:
    """A text, which may be empty.

    Raises:
        UsageError: it is none, or holds what no text of are.na's can: NUL, or half a character.
    """
    if not isinstance(value, str):
        raise UsageError(f"{field} must be a text, not {type(value).__name__}")
    if "\0" in value:
        raise UsageError(f"{field} holds a NUL character, which are.na cannot keep: take it out")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise UsageError(f"{field} holds half a character (a lone surrogate): type it again") from None
    return value


def words(value: object, field: str) -> str:
    """A text that says something.

    Raises:
        UsageError: it is none, or blank.
    """
    given = text(value, field)
    if not given.strip():
        raise UsageError(f"{field} must not be empty: are.na wants at least a character that shows")
    return given


def block_value(value: object) -> str:
    """What a block is made from: a text, or an address.

    Raises:
        UsageError: it is empty, or an address that holds a password.
    """
    given = words(value, "value")
    if _ADDRESS.fullmatch(given.strip()) is not None:
        address(given.strip(), "value")
    return given


def address(value: object, field: str) -> str:
    """A web address that may be published.

    Raises:
        UsageError: it is none (http or https), or holds a user name or password.
    """
    given = text(value, field)
    try:
        host, login = urlsplit(given).hostname, urlsplit(given).username
    except ValueError:
        host = login = None
    if _ADDRESS.fullmatch(given) is None or not host:
        raise UsageError(f"{field} is no web address: it must look like https://example.org/a")
    if login is not None:
        raise UsageError(
            f"{field} is an address with a user name or password in it ({host}), which would be published: "
            "take it out"
        )
    return given


def choice(value: str, field: str, choices: Collection[str]) -> str:
    """One of a closed list.

    Raises:
        UsageError: it is none of them.
    """
    if value not in choices:
        raise UsageError(f"{value!r} is no {field}: give one of {', '.join(choices)}")
    return value


def position(value: int) -> int:
    """A position in a channel, 1 and up from the bottom.

    Raises:
        UsageError: it is none.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise UsageError(f"{value!r} is no position: are.na counts from 1, the bottom of a channel")
    return value


def files(named: Sequence[tuple[str, str]]) -> list[dict[str, str]]:
    """The files of a presign, each with a name and a content type.

    Raises:
        UsageError: there are none or too many, or a name or content type is none.
    """
    if not 1 <= len(named) <= MOST_FILES:
        raise UsageError(f"are.na presigns 1 to {MOST_FILES} files at once, not {len(named)}")
    return [{"filename": words(name, "filename"), "content_type": content_type(kind)} for name, kind in named]


def content_type(value: str) -> str:
    """A content type that can stand in a header exactly as it is.

    Raises:
        UsageError: it is none.
    """
    if not isinstance(value, str) or _CONTENT_TYPE.fullmatch(value) is None:
        raise UsageError(f"{value!r} is no content type: give one like image/png")
    return value


def metadata(values: Metadata) -> dict[str, Scalar]:
    """Metadata of a new thing.

    Raises:
        UsageError: it is beyond are.na's limits, or has a value that is None.
    """
    checked = metadata_change(values)
    new = {key: value for key, value in checked.items() if value is not None}
    if len(new) != len(checked):
        raise UsageError("metadata of a new thing cannot be None: leave the key out")
    return new


def metadata_change(values: MetadataChange) -> dict[str, Scalar | None]:
    """A change of metadata.

    Raises:
        UsageError: it is beyond are.na's limits.
    """
    if not isinstance(values, Mapping):
        raise UsageError("metadata must be keys and values")
    if len(values) > MOST_KEYS:
        raise UsageError(f"metadata may have at most {MOST_KEYS} keys, not {len(values)}: drop some")
    for key, value in values.items():
        if not isinstance(key, str) or _KEY.fullmatch(key) is None:
            raise UsageError(f"{key!r:.60} is no key of metadata: use 1 to 40 letters a-z, figures or _")
        _check_scalar(key, value)
    # Escaped and with spaces, the longest JSON there is: it is not known how are.na counts.
    size = len(json.dumps(dict(values)))
    if size > LARGEST_METADATA_BYTES:
        raise UsageError(
            f"metadata of {size} bytes is more than are.na's {LARGEST_METADATA_BYTES}: drop some"
        )
    return dict(values)


def _check_scalar(key: str, value: object) -> None:
    if isinstance(value, str):
        if len(text(value, f"metadata {key}")) > LONGEST_VALUE:
            raise UsageError(f"metadata {key} may have at most {LONGEST_VALUE} characters: shorten it")
    elif isinstance(value, float) and not math.isfinite(value):
        raise UsageError(f"metadata {key} must be a finite number")
    elif isinstance(value, int) and not -LARGEST_NUMBER <= value <= LARGEST_NUMBER:
        raise UsageError(f"metadata {key} is a number beyond {LARGEST_NUMBER}: give it as a text")
    elif value is not None and not isinstance(value, (int, float)):
        raise UsageError(f"metadata {key} must be a text, a number, true or false")
