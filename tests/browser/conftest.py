"""One JupyterLab and one browser for the module; a sandbox, a notebook and an archive for each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from browsing import LAB, Lab, Opened, browser_program, launch, open_notebook, running_lab

from vfdir_lab.sandbox import Sandbox

if TYPE_CHECKING:
    from playwright.sync_api import Browser

FAST = dict.fromkeys(("guest", "free", "premium", "supporter"), 1_000_000)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "xdist_group(name): on one worker, where tests run on several")


@pytest.fixture(scope="module")
def program() -> str:
    return browser_program()


@pytest.fixture(scope="module")
def lab(program: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with running_lab(tmp_path_factory.mktemp("lab")) as lab:
        yield lab


@pytest.fixture(scope="module")
def browser(program: str) -> Iterator[Browser]:
    yield from launch(program)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(rate_limits=FAST) as running:
        yield running


@pytest.fixture
def folder(lab: Lab, request: pytest.FixtureRequest) -> Path:
    """Where the test's notebook and its archive are."""
    return lab.folder / request.node.name.replace("[", "-").replace("]", "")


@pytest.fixture
def notebook(lab: Lab, browser: Browser, sandbox: Sandbox, folder: Path) -> Iterator[Callable[..., Opened]]:
    """Opens a notebook whose first cell has opened `archive`; the given cells are numbered from 1."""
    context = browser.new_context(viewport={"width": 1280, "height": 1400})
    opened: list[Opened] = []
    first = (
        "import vfdir_lab as vf\n"
        f'archive = vf.Archive("archive", create=True, api_url="{sandbox.url}", '
        f'token="{sandbox.tokens.write}", pause_seconds=0)'
    )

    def make(*cells: str, path: str = LAB) -> Opened:
        lab.write(folder.name, [first, *cells])
        opened.append(open_notebook(context, lab, folder.name, path=path))
        opened[-1].run(0)
        return opened[-1]

    yield make
    context.close()
    lab.forget_kernels()
    assert [one.strayed for one in opened] == [[] for _ in opened]
