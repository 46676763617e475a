"""`lab`: JupyterLab in a person's own copy of the notebooks, with the archive at hand."""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Annotated

import typer

from vfdir_lab.cli.options import Home, home_of
from vfdir_lab.cli.screen import say
from vfdir_lab.errors import ArchiveWriteError, UsageError
from vfdir_lab.log.files import write_atomically

_HERE = Path(__file__).parent


def add_to(app: typer.Typer) -> None:
    """Add this command."""
    app.command("lab")(lab)


def lab(
    home: Home = None,
    folder: Annotated[
        Path | None,
        typer.Option("--folder", metavar="DIR", help="Your notebooks; else beside the archive."),
    ] = None,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Only say at which address it is.")
    ] = False,
) -> None:
    """Start JupyterLab, on this machine only, in your copy of the notebooks.

    Notebooks that are not in the folder are copied there; one that is there is never touched. In them,
    VFDIR_HOME is the archive, and ARENA_API_URL and ARENA_TOKEN are as they are here.
    """
    jupyter = _jupyter()
    archive = home_of(home).expanduser().absolute()
    place = folder.expanduser().absolute() if folder else archive.with_name(f"{archive.name}-notebooks")
    for line in copy_notebooks(place):
        say(line)
    os.environ["VFDIR_HOME"] = str(archive)
    options = ["--ip=127.0.0.1", f"--ServerApp.root_dir={place}", *["--no-browser"] * no_browser]
    jupyter.LabApp.launch_instance(options)


def copy_notebooks(place: Path) -> list[str]:
    """Copy those notebooks that are not in `place` yet; what there is to say of it, a line each.

    Raises:
        ArchiveWriteError: the folder cannot be written.
    """
    said, copied = [], 0
    try:
        place.mkdir(parents=True, exist_ok=True)
        for original in sorted(notebooks_folder().glob("*.ipynb")):
            own, shipped = place / original.name, original.read_bytes()
            if not own.exists():
                write_atomically(own, shipped)
                copied += 1
            elif own.read_bytes() != shipped:
                said.append(f"kept as it is: {own.name} (it differs from the one that came with vfdir_lab)")
    except OSError as error:
        raise ArchiveWriteError(
            f"the notebooks cannot be copied to {place}: {error.strerror or error}; choose a --folder"
        ) from error
    return [f"notebooks in {place}: {copied} new", *said]


def notebooks_folder() -> Path:
    """Where the originals are: beside this module in an installed package, else in the checkout."""
    packed = _HERE / "_notebooks"
    return packed if packed.is_dir() else _HERE.parents[1] / "notebooks"


def _jupyter() -> ModuleType:
    try:
        return import_module("jupyterlab.labapp")
    except ModuleNotFoundError as error:
        raise UsageError(
            f"JupyterLab is not installed ({error.name} is missing): install it with "
            "`pip install 'vfdir_lab[lab]'`"
        ) from error
