"""The shape of a file: SQL, one SELECT, helpers called as they are meant to be."""

from __future__ import annotations

import re
from collections.abc import Iterator

import duckdb
from sqlglot import TokenType, exp

from vfdir_lab.errors import ProjectionFileError
from vfdir_lab.projection.definition import expand, unparsed_mend
from vfdir_lab.projection.lint.rules import Finding, names
from vfdir_lab.projection.lint.source import Source

_MEND = "leave one SELECT and take out the rest"
_NO_PART = (
    *(exp.DDL, exp.DML, exp.Command, exp.Copy, exp.Attach, exp.Detach, exp.Pragma, exp.Set, exp.Use),
    *(exp.Describe, exp.Summarize, exp.Show, exp.Drop, exp.Alter, exp.Merge, exp.Into, exp.Install),
)
_OPEN_BOUND = 200
"""With more brackets left open DuckDB is not asked what is wrong: its time grows with their square."""


def check_shape(source: Source) -> Iterator[Finding]:
    """What keeps the file from being one SELECT; nothing else is worth looking for when there is any."""
    if not source.tokens and source.problem is None:
        yield source.finding("one-select", 0, "the file has no SELECT", "write one below the header")
    elif source.problem is not None:
        yield _unparsed(source, *source.problem)
    elif source.starts_otherwise or not source.trees:
        first = source.tokens[0]
        yield source.finding("one-select", first.start, f"{first.text.upper()[:40]} is not a SELECT", _MEND)
    elif len(source.trees) > 1:
        ends = (i for i, token in enumerate(source.tokens) if token.token_type is TokenType.SEMICOLON)
        offsets = (source.tokens[i + 1].start for i in ends if i + 1 < len(source.tokens))
        yield source.finding("one-select", next(offsets, source.body), "there is a second statement", _MEND)
    else:
        yield from _one(source, source.trees[0])


def _one(source: Source, tree: exp.Expr) -> Iterator[Finding]:
    for node in tree.find_all(*_NO_PART):
        yield source.finding("one-select", node, f"{node.key.upper()} is no part of a SELECT", _MEND)
        return
    if not isinstance(tree, exp.Query):
        yield source.finding("one-select", source.body, f"{tree.key.upper()} is not a SELECT", _MEND)
        return
    try:
        statements = duckdb.extract_statements(source.text)
    except (duckdb.Error, UnicodeError) as error:
        yield source.finding("one-select", source.body, f"DuckDB does not read it: {_first(error)}", _MEND)
        return
    if len(statements) != 1 or not _is_select(statements[0]):
        yield source.finding("one-select", source.body, "DuckDB reads more into it than one SELECT", _MEND)


def _is_select(statement: duckdb.Statement) -> bool:
    try:
        return statement.type == duckdb.StatementType.SELECT
    except ValueError:  # DuckDB parses statements that its own list of types does not have
        return False


def _unparsed(source: Source, message: str, offset: int) -> Finding:
    """The file is no SQL to the parser: a statement in brackets is named as what it is."""
    for token, following in zip(source.tokens, source.tokens[1:], strict=False):
        if token.token_type is TokenType.L_PAREN and following.text.lower() in names("statements"):
            text = f"{following.text.upper()} is no part of a SELECT"
            return source.finding("one-select", following.start, text, _MEND)
    try:
        if _left_open(source) <= _OPEN_BOUND:
            duckdb.extract_statements(source.text)
    except (duckdb.Error, UnicodeError) as error:  # which tells it better than our parser
        message, offset = _first(error), _offset(source, error) or offset
    return source.finding("one-select", offset, f"not SQL: {message}", unparsed_mend(source.text))


def _left_open(source: Source) -> int:
    """How many brackets are opened and not closed."""
    kinds = [token.token_type for token in source.tokens]
    return kinds.count(TokenType.L_PAREN) - kinds.count(TokenType.R_PAREN)


def _offset(source: Source, error: Exception) -> int | None:
    """Where DuckDB points at: the caret below its quotation of a line."""
    match = re.search(r"LINE (\d+): (.*)\n( *)\^", str(error))
    if match is None:
        return None
    before = source.text.split("\n")[: int(match[1]) - 1]
    quoted = match[2].removeprefix("...").removesuffix("...").rstrip()
    line = source.text.split("\n")[int(match[1]) - 1]
    caret = len(match[3]) - len(f"LINE {match[1]}: ") - (3 if match[2].startswith("...") else 0)
    return sum(len(one) + 1 for one in before) + max(0, line.find(quoted)) + max(0, caret)


def check_portable(source: Source, tree: exp.Query) -> Iterator[Finding]:
    """What only DuckDB can run."""
    for node in tree.find_all(exp.Columns, exp.Pivot):
        word = next((t for t in source.tokens if t.text.lower() == node.key), None)
        yield source.finding(
            "column-patterns",
            word.start if word is not None else node,
            f"{node.key.upper()} is DuckDB's own",
            "name the columns, or use CASE and GROUP BY",
        )


def check_helpers(source: Source, tree: exp.Query) -> Iterator[Finding]:
    """Calls of helpers with too few or too many arguments."""
    for call in tree.find_all(exp.Anonymous):
        try:
            nulls = [exp.null() for _ in call.expressions]
            expand(exp.select(exp.Anonymous(this=call.name, expressions=nulls)), where=source.where)
        except ProjectionFileError as error:
            message, _, mend = str(error).removeprefix(f"{source.where}: ").partition("; ")
            yield source.finding("helper-call", call, message, mend)


def _first(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__).removeprefix("Parser Error: ")
