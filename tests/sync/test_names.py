"""What people call a channel."""

import pytest

from vfdir_lab.errors import UsageError
from vfdir_lab.sync import channel_name


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("tides", "tides"),
        (" tides ", "tides"),
        ("cli-updated-title-c9bye_kvqxy", "cli-updated-title-c9bye_kvqxy"),
        ("275", 275),
        pytest.param(275, 275, id="a number"),
        ("channel:275", 275),
        ("https://www.are.na/ines-havel/tides", "tides"),
        ("https://www.are.na/ines-havel/tides?sort=x#top", "tides"),
        ("www.are.na/ines-havel/tides/", "tides"),
        ("are.na/channel/tides", "tides"),
        ("潮汐", "潮汐"),
    ],
)
def test_a_slug_a_number_and_an_address_are_understood(typed: int | str, meant: int | str) -> None:
    assert channel_name(typed) == meant


@pytest.mark.parametrize(
    "typed",
    ["", " ", "a b", "a/b", "../etc", "..", ".", "a\nb", "a?b", "a#b", "a%2Fb", "a\x00b", "a\u202eb",
     "x" * 201, "9" * 30 + "/", "https://example.org/a/b", "https://www.are.na/", "https://www.are.na/a/b%2Fc",
     "block:3", "http://[::1"],
)  # fmt: skip
def test_anything_else_is_refused_with_a_way_out(typed: str) -> None:
    with pytest.raises(UsageError, match=r"slug|address"):
        channel_name(typed)
