"""How a projection is brought up to date from a checkpoint, and why so.

Owns the rule alone; `objectwise.py` has its proof, `incremental.py` does what it says. Every projection is
right without it: a rule only says what may be left out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

import sqlglot
from sqlglot import TokenType, exp

from vfdir_lab.projection.definition import LEAF, Definition
from vfdir_lab.projection.emptiness import base_of
from vfdir_lab.projection.kinds import kinds_of
from vfdir_lab.projection.lint.purity import rule_of
from vfdir_lab.projection.lint.rules import names
from vfdir_lab.projection.objectwise import NotProvenError, prove

Kind = Literal["by object", "over projections", "full"]

_UNSTEADY = frozenset({"clock", "chance", "surroundings"})
"""The rules about what is another at each moment, by chance, or in another session."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """How a projection is refreshed, with the reason in words.

    `column` of its rows holds the object's id where it is refreshed by object. One that is not `steady`
    answers otherwise each time it is asked: no checkpoint is made of it. `takes` are the kinds of events that
    it hangs on besides the projections it reads: while no such event is new and none of those differs, it is
    as it was. None: it may be any kind. `base` is a SELECT over projections: while that gives no row, this
    has none, whatever is new.
    """

    kind: Kind
    reason: str
    column: str | None = None
    steady: bool = True
    takes: frozenset[str] | None = None
    base: str | None = None

    def __str__(self) -> str:
        said = f"{self.kind}: {self.reason}"
        return f"{said}; only where one of {', '.join(sorted(self.takes))} is new" if self.takes else said


@lru_cache(maxsize=512)
def refresh_rule(definition: Definition) -> Rule:
    """The rule for a definition. What cannot be proven is computed in full."""
    unsteady = _unsteady(definition.plain)
    if unsteady is not None:
        return Rule(kind="full", reason=f"{unsteady} is another each time it is asked for", steady=False)
    tree = sqlglot.parse_one(definition.plain, dialect="duckdb")
    return replace(_rule(definition, tree), takes=kinds_of(tree), base=base_of(tree))


def _rule(definition: Definition, tree: exp.Expr) -> Rule:
    below = sorted(definition.reads - {LEAF})
    if below and LEAF in definition.reads:
        return Rule(kind="full", reason=f"it reads {LEAF} and {', '.join(below)}")
    if below:
        return Rule(kind="over projections", reason=f"it reads {', '.join(below)}")
    return _by_object(definition, tree)


def _by_object(definition: Definition, tree: exp.Expr) -> Rule:
    leaves = [one for one in tree.find_all(exp.Table) if one.name.lower() == LEAF]
    if len(leaves) != 1:
        return Rule(kind="full", reason=f"it reads {LEAF} in {len(leaves)} places")
    try:
        rows = prove(tree)
    except NotProvenError as why:
        return Rule(kind="full", reason=str(why))
    except RecursionError:
        return Rule(kind="full", reason="it is nested too deeply to be read")
    keys = {key.lower() for key in definition.keys}
    columns = [name for name in rows.columns if name in rows.objects & keys]
    if not columns:
        return Rule(kind="full", reason="its key does not contain object_id as it is in events")
    return Rule(kind="by object", reason=f"each row is of the one object in {columns[0]}", column=columns[0])


def _unsteady(sql: str) -> str | None:
    """A call or a bare word that depends on the moment, on chance or on the session."""
    tokens = sqlglot.tokenize(sql, dialect="duckdb")
    for index, token in enumerate(tokens):
        if token.token_type is TokenType.STRING:
            continue
        name = token.text.lower()
        is_call = index + 1 < len(tokens) and tokens[index + 1].token_type is TokenType.L_PAREN
        if is_call and (rule_of(name) in _UNSTEADY or name == "age"):
            return f"{name}()"
        if not is_call and name in names("bare") and name != "user":  # that is a column, more often than not
            return name
    return None
