"""`demo`: the whole idea in half a minute, without an account and without leaving this machine."""

from __future__ import annotations

import shlex
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from vfdir_lab.archive import Archive
from vfdir_lab.cli.options import Home, short_tx, typed_home
from vfdir_lab.cli.pulling import Shown, tell
from vfdir_lab.cli.pushing import ShownPush, conflicts_of, tell_conflicts, tell_push
from vfdir_lab.cli.sandboxing import require_sandbox
from vfdir_lab.cli.screen import progress_bar, say, say_table
from vfdir_lab.errors import LogDamagedError

if TYPE_CHECKING:
    from vfdir_lab.sandbox import Sandbox
    from vfdir_lab.sync.transaction import Transaction

CHANNEL = "tides"
KEPT, LEFT = "block:40000006", "block:40000010"
"""Blocks that both sides edit: of the first the person keeps their own title, of the second they do not."""

TEXT = "Slack water: twenty minutes in which to cross."
_NAME = "coalesce(nullif(title, ''), nullif(left(content, 40), ''), 'untitled')"
_LATEST = (
    f"SELECT {_NAME} AS title FROM connections JOIN blocks ON item = blocks.object_id "
    "WHERE channel = '{channel}' ORDER BY position DESC LIMIT 5"
)
_SHARED = (
    f"SELECT {_NAME} AS block, type, count(*) AS channels FROM connections JOIN blocks "
    "ON item = blocks.object_id GROUP BY ALL HAVING count(*) > 1 ORDER BY channels DESC, block LIMIT 5"
)
_PENDING = f"SELECT object_id, {_NAME} AS title, pending FROM blocks WHERE pending ORDER BY object_id"
_FACTS = "SELECT event_id, kind, object_id, left(payload, 60) AS payload FROM events \
WHERE kind NOT LIKE 'scan.%' ORDER BY hlc DESC, device DESC, seq DESC LIMIT 8"


_RULE = """/* Titles fall back to the beginning of the text, or to the name of the file. */
SELECT * REPLACE (
    COALESCE(NULLIF(title, ''), NULLIF(left(content, 40), ''), filename, source_title) AS title
)
FROM blocks_v2
"""


def add_to(app: typer.Typer) -> None:
    """Add this command."""
    app.command("demo")(demo)


def demo(home: Home = None) -> None:
    """See it work: a local are.na, an archive, SQL, wishes, a conflict, a look back in time, a snapshot."""
    require_sandbox()
    from vfdir_lab.sandbox import Sandbox  # noqa: PLC0415 - an extra

    place = typed_home(home) or Path(tempfile.mkdtemp(prefix="vfdir-lab-demo-")) / "archive"
    with Sandbox() as sandbox:
        _introduce(sandbox, place)
        with Archive(place, create=True, api_url=sandbox.url, token=sandbox.tokens.write) as archive:
            _pull(archive, "Pull: every channel of the account, over HTTP, recorded as facts.")
            _ask(archive, "Ask in SQL: which blocks are in more than one channel?", _SHARED)
            head, channel = archive.head, _channel(archive)
            disputed = _wish_offline(archive, sandbox)
            _someone_else(sandbox)
            _pull(archive, "are.na is back, and another person was at work there. Pull again.", full=True)
            _ask(archive, "The facts this added. None was overwritten.", _FACTS)
            _decide(archive, disputed)
            _push(archive, sandbox)
            _look_back(archive, str(head), channel)
            _rewrite(archive)
            _snapshot(archive, place, channel)
            _verify(archive)
    _farewell(place)


def _step(text: str, command: str | None = None) -> None:
    say("")
    typer.secho(text, bold=True)
    if command is not None:
        typer.secho(f"  $ vfdir-lab {command}", dim=True)


def _introduce(sandbox: Sandbox, place: Path) -> None:
    typer.secho("A local are.na is running on this machine; no account, no network.", bold=True)
    say(f"  are.na   {sandbox.url}")
    say(f"  archive  {place}")


def _pull(archive: Archive, text: str, *, full: bool = False) -> None:
    _step(text, "pull --mine --full" if full else "pull --mine")
    with progress_bar() as bar:
        report = archive.pull(mine=True, full=full, on_progress=Shown(bar))
    tell(report, as_json=False)


def _ask(archive: Archive, text: str, query: str) -> None:
    _step(text, f'sql "{query}"')
    answer = archive.sql(query).to_arrow_table()
    say_table(answer.column_names, list(zip(*(one.to_pylist() for one in answer.columns), strict=True)))


def _wish_offline(archive: Archive, sandbox: Sandbox) -> str:
    """Three transactions while no request would get through; gives the one that will be given up."""
    sandbox.control.arm("drop_before", times=None)
    _step("are.na is out of reach now. Wish all the same: it is recorded here, and shows at once.")
    wishes: tuple[tuple[str, Callable[[Transaction], object]], ...] = (
        (f"add {CHANNEL} '{TEXT}'", lambda tx: tx.add_block(CHANNEL, TEXT)),
        (f"edit {KEPT} title='Twelfths, by heart'", lambda tx: tx.edit(KEPT, title="Twelfths, by heart")),
        (f"edit {LEFT} title='Where no tide is'", lambda tx: tx.edit(LEFT, title="Where no tide is")),
    )
    for command, wish in wishes:
        typer.secho(f"  $ vfdir-lab {command}", dim=True)
        with archive.transaction(command) as tx:
            wish(tx)
    _ask(archive, "What waits for are.na is marked; nothing was sent.", _PENDING)
    sandbox.control.disarm()
    return str(tx.id)


def _decide(archive: Archive, disputed: str) -> None:
    """The conflict and its answer."""
    _step("Two of the titles are in conflict. Yours shows, theirs is kept beside it.", "conflicts")
    tell_conflicts(conflicts_of(archive))
    _step(
        "Take theirs of the one; of the other keep yours, for which there is nothing to do.",
        f"outbox resolve {short_tx(disputed)} --theirs",
    )
    archive.outbox.cancel(disputed, reason="theirs taken")
    query = f"SELECT object_id, title, pending FROM blocks WHERE object_id IN ('{KEPT}', '{LEFT}') ORDER BY 1"
    answer = archive.sql(query).to_arrow_table()
    say_table(answer.column_names, list(zip(*(one.to_pylist() for one in answer.columns), strict=True)))


def _push(archive: Archive, sandbox: Sandbox) -> None:
    """The new block is made and the answer is lost: it is looked up, not sent again."""
    sandbox.control.arm("drop_after", match="POST /v3/blocks")
    sandbox.control.clear_requests()
    _step("Push. On the way, the answer to the new block is lost: is it there or not?", "push")
    with progress_bar() as bar:
        report = archive.push(on_progress=ShownPush(bar))
    tell_push(report)
    sent = sum(one["method"] == "POST" for one in sandbox.control.requests())
    there = sum(block.content == TEXT for block in sandbox.world.blocks.values())
    say("It was looked up by the mark it bears, and not sent again:")
    say_table(("requests to make it", "blocks on are.na"), [(sent, there)])


def _someone_else(sandbox: Sandbox) -> None:
    """Another person at work in the channel, on are.na itself."""
    there = sandbox.control.snapshot(CHANNEL)
    for block, title in ((KEPT, "Rule of twelfths (1805)"), (LEFT, "Amphidromic points, charted")):
        sandbox.control.edit_block(int(block.removeprefix("block:")), title=title)
    sandbox.control.add_block(CHANNEL, "Low water tonight is at 21:40; the causeway is dry for two hours.")
    sandbox.control.edit_channel(CHANNEL, title="Tides and tide tables")
    sandbox.control.move(there[0]["connection"], len(there))
    sandbox.control.disconnect(there[-1]["connection"])


def _channel(archive: Archive) -> str:
    """The object id of the channel the demo is about: slugs change with titles, ids never."""
    found = archive.sql(f"SELECT object_id FROM channels WHERE slug = '{CHANNEL}'").to_arrow_table()
    return str(found.column("object_id")[0])


def _look_back(archive: Archive, head: str, channel: str) -> None:
    query = _LATEST.format(channel=channel)
    _step("Look back: the top of the channel, at the head before the second pull.", f"sql --as-of {head} …")
    then = archive.as_of(head=head).sql(query).to_arrow_table().column("title").to_pylist()
    now = archive.sql(query).to_arrow_table().column("title").to_pylist()
    say_table(("then", "now"), list(zip(then, now, strict=False)))


def _rewrite(archive: Archive) -> None:
    """A rule of one's own, compared, put in force, and undone."""
    number = archive.projections["blocks"].new(title="A name for everything").name[1:].partition("_")[0]
    archive.projections["blocks"].save(int(number), "A name for everything", _RULE)
    _step(
        "Rewrite the rule: a block without a title is called by the beginning of its text. What changes?",
        f"projection diff blocks 2 {number}",
    )
    say("\n".join(str(archive.diff("blocks", 2, int(number))).splitlines()[:9]))
    _step(
        "Put it in force, ask, and go back: a swap is an event, and so is its undoing.",
        f"projection use blocks {number}",
    )
    archive.projections["blocks"].use(int(number))
    ask = "SELECT count(*) FROM blocks WHERE title IS NULL OR title = ''"
    untitled = archive.sql(ask).fetchall()[0][0]
    archive.projections["blocks"].use(None)
    say_table(("untitled as shipped", f"through v{number}"), [(archive.sql(ask).fetchall()[0][0], untitled)])


def _snapshot(archive: Archive, place: Path, channel: str) -> None:
    out = place.parent / "tides-snapshot"
    number = channel.removeprefix("channel:")
    command = f"export {number} --format json --out {out}"
    _step("Export a snapshot: the same head gives the same bytes.", command)
    say(archive.export(number, out, replace=True))


def _verify(archive: Archive) -> None:
    _step("Verify: re-read every byte and prove the log.", "verify")
    report = archive.verify()
    say(report)
    if not report.ok:
        raise LogDamagedError("the demo's own log does not verify; please report this")


def _farewell(place: Path) -> None:
    _step("The archive stays; ask it whatever you like:")
    say(f'  vfdir-lab --home {shlex.quote(str(place))} sql "SELECT type, count(*) FROM blocks GROUP BY 1"')
