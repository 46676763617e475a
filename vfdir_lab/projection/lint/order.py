"""Determinism: whatever picks or lines up rows needs an order in which no two different rows are equal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from sqlglot import TokenType, exp

from vfdir_lab.projection.lint.keys import Rows
from vfdir_lab.projection.lint.reader import View
from vfdir_lab.projection.lint.rules import Finding, names
from vfdir_lab.projection.lint.selects import own, positioned, projected
from vfdir_lab.projection.lint.source import Source

_WRAPS = (exp.Filter, exp.IgnoreNulls, exp.RespectNulls, exp.WithinGroup)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """An aggregate or a function of a window, taken apart: what it is given and what orders its rows.

    `fixed` are the expressions that all its rows agree in: those of the group or the partition.
    """

    node: exp.Expr
    name: str
    values: Sequence[exp.Expr]
    orders: Sequence[exp.Expr]
    fixed: Sequence[exp.Expr]
    is_distinct: bool
    window: exp.Window | None


def calls(source: Source, view: View) -> Iterator[Call]:
    """The functions called in one query, without those of the queries in it."""
    for node in own(view.node):
        if not isinstance(node, exp.Func):
            continue
        values, orders, is_distinct = _arguments(node)
        above = node.parent
        if isinstance(above, exp.Dot) and above.expression is node:  # kind.list() is list(kind)
            one = above.this
            values.insert(0, exp.Column(this=one.copy()) if isinstance(one, exp.Identifier) else one)
            above = above.parent
        while isinstance(above, _WRAPS):
            if isinstance(above, exp.WithinGroup):
                orders += above.expression.expressions
            above = above.parent
        fixed = list(view.rows.groups or ())
        window = _named(above, view.node) if isinstance(above, exp.Window) else None
        if window is not None:
            fixed = list(window.args.get("partition_by") or ())
            order = window.args.get("order")
            orders += order.expressions if order is not None else []
        yield Call(
            node=node,
            name=source.called(node),
            values=values,
            orders=orders,
            fixed=fixed,
            is_distinct=is_distinct,
            window=window,
        )


def _arguments(node: exp.Expr) -> tuple[list[exp.Expr], list[exp.Expr], bool]:
    values: list[exp.Expr] = []
    orders: list[exp.Expr] = []
    is_distinct = False
    for given in node.args.values():
        for one in given if isinstance(given, list) else [given]:
            value = one
            if isinstance(value, exp.Order):
                orders += value.expressions
                value = value.this
            if isinstance(value, exp.Distinct):
                is_distinct = True
                values += value.expressions
            elif isinstance(value, exp.Expr):
                values.append(value)
    return values, orders, is_distinct


def _named(window: exp.Window, query: exp.Expr) -> exp.Window:
    """The window that OVER names, or the one it spells out."""
    name = window.args.get("alias")
    for one in query.args.get("windows") or ():
        if name is not None and one.name.lower() == name.name.lower():
            found: exp.Window = one
            return found
    return window


def check_order(source: Source, view: View) -> Iterator[Finding]:
    """Calls, LIMIT, DISTINCT ON and joins of one query whose answer depends on the order of rows."""
    for call in calls(source, view):
        yield from _check_call(source, view.rows, call)
    yield from _check_limit(source, view)
    yield from _check_array(source, view)
    yield from _check_distinct_on(source, view)
    yield from _check_joins(source, view)


def _check_call(source: Source, rows: Rows, call: Call) -> Iterator[Finding]:
    if call.name in names("estimates"):
        yield source.finding(
            "estimate",
            call.node,
            f"{call.name}() estimates, and depends on what it meets first",
            "use quantile_disc, median, or count and order",
        )
    elif call.name in names("by_key") and len(call.values) > 1:
        if not _is_settled(rows, call, [call.values[1], *call.orders], call.values[:1]):
            yield _untotal(source, rows, call, "arg-max-order", [call.values[1], *call.orders])
    elif call.window is not None and call.name in names("numbering") | names("at_row"):
        values = call.values[:1] if call.name in names("at_row") else None
        if not _is_settled(rows, call, call.orders, values):
            yield _untotal(source, rows, call, "window-order", call.orders)
    elif call.name in names("in_order") and not isinstance(call.node.parent, exp.ArraySort):
        if not _is_settled(rows, call, call.orders, call.values):
            yield _untotal(source, rows, call, "aggregate-order", call.orders)
    elif (
        call.window is not None
        and _counts_rows(call.window)
        and not _is_settled(rows, call, call.orders, None)
    ):
        yield _untotal(source, rows, call, "window-order", call.orders)


def _is_settled(
    rows: Rows, call: Call, orders: Sequence[exp.Expr], values: Sequence[exp.Expr] | None
) -> bool:
    """Whether the order is total, or rows that are equal in it give the same values."""
    given = [*orders, *call.fixed]
    found = rows.known(given)
    if values and all(rows.fixes(one, found) for one in values):
        return True
    return not call.is_distinct and rows.is_total(given, grouped=call.window is not None)


def _counts_rows(window: exp.Window) -> bool:
    spec = window.args.get("spec")
    if spec is None or str(spec.args.get("kind")).upper() != "ROWS":
        return False
    return not all(str(spec.args.get(end)).upper() == "UNBOUNDED" for end in ("start", "end"))


def _untotal(source: Source, rows: Rows, call: Call, rule: str, orders: Sequence[exp.Expr]) -> Finding:
    what = (
        "leaves open which of the rows comes first that are equal in its order" if orders else "has no order"
    )
    if call.is_distinct:
        mend = f"order by the value itself: {call.name}(DISTINCT x ORDER BY x)"
    elif call.name in names("unorderable"):
        tail = _tail(rows, [*orders, *call.fixed], call)
        mend = f"it takes no ORDER BY; make it of a list: to_json(list(x ORDER BY {tail}))"
    elif rule == "arg-max-order":
        mend = f"make the key a struct that ends with {_tail(rows, [*orders, *call.fixed], call)}"
    else:
        mend = f"let its ORDER BY end with {_tail(rows, [*orders, *call.fixed], call)}"
    return source.finding(rule, call.node, f"{call.name}() {what}", mend)


def _tail(rows: Rows, given: Iterable[exp.Expr], call: Call | None) -> str:
    """What an order lacks to be total, as far as that is known."""
    if rows.groups and (call is None or call.window is not None):
        return ", ".join(one.sql("duckdb") for one in rows.groups)
    found = rows.known(given)
    lacking: list[str] = []
    for name, relation in rows.sources.items():
        if f"{name}.*" in found:
            continue
        prefix = f"{name}." if len(rows.sources) > 1 and not name.startswith("#") else ""
        keys = [key for key in relation.keys if key]
        if frozenset({"device", "seq"}) in keys and "hlc" in (relation.columns or ()):
            lacking += [f"{prefix}{column}" for column in ("hlc", "device", "seq")]
        else:
            lacking += [f"{prefix}{column}" for column in sorted(min(keys, key=len, default=()))]
    return ", ".join(lacking) or "all the columns that tell its rows apart"


def _check_limit(source: Source, view: View) -> Iterator[Finding]:
    node = view.node
    limit = node.args.get("limit") or node.args.get("offset")
    if limit is None or isinstance(node.parent, exp.Exists) or _is_ordered(view):
        return
    words = [t for t in source.tokens if t.token_type in {TokenType.LIMIT, TokenType.OFFSET, TokenType.FETCH}]
    inner = source.offset(limit)
    place = max((t.start for t in words if t.start <= inner), default=words[0].start if words else inner)
    tail = _tail(view.rows, _orders(view), None) if isinstance(node, exp.Select) else "all columns"
    yield source.finding(
        "limit-order",
        place,
        "it takes whichever rows come first that are equal in the order",
        f"let ORDER BY end with {tail}",
    )


def _check_array(source: Source, view: View) -> Iterator[Finding]:
    above = view.node.parent
    while isinstance(above, exp.Subquery):
        above = above.parent
    is_cut = view.node.args.get("limit") or view.node.args.get("offset")  # LIMIT has its own finding
    if not isinstance(above, exp.Array) or is_cut or isinstance(view.node, exp.Subquery) or _is_ordered(view):
        return
    tail = _tail(view.rows, _orders(view), None) if isinstance(view.node, exp.Select) else "all columns"
    inner = source.offset(view.node)
    words = (token.start for token in source.tokens if token.text.lower() == "array" and token.start <= inner)
    yield source.finding(
        "aggregate-order",
        max(words, default=inner),
        "ARRAY(SELECT …) lists the rows as they happen to come",
        f"let its ORDER BY end with {tail}",
    )


def _orders(view: View) -> list[exp.Expr]:
    order = view.node.args.get("order")
    ordered = (
        [one.this if isinstance(one, exp.Ordered) else one for one in order.expressions] if order else []
    )
    if isinstance(view.node, exp.Select):
        ordered = [positioned(one, view.node) for one in ordered]
        if any(one.name.upper() == "ALL" and not isinstance(one, exp.Literal) for one in ordered):
            return [one for _, one in projected(view.node, view.rows) or ()]
        return ordered
    columns = view.gives.columns or ()
    if any(one.name.upper() == "ALL" for one in ordered):
        return [exp.column(name, quoted=True) for name in columns]
    return [_at(one, columns) for one in ordered]


def _at(one: exp.Expr, columns: Sequence[str]) -> exp.Expr:
    if isinstance(one, exp.Literal) and not one.is_string and 0 < int(one.name) <= len(columns):
        return exp.column(columns[int(one.name) - 1], quoted=True)
    return one


def _is_ordered(view: View) -> bool:
    orders = _orders(view)
    if isinstance(view.node, exp.Select):
        found = view.rows.known(orders)
        given = projected(view.node, view.rows)
        if given is not None and all(view.rows.fixes(one, found) for _, one in given):
            return True
        if view.node.args.get("distinct"):
            return False
    return view.rows.is_total(orders, grouped=True)


def _check_distinct_on(source: Source, view: View) -> Iterator[Finding]:
    distinct = view.node.args.get("distinct")
    if not isinstance(distinct, exp.Distinct) or distinct.args.get("on") is None:
        return
    given = [distinct.args["on"], *_orders(view)]
    if not view.rows.is_total(given, grouped=True):
        yield source.finding(
            "distinct-on-order",
            distinct,
            "DISTINCT ON leaves open which row it keeps",
            f"let ORDER BY end with {_tail(view.rows, given, None)}",
        )


def _check_joins(source: Source, view: View) -> Iterator[Finding]:
    for join in view.node.args.get("joins") or ():
        if join.method in {"POSITIONAL", "ASOF"}:
            yield source.finding(
                "join-order",
                join,
                f"a {join.method} JOIN takes rows as they happen to come",
                "join by a key, and choose the row with arg_max or row_number in a total order",
            )
