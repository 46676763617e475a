"""A process of its own that forks a push on order, and reaps it when it has ended or was killed.

An order is a JSON line on standard input: `archive`, `home` (this machine's state), `url`, `token`, how the
clock goes (`offset_seconds`, `share` of a wait that is really waited), and where to die: at the so many-th
append (`kill_at`) that says something of the kind `kind` (any, if it is empty), `after` it is in the log or
just before. It says `pushing PID`, and `over STATUS`, below 0 when it was killed.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any

from vfdir_lab.archive import Archive
from vfdir_lab.arena import SYSTEM_TIME
from vfdir_lab.event import Draft, Event
from vfdir_lab.log.append import Writer


def say(text: str) -> None:
    os.write(1, f"{text}\n".encode())


def die_at(number: int, kind: str, *, after: bool) -> None:
    """SIGKILL this process at its so many-th append of that kind."""
    appends = count(1)
    append = Writer.append

    def killing(self: Writer, drafts: Sequence[Draft]) -> tuple[Event, ...]:
        is_one = bool(drafts) and (not kind or kind in {draft.kind for draft in drafts})
        is_last = is_one and next(appends) == number
        if is_last and not after:
            os.kill(os.getpid(), signal.SIGKILL)
        events = append(self, drafts)
        if is_last:
            os.kill(os.getpid(), signal.SIGKILL)
        return events

    Writer.append = killing  # type: ignore[method-assign]


def push(order: dict[str, Any]) -> None:
    """Push as a new process would."""
    os.environ["VFDIR_STATE_HOME"] = order["home"]
    offset = timedelta(seconds=order["offset_seconds"])
    time = replace(
        SYSTEM_TIME,
        now=lambda: SYSTEM_TIME.now() + offset,
        sleep=lambda seconds: SYSTEM_TIME.sleep(seconds * order["share"]),
    )
    archive = Archive(
        order["archive"], api_url=order["url"], token=order["token"], pause_seconds=0, time=time
    )
    if "kill_at" in order:
        die_at(order["kill_at"], order["kind"], after=order["after"])
    archive.push()


def main() -> None:
    """Take orders until there are no more."""
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            status = 1
            say(f"pushing {os.getpid()}")
            try:
                push(json.loads(line))
                status = 0
            finally:
                os._exit(status)
        _, ended = os.waitpid(child, 0)
        say(f"over {os.waitstatus_to_exitcode(ended)}")


if __name__ == "__main__":
    main()
