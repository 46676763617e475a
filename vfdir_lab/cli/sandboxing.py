"""`sandbox`: a local are.na to play with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from vfdir_lab.cli.screen import say
from vfdir_lab.errors import SandboxError

if TYPE_CHECKING:
    from vfdir_lab.sandbox import Sandbox


def add_to(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command("sandbox")(sandbox)


def sandbox(
    port: Annotated[int, typer.Option("--port", metavar="N", min=0, max=65535, help="0: any free port.")] = 0,
) -> None:
    """Run a local are.na until interrupted; any client of are.na's API v3 can use it."""
    require_sandbox()
    from vfdir_lab.sandbox import serve  # noqa: PLC0415 - an extra

    serve(port, _introduce)


def require_sandbox() -> None:
    """Say how to get the sandbox where it is not installed.

    Raises:
        SandboxError: the extra is missing.
    """
    try:
        import starlette  # noqa: F401, PLC0415 - an extra
        import uvicorn  # noqa: F401, PLC0415
    except ModuleNotFoundError as error:
        raise SandboxError(
            f"the sandbox needs {error.name}: install it with `pip install 'vfdir_lab[sandbox]'`"
        ) from error


def _introduce(running: Sandbox) -> None:
    say(f"are.na, on this machine: {running.url}")
    say("")
    say("Use it from another terminal:")
    say(f"  export ARENA_API_URL={running.url}")
    say(f"  export ARENA_TOKEN={running.tokens.write}")
    say("  vfdir-lab pull --mine")
    say("")
    say("Tokens")
    say(f"  write  {running.tokens.write}")
    say(f"  read   {running.tokens.read}")
    say(f"  other  {running.tokens.other}   (another person, may write)")
    say("")
    say("Ctrl-C ends it.")
