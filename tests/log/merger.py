"""A process of its own that forks mergers on order, says what each did, and reaps them.

Orders are JSON lines on standard input: `root`, `home`, `other`, and `kill_at` the so many-th change to the
file system.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from appender import die_at, say

from vfdir_lab.errors import VfdirError
from vfdir_lab.log import EventLog, Machine
from vfdir_lab.log.merge import merge


def run(orders: dict[str, str]) -> None:
    root = Path(orders["root"])
    log = EventLog(root, Machine("of-the-tests", root, Path(orders["home"])))
    if "kill_at" in orders:
        die_at(int(orders["kill_at"]), (orders["root"], orders["home"]))
    report = merge(log, Path(orders["other"]), progress=lambda done, _all: say(f"copied {done}"))
    say(f"whole {report.whole} {report.after}")


def main() -> None:
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            status = 0
            say(f"started {os.getpid()}")
            try:
                run(json.loads(line))
            except VfdirError as error:
                say(f"{type(error).__name__}: {error}")
                status = 1
            finally:
                os._exit(status)
        _, ended = os.waitpid(child, 0)
        say(f"over {os.waitstatus_to_exitcode(ended)}")


if __name__ == "__main__":
    main()
