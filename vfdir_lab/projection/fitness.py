"""Fitness: what a person should know of their own version when it is put to use, though it runs.

Others rely on the columns of the public tables, and on a key that names one row. A version that gives a
column as another type, or two rows of one key, is used all the same: that is for the person to decide.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator

from vfdir_lab.errors import LogError, QueryError
from vfdir_lab.projection.catalogue import needed
from vfdir_lab.projection.connection import quoted
from vfdir_lab.projection.engine import Engine
from vfdir_lab.projection.lens import Lens, public_columns
from vfdir_lab.projection.scratch import scratch


class LensWarning(UserWarning):
    """Something about the lens in force that a person should know; the answer is given all the same."""


def warn_of_misfits(engine: Engine, lens: Lens, names: Iterable[str]) -> None:
    """Warn (`LensWarning`) of what does not fit in a person's own among these projections of a lens.

    Columns of another type than the public table's, and rows that share a key, over all events there are now.
    """
    for name in names:
        if lens[name].source == "own":
            for notice in (*_other_types(lens, name), *_shared_keys(engine, lens, name)):
                warnings.warn(notice, LensWarning, stacklevel=3)


def _other_types(lens: Lens, name: str) -> Iterator[str]:
    public = public_columns().get(name, {})
    with scratch(needed(lens.definitions, {name})) as connection:
        described = connection.execute(f"DESCRIBE FROM {quoted(name)}").fetchall()
    for column, type_ in ((row[0], row[1]) for row in described):
        usual = public.get(column.lower(), type_)
        if type_ != usual:
            yield f"{lens[name].called} gives {column} as {type_}, others rely on {usual}; cast it"


def _shared_keys(engine: Engine, lens: Lens, name: str) -> Iterator[str]:
    keys = ", ".join(map(quoted, lens[name].keys))
    shared = f"SELECT {keys} FROM {quoted(name)} GROUP BY {keys} HAVING count(*) > 1"
    query = f"SELECT (SELECT count(*) FROM ({shared})) AS keys, * FROM ({shared}) ORDER BY ALL LIMIT 1"
    try:
        found = engine.arrow(query, lens=lens).to_pylist()
    except (QueryError, LogError) as error:
        yield f"{lens[name].called} does not run over the events of this archive: {error}"
        return
    for row in found:
        example = ", ".join(str(value) for value in list(row.values())[1:])
        yield (
            f"{lens[name].called} gives several rows of one {lens[name].key}: {row['keys']:,} such, first "
            f"{example}; mend the query or the key in its header"
        )
