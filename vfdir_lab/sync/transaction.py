"""Transactions: what a person wishes, recorded together.

Owns: `Transaction`, what `archive.transaction` gives.
Guarantees: when the body ends, everything wished in it is one append with `tx.committed` last; nothing of it
if the body raises; an empty body records nothing. Each wish is checked when it is made (`UsageError`).
Leaves to others: sending (`push`), taking back (`undo`).
Checked by: `tests/sync/test_transaction.py`, `test_transaction_checks.py`, `test_transaction_crash.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self, Unpack

from vfdir_lab.arena import Account, BlockExtras, checks
from vfdir_lab.errors import UsageError
from vfdir_lab.log import EventLog
from vfdir_lab.media import MediaStore
from vfdir_lab.projection.engine import Engine
from vfdir_lab.sync.intents import Intents
from vfdir_lab.sync.naming import Naming
from vfdir_lab.sync.outbox import Outbox
from vfdir_lab.sync.visible import Visible
from vfdir_lab.sync.wish import Handle, Wish, new_tx, record


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What wishes are recorded in. `account` is whose token it is, None where that is not known."""

    log: EventLog
    engine: Engine
    store: MediaStore
    account: Account | None


class Transaction:
    """Wishes that belong together: `with archive.transaction("tidy") as tx: tx.edit("block:1", title="New")`.

    Channels are named by id, slug, number or address; everything else by id, `block:123`. What a method makes
    it returns as a `Handle`, to be used in later wishes at once.
    """

    def __init__(self, ground: Ground, label: str = "") -> None:
        self._ground = ground
        self.label = checks.text(label, "label")
        self._wishes: list[Wish] = []
        self._made: list[Handle] = []
        self._id: str | None = None
        self._now: tuple[Visible, Intents] | None = None
        self._is_over = False

    @property
    def id(self) -> str | None:
        """`tx:…` once it is recorded; None before, and for ever if nothing was."""
        return self._id

    @property
    def made(self) -> tuple[Handle, ...]:
        """What was made, in order: blocks, channels, connections (not those of a new block), comments."""
        return tuple(self._made)

    def __repr__(self) -> str:
        return f"<transaction {self._id or '(not recorded)'} {self.label!r}, {len(self._wishes)} wishes>"

    def __enter__(self) -> Self:
        if self._now is not None or self._is_over:
            raise UsageError("a transaction is entered once: begin another with archive.transaction()")
        ground = self._ground
        outbox = Outbox(ground.log, ground.engine)
        visible = Visible(ground.engine, outbox)
        naming = Naming(ground.engine, outbox.head)
        self._now = visible, Intents(visible, naming, store=ground.store, account=ground.account)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._now, self._is_over = None, True
        if kind is None and self._wishes:
            tx = new_tx()
            with self._ground.log.writing() as writer:
                record(writer, tx, self._wishes, (), {"label": self.label})
            self._id = tx

    def add_block(
        self,
        channel: object,
        value: str | None = None,
        *,
        file: str | Path | None = None,
        after: str | Handle | None = None,
        **extras: Unpack[BlockExtras],
    ) -> Handle:
        """A new block from a text, an address or a file, in a channel or a list of 1 to 20.

        It goes on top, or right below the connection `after`. `extras` are `title`, `description`, `alt_text`
        (of a picture), `original_source_url`, `original_source_title`, `metadata`. A file is copied into the
        archive. The connections it will have are `.connections` of what is returned.

        Raises:
            UsageError, ArchiveWriteError
        """
        return self._make(self._intents.add_block(channel, value, file, after, extras))

    def add_channel(
        self,
        title: str,
        *,
        visibility: str = "closed",
        description: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> Handle:
        """A new channel; `visibility` is `public`, `closed` or `private`.

        Raises:
            UsageError
        """
        return self._make(
            self._intents.add_channel(
                title, visibility=visibility, description=description, metadata=metadata
            )
        )

    def edit(self, object_id: str | Handle, **fields: Any) -> None:
        """Change a block (`title description content alt_text metadata`) or a channel (as `edit_channel`).

        None clears. `content` only of a text, `alt_text` only of a picture; of `metadata`, the keys that are
        named change, and None removes one. What shows already is not wished again.

        Raises:
            UsageError
        """
        self._wish(self._intents.edit(object_id, fields))

    def edit_channel(self, channel: int | str | Handle, **fields: Any) -> None:
        """Change a channel: `title description visibility metadata`. As `edit`.

        Raises:
            UsageError
        """
        self._wish(self._intents.edit_channel(channel, fields))

    def connect(
        self, item: str | Handle, channel: int | str | Handle, *, after: str | Handle | None = None
    ) -> Handle:
        """Put a block or a channel into a channel: on top, or right below the connection `after`.

        Raises:
            UsageError
        """
        return self._make(self._intents.connect(item, channel, after))

    def disconnect(self, connection: str | Handle) -> None:
        """Take an item out of a channel; the item stays.

        Raises:
            UsageError
        """
        self._wish(self._intents.disconnect(connection))

    def move(
        self, connection: str | Handle, *, after: str | Handle | None = None, to: str | None = None
    ) -> None:
        """Move an item right below the connection `after`, or `to` the "top" or "bottom" of its channel.

        Raises:
            UsageError
        """
        self._wish(self._intents.move(connection, after, to))

    def delete_channel(self, channel: int | str | Handle, *, yes: bool = False) -> None:
        """Delete a channel for good: nothing brings it back. Its items stay.

        Raises:
            UsageError: also without `yes`.
        """
        self._wish(self._intents.delete_channel(channel, yes=yes))

    def comment(self, block: str | Handle, body: str) -> Handle:
        """Say something about a block; it cannot be edited later.

        Raises:
            UsageError
        """
        return self._make(self._intents.comment(block, body))

    @property
    def _intents(self) -> Intents:
        return self._open[1]

    @property
    def _open(self) -> tuple[Visible, Intents]:
        if self._now is None:
            when = "has ended" if self._is_over else "has not begun"
            raise UsageError(f"this transaction {when}: wish inside `with archive.transaction() as tx:`")
        return self._now

    def _make(self, made: tuple[Wish, Handle]) -> Handle:
        self._wish(made[0])
        self._made.append(made[1])
        return made[1]

    def _wish(self, wish: Wish) -> None:
        visible, _ = self._open
        self._wishes.append(wish)
        for part in wish.parts:
            visible.add(part)
