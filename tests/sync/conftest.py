"""A local are.na and an archive that pulls from it without pauses."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from vfdir_lab.archive import Archive
from vfdir_lab.arena import SYSTEM_TIME, Time
from vfdir_lab.sandbox import Sandbox

HASTY = replace(SYSTEM_TIME, sleep=lambda seconds: SYSTEM_TIME.sleep(min(seconds, 0.01)))
FAST = dict.fromkeys(("guest", "free", "premium", "supporter"), 1_000_000)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """The world of `data/`, without rate limits."""
    with Sandbox(rate_limits=FAST) as running:
        yield running


@pytest.fixture
def open_archive(sandbox: Sandbox, tmp_path: Path) -> Iterator[Callable[..., Archive]]:
    """Opens archives that pull from the sandbox as its main person, or with the token given."""
    opened = []

    def opener(name: str = "archive", token: str | None = None, time: Time = HASTY) -> Archive:
        token = sandbox.tokens.read if token is None else token
        archive = Archive(
            tmp_path / name, create=True, api_url=sandbox.url, token=token, pause_seconds=0, time=time
        )
        opened.append(archive)
        return archive

    yield opener
    for archive in opened:
        archive.close()


@pytest.fixture
def archive(open_archive: Callable[..., Archive]) -> Archive:
    """One archive."""
    return open_archive()
