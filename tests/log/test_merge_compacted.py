"""One copy is compacted at once, the other lost its end: no order of merging loses anything."""

from __future__ import annotations

import shutil
from itertools import product
from pathlib import Path

import pytest
from copies import Copy, Sky

from vfdir_lab.errors import LogDamagedError
from vfdir_lab.event import Event
from vfdir_lab.log import compact

pytestmark = pytest.mark.usefixtures("in_memory")


def restored(folder: Path) -> tuple[Copy, Copy, list[Event]]:
    """Two copies and all that was acknowledged; the second was set back to an old backup of its folder.

    The first had merged it before, and has compacted its own part twice since.
    """
    sky = Sky()
    one, two = Copy(folder / "one", sky), Copy(folder / "two", sky)
    said = [*one.append(1, 2), *two.append(2, 1)]
    two.merge(one)
    shutil.copytree(two.root, folder / "backup")
    said += [*two.append(1, 3), *one.append(1)]
    assert compact(one.log, now=True).removed == 3
    one.merge(two)
    said += one.append(2, 1)
    assert compact(one.log, now=True).written == 1
    shutil.rmtree(two.root)
    shutil.copytree(folder / "backup", two.root)
    return one, two, sorted(said, key=lambda event: (event.device, event.seq))


@pytest.mark.parametrize("again", [False, True], ids=["", "compacted again"])
def test_no_order_of_merging_loses_an_acknowledged_event(tmp_path: Path, again: bool) -> None:
    """Also when the copy that merged first compacts at once, before it is merged with."""
    found = []
    for number, order in enumerate([(0, 1), (1, 0)]):
        *every, said = restored(tmp_path / str(number))
        first, second = (every[one] for one in order)
        first.merge(second)
        if again:
            compact(first.log, now=True)
        second.merge(first)
        first.merge(second)
        assert first.events() == second.events() == said
        assert all(copy.verify().ok for copy in every)
        found.append(first.events())
    assert found[0] == found[1]


def test_a_copy_that_lost_its_end_does_not_compact_what_is_left(tmp_path: Path) -> None:
    one, two, said = restored(tmp_path)
    before = two.bytes()
    with pytest.raises(LogDamagedError, match="not the log that this copy wrote"):
        compact(two.log, now=True)
    assert two.bytes() == before
    two.merge(one)
    assert compact(two.log, now=True).written == 1
    assert two.events() == said


@pytest.mark.parametrize(("first", "merges"), list(product((0, 1), ("before", "after"))))
def test_a_restored_copy_that_writes_goes_on_without_losing_what_it_forgot(
    tmp_path: Path, first: int, merges: str
) -> None:
    """It writes as a new device where it has not got its end back, as the old one where it has."""
    one, two, said = restored(tmp_path)
    if merges == "before":
        two.merge(one)
    more = two.append(2)
    every = (one, two)
    for copy, other in ((every[first], every[1 - first]), (every[1 - first], every[first])):
        copy.merge(other)
    every[first].merge(every[1 - first])
    expected = sorted([*said, *more], key=lambda event: (event.device, event.seq))
    assert one.events() == two.events() == expected
    assert {event.device for event in more} == {"dev2" if merges == "before" else "dev3"}
    assert one.verify().ok
    assert two.verify().ok
