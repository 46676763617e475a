"""Reads a query from the inside out: the rows each SELECT works on, and what tells apart those it gives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, product

from sqlglot import exp

from vfdir_lab.projection.lint.fields import field_of
from vfdir_lab.projection.lint.keys import UNKNOWN, Key, Relation, Rows, conjuncts, equalities
from vfdir_lab.projection.lint.selects import groups, nested, own, own_parts, projected

Tables = Mapping[str, Relation]
_MANY = (exp.Explode, exp.Unnest, exp.Posexplode)


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One query of a file, with the rows it works on and what it gives: a SELECT, or a UNION of them."""

    node: exp.Query
    rows: Rows
    gives: Relation


class Reader:
    """Reads one query; `views` then are all the queries in it, inner ones first."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self.views: list[View] = []

    def read(self, query: exp.Expr, tables: Tables | None = None, outer: Rows | None = None) -> Relation:
        """What a query gives. `tables` are those in sight."""
        seen = dict(self._tables if tables is None else tables)
        if not isinstance(query, exp.Query):
            return UNKNOWN
        for cte in query.ctes:
            seen[cte.alias.lower()] = UNKNOWN  # while a recursive one reads itself
            seen[cte.alias.lower()] = _renamed(self.read(cte.this, seen, outer), cte)
        if isinstance(query, exp.Subquery):
            return self._whole(query, self.read(query.this, seen, outer), outer)
        if isinstance(query, exp.SetOperation):
            return self._union(query, seen, outer)
        return self._select(query, seen, outer) if isinstance(query, exp.Select) else UNKNOWN

    def _union(self, query: exp.SetOperation, tables: Tables, outer: Rows | None) -> Relation:
        left, right = self.read(query.left, tables, outer), self.read(query.right, tables, outer)
        gives = left
        if isinstance(query, exp.Union):
            keys: tuple[Key, ...] = ()
            if not query.args.get("distinct") and left.columns is not None and right.columns is not None:
                keys = tuple(key for key in left.keys if _placed(key, left) in _places(right))
            gives = Relation(columns=left.columns, keys=keys, fields={**right.fields, **left.fields})
        return self._whole(query, gives, outer)

    def _whole(self, query: exp.Query, gives: Relation, outer: Rows | None) -> Relation:
        """A query in brackets or a union, whose ORDER BY and LIMIT are about what it gives."""
        rows = Rows(sources={"": gives}, aliases={}, outer=outer)
        self.views.append(View(node=query, rows=rows, gives=gives))
        return gives

    def _select(self, select: exp.Select, tables: Tables, outer: Rows | None) -> Relation:
        aliases = {one.alias.lower(): one.this for one in select.expressions if isinstance(one, exp.Alias)}
        rows = Rows(sources={}, aliases=aliases, outer=outer)
        start = select.args.get("from_")
        joins: list[exp.Join] = list(select.args.get("joins") or ())
        if start is not None:
            self._source(start.this, rows, tables)
            for nested in start.this.args.get("joins") or ():
                joins.insert(0, nested)
        for join in joins:
            if join.kind in {"SEMI", "ANTI"}:
                self._nested(join, rows, tables)
                continue
            self._join(join, self._source(join.this, rows, tables), rows)
        where = select.args.get("where")
        equalities(rows, where.this if where is not None else None)
        rows.groups = groups(select)
        for part in own_parts(select):
            self._nested(part, rows, tables)
        gives = _output(select, rows)
        self.views.append(View(node=select, rows=rows, gives=gives))
        return gives

    def _source(self, node: exp.Expr, rows: Rows, tables: Tables) -> str:
        """Add a table of FROM to the rows; returns its name there."""
        relation = UNKNOWN
        before = len(self.views)
        if isinstance(node, exp.Table) and not isinstance(node.this, exp.Func):
            relation = tables.get(node.name.lower(), UNKNOWN)
        elif isinstance(node, (exp.Subquery, exp.Lateral)):
            relation = self.read(node.this, tables, rows)
        if node.args.get("pivots"):
            relation = UNKNOWN
        name = (node.alias_or_name or f"#{len(rows.sources)}").lower()
        relation = _renamed(relation, node)
        if any(_reaches(view, rows) for view in self.views[before:]):
            relation = _correlated(relation, name, rows)
        rows.sources[name] = relation
        return name

    def _join(self, join: exp.Join, name: str, rows: Rows) -> None:
        if join.method or join.side == "FULL":
            return
        for column in join.args.get("using") or ():
            here = f"{name}.{column.name.lower()}"
            for there in [f"{other}.{column.name.lower()}" for other in rows.sources if other != name]:
                rows.follows.append((frozenset({there}), here))
                if not join.side:
                    rows.follows.append((frozenset({here}), there))
        if join.side != "RIGHT":
            equalities(rows, join.args.get("on"), only=name if join.side == "LEFT" else None)

    def _nested(self, part: exp.Expr, rows: Rows, tables: Tables) -> None:
        for query in nested(part):
            self.read(query, tables, rows)


def _reaches(view: View, rows: Rows) -> bool:
    """Whether a query within FROM uses columns of the tables beside it."""
    for node in own(view.node):
        if not isinstance(node, exp.Column) or view.rows.aliased(node) is not None:
            continue
        inner: Rows | None = view.rows
        while inner is not None and inner is not rows and inner.column(node) is None:
            inner = inner.outer
        if inner is rows and rows.column(node) is not None:
            return True
    return False


def _correlated(relation: Relation, name: str, rows: Rows) -> Relation:
    """What a query gives anew for each row beside it: its keys hold only together with that row."""
    beside = frozenset(f"{source}.*" for source in rows.sources)
    for key in relation.keys:
        given = beside | {f"{name}.{column}" for column in key}
        rows.follows += [(given, f"{name}.{column}") for column in (*(relation.columns or ()), "*")]
    return Relation(columns=relation.columns, fields=relation.fields)


def _output(select: exp.Select, rows: Rows) -> Relation:
    columns = projected(select, rows)
    if columns is None:
        return UNKNOWN
    fields = {name: path for name, one in columns if (path := field_of(one, rows)) is not None}
    candidates = list(_candidates(select, rows, columns))
    found = {key for one in candidates for key in (_mapped(one, columns, rows), _spelled(one, columns, rows))}
    all_keys = sorted((key for key in found if key is not None), key=lambda key: (len(key), sorted(key)))
    keys = tuple(key for key in all_keys if not any(other < key for other in all_keys))
    single = frozenset(name for name, one in columns if not one.find(*_MANY))
    given = tuple(name for name, _ in columns)
    if len(single) < len(columns):  # unnest makes many rows of one
        return Relation(columns=given, fields=fields, tells=tuple((key, single) for key in keys))
    return Relation(columns=given, keys=keys, fields=fields)


def _candidates(
    select: exp.Select, rows: Rows, columns: Sequence[tuple[str, exp.Expr]]
) -> Iterator[list[exp.Expr]]:
    """Sets of expressions that tell the rows of this SELECT apart."""
    limit = select.args.get("limit")
    if (
        isinstance(limit, exp.Limit)
        and isinstance(limit.expression, exp.Literal)
        and limit.expression.name == "1"
    ):
        yield []
    qualify = select.args.get("qualify")
    for condition in conjuncts(qualify.this if qualify is not None else None):
        if isinstance(condition, exp.EQ) and condition.right.name == "1" and _numbers(condition.left):
            yield list(condition.left.args.get("partition_by") or ())
    for _, one in columns:
        if _numbers(one):
            yield [*(one.args.get("partition_by") or ()), one]
    if rows.groups is not None:
        yield rows.groups
        return
    named = [
        [[exp.column(name, table=source, quoted=True) for name in key] for key in relation.keys]
        for source, relation in rows.sources.items()
    ]
    for keys in named:
        yield from (list[exp.Expr](key) for key in keys if rows.is_total(key))
    if len(named) > 1:
        for _, combination in zip(range(8), product(*named), strict=False):
            yield [*chain.from_iterable(combination)]


def _numbers(node: exp.Expr) -> bool:
    return (
        isinstance(node, exp.Window) and isinstance(node.this, exp.RowNumber) and not node.args.get("alias")
    )


def _mapped(candidate: Sequence[exp.Expr], columns: Sequence[tuple[str, exp.Expr]], rows: Rows) -> Key | None:
    """The columns given that fix these expressions; None where there are none."""
    fixed = rows.known([])
    found = set()
    for one in candidate:
        if rows.fixes(one, fixed):
            continue
        name = next((name for name, given in columns if rows.fixes(one, rows.known([given]))), None)
        if name is None:
            return None
        found.add(name)
    return frozenset(found)


def _spelled(
    candidate: Sequence[exp.Expr], columns: Sequence[tuple[str, exp.Expr]], rows: Rows
) -> Key | None:
    """The columns given that are these very expressions, even where another column fixes them too."""
    found = {_named(one, columns, rows) for one in candidate}
    return None if None in found else frozenset(name for name in found if name is not None)


def _named(one: exp.Expr, columns: Sequence[tuple[str, exp.Expr]], rows: Rows) -> str | None:
    meant = rows.column(one) if isinstance(one, exp.Column) else None
    for name, given in columns:
        if given == one or (meant and isinstance(given, exp.Column) and rows.column(given) == meant):
            return name
    return None


def _renamed(relation: Relation, node: exp.Expr) -> Relation:
    """A relation whose columns its alias names anew: `t(a, b)`."""
    alias = node.args.get("alias")
    given = [one.name.lower() for one in alias.args.get("columns") or ()] if alias is not None else []
    if not given:
        return relation
    if relation.columns is None:
        return Relation(columns=tuple(given))
    new = dict(zip(relation.columns, [*given, *relation.columns[len(given) :]], strict=False))
    return Relation(
        columns=tuple(new.values()),
        keys=tuple(_anew(key, new) for key in relation.keys),
        fields={new[name]: path for name, path in relation.fields.items()},
        tells=tuple((_anew(first, new), _anew(second, new)) for first, second in relation.tells),
    )


def _anew(key: Key, new: Mapping[str, str]) -> Key:
    return frozenset(new[name] for name in key)


def _placed(key: Key, relation: Relation) -> frozenset[int]:
    return frozenset((relation.columns or ()).index(name) for name in key)


def _places(relation: Relation) -> set[frozenset[int]]:
    return {_placed(key, relation) for key in relation.keys}
