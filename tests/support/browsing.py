"""A notebook in a real JupyterLab, driven in a real browser, from which nothing leaves this machine.

Owns: starting JupyterLab with settings of its own, and a page on one notebook: its cells, its panel, what it
asked of other hosts, what dialogs it opened, what went wrong in it.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
import nbformat
import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Locator, Page, Route

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
HOST = "127.0.0.1"
LAB = "/lab/workspaces/{name}/tree/{name}/n.ipynb"
NOTEBOOK_7 = "/notebooks/{name}/n.ipynb"
SETTINGS = {
    "@jupyterlab/apputils-extension/notification": '{"fetchNews": "false"}',
    "@jupyter-widgets/jupyterlab-manager/plugin": '{"saveState": true}',
}
PATIENCE_SECONDS = 60.0
PATIENCE_MS = 1000 * PATIENCE_SECONDS

_CONNECTED = """() => {
    const kernel = window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel;
    return kernel?.connectionStatus === 'connected' && kernel.status === 'idle';
}"""
_RUN = """(index) => {
    const notebook = window.jupyterapp.shell.currentWidget.content;
    notebook.deselectAll();
    notebook.activeCellIndex = index;
    void window.jupyterapp.commands.execute('notebook:run-cell');
}"""
_COMMAND = "([name, options]) => window.jupyterapp.commands.execute(name, options).then(() => null)"


def browser_program() -> str:
    """The path of a Chromium. Without one (or without Playwright) a person's test is left out, CI's fails."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    try:
        import playwright.sync_api  # noqa: F401 - is it there?
    except ModuleNotFoundError:
        _missing("Playwright is not installed")
    if found is None:
        _missing(f"no browser: none of {', '.join(BROWSERS)} is installed")
    return str(found)


def _missing(what: str) -> None:
    (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(what)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lab:
    """A running JupyterLab: its address, and the folder it shows."""

    url: str
    folder: Path

    def write(self, name: str, cells: Sequence[str]) -> None:
        """Make a notebook of these code cells."""
        made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(one) for one in cells])
        for number, cell in enumerate(made.cells):
            cell.id = f"cell-{number}"
        made.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
        (self.folder / name).mkdir(parents=True)
        nbformat.write(made, self.folder / name / "n.ipynb")

    def forget_kernels(self) -> None:
        """End every kernel."""
        for session in httpx.get(f"{self.url}/api/sessions").json():
            httpx.delete(f"{self.url}/api/sessions/{session['id']}").raise_for_status()


@contextmanager
def running_lab(folder: Path) -> Iterator[Lab]:
    """JupyterLab on a free port, with none of the person's settings."""
    notebooks, own = folder / "notebooks", folder / "jupyter"
    notebooks.mkdir(parents=True)
    places = {
        name: str(own / name.lower())
        for name in (
            "JUPYTER_CONFIG_DIR",
            "JUPYTER_DATA_DIR",
            "JUPYTER_RUNTIME_DIR",
            "JUPYTERLAB_SETTINGS_DIR",
            "JUPYTERLAB_WORKSPACES_DIR",
            "IPYTHONDIR",
            "VFDIR_STATE_HOME",
        )
    }
    for name, text in SETTINGS.items():
        path = own / "jupyterlab_settings_dir" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True)
        path.write_text(text, "utf-8")
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    options = [
        "--no-browser",
        "--allow-root",
        f"--ip={HOST}",
        f"--port={port}",
        "--ServerApp.port_retries=0",
        f"--ServerApp.root_dir={notebooks}",
        "--IdentityProvider.token=",
        "--ServerApp.disable_check_xsrf=True",
        "--LabApp.expose_app_in_browser=True",
        "--JupyterNotebookApp.expose_app_in_browser=True",
        "--LabApp.news_url=",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]
    said = folder / "jupyter.log"
    with said.open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *options],
            env=os.environ | places,
            cwd=notebooks,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    lab = Lab(url=f"http://{HOST}:{port}", folder=notebooks)
    try:
        _wait_for(lab, server, said)
        yield lab
        lab.forget_kernels()
    finally:
        server.terminate()
        server.wait(PATIENCE_SECONDS)


def _wait_for(lab: Lab, server: subprocess.Popen[bytes], said: Path) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until and server.poll() is None:
        try:
            if httpx.get(f"{lab.url}/api/status").is_success:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    pytest.fail(f"JupyterLab did not start: {said.read_text('utf-8')[-2000:]}")


@dataclass(slots=True, kw_only=True)
class Opened:
    """A notebook opened in the browser."""

    page: Page
    strayed: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)

    @property
    def panel(self) -> Locator:
        """The sync panel; there is one."""
        return self.page.locator(".vfdir-panel")

    @property
    def said(self) -> Locator:
        """What the panel says has happened."""
        return self.panel.get_by_role("log")

    @property
    def status(self) -> Locator:
        """What the panel says is happening."""
        return self.panel.get_by_role("status")

    def button(self, name: str) -> Locator:
        """A button of the panel, by the beginning of its word or of what it is about."""
        return self.panel.get_by_role("button", name=re.compile(f"^{re.escape(name)}")).first

    def start(self, cell: int) -> None:
        """Run a cell, without waiting for it."""
        self.page.evaluate(_RUN, cell)

    def run(self, cell: int) -> None:
        """Run a cell to its end."""
        self.start(cell)
        self.wait_for(cell)

    def prompt(self, cell: int) -> Locator:
        """What stands before a cell: `[3]:` when it ran, `[*]:` while it runs."""
        return self.page.locator(".jp-Notebook .jp-CodeCell").nth(cell).locator(".jp-InputPrompt")

    def wait_for(self, cell: int) -> None:
        """Wait until a cell that was started has run."""
        from playwright.sync_api import expect

        expect(self.prompt(cell)).to_have_text(re.compile(r"\[\d+\]:"), timeout=PATIENCE_MS)

    def output(self, cell: int) -> Locator:
        """What a cell shows."""
        return self.page.locator(".jp-Notebook .jp-CodeCell").nth(cell).locator(".jp-Cell-outputWrapper")

    def command(self, name: str, **options: object) -> None:
        """Do what a menu of JupyterLab does."""
        self.page.evaluate(_COMMAND, [name, options])

    def wait_for_kernel(self) -> None:
        """Wait until what is run is not lost."""
        self.page.wait_for_function(_CONNECTED, timeout=PATIENCE_MS)


def open_notebook(context: BrowserContext, lab: Lab, name: str, *, path: str = LAB) -> Opened:
    """A page on a notebook, whose kernel is ready; `path` chooses JupyterLab or Notebook 7."""
    opened = Opened(page=context.new_page())

    def only_here(route: Route) -> None:
        if urlsplit(route.request.url).hostname == HOST:
            route.continue_()
        else:
            opened.strayed.append(route.request.url)
            route.abort()

    def listened(address: str) -> None:
        if urlsplit(address).hostname != HOST:
            opened.strayed.append(address)

    context.route(re.compile("^https?:"), only_here)
    opened.page.on("websocket", lambda socket: listened(socket.url))
    opened.page.on("dialog", lambda dialog: (opened.dialogs.append(dialog.message), dialog.dismiss()))
    opened.page.set_default_timeout(PATIENCE_MS)
    opened.page.goto(f"{lab.url}{path.format(name=name)}")
    opened.wait_for_kernel()
    return opened


def launch(program: str) -> Iterator[Browser]:
    """A browser that knows no name but this machine's."""
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=program,
            args=[
                "--no-sandbox",
                "--disable-background-networking",
                f"--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE {HOST}",
            ],
        )
        yield browser
        browser.close()
