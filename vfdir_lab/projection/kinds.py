"""The kinds of events that a query looks at, as far as its text shows.

A query that takes only events of some kinds answers the same whatever events of other kinds there are. That
is seen where every reading of `events` stands in a SELECT whose WHERE names the kinds in so many words.

Checked by `tests/projection/test_kinds.py`, case by case, and by the property of the refresh.
"""

from __future__ import annotations

from sqlglot import exp

from vfdir_lab.projection.definition import LEAF
from vfdir_lab.projection.objectwise import is_plain

_JOINS = frozenset({"", "INNER", "OUTER", "CROSS"})


def kinds_of(query: exp.Expr) -> frozenset[str] | None:
    """The kinds of events that a query takes, none where it reads no events; None: it may take any."""
    found: set[str] = set()
    for table in query.find_all(exp.Table):
        if not is_plain(table):
            return None  # a function, or a table of DuckDB's own: what that reads does not show
        if table.name.lower() == LEAF:
            kinds = _kinds_taken(table)
            if kinds is None:
                return None
            found |= kinds
    return frozenset(found)


def _kinds_taken(table: exp.Table) -> frozenset[str] | None:
    """What the SELECT that a reading of `events` stands in leaves of it."""
    above = table.parent
    select = above.parent if isinstance(above, exp.From | exp.Join) else None
    if not isinstance(select, exp.Select) or select.args.get("sample"):
        return None
    joins = select.args.get("joins") or []
    if any(join.method or join.kind not in _JOINS for join in joins):
        return None  # which row such a join takes may hang on rows that WHERE leaves out afterwards
    where = select.args.get("where")
    if where is None:
        return None
    return _left_by(where.this, table.alias_or_name.lower(), is_alone=not joins)


def _left_by(condition: exp.Expr, table: str, *, is_alone: bool) -> frozenset[str] | None:
    """The kinds of events of that table for which a condition may hold; None: any."""
    node = condition.unnest()
    if not isinstance(node, exp.And | exp.Or):
        return _named(node, table, is_alone=is_alone)
    left, right = (_left_by(one, table, is_alone=is_alone) for one in (node.left, node.right))
    if isinstance(node, exp.Or):
        return None if left is None or right is None else left | right
    return left if right is None else right if left is None else left & right


def _named(condition: exp.Expr, table: str, *, is_alone: bool) -> frozenset[str] | None:
    """The kinds that `kind = 'x'` or `kind IN ('x', 'y')` names, of that table."""
    if isinstance(condition, exp.EQ):
        column, values = condition.left, [condition.right]
    elif isinstance(condition, exp.In) and condition.expressions:
        column, values = condition.this, condition.expressions
    else:
        return None
    if not isinstance(column, exp.Column) or column.name.lower() != "kind" or column.db:
        return None
    of_table = column.table.lower() == table or (is_alone and not column.table)
    if not of_table or not all(isinstance(one, exp.Literal) and one.is_string for one in values):
        return None
    return frozenset(one.name for one in values)
