"""The sync panel in a real JupyterLab, clicked in a real browser; nothing leaves this machine."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from browsing import Lab, Opened

from vfdir_lab.archive import Archive
from vfdir_lab.sandbox import Sandbox

if TYPE_CHECKING:
    from playwright.sync_api import Locator

pytestmark = pytest.mark.xdist_group("browser")  # one JupyterLab for all of them

PANEL = "archive.sync_panel()"
PULL = "archive.pull('tides', full=True)"
COMPUTE = """
from pathlib import Path
count = 0
while not Path("enough").exists():
    count += 1
"""
EDIT = """
with archive.transaction("Call it tide tables") as tx:
    tx.edit("block:40000006", title="Tide tables")
"""
DISPUTED = 40000006
HOSTILE = (
    "<img src=x onerror=\"window.struck='it ran';alert(1)\"></span></div><script>alert(2)</script>"
    "$\\href{javascript:alert(3)}{x}$"
)
WISH_HOSTILE = f"""
hostile = {HOSTILE!r}
with archive.transaction(hostile) as tx:
    tx.edit("block:{DISPUTED}", title="mine " + hostile)
"""
LONG = 230
SLOWLY = {"match": r"GET /v3/channels/\d+/contents", "times": None, "seconds": 2.0}

Open = Callable[..., Opened]


def expect(locator: Locator) -> object:
    """What Playwright expects, imported where it is known to be there."""
    from playwright.sync_api import expect as expected

    return expected(locator)


def a_long_channel(sandbox: Sandbox) -> str:
    """A channel of three pages; its slug."""
    made = sandbox.control.add_channel("Long tides")
    for number in range(LONG):
        sandbox.control.add_block(str(made["slug"]), f"tide {number}")
    return str(made["slug"])


def add_channel(opened: Opened, name: str) -> None:
    opened.panel.get_by_role("textbox").fill(name)
    opened.button("Add").click()


def pictures(otherwise: Path) -> Path:
    """Where pictures of the panel go, for a person to look at."""
    return Path(os.environ.get("VFDIR_PICTURES", otherwise))


def forget_widgets(path: Path) -> None:
    """Make it a notebook that was saved without the state of its widgets."""
    notebook = json.loads(path.read_text("utf-8"))
    notebook["metadata"].pop("widgets", None)
    path.write_text(json.dumps(notebook), "utf-8")


def title_of(folder: Path, block: int) -> str:
    (found,) = (
        Archive(folder / "archive")
        .sql(f"SELECT title FROM blocks WHERE object_id = 'block:{block}'")
        .fetchall()
    )
    return str(found[0])


def test_a_pull_shows_its_progress_while_another_cell_computes(
    notebook: Open, sandbox: Sandbox, folder: Path
) -> None:
    slug = a_long_channel(sandbox)
    opened = notebook(PANEL, COMPUTE)
    opened.run(1)
    sandbox.control.arm("slow", **SLOWLY)
    add_channel(opened, slug)
    expect(opened.status).to_contain_text(f"pull {slug}")
    opened.start(2)
    expect(opened.prompt(2)).to_have_text("[*]:")
    expect(opened.status).to_have_text(re.compile(rf"Long tides \d+ of {LONG}"))
    expect(opened.prompt(2)).to_have_text("[*]:")
    (folder / "enough").touch()
    sandbox.control.disarm()
    opened.wait_for(2)
    expect(opened.said).to_contain_text(f"Long tides: {LONG} new")


def test_what_a_cell_wishes_is_pushed_and_settles(notebook: Open, sandbox: Sandbox) -> None:
    opened = notebook(PULL, PANEL, EDIT)
    for cell in (1, 2, 3):
        opened.run(cell)
    opened.button("Push 1").click()  # it knows what the cell wished
    expect(opened.said).to_contain_text("Call it tide tables: settled")
    expect(opened.button("Sync")).to_be_enabled()
    expect(opened.panel.get_by_text("Outbox")).to_have_count(0)
    assert sandbox.world.blocks[DISPUTED].title == "Tide tables"


def test_a_conflict_is_answered_with_theirs(notebook: Open, sandbox: Sandbox, folder: Path) -> None:
    opened = notebook(PULL, EDIT, PULL, PANEL)
    opened.run(1)
    opened.run(2)
    sandbox.control.edit_block(DISPUTED, title="Rule of twelfths")
    opened.run(3)
    opened.run(4)
    expect(opened.panel).to_contain_text(f"Conflict: title of block:{DISPUTED}")
    expect(opened.panel).to_contain_text("Rule of twelfths")
    opened.button("Take theirs").click()
    expect(opened.said).to_contain_text("are.na's title is taken")
    expect(opened.panel.get_by_text("Conflict:")).to_have_count(0)
    assert title_of(folder, DISPUTED) == "Rule of twelfths"


def test_remote_text_stays_text(notebook: Open, sandbox: Sandbox) -> None:
    """Titles, labels and both sides of a conflict hold markup, and none of it becomes an element."""
    opened = notebook("archive.pull('tides')", WISH_HOSTILE, PULL, PANEL)
    opened.run(1)
    opened.run(2)
    sandbox.control.edit_block(DISPUTED, title=f"theirs {HOSTILE}")
    sandbox.control.edit_channel("tides", title=HOSTILE)
    opened.run(3)
    opened.run(4)
    for shown in (f"mine {HOSTILE}", f"theirs {HOSTILE}"):
        expect(opened.panel.get_by_text(shown)).to_be_visible()
    expect(opened.panel.get_by_text(f"☑ {HOSTILE}", exact=True)).to_be_visible()
    made_of_it = opened.page.locator(".jp-Notebook").locator(
        "img, script, iframe, [onerror], [href^='javascript:']"
    )
    expect(made_of_it).to_have_count(0)
    expect(opened.panel.locator("math")).to_have_count(0)  # nor is it taken for TeX
    assert opened.page.evaluate("window.struck") is None
    assert opened.dialogs == []


def test_a_cancelled_pull_leaves_a_log_that_verifies_and_goes_on_later(
    notebook: Open, sandbox: Sandbox, folder: Path
) -> None:
    slug = a_long_channel(sandbox)
    opened = notebook(PANEL)
    opened.run(1)
    sandbox.control.arm("slow", **SLOWLY)
    add_channel(opened, slug)
    expect(opened.status).to_contain_text(f"of {LONG}")
    opened.button("Cancel").click()
    expect(opened.said).to_contain_text(f"pull {slug} ended")
    expect(opened.button("Pull")).to_be_enabled()
    archive = Archive(folder / "archive")
    assert archive.verify().ok
    assert archive.sql("SELECT count(*) FROM scans WHERE complete").fetchall() == [(0,)]
    sandbox.control.disarm()
    add_channel(opened, slug)
    expect(opened.said).to_contain_text("Long tides:")
    assert archive.sql("SELECT count(*) FROM blocks").fetchall() == [(LONG,)]


def test_a_reload_of_the_page_brings_the_panel_back(notebook: Open) -> None:
    opened = notebook(PULL, PANEL)
    opened.run(1)
    opened.run(2)
    opened.command("docmanager:save")
    opened.page.reload()
    opened.wait_for_kernel()
    expect(opened.panel).to_be_visible()
    opened.button("Pull").click()
    expect(opened.said).to_contain_text("nothing new")


@pytest.mark.parametrize("keeps_widgets", [True, False])
def test_without_its_kernel_a_panel_says_to_run_the_cell(
    notebook: Open, lab: Lab, folder: Path, tmp_path: Path, keeps_widgets: bool
) -> None:
    """JupyterLab may keep how widgets looked in the notebook or not, as a person has set it."""
    opened = notebook(PULL, PANEL)
    opened.run(1)
    opened.run(2)
    said_so = opened.output(2).get_by_text("run the cell again").filter(visible=True)
    expect(said_so).to_have_count(0)
    opened.command("docmanager:save")
    lab.forget_kernels()
    if not keeps_widgets:
        forget_widgets(folder / "n.ipynb")
    opened.page.reload()
    opened.wait_for_kernel()
    expect(said_so.first).to_be_visible()
    expect(opened.output(2)).to_contain_text("Tides")
    wrong = opened.output(2).get_by_text(re.compile("Error|Loading"))
    expect(wrong.filter(visible=True)).to_have_count(0)
    opened.output(2).screenshot(path=pictures(tmp_path) / f"panel-stale-{keeps_widgets}.png")


def test_the_panel_is_accessible_in_light_and_dark(notebook: Open, sandbox: Sandbox, tmp_path: Path) -> None:
    from axe_playwright_python.sync_playwright import Axe

    opened = notebook(PULL, EDIT, PULL, PANEL)
    opened.run(1)
    opened.run(2)
    sandbox.control.edit_block(DISPUTED, title="Rule of twelfths")
    opened.run(3)
    opened.run(4)
    opened.button("Pull").click()
    expect(opened.said).to_contain_text("nothing new")
    expect(opened.button("Pull")).to_be_enabled()
    for theme in ("Light", "Dark"):
        opened.command("apputils:change-theme", theme=f"JupyterLab {theme}")
        opened.output(4).screenshot(path=pictures(tmp_path) / f"panel-{theme.lower()}.png")
        found = Axe().run(opened.page, context=".vfdir-panel").response["violations"]
        serious = [
            (one["id"], [node["html"] for node in one["nodes"]])
            for one in found
            if one["impact"] in {"serious", "critical"}
        ]
        assert serious == []
