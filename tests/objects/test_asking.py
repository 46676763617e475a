"""Asking for objects by number, id and slug; what is not there is told with what is."""

from __future__ import annotations

from typing import Any

import pytest

from vfdir_lab.errors import UnknownObjectError, UsageError, VfdirError


@pytest.mark.parametrize("name", [1, "channel:1", "tides-1"])
def test_a_channel_goes_by_number_id_and_slug(home: Any, name: Any) -> None:
    assert home.objects.channel(name) is home.objects.channel(1)


def test_a_former_slug_leads_to_the_channel_unless_another_has_it(home: Any) -> None:
    home.observe("channel:1", slug="ebb")
    channel = home.objects.channel("ebb")
    assert home.objects.channel("tides-1") is channel
    home.observe("channel:2", slug="tides-1")
    assert home.objects.channel("tides-1") is home.objects.channel(2)


def test_an_unknown_id_is_a_lookup_error_that_says_what_is_known(home: Any) -> None:
    with pytest.raises(UnknownObjectError, match=r"nothing is known of block:99.*3 blocks.*pull") as raised:
        home.objects.block(99)
    assert isinstance(raised.value, LookupError)
    assert isinstance(raised.value, VfdirError)
    assert raised.value.object_id == "block:99"
    home.observe("channel:99", title="Same number")
    with pytest.raises(UnknownObjectError, match="a channel of that number"):
        home.objects.block(99)


def test_an_unknown_slug_is_told_with_those_that_are_near(home: Any) -> None:
    with pytest.raises(UnknownObjectError, match=r"no channel 'tide-1'.*\(tides-1\)"):
        home.objects.channel("tide-1")
    with pytest.raises(UnknownObjectError, match="2 other channels"):
        home.objects.channel("quite another")


def test_an_id_met_only_as_a_reference_is_unknown_until_it_is_observed(home: Any) -> None:
    home.observe("block:60", type="Text", user={"id": 61, "type": "User"})
    with pytest.raises(UnknownObjectError):
        home.objects.user(61)
    held = home.objects.block(60).author
    home.observe("user:61", name="Bo")
    assert home.objects.user(61) is held
    assert held.name == "Bo"


@pytest.mark.parametrize("name", ["channel:1", "x:1", "tx:1", ":1", "block", "", "-1", "block:", "block:1:2"])
def test_what_is_no_block_is_no_block(home: Any, name: str) -> None:
    with pytest.raises((UsageError, UnknownObjectError)):
        home.objects.block(name)


@pytest.mark.parametrize("name", ["block:1", "user:9", "", "tides 1", "' OR 1=1 --"])
def test_what_is_no_channel_is_no_channel(home: Any, name: str) -> None:
    with pytest.raises((UsageError, UnknownObjectError)):
        home.objects.channel(name)
