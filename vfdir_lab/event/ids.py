"""Object ids: `block:123`, `channel:45`, `connection:678`, `user:9`, and the rest of the alphabet.

are.na counts blocks, channels, connections and users separately, so an id names its space. An object that
was born on a device and is not yet known to are.na is `block:~<device>.<seq>`.
"""

from __future__ import annotations

import re

from vfdir_lab.errors import EventError

_REMOTE = re.compile(r"(block|channel|connection|user|group|comment):([0-9]{1,19})")
_ANY = re.compile(
    r"(?:(?:block|channel|connection|user|group|comment):(?:[0-9]{1,19}|~[a-z0-9]{4,32}\.[0-9]{1,12})"
    r"|(?:tx|scan|import):[a-z0-9.-]{1,64}"
    r"|device:[a-z0-9]{4,32}"
    r"|media:[0-9a-f]{64}"
    r"|(?:projection|lens):\w[\w -]{0,99})"
)


def object_id(space: str, number: int) -> str:
    """`block:123` for the block that are.na counts as 123."""
    return f"{space}:{number}"


def remote_number(identifier: str) -> int | None:
    """are.na's number in an object id, or None for what are.na does not know."""
    match = _REMOTE.fullmatch(identifier)
    return int(match[2]) if match else None


def subject(identifier: str) -> str:
    """What an id is an id of: `block`, `tx`, `device` and so on.

    Raises:
        EventError: this is no object id.
    """
    if not _ANY.fullmatch(identifier):
        raise EventError(f"{identifier!r} is no object id; they look like block:123 or channel:45")
    return identifier.partition(":")[0]
