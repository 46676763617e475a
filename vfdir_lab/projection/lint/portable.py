"""What answers otherwise on Spark, or not at all: looked for only where somebody asks.

The rules are of two sorts (`rules.toml` says which): those whose answer would be another in silence, and
those that Spark refuses, which are named here so that nothing has to be computed first. What DuckDB and Spark
mean differently and translation makes equal, as arg_max over nulls, is no rule: see `vfdir_lab/scale`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlglot import exp

from vfdir_lab.projection.lint.reader import View
from vfdir_lab.projection.lint.rules import Finding, names
from vfdir_lab.projection.lint.selects import own
from vfdir_lab.projection.lint.source import Source

_MENDS = {
    "spark-top-n": "number the rows with row_number() and take the first few",
    "spark-lists": "use list_transform(list_sort(list({'o': …, 'v': …})), lambda one: one.v)",
    "spark-weekday": "take date_diff('day', DATE '1970-01-05', …) % 7",
    "spark-date-diff": "cast both to DATE",
    "spark-hash": "use md5 or sha256",
    "spark-json": "take values out of payloads with ->>",
    "spark-patterns": "match with regexp_matches, cut with split_part or replace",
    "spark-times": "keep the time, or cut it with date_trunc",
    "spark-arg-max-null": "use struct_extract(arg_max({'v': …}, …), 'v')",
    "spark-first": "use arg_min or arg_max",
    "spark-quantiles": "count with max, min, avg or row_number",
    "spark-by-name": "name the columns in one order and use UNION ALL",
    "spark-recursion": "use UNION ALL and a column that bounds the depth",
    "spark-star": "name the columns",
    "spark-alias": "write the expression again, or use a subquery",
    "spark-comprehension": "use list_transform and list_filter",
}
_GROUPS = (
    *("spark-weekday", "spark-hash", "spark-json", "spark-patterns", "spark-times", "spark-arg-max-null"),
    "spark-quantiles",
)
_PARTS_OF_DATES = frozenset({"year", "month", "day", "hour", "minute", "second", "quarter"})


def check_carried(source: Source, tree: exp.Query, views: Sequence[View]) -> Iterator[Finding]:
    """What does not carry over to Spark."""
    for name, token in source.calls():
        for rule in _GROUPS:
            if name in names(rule):
                yield _finding(source, rule, token.start, f"{name}()")
    for node in tree.walk():
        said = _said(node)
        if said is not None:
            yield _finding(source, said[0], node, said[1])
    for view in views:
        yield from _aliases(source, view)


def _finding(source: Source, rule: str, at: int | exp.Expr, what: str) -> Finding:
    return source.finding(rule, at, f"{what} is not the same on Spark", _MENDS[rule])


def _said(node: exp.Expr) -> tuple[str, str] | None:  # noqa: PLR0911 - one line for each construct
    """The rule that a node breaks, and what to call it."""
    if isinstance(node, (exp.ArgMax, exp.ArgMin, exp.Max, exp.Min)) and node.args.get("count") is not None:
        return "spark-top-n", f"the number of rows in {node.sql_name().lower()}()"
    if isinstance(node, exp.ArrayAgg) and not _of_structs(node):
        return "spark-lists", "a list of values that may be null, or with an ORDER BY,"
    if isinstance(node, (exp.First, exp.Last, exp.AnyValue)) and isinstance(node.this, exp.Order):
        return "spark-first", f"ORDER BY in {node.sql_name().lower()}()"
    if isinstance(node, exp.DateDiff) and not all(map(_is_date, (node.this, node.expression))):
        return "spark-date-diff", "date_diff() between times"
    if isinstance(node, exp.Extract) and node.name.lower() not in _PARTS_OF_DATES:
        return "spark-weekday", f"{node.name.lower()} of a date"
    if isinstance(node, exp.Cast) and node.to.this is exp.DataType.Type.JSON:
        return "spark-json", "a cast to JSON"
    return _shape(node)


def _shape(node: exp.Expr) -> tuple[str, str] | None:
    """The same, of what is no function."""
    if isinstance(node, exp.SetOperation) and node.args.get("by_name"):
        return "spark-by-name", "UNION BY NAME"
    if (
        isinstance(node, exp.With)
        and node.args.get("recursive")
        and any(map(_deduplicates, node.expressions))
    ):
        return "spark-recursion", "a recursive UNION"
    if isinstance(node, exp.Star) and node.args.get("replace"):
        return "spark-star", "* REPLACE"
    if isinstance(node, exp.Comprehension):
        return "spark-comprehension", "a list comprehension"
    return None


def _of_structs(node: exp.ArrayAgg) -> bool:
    return isinstance(node.this, exp.Struct)


def _is_date(node: exp.Expr) -> bool:
    return isinstance(node, exp.Cast) and node.to.this is exp.DataType.Type.DATE


def _deduplicates(cte: exp.Expr) -> bool:
    return isinstance(cte.this, exp.Union) and bool(cte.this.args.get("distinct"))


def _aliases(source: Source, view: View) -> Iterator[Finding]:
    """Names of this SELECT that its own WHERE uses."""
    where = view.node.args.get("where") if isinstance(view.node, exp.Select) else None
    inside = set(map(id, where.walk())) if where is not None else set()
    for node in own(view.node):
        if isinstance(node, exp.Column) and id(node) in inside and view.rows.aliased(node) is not None:
            yield _finding(source, "spark-alias", node, f"{node.name} in WHERE, named by the same SELECT,")
