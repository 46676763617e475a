"""What a SELECT is made of: its own parts, its columns, its groups."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from vfdir_lab.projection.definition import expand
from vfdir_lab.projection.lint.keys import Rows
from vfdir_lab.projection.lint.rules import names


def own(node: exp.Expr) -> Iterator[exp.Expr]:
    """The nodes of a query without those of the queries in it."""
    for part in own_parts(node):
        yield from part.walk(prune=lambda one: isinstance(one, exp.Query))


def nested(part: exp.Expr) -> Iterator[exp.Query]:
    """The queries right below an expression."""
    for one in part.walk(prune=lambda one: isinstance(one, exp.Query)):
        if isinstance(one, exp.Query):
            yield one


def own_parts(query: exp.Expr) -> Iterator[exp.Expr]:
    """All of a query but its FROM, its common tables and the sides of a UNION."""
    for name, value in query.args.items():
        if name in {"from_", "with_"} or (
            isinstance(query, exp.SetOperation) and name in {"this", "expression"}
        ):
            continue
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, exp.Join):
                yield from (one for key in ("on",) if isinstance(one := part.args.get(key), exp.Expr))
            elif isinstance(part, exp.Expr):
                yield part


def projected(select: exp.Select, rows: Rows) -> list[tuple[str, exp.Expr]] | None:
    """The columns that a SELECT gives, by name in lower case; None where that cannot be known."""
    found: list[tuple[str, exp.Expr]] = []
    for one in select.expressions:
        if not one.is_star:
            found.append(((one.alias_or_name or one.sql("duckdb")).lower(), one.unalias()))
            continue
        star = one.this if isinstance(one, exp.Column) else one
        replaced = {x.alias.lower(): x.this for x in star.args.get("replace") or ()}
        without = {x.name.lower() for x in star.args.get("except_") or ()}
        if not isinstance(star, exp.Star) or star.args.get("rename"):
            return None
        for source, relation in rows.sources.items():
            if isinstance(one, exp.Column) and one.table.lower() != source:
                continue
            if relation.columns is None:
                return None
            found += [
                (name, replaced.get(name) or exp.column(name, table=source, quoted=True))
                for name in relation.columns
                if name not in without
            ]
    return found


def groups(select: exp.Select) -> list[exp.Expr] | None:
    """The expressions of GROUP BY; none where all rows become one, None where they stay apart."""
    group = select.args.get("group")
    if group is None:
        return [] if any(is_aggregate(one) for one in own(expand(select.copy(), where=""))) else None
    if any(group.args.get(one) for one in ("cube", "rollup", "grouping_sets")):
        return None
    if group.args.get("all"):
        return [one.unalias() for one in select.expressions if not _aggregates(one)]
    return [positioned(one, select) for one in group.expressions]


def positioned(node: exp.Expr, select: exp.Select) -> exp.Expr:
    """The expression that a number in GROUP BY or ORDER BY stands for."""
    if isinstance(node, exp.Literal) and not node.is_string and 0 < int(node.name) <= len(select.expressions):
        found: exp.Expr = select.expressions[int(node.name) - 1].unalias()
        return found
    return node


def _aggregates(one: exp.Expr) -> bool:
    plain = expand(exp.select(one.copy()), where="")
    return any(is_aggregate(node) for node in own(plain))


def is_aggregate(node: exp.Expr) -> bool:
    """Whether a node makes one value of many rows of a group; not one of a window."""
    name = node.name.lower() if isinstance(node, exp.Anonymous) else ""
    if not isinstance(node, exp.AggFunc) and name not in names("aggregates"):
        return False
    above = node.parent
    while isinstance(above, (exp.Filter, exp.IgnoreNulls, exp.RespectNulls, exp.WithinGroup)):
        above = above.parent
    return not isinstance(above, exp.Window)
