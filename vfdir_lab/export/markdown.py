"""`markdown`: a folder of Markdown with front matter, an index of each channel in order; opens in Obsidian.

Owns: `write_markdown`. Guarantees: remote Markdown keeps its meaning and loses whatever a reader could run;
front matter is YAML; links between the files hold. Leaves to others: which files there are (`site.py`).
Checked by: golden files, a YAML parser and a Markdown parser in `tests/export/test_markdown.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from vfdir_lab.export.layout import ChannelPage, Item, Placed, elsewhere, label, link_between, name_of
from vfdir_lab.export.markup import as_words
from vfdir_lab.export.remark import as_markdown, front_matter, link, plain_words
from vfdir_lab.export.rows import Row
from vfdir_lab.export.safe import address
from vfdir_lab.export.site import About, write_site
from vfdir_lab.export.wording import counted, provenance_facts
from vfdir_lab.export.work import Counts, Work

BLOCK_FIELDS = (
    *("type", "title", "source_url", "image_url", "attachment_url", "filename", "content_type", "file_size"),
    *("embed_url", "visibility", "state", "created_at", "updated_at"),
)
CHANNEL_FIELDS = ("title", "slug", "visibility", "state", "created_at", "updated_at")


def write_markdown(work: Work) -> Counts:
    """Write `index.md`, `blocks/`, `channels/` for further channels, `images/` and `files/`."""
    return write_site(work, "md", Markdown)


class Markdown:
    """Pages in Markdown; see `site.Dress`."""

    def __init__(self, about: About) -> None:
        self._about = about
        self._layout = about.layout

    def contents(self) -> str:
        """The list of the channels that were read."""
        page = self._layout.first_page()
        lines = [
            f"- {self._to(page, self._layout.channel(row), label(row))}, "
            f"{counted(self._about.sizes[row['object_id']], 'item')}\n"
            for row in self._about.channels.values()
        ]
        return f"{front_matter(self._provenance())}\n# {counted(len(lines), 'channel')}\n\n{''.join(lines)}"

    def opening(self, page: ChannelPage) -> str:
        """The head of a channel."""
        channel = page.channel
        values = {"id": channel["object_id"]} | {key: channel[key] for key in CHANNEL_FIELDS}
        owner = self._about.owners.get(channel["owner"])
        values |= {"owner": name_of(owner, channel["owner"]), "url": elsewhere(channel, owner)}
        if page.path == self._layout.first_page():
            values |= self._provenance()
        described = as_markdown(channel["description"]) if page.number == 1 else ""
        head = f"{front_matter(values)}\n# {plain_words(label(channel))}\n\n"
        return head + (f"{described}\n" if described else "")

    def item(self, page: ChannelPage, item: Item) -> str:
        """A line of the list, with the picture beneath where there is one."""
        if item.block is not None:
            target = self._layout.block(item.block)
            line = self._to(page.path, target, label(item.block))
            if item.picture is not None:
                words = plain_words(as_words(item.block["description"], 120) or label(item.block))
                line += f"\n\n    !{link(words, link_between(page.path, item.picture))}\n"
        elif item.channel is not None:
            line = self._channel(page.path, item.channel, item.owner)
        else:
            line = f"*a {'channel' if item.is_channel else 'block'} not seen yet*"
        return f"{item.position}. {line}\n"

    def closing(self, page: ChannelPage) -> str:
        """The way on, where a channel has several pages."""
        if page.number == page.pages:
            return ""
        after = self._layout.channel(page.channel, page.number + 1)
        return f"\n{self._to(page.path, after, f'Page {page.number + 1}')}\n"

    def block(self, placed: Placed) -> str:
        """The file of a block: its fields as front matter, then what it says."""
        block = placed.block
        path = self._layout.block(block)
        values: dict[str, Any] = {"id": block["object_id"]} | {key: block[key] for key in BLOCK_FIELDS}
        values |= {"author": name_of(placed.author, block["author"]), "url": elsewhere(block)}
        parts = [
            f"# {plain_words(label(block))}\n",
            *self._shown(path, placed),
            as_markdown(block["content"]),
            as_markdown(block["description"]),
            "In " + ", ".join(self._channels(path, placed)) + "\n",
        ]
        return f"{front_matter(_safe(values))}\n" + "\n".join(part for part in parts if part)

    def _shown(self, path: str, placed: Placed) -> Iterator[str]:
        block = placed.block
        if placed.picture is not None:
            yield f"!{link(plain_words(label(block)), link_between(path, placed.picture))}\n"
        if placed.file is not None:
            yield self._to(path, placed.file, block["filename"] or "The file") + "\n"
        ways = {
            "picture": block["image_url"] if placed.picture is None else None,
            "file": block["attachment_url"] if placed.file is None else None,
            "source": block["source_url"],
            "shows": block["embed_url"] if block["embed_url"] != block["source_url"] else None,
        }
        lines = [
            f"- {name}: {link(plain_words(url), url)}\n"
            for name, said in ways.items()
            if (url := address(said)) is not None
        ]
        if lines:
            yield "".join(lines)

    def _channels(self, path: str, placed: Placed) -> list[str]:
        found = {place["channel"]: self._about.channels[place["channel"]] for place in placed.places}
        return [self._to(path, self._layout.channel(row), label(row)) for row in found.values()]

    def _channel(self, path: str, channel: Row, owner: Row | None) -> str:
        if channel["object_id"] in self._about.channels:
            return self._to(
                path, self._layout.channel(self._about.channels[channel["object_id"]]), label(channel)
            )
        if channel["visibility"] == "private" and channel["title"] is None and channel["slug"] is None:
            return "*private channel*"
        url = elsewhere(channel, owner)
        words = plain_words(label(channel))
        return link(words, url) if url else words

    def _provenance(self) -> dict[str, object]:
        return {name.replace(" ", "_"): value for name, value in provenance_facts(self._about.provenance)}

    @staticmethod
    def _to(path: str, target: str, words: str) -> str:
        return link(plain_words(words), link_between(path, target))


def _safe(values: dict[str, Any]) -> dict[str, Any]:
    """The same; an address that may be no link is left out, for readers make links of what looks like one."""
    return {
        key: address(value) if key.endswith("url") and value is not None else value
        for key, value in values.items()
    }
