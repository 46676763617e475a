"""How a person names what a wish is about: by id, by handle, and a channel as `pull` takes it too.

Owns: `Naming`. Guarantees: what comes back names the right sort of object; whether it is there, `visible`
says. Checked by: `tests/sync/test_transaction_checks.py`.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from vfdir_lab.errors import EventError, UsageError
from vfdir_lab.event import object_id, subject
from vfdir_lab.log import Head
from vfdir_lab.projection.engine import Engine, read_sql
from vfdir_lab.sync.mirror import SQL
from vfdir_lab.sync.names import channel_name
from vfdir_lab.sync.wish import Handle, Ref

_BLOCK_ADDRESS = re.compile(r"(?:https?://)?(?:www\.)?are\.na/block/([0-9]{1,18})/?")


class Naming:
    """Finds what names mean at a head."""

    def __init__(self, engine: Engine, head: Head) -> None:
        self._engine = engine
        self._head = head

    def one_of(self, spaces: Collection[str], given: object) -> Ref:
        """An object of one of these spaces, named by id or handle.

        Raises:
            UsageError: it is none.
        """
        kind = f"a {' or a '.join(spaces)}"
        if isinstance(given, Handle):
            found = given.space
        else:
            try:
                found = subject(given) if isinstance(given, str) else ""
            except EventError:
                found = ""
        if isinstance(given, (Handle, str)) and found in spaces:
            return given
        if found:
            raise UsageError(f"{given} is a {found}, not {kind}: name {kind}")
        examples = " or ".join(f"{space}:123" for space in spaces)
        raise UsageError(f"{given!r} names no object: say {examples}, or give what this transaction made")

    def item(self, given: object) -> Ref:
        """A block or a channel.

        Raises:
            UsageError: it is none.
        """
        if isinstance(given, str) and (match := _BLOCK_ADDRESS.fullmatch(given.strip())):
            return object_id("block", int(match[1]))
        if isinstance(given, str) and not _is_id(given) and not given.strip().isdecimal():
            return self.channel(given)
        return self.one_of(("block", "channel"), given)

    def channel(self, given: object) -> Ref:
        """A channel: id, handle, slug, number, or address.

        Raises:
            UsageError: it is none, or this archive knows none of that slug.
        """
        if isinstance(given, Handle) or (isinstance(given, str) and _is_id(given)):
            return self.one_of(("channel",), given)
        if not isinstance(given, (int, str)) or isinstance(given, bool):
            raise UsageError(f"{given!r} is no channel: give its slug, number, address or id")
        if isinstance(given, str) and _BLOCK_ADDRESS.fullmatch(given.strip()):
            raise UsageError(f"{given} is the address of a block, not of a channel: name a channel")
        name = channel_name(given)
        return object_id("channel", name) if isinstance(name, int) else self._of_slug(name)

    def _of_slug(self, slug: str) -> str:
        query = read_sql(SQL, "channel_by_slug")
        found = self._engine.facts(query, {"slug": slug}, head=self._head)["object_id"]
        if not len(found):
            raise UsageError(f"there is no channel {slug!r} in this archive: `pull` it first")
        return str(found[0].as_py())


def _is_id(text: str) -> bool:
    try:
        subject(text)
    except EventError:
        return False
    return True
