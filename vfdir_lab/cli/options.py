"""Options that many commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vfdir_lab.archive import Archive

_HOME_HELP = "The archive's folder (VFDIR_HOME, else ./archive)."
Home = Annotated[Path | None, typer.Option("--home", metavar="DIR", help=_HOME_HELP)]
HomeFirst = Annotated[
    Path | None,
    typer.Option("--home", metavar="DIR", envvar="VFDIR_HOME", show_envvar=False, help=_HOME_HELP),
]
AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
AsOf = Annotated[
    str | None,
    typer.Option("--as-of", metavar="T", help="As known before a date or time (UTC), or at a head."),
]
Axis = Annotated[
    str, typer.Option("--axis", metavar="AXIS", help="With --as-of: knew (what we knew then) or effective.")
]

LensName = Annotated[
    str | None, typer.Option("--lens", metavar="L", help="Through this lens; else the one in force.")
]

_home: list[Path] = []
_typed: list[Path] = []


def remember_home(home: Path | None, *, typed: bool) -> None:
    """Keep a `--home` that was given before the command, or the environment's (then it was not `typed`)."""
    for places, said in ((_home, home is not None), (_typed, home is not None and typed)):
        places[:] = [home] if home is not None and said else []


def typed_home(home: Path | None) -> Path | None:
    """The folder that was given on this command line, not by the environment."""
    return home or (_typed[0] if _typed else None)


def home_of(home: Path | None) -> Path:
    """The folder to use: given after the command, before it, by the environment, or the default."""
    return home or (_home[0] if _home else Path("archive"))


def open_archive(home: Path | None, *, create: bool = False) -> Archive:
    """The archive that the options name.

    Raises:
        ArchiveNotFoundError: there is none and this command does not make one.
    """
    return Archive(home_of(home), create=create)
