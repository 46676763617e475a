"""What is more than a minute ahead of the wall is here and waits; a person may let it count."""

from __future__ import annotations

from pathlib import Path

import pytest
from copies import Copy, Sky

from vfdir_lab.log import Head
from vfdir_lab.log.devices import accept_future, devices


@pytest.fixture
def there(tmp_path: Path, sky: Sky) -> Copy:
    """Another device that wrote once in time and twice with a clock an hour fast."""
    there = Copy(tmp_path / "there", sky)
    there.append(1)
    sky.step(3600)
    there.append(1, 1)
    sky.step(-3600)
    return there


def test_it_is_taken_and_does_not_count_until_the_wall_has_caught_up(
    here: Copy, there: Copy, sky: Sky
) -> None:
    report = here.merge(there)
    assert (report.whole, report.missing, len(report.copied)) == (False, (), 3)
    assert report.after == Head({"dev1": 2})
    assert [(one.first, one.last, round(one.ahead_seconds)) for one in report.waiting] == [
        (3, 3, 3600),
        (4, 4, 3600),
    ]
    assert "3600 s ahead" in str(report)
    (state,) = devices(here.log)
    assert (state.seq, len(state.waiting), state.missing, state.refused) == (2, 2, (), ())
    assert here.merge(there).copied == ()
    sky.step(3541)
    assert here.log.coverage().head == Head({"dev1": 4})
    assert here.merge(there).whole
    assert here.verify().ok


def test_accepting_it_is_remembered_on_this_machine(here: Copy, there: Copy, sky: Sky) -> None:
    report = here.merge(there, accept_future=True)
    assert (report.whole, len(report.accepted)) == (True, 2)
    assert here.opened().coverage().head == Head({"dev1": 4})
    assert here.verify().ok
    sky.step(7200)
    there.append(1)
    sky.step(-7200)
    assert here.merge(there).after == Head({"dev1": 4})  # what is further ahead waits again
    assert here.opened().coverage().head == Head({"dev1": 4})


def test_an_accepted_stamp_does_not_poison_the_clock_here(here: Copy, there: Copy) -> None:
    here.merge(there, accept_future=True)
    mine = here.append(1)
    assert max(event.hlc for event in mine) < max(event.hlc for event in there.events())


def test_what_waits_in_a_shared_folder_can_be_accepted_too(there: Copy, tmp_path: Path, sky: Sky) -> None:
    here = Copy(there.root, sky, home=tmp_path / "elsewhere")
    assert here.log.coverage().head == Head({"dev1": 2})
    assert [str(one) for one in accept_future(here.log)] == [
        "dev1:3-3, 3600 s ahead",
        "dev1:4-4, 3600 s ahead",
    ]
    assert here.log.coverage().head == Head({"dev1": 4})


def test_what_waits_still_contradicts_a_fork(here: Copy, there: Copy, tmp_path: Path, sky: Sky) -> None:
    """It is held, so nothing else is taken in its place."""
    clone = there.clone(tmp_path / "clone")
    there.append(1, text="there")
    clone.append(1, text="clone")
    here.merge(there)
    files = here.segments()
    with pytest.raises(Exception, match="dev1 from seq 5"):
        here.merge(clone)
    assert here.segments() == files
