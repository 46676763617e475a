"""The figures of export: a channel of `size` items as `jsonl`, against polars writing the same rows.

The archive has a checkpoint, as one of that size has after a pull. Memory is the most that a process of its
own ever held, which exports once; it is compared with one that exports a tenth of the items. An export holds
a batch; what grows with the items is what DuckDB sorts, until it reaches its limit and spills.
"""

from __future__ import annotations

import multiprocessing
import resource
import shutil
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from time import perf_counter

import polars as pl

from vfdir_lab.bench.material import log_at, new_log
from vfdir_lab.bench.measure import Figure, in_turns
from vfdir_lab.event import Draft
from vfdir_lab.export import SnapshotOptions, export_channel
from vfdir_lab.export.rows import Rows
from vfdir_lab.projection import Engine, default_lens
from vfdir_lab.projection.replay import replay

SLUG, CHANNEL = "shelf", "channel:1"
BATCH_EVENTS = 20_000
POLARS_BOUND, MEMORY_BOUND = 5, 2
_UNIT_BYTES = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss
_AT = "2023-03-15T21:54:23Z"
_TEXT = "The highest springs come near the equinoxes, when sun and moon both stand over the equator. "


def figures(folder: Path, *, size: int, repetitions: int) -> Iterator[Figure]:
    """Every figure, measured in `folder` over channels of `size` and of a tenth of it."""
    places = {items: _archive(folder / f"export-{items}", items) for items in (max(1, size // 10), size)}
    for items, place in places.items():
        yield _against_polars(place, items, repetitions)
    peaks = [_alone(place, "jsonl")[1] for place in places.values()]
    yield Figure(
        what=f"resident memory of an export to jsonl, {size:,} items : {max(1, size // 10):,}",
        value=peaks[1],
        baseline=peaks[0],
        unit="MiB",
        bound=MEMORY_BOUND,
        kind="gate",
    )
    for format_ in ("csv", "parquet", "json", "html"):
        milliseconds, peak = _alone(places[max(1, size // 10)], format_)
        what = f"export to {format_}, {max(1, size // 10):,} items, the process held {peak:,.0f} MiB"
        yield Figure(what=what, value=milliseconds, unit="ms", kind="informs")


def _against_polars(place: Path, items: int, repetitions: int) -> Figure:
    """Reading included on both sides: each answers the same questions to the same checkpoint."""
    out = place / "out"

    def ours() -> None:
        shutil.rmtree(out, ignore_errors=True)
        _export(place, "jsonl")

    def theirs() -> None:
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir()
        _by_polars(place)

    value, baseline = in_turns(ours, theirs, repetitions=max(1, repetitions // 3))
    what = f"export to jsonl, {items:,} items : polars reading and writing the same rows"
    return Figure(what=what, value=value, unit="ms", baseline=baseline, bound=POLARS_BOUND, kind="gate")


def _export(place: Path, format_: str) -> None:
    engine = Engine(log_at(place), place / "cache")
    options = SnapshotOptions(format=format_, head=log_at(place).coverage().head)
    export_channel(engine, SLUG, place / "out", options)


def _by_polars(place: Path) -> None:
    log = log_at(place)
    rows = Rows(Engine(log, place / "cache"), log.coverage().head, default_lens(), [CHANNEL])
    for table in ("blocks", "connections", "channels"):
        pl.DataFrame(rows.table(table)).write_ndjson(place / "out" / f"{table}.jsonl")


def _alone(place: Path, format_: str) -> tuple[float, float]:
    """One export in a new process: milliseconds, and MiB at the peak."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(once, place, format_).result()


def once(place: Path, format_: str) -> tuple[float, float]:
    """Export once: milliseconds, and this process's MiB at the peak."""
    shutil.rmtree(place / "out", ignore_errors=True)
    started = perf_counter()
    _export(place, format_)
    return (perf_counter() - started) * 1000, _peak_mib()


def _peak_mib() -> float:
    """The most this process held; Linux hands `ru_maxrss` down from whoever started it, so not that there."""
    status = Path("/proc/self/status")
    if status.exists():
        (kib,) = (line.split()[1] for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(kib) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _UNIT_BYTES / (1 << 20)


def _archive(place: Path, items: int) -> Path:
    """A log with a channel of so many blocks, about 1,000 bytes of payload for each, and its checkpoint."""
    log = new_log(place)
    log.append([_channel(), _person()])
    for first in range(1, items + 1, BATCH_EVENTS // 2):
        last = min(first + BATCH_EVENTS // 2, items + 1)
        log.append([draft for number in range(first, last) for draft in (_block(number), _held(number))])
    replay(log, place / "cache", default_lens())
    return place


def _channel() -> Draft:
    payload = {"slug": SLUG, "title": "Shelf", "visibility": "public", "owner": {"id": 9, "type": "User"}}
    return Draft(kind="channel.observed", object_id=CHANNEL, payload=payload, origin="arena")


def _person() -> Draft:
    payload = {"slug": "ada", "name": "Ada"}
    return Draft(kind="user.observed", object_id="user:9", payload=payload, origin="arena")


def _block(number: int) -> Draft:
    payload = {
        "content": {"markdown": _TEXT * (1 + number % 8)},
        "created_at": _AT,
        "metadata": {"shelf": number} if number % 3 == 0 else None,
        "state": "available",
        "title": f"Equinox {number}",
        "type": "Text",
        "updated_at": _AT,
        "user": {"id": 9, "type": "User"},
        "visibility": "public",
    }
    return Draft(kind="block.observed", object_id=f"block:{number}", payload=payload, origin="arena")


def _held(number: int) -> Draft:
    payload = {
        "channel": CHANNEL,
        "connected_at": _AT,
        "connected_by": {"id": 9, "type": "User"},
        "item": f"block:{number}",
        "pinned": False,
        "rank": f"a{number:09}",
    }
    return Draft(
        kind="connection.observed", object_id=f"connection:{number}", payload=payload, origin="arena"
    )
