"""Options that many commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vfdir_lab.archive import Archive
from vfdir_lab.errors import UsageError

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

SHORT_TX = 8
"""So many characters of the id of a transaction are shown."""

_TX = "tx:"
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


def short_tx(tx: str) -> str:
    """The beginning of a transaction's id, enough to name it."""
    return tx[: len(_TX) + SHORT_TX]


def tx_named(archive: Archive, given: str) -> str:
    """The transaction whose id begins so, with or without `tx:`.

    Raises:
        UsageError: there is none, or more than one.
    """
    start = _TX + given.strip().removeprefix(_TX)
    query = (
        "SELECT DISTINCT object_id FROM events WHERE kind = 'tx.committed' AND starts_with(object_id, $start)"
    )
    head = archive.log.coverage().head
    found = archive.engine.facts(query, {"start": start}, head=head).column("object_id").to_pylist()
    if len(found) == 1 and start != _TX:
        return str(found[0])
    if found and start != _TX:
        raise UsageError(f"{given} could be any of {len(found)} transactions: say more of its id")
    raise UsageError(f"there is no transaction {given!r}; `vfdir-lab outbox` lists them")
