"""The sync panel as widgets: what it shows of a state, and which click does what."""

from collections.abc import Iterator
from pathlib import Path

import ipywidgets as widgets
import pytest

from vfdir_lab.archive import Archive
from vfdir_lab.notebook.sync import SyncPanel
from vfdir_lab.notebook.sync.panel import as_text
from vfdir_lab.notebook.sync.state import ChannelRow, ConflictRow, Doing, PanelState, WishRow

HOSTILE = "<img src=x onerror=alert(1)>\u202etxt"
STATE = PanelState(
    channels=(
        ChannelRow(
            object_id="channel:1", title=HOSTILE, visibility="private", length=5, seen_at=None, whole_at=None
        ),
    ),
    blocks=5,
    wishes=(
        WishRow(tx="tx:a", label=HOSTILE, state="rejected", attempts=2, why=HOSTILE, is_ours=True),
        WishRow(tx="tx:b", label="b", state="accepted", attempts=1, why="", is_ours=True),
        WishRow(tx="tx:c", label="c", state="committed", attempts=0, why="", is_ours=False),
    ),
    conflicts=(
        ConflictRow(
            tx="tx:a", object_id="block:1", field="title", mine=HOSTILE, theirs=None, base="before it"
        ),
    ),
    account="ines, free, 3 of 120 requests this minute",
    said=(HOSTILE,),
)


@pytest.fixture
def panel(tmp_path: Path) -> Iterator[SyncPanel]:
    archive = Archive(tmp_path / "archive", create=True, api_url="http://127.0.0.1:9", token="")
    made: SyncPanel = archive.sync_panel()
    yield made
    assert made._desk.worker.join(60)


def every(widget: widgets.Widget) -> list[widgets.Widget]:
    found = [widget]
    for child in getattr(widget, "children", ()):
        found += every(child)
    return found


def markup(panel: SyncPanel) -> str:
    return "\n".join(one.value for one in every(panel) if isinstance(one, widgets.HTML))


def buttons(panel: SyncPanel) -> dict[str, widgets.Button]:
    return {one.tooltip: one for one in every(panel) if isinstance(one, widgets.Button)}


def test_remote_text_stays_text(panel: SyncPanel) -> None:
    panel.show(STATE)
    assert "<img" not in markup(panel)
    assert "&lt;img" in markup(panel)
    assert "\u202e" not in markup(panel)
    (chosen,) = [one for one in every(panel) if isinstance(one, widgets.ToggleButton)]
    assert chosen.description.startswith("☐ <img")
    assert "\u202e" not in chosen.description


def test_a_state_has_a_word_and_a_reason(panel: SyncPanel) -> None:
    panel.show(STATE)
    assert "refused" in markup(panel)
    assert "on another device" in markup(panel)
    assert "try 2" in markup(panel)
    assert "nothing" in markup(panel)  # theirs is null, which is not the empty text
    assert "3 of 120 requests" in markup(panel)


def test_only_what_a_person_can_decide_has_a_button(panel: SyncPanel) -> None:
    panel.show(STATE)
    words = sorted(one.description for one in buttons(panel).values())
    assert words == [
        "Add",
        "Cancel",
        "Cancel",
        "Keep mine",
        "Pause",
        "Pull",
        "Push 1",
        "Retry",
        "Sync",
        "Take theirs",
    ]


def test_what_it_waits_for_is_said(panel: SyncPanel) -> None:
    doing = Doing(
        name="pull", channel="Tides", items=3, total=9, waiting="waits 12 s: are.na asks for a pause"
    )
    panel.show(PanelState(doing=doing))
    assert "pull: Tides 3 of 9: waits 12 s: are.na asks for a pause" in markup(panel)


def test_a_push_without_a_token_is_a_line_and_no_traceback(panel: SyncPanel) -> None:
    buttons(panel)["Push"].click()
    assert panel._desk.worker.join(60)
    assert "a push needs a token" in markup(panel)


def test_two_panels_of_an_archive_show_the_same(panel: SyncPanel, tmp_path: Path) -> None:
    second = Archive(tmp_path / "archive").sync_panel()
    buttons(panel)["Push"].click()
    assert panel._desk.worker.join(60)
    assert "a push needs a token" in markup(second)


def test_drawing_the_same_again_leaves_the_widgets_where_they_are(panel: SyncPanel) -> None:
    """A rebuilt row would take the focus away from the person's hands."""
    panel.show(STATE)
    before = [id(one) for one in every(panel)]
    panel.show(STATE)
    assert [id(one) for one in every(panel)] == before


def test_without_a_kernel_the_last_state_is_there_as_text(panel: SyncPanel) -> None:
    picture, live = panel.outputs()
    assert "application/vnd.jupyter.widget-view+json" in live
    assert "text/html" not in live
    assert "run the cell again" in picture["text/html"]
    assert "0 channels" in picture["text/plain"]
    assert as_text(STATE, "a")[0] == "a: 1 channel, 5 blocks"
