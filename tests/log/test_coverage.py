"""Coverage against a brute-force model: what counts is the longest readable prefix, each event once."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from vfdir_lab.log import Footer, Head, Missing, Refused
from vfdir_lab.log.coverage import Coverage, Listed, cover
from vfdir_lab.log.segment import SegmentName

Range = tuple[int, int]
NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)


def listed(device: str, first: int, last: int, *, proof: str = "0" * 16) -> Listed:
    return Listed(
        device=device,
        name=SegmentName(first=first, last=last, proof=proof),
        path=f"log/device={device}/month=2026-11/{first:012d}-{last:012d}-{proof}.parquet",
    )


def footer(one: Listed) -> Footer:
    return Footer(
        device=one.device,
        first=one.name.first,
        last=one.name.last,
        recorded_min=NOON,
        recorded_max=NOON,
        hlc_min=1,
        hlc_max=2,
        digest=f"sha256:{one.name.proof}",
        prev="",
    )


def covered(readable: Sequence[Listed], broken: Sequence[Listed] = ()) -> Coverage:
    """Apply the rule to files of which some cannot be read."""

    def read(one: Listed) -> Footer | Refused:
        return Refused(path=one.path, reason="broken") if one in broken else footer(one)

    return cover([*readable, *broken], read)


@st.composite
def layouts(draw: st.DrawFn) -> list[Range]:
    """Ranges as compactions leave them, at any depth: every two are nested or disjoint."""
    lengths = draw(st.lists(st.integers(1, 4), min_size=1, max_size=8))
    level: list[Range] = []
    for length in lengths:
        start = level[-1][1] + 1 if level else 1
        level.append((start, start + length - 1))
    found = list(level)
    while len(level) > 1 and draw(st.booleans()):
        start = draw(st.integers(0, len(level) - 2))
        end = draw(st.integers(start + 1, len(level) - 1))
        merged = (level[start][0], level[end][1])
        level[start : end + 1] = [merged]
        found.append(merged)
    return draw(st.permutations(found))


@st.composite
def folders(draw: st.DrawFn) -> tuple[list[Range], list[Range]]:
    """A legal layout of which files are missing and files are unreadable."""
    readable, broken = [], []
    for one in draw(layouts()):
        fate = draw(st.sampled_from(["fine", "fine", "gone", "broken"]))
        if fate == "fine":
            readable.append(one)
        elif fate == "broken":
            broken.append(one)
    return readable, broken


def longest_prefix(ranges: Sequence[Range]) -> int:
    """Brute force: the last seq up to which every seq is in some range."""
    held = {seq for first, last in ranges for seq in range(first, last + 1)}
    seq = 0
    while seq + 1 in held:
        seq += 1
    return seq


@given(folders())
def test_the_longest_readable_prefix_counts_whatever_is_gone_or_broken(
    folder: tuple[list[Range], list[Range]],
) -> None:
    readable, broken = folder
    found = covered([listed("k3f9", *one) for one in readable], [listed("k3f9", *one) for one in broken])
    head = longest_prefix(readable)
    assert found.head.seq("k3f9") == found.events == head
    assert {one.path for one in found.refused} <= {listed("k3f9", *one).path for one in broken}

    beyond = [one for one in [*readable, *broken] if one[1] > head]
    starts = [first for first, _ in [*readable, *broken] if first > head + 1]
    if not beyond:
        assert found.missing == ()
    else:
        last = min(starts) - 1 if starts else max(last for _, last in beyond)
        assert found.missing == (Missing(device="k3f9", first=head + 1, last=last),)


@given(folders())
def test_what_counts_holds_every_event_once_in_the_fewest_segments(
    folder: tuple[list[Range], list[Range]],
) -> None:
    readable, broken = folder
    found = covered([listed("k3f9", *one) for one in readable], [listed("k3f9", *one) for one in broken])
    ranges = [(one.footer.first, one.footer.last) for one in found.segments]
    seqs = [seq for first, last in ranges for seq in range(first, last + 1)]
    assert seqs == list(range(1, found.events + 1))
    for first, last in ranges:
        assert last == max(other for start, other in readable if start == first)
        assert not any(start < first and other >= last for start, other in readable)


@given(
    st.dictionaries(st.sampled_from(["aaaa", "bbbb", "cccc"]), folders()), st.randoms(use_true_random=False)
)
def test_the_order_of_a_listing_does_not_matter_and_devices_do_not_mix(
    archive: dict[str, tuple[list[Range], list[Range]]], chance: random.Random
) -> None:
    readable = [listed(device, *one) for device, folder in archive.items() for one in folder[0]]
    broken = [listed(device, *one) for device, folder in archive.items() for one in folder[1]]
    whole = covered(readable, broken)
    chance.shuffle(readable)
    chance.shuffle(broken)
    assert covered(readable, broken) == whole
    for device in archive:
        alone = covered(
            [one for one in readable if one.device == device], [one for one in broken if one.device == device]
        )
        assert whole.of(device) == alone.segments
        assert whole.head.seq(device) == alone.head.seq(device)


@given(st.lists(st.tuples(st.integers(1, 12), st.integers(0, 5)).map(lambda one: (one[0], sum(one)))))
def test_under_partial_overlaps_no_event_counts_twice_and_what_waits_is_named(ranges: list[Range]) -> None:
    found = covered([listed("k3f9", *one) for one in dict.fromkeys(ranges)])
    seqs = [s for one in found.segments for s in range(one.footer.first, one.footer.last + 1)]
    assert seqs == list(range(1, found.events + 1))
    assert bool(found.missing) == any(last > found.events for _, last in ranges)


def test_a_partial_overlap_is_damage() -> None:
    found = covered([listed("k3f9", 1, 5), listed("k3f9", 3, 8)])
    assert found.head == Head({"k3f9": 5})
    assert [str(gap) for gap in found.missing] == ["k3f9:6-8"]


def test_an_unreadable_file_shadows_nothing() -> None:
    small = [listed("k3f9", 1, 2), listed("k3f9", 3, 4)]
    found = covered([*small, listed("k3f9", 5, 6)], [listed("k3f9", 1, 4)])
    assert [one.path for one in found.segments] == [*(one.path for one in small), listed("k3f9", 5, 6).path]
    assert [one.reason for one in found.refused] == ["broken"]
    assert found.missing == ()


def test_what_only_an_unreadable_file_holds_is_missing() -> None:
    found = covered([listed("k3f9", 1, 2)], [listed("k3f9", 1, 6)])
    assert found.head == Head({"k3f9": 2})
    assert [str(gap) for gap in found.missing] == ["k3f9:3-6"]


def test_of_two_files_of_one_range_the_readable_one_counts() -> None:
    first, second = listed("k3f9", 1, 2, proof="a" * 16), listed("k3f9", 1, 2, proof="b" * 16)
    assert covered([second], [first]).segments[0].path == second.path
    assert covered([first, second]).segments == covered([second, first]).segments


def test_nothing_is_covered_by_nothing() -> None:
    found = covered([])
    assert found == Coverage()
    assert (found.events, found.of("k3f9"), str(found.head)) == (0, (), "empty")


@given(folders(), st.integers(0, 40))
def test_a_head_cuts_the_segments_into_those_up_to_it_and_those_after(
    folder: tuple[list[Range], list[Range]], seq: int
) -> None:
    found = covered([listed("k3f9", *one) for one in folder[0]])
    head = Head({"k3f9": seq, "m2aa": 7})
    upto = {s for one in found.upto(head) for s in range(one.footer.first, one.footer.last + 1)}
    after = {s for one in found.after(head) for s in range(one.footer.first, one.footer.last + 1)}
    everything = set(range(1, found.events + 1))
    assert {s for s in everything if s <= seq} <= upto
    assert {s for s in everything if s > seq} <= after
    assert len([*found.upto(head), *found.after(head)]) <= len(found.segments) + 1
