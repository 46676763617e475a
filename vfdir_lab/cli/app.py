"""The application: its commands, and the one place where errors become a line and an exit code."""

from __future__ import annotations

import io
import sys
import warnings
from typing import Annotated, NoReturn

import typer

from vfdir_lab import __version__
from vfdir_lab.cli import (
    authing,
    compacting,
    deciding,
    demo,
    explaining,
    exporting,
    importing,
    labbing,
    merging,
    projecting,
    pulling,
    pushing,
    reading,
    sandboxing,
    wishing,
)
from vfdir_lab.cli.options import HomeFirst, remember_home
from vfdir_lab.cli.screen import complain
from vfdir_lab.errors import ArenaRateLimitError, BudgetReachedError, VfdirError
from vfdir_lab.projection.view import LensWarning

DONE, FAILED, RESUMABLE, INTERRUPTED = 0, 1, 3, 130
_INTERRUPTED = "interrupted; what was recorded is kept, run it again to go on"

app = typer.Typer(
    name="vfdir-lab",
    help="A local archive of are.na channels, built on facts that never change.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _say_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"vfdir_lab {__version__}")
        raise typer.Exit


@app.callback()
def every_command(
    context: typer.Context,
    home: HomeFirst = None,
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_say_version, is_eager=True, help="Say which version this is."),
    ] = False,
) -> None:
    """A local archive of are.na channels, built on facts that never change."""
    source = context.get_parameter_source("home")
    remember_home(home, typed=source is not None and source.name == "COMMANDLINE")


GROUPS = (
    pulling,
    reading,
    wishing,
    pushing,
    deciding,
    projecting,
    explaining,
    exporting,
    compacting,
    merging,
    importing,
    sandboxing,
    demo,
    labbing,
    authing,
)
for group in GROUPS:
    group.add_to(app)


def main() -> NoReturn:
    """Run, and end the process with the exit code that fits."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(
            stream, io.TextIOWrapper
        ):  # a terminal that cannot show a character is no reason to stop
            stream.reconfigure(errors="backslashreplace")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("always", LensWarning)
            warnings.showwarning = lambda message, *_, **__: complain(str(message))
            app()
        code = DONE
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else DONE
        if code == INTERRUPTED:
            complain(_INTERRUPTED)
    except (BudgetReachedError, ArenaRateLimitError) as error:
        complain(str(error))
        code = RESUMABLE
    except VfdirError as error:
        complain(str(error))
        code = FAILED
    except UnicodeEncodeError:
        complain("an argument is no text in UTF-8; give it in that encoding")
        code = FAILED
    except (RecursionError, MemoryError):
        complain("this is more than the machine can hold; ask for less at a time")
        code = FAILED
    except RuntimeError as error:
        if "interrupted" not in str(error).lower():
            raise
        complain(_INTERRUPTED)  # DuckDB noticed the interrupt first
        code = INTERRUPTED
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        complain(f"the system refused: {error.strerror or error}{where}")
        code = FAILED
    sys.exit(code)
