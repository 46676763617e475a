"""Undo and redo: a transaction is taken back by another one.

Owns: `undo`, `redo`, and which transaction each is about.
Guarantees: decided and recorded under one append lock, all or nothing. What never went out is cancelled, so
it never will; for what did, the opposite is wished. Undo of n and redo of n leave the same wishes open as
before, when nothing else happened. What cannot be taken back raises, and nothing is recorded.
Leaves to others: the opposite of each wish (`opposite`), sending (`push`).
Checked by: `tests/sync/test_undo.py`, `test_undo_laws.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from vfdir_lab.errors import UsageError
from vfdir_lab.event import Draft
from vfdir_lab.sync.commits import Commit, Commits
from vfdir_lab.sync.opposite import Opposite, opposite_of
from vfdir_lab.sync.outbox import Intent, Outbox
from vfdir_lab.sync.plan import named_by
from vfdir_lab.sync.transaction import Ground
from vfdir_lab.sync.visible import Visible
from vfdir_lab.sync.wish import Wish, new_tx, new_wish, record

_MAKING = frozenset({"block.drafted", "channel.drafted", "connection.made"})
"""What was made is there, also where somebody else changed it since."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenBack:
    """What an undo or redo did.

    `tx` is its own transaction, `of` the one it took back. `cancelled` are intents that now never go out,
    `wished` those that were recorded instead; `notes` say what stays on are.na all the same.
    """

    tx: str
    label: str
    of: str
    cancelled: tuple[str, ...]
    wished: tuple[str, ...]
    notes: tuple[str, ...]

    def __str__(self) -> str:
        done = [f"{len(self.cancelled)} cancelled"] if self.cancelled else []
        done += [f"{len(self.wished)} to be sent"] if self.wished else []
        return "; ".join([f"{self.label}: {', '.join(done) or 'nothing had to be done'}", *self.notes])


def undo(ground: Ground, tx: str | None = None, *, yes: bool = False) -> TakenBack:
    """Take back a transaction; by default the newest of this device that is not undone.

    What never went out is cancelled; of what did, the opposite is wished: earlier values, an item out of the
    channel again or in again. A block that was made stays on are.na, in no channel; a channel that was made
    is deleted: both only with `yes`.

    Raises:
        UsageError: there is nothing to undo, a part of it cannot be undone, or `yes` is needed.
        LogError, ArchiveWriteError
    """

    def chosen(commits: Commits, outbox: Outbox, device: str) -> Commit:
        return _newest(commits, outbox, device) if tx is None else _named(commits, outbox, tx, device)

    return _take_back(ground, chosen, "undo", yes=yes)


def redo(ground: Ground, *, yes: bool = False) -> TakenBack:
    """Take back the newest undo of this device, as long as nothing else was committed since.

    What the undo cancelled is wished again.

    Raises:
        UsageError, LogError, ArchiveWriteError: as `undo`.
    """

    def chosen(commits: Commits, _outbox: Outbox, device: str) -> Commit:
        undone = commits.to_redo(device)
        if not undone:
            raise UsageError("there is nothing to redo: nothing was undone since the newest transaction")
        return undone[-1]

    return _take_back(ground, chosen, "redo", yes=yes)


def _take_back(
    ground: Ground, chosen: Callable[[Commits, Outbox, str], Commit], verb: str, *, yes: bool
) -> TakenBack:
    with ground.log.writing() as writer:
        outbox = Outbox(ground.log, ground.engine)
        commits = Commits.read(ground.engine, outbox.head)
        commit = chosen(commits, outbox, writer.device)
        name = _first(commits, commit).label
        label = f"{verb}: {name}" if name else verb
        cancels, opposite, again = _reversal(ground, outbox, commits, commit)
        _agree(verb, commit, opposite, yes=yes)
        tx = new_tx()
        wishes = [*opposite.wishes, *again]
        cancelled = [_cancelled(one, tx) for one in cancels]
        record(writer, tx, wishes, cancelled, {"label": label, f"{verb}es": commit.tx})
    return TakenBack(
        tx=tx,
        label=label,
        of=commit.tx,
        cancelled=tuple(one.intent for one in cancels),
        wished=tuple(one.intent for one in wishes),
        notes=opposite.notes,
    )


def _reversal(
    ground: Ground, outbox: Outbox, commits: Commits, commit: Commit
) -> tuple[list[Intent], Opposite, list[Wish]]:
    """What takes a transaction back: wishes to cancel, wishes against it, and what it cancelled, anew."""
    intents = [one for one in outbox.intents() if one.tx == commit.tx]
    cancels = [one for one in intents if one.state == "committed"]
    _check_unneeded(outbox, cancels)
    without = {one.intent for one in cancels}
    again = [_again(one) for one in _cancelled_by(outbox, commits, commit.tx)]
    visible = Visible(ground.engine, outbox, without)
    for wish in again:
        for part in wish.parts:
            visible.add(part)
    gone_out = [one for one in reversed(intents) if _is_in_force(one) and one.intent not in without]
    return cancels, opposite_of(visible, gone_out), again


def _first(commits: Commits, commit: Commit) -> Commit:
    """The transaction that a row of undos and redos began with: its label is what a person knows."""
    seen = {commit.tx}
    while commit.takes_back is not None and commit.takes_back not in seen:
        before = commits.get(commit.takes_back)
        if before is None:
            break
        seen.add(before.tx)
        commit = before
    return commit


def _newest(commits: Commits, outbox: Outbox, device: str) -> Commit:
    """The newest transaction of the device that has something left to undo."""
    for commit in reversed(commits.to_undo(device)):
        if _is_left(commits, commit, outbox):
            return commit
    raise UsageError("there is nothing to undo: this device has no transaction left that is in force")


def _named(commits: Commits, outbox: Outbox, tx: str, device: str) -> Commit:
    commit = commits.get(tx)
    if commit is None:
        raise UsageError(f"there is no transaction {tx!r} here: `vfdir-lab outbox` lists them")
    if commit.undoes is not None:
        raise UsageError(f"{tx} is an undo itself: `redo` takes back the newest one")
    if commits.is_taken_back(tx):
        raise UsageError(f"{tx} is undone already: `redo` takes back the newest undo")
    if not _is_left(commits, commit, outbox):
        raise UsageError(f"nothing of {tx} is left to undo: its wishes were refused, cancelled or overtaken")
    waiting = {one.device for one in outbox.intents() if one.tx == tx and one.state == "committed"}
    if waiting - {device}:
        raise UsageError(
            f"{tx} is for device {commit.device} to send, and may be on its way from there: undo it there, "
            f"or take it over with `vfdir-lab outbox adopt {commit.device}`"
        )
    return commit


def _is_left(commits: Commits, commit: Commit, outbox: Outbox) -> bool:
    """Whether anything a transaction did is in force: a wish of it, or a wish that it cancelled."""
    return any(one.tx == commit.tx and _is_in_force(one) for one in outbox.intents()) or bool(
        _cancelled_by(outbox, commits, commit.tx)
    )


def _is_in_force(intent: Intent) -> bool:
    """Whether there may be something to take back: nothing of what was refused, cancelled or overtaken."""
    if intent.state == "superseded":
        return intent.kind in _MAKING
    return intent.state not in {"rejected", "cancelled"}


def _cancelled_by(outbox: Outbox, commits: Commits, tx: str) -> list[Intent]:
    """The wishes that an undo or redo cancelled, and nobody retried since, in the order they were wished."""
    named = set(commits.cancelled.get(tx, ()))
    return [one for one in outbox.intents() if one.intent in named and one.state == "cancelled"]


def _again(intent: Intent) -> Wish:
    return new_wish(*((event.kind, event.object_id, fields) for event, fields in intent.parts()))


def _cancelled(intent: Intent, tx: str) -> Draft:
    return Draft(
        kind="tx.cancelled",
        object_id=intent.tx,
        payload={"intent": intent.intent, "reason": "undone"},
        cause=tx,
    )


def _check_unneeded(outbox: Outbox, cancels: Collection[Intent]) -> None:
    """Refuse to cancel the draft of what other wishes are about."""
    drafted = {
        event.object_id
        for one in cancels
        for event in one.events
        if event.kind.endswith((".drafted", ".made"))
    }
    cancelled = {one.intent for one in cancels}
    for other in outbox.intents():
        if other.is_open and other.intent not in cancelled and (used := named_by(other) & drafted):
            raise UsageError(
                f"{sorted(used)[0]} is what a later transaction ({other.tx}) builds on: undo that one first"
            )


def _agree(verb: str, commit: Commit, opposite: Opposite, *, yes: bool) -> None:
    """Refuse what cannot be taken back, and what a person has to agree to first."""
    if opposite.refusals:
        why = "; ".join(dict.fromkeys(opposite.refusals))
        raise UsageError(f"no {verb}, since {commit.tx} cannot be taken back, and nothing is recorded: {why}")
    if opposite.notes and not yes:
        raise UsageError(f"{'; '.join(opposite.notes)}: say yes=True (`--yes`) if that is meant")
