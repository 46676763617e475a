"""Completion in the cells of our magics: tables, columns, helpers, lenses.

A matcher for IPython's completer, so a terminal and Jupyter complete alike. What tables have which columns is
asked of an empty log by DESCRIBE, once for each interpretation; no event is read for it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, NamedTuple

import sqlglot
from IPython.core.completer import CompletionContext, SimpleCompletion, SimpleMatcherResult, context_matcher
from sqlglot import Token, TokenType
from sqlglot.errors import SqlglotError

from vfdir_lab.errors import VfdirError
from vfdir_lab.notebook.session import Session
from vfdir_lab.projection import Definition, Lens
from vfdir_lab.projection.catalogue import shipped
from vfdir_lab.projection.connection import quoted
from vfdir_lab.projection.definition import LEAF
from vfdir_lab.projection.scratch import scratch

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

IDENTIFIER = "vfdir_lab"
COMMANDS = ("open", "status", "lens")

_CELL = re.compile(r"\s*%%(vfdir|projection)\b([^\n]*)\n")
_LENS = re.compile(r"%vfdir\s+lens\s+(?P<line>[\w-]*)$|%%vfdir\s.*--lens[ =]\s*(?P<option>[\w-]*)$")
_COMMAND = re.compile(r"%vfdir\s+(?P<word>\w*)$")
_NAME = re.compile(r"%%projection\s+(?P<word>\w*)$")
_WORD = re.compile(r"(?:(?P<of>\w+)\.)?(?P<word>\w*)$")
_BEFORE_TABLES = frozenset({"FROM", "JOIN", ","})
_NO_ALIASES = frozenset(
    """as on using where join left right full inner cross semi anti natural group order having limit union
    except intersect qualify window select set""".split()  # noqa: SIM905 - words, easier to read so
)


Columns = dict[str, tuple[str, ...]]
Tables = Callable[[Lens], tuple[Sequence[Definition], Sequence[str]]]


class Asked(NamedTuple):
    """A place to complete at: the word begun, and what may stand there, by name with its sort."""

    word: str
    offers: Mapping[str, str]


def complete_in(shell: InteractiveShell, session: Session) -> None:
    """Add the matcher to a shell's completer, in the place of an older one of ours."""

    def match(context: CompletionContext) -> SimpleMatcherResult:
        return _result(asked_at(session, context.full_text, context.cursor_line, context.cursor_position))

    others = [
        one
        for one in shell.Completer.custom_matchers
        if getattr(one, "matcher_identifier", None) != IDENTIFIER
    ]
    shell.Completer.custom_matchers = [*others, context_matcher(identifier=IDENTIFIER)(match)]


def asked_at(session: Session, text: str, line: int, column: int) -> Asked | None:
    """What may stand at a place of a cell (`line` and `column` from 0), None where it is none of ours."""
    lines = text.split("\n")
    before = lines[line][:column]
    cell = _CELL.match(text)
    try:
        if line == 0 or cell is None:
            return _in_line(session, before)
        body = text[cell.end() :]
        return _in_sql(session.view().definitions, body, before, in_file=cell[1] == "projection")
    except VfdirError:  # nothing is open, or the lens does not run: the cell itself will say so
        return None


def _in_line(session: Session, before: str) -> Asked | None:
    if match := _LENS.search(before):
        names = session.archive.projections.lenses.names()
        return Asked(match["line"] or match["option"] or "", dict.fromkeys(names, "lens"))
    if match := _COMMAND.search(before):
        return Asked(match["word"], dict.fromkeys(COMMANDS, "command"))
    if match := _NAME.search(before):
        return Asked(match["word"], dict.fromkeys(session.archive.projections, "projection"))
    return None


def _in_sql(lens: Lens, sql: str, before: str, *, in_file: bool) -> Asked | None:
    match = _WORD.search(before)
    if match is None or before[: match.start()].rstrip().endswith("--"):
        return None
    tables = columns_of(lens) | (columns_of_versions(lens) if in_file else {})
    named = tables_named(sql, tables)
    if match["of"] is not None:
        table = named.get(match["of"].lower())
        return Asked(match["word"], dict.fromkeys(tables[table], "column") if table else {})
    columns = {column: "column" for table in named.values() for column in tables[table]}
    offers = columns | dict.fromkeys((one for one in named if one not in tables), "alias")
    offers |= dict.fromkeys(tables, "table")
    return Asked(match["word"], offers | (dict.fromkeys(helper_names(), "helper") if in_file else {}))


def tables_named(sql: str, tables: Iterable[str]) -> dict[str, str]:
    """The tables that a query, finished or not, names after FROM, JOIN or a comma: by name and by alias."""
    known = frozenset(tables)
    tokens = _tokens(sql)
    named: dict[str, str] = {}
    for place, token in enumerate(tokens[1:], start=1):
        name = token.text.lower()
        if name not in known or tokens[place - 1].text.upper() not in _BEFORE_TABLES:
            continue
        named[name] = name
        alias = _alias(tokens[place + 1 : place + 3])
        if alias:
            named[alias] = name
    return named


def _tokens(sql: str) -> list[Token]:
    """The words of a query; what cannot be read, such as a quotation that is still open, ends it."""
    try:
        return list(sqlglot.tokenize(sql, dialect="duckdb"))
    except SqlglotError:
        return []


def _alias(after: list[Token]) -> str | None:
    words = [token for token in after if token.token_type is not TokenType.ALIAS]
    if not words or (words[0] is not after[0] and len(words) != 1):
        return None
    text = words[0].text
    return text.lower() if text.isidentifier() and text.lower() not in _NO_ALIASES else None


class _Columns:
    """The columns of tables, by the fingerprint of a lens: a few are kept, for a person uses a few.

    `tables` gives the definitions to set up for a lens, and the names to describe.
    """

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._known: dict[str, Columns] = {}

    def __call__(self, lens: Lens) -> Columns:
        """The columns of each table, by its name."""
        if lens.fingerprint not in self._known:
            definitions, names = self._tables(lens)
            with scratch(definitions) as connection:
                self._known[lens.fingerprint] = {
                    name: tuple(row[0] for row in connection.execute(f"DESCRIBE {quoted(name)}").fetchall())
                    for name in names
                }
        return self._known[lens.fingerprint]


def _tables_of(lens: Lens) -> tuple[Sequence[Definition], Sequence[str]]:
    return lens.definitions, (LEAF, *sorted(lens.versions))


def _versions_beside(lens: Lens) -> tuple[Sequence[Definition], Sequence[str]]:
    """The shipped versions as a person's file can read them beside a lens: `blocks_v2`."""
    there = {LEAF, *lens.versions}
    named = [replace(one, name=f"{one.name}_v{one.version}") for one in shipped() if one.reads <= there]
    new = [one for one in named if one.name not in there]
    return [*lens.definitions, *new], sorted(one.name for one in new)


columns_of = _Columns(_tables_of)
columns_of_versions = _Columns(_versions_beside)


@cache
def helper_names() -> tuple[str, ...]:
    """The helper functions of projections."""
    folder = files("vfdir_lab.projection") / "sql" / "helpers"
    return tuple(sorted(file.name.removesuffix(".sql") for file in folder.iterdir()))


def _result(asked: Asked | None) -> SimpleMatcherResult:
    if asked is None:
        return {"completions": [], "suppress": False}
    word = asked.word.lower()
    found = [
        SimpleCompletion(name, type=sort)
        for name, sort in asked.offers.items()
        if name.lower().startswith(word)
    ]
    return {
        "completions": found,
        "matched_fragment": asked.word,
        "suppress": True,
        "ordered": True,
    }
