"""The lens board: which versions are in use where, what two of them answer, and Use."""

from collections.abc import Callable
from typing import Any

import ipywidgets as widgets
import pytest
from widgetry import every, markup

from vfdir_lab.archive import Archive
from vfdir_lab.errors import ProjectionError
from vfdir_lab.event import Draft
from vfdir_lab.notebook.look import LensBoard
from vfdir_lab.projection.shelf import Projection

HOSTILE = "<img src=x onerror=alert(1)>\u202etxt"


def seen(kind: str, object_id: str, **payload: Any) -> Draft:
    return Draft(kind=f"{kind}.observed", object_id=object_id, payload=payload, origin="arena")


@pytest.fixture
def archive(make_archive: Callable[..., Archive]) -> Archive:
    """A block whose title is wished to be another, so that versions of `blocks` answer differently."""
    made = make_archive(seen("block", "block:1", type="Text", title=HOSTILE))
    with made.transaction("mine") as tx:
        tx.edit("block:1", title="Mine")
    return made


@pytest.fixture
def board(archive: Archive) -> LensBoard:
    return archive.lens_board()


def click(board: LensBoard, word: str) -> None:
    (found,) = [
        one for one in every(board) if isinstance(one, widgets.Button) and one.description.startswith(word)
    ]
    found.click()


def test_it_lists_every_version_and_where_it_is_in_use(board: LensBoard, archive: Archive) -> None:
    assert len(board.lines()) == len(archive.projections.versions())
    assert "blocks v1 Best prediction: default" in board.lines()
    assert "blocks v2 Mirror: not in use" in board.lines()
    for one in archive.projections.versions():
        assert one.title in markup(board)


def test_use_changes_the_lens_and_says_so(board: LensBoard, archive: Archive) -> None:
    board.projection.value = "blocks"
    board.left.value = 2
    click(board, "Use blocks v2 in default")
    assert archive.projections["blocks"].current.version == 2
    assert "blocks v2 is in use in default" in board._said.value
    assert "blocks v2 Mirror: default" in board.lines()
    assert board._use.disabled


def test_use_changes_the_lens_that_is_chosen_and_no_other(archive: Archive) -> None:
    archive.lens("mine").use(channels=2)
    board = archive.lens_board()
    board.lens.value = "mine"
    board.left.value = 3
    click(board, "Use blocks v3 in mine")
    assert archive.lens("mine").versions["blocks"] == 3
    assert archive.lens().versions["blocks"] == 1


def test_what_is_in_use_needs_no_use(board: LensBoard) -> None:
    board.left.value = 1
    assert board._use.disabled
    board.left.value = 2
    assert not board._use.disabled


def test_the_difference_is_that_of_the_archive(board: LensBoard, archive: Archive) -> None:
    board.left.value, board.right.value = 1, 2
    click(board, "Difference")
    shown = board._difference.value
    assert archive.diff("blocks", 1, 2)._repr_mimebundle_()["text/html"] in shown
    assert "Mine" in shown
    assert "&lt;img" in shown
    assert "<img" not in markup(board)
    assert "\u202e" not in markup(board)


def test_another_projection_brings_its_versions_and_drops_the_difference(board: LensBoard) -> None:
    click(board, "Difference")
    board.projection.value = "connections"
    assert [value for _, value in board.left.options] == [1, 2, 3]
    assert board._difference.value == ""
    assert "The SQL of connections" in markup(board)


def test_a_version_that_is_refused_is_a_line_and_nothing_changes(
    board: LensBoard, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_projection: Projection, _version: int, *, lens: str) -> None:
        raise ProjectionError(f"it breaks a rule {HOSTILE} in {lens}")

    monkeypatch.setattr(Projection, "use", refuse)
    board.left.value = 2
    click(board, "Use")
    assert 'role="alert"' in board._said.value
    assert "it breaks a rule" in board._said.value
    assert "<img" not in board._said.value
    assert archive.projections["blocks"].current.version == 1


def test_an_own_version_with_a_hostile_title_is_text(archive: Archive) -> None:
    archive.projections["blocks"].save(9, HOSTILE, "SELECT * FROM blocks_v1")
    board = archive.lens_board()
    board.left.value = 9
    assert "&lt;img" in markup(board)
    assert "<img" not in markup(board)
    assert not any("\u202e" in name for name, _ in board.left.options)
    assert not board.left.description_allow_html


def test_looking_again_finds_new_versions_and_keeps_what_was_chosen(
    board: LensBoard, archive: Archive
) -> None:
    board.projection.value = "channels"
    board.left.value = 2
    before = [id(one) for one in every(board)]
    archive.projections["channels"].save(9, "Another", "SELECT * FROM channels_v1")
    click(board, "Look again")
    assert [id(one) for one in every(board)] == before
    assert (board.projection.value, board.left.value) == ("channels", 2)
    assert "channels v9 Another: not in use" in board.lines()


def test_without_a_kernel_the_versions_are_there_as_text(board: LensBoard) -> None:
    bundle = board._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert "blocks v1 Best prediction: default" in bundle["text/plain"]
    assert "run the cell again" in bundle["text/html"]


def test_every_control_has_a_label(board: LensBoard) -> None:
    controls = [one for one in every(board) if isinstance(one, widgets.Dropdown)]
    assert [one.description for one in controls] == ["Projection", "Version", "against", "Lens"]
