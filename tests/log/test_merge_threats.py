"""A hostile or broken folder: what is not proven is named and not taken, and nothing is written elsewhere."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from copies import Copy, Sky, put

from vfdir_lab.errors import LogWriteError
from vfdir_lab.log import Footer, Head
from vfdir_lab.log.segment import digest_of


@pytest.fixture
def there(tmp_path: Path, sky: Sky) -> Copy:
    there = Copy(tmp_path / "there", sky)
    there.append(1, 2, 1)
    return there


def column(name: str, change: Callable[[pa.ChunkedArray], Any]) -> Callable[[pa.Table], pa.Table]:
    def changed(table: pa.Table) -> pa.Table:
        at = table.schema.get_field_index(name)
        return table.set_column(at, table.schema.field(at), change(table.column(name)))

    return changed


def honest(table: pa.Table, footer: Footer) -> Footer:
    """The footer with the digest of these rows: a careful forger."""
    return replace(footer, digest=digest_of(table))


def same(table: pa.Table) -> pa.Table:
    return table


CRAFTED: dict[str, tuple[Callable[[pa.Table], pa.Table], Callable[[pa.Table, Footer], Footer]]] = {
    "a column too many": (lambda t: t.append_column("more", t.column("seq")), lambda t, f: f),
    "a column of another type": (
        lambda t: t.set_column(1, "seq", t.column("seq").cast(pa.int32())),
        lambda t, f: f,
    ),
    "fewer rows than its name says": (lambda t: t.slice(0, 1), lambda t, f: f),
    "other rows than its digest": (
        column("object_id", lambda c: pa.array(["block:9"] * len(c))),
        lambda t, f: f,
    ),
    "another device's rows": (column("device", lambda c: pa.array(["evil"] * len(c))), honest),
    "other seqs": (column("seq", lambda c: pc.add(c, 1)), honest),
    "stamps of 2035 below a footer of today": (
        column("hlc", lambda c: pc.add(c, 10 * 365 * 86_400_000 << 16)),
        honest,
    ),
    "stamps that fall": (column("hlc", lambda c: pa.array(c.to_pylist()[::-1])), honest),
    "a payload that is no object": (column("payload", lambda c: pa.array(["[]"] * len(c))), honest),
    "a payload nested without end": (
        column("payload", lambda c: pa.array(['{"a":' * 90_000 + "1" + "}" * 90_000] * len(c))),
        honest,
    ),
    "an id that is none": (column("object_id", lambda c: pa.array(["block:1'; DROP"] * len(c))), honest),
    "a time after year 9999": (
        column("recorded_at", lambda c: pa.array([2**62] * len(c), pa.timestamp("us", tz="UTC"))),
        honest,
    ),
    "a footer with other times": (same, lambda t, f: replace(f, recorded_max=f.recorded_max + timedelta(1))),
    "a footer with smaller stamps": (same, lambda t, f: replace(f, hlc_max=f.hlc_min)),
    "a chain that does not follow": (same, lambda t, f: replace(f, prev="sha256:" + "0" * 64)),
}


@pytest.mark.parametrize("crafted", CRAFTED.values(), ids=CRAFTED.keys())
def test_a_crafted_segment_is_named_and_the_prefix_is_merged(
    here: Copy, there: Copy, crafted: tuple[Callable[..., pa.Table], Callable[..., Footer]]
) -> None:
    second = there.segments()[1]
    good = second.read_bytes()
    change, lie = crafted
    segment = there.log.coverage().segments[1]
    table = change(there.log.read(segment))
    forged = put(second, table, lie(table, segment.footer))
    second.unlink()
    report = here.merge(there)
    assert report.after == Head({"dev1": 2})
    assert [one.path for one in report.refused] == [str(forged.relative_to(there.root))]
    assert str(report.missing[0]).startswith("dev1:3-")
    assert not (here.root / "quarantine").exists()
    assert [path.name for path in here.segments()] == [there.segments()[0].name]
    assert here.verify().ok
    forged.unlink()
    second.write_bytes(good)
    assert here.merge(there).whole
    assert here.events() == there.events()


def test_a_forged_segment_shadows_no_good_one(here: Copy, there: Copy) -> None:
    """Longer than the good ones, so the rule would take it first."""
    kept = there.squeeze("dev1", 0, 2, keep=True)
    kept.write_bytes(kept.read_bytes()[:-1] + b"\0")
    report = here.merge(there)
    assert report.after == Head({"dev1": 5})
    assert [one.path for one in report.refused] == [str(kept.relative_to(there.root))]


def test_any_single_flipped_byte_is_refused(here: Copy, there: Copy, tmp_path: Path, sky: Sky) -> None:
    last = there.segments()[-1]
    good = last.read_bytes()
    for number, position in enumerate(range(0, len(good), 97)):
        last.write_bytes(good[:position] + bytes([good[position] ^ 1]) + good[position + 1 :])
        fresh = Copy(tmp_path / f"fresh{number}", sky)
        report = fresh.merge(there)
        assert report.after == Head({"dev1": 4})
        assert [one.path for one in report.refused] == [str(last.relative_to(there.root))]


class TestLinks:
    """Links that lead out of either archive are not followed."""

    def test_a_segment_that_is_a_link_out_of_there(self, here: Copy, there: Copy, tmp_path: Path) -> None:
        second = there.segments()[1]
        second.rename(tmp_path / "secret")
        second.symlink_to(tmp_path / "secret")
        report = here.merge(there)
        assert report.after == Head({"dev1": 2})
        assert "leads out of the archive" in report.refused[0].reason

    def test_a_folder_there_that_is_a_link_out(self, here: Copy, there: Copy, tmp_path: Path) -> None:
        month = there.segments()[0].parent
        month.rename(tmp_path / "outside")
        month.symlink_to(tmp_path / "outside")
        assert here.merge(there).copied == ()

    @pytest.mark.parametrize("inside", [True, False])
    def test_a_link_to_a_pipe_does_not_keep_us_waiting(
        self, here: Copy, there: Copy, tmp_path: Path, *, inside: bool
    ) -> None:
        second = there.segments()[1]
        second.unlink()
        os.mkfifo((there.root if inside else tmp_path) / "pipe")
        second.symlink_to((there.root if inside else tmp_path) / "pipe")
        assert here.merge(there).after == Head({"dev1": 2})
        assert there.opened().coverage().head == Head({"dev1": 2})

    def test_a_link_inside_is_read(self, here: Copy, there: Copy) -> None:
        second = there.segments()[1]
        second.rename(there.root / "annex")
        second.symlink_to(there.root / "annex")
        assert here.merge(there).whole
        assert not here.segments()[1].is_symlink()

    def test_content_that_is_not_there_yet(self, here: Copy, there: Copy) -> None:
        second = there.segments()[1]
        second.rename(there.root / "away")
        second.symlink_to(there.root / "annex")
        assert here.merge(there).after == Head({"dev1": 2})
        (there.root / "away").rename(there.root / "annex")
        assert here.merge(there).whole

    @pytest.mark.parametrize("level", ["log/device=dev1", "log/device=dev1/month=2026-11"])
    def test_a_folder_here_that_leads_out_is_not_written_to(
        self, here: Copy, there: Copy, tmp_path: Path, level: str
    ) -> None:
        (tmp_path / "outside").mkdir()
        (here.root / level).parent.mkdir(parents=True, exist_ok=True)
        (here.root / level).symlink_to(tmp_path / "outside")
        with pytest.raises(LogWriteError, match="leads out of the archive"):
            here.merge(there)
        assert list((tmp_path / "outside").iterdir()) == []


def test_a_newer_format_of_a_segment_is_named(
    here: Copy, there: Copy, monkeypatch: pytest.MonkeyPatch
) -> None:
    from vfdir_lab.log import segment

    with monkeypatch.context() as newer:
        newer.setattr(segment, "FORMAT", 2)
        there.log = there.opened()
        second = there.segments()[1]
        one = Copy(there.root.parent / "newer", there.sky)
        one.append(1)
    report = here.merge(one)
    assert second.exists()
    assert report.copied == ()
    assert "format 2" in report.refused[0].reason


def as_nobody_with(limit_bytes: int | None, here: Copy, there: Copy) -> str:
    """Merge in a process that may write no larger file; the error's name, or `merged`."""
    code = (
        "import sys; from pathlib import Path\n"
        "from copies import Copy, Sky\n"
        "here, there = (Path(one) for one in sys.argv[1:])\n"
        "try:\n    print('merged', len(Copy(here, Sky()).merge(there).copied))\n"
        "except Exception as error:\n    print(type(error).__name__, error)\n"
    )

    def limited() -> None:
        if limit_bytes is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, limit_bytes))

    done = subprocess.run(
        [sys.executable, "-c", code, str(here.root), str(there.root)],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1] / "support")},
        preexec_fn=limited,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


def test_a_full_disk_is_a_typed_error_and_nothing_is_half_copied(here: Copy, there: Copy) -> None:
    there.append(400, text=os.urandom(20_000).hex())
    size = there.segments()[-1].stat().st_size
    assert here.log.device() != "dev1"
    said = as_nobody_with(size - 1, here, there)
    assert said.startswith("LogWriteError"), said
    assert "merge again" in said
    assert [path.name for path in here.segments()] == [path.name for path in there.segments()[:-1]]
    assert not list((here.root / "log").glob(".*"))
    assert here.verify().ok
    assert as_nobody_with(None, here, there).startswith("merged 1")
    assert here.events() == there.events()


def test_an_archive_that_went_away_is_not_made_anew(here: Copy, there: Copy) -> None:
    def away(done: int, _all: int) -> None:
        if done == 1:
            here.root.rename(here.root.with_name("away"))

    from vfdir_lab.log.merge import merge

    with pytest.raises(LogWriteError):
        merge(here.log, there.root, progress=away)
    assert not here.root.exists()
