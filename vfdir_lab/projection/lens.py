"""A lens: a named choice of one version for every projection, ready to be read through."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property
from types import MappingProxyType

import duckdb

from vfdir_lab.errors import ProjectionError
from vfdir_lab.projection.catalogue import in_order, shipped, with_pins
from vfdir_lab.projection.connection import plainly, quoted
from vfdir_lab.projection.definition import Definition
from vfdir_lab.projection.fingerprint import fingerprints, of_all
from vfdir_lab.projection.scratch import scratch

DEFAULT = "default"
DEFAULT_VERSIONS: Mapping[str, int] = MappingProxyType(
    {
        "blocks": 1,
        "channels": 1,
        "channel_states": 1,
        "channel_writes": 1,
        "connections": 1,
        "connection_states": 1,
        "connection_ranks": 1,
        "gone": 1,
        "readings": 1,
        "users": 1,
        "comments": 1,
        "scans": 1,
        "intents": 1,
        "commits": 1,
        "answers": 1,
        "bindings": 1,
        "wishes": 1,
        "open_wishes": 1,
        "outbox": 1,
        "conflicts": 1,
        "media": 1,
    }
)
"""The best predictions: what are.na last showed, and over it what the person wishes."""


@dataclass(frozen=True, kw_only=True)
class Lens:
    """An interpretation of the whole archive.

    `definitions` holds one version of every projection, each after those it reads.
    """

    name: str
    definitions: tuple[Definition, ...]

    @cached_property
    def versions(self) -> Mapping[str, int]:
        """The number chosen of each projection."""
        return {one.name: one.version for one in self.definitions}

    @cached_property
    def fingerprints(self) -> Mapping[str, str]:
        """What each projection means under this choice."""
        return fingerprints(self.definitions)

    @cached_property
    def fingerprint(self) -> str:
        """What the whole lens means, whatever it is called."""
        return of_all(self.fingerprints)

    @property
    def is_shipped(self) -> bool:
        """Whether all of its SQL comes with vfdir_lab."""
        return all(one.source == "shipped" for one in self.definitions)

    def __getitem__(self, name: str) -> Definition:
        return next(one for one in self.definitions if one.name == name)

    def get(self, name: str) -> Definition | None:
        """The version chosen of a projection, or None: the lens has no such table."""
        return next((one for one in self.definitions if one.name == name), None)


@cache
def default_lens() -> Lens:
    """The choice that holds where nobody chose otherwise."""
    return Lens(name=DEFAULT, definitions=tuple(choice(DEFAULT_VERSIONS)))


def choice(versions: Mapping[str, int]) -> list[Definition]:
    """These shipped versions and those they read by number, each after those it reads.

    Raises:
        UsageError: there is no such version. ProjectionFileError: one reads what was not chosen.
    """
    return in_order(with_pins(shipped()[name, version] for name, version in versions.items()))


def lens_of(name: str, definitions: Iterable[Definition]) -> Lens:
    """The lens of these definitions, proven to run: every view is set up once over no events.

    A person's version that lacks columns of the public table gets them as nulls.

    Raises:
        ProjectionFileError: they read each other in a circle, or what is not among them.
        ProjectionError: DuckDB refuses one of them, or one gives a column twice or no key.
    """
    ordered = in_order(with_pins(definitions))
    if all(one.source == "shipped" for one in ordered):
        return Lens(name=name, definitions=tuple(ordered))
    return Lens(name=name, definitions=tuple(_filled(ordered)))


@cache
def public_columns() -> Mapping[str, Mapping[str, str]]:
    """The columns (name, type) of the tables that people may rely on, whatever the lens."""
    lens = default_lens()
    with scratch(lens.definitions) as connection:
        return {
            one.name: _columns(connection, one) for one in lens.definitions if one.name in DEFAULT_VERSIONS
        }


def _filled(ordered: Iterable[Definition]) -> list[Definition]:
    """The definitions with what they lack, each checked over those before it."""
    done: list[Definition] = []
    with scratch(()) as connection:
        for one in ordered:
            found = _columns(connection, one)
            missing = [key for key in one.keys if key not in found]
            if missing:
                raise ProjectionError(
                    f"{one.called} gives no column {', '.join(missing)}, which its header calls its key; "
                    f"it gives {', '.join(found)}"
                )
            public = public_columns().get(one.name, {}) if one.source == "own" else {}
            lacking = tuple((name, type_) for name, type_ in public.items() if name not in found)
            whole = replace(one, fills=lacking)
            connection.execute(f"CREATE VIEW {quoted(one.name)} AS {whole.view}")
            done.append(whole)
    return done


def _columns(connection: duckdb.DuckDBPyConnection, one: Definition) -> dict[str, str]:
    """The columns a definition gives, by name."""
    try:
        described = connection.execute(f"DESCRIBE {one.plain}").fetchall()
    except duckdb.Error as error:
        raise ProjectionError(f"{one.called} does not run: {plainly(error)}") from error
    columns = {row[0].lower(): row[1] for row in described}
    if len(columns) < len(described):
        raise ProjectionError(f"{one.called} gives a column twice; name each with AS")
    return columns
