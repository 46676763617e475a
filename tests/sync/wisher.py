"""A process that forks others on order, which commit transactions, and says what they said.

An order is a line of JSON on standard input: `root` and `home` of the archive, `name`, how many transactions
(`count`, else it goes on until killed), and `kill_at`: it kills itself just before its so many-th change
to files below these folders, flushes included. Each transaction is a channel, a block in it and in channel 1,
and an edit of the block; when it is durable, its ids are a line. Then: `over` and the exit code.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

from vfdir_lab.log import EventLog, Machine
from vfdir_lab.media import MediaStore
from vfdir_lab.projection.engine import Engine
from vfdir_lab.sync.transaction import Ground, Transaction

CHANGES = {"open", "os.mkdir", "os.rename", "os.remove"}


def die_at(change: int, below: tuple[str, ...]) -> None:
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


def wish(ground: Ground, name: str) -> str:
    with Transaction(ground, name) as tx:
        channel = tx.add_channel(name)
        block = tx.add_block([1, channel], name)
        tx.edit(block, title=f"by {name}")
    return f"{tx.id} {channel.id} {block.id} {' '.join(one.id for one in block.connections)}"


def work(orders: dict[str, Any]) -> None:
    root, home = Path(orders["root"]), Path(orders["home"])
    log = EventLog(root, Machine("of-the-tests", root, home))
    ground = Ground(log=log, engine=Engine(log), store=MediaStore(root), account=None)
    if "kill_at" in orders:
        die_at(orders["kill_at"], (str(root), str(home)))
    for _ in range(orders["count"]) if "count" in orders else count():
        os.write(1, f"{wish(ground, orders['name'])}\n".encode())


def main() -> None:
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            status = 1
            try:
                os.write(1, f"started {os.getpid()}\n".encode())
                work(json.loads(line))
                status = 0
            finally:
                os._exit(status)
        _, ended = os.waitpid(child, 0)
        os.write(1, f"over {os.waitstatus_to_exitcode(ended)}\n".encode())


if __name__ == "__main__":
    main()
