"""`add edit connect disconnect move comment add-channel delete undo redo`: wish. Nothing here asks are.na.

Each command is one transaction, recorded at once and sent by `push`. What is wished can be asked in SQL right
away. Checked by: `tests/cli/test_wishing.py`.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from vfdir_lab.arena import checks
from vfdir_lab.cli.options import AsJson, Home, open_archive, short_tx, tx_named
from vfdir_lab.cli.screen import say, say_json
from vfdir_lab.errors import UsageError
from vfdir_lab.sync.transaction import Transaction
from vfdir_lab.sync.undo import TakenBack

_LIKE_A_PATH = ("./", "../", "/", "~/")
_METADATA = "metadata."

After = Annotated[
    str | None, typer.Option("--after", metavar="CONNECTION", help="Right below this one; else on top.")
]
Description = Annotated[str | None, typer.Option("--description", metavar="TEXT", help="Its description.")]
ChannelName = Annotated[str, typer.Argument(metavar="CHANNEL", help="Id, slug, number or are.na address.")]
ConnectionId = Annotated[str, typer.Argument(metavar="CONNECTION", help="Such as connection:678.")]
Yes = Annotated[bool, typer.Option("--yes", help="Agree to what cannot be taken back.")]


class Visibility(StrEnum):
    """Who sees a channel."""

    public = "public"
    closed = "closed"
    private = "private"


def add_to(app: typer.Typer) -> None:
    """Add this group's commands."""
    for name, command in (
        ("add", add),
        ("edit", edit),
        ("connect", connect),
        ("disconnect", disconnect),
        ("move", move),
        ("comment", comment),
        ("add-channel", add_channel),
        ("delete", delete),
        ("undo", undo),
        ("redo", redo),
    ):
        app.command(name)(command)


def add(
    channel: ChannelName,
    value: Annotated[
        str | None,
        typer.Argument(metavar="[VALUE]", help="A text or a web address; - reads it from standard input."),
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--file", metavar="PATH", help="A picture or another file, not a VALUE.")
    ] = None,
    title: Annotated[str | None, typer.Option("--title", metavar="TEXT", help="Its title.")] = None,
    description: Description = None,
    after: After = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Wish for a new block in a channel: a text, a web address, or a file of this machine (--file).

    A VALUE that names a file here is refused, not guessed at.
    """
    if (value is None) == (file is None):
        raise UsageError("a block is made from a VALUE (a text or web address) or from --file PATH: give one")
    given = None if value is None else checks.block_value(_not_a_file(_given(value)))
    path = None if file is None else file.expanduser()
    with open_archive(home, create=True) as archive, archive.transaction(f"add to {channel}") as tx:
        tx.add_block(channel, given, file=path, after=after, title=title, description=description)
    _tell(tx, as_json=as_json)


def edit(
    object_id: Annotated[str, typer.Argument(metavar="OBJECT", help="Such as block:123 or channel:45.")],
    fields: Annotated[
        list[str],
        typer.Argument(
            metavar="FIELD=VALUE…",
            help="title, description, content (of a text), alt_text (of a picture), visibility (of a "
            "channel), metadata.KEY. Nothing after = clears; =@PATH reads a text file; =@@ begins a value "
            "with @.",
        ),
    ],
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Wish for other values of a block or a channel. Values of metadata are texts."""
    change = _change(fields)
    with (
        open_archive(home) as archive,
        archive.transaction(f"edit {object_id}: {', '.join(change)}") as tx,
    ):
        tx.edit(object_id, **change)
    _tell(tx, as_json=as_json)


def connect(
    item: Annotated[str, typer.Argument(metavar="ITEM", help="A block (block:123), or a channel.")],
    channel: ChannelName,
    after: After = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Wish that a block or a channel be in a channel, too."""
    with open_archive(home) as archive, archive.transaction(f"connect {item} to {channel}") as tx:
        tx.connect(item, channel, after=after)
    _tell(tx, as_json=as_json)


def disconnect(connection: ConnectionId, home: Home = None, as_json: AsJson = False) -> None:
    """Wish that an item be out of its channel. The item itself stays."""
    with open_archive(home) as archive, archive.transaction(f"disconnect {connection}") as tx:
        tx.disconnect(connection)
    _tell(tx, as_json=as_json)


def move(
    connection: ConnectionId,
    after: Annotated[
        str | None, typer.Option("--after", metavar="CONNECTION", help="To right below this one.")
    ] = None,
    top: Annotated[bool, typer.Option("--top", help="To the top of the channel.")] = False,
    bottom: Annotated[bool, typer.Option("--bottom", help="To the bottom of the channel.")] = False,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Wish for another place of an item in its channel."""
    if (after is not None) + top + bottom != 1:
        raise UsageError("say where to: one of --after CONNECTION, --top, --bottom")
    end = "top" if top else "bottom" if bottom else None
    with open_archive(home) as archive, archive.transaction(f"move {connection}") as tx:
        tx.move(connection, after=after, to=end)
    _tell(tx, as_json=as_json)


def comment(
    block: Annotated[str, typer.Argument(metavar="BLOCK", help="Such as block:123.")],
    text: Annotated[str, typer.Argument(metavar="TEXT", help="- reads it from standard input.")],
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Wish to say something about a block. It cannot be edited later."""
    body = _given(text)
    with open_archive(home) as archive, archive.transaction(f"comment on {block}") as tx:
        tx.comment(block, body)
    _tell(tx, as_json=as_json)


def add_channel(
    title: Annotated[str, typer.Argument(metavar="TITLE", help="What it is called.")],
    visibility: Annotated[
        Visibility, typer.Option("--visibility", help="Who sees it and may add to it.")
    ] = Visibility.closed,
    description: Description = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Wish for a new channel. Its id is said, and can be used at once."""
    checks.words(title, "title")
    with open_archive(home, create=True) as archive, archive.transaction(f"add channel {title}") as tx:
        tx.add_channel(title, visibility=visibility.value, description=description)
    _tell(tx, as_json=as_json)


def delete(channel: ChannelName, yes: Yes = False, home: Home = None, as_json: AsJson = False) -> None:
    """Wish that a channel be deleted, for good. The blocks in it stay."""
    with open_archive(home) as archive, archive.transaction(f"delete {channel}") as tx:
        tx.delete_channel(channel, yes=yes)
    _tell(tx, as_json=as_json)


def undo(
    tx: Annotated[
        str | None, typer.Argument(metavar="[TX]", help="As `outbox` names it; else the newest of here.")
    ] = None,
    yes: Yes = False,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Take back a transaction: what was never sent is cancelled, of the rest the opposite is wished."""
    with open_archive(home) as archive:
        taken = archive.undo(None if tx is None else tx_named(archive, tx), yes=yes)
    _tell_taken(taken, as_json=as_json)


def redo(yes: Yes = False, home: Home = None, as_json: AsJson = False) -> None:
    """Take back the newest undo, if nothing else was wished since."""
    with open_archive(home) as archive:
        taken = archive.redo(yes=yes)
    _tell_taken(taken, as_json=as_json)


def _given(text: str) -> str:
    """A text of the command line, or of standard input without its last line end."""
    if text != "-":
        return text
    try:
        return sys.stdin.read().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError as error:
        raise UsageError("standard input is no text in UTF-8; a file goes with --file PATH") from error


def _not_a_file(value: str) -> str:
    """Refuse a value that names a file here: a person who typed it meant one or the other."""
    with suppress(OSError, RuntimeError):
        if value.startswith(_LIKE_A_PATH) and Path(value).expanduser().is_file():
            raise UsageError(
                f"{value} is a file here: say --file {value} to upload it (as a text, it goes in by "
                "standard input: -)"
            )
    return value


def _change(fields: Sequence[str]) -> dict[str, Any]:
    """The fields of an edit, by name; an empty value is None, which clears."""
    change: dict[str, Any] = {}
    for given in fields:
        name, is_said, value = given.partition("=")
        if not is_said or not name:
            raise UsageError(f"{given!r} is no FIELD=VALUE; say for instance title='Low water'")
        if name == _METADATA[:-1]:
            raise UsageError("metadata is changed key by key: say metadata.KEY=VALUE")
        into, key = change, name
        if name.startswith(_METADATA):
            into, key = change.setdefault(_METADATA[:-1], {}), name.removeprefix(_METADATA)
        if key in into:
            raise UsageError(f"{name} is said twice: say it once")
        into[key] = _read(name, value) or None
    return change


def _read(name: str, value: str) -> str:
    if value.startswith("@@") or not value.startswith("@"):
        return value.removeprefix("@")
    path = Path(value[1:]).expanduser()
    try:
        return path.read_text("utf-8").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is no text in UTF-8, and {name} is one: give a text file") from error
    except ValueError as error:
        raise UsageError(f"{value!r} is no place of a file: give {name}=@PATH") from error


def _tell(tx: Transaction, *, as_json: bool) -> None:
    """Say what was made, and what was recorded."""
    made = [one for handle in tx.made for one in (handle, *handle.connections)]
    if as_json:
        things = [{"object_id": one.id, "name": one.name} for one in made]
        say_json({"tx": tx.id, "label": tx.label, "made": things})
        return
    for one in made:
        say(f"{one.id}  {one.name}")
    say(f"{short_tx(str(tx.id))}  {tx.label}: recorded")
    say("`vfdir-lab push` sends it, `vfdir-lab undo` takes it back")


def _tell_taken(taken: TakenBack, *, as_json: bool) -> None:
    if as_json:
        say_json(asdict(taken))
        return
    say(f"{short_tx(taken.tx)}  {taken}")
    if taken.wished:
        say("`vfdir-lab push` sends it")
