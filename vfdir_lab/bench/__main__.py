"""`python -m vfdir_lab.bench WHAT`: measure, print, say by the exit code whether every gate holds."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

from rich.console import Console
from rich.table import Table

from vfdir_lab.bench import export, log, objects, replay, scale
from vfdir_lab.bench.measure import Figure
from vfdir_lab.bench.plot import bars
from vfdir_lab.bench.scale_plot import lines

REPETITIONS = 9
SECONDS = 600.0
MEASURED = {"export": export, "log": log, "objects": objects, "replay": replay}
SIZES = {
    "export": 100_000,
    "log": 100_000,
    "objects": 1_500_000,
    "replay": 1_500_000,
    "scale": 100_000_000,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark that is named; 1 when a gate does not hold."""
    asked = _parser().parse_args(arguments)
    found = []
    with tempfile.TemporaryDirectory(prefix="vfdir_lab_bench_") as folder:
        size = SIZES[asked.what] if asked.size is None else asked.size
        figures = _figures(asked, Path(folder), size)
        for figure in chain(figures, replay.growth(Path(folder)) if asked.growth else ()):
            found.append(figure)
            print(f"{len(found)}: {figure.what}", file=sys.stderr)  # noqa: T201 - it speaks to a person
    if asked.json:
        print(json.dumps([figure.as_dict() for figure in found], indent=2))  # noqa: T201 - the answer
    else:
        Console().print(_table(found))
    if asked.plot is not None:
        asked.plot.write_text((lines if asked.what == "scale" else bars)(found), "utf-8")
    return int(any(figure.kind == "gate" and not figure.holds for figure in found))


def _figures(asked: argparse.Namespace, folder: Path, size: int) -> Iterator[Figure]:
    if asked.what == "scale":
        return scale.figures(folder, size=size, repetitions=asked.repetitions, seconds=asked.seconds)
    found: Iterator[Figure] = MEASURED[asked.what].figures(folder, size=size, repetitions=asked.repetitions)
    return found


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m vfdir_lab.bench", description=__doc__)
    parser.add_argument("what", choices=sorted(SIZES), help="what to measure")
    parser.add_argument("--json", action="store_true", help="print a JSON list instead of a table")
    parser.add_argument("--size", type=int, metavar="N", help="events in the log")
    parser.add_argument("--repetitions", type=int, default=REPETITIONS, metavar="N", help="of each turn")
    parser.add_argument(
        "--seconds",
        type=float,
        default=SECONDS,
        metavar="S",
        help="scale: go on to a larger log within these",
    )
    parser.add_argument("--growth", action="store_true", help="also replay ten million events (minutes)")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="write the ratios as a picture (SVG)")
    return parser


def _table(found: Sequence[Figure]) -> Table:
    table = Table(box=None, header_style="bold")
    table.add_column("what")
    for column in ("ms", "baseline", "ratio", "bound"):
        table.add_column(column, justify="right")
    table.add_column("")
    for figure in found:
        numbers = (figure.value, figure.baseline, figure.ratio, figure.bound)
        verdict = ("holds" if figure.holds else "FAILS") if figure.kind == "gate" else "informs"
        table.add_row(figure.what, *("" if n is None else f"{n:,.2f}" for n in numbers), verdict)
    return table


if __name__ == "__main__":
    sys.exit(main())
