"""The figures of objects: what a million blocks take, held as objects, as dictionaries and as dataclasses.

Memory is what Python takes beyond the tables of the archive, which Arrow holds outside of what is counted;
each way is measured in a process of its own. The rivals go over a slice; their times are scaled to the
whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from vfdir_lab.bench.measure import Figure
from vfdir_lab.bench.objects_once import WAYS, in_a_process
from vfdir_lab.bench.replay_material import log_of_blocks

SLICE = 100_000
OBJECT_BOUND_BYTES = 200


def figures(folder: Path, *, size: int, repetitions: int) -> Iterator[Figure]:
    """Every figure, over a log of `size` events, which has two thirds as many blocks."""
    del repetitions  # each way is measured once, in a process that does nothing else
    place = folder / "objects"
    log_of_blocks(place, events=size)
    ours = in_a_process(place, "objects", size)
    what = f"{ours.blocks:,} blocks held as objects: each, beyond the table"
    yield Figure(what=what, value=ours.bytes_each, unit="bytes", bound=OBJECT_BOUND_BYTES, kind="gate")
    for way in (one for one in WAYS if one != "objects"):
        theirs = in_a_process(place, way, SLICE)
        whole = theirs.milliseconds * ours.blocks / theirs.blocks
        yield Figure(
            what=f"the same : held as {way} ({theirs.blocks:,} of them)",
            value=ours.bytes_each,
            unit="bytes",
            baseline=theirs.bytes_each,
            kind="informs",
        )
        yield Figure(
            what=f"{ours.blocks:,} titles read, the objects made : the {way} made (scaled)",
            value=ours.milliseconds,
            unit="ms",
            baseline=whole,
            kind="informs",
        )
    what = f"the titles of {ours.blocks:,} objects that are held, read again"
    yield Figure(what=what, value=ours.again_milliseconds, unit="ms", kind="informs")
