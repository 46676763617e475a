"""What segments are called in a bucket, and which of them are taken: laws about names alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vfdir_lab.log.segment import SegmentName
from vfdir_lab.scale.bucket_keys import Offered, after, key_of, offered, reach, route

PROOF = "0123456789abcdef"
RANGES = st.lists(
    st.tuples(st.integers(1, 12), st.integers(0, 11)).map(lambda one: (one[0], min(12, one[0] + one[1]))),
    max_size=8,
    unique=True,
)


def of(first: int, last: int) -> Offered:
    path = f"log/device=dev1/month=2026-11/{SegmentName(first=first, last=last, proof=PROOF)}"
    found = offered(key_of(path), 1, "tag")
    assert found is not None
    assert found.path == path
    return found


@pytest.mark.parametrize(
    "key",
    [
        "",
        "log/device=dev1",
        f"log/device=dev1/month=2026-11/000000000001-000000000002-{PROOF}.parquet",
        f"log/device=dev1/000000000003_2026-11_000000000001-000000000002-{PROOF}.parquet",
        f"log/device=dev1/000000000002_2026-11_000000000003-000000000002-{PROOF}.parquet",
        f"log/device=dev1/000000000002_../../x_000000000001-000000000002-{PROOF}.parquet",
        f"log/device=../000000000002_2026-11_000000000001-000000000002-{PROOF}.parquet",
        f"log/device=dev1/../000000000002_2026-11_000000000001-000000000002-{PROOF}.parquet",
        f"log/device=dev1/000000000002_2026-11_000000000001-000000000002-{PROOF}.parquet\n",
        f"log/device=dev1/٠٠٠٠٠٠٠٠٠٠٠٢_2026-11_000000000001-000000000002-{PROOF}.parquet",
    ],
)
def test_a_key_that_is_not_exactly_a_segments_offers_nothing(key: str) -> None:
    assert offered(key, 1, "tag") is None


def test_only_what_an_archive_has_gets_a_key() -> None:
    with pytest.raises(ValueError, match="quarantine"):
        key_of(f"quarantine/device=dev1/000000000001-000000000002-{PROOF}.parquet")


@given(ranges=RANGES, seq=st.integers(0, 13))
def test_after_a_seq_lies_everything_that_holds_an_event_above_it(
    ranges: list[tuple[int, int]], seq: int
) -> None:
    """And what ends just there, so that a bucket that was emptied is noticed."""
    every = [of(first, last) for first, last in ranges]
    assert {one.key for one in every if one.key > after("dev1", seq)} == {
        one.key for one in every if one.name.last >= seq
    }


@given(ranges=RANGES, agreed=st.sets(st.integers(0, 7)), ends=st.sets(st.integers(1, 12)))
def test_what_is_reached_is_agreed_on_and_something_ends_there(
    ranges: list[tuple[int, int]], agreed: set[int], ends: set[int]
) -> None:
    every = [of(first, last) for first, last in ranges]
    known = {one.key for at, one in enumerate(every) if at in agreed}
    seq = reach(every, 0, ends, agreed=lambda one: one.key in known)
    covered = {n for one in every if one.key in known for n in range(one.name.first, one.name.last + 1)}
    assert set(range(1, seq + 1)) <= covered
    assert seq == 0 or seq in ends
    beyond = [n for n in ends if n > seq and set(range(1, n + 1)) <= covered]
    assert not [n for n in beyond if any(one.name.last == n and one.key in known for one in every)]


@given(ranges=RANGES, seq=st.integers(0, 12), here=st.sets(st.integers(0, 7)))
def test_a_route_covers_all_that_is_offered_once(
    ranges: list[tuple[int, int]], seq: int, here: set[int]
) -> None:
    every = [of(first, last) for first, last in ranges]
    held = {one.key for at, one in enumerate(every) if at in here}
    chosen = route(every, seq, here=lambda one: one.key in held)
    offered_seqs = {n for one in every for n in range(one.name.first, one.name.last + 1) if n > seq}
    assert offered_seqs == {n for one in chosen for n in range(one.name.first, one.name.last + 1) if n > seq}
    lasts = [one.name.last for one in chosen]
    assert lasts == sorted(set(lasts))
    assert route(list(reversed(every)), seq, here=lambda one: one.key in held) == chosen


def test_a_route_takes_what_is_here_before_what_is_longer() -> None:
    small, large, rest = of(1, 2), of(1, 4), of(3, 4)
    assert route([small, large, rest], 0, here=lambda _one: False) == [large]
    assert route([small, large, rest], 0, here=lambda one: one is small) == [small, rest]
    assert route([large, rest], 2, here=lambda _one: False) == [rest]
    assert route([of(8, 9), rest], 2, here=lambda _one: False) == [rest, of(8, 9)]
