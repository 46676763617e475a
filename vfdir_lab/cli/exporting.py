"""`export`: dated copies of channels, for people, and what can be asked of one later."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from vfdir_lab.cli.options import AsJson, AsOf, Home, LensName, open_archive
from vfdir_lab.cli.screen import progress_bar, say, say_json
from vfdir_lab.export import FORMATS, Verdict, verify_snapshot

NOW = "now"
_FORMAT_HELP = f"{', '.join(FORMATS)}; zip is html packed, csv.zip is csv packed, and so on."

Channel = Annotated[str | None, typer.Argument(metavar="CHANNEL", help="Slug or number.", show_default=False)]
Format = Annotated[str | None, typer.Option("--format", metavar="FORMAT", help=_FORMAT_HELP)]
Out = Annotated[Path | None, typer.Option("--out", metavar="PATH", help="A new folder, or file for a zip.")]
All = Annotated[bool, typer.Option("--all", help="Every channel that was pulled, with an index.")]
Depth = Annotated[int, typer.Option("--depth", metavar="N", help="Channels inside it too, so many levels.")]
Media = Annotated[bool, typer.Option("--media", help="With the pictures and files that the archive keeps.")]
Private = Annotated[bool, typer.Option("--private", help="Let private channels leave.")]
Replace = Annotated[
    bool, typer.Option("--replace", help="Replace an older snapshot there; what did not change stays.")
]
Verify = Annotated[
    Path | None, typer.Option("--verify", metavar="PATH", help="Is this snapshot as it was written?")
]
Again = Annotated[
    Path | None,
    typer.Option("--again", metavar="PATH", help="Does the archive still give this snapshot, byte for byte?"),
]
Diff = Annotated[
    tuple[str, str] | None,
    typer.Option("--diff", metavar="A B", help="How two snapshots of a channel differ; B may be `now`."),
]


def add_to(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command("export")(export)


def export(
    channel: Channel = None,
    format_: Format = None,
    out: Out = None,
    all_: All = False,
    as_of: AsOf = None,
    lens: LensName = None,
    depth: Depth = 0,
    media: Media = False,
    private: Private = False,
    replace: Replace = False,
    verify: Verify = None,
    again: Again = None,
    diff: Diff = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Write a channel snapshot: the same head and options give the same bytes.

    With --verify, --again or --diff instead of a channel: ask snapshots that were written.
    """
    asked = [
        name for name, value in (("verify", verify), ("again", again), ("diff", diff)) if value is not None
    ]
    if asked and (asked[1:] or channel or all_ or format_ or out):
        raise typer.BadParameter(f"--{asked[0]} asks a snapshot; say it alone")
    if verify is not None:
        with _counting("verify") as count:
            _tell(verify_snapshot(verify.expanduser(), count), as_json=as_json)
    elif again is not None:
        with _counting("export") as count:
            _tell(open_archive(home).export_again(again, on_progress=count), as_json=as_json)
    elif diff is not None:
        found = open_archive(home).diff_snapshots(diff[0], None if diff[1] == NOW else diff[1])
        say_json(found.as_dict()) if as_json else say(found)
    else:
        if (channel is None) == (not all_) or format_ is None or out is None:
            raise typer.BadParameter("give a CHANNEL or --all, a --format and an --out")
        archive = open_archive(home)
        with _counting("export") as count:
            snapshot = archive.export(
                channel,
                out,
                format=format_,
                as_of=as_of,
                lens=lens,
                depth=depth,
                media=media,
                private=private,
                replace=replace,
                on_progress=count,
            )
        say_json(snapshot.manifest) if as_json else say(snapshot)


@contextmanager
def _counting(what: str) -> Iterator[Callable[[int], None]]:
    """A progress bar that is told how much is done."""
    with progress_bar() as bar:
        task = bar.add_task(what, total=None, note="")
        yield lambda done: bar.update(task, completed=done)


def _tell(verdict: Verdict, *, as_json: bool) -> None:
    say_json(verdict.as_dict()) if as_json else say(verdict)
    if not verdict.ok:
        raise typer.Exit(1)
