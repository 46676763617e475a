"""What sharing through a bucket promises, asked of moto and of a real server alike."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from buckets import Storage, client, moto, seaweed, shared
from copies import Copy, Sky, put

from vfdir_lab.errors import ForkedDeviceError, LogWriteError
from vfdir_lab.scale import bucket_store
from vfdir_lab.scale.bucket_keys import key_of

NUMBERS = count(1)
pytestmark = pytest.mark.xdist_group("bucket")


@pytest.fixture(scope="module", params=["moto", "seaweed"])
def storage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Storage]:
    starting = moto() if request.param == "moto" else seaweed(tmp_path_factory.mktemp("seaweed"))
    with starting as running:
        yield running


@pytest.fixture(scope="module")
def bucket(storage: Storage) -> str:
    return storage.bucket()


@pytest.fixture
def url(storage: Storage, bucket: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A place of the test's own in the bucket, which the environment leads to."""
    for name, value in storage.environment().items():
        monkeypatch.setenv(name, value)
    return f"s3://{bucket}/an archive/of ours {next(NUMBERS)}"


@pytest.fixture
def aws(storage: Storage) -> Any:
    return client(storage.url)


@pytest.fixture
def one(tmp_path: Path) -> Copy:
    return Copy(tmp_path / "one", Sky())


@pytest.fixture
def two(tmp_path: Path, one: Copy) -> Copy:
    return Copy(tmp_path / "two", one.sky)


def prefix(url: str) -> str:
    return url.removeprefix("s3://").partition("/")[2]


def keys(aws: Any, url: str) -> list[str]:
    bucket = url.removeprefix("s3://").partition("/")[0]
    found = aws.list_objects_v2(Bucket=bucket, Prefix=f"{prefix(url)}/")
    return [one["Key"] for one in found.get("Contents", [])]


def key_in(url: str, path: Path, copy: Copy) -> str:
    """The key of a segment of a copy, prefix included."""
    return f"{prefix(url)}/{key_of(str(path.relative_to(copy.root)))}"


def test_what_one_sends_another_takes_and_both_are_whole(url: str, one: Copy, two: Copy) -> None:
    one.append(1, 2)
    two.append(3)
    sent = shared(one, url)
    assert len(sent.sent) == 2
    assert sent.sent_bytes == sum(path.stat().st_size for path in one.segments())
    report = shared(two, url)
    assert len(report.copied) == 2
    assert report.whole
    assert shared(one, url).events == 4
    assert one.events() == two.events()
    assert {path.name: path.read_bytes() for path in one.segments()} == {
        path.name: path.read_bytes() for path in two.segments()
    }
    assert one.verify().ok
    assert not list(two.root.glob("cache/*/bucket/*/archive/log/*/*/*"))


def test_again_nothing_is_fetched_sent_or_changed(
    url: str, bucket: str, aws: Any, one: Copy, two: Copy
) -> None:
    one.append(1, 2)
    shared(one, url)
    shared(two, url)
    before, objects = two.bytes(), keys(aws, url)
    told: list[tuple[int, int]] = []
    report = shared(two, url, progress=lambda done, planned: told.append((done, planned)))
    assert (report.copied, report.sent, told) == ((), (), [])
    notes = [path for path in two.bytes() if path.endswith("settled.json")]
    assert {path: data for path, data in two.bytes().items() if path not in notes} == {
        path: data for path, data in before.items() if path not in notes
    }
    assert keys(aws, url) == objects


def test_what_is_there_is_never_overwritten(url: str, bucket: str, aws: Any, one: Copy, two: Copy) -> None:
    """Something else under our name is an error that names it; all the rest is sent and taken."""
    first, second = one.append(1, 1) and one.segments()
    aws.put_object(Bucket=bucket, Key=key_in(url, first, one), Body=b"something else")
    two.append(2)
    with pytest.raises(ForkedDeviceError, match="holds other bytes than this archive") as raised:
        shared(one, url)
    assert raised.value.report.sent == (str(second.relative_to(one.root)),)
    assert (raised.value.device, raised.value.seq) == ("dev1", 1)
    assert aws.get_object(Bucket=bucket, Key=key_in(url, first, one))["Body"].read() == b"something else"
    report = shared(two, url)
    assert report.copied == ()
    assert [key_in(url, first, one)] == [f"{prefix(url)}/{one.path}" for one in report.refused]


def test_an_object_of_another_size_than_ours_is_noticed_when_listed(
    url: str, bucket: str, aws: Any, one: Copy
) -> None:
    one.append(1)
    shared(one, url)
    aws.put_object(Bucket=bucket, Key=key_in(url, one.segments()[0], one), Body=b"x")
    for _ in range(3):
        one.append(1)
        with pytest.raises(ForkedDeviceError, match="other bytes") as raised:
            shared(one, url)
        assert len(raised.value.report.sent) == 1


def test_a_bucket_that_was_emptied_is_filled_again(
    url: str, bucket: str, aws: Any, one: Copy, two: Copy
) -> None:
    one.append(1, 2)
    shared(one, url)
    shared(one, url)
    for key in keys(aws, url):
        aws.delete_object(Bucket=bucket, Key=key)
    one.append(1)
    assert len(shared(one, url).sent) == 3
    assert shared(two, url).whole
    assert two.events() == one.events()


def test_a_lost_file_comes_back(url: str, one: Copy, two: Copy) -> None:
    one.append(1, 1, 1)
    shared(one, url)
    shared(two, url)
    shared(two, url)
    two.segments()[1].unlink()
    two.log = two.opened()
    assert shared(two, url).whole
    assert two.events() == one.events()


def test_a_key_that_comes_late_is_not_missed(url: str, one: Copy, two: Copy) -> None:
    """The clock of a device steps back over a month: its later segment has the earlier month."""
    one.append(1)
    shared(one, url)
    shared(two, url)
    one.sky.step(-10 * 86_400)
    one.append(1)
    shared(one, url)
    one.sky.step(10 * 86_400)
    assert shared(two, url).whole
    assert two.events() == one.events()
    assert [path.parent.name for path in one.segments()] == ["month=2026-11", "month=2026-10"]


def test_what_was_compacted_before_it_was_sent_is_not_missed(url: str, one: Copy, two: Copy) -> None:
    """A segment that begins long before the last key seen, and ends after it."""
    one.append(1, 1)
    shared(one, url)
    shared(two, url)
    one.append(1, 1)
    one.squeeze("dev1", 0, 3)
    one.log = one.opened()
    assert len(shared(one, url).sent) == 1
    report = shared(two, url)
    assert report.whole
    assert two.events() == one.events()


def test_a_compaction_is_sent_once_and_fetched_only_by_new_copies(
    url: str, bucket: str, aws: Any, one: Copy, two: Copy
) -> None:
    one.append(1, 1, 1)
    shared(one, url)
    shared(two, url)
    one.squeeze("dev1", 0, 2)
    one.log = one.opened()
    assert len(shared(one, url).sent) == 1
    assert shared(one, url).sent == ()
    assert shared(two, url).copied == ()
    assert len(keys(aws, url)) == 4
    third = Copy(one.root.parent / "third", one.sky)
    assert len(shared(third, url).copied) == 1
    assert third.events() == one.events()
    assert third.verify().ok


def test_what_a_gone_device_recorded_is_sent_by_who_holds_it(url: str, one: Copy, two: Copy) -> None:
    one.append(2)
    two.append(1)
    two.merge(one)
    shared(two, url)
    third = Copy(one.root.parent / "third", one.sky)
    assert shared(third, url).whole
    assert third.events() == two.events()


def put_aside(copy: Copy, segment: Path) -> list[Path]:
    """What a copy keeps of objects that bear the name of a segment and are not what they say."""
    return sorted((copy.root / "quarantine" / "device=dev1").glob(f"{segment.name}.*.wrong"))


@pytest.mark.parametrize("wrong", ["one byte", "cut short", "empty", "longer", "garbage"])
def test_a_wrong_object_is_refused_and_the_rest_taken(
    url: str, bucket: str, aws: Any, one: Copy, two: Copy, wrong: str
) -> None:
    """It is named, it is not fetched again while it stays, and the good one is taken when it is there."""
    one.append(1, 1, 1)
    shared(one, url)
    last = one.segments()[-1]
    good = last.read_bytes()
    bad = {
        "one byte": good[:-9] + bytes([good[-9] ^ 1]) + good[-8:],
        "cut short": good[:-1],
        "empty": b"",
        "longer": good + good,
        "garbage": b"PAR1 of a sort",
    }[wrong]
    aws.put_object(Bucket=bucket, Key=key_in(url, last, one), Body=bad)
    report = shared(two, url)
    assert [one.reason for one in report.refused] == ["its bytes are not those its name proves"]
    assert [str(gap) for gap in report.missing] == ["dev1:4-4"]
    assert len(two.events()) == 3
    assert [path.read_bytes() for path in put_aside(two, last)] == [bad]
    told: list[int] = []
    shared(two, url, progress=lambda done, _all: told.append(done))
    assert told == []
    aws.put_object(Bucket=bucket, Key=key_in(url, last, one), Body=good)
    assert shared(two, url).whole
    assert two.events() == one.events()


def test_a_quarantine_that_leads_out_of_the_archive_is_not_written_to(
    url: str, bucket: str, aws: Any, one: Copy, two: Copy, tmp_path: Path
) -> None:
    one.append(1)
    shared(one, url)
    aws.put_object(Bucket=bucket, Key=key_in(url, one.segments()[-1], one), Body=b"PAR1 of a sort")
    (tmp_path / "elsewhere").mkdir()
    (two.root / "quarantine").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(LogWriteError, match="leads out of the archive; nothing is written there"):
        shared(two, url)
    assert list((tmp_path / "elsewhere").rglob("*.wrong")) == []


def test_a_wrong_large_object_shadows_no_good_small_ones(
    url: str, bucket: str, aws: Any, one: Copy, two: Copy
) -> None:
    one.append(1, 1, 1)
    shared(one, url)
    large = one.squeeze("dev1", 0, 2, keep=True)
    aws.put_object(Bucket=bucket, Key=key_in(url, large, one), Body=large.read_bytes()[:-1] + b"\0")
    report = shared(two, url)
    assert two.events() == one.events()
    assert [one.path for one in report.refused] == [key_of(str(large.relative_to(one.root)))]


def test_a_forged_segment_that_proves_its_bytes_is_refused_by_the_merge(
    url: str, bucket: str, aws: Any, one: Copy, two: Copy
) -> None:
    """Longer than the good ones, so it would be taken first; its rows are not those of its footer."""
    one.append(1, 1, 1)
    shared(one, url)
    table = one.log.read(one.log.coverage().segments[0])
    forged = one.squeeze("dev1", 0, 2, keep=True)
    segment = one.opened().coverage().segments[0]
    rows = one.log.read(segment)
    lie = put(forged, rows.slice(0, 1), segment.footer)
    assert lie != forged
    assert table.num_rows < rows.num_rows
    aws.put_object(Bucket=bucket, Key=key_in(url, lie, one), Body=lie.read_bytes())
    for path in (forged, lie):
        path.unlink()
    report = shared(two, url)
    assert two.events() == one.events()
    assert [refused.path for refused in report.refused] == [key_of(str(lie.relative_to(one.root)))]
    assert len(put_aside(two, lie)) == 1


def test_a_huge_object_is_not_fetched(
    url: str, one: Copy, two: Copy, monkeypatch: pytest.MonkeyPatch
) -> None:
    one.append(1, 1)
    shared(one, url)
    bound = max(path.stat().st_size for path in one.segments()) - 1
    monkeypatch.setattr(bucket_store, "SEGMENT_BOUND_BYTES", bound)
    report = shared(two, url)
    assert f"it is larger than {bound} bytes" in {one.reason for one in report.refused}
    assert len(report.refused) + len(report.copied) == 2


ODD = [
    "log/device=dev1/notes.txt",
    "log/device=dev1/000000000009_2026-11_000000000001-000000000002-0123456789abcdef.parquet",
    "log/device=dev1/000000000002_2026-11_000000000003-000000000002-0123456789abcdef.parquet",
    "log/device=dev1/month=2026-11/000000000001-000000000002-0123456789abcdef.parquet",
    "log/device=DEV/000000000002_2026-11_000000000001-000000000002-0123456789abcdef.parquet",
    "log/README.md",
    "unrelated",
]


def test_keys_with_odd_names_are_named_or_passed_over(
    url: str, bucket: str, aws: Any, one: Copy, two: Copy
) -> None:
    one.append(1, 1)
    shared(one, url)
    for key in ODD:
        aws.put_object(Bucket=bucket, Key=f"{prefix(url)}/{key}", Body=b"x")
    report = shared(two, url)
    assert two.events() == one.events()
    assert {one.reason for one in report.refused} <= {"its name is not a segment's"}
    assert sorted(path.name for path in two.root.iterdir()) == ["archive.toml", "cache", "log"]


def test_a_fork_is_put_aside_and_nothing_of_that_device_is_sent(
    url: str, bucket: str, aws: Any, one: Copy, two: Copy
) -> None:
    """A cloned machine: who comes second finds out and goes on as a new device; the bucket stays as it is."""
    one.append(1)
    clone = one.clone(one.root.parent / "clone")
    ours = one.append(2)
    shared(one, url)
    theirs = clone.append(1, text="clone")
    two.append(1)
    clone.merge(two)
    with pytest.raises(ForkedDeviceError, match="goes on as the new device") as raised:
        shared(clone, url)
    assert raised.value.seq == ours[0].seq
    assert [path.split("/")[1] for path in raised.value.report.sent] == ["device=dev2"]
    assert set(theirs) <= set(clone.events())
    (kept,) = clone.root.glob("quarantine/*/*")
    assert kept.read_bytes() == one.segments("dev1")[-1].read_bytes()
    new = clone.append(1)
    with pytest.raises(ForkedDeviceError):
        shared(clone, url)
    assert shared(one, url).whole
    assert set(new) <= set(one.events())
    assert one.verify().ok


def test_clones_that_send_at_the_same_moment_find_out(
    url: str, bucket: str, aws: Any, one: Copy, two: Copy
) -> None:
    """Neither saw the other's objects before it sent its own; nobody's are overwritten."""
    one.append(1)
    shared(one, url)
    shared(one, url)
    clone = one.clone(one.root.parent / "clone")
    one.append(2)
    clone.append(1, text="clone")
    theirs = clone.segments()[-1]
    shared(one, url)
    aws.put_object(Bucket=bucket, Key=key_in(url, theirs, clone), Body=theirs.read_bytes())
    for copy in (one, clone):
        with pytest.raises(ForkedDeviceError, match="wrote as one device") as raised:
            shared(copy, url)
        assert (raised.value.device, raised.value.seq) == ("dev1", 3)
        assert len(list(copy.root.glob("quarantine/*/*"))) == 1
    one.append(1)
    clone.append(1)
    for copy in (one, clone, one):
        with pytest.raises(ForkedDeviceError):
            shared(copy, url)
    assert {"dev2", "dev3"} <= {event.device for event in one.events()}
    assert len(keys(aws, url)) == 5


def test_stamps_from_the_future_wait_as_with_a_folder(url: str, one: Copy, two: Copy) -> None:
    one.append(1)
    one.sky.step(3600)
    one.append(1)
    shared(one, url)
    one.sky.step(-3600)
    report = shared(two, url)
    assert len(report.waiting) == 1
    assert len(two.events()) == 2
    assert len(shared(two, url, accept_future=True).accepted) == 1
    assert two.events() == one.events()


def test_ours_that_is_damaged_is_not_sent(url: str, one: Copy, two: Copy) -> None:
    one.append(1, 1)
    first = one.segments()[0]
    data = bytearray(first.read_bytes())
    data[8] ^= 1
    first.write_bytes(data)
    report = shared(one, url)
    assert [one.path for one in report.refused] == [str(first.relative_to(one.root))]
    assert "ours is damaged" in report.refused[0].reason
    assert len(report.sent) == 1
    assert str(shared(two, url).missing[0]) == "dev1:1-3"


def test_ours_that_cannot_be_read_is_fetched_from_the_bucket(url: str, one: Copy) -> None:
    one.append(1, 1)
    shared(one, url)
    good = one.segments()[0].read_bytes()
    one.segments()[0].write_bytes(good[:-20])
    one.log = one.opened()
    assert shared(one, url).whole
    assert one.segments()[0].read_bytes() == good


def test_prefixes_do_not_see_each_other(url: str, bucket: str, one: Copy, two: Copy) -> None:
    one.append(1)
    shared(one, url)
    assert shared(two, f"{url}/").events == 2
    assert shared(Copy(one.root.parent / "third", one.sky), f"s3://{bucket}/an archive").copied == ()
    assert shared(Copy(one.root.parent / "fourth", one.sky), f"{url}0").copied == ()


def test_the_report_says_what_was_sent(url: str, one: Copy) -> None:
    one.append(1)
    report = shared(one, url)
    assert str(report).splitlines()[-1] == f"1 segments with {report.sent_bytes} bytes sent"
    told = json.loads(json.dumps(report.as_dict()))
    assert told["other"] == url
    assert told["sent"] == list(report.sent)
