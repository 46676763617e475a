"""The text of a file as tokens and tree, with the place of each node: what the rules look at."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from functools import cached_property

import sqlglot
from sqlglot import Token, TokenType, exp
from sqlglot.errors import SqlglotError

from vfdir_lab.projection.definition import with_arrows
from vfdir_lab.projection.header import header_lines
from vfdir_lab.projection.lint.rules import Finding

_SPELLED: dict[type[exp.Expr], frozenset[str]] = {
    exp.ArgMax: frozenset({"arg_max", "argmax", "max_by"}),
    exp.ArgMin: frozenset({"arg_min", "argmin", "min_by"}),
    exp.GroupConcat: frozenset({"string_agg", "group_concat", "listagg"}),
}
"""How the functions are spelled that the parser gives no place."""

logging.getLogger("sqlglot").addHandler(logging.NullHandler())  # what it cannot parse is a finding here


class Source:
    """One file: its text, tokens and statements. `problem` is why it has none, with the offset of that."""

    def __init__(self, text: str, where: str) -> None:
        self.text = text
        self.where = where
        self.tokens: list[Token] = []
        self.trees: list[exp.Expr] = []
        self.problem: tuple[str, int] | None = None
        try:
            self.tokens = list(sqlglot.tokenize(text, dialect="duckdb"))
            if not self.starts_otherwise:
                parsed = sqlglot.parse(text, dialect="duckdb")
                self.trees = [
                    with_arrows(tree) if isinstance(tree, exp.Query) else tree
                    for tree in parsed
                    if tree is not None and type(tree) is not exp.Semicolon
                ]
        except RecursionError:
            self.problem = ("it is nested too deeply", 0)
        except (SqlglotError, ValueError) as error:
            self.problem = (_first_line(error), self._offset_of(error))

    @property
    def starts_otherwise(self) -> bool:
        """Whether the first word is none that a SELECT begins with."""
        return bool(self.tokens) and self.tokens[0].text.lower() not in {
            "select",
            "with",
            "from",
            "(",
            "table",
        }

    @cached_property
    def header(self) -> dict[str, list[tuple[str, int]]]:
        """The `-- name: value` lines at the top: for each name its values with the offset of the line."""
        found: dict[str, list[tuple[str, int]]] = {}
        for line in header_lines(self.text):
            found.setdefault(line.name, []).append((line.value, line.start))
        return found

    @property
    def body(self) -> int:
        """The offset where the SQL begins."""
        return self.tokens[0].start if self.tokens else 0

    def finding(self, rule: str, at: int | exp.Expr | None, message: str, mend: str) -> Finding:
        """A finding at an offset or a node."""
        offset = at if isinstance(at, int) else self.offset(at)
        before = self.text[:offset]
        return Finding(
            rule=rule,
            where=self.where,
            line=before.count("\n") + 1,
            column=offset - (before.rfind("\n") + 1) + 1,
            message=message,
            mend=mend,
        )

    def calls(self) -> Iterator[tuple[str, Token]]:
        """Each function called: its name in lower case, and its token."""
        for token, following in zip(self.tokens, self.tokens[1:], strict=False):
            if following.token_type is TokenType.L_PAREN and re.fullmatch(r"\w+", token.text):
                yield token.text.lower(), token

    def offset(self, node: exp.Expr | None) -> int:
        """Where a node stands in the text: its own first token, as near as the parser lets us know."""
        if node is None:
            return self.body
        index = self._token(node)
        return self.body if index is None else self.tokens[index].start

    def called(self, node: exp.Expr) -> str:
        """The name a function is called by in the text, in lower case."""
        if isinstance(node, exp.Anonymous):
            return node.name.lower()
        index = self._token(node)
        if index is None or not re.fullmatch(r"\w+", self.tokens[index].text):
            return node.sql_name().lower() if isinstance(node, exp.Func) else ""
        return self.tokens[index].text.lower()

    @cached_property
    def _at(self) -> dict[int, int]:
        return {token.start: index for index, token in enumerate(self.tokens)}

    def _token(self, node: exp.Expr) -> int | None:
        """The index of the token a node begins with."""
        if node.meta.get("start") in self._at:
            return self._at[node.meta["start"]]
        starts = [one.meta["start"] for one in node.walk() if one.meta.get("start") in self._at]
        if not isinstance(node, exp.Func):
            return self._at[min(starts)] if starts else None
        spelled = _SPELLED.get(type(node)) or frozenset(name.lower() for name in node.sql_names())
        if starts:
            return self._before(self._at[min(starts)], spelled)
        return next((i for i, token in enumerate(self.tokens) if token.text.lower() in spelled), None)

    def _before(self, index: int, spelled: frozenset[str]) -> int:
        """The token of a call with that spelling around the token at `index`; that one, if there is none."""
        depth = 0
        for i in range(index - 1, 0, -1):
            kind = self.tokens[i].token_type
            if kind is TokenType.R_PAREN:
                depth += 1
            elif kind is TokenType.L_PAREN and depth:
                depth -= 1
            elif kind is TokenType.L_PAREN and self.tokens[i - 1].text.lower() in spelled:
                return i - 1
        return index

    def _offset_of(self, error: Exception) -> int:
        """Where the parser stopped."""
        details = getattr(error, "errors", None) or [{}]
        line: int | None = details[0].get("line")
        column: int = details[0].get("col") or 0
        if not line:
            return max(0, len(self.text.rstrip()) - 1)
        lines = self.text.split("\n")
        width = len(details[0].get("highlight") or "x")
        return max(0, min(sum(len(one) + 1 for one in lines[: line - 1]) + column - width, len(self.text)))


def _first_line(error: Exception) -> str:
    text = str(error).splitlines()[0] if str(error) else type(error).__name__
    return re.sub(r"\. Line \d+, Col: \d+\.", "", text)[:200]
