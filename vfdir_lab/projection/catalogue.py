"""The catalogue: reads the `.sql` files of projections and expands their helpers to plain SQL.

A file is a header of `-- name: value` lines, prose in a comment, and one SELECT. Dependencies are found by
parsing, not declared. Helpers (`latest(title)`) are files too; they are replaced by what they stand for, so
that what runs can be printed and carried to other engines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from graphlib import TopologicalSorter
from importlib.resources import files
from importlib.resources.abc import Traversable

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from vfdir_lab.errors import ProjectionFileError

LEAF = "events"
_HEADER = re.compile(r"--\s*([a-z ]+?)\s*:\s*(.*?)\s*")
_FILE = re.compile(r"v([1-9][0-9]*)_([a-z0-9_]+)\.sql")
_REQUIRED = ("projection", "version", "title", "key")


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """One version of one projection.

    `key` is the identity of a row, `refresh_by` the partition that is recomputed as a whole (None: always
    everything), `sql` the SELECT as written, `plain` the same with helpers expanded, `reads` the names it
    selects from.
    """

    name: str
    version: int
    title: str
    key: str
    refresh_by: str | None
    sql: str
    plain: str
    reads: frozenset[str]


class Catalogue:
    """Every version of every projection, by name and version."""

    def __init__(self, definitions: Mapping[tuple[str, int], Definition]) -> None:
        self._definitions = dict(definitions)

    @classmethod
    def load(cls, folder: Traversable) -> Catalogue:
        """Read `<folder>/<name>/v<N>_<slug>.sql`.

        Raises:
            ProjectionFileError: a file is malformed; the message names it and the mend.
        """
        definitions = {}
        for place in sorted(folder.iterdir(), key=lambda one: one.name):
            if place.is_dir() and place.name != "helpers":
                for definition in _read_folder(place):
                    definitions[definition.name, definition.version] = definition
        return cls(definitions)

    def __getitem__(self, key: tuple[str, int]) -> Definition:
        return self._definitions[key]

    def __iter__(self) -> Iterator[Definition]:
        return iter(self._definitions.values())

    def in_order(self, versions: Mapping[str, int]) -> list[Definition]:
        """The chosen definitions, each after those it reads.

        Raises:
            ProjectionFileError: they read each other in a circle, or one reads what is not chosen.
        """
        chosen = {name: self._definitions[name, version] for name, version in versions.items()}
        for definition in chosen.values():
            unknown = definition.reads - chosen.keys() - {LEAF}
            if unknown:
                raise ProjectionFileError(
                    f"{definition.name} v{definition.version} reads {', '.join(sorted(unknown))}, "
                    f"which is no table here; there are {LEAF}, {', '.join(sorted(chosen))}"
                )
        order = TopologicalSorter({name: one.reads - {LEAF} for name, one in chosen.items()})
        return [chosen[name] for name in order.static_order()]


@cache
def shipped() -> Catalogue:
    """The catalogue of the projections that come with vfdir_lab."""
    return Catalogue.load(files("vfdir_lab.projection") / "sql")


def _read_folder(place: Traversable) -> Iterator[Definition]:
    for file in sorted(place.iterdir(), key=lambda one: one.name):
        match = _FILE.fullmatch(file.name)
        if match is None:
            continue
        definition = define(file.read_text("utf-8"), where=f"{place.name}/{file.name}")
        if (definition.name, definition.version) != (place.name, int(match[1])):
            raise ProjectionFileError(
                f"{place.name}/{file.name}: the header says {definition.name} v{definition.version}; "
                "make header, folder and file name agree"
            )
        yield definition


def define(text: str, *, where: str) -> Definition:
    """Read the text of one projection file. `where` names it in errors.

    Raises:
        ProjectionFileError: the header is incomplete, or the rest is not one SELECT.
    """
    header = _header(text, where)
    tree = _select(text, where)
    plain = expand(tree)
    return Definition(
        name=header["projection"],
        version=int(header["version"]),
        title=header["title"],
        key=header["key"],
        refresh_by=header.get("refresh by"),
        sql=text,
        plain=plain.sql(dialect="duckdb", pretty=True, comments=False),
        reads=frozenset(_tables(plain)),
    )


def _header(text: str, where: str) -> dict[str, str]:
    header: dict[str, str] = {}
    for line in text.splitlines():
        match = _HEADER.fullmatch(line)
        if match is None:
            break
        header[match[1]] = match[2]
    missing = [key for key in _REQUIRED if not header.get(key)]
    if missing:
        raise ProjectionFileError(
            f"{where}:1: the header lacks {', '.join(missing)}; "
            "begin the file with lines like `-- projection: blocks`"
        )
    if not header["version"].isdecimal():
        raise ProjectionFileError(f"{where}: version {header['version']!r} is not a number")
    return header


def _select(text: str, where: str) -> exp.Query:
    try:
        trees = [tree for tree in sqlglot.parse(text, dialect="duckdb") if tree is not None]
    except SqlglotError as error:
        raise ProjectionFileError(f"{where}: not SQL: {str(error).splitlines()[0]}") from error
    if len(trees) != 1 or not isinstance(trees[0], exp.Query):
        raise ProjectionFileError(f"{where}: a projection is one SELECT and nothing else")
    return trees[0]


def _tables(tree: exp.Expr) -> set[str]:
    """The tables a query reads, without its own common table expressions."""
    own = {cte.alias_or_name for cte in tree.find_all(exp.CTE)}
    return {table.name for table in tree.find_all(exp.Table)} - own


def expand(tree: exp.Query) -> exp.Query:
    """The query with every helper call replaced by the expression it stands for."""

    def replace(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Anonymous) and node.name.lower() in _helpers():
            return _call(node)
        return node

    expanded = tree.transform(replace)
    if not isinstance(expanded, exp.Query):
        raise ProjectionFileError("a projection is one SELECT and nothing else")
    return expanded


def _call(node: exp.Anonymous) -> exp.Expr:
    parameters, body = _helpers()[node.name.lower()]
    if len(node.expressions) != len(parameters):
        raise ProjectionFileError(f"{node.name} takes {len(parameters)} argument(s): {', '.join(parameters)}")
    arguments = dict(zip(parameters, node.expressions, strict=True))

    def fill(inner: exp.Expr) -> exp.Expr:
        if isinstance(inner, exp.Placeholder) and inner.name in arguments:
            argument: exp.Expr = arguments[inner.name].copy()
            return argument
        return inner

    return exp.Paren(this=body.copy().transform(fill))


@cache
def _helpers() -> dict[str, tuple[tuple[str, ...], exp.Expr]]:
    """The helpers by name: parameters and body, from `sql/helpers/<name>.sql`."""
    helpers = {}
    for file in (files("vfdir_lab.projection") / "sql" / "helpers").iterdir():
        text = file.read_text("utf-8")
        match = re.match(r"-- helper: (\w+)\((\w+(?:, \w+)*)\)", text)
        if match is None:
            raise ProjectionFileError(
                f"helpers/{file.name}: begin with a line like `-- helper: latest(field)`"
            )
        body = sqlglot.parse_one(text, dialect="duckdb")
        helpers[match[1]] = (tuple(match[2].split(", ")), body)
    return helpers
