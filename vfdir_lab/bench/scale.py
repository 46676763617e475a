"""How far one machine goes: what each thing costs as the log grows tenfold, and again, and with what slope.

At each size a new log is made and five things are measured over it: replay with its checkpoint written (in a
process of its own, with its memory), a query after 1,000 new events, an answer as of a date with a tenth of
the log before it, listing the log anew, and compacting it. A slope of 1 is ten times the cost for ten times
the events. It goes on to the next size only while time and disk suffice, by what the last one took.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import log10
from pathlib import Path
from time import perf_counter

from vfdir_lab.bench.material import log_at
from vfdir_lab.bench.measure import Figure, alone
from vfdir_lab.bench.replay import NEW_EVENTS, look_at, replay
from vfdir_lab.bench.replay_material import log_of_blocks
from vfdir_lab.bench.replay_once import in_a_process
from vfdir_lab.event import Draft
from vfdir_lab.log import EventLog
from vfdir_lab.log.compact import compact
from vfdir_lab.log.machine import Mark
from vfdir_lab.projection import Engine
from vfdir_lab.projection.connection import connect
from vfdir_lab.projection.source import weight_of

STEP = 10
SMALLEST = 1_000_000
ROOM = 3
"""So many times its own size a log may need on the disk: itself, its checkpoints, its compaction."""
_QUERY = "SELECT count(*), max(title), max(updated_at) FROM blocks"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost(Figure):
    """What `measure` costs over a log of `events`; the baseline is what it cost over the size before."""

    measure: str
    events: int
    slope: float | None = None


def figures(folder: Path, *, size: int, repetitions: int, seconds: float) -> Iterator[Figure]:
    """The costs at each size up to `size` that `seconds` and the disk allow, one after the other."""
    before: dict[str, Cost] = {}
    sizes, started = _sizes(size), perf_counter()
    for at, events in enumerate(sizes):
        begun = perf_counter()
        place = folder / "scale"
        log = log_of_blocks(place, events=events)
        weight = weight_of(log, log.coverage().segments)
        for cost in _costs(place, log, events=events, repetitions=repetitions):
            compared = _compared(cost, before.get(cost.measure))
            before[cost.measure] = compared
            yield compared
        shutil.rmtree(place)
        taken, left = perf_counter() - begun, seconds - (perf_counter() - started)
        free = shutil.disk_usage(folder).free
        if at + 1 < len(sizes) and (STEP * taken > left or STEP * ROOM * weight > free):
            _say_unreached(sizes[at + 1], STEP * taken, left, STEP * ROOM * weight, free)
            return


def _sizes(largest: int) -> list[int]:
    """From a million (a tenth of `largest`, if that is less) on, tenfold each, as far as `largest`."""
    size = max(1, min(SMALLEST, largest // STEP))
    sizes = [size]
    while sizes[-1] * STEP <= largest:
        sizes.append(sizes[-1] * STEP)
    return sizes


def _say_unreached(events: int, needed: float, left: float, weight: int, free: int) -> None:
    told = (
        f"not reached: {events:,} events, which would take some {needed:,.0f} s of {max(0, left):,.0f} left "
        f"and {weight >> 20:,} MiB of {free >> 20:,} free"
    )
    print(told, file=sys.stderr)  # noqa: T201 - it speaks to a person


def _compared(cost: Cost, before: Cost | None) -> Cost:
    """The same with what it cost before, and the slope from there."""
    what = f"{cost.measure}, {cost.events:,} events"
    if before is None or min(before.value, cost.value) <= 0:
        return replace(cost, what=what)
    slope = log10(cost.value / before.value) / log10(cost.events / before.events)
    what = f"{what} : {before.events:,} (slope {slope:.2f})"
    return replace(cost, what=what, baseline=before.value, slope=slope)


def _costs(place: Path, log: EventLog, *, events: int, repetitions: int) -> Iterator[Cost]:
    """Each cost at one size. What changes the log comes last."""
    few = max(1, repetitions // 3)

    def cost(measure: str, value: float, unit: str = "ms") -> Cost:
        return Cost(what=measure, value=value, unit=unit, kind="informs", measure=measure, events=events)

    yield cost("listing the log anew", alone(lambda: log_at(place).coverage(), repetitions=repetitions))
    milliseconds, peak_mib = in_a_process(place)
    yield cost("replay of `blocks`, checkpoint written", milliseconds)
    yield cost("memory of that replay", peak_mib, "MiB")
    yield cost("as of a date with 10 % before it", _as_of(log, events, few))
    _join(log)
    log.append([_retitled(1 + number * events // (2 * NEW_EVENTS)) for number in range(NEW_EVENTS)])
    asking = alone(lambda: Engine(log_at(place), place / "cache").arrow(_QUERY), repetitions=few)
    yield cost(f"a query after {NEW_EVENTS:,} new events", asking)
    begun = perf_counter()
    if compact(log_at(place), now=True).merged:  # a log of one segment leaves it nothing to do
        yield cost("compaction", (perf_counter() - begun) * 1000)


def _as_of(log: EventLog, events: int, repetitions: int) -> float:
    with connect() as connection:

        def early() -> None:
            look_at(connection, log, until=max(1, events // 10))
            replay(connection, "FROM blocks")

        return alone(early, repetitions=repetitions)


def _join(log: EventLog) -> None:
    """Let this machine be the device that recorded the log, so that it may go on and compact it."""
    footer = log.coverage().segments[-1].footer
    mark = Mark(device=footer.device, seq=footer.last, hlc=footer.hlc_max, digest=footer.digest)
    log.machine.remember(mark)


def _retitled(number: int) -> Draft:
    about = f"block:{number}"
    return Draft(kind="block.observed", object_id=about, payload={"title": f"New {number}"}, origin="arena")
