"""The graph: near channels by what they share, what is drawn of it, and the way to another middle."""

import re
from collections.abc import Callable
from typing import Any

import ipywidgets as widgets
import pytest
from widgetry import buttons, every, markup

from vfdir_lab.archive import Archive
from vfdir_lab.errors import UnknownObjectError
from vfdir_lab.event import Draft
from vfdir_lab.notebook.look import Graph
from vfdir_lab.notebook.look.network import CHANNELS_SHOWN, ITEMS_SHOWN

HOSTILE = "<img src=x onerror=alert(1)>\u202etxt"


def seen(kind: str, object_id: str, **payload: Any) -> Draft:
    return Draft(kind=f"{kind}.observed", object_id=object_id, payload=payload, origin="arena")


def channel(number: int, title: str | None = None, visibility: str = "public") -> Draft:
    named = {"title": title or f"Channel {number}", "slug": f"channel-{number}"}
    return seen("channel", f"channel:{number}", visibility=visibility, **named)


def block(number: int, title: str | None = None) -> Draft:
    return seen("block", f"block:{number}", type="Text", title=title or f"Block {number}")


def held(outer: int, item: str) -> Draft:
    """The item is in the channel of that number."""
    number = 1_000_000 * outer + int(item.partition(":")[2]) + 500_000 * item.startswith("channel")
    at = "2024-01-01T00:00:00Z"
    return seen("connection", f"connection:{number}", channel=f"channel:{outer}", item=item, connected_at=at)


@pytest.fixture
def archive(make_archive: Callable[..., Archive]) -> Archive:
    """Channel 1 shares two blocks with 2 and one with 3, contains 4; 5 has nothing to do with it."""
    blocks = [block(one) for one in range(1, 7)]
    channels = [channel(1), channel(2, "Tides"), channel(3), channel(4, visibility="private"), channel(5)]
    contents = {1: (1, 2, 3), 2: (2, 3), 3: (3, 4), 5: (6,)}
    ties = [held(outer, f"block:{one}") for outer, inside in contents.items() for one in inside]
    return make_archive(*channels, *blocks, *ties, held(1, "channel:4"))


def test_the_nearest_channels_come_by_what_they_share(archive: Archive) -> None:
    network = archive.graph(1).network
    assert [(one.channel, one.shared) for one in network.channels] == [
        ("channel:1", 0),
        ("channel:2", 2),
        ("channel:3", 1),
        ("channel:4", 0),
    ]
    assert network.nested == (("channel:1", "channel:4"),)
    assert [(one.item, one.channels) for one in network.items] == [
        ("block:3", ("channel:1", "channel:2", "channel:3")),
        ("block:2", ("channel:1", "channel:2")),
    ]
    assert (network.channels_found, network.items_found) == (3, 2)


def test_a_channel_that_holds_it_is_near_and_alone_it_is_in_the_middle(archive: Archive) -> None:
    assert [one.channel for one in archive.graph(4).network.channels] == ["channel:4", "channel:1"]
    alone = archive.graph(5)
    assert alone.network.places() == {"channel:5": (0.5, 0.5)}
    assert alone.lines() == ["Channel 5: 0 other channels, 0 shared items"]
    assert alone.shared.disabled


def test_it_is_drawn_the_same_each_time_and_within_the_paper(archive: Archive) -> None:
    first, second = archive.graph(1), archive.graph(1)
    assert first.picture() == second.picture()
    paper = first.picture()
    assert len(re.findall("<rect ", paper)) == 4
    assert len(re.findall("<circle ", paper)) == 2
    assert len(re.findall('class="tie"', paper)) == 5
    assert len(re.findall('class="nested"', paper)) == 1
    assert 'role="img" aria-label="The network of Channel 1: 3 other channels, 2 shared items"' in paper
    places = [float(one) for one in re.findall(r'c[xy]="([-\d.]+)"', paper)]
    assert all(0 <= one <= 1060 for one in places)


def test_what_is_tied_is_nearer_than_what_is_not(make_archive: Callable[..., Archive]) -> None:
    """Two clusters, bound by one block: within a cluster distances are smaller than between them."""
    first, second = [(1, one) for one in range(1, 5)], [(2, one) for one in range(11, 15)]
    own = [held(outer, f"block:{one}") for outer, one in (*first, *second, (1, 20), (2, 20))]
    copies = [held(outer + 2, f"block:{one}") for outer, one in (*first, *second)]
    numbers = (*range(1, 5), *range(11, 15), 20)
    archive = make_archive(*map(channel, range(1, 5)), *map(block, numbers), *own, *copies)
    places = archive.graph(1).network.places()

    def apart(one: str, other: str) -> float:
        return sum((a - b) ** 2 for a, b in zip(places[one], places[other], strict=True))

    assert apart("channel:1", "channel:3") < apart("channel:1", "channel:2")


def test_another_channel_moves_to_the_middle_by_its_button(archive: Archive) -> None:
    graph = archive.graph("channel-1")
    buttons(graph)["Put Tides in the middle"].click()
    assert graph.channel == "channel:2"
    assert graph.lines()[1:] == ["  Channel 1, 2 items in common", "  Channel 3, 1 item in common"]
    graph.look(1)
    assert graph.channel == "channel:1"


def test_a_shared_block_opens_with_its_channels(archive: Archive) -> None:
    graph = archive.graph(1)
    graph.shared.value = "block:3"
    assert "in 3 channels" in markup(graph)
    assert "<h2 dir='auto'>Block 3</h2>" in markup(graph)
    buttons(graph)["Look inside Channel 3"].click()
    assert (graph.channel, graph.shared.value) == ("channel:3", "")
    assert "in 3 channels" not in markup(graph)


def test_more_than_can_be_seen_is_bounded_and_said(make_archive: Callable[..., Archive]) -> None:
    many, items = CHANNELS_SHOWN + 6, ITEMS_SHOWN + 60
    channels = [channel(one) for one in range(1, many + 2)]
    ties = [held(1, f"block:{one}") for one in range(1, items + 1)]
    ties += [held(one % many + 2, f"block:{one}") for one in range(1, items + 1)]
    archive = make_archive(*channels, *map(block, range(1, items + 1)), *ties)
    graph = archive.graph(1)
    assert len(graph.network.channels) == CHANNELS_SHOWN + 1
    assert len(graph.network.items) == ITEMS_SHOWN
    assert graph.lines()[0].endswith("30 other channels (24 shown), 144 shared items (120 shown)")


def test_remote_text_is_text(make_archive: Callable[..., Archive]) -> None:
    own = [held(outer, "block:1") for outer in (1, 2)]
    archive = make_archive(channel(1, HOSTILE), channel(2, HOSTILE), block(1, HOSTILE), *own)
    graph = archive.graph(1)
    assert "<img" not in markup(graph)
    assert "\u202e" not in markup(graph) + "".join(graph.lines())
    bundle = graph._repr_mimebundle_()
    assert "<img" not in bundle["text/html"]
    assert '<svg class="network"' in bundle["text/html"]
    assert "run the cell again" in bundle["text/html"]
    assert all("\u202e" not in one.description for one in every(graph) if isinstance(one, widgets.Button))


def test_it_stands_where_it_is_told_and_what_goes_wrong_is_a_line(archive: Archive) -> None:
    before = archive.head
    archive.log.append([held(5, "block:1")])
    assert len(archive.graph(5).network.channels) == 2
    assert len(archive.graph(5, as_of=before).network.channels) == 1
    with pytest.raises(UnknownObjectError):
        archive.graph("no-such-channel")


def test_a_lens_that_does_not_run_leaves_what_was_shown(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    from vfdir_lab.errors import ProjectionError
    from vfdir_lab.notebook.look import graph as module

    graph = archive.graph(1)

    def refuse(*_given: object) -> None:
        raise ProjectionError("connections: it does not run")

    monkeypatch.setattr(module, "network_of", refuse)
    buttons(graph)["Put Tides in the middle"].click()
    assert "connections: it does not run" in markup(graph)
    assert isinstance(graph, Graph)
    assert graph.channel == "channel:1"
