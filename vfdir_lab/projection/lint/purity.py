"""Purity: nothing but events and projections goes into an answer.

Looked for in the tokens, so however it is spelled: in capitals, quoted, behind a dot.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from sqlglot import Token, TokenType, exp

from vfdir_lab.projection.definition import tables_of
from vfdir_lab.projection.lint.rules import Finding, names
from vfdir_lab.projection.lint.source import Source

Tables = Mapping[str, Sequence[str]]
"""What a projection may read: tables with their columns, in lower case."""

_MENDS = {
    "clock": "take the time from the events: recorded_at, origin_at, hlc",
    "chance": "derive it from the events: a hash of object_id or event_id",
    "surroundings": "a projection says the same wherever it runs; take it out",
    "outside": "read events and projections; other data goes to `archive.sql(query, name=table)`",
    "text-as-sql": "write the query itself",
    "sample": "take all rows, or choose them by hash(object_id) % 10 = 0",
}
_OUTSIDE = re.compile(r"(read|parquet|sqlite|postgres|mysql|delta|iceberg|pandas|arrow|python)_\w+|\w+_scan")
_SURROUNDINGS = re.compile(
    r"(duckdb|pragma|pg|has_\w+_privilege|inet|current|sqlite|information_schema)(_\w*)?"
)
_GROUPS = ("clock", "chance", "surroundings", "text", "outside")


def check_purity(source: Source, tree: exp.Query, tables: Tables) -> Iterator[Finding]:
    """Calls, bare values, tables and samples that let in what is no event."""
    named = {one.name.lower() for one in tree.find_all(exp.TableAlias)}  # WITH stats(a, b) AS … is no call
    for name, token in source.calls():
        if name in named:
            continue
        rule = rule_of(name) or ("clock" if name == "age" and _takes_one(source, token) else None)
        if rule is not None:
            yield source.finding(rule, token.start, f"{name}() {_WHY[rule]}", _MENDS[rule])
    yield from _bare(source, tree, tables)
    yield from _tables(source, tree, tables)
    for node in tree.find_all(exp.TableSample):
        word = next(t for t in source.tokens if t.text.lower() in {"sample", "tablesample"})
        yield source.finding("sample", word.start, f"{node.key.upper()} {_WHY['sample']}", _MENDS["sample"])


_WHY = {
    "clock": "is the time at which the query runs",
    "chance": "is different each time",
    "surroundings": "asks for settings, the session or the catalogue of the database",
    "outside": "reads from outside of the archive, or makes rows of something else than its arguments",
    "text-as-sql": "runs a text as SQL, which nobody can check or trace",
    "sample": "takes other rows each time",
}


def rule_of(name: str) -> str | None:
    """The rule that a call of the function with this name in lower case breaks, whatever its arguments."""
    if name in names("harmless"):
        return None
    for group in _GROUPS:
        if name in names(group):
            return {"text": "text-as-sql"}.get(group, group)
    if _OUTSIDE.fullmatch(name):
        return "outside"
    return "surroundings" if _SURROUNDINGS.fullmatch(name) else None


def _takes_one(source: Source, token: Token) -> bool:
    """Whether a call has one argument: age(x) counts up to now, age(x, y) does not."""
    depth = 0
    for other in source.tokens[source.tokens.index(token) + 1 :]:
        if other.token_type is TokenType.COMMA and depth == 1:
            return False
        depth += {TokenType.L_PAREN: 1, TokenType.R_PAREN: -1}.get(other.token_type, 0)
        if depth == 0:
            break
    return True


def _bare(source: Source, tree: exp.Query, tables: Tables) -> Iterator[Finding]:
    """Values without parentheses, unless the query has a column of that name."""
    given = {alias.alias.lower() for alias in tree.find_all(exp.Alias)}.union(*tables.values())
    for index, token in enumerate(source.tokens):
        name = token.text.lower()
        if name not in names("bare") or token.token_type is TokenType.STRING or name in given:
            continue
        before = source.tokens[index - 1].token_type if index else None
        after = source.tokens[index + 1].token_type if index + 1 < len(source.tokens) else None
        if before is TokenType.DOT or after in {TokenType.L_PAREN, TokenType.COLON, TokenType.DOT}:
            continue
        rule = rule_of(name) or "surroundings"
        yield source.finding(rule, token.start, f"{name} {_WHY[rule]}", _MENDS[rule])


def _tables(source: Source, tree: exp.Query, tables: Tables) -> Iterator[Finding]:
    for table in tables_of(tree):
        yield from _table(source, table, tables)


def _table(source: Source, table: exp.Table, tables: Tables) -> Iterator[Finding]:
    name = table.name.lower()
    if isinstance(table.this, exp.Func):
        name = source.called(table.this)
        if name not in names("rows") and rule_of(name) is None:
            yield source.finding("outside", table.this, f"{name}() {_WHY['outside']}", _MENDS["outside"])
    elif table.db or (name not in tables and _SURROUNDINGS.fullmatch(name)):
        yield source.finding(
            "surroundings",
            table,
            f"{table.db + '.' if table.db else ''}{name} is a name of the database's own",
            "read events and projections by their plain names",
        )
    elif name not in tables and re.search(r"[./*\\:]", name):
        yield source.finding("outside", table, f"{name[:80]!r} is a file", _MENDS["outside"])
    elif name not in tables:
        yield source.finding(
            "unknown-name",
            table,
            f"there is no table {name}",
            f"there are {', '.join(sorted(tables))}",
        )
