"""A process of its own that forks workers on order, says what each has acknowledged, and reaps them.

Orders are JSON lines on standard input: `root`, `home`, and what is to go on: `batches` of `size` events (for
ever when 0), `kill_at` the so many-th change to the file system, `limit_bytes` for any file, `hold` the lock
until killed, `nobody` to be a user who may write nowhere, `compact` (with or without waiting: "now") after
every batch, or alone when `batches` is below 0. `merge` is the other archive to merge from, and nothing is
appended then. `archive` is the id of the archive.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

from vfdir_lab.errors import VfdirError
from vfdir_lab.event import Draft
from vfdir_lab.log import EventLog, Machine
from vfdir_lab.log.compact import compact
from vfdir_lab.log.merge import merge

CHANGES = {"open", "os.mkdir", "os.rename", "os.remove"}


def say(text: str) -> None:
    os.write(1, f"{text}\n".encode())


def die_at(change: int, below: tuple[str, ...]) -> None:
    """SIGKILL this process just before its so many-th change to files below these folders, fsync included."""
    made = count(1)

    def step() -> None:
        if next(made) == change:
            os.kill(os.getpid(), signal.SIGKILL)

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if event in CHANGES and str(arguments[0]).startswith(below):
            step()

    def killing(fsync: Callable[[int], None]) -> Callable[[int], None]:
        def stepping(descriptor: int) -> None:
            step()
            fsync(descriptor)

        return stepping

    os.fsync = killing(os.fsync)
    sys.addaudithook(watch)


def work(orders: dict[str, Any]) -> None:
    root = Path(orders["root"])
    if orders.get("nobody"):
        os.setgid(65_534)
        os.setuid(65_534)
    if "limit_bytes" in orders:
        resource.setrlimit(resource.RLIMIT_FSIZE, (orders["limit_bytes"], orders["limit_bytes"]))
    identity = orders.get("archive", "archive-of-the-tests")
    log = EventLog(root, Machine(identity, root, Path(orders["home"])))
    if orders.get("hold"):
        with log.writing():
            say("held")
            time.sleep(60)
    if "kill_at" in orders:
        die_at(orders["kill_at"], (orders["root"], orders["home"]))
    if "merge" in orders:
        report = merge(log, Path(orders["merge"]), progress=lambda done, _all: say(f"copied {done}"))
        say(f"whole {report.whole} {report.after}")
        return
    if orders.get("batches", 0) < 0:
        compact(log, now=orders["compact"] == "now")
        say("compacted")
        return
    name, size = orders.get("name", 0), orders.get("size", 3)
    for batch in range(orders.get("batches") or 1_000_000):
        drafts = [
            Draft(
                kind="block.observed",
                object_id=f"block:{number}",
                payload={"from": name, "batch": batch, "text": orders.get("text", "")},
            )
            for number in range(1, size + 1)
        ]
        events = log.append(drafts)
        say(f"ack {events[0].seq} {events[-1].seq} {events[0].device}")
        if "compact" in orders:
            compact(log, now=orders["compact"] == "now")


def main() -> None:
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            status = 0
            say(f"started {os.getpid()}")
            try:
                work(json.loads(line))
            except VfdirError as error:
                say(f"{type(error).__name__}: {error}")
                status = 1
            finally:
                os._exit(status)
        _, ended = os.waitpid(child, 0)
        say(f"over {os.waitstatus_to_exitcode(ended)}")


if __name__ == "__main__":
    main()
