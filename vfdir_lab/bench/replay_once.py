"""One replay in a process of its own, for its time and for its memory."""

from __future__ import annotations

import multiprocessing
import resource
import shutil
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from time import perf_counter

from vfdir_lab.bench.material import log_at
from vfdir_lab.projection import default_lens
from vfdir_lab.projection.catalogue import needed
from vfdir_lab.projection.replay import replay

_UNIT_BYTES = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss


def in_a_process(folder: Path) -> tuple[float, float]:
    """Replay `blocks` of the log below `folder` in a new process: milliseconds, and MiB at the peak."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(once, folder).result()


def once(folder: Path) -> tuple[float, float]:
    """Replay `blocks`, and what it reads, from nothing: milliseconds, and this process's MiB at the peak."""
    cache = folder / "cache"
    shutil.rmtree(cache, ignore_errors=True)
    started = perf_counter()
    lens = default_lens()
    replay(log_at(folder), cache, lens, only=[one.name for one in needed(lens.definitions, {"blocks"})])
    milliseconds = (perf_counter() - started) * 1000
    return milliseconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _UNIT_BYTES / (1 << 20)
