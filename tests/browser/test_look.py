"""What a person looks at, in a real JupyterLab: gallery, time machine, graph, lens board; and Notebook 7."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from browsing import NOTEBOOK_7, Opened

from vfdir_lab.sandbox import Sandbox

if TYPE_CHECKING:
    from playwright.sync_api import Locator

pytestmark = pytest.mark.xdist_group("browser")  # one browser for all of them

HOSTILE = (
    "<img src=x onerror=\"window.struck='it ran';alert(1)\"></span></div><script>alert(2)</script>"
    "$\\href{javascript:alert(3)}{x}$"
)
SHARING = "'everything-i-keep-returning-to', 'maps-that-admit-it', 'lights-and-how-they-speak'"
DISPUTED = 40000006

Open = Callable[..., Opened]


def expect(locator: Locator) -> object:
    """What Playwright expects, imported where it is known to be there."""
    from playwright.sync_api import expect as expected

    return expected(locator)


def pictures(otherwise: Path) -> Path:
    """Where pictures go, for a person to look at."""
    return Path(os.environ.get("VFDIR_PICTURES", otherwise))


def test_a_gallery_is_filtered_searched_and_opened_and_hostile_titles_stay_text(
    notebook: Open, sandbox: Sandbox
) -> None:
    sandbox.control.edit_block(DISPUTED, title=HOSTILE)
    opened = notebook("archive.pull('tides', 'handle-with-care-b')", "archive.gallery('tides')")
    opened.run(1)
    opened.run(2)
    cards = opened.panel.locator(".vfdir-card").filter(visible=True)
    everything = cards.count()
    images = opened.panel.get_by_label("Show").locator("option", has_text="Image").inner_text()
    opened.panel.get_by_label("Show").select_option(label=images)
    expect(cards).to_have_count(int(re.sub(r"\D", "", images)))
    opened.panel.get_by_label("Show").select_option(label="everything")
    expect(cards).to_have_count(everything)
    search = opened.panel.get_by_label("Search")
    search.fill("onerror")
    search.press("Enter")
    expect(cards).to_have_count(1)
    opened.button(HOSTILE[:20]).click()
    expect(opened.panel.get_by_role("heading", name="<img src=x")).to_be_visible()
    expect(opened.panel.get_by_text("in 1 channel")).to_be_visible()
    opened.button("All channels").click()
    opened.button("Handle with care").click()
    opened.button("Look inside").click()
    expect(opened.panel.get_by_role("heading", name="Handle with care")).to_be_visible()
    made_of_it = opened.panel.locator("img, script, iframe, [onerror], [href^='javascript:'], math")
    expect(made_of_it).to_have_count(0)
    assert opened.page.evaluate("window.struck") is None
    assert opened.dialogs == []


def test_dragging_the_slider_shows_the_channel_as_it_was(notebook: Open, sandbox: Sandbox) -> None:
    opened = notebook("archive.pull('tides')", "archive.pull('tides')", "archive.time_machine('tides')")
    opened.run(1)
    sandbox.control.add_block("tides", "A text of later")
    opened.run(2)
    opened.run(3)
    status = opened.panel.get_by_text("no difference")
    expect(status).to_be_visible()
    expect(opened.panel.get_by_text("A text of later")).to_be_visible()
    handle = opened.panel.get_by_role("slider")
    box = handle.bounding_box()
    assert box is not None
    across = box["y"] + box["height"] / 2
    opened.page.mouse.move(box["x"] + box["width"] - 8, across)
    opened.page.mouse.down()
    opened.page.mouse.move(box["x"] + 8, across, steps=5)
    opened.page.mouse.up()
    expect(opened.panel.get_by_text(re.compile("1 added since"))).to_be_visible()
    expect(opened.panel.get_by_text("A text of later")).to_have_count(0)


def test_what_one_looks_at_is_accessible_in_light_and_dark(notebook: Open, tmp_path: Path) -> None:
    from axe_playwright_python.sync_playwright import Axe

    looks = {
        "gallery": "archive.gallery('tides')",
        "time-machine": "archive.time_machine('tides')",
        "graph": "archive.graph('tides')",
        "lens-board": "archive.lens_board()",
    }
    opened = notebook(f"archive.pull('tides', {SHARING})\narchive.save_media('tides')", *looks.values())
    for cell in range(1, len(looks) + 2):
        opened.run(cell)
    expect(opened.panel.locator("img").first).to_be_visible()
    for theme in ("Light", "Dark"):
        opened.command("apputils:change-theme", theme=f"JupyterLab {theme}")
        for cell, name in enumerate(looks, start=2):
            opened.output(cell).scroll_into_view_if_needed()
            opened.output(cell).screenshot(path=pictures(tmp_path) / f"{name}-{theme.lower()}.png")
        found = Axe().run(opened.page, context=".vfdir-panel").response["violations"]
        assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []


def test_the_panel_works_in_notebook_7(notebook: Open, tmp_path: Path) -> None:
    opened = notebook("archive.pull('tides')", "archive.sync_panel()", path=NOTEBOOK_7)
    opened.run(1)
    opened.run(2)
    opened.button("Pull").click()
    expect(opened.said).to_contain_text("nothing new")
    opened.output(2).screenshot(path=pictures(tmp_path) / "panel-notebook-7.png")
