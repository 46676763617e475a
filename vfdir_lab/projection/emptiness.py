"""Of what all rows of a query are made, so that it is empty where that is, whatever events there are.

Followed from FROM to FROM: each SELECT on the way gives no row without one of what it reads. Where that comes
to a named part of the query that reads no events, to look at that part alone is enough.

Checked by `tests/projection/test_emptiness.py`, case by case, and by the property of the refresh.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sqlglot import exp

from vfdir_lab.projection.definition import LEAF
from vfdir_lab.projection.objectwise import aggregates_of, is_plain

_GIVES = frozenset({"", "LEFT"})
"""Sides of joins that give no row where the left has none."""
_SETS = (exp.Tuple, exp.GroupingSets, exp.Cube, exp.Rollup)
"""What may group rows by nothing, which gives one row of none."""


def base_of(query: exp.Expr) -> str | None:
    """A SELECT that reads no events and without whose rows the query has none; None: there is none to see."""
    with_ = query.args.get("with_")
    if with_ is None or with_.args.get("recursive"):
        return None
    names = [one.alias.lower() for one in with_.expressions]
    parts = dict(zip(names, (one.this for one in with_.expressions), strict=True))
    node: exp.Expr = query
    while (name := _source(node)) in names:
        if not _reads_events(parts[name], parts, passed=frozenset({name})):
            return f"{with_.sql('duckdb')} SELECT 1 FROM {exp.to_identifier(name, quoted=True).sql('duckdb')}"
        names = names[: names.index(name)]  # a part sees those before it
        node = parts[name]
        if node.args.get("with_") is not None:
            return None
    return None


def _source(node: exp.Expr) -> str:
    """What a SELECT takes each of its rows from, if it gives none without; else nothing."""
    start = node.args.get("from_")
    table = start.this if start is not None else None
    if not isinstance(node, exp.Select) or not isinstance(table, exp.Table) or not is_plain(table):
        return ""
    group = node.args.get("group")
    if group is None:
        lone = any(aggregates_of(one) for one in _own(node))
    else:
        lone = set(filter(group.args.get, group.args)) != {"expressions"} or group.find(*_SETS) is not None
    joins = node.args.get("joins") or []
    gives_more = any(join.side not in _GIVES or join.method for join in joins)
    return "" if lone or gives_more else table.name.lower()


def _own(select: exp.Select) -> Iterator[exp.Expr]:
    """The expressions of a SELECT."""
    for name, value in select.args.items():
        if name not in {"with_", "from_", "joins"}:
            yield from (one for one in (value if isinstance(value, list) else [value]) if one)


def _reads_events(node: exp.Expr, parts: Mapping[str, exp.Expr], *, passed: frozenset[str]) -> bool:
    """Whether a part reads events, by itself or by others; what cannot be seen counts as if it did."""
    for table in node.find_all(exp.Table):
        name = table.name.lower()
        if not is_plain(table) or name == LEAF or name in passed:
            return True
        if name in parts and _reads_events(parts[name], parts, passed=passed | {name}):
            return True
    return False
