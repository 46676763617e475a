"""Values: cleared fields stay cleared; no sum or text depends on the order in which rows are met."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sqlglot import exp

from vfdir_lab.projection.lint.fields import field_of, keeps_cleared
from vfdir_lab.projection.lint.order import Call, calls
from vfdir_lab.projection.lint.reader import View
from vfdir_lab.projection.lint.rules import Finding, names
from vfdir_lab.projection.lint.selects import own
from vfdir_lab.projection.lint.source import Source

TypeOf = Callable[[exp.Expr], str | None]
"""The type that DuckDB gives an expression of the file; None where it cannot say."""


def check_cleared(source: Source, view: View) -> Iterator[Finding]:
    """Choices of the newest that pass over nulls, and so bring cleared values back."""
    for call in calls(source, view):
        passes = call.name in names("skip_nulls") or _ignores_nulls(call.node)
        if passes and call.values and (path := _clearable(call.values[0], view)):
            yield source.finding(
                "cleared-values",
                call.node,
                f"{call.name}() passes over nulls: once {path} is cleared, its old value comes back",
                f"write {_latest(path)}",
            )
    for node in own(view.node):
        if isinstance(node, exp.Coalesce):
            paths = [_clearable(one, view) for one in (node.this, *node.expressions)]
            path = next((one for one in paths if one and paths.count(one) > 1), None)
            if path is not None:
                yield source.finding(
                    "cleared-values",
                    node,
                    f"COALESCE passes over nulls: once {path} is cleared, the older value comes back",
                    f"write {_latest(path)} over all of the events",
                )


def _clearable(node: exp.Expr, view: View) -> str | None:
    """The path of the field that an expression is, if it is NULL once that is cleared."""
    return None if keeps_cleared(node, view.rows) else field_of(node, view.rows)


def _ignores_nulls(node: exp.Expr) -> bool:
    return isinstance(node.parent, exp.IgnoreNulls) or bool(node.find(exp.IgnoreNulls))


def _latest(path: str) -> str:
    field, _, below = path.partition(".")
    return f"latest('{field}') ->> '${'.' + below if below else ''}'"


def check_floats(source: Source, view: View, type_of: TypeOf) -> Iterator[Finding]:
    """Sums of floats, which depend on the order of adding in their last digits."""
    for call in calls(source, view):
        always = call.name in names("floats")
        if (
            not call.values
            or not (always or call.name in names("sums"))
            or _is_settled(view, call)
            or not (always or type_of(call.values[0]) in {"DOUBLE", "FLOAT", None})
        ):
            continue
        yield source.finding(
            "float-sum",
            call.node,
            f"{call.name}() adds floats, and rounds differently in another order of rows",
            "cast to DECIMAL(38, 9) or BIGINT"
            if not always
            else "count and sum whole numbers, divide at the end",
        )


def _is_settled(view: View, call: Call) -> bool:
    given = [*call.orders, *call.fixed]
    return bool(call.orders) and view.rows.is_total(given, grouped=call.window is not None)


_COMPARES = (exp.Predicate, exp.In, exp.Between)


def check_collations(source: Source, tree: exp.Query) -> Iterator[Finding]:
    """Texts that a COLLATE makes equal though they differ, where one of them goes into the answer."""
    for node in tree.find_all(exp.Collate):
        above = node.parent
        while isinstance(above, exp.Paren):
            above = above.parent
        if not isinstance(above, _COMPARES):
            yield source.finding(
                "collation",
                node,
                f"COLLATE {node.expression.name} leaves open which of the texts stays that it makes equal",
                "choose, group and order by lower(…), and end an order with a key",
            )
