"""A process that replays: `replayer.py ROOT HOME [N]`, killed just before its Nth change to files."""

from __future__ import annotations

import os
import signal
import sys
from itertools import count
from pathlib import Path
from typing import Any

from vfdir_lab.log import EventLog, Machine
from vfdir_lab.projection import default_lens
from vfdir_lab.projection.replay import replay

CHANGES = {"open", "os.mkdir", "os.rename", "os.remove"}


def die_at(change: int, below: str) -> None:
    made = count(1)

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if event in CHANGES and str(arguments[0]).startswith(below) and next(made) == change:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)


def main() -> None:
    root, home = Path(sys.argv[1]), Path(sys.argv[2])
    if len(sys.argv) > 3:
        die_at(int(sys.argv[3]), str(root / "cache"))
    log = EventLog(root, Machine("of-the-tests", root, home))
    replay(log, root / "cache", default_lens(), only={"blocks", "users", "scans"})


if __name__ == "__main__":
    main()
