"""Runs the command line: in this process where that is the same to a person, else in one of its own."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
import typer.main
from ran import Ran

from vfdir_lab.archive import Archive
from vfdir_lab.arena import SYSTEM_TIME
from vfdir_lab.cli import main
from vfdir_lab.sandbox import Sandbox

HASTY = replace(SYSTEM_TIME, sleep=lambda seconds: SYSTEM_TIME.sleep(min(seconds, 0.01)))
COMMANDS = cache(typer.main.get_command)  # the same each time; to make them takes longer than most commands
FAST = dict.fromkeys(("guest", "free", "premium", "supporter"), 1_000_000)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(rate_limits=FAST) as running:
        yield running


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "archive"


@pytest.fixture
def settings(sandbox: Sandbox, home: Path) -> dict[str, str]:
    """The environment of a person who plays with the sandbox."""
    return {
        "ARENA_API_URL": sandbox.url,
        "ARENA_TOKEN": sandbox.tokens.read,
        "VFDIR_HOME": str(home),
        "COLUMNS": "200",
    }


@pytest.fixture
def run(
    settings: dict[str, str], monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> Callable[..., Ran]:
    """`run("pull", "tides")` in this process, with settings such as ARENA_TOKEN as keywords.

    It waits as briefly as the tests of `sync` do; how long a person waits is proven in `tests/arena`.
    """

    def runner(*arguments: str, **others: str) -> Ran:
        capfdbinary.readouterr()
        with monkeypatch.context() as patch:
            patch.setattr(sys, "argv", ["vfdir-lab", *arguments])
            patch.setattr(typer.main, "get_command", COMMANDS)
            patch.setitem(Archive.__init__.__kwdefaults__, "time", HASTY)
            for name, value in (settings | others).items():
                patch.setenv(name, value)
            with pytest.raises(SystemExit) as ended:
                main()
        out, err = capfdbinary.readouterr()
        code = ended.value.code
        assert isinstance(code, int)
        return Ran(
            code=code, out=out.decode("latin-1") if b"PAR1" in out[:4] else out.decode(), err=err.decode()
        )

    return runner


@pytest.fixture
def run_process(settings: dict[str, str]) -> Callable[..., Ran]:
    """The same in a process of its own, which may be fed and limited."""

    def runner(
        *arguments: str, stdin: str = "", preexec: Callable[[], None] | None = None, **others: str
    ) -> Ran:
        done = subprocess.run(
            [sys.executable, "-m", "vfdir_lab.cli", *arguments],
            env=os.environ | settings | others,
            input=stdin.encode(),
            capture_output=True,
            timeout=120,
            check=False,
            preexec_fn=preexec,
        )
        return Ran(code=done.returncode, out=done.stdout.decode(), err=done.stderr.decode())

    return runner
