"""Runs the command line as a person does: a process of its own."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ran import Ran

from vfdir_lab.sandbox import Sandbox

FAST = dict.fromkeys(("guest", "free", "premium", "supporter"), 1_000_000)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(rate_limits=FAST) as running:
        yield running


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "archive"


@pytest.fixture
def run(sandbox: Sandbox, home: Path) -> Callable[..., Ran]:
    """`run("pull", "tides")`, with settings such as ARENA_TOKEN as keywords."""

    def runner(
        *arguments: str,
        stdin: str = "",
        preexec: Callable[[], None] | None = None,
        binary: bool = False,
        **settings: str,
    ) -> Ran:
        environment = os.environ | {
            "ARENA_API_URL": sandbox.url,
            "ARENA_TOKEN": sandbox.tokens.read,
            "VFDIR_HOME": str(home),
            "COLUMNS": "200",
            **settings,
        }
        done = subprocess.run(
            [sys.executable, "-m", "vfdir_lab.cli", *arguments],
            env=environment,
            input=stdin.encode(),
            capture_output=True,
            timeout=120,
            check=False,
            preexec_fn=preexec,
        )
        return Ran(
            code=done.returncode,
            out=done.stdout.decode("latin-1" if binary else "utf-8"),
            err=done.stderr.decode(),
        )

    return runner
