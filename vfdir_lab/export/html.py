"""`html`: a site without scripts or outside requests, for a screen, a phone and paper.

Owns: `write_html` and `style.css`. Guarantees: all remote text is escaped, remote Markdown becomes elements
of a short list, pictures are local copies or links; the page's own policy forbids everything but its pictures
and its style. Leaves to others: which pages there are (`site.py`). Checked by: a strict reader and, where
there is one, a browser, in `tests/export/test_html.py`.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from importlib.resources import as_file, files
from typing import Any

from vfdir_lab.export.html_parts import END, beginning, facts, link, outward, prose, text, whole
from vfdir_lab.export.html_squares import VISIBILITIES, square
from vfdir_lab.export.layout import ChannelPage, Item, Placed, elsewhere, label, link_between, name_of
from vfdir_lab.export.markup import as_html
from vfdir_lab.export.rows import Row
from vfdir_lab.export.safe import address, escaped
from vfdir_lab.export.site import About, write_site
from vfdir_lab.export.wording import counted, day, provenance_facts, size
from vfdir_lab.export.work import Counts, Work

STYLE = "style.css"
STEPS = (("before", "prev", "← {}"), ("after", "next", "{} →"))


def write_html(work: Work) -> Counts:
    """Write `index.html`, `blocks/`, `channels/` for other channels, `images/`, `files/` and `style.css`."""
    with as_file(files("vfdir_lab.export") / STYLE) as style:
        shutil.copyfile(style, work.folder / STYLE)
    return write_site(work, "html", Html)


class Html:
    """Pages in HTML; see `site.Dress`."""

    def __init__(self, about: About) -> None:
        self._about = about
        self._layout = about.layout

    def contents(self) -> str:
        """The list of the channels that were read."""
        page = self._layout.first_page()
        sizes = self._about.sizes
        rows = [
            f"<li>{link(label(row), link_between(page, self._layout.channel(row)))}"
            f'<span class="quiet">{counted(sizes[row["object_id"]], "item")}</span></li>\n'
            for row in self._about.channels.values()
        ]
        name = counted(len(rows), "channel")
        head = f'<header class="head">\n<h1>{name}</h1>\n{facts(self._provenance(page))}</header>\n'
        listed = (
            f'<main>\n<h2 class="unseen">Channels</h2>\n<ul class="list">\n{"".join(rows)}</ul>\n</main>\n'
        )
        return whole("Channels", STYLE, head + listed)

    def opening(self, page: ChannelPage) -> str:
        """The head of a channel; on its first page with all that is known of it."""
        name = label(page.channel)
        title = name if page.number == 1 else f"{name}, page {page.number}"
        skip = '<a class="skip" href="#items">Skip to the items</a>\n'
        head = f'<header class="head">\n{self._path(page)}{text("h1", name)}\n'
        if page.number == 1:
            head += prose(as_html(page.channel["description"]))
            head += facts([*self._channel_facts(page.channel), *self._provenance(page.path)])
        grid = f'<main id="items">\n<h2 class="unseen">Items</h2>\n<ol class="grid" start="{page.first}">\n'
        return f"{beginning(title, self._style(page.path))}{skip}{head}</header>\n{grid}"

    def item(self, page: ChannelPage, item: Item) -> str:
        """A square with its number and name, which leads to the page of the thing."""
        target = None
        if item.block is not None:
            target = link_between(page.path, self._layout.block(item.block))
        elif item.channel is not None:
            target = self._way_to(page.path, item.channel, item.owner)
        return f"<li>{square(page.path, item, target)}</li>\n"

    def closing(self, page: ChannelPage) -> str:
        """The end of a channel's page: its other pages."""
        return f"</ol>\n</main>\n{self._steps_between_pages(page)}{END}"

    def block(self, placed: Placed) -> str:
        """The page of a block: the thing, what is known of it, where it stands."""
        block = placed.block
        path = self._layout.block(block)
        shown = _shown(path, placed)
        words = prose(as_html(block["content"])) if block["content"] else ""
        described = prose(as_html(block["description"]))
        heading = text("h1", label(block), "unseen" if words and not block["title"] else "")
        main = f'<main class="block wide">\n<article>\n{heading}\n{shown}{words}{described}</article>\n'
        known = facts(self._block_facts(path, placed))
        about = f'<section aria-label="About this block">\n{known}</section>\n</main>\n'
        body = f"{self._trail(path, placed)}{main}{about}{self._steps(path, placed)}"
        return whole(label(block), self._style(path), body)

    def _style(self, path: str) -> str:
        return link_between(path, STYLE)

    def _provenance(self, path: str) -> Iterator[tuple[str, str]]:
        """Where the snapshot comes from, on its first page."""
        if path == self._layout.first_page():
            yield from ((name, escaped(said)) for name, said in provenance_facts(self._about.provenance))

    def _path(self, page: ChannelPage) -> str:
        """The way back, where there is one."""
        first = self._layout.first_page()
        if page.path == first:
            return ""
        home = self._layout.home
        name = "All channels" if home is None else label(self._about.channels[home])
        return f'<nav class="path" aria-label="Path">{link(name, link_between(page.path, first))}</nav>\n'

    def _channel_facts(self, channel: Row) -> Iterator[tuple[str, str]]:
        nested = self._about.nested[channel["object_id"]]
        items = counted(self._about.sizes[channel["object_id"]], "item")
        yield "holds", items + (f", {counted(nested, 'channel')} inside" if nested else "")
        kind = VISIBILITIES.get(channel["visibility"], "closed")
        yield "visibility", f'<span class="{kind}">{escaped(channel["visibility"])}</span>'
        owner = self._about.owners.get(channel["owner"])
        yield "owner", escaped(name_of(owner, channel["owner"]))
        yield "begun", escaped(day(channel["created_at"]))
        yield "changed", escaped(day(channel["updated_at"]))
        yield "on are.na", outward(elsewhere(channel, owner))

    def _block_facts(self, path: str, placed: Placed) -> Iterator[tuple[str, str]]:
        block = placed.block
        yield "sort", escaped(block["type"])
        yield "by", escaped(name_of(placed.author, block["author"]))
        yield "made", escaped(day(block["created_at"]))
        yield "changed", escaped(day(block["updated_at"]))
        yield "source", outward(block["source_url"])
        yield "picture", outward(block["image_url"]) if placed.picture is None else ""
        if block["attachment_url"] and placed.file is None:
            yield "file", outward(block["attachment_url"], block["filename"])
        yield "shows", outward(block["embed_url"]) if block["embed_url"] != block["source_url"] else ""
        places = {place["channel"]: self._about.channels[place["channel"]] for place in placed.places}
        links = [link(label(row), link_between(path, self._layout.channel(row))) for row in places.values()]
        yield "in", "<br>".join(links)
        yield "on are.na", outward(elsewhere(block))

    def _way_to(self, path: str, channel: Row, owner: Row | None) -> str | None:
        """To a channel inside: its page here, else where it is on are.na."""
        if channel["object_id"] in self._about.channels:
            return link_between(path, self._layout.channel(self._about.channels[channel["object_id"]]))
        return elsewhere(channel, owner)

    def _steps_between_pages(self, page: ChannelPage) -> str:
        if page.pages == 1:
            return ""
        links = (
            (number, link_between(page.path, self._layout.channel(page.channel, number)))
            for number in range(1, page.pages + 1)
        )
        numbers = [
            f'<b aria-current="page">{number}</b>' if number == page.number else link(str(number), target)
            for number, target in links
        ]
        return f'<nav class="foot" aria-label="Pages">Pages {" ".join(numbers)}</nav>\n'

    def _trail(self, path: str, placed: Placed) -> str:
        """The way back to the channel."""
        channel = self._about.channels[placed.places[0]["channel"]]
        way = link(label(channel), link_between(path, self._layout.channel(channel)))
        if self._layout.home is None:
            first = link_between(path, self._layout.first_page())
            way = f'<a href="{first}">All channels</a>{way}'
        return f'<nav class="path" aria-label="Path">{way}</nav>\n'

    def _steps(self, path: str, placed: Placed) -> str:
        """To what stands before and after it in its first channel."""
        place = placed.places[0]
        steps = [self._step(path, place, *way) for way in STEPS if place[way[0]] is not None]
        return f'<nav class="steps" aria-label="Neighbours">{"".join(steps)}</nav>\n' if steps else ""

    def _step(self, path: str, place: Mapping[str, Any], key: str, rel: str, sign: str) -> str:
        target = link_between(path, self._layout.block(place[key]))
        return link(sign.format(label(place[key])), target, kind=rel, rel=rel)


def _shown(path: str, placed: Placed) -> str:
    """What there is to look at or to open: a picture, a file, the way to what is elsewhere."""
    block: dict[str, Any] = placed.block
    parts = []
    if placed.picture is not None:
        words = label(block)
        source = escaped(link_between(path, placed.picture))
        seen = f'<img src="{source}" alt="{escaped(words)}">'
        parts.append(f'<figure class="picture">{seen}</figure>\n')
    elif block["type"] == "Image" and address(block["image_url"]):
        parts.append(f"<p>{outward(block['image_url'], 'The picture, where it was', kind='way')}</p>\n")
    if placed.file is not None:
        called = " ".join(filter(None, (block["filename"] or "The file", size(block["file_size"]))))
        parts.append(f"<p>{link(called, link_between(path, placed.file), kind='way')}</p>\n")
    if block["type"] == "Attachment" and placed.file is None and address(block["attachment_url"]):
        parts.append(f"<p>{outward(block['attachment_url'], 'The file, where it was', kind='way')}</p>\n")
    if block["type"] in {"Link", "Embed"} and address(block["source_url"]):
        parts.append(f"<p>{outward(block['source_url'], kind='way')}</p>\n")
    return "".join(parts)
