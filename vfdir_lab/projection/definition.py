"""One version of one projection: what its file says, and its SQL with helpers expanded.

A file is a header of `-- name: value` lines, prose in a comment, and one SELECT. Dependencies are found by
parsing, not declared. Helpers (`latest('title')`) are files too; they are replaced by what they stand for, so
that what runs can be printed and carried to other engines.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import Literal, cast

import sqlglot
from sqlglot import exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.scope import traverse_scope

from vfdir_lab.errors import ProjectionFileError
from vfdir_lab.projection.connection import quoted
from vfdir_lab.projection.header import read_header

LEAF = "events"
Source = Literal["shipped", "own"]
PURE_TABLES = frozenset(
    {"range", "generate_series", "unnest", "json_each", "json_tree", "repeat", "repeat_row", "flatten"}
)
"""Functions that give rows out of their arguments alone: no table is read."""
TEXT_BOUND = 1 << 20
"""A file of SQL is no larger, in characters."""

_REQUIRED = ("projection", "version", "title", "key")
LAMBDAS = frozenset(
    {"apply", "array_apply", "array_filter", "array_reduce", "array_transform", "filter", "invoke"}
    | {"list_apply", "list_filter", "list_reduce", "list_transform", "reduce", "transform"}
)
"""The functions that are given a lambda; `transform` is what the parser calls list_transform."""
_BARE_ARROW = re.compile(r"([\w\"]+\s*->\s*'[^']*')\s+(?:ORDER|IGNORE|RESPECT)\b", re.IGNORECASE)
_NOTHING = (type(None), exp.Semicolon)  # what is left after the last semicolon


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """One version of one projection.

    `key` is the identity of a row, `refresh_by` the partition that is recomputed as a whole (None: always
    everything), `sql` the text of the file, `plain` its SELECT with helpers expanded, `reads` the names it
    selects from. `source` says whose it is: shipped with vfdir_lab, or the person's `own`. `fills` are the
    columns (name, type) that people rely on and this version lacks: they read as null.
    """

    name: str
    version: int
    title: str
    key: str
    refresh_by: str | None
    sql: str
    plain: str
    reads: frozenset[str]
    source: Source = "shipped"
    fills: tuple[tuple[str, str], ...] = ()

    @property
    def called(self) -> str:
        """What people call it: `blocks v2`."""
        return f"{self.name} v{self.version}"

    @property
    def keys(self) -> tuple[str, ...]:
        """The columns of `key`."""
        return tuple(column.strip() for column in self.key.split(","))

    @property
    def digest(self) -> str:
        """The tagged sha256 of the text: which text exactly was meant."""
        return text_digest(self.sql)

    @property
    def view(self) -> str:
        """The SELECT that runs: `plain`, with the columns that it lacks."""
        if not self.fills:
            return self.plain
        nulls = ", ".join(f"CAST(NULL AS {type_}) AS {quoted(column)}" for column, type_ in self.fills)
        return f"SELECT *, {nulls} FROM ({self.plain})"

    @property
    def prose(self) -> str:
        """What the first comment after the header says, as one paragraph a blank line."""
        match = re.search(r"/\*(.*?)\*/", self.sql, re.DOTALL)
        paragraphs = match[1].split("\n\n") if match else []
        return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def text_digest(sql: str) -> str:
    """The tagged sha256 of a text of SQL."""
    return f"sha256:{hashlib.sha256(sql.encode()).hexdigest()}"


@lru_cache(maxsize=512)
def define(text: str, *, where: str, source: Source = "shipped") -> Definition:
    """Read the text of one projection file. `where` names it in errors, `source` says whose it is.

    Raises:
        ProjectionFileError: the header is incomplete, the rest is not one SELECT, or it calls a helper
            wrongly.
    """
    if len(text) > TEXT_BOUND:
        raise ProjectionFileError(
            f"{where}: {len(text):,} characters are more than a projection is; keep it under {TEXT_BOUND:,}"
        )
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
        plain=plain.sql(dialect="duckdb", pretty=True, comments=False, copy=False),
        reads=frozenset(
            one.name.lower() or one.sql("duckdb")
            for one in tables_of(plain)
            if _called(one) not in PURE_TABLES
        ),
        source=source,
    )


def _header(text: str, where: str) -> dict[str, str]:
    header, _ = read_header(text)
    missing = [key for key in _REQUIRED if not header.get(key)]
    if missing:
        raise ProjectionFileError(
            f"{where}:1: the header lacks {', '.join(missing)}; "
            "begin the file with lines like `-- projection: blocks`"
        )
    if not (header["version"].isascii() and header["version"].isdecimal()):
        raise ProjectionFileError(
            f"{where}: version {header['version']!r} is not a number; count from 1, as the file name does"
        )
    return header


def _select(text: str, where: str) -> exp.Query:
    try:
        trees = [tree for tree in sqlglot.parse(text, dialect="duckdb") if not isinstance(tree, _NOTHING)]
    except (SqlglotError, RecursionError) as error:
        raise ProjectionFileError(
            f"{where}: not SQL: {str(error).splitlines()[0]}; {unparsed_mend(text)}"
        ) from error
    if len(trees) != 1 or not isinstance(trees[0], exp.Query) or trees[0].find(exp.DDL, exp.DML):
        raise ProjectionFileError(
            f"{where}: a projection is one SELECT and nothing else; take out what is not part of it"
        )
    return with_arrows(trees[0])


def with_arrows(tree: exp.Query) -> exp.Query:
    """The query with each `x -> '$.a'` that was parsed as a lambda read as the JSON arrow it is, in place.

    The parser takes an arrow behind a bare name in a call for a lambda; DuckDB spells those `lambda x: …`.
    The brackets put around it let its SQL be parsed again.
    """
    for node in list(tree.find_all(exp.Lambda)):
        path: exp.Expr = node.this
        while isinstance(path, (exp.JSONExtract, exp.JSONExtractScalar)):
            path = path.this
        if len(node.expressions) != 1 or not isinstance(path, exp.Literal) or _takes_lambda(node.parent):
            continue
        arrow = exp.JSONExtract(
            this=exp.Column(this=node.expressions[0]),
            expression=Dialect.get_or_raise("duckdb").to_json_path(path.copy()),
            only_json_types=False,
        )
        path.replace(arrow)
        node.replace(exp.Paren(this=node.this))
    return tree


def _takes_lambda(call: exp.Expr | None) -> bool:
    if isinstance(call, exp.Anonymous):
        return call.name.lower() in LAMBDAS
    return isinstance(call, exp.Func) and any(name.lower() in LAMBDAS for name in call.sql_names())


def unparsed_mend(text: str) -> str:
    """What to do about a text that the parser does not read, though DuckDB may."""
    bare = _BARE_ARROW.search(text)
    if bare is None:
        return "try it in `vfdir-lab sql` first"
    return f"put brackets around ({' '.join(bare[1].split())})"


def tables_of(tree: exp.Expr) -> list[exp.Table]:
    """The tables a statement reads, without its own common table expressions, each where it can be seen."""
    scopes = list(traverse_scope(tree)) if isinstance(tree, exp.Query) else []
    found = [one for scope in scopes for one in scope.sources.values() if isinstance(one, exp.Table)]
    # Where scopes do not look (the table of a PIVOT statement) every table counts that no WITH names.
    own = {cte.alias.lower() for cte in tree.find_all(exp.CTE)}
    looked_at = {id(one) for scope in scopes for one in scope.tables if one.alias_or_name in scope.sources}
    found += [
        one for one in tree.find_all(exp.Table) if id(one) not in looked_at and one.name.lower() not in own
    ]
    return found


def _called(table: exp.Table) -> str:
    """The function that gives a table its rows, in lower case; empty where none does."""
    call = table.this
    if not isinstance(call, exp.Func):
        return ""
    return (call.name if isinstance(call, exp.Anonymous) else call.sql_name()).lower()


def expand(tree: exp.Query, *, where: str) -> exp.Query:
    """The query with every helper call replaced, in place, by the expression it stands for.

    Raises:
        ProjectionFileError: a helper is called with too few or too many arguments; `where` is in the message.
    """

    def replace(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Anonymous) and node.name.lower() in _helpers():
            return _call(node, [argument.transform(replace) for argument in node.expressions], where)
        return node

    # A helper stands for a value, never for the query.
    return cast("exp.Query", tree.transform(replace, copy=False))


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

    return exp.Paren(this=body.transform(fill))


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
