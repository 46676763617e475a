"""Blocks held in one of three ways, in a process of its own: how long it takes, and how much memory."""

from __future__ import annotations

import gc
import multiprocessing
import tracemalloc
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, make_dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import pyarrow as pa

from vfdir_lab.bench.material import log_at
from vfdir_lab.errors import UsageError
from vfdir_lab.objects import Objects, Pool
from vfdir_lab.projection import Engine, default_lens

Held = Sequence[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What holding so many blocks took: to make them and read each title, to read those again, in memory."""

    blocks: int
    milliseconds: float
    again_milliseconds: float
    bytes_each: float


def in_a_process(folder: Path, way: str, most: int) -> Taken:
    """Hold the blocks of the log below `folder`, `most` at the most, in one of `WAYS`, in a new process."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(once, folder, way, most).result()


def once(folder: Path, way: str, most: int) -> Taken:
    """The same in this process, whose allocations are traced meanwhile."""
    log = log_at(folder)
    pool = Pool(log, Engine(log), lens=default_lens, wish=_refuse)
    objects, rows = Objects(pool), pa.table(pool.table("blocks").columns)
    count = min(most, rows.num_rows)

    def held() -> Held:
        return WAYS[way](objects, rows, count)

    started = perf_counter()
    blocks = held()
    _read(blocks)
    made = perf_counter()
    _read(blocks)
    again = perf_counter()
    del blocks
    return Taken(
        blocks=count,
        milliseconds=(made - started) * 1000,
        again_milliseconds=(again - made) * 1000,
        bytes_each=_traced(held) / count,
    )


def _read(blocks: Held) -> None:
    for block in blocks:
        _ = block["title"] if isinstance(block, dict) else block.title


def _traced(make: Callable[[], Held]) -> int:
    """The bytes that what is made takes, as long as it is held."""
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    held = make()
    gc.collect()
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    del held
    return after - before


def _as_objects(objects: Objects, _rows: pa.Table, count: int) -> Held:
    return [block for block, _ in zip(objects.blocks, range(count), strict=False)]


def _as_dictionaries(_objects: Objects, rows: pa.Table, count: int) -> Held:
    found: Held = rows.slice(0, count).to_pylist()
    return found


def _as_dataclasses(_objects: Objects, rows: pa.Table, count: int) -> Held:
    row = make_dataclass("Row", rows.column_names, slots=True)
    columns = (column.to_pylist() for column in rows.slice(0, count).columns)
    return [row(*values) for values in zip(*columns, strict=True)]


def _refuse(_object: str, _field: str, _value: object) -> None:
    raise UsageError("the benchmark wishes nothing: read only")


WAYS: dict[str, Callable[[Objects, pa.Table, int], Held]] = {
    "objects": _as_objects,
    "dictionaries": _as_dictionaries,
    "dataclasses": _as_dataclasses,
}
"""How blocks can be held."""
