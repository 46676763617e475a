"""Cut, killed or raced: a transfer that did not end counts nowhere, and the next one goes on."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from buckets import Storage, client, moto, settle, shared
from copies import Copy, Sky, held
from cutting import DOWN, UP, Way, way_to

from vfdir_lab.errors import ArchiveError
from vfdir_lab.event.stamp import utc_now
from vfdir_lab.log.segment import proof
from vfdir_lab.scale import bucket_store

SHARER = Path(__file__).parents[1] / "support" / "sharer.py"
Starting = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture(scope="module")
def storage() -> Iterator[Storage]:
    with moto() as running:
        yield running


@pytest.fixture
def way(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> Iterator[Way]:
    """The way that the environment leads along; the client does not try again by itself."""
    with way_to(storage.url) as way:
        for name, value in (storage.environment() | {"AWS_ENDPOINT_URL": way.url}).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(bucket_store, "_TRIES", 0)
        yield way


@pytest.fixture
def bucket(storage: Storage) -> str:
    return storage.bucket()


@pytest.fixture
def start() -> Iterator[Starting]:
    """`start(root, home, name, batches, url)` shares in a process of its own."""
    processes: list[subprocess.Popen[str]] = []

    def starting(*arguments: object) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, str(SHARER), *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        return process

    yield starting
    for process in processes:
        process.kill()
        process.communicate()


def written(folder: Path) -> Copy:
    """A copy with three small segments and a large one."""
    sky, chance = Sky(), random.Random(20_261_123)
    sky.moment = utc_now()
    copy = Copy(folder, sky)
    copy.append(1, 1, 1)
    copy.append(1, text=chance.randbytes(100_000).hex())
    return copy


def objects(storage: Storage, bucket: str) -> dict[str, bytes]:
    aws = client(storage.url)
    found = aws.list_objects_v2(Bucket=bucket).get("Contents", [])
    return {one["Key"]: aws.get_object(Bucket=bucket, Key=one["Key"])["Body"].read() for one in found}


def check_staged(copy: Copy) -> None:
    """Nothing torn is left, and whatever is there is what its name says."""
    for path in copy.root.glob("cache/*/bucket/*/archive/log/*/*/*"):
        assert f"-{proof(path.read_bytes())}.parquet" in path.name


@pytest.mark.parametrize("after", [0, 300, 5_000, 60_000, 100_000])
@pytest.mark.parametrize("direction", [UP, DOWN])
def test_cut_while_sending_then_again(
    storage: Storage, bucket: str, way: Way, tmp_path: Path, direction: str, after: int
) -> None:
    """Whatever is in the bucket is whole, the next time the rest is sent, and nothing twice."""
    one, url = written(tmp_path / "one"), f"s3://{bucket}/x"
    way.cut, way.after = direction, after
    for _ in range(2):
        with suppress(ArchiveError):
            shared(one, url)
        for key, data in objects(storage, bucket).items():
            assert f"-{proof(data)}.parquet" in key
    assert way.cuts or direction == DOWN
    way.cut = ""
    assert shared(one, url).whole
    assert {key.rpartition("_")[2] for key in objects(storage, bucket)} == {p.name for p in one.segments()}
    assert shared(one, url).sent == ()


@pytest.mark.parametrize("after", [0, 300, 3_000, 20_000, 60_000, 90_000])
def test_cut_while_fetching_then_again(
    storage: Storage, bucket: str, way: Way, tmp_path: Path, after: int
) -> None:
    one, url = written(tmp_path / "one"), f"s3://{bucket}/x"
    shared(one, url)
    two = Copy(tmp_path / "two", one.sky)
    way.cut, way.after = DOWN, after
    with pytest.raises(ArchiveError, match=r"could not be reached|failed to"):
        shared(two, url)
    assert way.cuts
    check_staged(two)
    assert two.verify().ok
    way.cut = ""
    report = shared(two, url)
    assert report.whole
    assert two.events() == one.events()
    assert len(report.copied) == len(set(report.copied)) == len(one.segments())
    check_staged(two)


def test_killed_in_the_middle_of_a_fetch_then_again(
    bucket: str, way: Way, tmp_path: Path, start: Starting
) -> None:
    """What was fetched whole by then is not fetched again; what was torn is."""
    one, url = written(tmp_path / "one"), f"s3://{bucket}/x"
    shared(one, url)
    two = Copy(tmp_path / "two", one.sky)
    two.append(1)
    way.hold, way.after = DOWN, 50_000
    process = start(two.root, two.home, "none", 0, url)
    assert way.standing.wait(30)
    assert process.stdout is not None
    for _ in range(3):
        assert process.stdout.readline()
    process.kill()
    process.wait(30)
    way.over.set()
    (torn,) = two.root.glob("cache/*/bucket/*/archive/log/*/*/.*")
    assert torn.name.endswith(".part")
    assert len(two.events()) == 2
    way.hold = ""
    told: list[tuple[int, int]] = []
    two.log = two.opened()
    report = shared(two, url, progress=lambda done, planned: told.append((done, planned)))
    assert report.whole
    assert told[0] == (1, 1)
    assert set(one.events()) <= set(two.events())
    assert not torn.exists()
    check_staged(two)


def test_an_interrupt_waits_for_nothing(bucket: str, way: Way, tmp_path: Path, start: Starting) -> None:
    """Ctrl-C while a transfer stands still: the process is gone at once, and the next one goes on."""
    one, url = written(tmp_path / "one"), f"s3://{bucket}/x"
    shared(one, url)
    two = Copy(tmp_path / "two", one.sky)
    way.hold, way.after = DOWN, 50_000
    process = start(two.root, two.home, "none", 0, url)
    assert way.standing.wait(30)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=bucket_store.SILENCE.total_seconds() / 2)
    assert process.returncode != 0
    assert "KeyboardInterrupt" in said
    way.over.set()
    way.hold = ""
    two.log = two.opened()
    assert shared(two, url).whole
    assert two.events() == one.events()
    check_staged(two)


def test_three_devices_race_in_processes_of_their_own(
    storage: Storage,
    bucket: str,
    tmp_path: Path,
    start: Starting,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """All record and share at the same time; in the end everyone holds what anyone recorded, once."""
    for name, value in storage.environment().items():
        monkeypatch.setenv(name, value)
    url = f"s3://{bucket}/x"
    places = [tmp_path / name for name in ("one", "two", "three")]
    racing = [start(place, tmp_path / f"s-{place.name}", f"dev{place.name}", 6, url) for place in places]
    for process in racing:
        _, said = process.communicate(timeout=120)
        assert process.returncode == 0, said
    sky = Sky()
    sky.moment = utc_now()
    copies = [Copy(place, sky, tmp_path / f"s-{place.name}") for place in places]
    settle(copies, url)
    first, *others = held(copies)
    assert all(events == first for events in others)
    assert len({event.event_id for event in first}) == len(first) == 3 * (1 + 6 * 2)
    for copy in copies:
        assert copy.verify().ok
        assert shared(copy, url).whole
    for key, data in objects(storage, bucket).items():
        assert f"-{proof(data)}.parquet" in key
    assert os.environ["AWS_ENDPOINT_URL"] == storage.url


def test_two_processes_of_one_copy_take_turns(
    storage: Storage, bucket: str, tmp_path: Path, start: Starting, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in storage.environment().items():
        monkeypatch.setenv(name, value)
    url = f"s3://{bucket}/x"
    one = written(tmp_path / "one")
    two = Copy(tmp_path / "two", one.sky)
    two.append(1)
    shared(one, url)
    both = [start(two.root, two.home, "none", 0, url) for _ in range(2)]
    for process in both:
        _, said = process.communicate(timeout=60)
        assert process.returncode == 0, said
    two.log = two.opened()
    assert shared(two, url).whole
    assert set(one.events()) <= set(two.events())
    assert two.verify().ok
