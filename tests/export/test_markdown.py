"""The folder of Markdown: front matter is YAML, links hold, and no reader finds anything that runs."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from vfdir_lab.export import SnapshotOptions, export_channel

LOOSE = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def parts(path: Path) -> tuple[str, str]:
    """The front matter and the text of a file."""
    text = path.read_text("utf-8")
    found = re.match(r"---\n(.*?\n)---\n\n", text, re.DOTALL)
    assert found is not None
    return found[1], text[found.end() :]


def inline(text: str) -> list[Token]:
    """Every token of a text, as a reader that lets HTML through finds them."""
    blocks = LOOSE.parse(text)
    assert not any(token.type == "html_block" for token in blocks)
    return [child for token in blocks for child in token.children or []]


def assert_links_hold(folder: Path, path: Path, tokens: list[Token]) -> None:
    for token in tokens:
        target = str(token.attrGet("href") or token.attrGet("src") or "")
        if target and not target.startswith(("http://", "https://", "mailto:")):
            place = path.parent / unquote(target)
            assert place.resolve().is_relative_to(folder.resolve())
            assert place.is_file(), target


@pytest.mark.parametrize("channel", ["tides", "hostile"])
def test_every_file_is_read_by_yaml_and_markdown_and_holds_together(
    request: pytest.FixtureRequest, tmp_path: Path, channel: str
) -> None:
    yaml = pytest.importorskip("yaml")
    request.getfixturevalue(channel).archive.export(channel, tmp_path / "out", format="markdown")
    for path in (tmp_path / "out").rglob("*.md"):
        front, text = parts(path)
        assert str(yaml.safe_load(front)["id"]).startswith(("block:", "channel:"))
        tokens = inline(text)
        assert not any(token.type == "html_inline" for token in tokens)
        assert_links_hold(tmp_path / "out", path, tokens)


def test_the_index_has_the_items_in_order(tides: Any, tmp_path: Path) -> None:
    tides.archive.export("tides", tmp_path / "out", format="markdown")
    _, text = parts(tmp_path / "out" / "index.md")
    assert [line for line in text.splitlines() if re.match(r"\d+\.", line)] == [
        "1. [Block 11](blocks/block-11-11.md)",
        "2. [m.png](blocks/image-2.md)",
        "3. [Moons](https://www.are.na/nura/moons)",
        "4. *private channel*",
        "5. *a block not seen yet*",
        "6. *a channel not seen yet*",
        "7. [Block 11](blocks/block-11-11.md)",
    ]


def test_pictures_are_shown_where_they_are_kept(tides: Any, tmp_path: Path, kept: Callable[..., Any]) -> None:
    lens = kept(picture=("https://i.example/m.png", b"picture", "image/png"))
    archive = tides.archive
    store = tides.root / "media" / "sha256"
    options = SnapshotOptions(format="markdown", head=archive.head, lens=lens, store=store)
    export_channel(archive.engine, "tides", tmp_path / "out", options)
    for name in ("index.md", "blocks/image-2.md"):
        path = tmp_path / "out" / name
        tokens = inline(parts(path)[1])
        images = [token for token in tokens if token.type == "image"]
        assert len(images) == 1
        assert_links_hold(tmp_path / "out", path, images)
