"""A projection's SQL in the words of Spark: rules over the parsed query, then sqlglot's own dialect.

Owns what the two engines mean differently by one text. Each rule rewrites a construct of DuckDB into one that
gives Spark the same answer; where the rewriting is more than a line it calls a function of `functions.py`.
What has no such rewriting is refused by `projection lint --portable` before anything gets here. Checked by
row hashes over both engines in `tests/scale`, rule by rule and projection by projection.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import cast

import sqlglot
from sqlglot import exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.optimizer.qualify import qualify

from vfdir_lab.errors import ProjectionFileError
from vfdir_lab.projection.definition import Definition, expand, with_arrows

Rule = Callable[[exp.Expr], exp.Expr]

_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_WHOLE = frozenset(
    {
        exp.DataType.Type.TINYINT,
        exp.DataType.Type.SMALLINT,
        exp.DataType.Type.INT,
        exp.DataType.Type.BIGINT,
    }
)
_TEXT_VARIANT = exp.Literal.string("variant")


def translated(definition: Definition) -> str:
    """The SELECT of a version as Spark runs it, with helpers expanded; the functions it calls are ours.

    Raises:
        ProjectionFileError: there is a path into JSON that Spark has no word for.
    """
    tree = expand(
        with_arrows(cast("exp.Query", sqlglot.parse_one(definition.sql, dialect="duckdb"))),
        where=definition.called,
    )
    return spark_sql(tree, where=definition.called)


def spark_sql(query: exp.Query, *, where: str) -> str:
    """A query of DuckDB's as Spark's text; the tree is used up. `where` names it in errors.

    Raises:
        ProjectionFileError: there is a path into JSON that Spark has no word for.
    """
    try:
        for rule in _RULES:
            query = _rewritten(query, rule)
    except _NoWordError as error:
        raise ProjectionFileError(f"{where}: {error}") from None
    for cte in query.find_all(exp.CTE):
        cte.set("materialized", None)
    return query.sql(dialect="spark", pretty=True, comments=False)


def starless(select: str, tables: dict[str, Iterable[str]]) -> exp.Query:
    """A query of DuckDB's over tables with these columns, with every `*` spelled out."""
    schema: dict[str, object] = {name: dict.fromkeys(columns, "VARCHAR") for name, columns in tables.items()}
    tree = qualify(
        sqlglot.parse_one(select, dialect="duckdb"),
        dialect="duckdb",
        schema=schema,
        quote_identifiers=False,
        validate_qualify_columns=False,
    )
    return cast("exp.Query", tree)


def _rewritten(query: exp.Query, rule: Rule) -> exp.Query:
    """The query with a rule applied everywhere, inner parts first."""
    for node in reversed(list(query.walk())):
        said = rule(node)
        if said is not node:
            node.replace(said)
    return query


class _NoWordError(Exception):
    """Something that cannot be said to Spark; the message says what, and what to do."""


def _called(name: str, *arguments: exp.Expr) -> exp.Anonymous:
    return exp.Anonymous(this=name, expressions=[one.copy() for one in arguments])


def _path(node: exp.Expr) -> exp.Expr:
    """A path into JSON as Spark reads it; one that is computed is left as it is."""
    if isinstance(node, exp.JSONPath):
        return exp.Literal.string("".join(map(_step, node.expressions)))
    return _path(_parsed(node.name)) if isinstance(node, exp.Literal) and node.is_string else node


def _parsed(path: str) -> exp.Expr:
    found = Dialect.get_or_raise("duckdb").to_json_path(exp.Literal.string(path))
    if not isinstance(found, exp.JSONPath):
        raise _NoWordError(f"the path {path!r} is no path of Spark's; spell it as $.a.b")
    return found


def _step(part: exp.Expr) -> str:
    if isinstance(part, exp.JSONPathRoot):
        return "$"
    if isinstance(part, exp.JSONPathKey) and isinstance(part.this, str):
        if _PLAIN_KEY.fullmatch(part.this):
            return f".{part.this}"
        if "'" not in part.this:
            return f"['{part.this}']"
    if isinstance(part, exp.JSONPathSubscript) and isinstance(part.this, int) and part.this >= 0:
        return f"[{part.this}]"
    raise _NoWordError(
        "a path with a wildcard or from the end has no word on Spark; take the value apart in steps"
    )


def _json(node: exp.Expr) -> exp.Expr:
    """Values out of JSON."""
    if isinstance(node, (exp.JSONExtract, exp.JSONExtractScalar)):
        name = "vfdir_json_text" if isinstance(node, exp.JSONExtractScalar) else "vfdir_json"
        return _each(node.expression, lambda path: _one(name, node.this, path))
    if isinstance(node, exp.JSONType):
        return _sort(node)
    if isinstance(node, exp.Explode):
        return _rows(node)
    if isinstance(node, exp.JSONKeys) and not isinstance(node.parent, exp.Explode):
        inside = node.this if node.expression is None else _one("vfdir_json", node.this, node.expression)
        return _called("vfdir_json_keys", inside)
    if isinstance(node, exp.Anonymous) and node.name.lower() == "json_merge_patch":
        return _called("vfdir_json_merged", *node.expressions)
    return node


def _sort(node: exp.JSONType) -> exp.Expr:
    if node.expression is None:
        return _called("vfdir_json_type", node.this)
    return _each(
        node.expression, lambda path: _called("vfdir_json_type", _one("vfdir_json", node.this, path))
    )


def _rows(node: exp.Explode) -> exp.Expr:
    """A list as rows. Spark wants no function of ours there, so its own say it, less briefly."""
    if isinstance(node.this, exp.JSONKeys):
        path = node.this.expression or exp.Literal.string("$")
        value = _called("variant_get", _called("parse_json", node.this.this), _path(path), _TEXT_VARIANT)
        return exp.Explode(this=_called("json_object_keys", _called("to_json", value)))
    if isinstance(node.this, exp.Anonymous) and node.this.name == "vfdir_json_list":
        return exp.Explode(
            this=_called("from_json", *node.this.expressions, exp.Literal.string("array<string>"))
        )
    return node


def _one(name: str, value: exp.Expr, path: exp.Expr) -> exp.Expr:
    if name == "vfdir_json_text" and _is_whole_list(path):
        return _called("vfdir_json_list", value)
    return _called(name, value, _path(path))


def _is_whole_list(path: exp.Expr) -> bool:
    """Whether a path is `$[*]`."""
    steps = path.expressions[1:] if isinstance(path, exp.JSONPath) else ()
    return (
        len(steps) == 1
        and isinstance(steps[0], exp.JSONPathSubscript)
        and isinstance(steps[0].this, exp.JSONPathWildcard)
    )


def _each(path: exp.Expr, give: Callable[[exp.Expr], exp.Expr]) -> exp.Expr:
    """One value, or for a list of paths a list of them."""
    if isinstance(path, exp.Array):
        return exp.Array(expressions=[give(one) for one in path.expressions])
    return give(path)


def _casts(node: exp.Expr) -> exp.Expr:
    """Texts that may give a number, a time or a truth: DuckDB reads others than Spark does."""
    if not isinstance(node, exp.TryCast):
        return node
    text = exp.Cast(this=node.this.copy(), to=exp.DataType.build("TEXT"))
    if node.to.this in _WHOLE:
        whole = _called("vfdir_whole_number", text)
        if node.to.this is exp.DataType.Type.BIGINT:
            return whole
        return exp.TryCast(this=whole, to=node.to.copy(), safe=True)
    if node.to.this is exp.DataType.Type.BOOLEAN:
        return _called("vfdir_truth", text)
    if node.to.this is exp.DataType.Type.TIMESTAMPTZ:
        return _called("vfdir_instant", text)
    return node


def _extremes(node: exp.Expr) -> exp.Expr:
    """`arg_max(value, key)` passes over rows where either is null; Spark's `max_by` keeps null values."""
    call = node.this if isinstance(node, exp.Filter) else node
    if not isinstance(call, (exp.ArgMax, exp.ArgMin)) or isinstance(node.parent, exp.Filter):
        return node
    value, key = call.this, call.expression
    nulls = [exp.Not(this=exp.Is(this=value.copy(), expression=exp.Null()))]
    if not isinstance(key, exp.Struct):
        nulls.append(exp.Not(this=exp.Is(this=key.copy(), expression=exp.Null())))
    given = [node.expression.this.copy()] if isinstance(node, exp.Filter) else []
    return exp.Filter(this=call.copy(), expression=exp.Where(this=exp.and_(*given, *nulls, copy=False)))


def _texts(node: exp.Expr) -> exp.Expr:
    """Texts put together and matched."""
    if isinstance(node, exp.GroupConcat) and isinstance(node.this, exp.Order):
        order = node.this.copy()
        value = order.this
        order.set("this", None)
        separator = (node.args.get("separator") or exp.Literal.string(",")).copy()
        call = _called("listagg", value, separator)
        return exp.WithinGroup(this=call, expression=order)
    if isinstance(node, exp.RegexpFullMatch):
        bounds = exp.Literal.string("\\A(?:"), exp.Literal.string(")\\z")
        whole = exp.DPipe(
            this=exp.DPipe(this=bounds[0], expression=node.expression.copy()), expression=bounds[1]
        )
        return exp.RegexpLike(this=node.this.copy(), expression=whole)
    return node


_RULES: tuple[Rule, ...] = (_json, _casts, _extremes, _texts)
