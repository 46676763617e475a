"""The gallery: squares in are.na's order, page by page; hostile text; one block opened; other channels."""

import base64
from collections.abc import Callable
from typing import Any

import ipywidgets as widgets
import pytest
from widgetry import buttons, every, markup

from vfdir_lab.archive import Archive
from vfdir_lab.errors import UnknownObjectError
from vfdir_lab.event import Draft
from vfdir_lab.media import MediaStore
from vfdir_lab.media.pictures import Pictures
from vfdir_lab.notebook.look import Gallery
from vfdir_lab.notebook.look.room import PAGE_ITEMS

HOSTILE = "<img src=x onerror=alert(1)>\u202etxt"
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def seen(kind: str, object_id: str, **payload: Any) -> Draft:
    return Draft(kind=f"{kind}.observed", object_id=object_id, payload=payload, origin="arena")


def block(number: int, **fields: Any) -> Draft:
    given = {"type": "Text", "title": f"Block {number}", "created_at": "2023-03-03T00:00:00Z"} | fields
    return seen("block", f"block:{number}", **given)


def held(number: int, item: str, *, channel: str = "channel:7", at: str | None = None) -> Draft:
    day = at or f"2023-03-{number % 27 + 1:02}T00:00:00Z"
    connection = f"connection:{number}"
    return seen("connection", connection, channel=channel, item=item, connected_at=day)


def channel(number: int = 7, **fields: Any) -> Draft:
    given = {"title": f"Channel {number}", "slug": f"channel-{number}", "visibility": "public"} | fields
    return seen("channel", f"channel:{number}", **given)


def gone(object_id: str) -> Draft:
    kind = object_id.partition(":")[0] + ".vanished"
    return Draft(kind=kind, object_id=object_id, payload={}, origin="arena")


def captions(gallery: Gallery) -> list[str]:
    return [line.strip() for line in gallery.lines()[1:]]


def shown(gallery: Gallery) -> list[str]:
    """The items of the page, by id."""
    return [item["item"] for item in gallery.shelf.page.items]


@pytest.fixture
def many(make_archive: Callable[..., Archive]) -> Archive:
    """A channel with a page and a half of blocks, every third an image, connected out of order."""
    count = PAGE_ITEMS + PAGE_ITEMS // 2
    sorts = {0: "Image", 1: "Text", 2: "Text"}
    blocks = [block(one, type=sorts[one % 3], content=f"words of {one}") for one in range(1, count + 1)]
    places = [
        held(one, f"block:{one}", at=f"2023-01-{one % 28 + 1:02}T00:00:00Z") for one in range(1, count + 1)
    ]
    return make_archive(channel(title="Tides", slug="tides"), *blocks, *places)


def test_it_shows_what_the_connections_say_top_first(many: Archive) -> None:
    gallery = many.gallery("tides")
    said = many.sql("SELECT item FROM connections WHERE channel = 'channel:7' ORDER BY position DESC")
    assert shown(gallery) == [row[0] for row in said.fetchall()][:PAGE_ITEMS]


def test_only_a_page_is_built_and_pages_together_show_each_item_once(many: Archive) -> None:
    gallery = many.gallery("tides")
    first = shown(gallery)
    assert len(first) == PAGE_ITEMS
    assert buttons(gallery)["Page before"].disabled
    buttons(gallery)["Next page"].click()
    assert gallery.shelf.counted == "49 to 72 of 72"
    assert buttons(gallery)["Next page"].disabled
    assert len({*first, *shown(gallery)}) == 72
    assert len([one for one in every(gallery) if "vfdir-card" in one._dom_classes]) == 24
    buttons(gallery)["Page before"].click()
    assert shown(gallery) == first


def test_a_filter_shows_one_sort_from_its_first_page(many: Archive) -> None:
    gallery = many.gallery("tides")
    assert dict(gallery.shelf.sort.options) == {
        "everything": "",
        "Image (24)": "Image",
        "Text (48)": "Text",
    }
    buttons(gallery)["Next page"].click()
    gallery.shelf.sort.value = "Image"
    assert gallery.shelf.counted == "1 to 24 of 24"
    assert {item["sort"] for item in gallery.shelf.page.items} == {"Image"}


def test_search_finds_all_words_without_case_and_accents(make_archive: Callable[..., Archive]) -> None:
    archive = make_archive(
        channel(),
        block(1, title="Marée basse", content="at the ESTUARY"),
        block(2, title="Marée haute"),
        block(3, title="o'clock; DROP TABLE items --"),
        *(held(one, f"block:{one}") for one in (1, 2, 3)),
    )
    gallery = archive.gallery(7)
    gallery.shelf.words.value = "maree estuary"
    assert shown(gallery) == ["block:1"]
    gallery.shelf.words.value = "o'clock; drop"
    assert shown(gallery) == ["block:3"]
    gallery.shelf.words.value = "nowhere"
    assert gallery.shelf.counted == "nothing to show"
    gallery.shelf.words.value = ""
    assert len(shown(gallery)) == 3


def test_order_by_time_is_that_of_connecting(many: Archive) -> None:
    gallery = many.gallery("tides")
    gallery.shelf.order.value = "oldest"
    times = [item["since"] for item in gallery.shelf.page.items]
    assert times == sorted(times)
    gallery.shelf.order.value = "newest"
    times = [item["since"] for item in gallery.shelf.page.items]
    assert times == sorted(times, reverse=True)


def test_hostile_text_stays_text_wherever_it_stands(make_archive: Callable[..., Archive]) -> None:
    fields = {"title": HOSTILE, "description": HOSTILE, "content": HOSTILE}
    source = {"url": "javascript:alert(1)", "title": HOSTILE}
    archive = make_archive(
        channel(title=HOSTILE, slug="hostile"),
        block(1, **fields, source=source),
        block(2, type="Link", title=None, source=source),
        channel(8, title=HOSTILE),
        *(held(number, item) for number, item in enumerate(["block:1", "block:2", "channel:8"], 1)),
    )
    gallery = archive.gallery("hostile")
    for place in range(3):
        gallery.shelf._cards[place]._button.click()
        said = markup(gallery) + "".join(one.description + tip for tip, one in buttons(gallery).items())
        assert "\u202e" not in said
        assert "<img" not in markup(gallery)
        assert "href" not in markup(gallery)
        assert "&lt;img" in markup(gallery._opened)
    bundle = gallery._repr_mimebundle_()
    assert "<img" not in bundle["text/html"]
    assert "\u202e" not in bundle["text/plain"]


def test_what_is_mine_and_what_is_gone_is_said_in_words(make_archive: Callable[..., Archive]) -> None:
    archive = make_archive(channel(), *(block(one) for one in (1, 2, 3)))
    archive.log.append([held(one, f"block:{one}") for one in (1, 2, 3)])
    archive.log.append([gone("block:1"), gone("connection:2")])
    with archive.transaction("mine") as tx:
        tx.edit("block:3", title="Mine")
    gallery = archive.gallery(7)
    mine, *lost = captions(gallery)
    assert mine == "Mine, mine, not yet answered"
    assert [one.partition(", gone since")[0] for one in sorted(lost)] == ["Block 1", "Block 2"]
    assert ["mine" in card.box._dom_classes for card in gallery.shelf._cards] == [True, False, False]
    assert ["gone" in card.box._dom_classes for card in gallery.shelf._cards] == [False, True, True]
    assert "1 item, now" in markup(gallery)
    gallery.shelf.sort.value = "?gone"
    assert len(shown(gallery)) == 2
    assert "mine" not in gallery.shelf._cards[0].box._dom_classes


def test_what_was_taken_out_here_says_so_until_it_is_answered(make_archive: Callable[..., Archive]) -> None:
    archive = make_archive(channel(), block(1), held(1, "block:1"))
    with archive.transaction("out") as tx:
        tx.disconnect("connection:1")
    assert captions(archive.gallery(7)) == ["Block 1, taken out here, not yet answered"]


def test_a_saved_picture_is_in_the_page_and_nothing_is_asked_of_the_web(
    make_archive: Callable[..., Archive],
) -> None:
    address = "https://images.example/a.png"
    other = "https://images.example/b.png"
    archive = make_archive(
        channel(),
        block(1, type="Image", image={"src": address}),
        block(2, type="Image", image={"src": other}),
        held(1, "block:1"),
        held(2, "block:2"),
    )
    stored = MediaStore(archive.path).put(PNG)
    payload = {"url": address, "size": stored.size, "content_type": "image/png"}
    archive.log.append([Draft(kind="media.saved", object_id=f"media:{stored.sha256}", payload=payload)])
    gallery = archive.gallery(7)
    without, with_copy = (card._square.value for card in gallery.shelf._cards)
    assert f'src="data:image/png;base64,{base64.b64encode(PNG).decode()}"' in with_copy
    assert "no copy here to show" in without
    assert "images.example" not in markup(gallery.shelf)


def test_a_picture_is_one_by_its_bytes_and_of_bounded_size(make_archive: Callable[..., Archive]) -> None:
    store = MediaStore(make_archive(channel()).path)
    png, svg = store.put(PNG).sha256, store.put(SVG).sha256
    assert Pictures(store).uri(svg) is None
    assert Pictures(store).uri("0" * 64) is None
    assert Pictures(store, largest_bytes=len(PNG) - 1).uri(png) is None
    page = Pictures(store, page_bytes=len(PNG) * 2)
    assert [page.uri(png) is None for _ in range(3)] == [False, False, True]


def test_opening_a_block_shows_its_words_its_history_and_its_channels(
    make_archive: Callable[..., Archive],
) -> None:
    archive = make_archive(
        channel(),
        channel(8, title="Second shelf"),
        block(1, title="First", content="one\ntwo"),
        held(1, "block:1"),
        held(2, "block:1", channel="channel:8"),
    )
    archive.log.append([block(1, title="Then", content="one\ntwo")])
    gallery = archive.gallery(7)
    gallery.shelf._cards[0]._button.click()
    said = markup(gallery._opened)
    assert "one\ntwo" in said
    assert "title “First” → “Then”" in said
    assert "in 2 channels" in said
    buttons(gallery)["Look inside Second shelf"].click()
    assert gallery.channel == "channel:8"
    assert gallery._opened.children == ()


def test_close_leaves_the_squares_where_they_are(many: Archive) -> None:
    gallery = many.gallery("tides")
    before = [id(one) for one in every(gallery.shelf)]
    gallery.shelf._cards[5]._button.click()
    buttons(gallery)["Close"].click()
    assert [id(one) for one in every(gallery.shelf)] == before


def test_looking_again_touches_only_the_card_that_changed(many: Archive) -> None:
    gallery = many.gallery("tides")
    before = [id(one) for one in every(gallery.shelf)]
    changed: list[Any] = []
    for one in every(gallery.shelf):
        if isinstance(one, widgets.HTML):
            one.observe(lambda change: changed.append(change["owner"]), "value")
    number = int(shown(gallery)[5].partition(":")[2])
    sort = gallery.shelf.page.items[5]["sort"]
    many.log.append([block(number, title="Another", type=sort, content="other words")])
    buttons(gallery)["Look again"].click()
    assert [id(one) for one in every(gallery.shelf)] == before
    assert changed == [gallery.shelf._cards[5]._square]


def test_without_a_channel_it_shows_all_each_a_way_in(make_archive: Callable[..., Archive]) -> None:
    archive = make_archive(
        channel(title="Tides", slug="tides"),
        channel(8, title="Clouds", visibility="private"),
        block(1),
        held(1, "block:1"),
        held(2, "block:1", channel="channel:8"),
    )
    gallery = archive.gallery()
    assert captions(gallery) == ["Clouds", "Tides"]
    assert 'class="sq chan private"' in gallery.shelf._cards[0]._square.value
    gallery.shelf._cards[1]._button.click()
    buttons(gallery)["Look inside Tides"].click()
    assert captions(gallery) == ["Block 1"]
    buttons(gallery)["All channels"].click()
    assert captions(gallery) == ["Clouds", "Tides"]


def test_a_lens_and_a_moment_are_those_that_were_asked_for(make_archive: Callable[..., Archive]) -> None:
    archive = make_archive(channel(), block(1, title="Before"), held(1, "block:1"))
    head = archive.head
    archive.log.append([block(1, title="After")])
    with archive.transaction("mine") as tx:
        tx.edit("block:1", title="Mine")
    archive.lens("mirror").use(blocks=2)
    assert captions(archive.gallery(7, as_of=head)) == ["Before"]
    assert captions(archive.gallery(7, lens="mirror")) == ["After"]


def test_the_sql_that_is_shown_answers_as_the_gallery_does(many: Archive) -> None:
    gallery = many.gallery("tides")
    assert gallery.shelf._room is not None
    rows = many.sql(gallery.shelf._room.query).fetchall()
    assert [row[2] for row in rows[:PAGE_ITEMS]] == shown(gallery)
    assert "<summary>The SQL it stands on</summary>" in markup(gallery)


def test_a_channel_that_is_not_there_is_an_error_at_once(many: Archive) -> None:
    with pytest.raises(UnknownObjectError, match="there is no channel 'nowhere'"):
        many.gallery("nowhere")


def test_what_goes_wrong_at_a_click_is_a_line_and_the_page_stays(
    many: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    gallery = many.gallery("tides")
    before = captions(gallery)
    monkeypatch.setattr(gallery, "_view", gallery._archive.lens("no_such_lens"))
    buttons(gallery)["Look again"].click()
    assert captions(gallery) == before
    assert "no_such_lens" in gallery._said.value
    assert 'role="alert"' in gallery._said.value


def test_every_control_has_a_label(many: Archive) -> None:
    gallery = many.gallery("tides")
    controls = [one for one in every(gallery) if isinstance(one, widgets.Dropdown | widgets.Text)]
    assert [one.description for one in controls] == ["Show", "Order", "Search"]
    assert all(one.description and one.tooltip for one in buttons(gallery).values())


def test_without_a_kernel_the_last_page_is_there_as_text(many: Archive) -> None:
    bundle = many.gallery("tides")._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert bundle["text/plain"].startswith("Tides: 1 to 48 of 72\n  Block")
    assert "run the cell again" in bundle["text/html"]


def test_what_was_searched_for_ends_with_the_channel(make_archive: Callable[..., Archive]) -> None:
    archive = make_archive(
        channel(title="Tides"),
        channel(8, title="Clouds"),
        block(1),
        block(2),
        held(1, "block:1"),
        held(2, "block:2"),
    )
    gallery = archive.gallery(7)
    gallery.shelf.words.value = "Block 1"
    assert shown(gallery) == ["block:1"]
    buttons(gallery)["All channels"].click()
    assert gallery.shelf.words.value == ""
    assert captions(gallery) == ["Tides"]
