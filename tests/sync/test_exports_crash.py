"""An import that is killed, or runs twice at once, loses nothing and says nothing twice."""

import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

from exported import csv_of, facts, row, take_in

from vfdir_lab.archive import Archive

ROWS = 3_000
IMPORTER = """
import sys
from pathlib import Path
from vfdir_lab.archive import Archive
from vfdir_lab.sync import exports

exports.BATCH_ROWS = 200
archive = Archive(sys.argv[1])
say = lambda progress: print(progress.rows, flush=True)
exports.import_export(archive.log, archive.engine, Path(sys.argv[2]), on_progress=say)
"""


def start(archive: Archive, path: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", IMPORTER, str(archive.path), str(path)], stdout=subprocess.PIPE, text=True
    )


def test_killed_at_any_batch_the_log_is_whole_and_the_next_run_completes(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "archive", create=True)
    path = tmp_path / "tides.csv"
    path.write_bytes(csv_of(row(number, f"Entry {number}") for number in range(ROWS, 0, -1)))
    for batches in (1, 6):
        with start(archive, path) as process:
            said = [process.stdout.readline() for _ in range(batches + 1)]
            os.kill(process.pid, signal.SIGKILL)
        assert process.returncode == -signal.SIGKILL
        held = [one["object_id"] for one in facts(archive, "kind = 'block.observed'")]
        assert max(Counter(held).values()) == 1
        assert int(said[-1]) <= len(held) < ROWS
        assert not facts(archive, "kind = 'import.finished'")
        assert archive.verify().ok
    before = len(held)
    report = take_in(archive, path)
    assert (report.new, report.same) == (ROWS - before, before)
    held = [one["object_id"] for one in facts(archive, "kind = 'block.observed'")]
    assert held == [f"block:{number}" for number in range(ROWS, 0, -1)]
    (finished,) = facts(archive, "kind = 'import.finished'")
    assert finished["payload"]["items"] == held
    assert archive.verify().ok
    assert take_in(archive, path).id is None


def test_two_imports_at_once_record_each_block_once(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "archive", create=True)
    path = tmp_path / "tides.csv"
    path.write_bytes(csv_of(row(number, f"Entry {number}") for number in range(1, 1001)))
    both = [start(archive, path) for _ in range(2)]
    for process in both:
        process.communicate(timeout=60)
        assert process.returncode == 0
    held = Counter(one["object_id"] for one in facts(archive, "kind = 'block.observed'"))
    assert (len(held), set(held.values())) == (1000, {1})
    assert archive.verify().ok
