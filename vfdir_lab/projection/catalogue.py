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
from graphlib import CycleError, TopologicalSorter
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import cast

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.scope import traverse_scope

from vfdir_lab.errors import ProjectionFileError

LEAF = "events"
NO_PROJECTIONS = frozenset({"helpers", "upcasts"})
_HEADER = re.compile(r"--\s*([a-z ]+?)\s*:\s*(.*?)\s*")
_FILE = re.compile(r"v([1-9][0-9]*)_([a-z0-9_]+)\.sql")
_REQUIRED = ("projection", "version", "title", "key")
_NOTHING = (type(None), exp.Semicolon)  # what is left after the last semicolon


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
            if place.is_dir() and place.name not in NO_PROJECTIONS:
                for definition in _read_folder(place):
                    if (definition.name, definition.version) in definitions:
                        raise ProjectionFileError(
                            f"{place.name}: there are two files of version {definition.version}; "
                            "give one of them another number"
                        )
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
        try:
            return [chosen[name] for name in order.static_order()]
        except CycleError as error:
            circle = " reads ".join(reversed(error.args[1]))
            raise ProjectionFileError(
                f"projections read each other in a circle: {circle}; let one of them read {LEAF} instead"
            ) from error


@cache
def shipped() -> Catalogue:
    """The catalogue of the projections that come with vfdir_lab."""
    return Catalogue.load(files("vfdir_lab.projection") / "sql")


def _read_folder(place: Traversable) -> Iterator[Definition]:
    for file in sorted(place.iterdir(), key=lambda one: one.name):
        match = _FILE.fullmatch(file.name)
        if match is None:
            continue
        definition = define(_text(file, place.name), where=f"{place.name}/{file.name}")
        if (definition.name, definition.version) != (place.name, int(match[1])):
            raise ProjectionFileError(
                f"{place.name}/{file.name}: the header says {definition.name} v{definition.version}; "
                "make header, folder and file name agree"
            )
        yield definition


def _text(file: Traversable, folder: str) -> str:
    try:
        return file.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise ProjectionFileError(f"{folder}/{file.name}: not UTF-8; save it as that") from error


def define(text: str, *, where: str) -> Definition:
    """Read the text of one projection file. `where` names it in errors.

    Raises:
        ProjectionFileError: the header is incomplete, the rest is not one SELECT, or it calls a helper
            wrongly.
    """
    header = _header(text, where)
    tree = _select(text, where)
    plain = expand(tree, where=where)
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
        raise ProjectionFileError(
            f"{where}: version {header['version']!r} is not a number; count from 1, as the file name does"
        )
    return header


def _select(text: str, where: str) -> exp.Query:
    try:
        trees = [tree for tree in sqlglot.parse(text, dialect="duckdb") if not isinstance(tree, _NOTHING)]
    except (SqlglotError, RecursionError) as error:
        raise ProjectionFileError(
            f"{where}: not SQL: {str(error).splitlines()[0]}; try it in `vfdir-lab sql` first"
        ) from error
    if len(trees) != 1 or not isinstance(trees[0], exp.Query) or trees[0].find(exp.DDL, exp.DML):
        raise ProjectionFileError(
            f"{where}: a projection is one SELECT and nothing else; take out what is not part of it"
        )
    return trees[0]


def _tables(tree: exp.Expr) -> set[str]:
    """The tables a query reads, without its own common table expressions, each where it can be seen."""
    sources = (source for scope in traverse_scope(tree) for source in scope.sources.values())
    tables = (source for source in sources if isinstance(source, exp.Table))
    return {table.name.lower() or table.sql("duckdb") for table in tables}


def expand(tree: exp.Query, *, where: str) -> exp.Query:
    """The query with every helper call replaced by the expression it stands for.

    Raises:
        ProjectionFileError: a helper is called with too few or too many arguments; `where` is in the message.
    """

    def replace(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Anonymous) and node.name.lower() in _helpers():
            return _call(node, [argument.transform(replace) for argument in node.expressions], where)
        return node

    return cast("exp.Query", tree.transform(replace))  # a helper stands for a value, never for the query


def _call(node: exp.Anonymous, given: list[exp.Expr], where: str) -> exp.Expr:
    parameters, body = _helpers()[node.name.lower()]
    if len(given) != len(parameters):
        raise ProjectionFileError(
            f"{where}: {node.name} takes {len(parameters)} argument(s), not {len(given)}; "
            f"call it as {node.name}({', '.join(parameters)})"
        )
    arguments = dict(zip(parameters, given, strict=True))

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
