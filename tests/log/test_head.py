"""Heads: one spelling, and a partial order."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vfdir_lab.errors import HeadError
from vfdir_lab.log import Head

DEVICES = st.from_regex(r"[a-z0-9]{4,32}", fullmatch=True)
VECTORS = st.dictionaries(DEVICES, st.integers(0, 10**12 - 1), max_size=5)
SMALL = st.dictionaries(st.sampled_from(["aaaa", "bbbb", "cccc"]), st.integers(0, 3)).map(Head)


@given(VECTORS)
def test_a_head_reads_back_from_its_spelling(seqs: dict[str, int]) -> None:
    head = Head(seqs)
    assert Head.parse(str(head)) == head
    assert str(Head.parse(str(head))) == str(head)
    assert dict(head) == {device: seq for device, seq in seqs.items() if seq}


@given(VECTORS, st.randoms(use_true_random=False))
def test_equal_heads_have_one_spelling_and_one_hash(seqs: dict[str, int], chance: object) -> None:
    head, other = Head(seqs), Head(dict(reversed([*seqs.items(), ("zzzz9", 0)])))
    assert head == other
    assert hash(head) == hash(other)
    assert str(head) == str(other)
    assert head != seqs


@given(SMALL, SMALL, SMALL)
def test_covers_is_a_partial_order(one: Head, two: Head, three: Head) -> None:
    assert one.covers(one)
    assert one.covers(Head())
    assert (one.covers(two) and two.covers(one)) == (one == two)
    if one.covers(two) and two.covers(three):
        assert one.covers(three)
    assert one.covers(two) == all(one.seq(device) >= two.seq(device) for device in ["aaaa", "bbbb", "cccc"])


def test_a_device_that_is_not_in_a_head_counts_as_0() -> None:
    head = Head({"k3f9": 2})
    assert (head.seq("k3f9"), head.seq("m2aa")) == (2, 0)
    assert (len(head), list(head), head["k3f9"]) == (1, ["k3f9"], 2)
    with pytest.raises(KeyError):
        head["m2aa"]


@pytest.mark.parametrize(
    ("text", "spelling"),
    [
        ("empty", "empty"),
        (" empty ", "empty"),
        ("k3f9:0", "empty"),
        ("m2aa:311, k3f9:18204", "k3f9:18204,m2aa:311"),
        ("k3f9:007", "k3f9:7"),
    ],
)
def test_a_head_typed_by_a_person_is_understood(text: str, spelling: str) -> None:
    assert str(Head.parse(text)) == spelling
    assert repr(Head.parse(text)) == f"Head({spelling})"


@pytest.mark.parametrize(
    "text",
    [
        "",
        ",",
        "k3f9",
        "k3f9:",
        ":1",
        "k3f9:-1",
        "k3f9:1,",
        "k3f9:1,k3f9:2",
        "K3F9:1",
        "k3f:1",
        "k3f9:\u0661",
        "k3f9:1.5",
        "k3f9:" + "1" * 13,
        "empty,k3f9:1",
        "2026-01-01",
    ],
)
def test_what_is_no_head_is_refused(text: str) -> None:
    with pytest.raises(HeadError):
        Head.parse(text)


@given(st.text(max_size=30))
def test_parse_of_anything_gives_a_head_or_a_head_error(text: str) -> None:
    with suppress(HeadError):
        assert Head.parse(str(Head.parse(text))) == Head.parse(text)
