"""The slider: named places, a value for each, and nothing a browser sends leads out of them."""

import pytest

from vfdir_lab.notebook.look.slider import Slider

PLACES = [("first", 1), ("second", 2), ("now", None)]


def test_where_it_is_is_what_is_there() -> None:
    slider = Slider("Moment", PLACES)
    assert (slider.index, slider.value, slider.options) == (0, 1, tuple(PLACES))
    slider.index = 2
    assert slider.value is None


def test_other_places_are_offered_at_once() -> None:
    heard: list[object] = []
    slider = Slider("Moment", PLACES)
    slider.observe(lambda change: heard.append(change["new"]), "value")
    slider.offer([("second", 2), ("third", 3)], 3)
    assert (slider.index, slider.value, heard[-1]) == (1, 3, 3)
    slider.offer([("third", 3)], 3)
    assert (slider.index, slider.value) == (0, 3)


@pytest.mark.parametrize(("sent", "index"), [(-1, 0), (3, 2), (10**9, 2)])
def test_what_is_beyond_is_the_end(sent: int, index: int) -> None:
    slider = Slider("Moment", PLACES)
    slider.index = sent
    assert slider.index == index


def test_names_are_text() -> None:
    assert Slider("Moment", [("a\u202eb", 1)]).places == ["a\\u202eb"]


def test_its_front_end_asks_nothing_of_the_web() -> None:
    assert "http" not in Slider._esm
    assert "innerHTML" not in Slider._esm
