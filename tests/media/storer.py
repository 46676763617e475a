"""A process that stores files until it is killed: `storer.py ARCHIVE [KILL_AT]`, each stored hash on a line.

With KILL_AT, it kills itself just before its so many-th change to files below the archive, flushes included.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

from vfdir_lab.media import MediaStore

CHANGES = {"open", "os.mkdir", "os.rename", "os.remove"}


def die_at(change: int, below: str) -> None:
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


def main() -> None:
    root = sys.argv[1]
    store = MediaStore(Path(root))
    if len(sys.argv) > 2:
        die_at(int(sys.argv[2]), root)
        sys.stdout.write(f"{store.put(b'x' * 3_000_000).sha256}\n")
        return
    for number in count():
        stored = store.put(str(number).encode() * 200_000)
        os.write(1, f"{stored.sha256}\n".encode())


if __name__ == "__main__":
    main()
