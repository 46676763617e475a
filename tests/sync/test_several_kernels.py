"""Several processes over one archive: one writes, others read along; two writers wait for each other."""

import os
import subprocess
import sys
import time

from worlds import big_channel, held, truly

from vfdir_lab.arena import SYSTEM_TIME
from vfdir_lab.sandbox import Sandbox

READER = """
import sys, time
from vfdir_lab.archive import Archive
archive = Archive(sys.argv[1])
seen = [0]
deadline = time.monotonic() + 40
while seen[-1] < int(sys.argv[2]) and time.monotonic() < deadline:
    counts = archive.sql("SELECT count(*) AS c, count(DISTINCT object_id) AS d FROM connections").fetchall()
    assert counts[0][0] == counts[0][1]
    assert counts[0][0] >= seen[-1], "what was there went away"
    if counts[0][0] != seen[-1]:
        seen.append(counts[0][0])
print(len(seen), seen[-1])
"""


def test_readers_see_each_page_as_it_comes_without_reopening(sandbox: Sandbox, open_archive) -> None:
    channel = big_channel(sandbox, 620)
    archive = open_archive(time=SYSTEM_TIME)
    readers = [
        subprocess.Popen(
            [sys.executable, "-c", READER, str(archive.path), "620"],
            stdout=subprocess.PIPE,
            env=dict(os.environ),
        )
        for _ in range(2)
    ]
    time.sleep(1.0)
    archive.pull(channel, on_progress=lambda _progress: time.sleep(0.3))
    for reader in readers:
        out, _ = reader.communicate(timeout=60)
        assert reader.returncode == 0
        steps, last = map(int, out.split())
        assert last == 620
        assert steps >= 3, "it saw the channel grow"
    assert held(archive, channel) == truly(sandbox, channel)
