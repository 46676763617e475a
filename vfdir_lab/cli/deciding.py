"""`outbox`: what became of each wish, and what a person decides about those that cannot go on alone.

Checked by: `tests/cli/test_pushing.py`.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from vfdir_lab.archive import Archive
from vfdir_lab.cli.options import AsJson, Home, open_archive, remember_home, short_tx, tx_named
from vfdir_lab.cli.screen import say, say_json, say_table
from vfdir_lab.errors import UsageError
from vfdir_lab.sync.standing import PERSON, Standing, standings

ENDED_SHOWN = 10
_DISPUTED = """
SELECT DISTINCT object_id FROM conflicts WHERE tx = $tx AND field <> 'duplicate' ORDER BY object_id
"""

Tx = Annotated[str, typer.Argument(metavar="TX", help="Its id, or how it begins, as `outbox` shows it.")]


def add_to(app: typer.Typer) -> None:
    """Add this group's commands."""
    group = typer.Typer(
        invoke_without_command=True,
        help="What became of each wish; without a word, the table. What waits for you comes first.",
    )
    group.callback()(outbox)
    group.command("cancel")(cancel)
    group.command("retry")(retry)
    group.command("resolve")(resolve)
    group.command("adopt")(adopt)
    app.add_typer(group, name="outbox")


def outbox(context: typer.Context, home: Home = None, as_json: AsJson = False) -> None:
    """Every transaction with its state, and why it is not further; what waits for you comes first."""
    if context.invoked_subcommand is not None:
        _pass_on(home)
        return
    archive = open_archive(home)
    found = standings(archive.log, archive.engine)
    if as_json:
        say_json([asdict(one) for one in found])
    else:
        _tell(found)


def cancel(tx: Tx, home: Home = None, as_json: AsJson = False) -> None:
    """Withdraw what are.na has not accepted of a transaction."""
    with open_archive(home) as archive:
        named = tx_named(archive, tx)
        count = archive.outbox.cancel(named)
    _tell_decided(named, count, "withdrawn", as_json=as_json)


def retry(tx: Tx, home: Home = None, as_json: AsJson = False) -> None:
    """Let what are.na refused of a transaction go out again with the next push."""
    with open_archive(home) as archive:
        named = tx_named(archive, tx)
        count = archive.outbox.retry(named)
    _tell_decided(named, count, "to be sent again", as_json=as_json)


def resolve(
    tx: Tx,
    mine: Annotated[
        bool, typer.Option("--mine", help="A conflict: keep mine; the next push sends it.")
    ] = False,
    theirs: Annotated[
        bool, typer.Option("--theirs", help="A conflict: withdraw mine, and show what are.na shows.")
    ] = False,
    object_id: Annotated[
        str | None, typer.Option("--object", metavar="ID", help="With --theirs: only of this object.")
    ] = None,
    made: Annotated[
        str | None, typer.Option("--is", metavar="OBJECT", help="No answer came: it made this one.")
    ] = None,
    not_done: Annotated[
        bool, typer.Option("--not-done", help="No answer came: it was not done; send it again.")
    ] = False,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Answer a conflict, or say what became of a wish whose answer never came."""
    if mine + theirs + (made is not None) + not_done != 1:
        raise UsageError("say what became of it: one of --mine, --theirs, --is OBJECT, --not-done")
    if object_id is not None and not theirs:
        raise UsageError("--object goes with --theirs: it says of what yours is withdrawn")
    with open_archive(home) as archive:
        named = tx_named(archive, tx)
        if mine:
            count, said = _kept(archive, named), "kept; the next push sends it"
        elif theirs:
            count, said = _withdrawn(archive, named, object_id), "withdrawn; are.na's shows"
        else:
            count = archive.outbox.resolve(named, made)
            said = "to be sent again" if made is None else f"are {made}; the next push reads it back"
    _tell_decided(named, count, said, as_json=as_json)


def adopt(
    device: Annotated[str, typer.Argument(metavar="DEVICE", help="One that is gone, as `status` names it.")],
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Take over the wishes of a device that is gone: this copy sends them from now on."""
    with open_archive(home) as archive:
        count = archive.outbox.adopt(device)
    if as_json:
        say_json({"device": device, "transactions": count})
    else:
        say(f"{_counted(count, 'transaction')} of {device}: this copy sends what is open of them")


def _pass_on(home: Path | None) -> None:
    """A `--home` before the word counts for the word, too."""
    if home is not None:
        remember_home(home, typed=True)


def _tell(found: tuple[Standing, ...]) -> None:
    if not found:
        say("nothing was wished yet: `vfdir-lab add`, `edit`, `connect`, `move` … wish")
        return
    open_ = [one for one in found if one.waits_for]
    ended = [one for one in found if not one.waits_for]
    columns = ("tx", "wished at", "label", "state", "wishes", "requests", "waits for", "why")
    say_table(columns, [_row(one) for one in [*open_, *ended[-ENDED_SHOWN:]]])
    if len(ended) > ENDED_SHOWN:
        say(f'… and {len(ended) - ENDED_SHOWN} older that have ended: `vfdir-lab sql "FROM outbox"` has all')
    for one in open_:
        if one.waits_for == PERSON:
            say(f"{short_tx(one.tx)}: {_ways(one)}")


def _row(one: Standing) -> tuple[object, ...]:
    return (
        short_tx(one.tx),
        one.created_at,
        one.label,
        one.state,
        one.intents,
        one.attempts,
        one.waits_for,
        one.why,
    )


def _ways(one: Standing) -> str:
    """What a person can do about a transaction that waits for them."""
    tx = short_tx(one.tx)
    if one.state == "unknown":
        return f"`vfdir-lab outbox resolve {tx} --is OBJECT`, or `--not-done`"
    if one.state == "rejected":
        return f"`vfdir-lab outbox retry {tx}` sends it again, `vfdir-lab outbox cancel {tx}` lets it be"
    return f"`vfdir-lab outbox cancel {tx}` lets it be"


def _kept(archive: Archive, tx: str) -> int:
    """How many wishes stay; there is nothing to record: what is newest shows, and goes out."""
    found = next((one for one in standings(archive.log, archive.engine) if one.tx == tx), None)
    if found is None or not found.open:
        raise UsageError(f"nothing of {short_tx(tx)} is open any more: wish it again to have it")
    return found.open


def _withdrawn(archive: Archive, tx: str, object_id: str | None) -> int:
    """Withdraw the wishes about one object, or about all that are in conflict."""
    objects = [object_id]
    if object_id is None:
        objects = archive.engine.arrow(_DISPUTED, {"tx": tx}).column("object_id").to_pylist()
        if not objects:
            raise UsageError(
                f"nothing of {short_tx(tx)} is in conflict: `vfdir-lab outbox cancel {short_tx(tx)}` "
                "withdraws it all the same"
            )
    return sum(archive.outbox.cancel(tx, about=one, reason="theirs taken") for one in objects)


def _tell_decided(tx: str, count: int, said: str, *, as_json: bool) -> None:
    if as_json:
        say_json({"tx": tx, "wishes": count})
    else:
        say(f"{_counted(count, 'wish')} of {short_tx(tx)} {said}")


def _counted(count: int, word: str) -> str:
    plural = "es" if word.endswith("sh") else "s"
    return f"{count} {word}" if count == 1 else f"{count} {word}{plural}"
