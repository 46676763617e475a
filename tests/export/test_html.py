"""The site: valid, accessible, quiet on the network, and nothing of what people wrote is live in it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from vfdir_lab.export import SnapshotOptions, export_channel, layout

VOID = {"meta", "link", "img", "br", "hr"}
TAGS = VOID | {
    *(
        "html",
        "head",
        "title",
        "body",
        "header",
        "main",
        "nav",
        "article",
        "section",
        "figure",
        "div",
        "span",
    ),
    *("p", "a", "b", "em", "strong", "code", "pre", "blockquote", "ul", "ol", "li", "dl", "dt", "dd"),
    *("h1", "h2", "h3", "h4", "h5", "h6"),
}
ATTRIBUTES = {
    *("lang", "charset", "name", "content", "http-equiv", "rel", "href", "class", "dir", "id", "start"),
    *("aria-label", "aria-current", "src", "alt", "loading"),
}
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c63f8cfc0f01f00050001ffa1cc9c4c0000000049454e44ae426082"
)


class Page(HTMLParser):
    """Reads a page and refuses whatever is not as strict as it should be."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.words: list[tuple[str, str]] = []
        assert text.startswith("<!doctype html>\n")
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in TAGS
        assert {name for name, _ in attrs} <= ATTRIBUTES
        assert len({name for name, _ in attrs}) == len(attrs)
        if self.open and self.open[-1] == "p":
            assert tag in {"a", "b", "em", "strong", "code", "br", "span", "img"}
        if tag == "a":
            assert "a" not in self.open
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.words.append((self.open[-1], data))

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.tags if name == tag]


def pages(folder: Path) -> dict[str, Page]:
    """Every page below a folder, each read strictly."""
    found = sorted(folder.rglob("*.html"))
    return {path.relative_to(folder).as_posix(): Page(path.read_text("utf-8")) for path in found}


def assert_links_hold(folder: Path, name: str, page: Page) -> None:
    for attributes in page.all("a") + page.all("img") + page.all("link"):
        target = attributes.get("href") or attributes["src"]
        if not re.match(r"(https?://|mailto:|#)", target):
            assert not urlsplit(target).scheme
            place = (folder / name).parent / unquote(target)
            assert place.resolve().is_relative_to(folder.resolve())
            assert place.is_file(), target


def assert_accessible(page: Page) -> None:
    assert page.all("html") == [{"lang": "en"}]
    assert len(page.all("h1")) == len(page.all("main")) == len(page.all("title")) == 1
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert all(image["alt"] for image in page.all("img"))
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    navs = [nav["aria-label"] for nav in page.all("nav")]
    assert len(navs) == len(set(navs))


@pytest.mark.parametrize("channel", ["tides", "hostile"])
def test_every_page_is_valid_accessible_and_leads_where_it_says(
    request: pytest.FixtureRequest, tmp_path: Path, channel: str
) -> None:
    desk = request.getfixturevalue(channel)
    desk.archive.export(channel, tmp_path / "out", format="html")
    found = pages(tmp_path / "out")
    for name, page in found.items():
        assert_accessible(page)
        assert_links_hold(tmp_path / "out", name, page)
        assert page.all("img") == []
        assert all(
            one["rel"] == "noopener noreferrer" for one in page.all("a") if one["href"].startswith("http")
        )
        assert not any(
            one["href"].lower().startswith(("javascript:", "data:", "file:")) for one in page.all("a")
        )


def test_every_block_has_one_page_and_a_square_in_order(tides: Any, tmp_path: Path) -> None:
    made = tides.archive.export("tides", tmp_path / "out", format="html")
    found = pages(tmp_path / "out")
    assert set(found) == {"index.html", "blocks/block-11-11.html", "blocks/image-2.html"}
    assert made.manifest["counts"] == {"channels": 1, "items": 7, "blocks": 2}
    index = found["index.html"]
    cards = [one["href"] for one in index.all("a") if one.get("class") == "card"]
    assert cards == [
        *("blocks/block-11-11.html", "blocks/image-2.html", "https://www.are.na/nura/moons"),
        "blocks/block-11-11.html",
    ]
    numbers = [words for tag, words in index.words if re.fullmatch(r"\d+\.", words)]
    assert numbers == [f"{number}." for number in range(1, 8)]
    said = [words for _, words in index.words]
    for words in ("private channel", "a block not seen yet", "a channel not seen yet", "Tides & “swell”"):
        assert words in said


def test_pictures_and_files_come_along_where_they_are_kept(
    tides: Any, tmp_path: Path, kept: Callable[..., Any]
) -> None:
    tides.say(
        tides.block(
            12, type="Attachment", attachment={"url": "https://f.example/x.html", "filename": "x.html"}
        ),
        tides.held(110, 1, "block:12", rank="a8"),
    )
    lens = kept(
        picture=("https://i.example/m.png", PIXEL, "image/png"),
        page=("https://f.example/x.html", b"<script>alert(1)</script>", "text/html"),
    )
    archive = tides.archive
    options = SnapshotOptions(
        format="html", head=archive.head, lens=lens, store=tides.root / "media" / "sha256"
    )
    made = export_channel(archive.engine, "tides", tmp_path / "out", options)
    assert made.manifest["counts"]["copies"] == 2
    assert (tmp_path / "out" / "images" / "image-2.png").read_bytes() == PIXEL
    assert (tmp_path / "out" / "files" / "block-12-12.bin").is_file()
    found = pages(tmp_path / "out")
    assert [image["src"] for image in found["index.html"].all("img")] == ["images/image-2.png"]
    assert [image["src"] for image in found["blocks/image-2.html"].all("img")] == ["../images/image-2.png"]
    for name, page in found.items():
        assert_accessible(page)
        assert_links_hold(tmp_path / "out", name, page)


@pytest.mark.parametrize("damage", ["gone", "changed"])
def test_a_copy_that_is_not_whole_stays_and_the_address_stands_for_it(
    tides: Any, tmp_path: Path, kept: Callable[..., Any], damage: str
) -> None:
    lens = kept(picture=("https://i.example/m.png", PIXEL, "image/png"))
    (copy,) = (path for path in (tides.root / "media").rglob("*") if path.is_file())
    copy.unlink() if damage == "gone" else copy.write_bytes(PIXEL[:-1] + b"x")
    archive = tides.archive
    store = tides.root / "media" / "sha256"
    options = SnapshotOptions(format="html", head=archive.head, lens=lens, store=store)
    made = export_channel(archive.engine, "tides", tmp_path / "out", options)
    assert (made.manifest["counts"]["copies"], made.manifest["counts"]["copies lost"]) == (0, 1)
    assert all(page.all("img") == [] for page in pages(tmp_path / "out").values())
    assert "https://i.example/m.png" in (tmp_path / "out" / "blocks" / "image-2.html").read_text()


def test_long_channels_have_several_pages(
    tides: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from vfdir_lab.export import site

    for module in (layout, site):
        monkeypatch.setattr(module, "PAGE_ITEMS", 3)
    tides.archive.export("tides", tmp_path / "out", format="html")
    found = pages(tmp_path / "out")
    names = ["index.html", "index-2.html", "index-3.html"]
    assert [name for name in found if name.startswith("index")] == sorted(names)
    numbers = [words for name in names for _, words in found[name].words if re.fullmatch(r"\d+\.", words)]
    assert numbers == [f"{number}." for number in range(1, 8)]
    for name, page in found.items():
        assert_links_hold(tmp_path / "out", name, page)


def luminance(colour: str) -> float:
    parts = [int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_words_stand_out_from_the_paper_in_light_and_dark(tides: Any, tmp_path: Path) -> None:
    """Every colour of text against both backgrounds: at least 4.5 to 1 (WCAG 2.2, 1.4.3)."""
    tides.archive.export("tides", tmp_path / "out", format="html")
    css = (tmp_path / "out" / "style.css").read_text("utf-8")
    schemes = [dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", block)) for block in css.split(":root {")[1:3]]
    assert len(schemes) == 2
    for colours in schemes:
        for text in ("ink", "quiet", "open", "closed", "private"):
            for paper in ("paper", "raised"):
                light, dark = sorted((luminance(colours[text]), luminance(colours[paper])), reverse=True)
                assert (light + 0.05) / (dark + 0.05) >= 4.5, (text, paper)
    assert "url(" not in css
    assert "@import" not in css
    assert "http" not in css.replace('[href^="http"]', "")


CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
MEASURE = """<!doctype html><meta charset="utf-8">
<iframe id="it" src="{page}" style="width:{width}px;height:900px"></iframe>
<script>it.onload = () => {{
  const page = it.contentDocument, root = page.documentElement
  const loaded = [...page.images].filter(image => image.complete && image.naturalWidth).length
  document.body.innerText = JSON.stringify({{
    wide: root.scrollWidth - root.clientWidth, cards: page.querySelectorAll(".card").length, loaded,
    styled: getComputedStyle(page.body).maxWidth !== "none",
    fetched: it.contentWindow.performance.getEntriesByType("resource").map(entry => entry.name),
    alive: page.scripts.length
  }})
}}</script>"""


@pytest.mark.skipif(CHROMIUM is None, reason="there is no browser here")
@pytest.mark.parametrize("width", [320, 390, 1280])
def test_a_browser_shows_every_square_fetches_nothing_and_scrolls_only_down(
    hostile: Any, tmp_path: Path, kept: Callable[..., Any], width: int
) -> None:
    address = "https://evil.example/[[wiki]] {{template}} %%c%% #tag"
    hostile.say(hostile.block(8, image={"src": address, "filename": "x"}))
    lens = kept(picture=(address, PIXEL, "image/png"))
    archive = hostile.archive
    store = hostile.root / "media" / "sha256"
    options = SnapshotOptions(format="html", head=archive.head, lens=lens, store=store)
    export_channel(archive.engine, 1, tmp_path / "out", options)
    ask = tmp_path / "ask.html"
    ask.write_text(MEASURE.format(page=(tmp_path / "out" / "index.html").as_uri(), width=width), "utf-8")
    ran = subprocess.run(
        [
            str(CHROMIUM),
            *("--headless", "--no-sandbox", "--disable-gpu", "--allow-file-access-from-files"),
            *("--host-resolver-rules=MAP * 127.0.0.1:9", f"--user-data-dir={tmp_path / 'profile'}"),
            *("--virtual-time-budget=5000", "--dump-dom", ask.as_uri()),
        ],
        capture_output=True,
        timeout=120,
        check=False,
    )
    found = re.search(rb"\{.*\}", ran.stdout)
    assert found is not None, ran.stderr[-2000:]
    told = json.loads(found[0].decode().replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
    assert told["wide"] <= 0
    assert told["cards"] == 10
    assert told["loaded"] == 1
    assert told["styled"]
    assert told["alive"] == 0
    assert all(name.startswith("file:") for name in told["fetched"])
