"""Measuring: two things in turns, and the ratio of their medians."""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from time import perf_counter
from typing import Any, Literal

Kind = Literal["gate", "informs"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure: `value` and `baseline` in `unit`, and how they compare.

    `ratio` is value / baseline, None where there is no baseline. `bound` is what is to be reached: of the
    ratio where there is one, else of the value; None where nothing is. A `gate` has to hold.
    """

    what: str
    value: float
    unit: str
    kind: Kind
    baseline: float | None = None
    bound: float | None = None

    @property
    def ratio(self) -> float | None:
        """How many times the baseline."""
        return self.value / self.baseline if self.baseline else None

    @property
    def holds(self) -> bool:
        """Whether the bound is kept; true where there is none."""
        measured = self.value if self.ratio is None else self.ratio
        return self.bound is None or measured <= self.bound

    def as_dict(self) -> dict[str, Any]:
        """As the JSON list of the benchmark has it."""
        names = ("what", "value", "unit", "baseline", "ratio", "bound", "holds", "kind")
        return {name: getattr(self, name) for name in names}


def in_turns(
    work: Callable[[], object], baseline: Callable[[], object], *, repetitions: int
) -> tuple[float, float]:
    """The median milliseconds of `work` and of `baseline`, run by turns after one of each for warmth."""
    times: tuple[list[float], list[float]] = ([], [])
    work()
    baseline()
    for _ in range(repetitions):
        for done, taken in zip((work, baseline), times, strict=True):
            taken.append(_milliseconds(done))
    return median(times[0]), median(times[1])


def alone(work: Callable[[], object], *, repetitions: int) -> float:
    """The median milliseconds of `work`, after one run for warmth."""
    work()
    return median(_milliseconds(work) for _ in range(repetitions))


def _milliseconds(work: Callable[[], object]) -> float:
    gc.collect()
    started = perf_counter()
    work()
    return (perf_counter() - started) * 1000
