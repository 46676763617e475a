"""The world in `data/`: what it must hold for the rest of the project to be tried on it."""

from __future__ import annotations

import re
from collections import Counter

import httpx
import pytest

from vfdir_lab.sandbox.seed import data_folder, load_world


@pytest.fixture(scope="module")
def world():
    return load_world()


def _walk(client: httpx.Client, channel: str) -> list[dict]:
    items, page = [], 1
    while page and page < 20:
        query = {"per": 100, "page": page, "sort": "position_asc"}
        answer = client.get(f"/channels/{channel}/contents", params=query).json()
        items += answer["data"]
        page = answer["meta"]["next_page"]
    return items


def test_it_is_large_and_varied(world):
    kinds = Counter(block.kind for block in world.blocks.values())
    assert len(world.blocks) >= 170
    assert len(world.channels) >= 8
    assert min(kinds[kind] for kind in ("Text", "Image", "Link", "Attachment", "Embed", "PendingBlock")) >= 3
    assert kinds["Image"] >= 25


def test_one_channel_is_longer_than_a_page_and_one_is_empty(world):
    sizes = {channel.slug: len(world.contents(channel.id)) for channel in world.channels.values()}
    assert max(sizes.values()) > 100
    assert min(sizes.values()) == 0


def test_channels_nest_in_circles(world):
    inside = {
        channel.slug: {
            world.channels[connection.item.id].slug
            for connection in world.contents(channel.id)
            if connection.item.kind == "Channel"
        }
        for channel in world.channels.values()
    }
    assert "lights-and-how-they-speak" in inside["tides"]
    assert "tides" in inside["lights-and-how-they-speak"]


def test_blocks_are_shared_positions_have_gaps_and_every_visibility_occurs(world):
    places = Counter(connection.item for connection in world.connections.values())
    assert sum(1 for held in places.values() if held > 1) >= 10
    assert any(
        max(spots) > len(spots)
        for channel in world.channels.values()
        if (spots := list(world.places(channel.id).values()))
    )
    assert {channel.visibility for channel in world.channels.values()} == {"public", "closed", "private"}
    assert len(world.comments) >= 5
    assert any(block.metadata for block in world.blocks.values())


def test_it_holds_what_breaks_software(world):
    titles = [block.title for block in world.blocks.values()]
    texts = [block.content or "" for block in world.blocks.values()]
    assert None in titles
    assert "" in titles
    assert max(map(len, texts)) > 4000
    for wanted in (
        r"[\u0590-\u05ff]",
        r"[\u0600-\u06ff]",
        r"[\u4e00-\u9fff]",
        r"[\U0001f300-\U0001faff]",
        r"[\u0300-\u036f]",
        r"<script>",
        r"^=HYPERLINK\(",
        r"[\x00-\x08\x1b]",
        r"\.\./\.\.",
        r"&amp;",
        "\u202e",
    ):
        assert any(re.search(wanted, text or "") for text in [*titles, *texts]), wanted


def test_every_item_of_every_channel_is_served_and_every_file_with_it(visit, world):
    me, fetch = visit("write"), visit(None, "")
    for channel in world.channels.values():
        items = _walk(me, channel.slug)
        assert len(items) == len(world.contents(channel.id))
        for item in items:
            image, attachment = item.get("image"), item.get("attachment")
            for url in ([image["src"]] if image else []) + ([attachment["url"]] if attachment else []):
                assert re.search(r"\?\d+$", url)
                assert fetch.get(url).status_code == 200


def test_nothing_a_person_typed_reaches_the_html_unescaped(visit):
    for item in _walk(visit("write"), "handle-with-care-b"):
        for name in ("content", "description"):
            html = (item.get(name) or {}).get("html", "")
            assert not re.search(r"<(script|svg|img|iframe)|javascript:[^<]*\"", html)


def test_pictures_are_measured_and_small_in_sum(world):
    folder = data_folder() / "pictures"
    assert sum(path.stat().st_size for path in folder.iterdir()) < 2_000_000
    pictures = [block.picture for block in world.blocks.values() if block.picture]
    assert all(picture.width and picture.height and picture.file_size for picture in pictures)


def test_every_file_of_the_folder_is_used(world):
    folder = data_folder()
    written = "\n".join(path.read_text(encoding="utf-8") for path in (folder / "channels").iterdir())
    for kind in ("pictures", "texts", "files"):
        for path in (folder / kind).iterdir():
            assert f'"{path.name}"' in written, path
