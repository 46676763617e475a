"""A snapshot's site in a real browser: accessible in light and dark, as every page of it must be."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from browsing import browser_program, launch

from vfdir_lab.archive import Archive
from vfdir_lab.sandbox import Sandbox

if TYPE_CHECKING:
    from playwright.sync_api import Browser

FAST = dict.fromkeys(("guest", "free", "premium", "supporter"), 1_000_000)
CHANNELS = ("tides", "handle-with-care-b")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    yield from launch(browser_program())


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Channels with every type of block and hostile text, as pages."""
    folder = tmp_path_factory.mktemp("site")
    with Sandbox(rate_limits=FAST) as sandbox:
        archive = Archive(
            folder / "archive", create=True, api_url=sandbox.url, token=sandbox.tokens.read, pause_seconds=0
        )
        archive.pull(*CHANNELS)
        archive.close()
    archive.export(None, folder / "site", format="html")
    return folder / "site"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_kind_of_page_is_accessible(browser: Browser, site: Path, scheme: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    channels = sorted(site.glob("channels/*/index.html"))
    blocks = sorted(site.glob("blocks/*.html"))
    assert len(channels) == len(CHANNELS)
    pages = [site / "index.html", *channels, *blocks[:: max(1, len(blocks) // 8)]]
    page = browser.new_page(color_scheme=scheme)
    for one in pages:
        page.goto(one.as_uri())
        found = Axe().run(page).response["violations"]
        assert [(rule["id"], [node["html"] for node in rule["nodes"]]) for rule in found] == [], one.name
    page.close()
