"""The rules as values, read from `rules.toml`; the names of functions they are about, from `names.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from vfdir_lab.errors import UsageError

_HERE = files("vfdir_lab.projection.lint")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What a projection must not do.

    `reason` is what goes wrong otherwise; `bad` is an example that breaks the rule and `good` one that mends
    it, each a whole file but for the header, where it is not about the header. `portable`: it is about
    carrying the SQL to other engines, and breaking it changes no answer here.
    """

    id: str
    title: str
    reason: str
    bad: str
    good: str
    portable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A rule is broken: `where` names the file, `line` and `column` count from 1, `mend` is what to do."""

    rule: str
    where: str
    line: int
    column: int
    message: str
    mend: str

    def __str__(self) -> str:
        return f"{self.where}:{self.line}:{self.column}: {self.rule}: {self.message}; {self.mend}"


def _read_rules() -> dict[str, Rule]:
    tables = tomllib.loads((_HERE / "rules.toml").read_text("utf-8"))
    return {name: Rule(id=name, **table) for name, table in tables.items()}


RULES: Mapping[str, Rule] = MappingProxyType(_read_rules())
"""Every rule by its id, in the order in which they are explained."""


@cache
def names(group: str) -> frozenset[str]:
    """The functions, in lower case, that `names.toml` lists in a group."""
    return frozenset(tomllib.loads((_HERE / "names.toml").read_text("utf-8"))[group].split())


def explain(rule_id: str) -> str:
    """What a rule asks for and why, with an example that breaks it and one that mends it.

    Raises:
        UsageError: there is no such rule; the message names those there are.
    """
    if rule_id not in RULES:
        raise UsageError(f"there is no rule {rule_id!r}; there are {', '.join(RULES)}")
    rule = RULES[rule_id]
    return (
        f"{rule.id}: {rule.title}\n\n{rule.reason.strip()}\n\n"
        f"Not so:\n{_indented(rule.bad)}\n\nBut so:\n{_indented(rule.good)}\n"
    )


def _indented(text: str) -> str:
    return "\n".join(f"    {line}".rstrip() for line in text.strip().splitlines())
