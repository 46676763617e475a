"""A device in a process of its own: `sharer.py ROOT HOME NAME BATCHES URL` records and shares, in turn."""

from __future__ import annotations

import sys
from pathlib import Path

from buckets import shared
from copies import Copy, Sky

from vfdir_lab.event.stamp import utc_now


def main() -> None:
    root, home, name, batches, url = sys.argv[1:]
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    sky = Sky()
    sky.names = iter([name])  # type: ignore[assignment]
    copy = Copy(Path(root), sky, Path(home))
    for _ in range(int(batches)):
        sky.moment = utc_now()
        copy.append(2)
        shared(copy, url)
    shared(copy, url, progress=lambda done, planned: sys.stdout.write(f"{done} {planned}\n"))


if __name__ == "__main__":
    main()
