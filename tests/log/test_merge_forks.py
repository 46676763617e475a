"""Two copies that wrote as one device: ours is kept, theirs is put aside, all the rest is merged."""

from __future__ import annotations

import shutil
from pathlib import Path

import pyarrow as pa
import pytest
from copies import Copy, Sky, put

from vfdir_lab.errors import ForkedDeviceError
from vfdir_lab.log import Head
from vfdir_lab.log.devices import regression


@pytest.fixture
def bystander(tmp_path: Path, sky: Sky) -> Copy:
    return Copy(tmp_path / "bystander", sky)


def kept(copy: Copy) -> list[str]:
    """What is in the quarantine."""
    return sorted(str(path.relative_to(copy.root)) for path in copy.root.glob("quarantine/*/*"))


def test_ours_is_kept_theirs_is_put_aside_and_the_rest_is_merged(
    here: Copy, bystander: Copy, tmp_path: Path, sky: Sky
) -> None:
    here.append(1, 2)
    clone = here.clone(tmp_path / "clone")
    third = Copy(tmp_path / "third", sky)
    third.append(2)
    clone.merge(third)
    here.append(1, text="here")
    clone.append(1, 1, text="clone")
    bystander.merge(here)
    before = bystander.bytes()
    with pytest.raises(ForkedDeviceError, match=r"dev1 from seq 5 on: .* holds other events") as caught:
        bystander.merge(clone)
    assert (caught.value.device, caught.value.seq) == ("dev1", 5)
    assert caught.value.report.after == Head({"dev1": 5, "dev2": 3})
    assert before.items() <= bystander.bytes().items()
    assert kept(bystander) == [f"quarantine/device=dev1/{path.name}" for path in clone.segments("dev1")[2:]]
    for path in clone.segments("dev1")[2:]:
        assert (bystander.root / "quarantine" / "device=dev1" / path.name).read_bytes() == path.read_bytes()
    assert bystander.verify().ok
    assert {event.event_id for event in here.events()} <= {event.event_id for event in bystander.events()}


def test_merging_a_fork_again_says_so_again_and_adds_nothing(
    here: Copy, bystander: Copy, tmp_path: Path
) -> None:
    here.append(1)
    clone = here.clone(tmp_path / "clone")
    here.append(1, text="here")
    clone.append(1, text="clone")
    bystander.merge(here)
    found = []
    for _ in range(3):
        with pytest.raises(ForkedDeviceError):
            bystander.merge(clone)
        found.append(bystander.bytes())
    assert found[0] == found[1] == found[2]


def test_the_quarantine_never_overwrites(here: Copy, bystander: Copy, tmp_path: Path) -> None:
    here.append(1)
    clone = here.clone(tmp_path / "clone")
    here.append(1, text="here")
    clone.append(1, text="clone")
    bystander.merge(here)
    name = clone.segments()[1].name
    folder = bystander.root / "quarantine" / "device=dev1"
    folder.mkdir(parents=True)
    (folder / name).write_bytes(b"something of that name")
    (folder / f"2-{name}").symlink_to("nowhere")
    with pytest.raises(ForkedDeviceError) as caught:
        bystander.merge(clone)
    assert (folder / name).read_bytes() == b"something of that name"
    assert (folder / f"3-{name}").read_bytes() == clone.segments()[1].read_bytes()
    assert caught.value.report.forks[0].files == (f"quarantine/device=dev1/3-{name}",)


@pytest.mark.parametrize("squeezed", ["here", "there", "both"])
def test_a_fork_is_found_to_the_event_in_any_layout(
    here: Copy, bystander: Copy, tmp_path: Path, squeezed: str
) -> None:
    here.append(1, 2)
    clone = here.clone(tmp_path / "clone")
    first = here.append(3, text="here")
    clone.append(3, text="clone")
    bystander.merge(here)
    if squeezed in {"there", "both"}:
        clone.squeeze("dev1", 0, 2)
    if squeezed in {"here", "both"}:
        bystander.squeeze("dev1", 0, 2)
    with pytest.raises(ForkedDeviceError) as caught:
        bystander.merge(clone)
    assert caught.value.seq == first[0].seq
    assert bystander.verify().ok


class TestOurOwnDevice:
    """Segments of this copy's device in another folder are a backup, a lost tail, or a clone's work."""

    def test_a_backup_is_no_fork(self, here: Copy, tmp_path: Path, sky: Sky) -> None:
        here.append(1, 1)
        shutil.copytree(here.root, tmp_path / "backup")
        here.append(1)
        assert here.merge(tmp_path / "backup").whole
        assert here.merge(Copy(tmp_path / "backup", sky)).copied == ()

    @pytest.mark.parametrize("squeezed", [False, True])
    def test_a_lost_tail_is_taken_back_and_the_device_goes_on(
        self, here: Copy, bystander: Copy, *, squeezed: bool
    ) -> None:
        written = list(here.append(1, 1, 2))
        bystander.merge(here)
        if squeezed:
            bystander.squeeze("dev1", 1, 2)
        for path in here.segments()[1:]:
            path.unlink()
        assert len(regression(here.opened())) == 1
        assert here.merge(bystander).whole
        assert here.events() == written
        written += here.append(1)
        assert {event.device for event in written} == {"dev1"}
        assert here.verify().ok
        assert regression(here.log) == ()

    def test_a_part_of_a_lost_tail_is_taken_back_and_the_device_is_given_up(
        self, here: Copy, bystander: Copy
    ) -> None:
        """It is not proven to be the end of what we wrote, so nobody goes on from it."""
        here.append(1, 1)
        bystander.merge(here)
        here.append(1)
        for path in here.segments()[1:]:
            path.unlink()
        assert here.merge(bystander).whole
        assert here.log.coverage().head == Head({"dev1": 3})
        (joined, _) = here.append(1)
        assert (joined.device, joined.fields["instead_of"]) == ("dev3", "dev1")

    def test_what_a_clone_wrote_as_us_is_put_aside_and_we_are_it_no_longer(
        self, here: Copy, tmp_path: Path
    ) -> None:
        """Merging again, it is another device's part like any other: nothing is lost, nothing forks."""
        here.append(1)
        clone = here.clone(tmp_path / "clone")
        clone.append(1, text="clone")
        with pytest.raises(ForkedDeviceError, match="goes on as the new device dev2") as caught:
            here.merge(clone)
        (fork,) = caught.value.report.forks
        assert (fork.seq, fork.contradicts, fork.successor) == (3, False, "dev2")
        assert here.log.coverage().head == Head({"dev1": 2})
        assert len(kept(here)) == 1
        joined, _ = here.append(1)
        assert joined.fields == {
            "because": "another copy wrote as dev1, from seq 3",
            "instead_of": "dev1",
        }
        assert here.merge(clone).whole
        assert clone.merge(here).whole
        assert here.events() == clone.events()
        assert here.verify().ok

    def test_where_both_went_on_each_becomes_a_new_device_and_is_merged_from_then_on(
        self, here: Copy, tmp_path: Path
    ) -> None:
        here.append(1)
        clone = here.clone(tmp_path / "clone")
        here.append(1, text="here")
        clone.append(1, text="clone")
        for one, other in [(here, clone), (clone, here)]:
            with pytest.raises(ForkedDeviceError, match="dev1 from seq 3"):
                one.merge(other)
        here.append(1)
        clone.append(1)
        for one, other in [(here, clone), (clone, here)]:
            with pytest.raises(ForkedDeviceError) as caught:
                one.merge(other)
            assert caught.value.report.forks[0].successor is None
        heads = [one.log.coverage().head for one in (here, clone)]
        assert heads[0] == heads[1] == Head({"dev1": 3, "dev2": 2, "dev3": 2})

    def test_the_end_that_the_mark_remembers_must_be_the_same(self, here: Copy, tmp_path: Path) -> None:
        here.append(1)
        clone = here.clone(tmp_path / "clone")
        here.append(1, text="here")
        clone.append(1, text="clone")
        here.segments()[1].unlink()
        with pytest.raises(ForkedDeviceError) as caught:
            here.merge(clone)
        assert (caught.value.seq, len(here.segments())) == (3, 1)


def test_damage_of_ours_is_not_taken_for_a_fork(here: Copy, bystander: Copy) -> None:
    """A flipped byte in a payload still reads as Parquet; what our file's own name proves decides."""
    here.append(40, 1)
    bystander.merge(here)
    first = bystander.segments()[0]
    table = bystander.log.read(bystander.log.coverage().segments[0])
    payloads = ['{"title":"rotten"}'] * table.num_rows
    at = table.schema.get_field_index("payload")
    rotten = table.set_column(at, table.schema.field("payload"), pa.array(payloads))
    good = first.read_bytes()
    footer = bystander.log.coverage().segments[0].footer
    made = put(first, rotten, footer)
    made.replace(first)
    here.squeeze("dev1", 0, 1, bare=True)  # without parts, so that footers do not settle it
    assert bystander.merge(here).whole
    assert bystander.events() == here.events()
    assert first.read_bytes() != good  # it does not count any more; nothing takes it away
