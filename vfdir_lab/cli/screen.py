"""What a person sees: tables, progress, one line of complaint. Remote text is never markup."""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, TypeVar

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from vfdir_lab.archive import Archive

T = TypeVar("T")
PIPE_WIDTH = 240
LOOK_SECONDS = 0.1
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
_LINE_END = re.compile(r"\r?\n")
_BREAK = re.compile(r"\r?\n|[\u2028\u2029]")


def safe(text: object) -> str:
    """A text without what could steer a terminal."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", str(text))


def complain(message: str) -> None:
    """One line on stderr."""
    typer.echo("vfdir-lab: " + safe(" ".join(message.split())), err=True)


def say(text: object) -> None:
    """Lines on stdout."""
    typer.echo("\n".join(map(safe, _LINE_END.split(str(text).removesuffix("\n")))))


def say_json(value: object) -> None:
    """JSON on stdout: stamps as text (they exceed 2^53), times as ISO 8601."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, default=_spell)
    except ValueError:
        text = json.dumps(_finite(value), ensure_ascii=False, default=_spell)
    typer.echo(text)


def _finite(value: object) -> object:
    """The same without what JSON has no spelling for: NaN and infinities become null."""
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _spell(value: object) -> str:
    return value.isoformat() if isinstance(value, date | datetime) else str(value)


def say_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table on stdout, as wide as the terminal."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(Text(safe(column)), overflow="fold")
    for row in rows:
        table.add_row(*(Text(_cell(value)) for value in row))
    console = Console(highlight=False) if sys.stdout.isatty() else Console(highlight=False, width=PIPE_WIDTH)
    console.print(table)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    return safe(_BREAK.sub(" ⏎ ", str(value)))


def patiently(archive: Archive, work: Callable[[], T]) -> T:
    """What `work` gives; an interrupt ends the query it waits for.

    DuckDB computing in the main thread would not look at signals.
    """
    with ThreadPoolExecutor(max_workers=1) as pool:
        answer = pool.submit(work)
        try:
            while not answer.done():
                wait([answer], timeout=LOOK_SECONDS)
        except KeyboardInterrupt:
            archive.engine.interrupt()
            raise
        return answer.result()


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """A progress bar on stderr, gone when done; nothing where stderr is no terminal."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
    with Progress(
        *columns,
        TextColumn("{task.fields[note]}", markup=False),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as progress:
        yield progress
