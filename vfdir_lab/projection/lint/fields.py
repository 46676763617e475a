"""Which expressions are a bare field of a payload: null where the field was cleared, or never there."""

from __future__ import annotations

from sqlglot import exp

from vfdir_lab.projection.lint.keys import Rows

_THROUGH = (
    exp.Cast,
    exp.TryCast,
    exp.Paren,
    exp.Lower,
    exp.Upper,
    exp.Trim,
    exp.Lag,
    exp.Lead,
    exp.IgnoreNulls,
)
_HELPERS = frozenset({"prose", "moment", "agent"})


def field_of(node: exp.Expr, rows: Rows) -> str | None:
    """The path of the field that an expression is, like `description.markdown`; None where it is none.

    The payload itself has the empty path.
    """
    if isinstance(node, (exp.JSONExtract, exp.JSONExtractScalar)):
        below = field_of(node.this, rows)
        return None if below is None else ".".join(filter(None, (below, _path(node.expression))))
    if isinstance(node, _THROUGH) or (isinstance(node, exp.Window) and isinstance(node.this, exp.Func)):
        return field_of(node.this, rows)
    if isinstance(node, exp.Anonymous) and node.name.lower() in _HELPERS and node.expressions:
        return field_of(node.expressions[0], rows)
    if not isinstance(node, exp.Column):
        return None
    behind = rows.aliased(node)
    if behind is not None and behind is not node:
        return field_of(behind, rows)
    source, _, name = (rows.column(node) or ".").partition(".")
    return rows.sources[source].fields.get(name) if source in rows.sources else None


def keeps_cleared(node: exp.Expr, rows: Rows) -> bool:
    """Whether an expression is a field as JSON (`payload -> '$.title'`): a value even where it is cleared."""
    node = node.unnest()
    if not isinstance(node, exp.JSONExtract) or "." in _path(node.expression):
        return False
    return field_of(node.this, rows) == ""


def _path(path: exp.Expr | None) -> str:
    if isinstance(path, exp.JSONPath):
        keys = (str(key.this) for key in path.expressions if not isinstance(key, exp.JSONPathRoot))
        return ".".join(keys)
    return path.name.removeprefix("$").lstrip(".") if path is not None else ""
