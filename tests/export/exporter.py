"""Forks an export for each order on stdin (JSON, one a line), so that starting one costs a millisecond.

`kill_at` N: kill the process just before the Nth thing it does to the disk beside or in its target.
`kill_after` N: kill it N seconds after the archive was opened.
`limit_bytes` N: no file may grow beyond N bytes, as on a full disk.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import traceback
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Timer
from typing import Any

from vfdir_lab.archive import Archive
from vfdir_lab.arena import SYSTEM_TIME
from vfdir_lab.errors import VfdirError

WRITES = {"os.mkdir", "os.rename", "os.rmdir", "os.remove", "shutil.rmtree"}


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def killing_at(step: int, folder: str) -> None:
    done = 0

    def hook(name: str, arguments: tuple[Any, ...]) -> None:
        nonlocal done
        touches = name in WRITES or (name == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR))
        if touches and (name in {"os.rmdir", "os.remove"} or str(arguments[0]).startswith(folder)):
            done += 1
            if done == step:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


def export(orders: dict[str, Any]) -> int:
    target = Path(orders["target"])
    archive = Archive(orders["root"], time=replace(SYSTEM_TIME, now=lambda: datetime(2100, 1, 1, tzinfo=UTC)))
    assert archive.head
    if "limit_bytes" in orders:
        resource.setrlimit(resource.RLIMIT_FSIZE, (orders["limit_bytes"],) * 2)
    if "kill_after" in orders:
        Timer(orders["kill_after"], os.kill, (os.getpid(), signal.SIGKILL)).start()
    if "kill_at" in orders:
        killing_at(orders["kill_at"], str(target.parent))
    try:
        archive.export(
            orders.get("channel", "tides"),
            target,
            format=orders.get("format", "jsonl"),
            replace=orders.get("replace", False),
        )
    except VfdirError as error:
        say(f"{type(error).__name__}: {error}")
        return 1
    return 0


for line in sys.stdin:
    child = os.fork()
    if child == 0:
        status = 70
        try:
            status = export(json.loads(line))
        except BaseException:
            traceback.print_exc()
            raise
        finally:
            os._exit(status)
    say(f"started {child}")
    say(f"over {os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])}")
