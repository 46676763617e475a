"""Files kept under the hash of their bytes: whole or not at all."""

from __future__ import annotations

import hashlib
import io
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vfdir_lab.errors import ArchiveWriteError, MediaError, UsageError
from vfdir_lab.media import MediaStore, Stored
from vfdir_lab.media.store import LEFTOVER_SECONDS

STORER = Path(__file__).with_name("storer.py")
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 9000


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "archive").mkdir()
    return tmp_path / "archive"


@pytest.fixture
def store(root: Path) -> MediaStore:
    return MediaStore(root)


def files(root: Path) -> list[Path]:
    return sorted(path for path in root.rglob("*") if path.is_file())


def test_a_file_is_kept_under_the_hash_of_its_bytes(store: MediaStore, root: Path, tmp_path: Path) -> None:
    (tmp_path / "a picture.png").write_bytes(PICTURE)
    stored = store.put(tmp_path / "a picture.png")
    name = hashlib.sha256(PICTURE).hexdigest()
    assert stored == Stored(sha256=name, size=len(PICTURE))
    assert store.path(name) == root / "media" / "sha256" / name[:2] / name[2:4] / name
    assert files(root) == [store.path(name)]
    assert store.path(name).read_bytes() == PICTURE
    assert store.check(name) == stored
    with store.open(name) as file:
        assert file.read() == PICTURE


@given(data=st.binary(max_size=3000))
def test_bytes_files_and_streams_are_kept_alike(
    data: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("archive")
    (folder / "original").write_bytes(data)
    store = MediaStore(folder)
    stream = io.BytesIO(b"before" + data)
    stream.seek(6)
    assert store.put(data) == store.put(folder / "original") == store.put(stream)


def test_storing_what_is_there_already_changes_nothing(store: MediaStore, root: Path) -> None:
    stored = store.put(PICTURE)
    before = store.path(stored.sha256).stat()
    assert store.put(PICTURE) == stored
    after = store.path(stored.sha256).stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
    assert len(files(root)) == 1


def test_a_flipped_byte_is_found_and_storing_the_file_again_mends_it(store: MediaStore) -> None:
    stored = store.put(PICTURE)
    path = store.path(stored.sha256)
    path.write_bytes(PICTURE[:-1] + b"!")
    with pytest.raises(MediaError, match="damaged: its bytes are not those its name says") as raised:
        store.check(stored.sha256)
    assert raised.value.sha256 == stored.sha256
    store.put(PICTURE)
    assert store.check(stored.sha256) == stored


def test_what_is_not_there_says_so(store: MediaStore) -> None:
    for ask in (store.open, store.check):
        with pytest.raises(MediaError, match="there is no copy of 00"):
            ask("00" * 32)


@pytest.mark.parametrize("name", ["", "00", "../../etc/passwd", "AB" * 32, "zz" * 32, "00" * 32 + "\n"])
def test_only_a_hash_names_a_file(store: MediaStore, name: str) -> None:
    with pytest.raises(UsageError, match="no SHA-256"):
        store.path(name)


def test_a_file_that_is_too_large_leaves_nothing(store: MediaStore, root: Path) -> None:
    assert store.put(b"12345", largest_bytes=5).size == 5
    with pytest.raises(UsageError, match="more than 4 bytes"):
        store.put(b"12345", largest_bytes=4)
    assert len(files(root)) == 1


@pytest.mark.parametrize("what", ["a folder", "nothing"])
def test_what_cannot_be_read_leaves_nothing(store: MediaStore, root: Path, tmp_path: Path, what: str) -> None:
    source = tmp_path / "source"
    if what == "a folder":
        source.mkdir()
    with pytest.raises(UsageError, match=r"source cannot be read \("):
        store.put(source)
    assert files(root) == []


def test_an_archive_that_went_away_is_not_made_again(store: MediaStore, root: Path) -> None:
    root.rmdir()
    with pytest.raises(ArchiveWriteError, match="not there any more"):
        store.put(b"x")
    assert not root.exists()


def test_a_file_where_the_folder_should_be(store: MediaStore, root: Path) -> None:
    (root / "media").write_bytes(b"")
    with pytest.raises(ArchiveWriteError, match="could not be kept"):
        store.put(b"x")


def test_a_disk_that_fills_up_leaves_nothing(root: Path) -> None:
    """A limit on the size of any file stands for the full disk."""
    script = (
        "import resource, signal, sys; from pathlib import Path\n"
        "from vfdir_lab.errors import ArchiveWriteError\n"
        "from vfdir_lab.media import MediaStore\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))\n"
        "try: MediaStore(Path(sys.argv[1])).put(b'x' * 3_000_000)\n"
        "except ArchiveWriteError as error: print(error)\n"
    )
    said = subprocess.run(
        [sys.executable, "-c", script, str(root)], capture_output=True, text=True, check=True
    ).stdout
    assert said.startswith("a file could not be kept")
    assert files(root) == []


def test_leftovers_of_dead_processes_go_after_a_day_and_those_of_living_ones_stay(
    store: MediaStore, root: Path
) -> None:
    store.put(b"x")
    old, young = (root / "media" / "sha256" / f".{name}.tmp" for name in ("old", "young"))
    old.write_bytes(b"half")
    young.write_bytes(b"half")
    os.utime(old, (old.stat().st_mtime - LEFTOVER_SECONDS - 60,) * 2)
    store.put(b"y")
    assert not old.exists()
    assert young.exists()


def whole(root: Path) -> set[str]:
    """The names of what is stored, each proven."""
    found = {path.name for path in files(root) if not path.name.startswith(".")}
    for name in found:
        assert hashlib.sha256(MediaStore(root).path(name).read_bytes()).hexdigest() == name
    return found


def test_killed_at_every_step_nothing_torn_has_a_name(tmp_path: Path) -> None:
    """Just before each open, mkdir, flush, rename and unlink that storing a file does, one by one."""
    codes = []
    for step in range(1, 60):
        root = tmp_path / f"archive{step}"
        root.mkdir()
        ran = subprocess.run(
            [sys.executable, STORER, str(root), str(step)], capture_output=True, text=True, check=False
        )
        codes.append(ran.returncode)
        assert ran.stdout.split() == sorted(whole(root)) or not ran.stdout
        assert MediaStore(root).put(b"x" * 3_000_000).sha256 in whole(root)
        if ran.returncode == 0:
            break
    assert codes[-1] == 0
    assert set(codes[:-1]) == {-signal.SIGKILL}
    assert len(codes) >= 8


def test_killed_at_any_moment_what_was_acknowledged_is_there(root: Path) -> None:
    for rounds in range(4):
        with subprocess.Popen([sys.executable, STORER, str(root)], stdout=subprocess.PIPE, text=True) as run:
            assert run.stdout is not None
            said = [run.stdout.readline().strip() for _ in range(rounds + 1)]
            os.kill(run.pid, signal.SIGKILL)
            said += run.stdout.read().split()
        assert {name for name in said if len(name) == 64} <= whole(root)


def test_two_processes_may_store_the_same_file_at_once(root: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from vfdir_lab.media import MediaStore\n"
        "[MediaStore(Path(sys.argv[1])).put(str(n).encode() * 50_000) for n in range(12)]\n"
    )
    both = [subprocess.Popen([sys.executable, "-c", script, str(root)]) for _ in range(2)]
    assert [one.wait(timeout=60) for one in both] == [0, 0]
    assert len(files(root)) == len(whole(root)) == 12
