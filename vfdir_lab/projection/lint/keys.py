"""What tells the rows of a query apart: keys, and what follows from knowing some values of a row.

An order is total where the values it orders by, with those of the group or partition, fix a key of each
table that is read. `Relation` is what is known of a table's rows; `Rows` of the rows between FROM and SELECT.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from sqlglot import exp

Key = frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """A table as seen from above it.

    `columns` in lower case, None where they cannot be known; `keys` are sets of columns that no two different
    rows share; `fields` maps the columns that are a bare field of a payload, null where it was cleared, to
    that field's path (the empty path: the payload itself). `tells` are pairs of columns: rows that agree in
    the first agree in the second, though there may be many.
    """

    columns: tuple[str, ...] | None
    keys: tuple[Key, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)
    tells: tuple[tuple[Key, Key], ...] = ()

    @property
    def identities(self) -> tuple[Key, ...]:
        """The keys, and all columns together: rows that agree in all of them are the same to anybody."""
        return self.keys if self.columns is None else (*self.keys, frozenset(self.columns))


UNKNOWN = Relation(columns=None)


@dataclass(slots=True, kw_only=True)
class Rows:
    """The rows that a SELECT makes its answer of.

    `follows` are columns and one that follows from them: who knows those knows this one.
    `groups` are the expressions of GROUP BY once grouped, else None. `outer` is the query around this one,
    whose columns are fixed while this one runs.
    """

    sources: dict[str, Relation]
    aliases: dict[str, exp.Expr]
    outer: Rows | None = None
    follows: list[tuple[Key, str]] = field(default_factory=list)
    groups: list[exp.Expr] | None = None

    def column(self, node: exp.Column) -> str | None:
        """The column that is meant, as `source.column`; None for one of an outer query or an alias."""
        name, table = node.name.lower(), node.table.lower()
        if table in self.sources:
            return f"{table}.{name}"
        if table:
            return None
        for source, relation in self.sources.items():
            if relation.columns is not None and name in relation.columns:
                return f"{source}.{name}"
        vague = [source for source, relation in self.sources.items() if relation.columns is None]
        if name in self.aliases or (self.outer is not None and self.outer.knows(node)) or not vague:
            return None
        return f"{vague[0]}.{name}"

    def knows(self, node: exp.Column) -> bool:
        """Whether this query, or one around it, has that column."""
        if self.column(node) is not None:
            return True
        return self.outer is not None and self.outer.knows(node)

    def aliased(self, node: exp.Expr) -> exp.Expr | None:
        """The expression behind a name that the SELECT gives, where the name is no column."""
        if isinstance(node, exp.Column) and not node.table and self.column(node) is None:
            return self.aliases.get(node.name.lower())
        return None

    def known(self, given: Iterable[exp.Expr]) -> set[str]:
        """All that is fixed in a row where these expressions are: columns, and texts of other expressions."""
        found: set[str] = set()
        for expression in given:
            found |= set(self._parts(expression))
        size = -1
        while size < len(found):
            size = len(found)
            found |= {column for before, column in self.follows if before <= found}
            for source, relation in self.sources.items():
                if any(all(f"{source}.{name}" in found for name in key) for key in relation.identities):
                    found |= {f"{source}.{name}" for name in relation.columns or ()} | {f"{source}.*"}
                for first, second in relation.tells:
                    if all(f"{source}.{name}" in found for name in first):
                        found |= {f"{source}.{name}" for name in second}
        return found

    def is_total(self, given: Iterable[exp.Expr], *, grouped: bool = False) -> bool:
        """Whether no two different rows agree in these expressions; `grouped`: rows after GROUP BY."""
        found = self.known(given)
        if grouped and self.groups is not None:
            return all(self.fixes(one, found) for one in self.groups)
        return all(f"{source}.*" in found for source in self.sources)

    def fixes(self, node: exp.Expr, found: set[str]) -> bool:
        """Whether an expression has one value where `found` is fixed."""
        if _text(node) in found:
            return True
        behind = self.aliased(node)
        if behind is not None and behind is not node:
            return self.fixes(behind, found)
        if isinstance(node, exp.Column):
            name = self.column(node)
            if name is None:
                return self.outer is not None and self.outer.knows(node)
            return name in found or f"{name.partition('.')[0]}.*" in found
        if isinstance(node, (exp.Query, exp.AggFunc, exp.Window, exp.Star)):
            return False
        return all(self.fixes(child, found) for child in node.iter_expressions())

    def _parts(self, node: exp.Expr) -> Iterator[str]:
        """What an expression of an order or group tells: a struct tells its fields."""
        node = node.unnest()
        if isinstance(node, exp.Ordered):
            yield from self._parts(node.this)
            return
        yield _text(node)
        behind = self.aliased(node)
        if isinstance(node, exp.Column) and (name := self.column(node)) is not None:
            yield name
        elif behind is not None and behind is not node:
            yield from self._parts(behind)
        for part in _composed(node):
            yield from self._parts(part)


def _composed(node: exp.Expr) -> list[exp.Expr]:
    """The parts of a value that is nothing but its parts; `a * 32 + b` is believed to be a packed pair."""
    if isinstance(node, exp.Struct):
        return [one.expression if isinstance(one, exp.PropertyEQ) else one for one in node.expressions]
    if isinstance(node, (exp.Tuple, exp.Array)) or (
        isinstance(node, exp.Anonymous) and node.name.lower() in {"row", "struct_pack"}
    ):
        return list(node.expressions)
    if isinstance(node, exp.Add):
        high = node.this.unnest()
        if isinstance(high, exp.Mul) and isinstance(high.expression, exp.Literal):
            return [high.this, node.expression]
    return []


def _text(node: exp.Expr) -> str:
    return "=" + node.sql(dialect="duckdb", comments=False, normalize=True)


def conjuncts(condition: exp.Expr | None) -> Iterator[exp.Expr]:
    """The conditions that all have to hold."""
    if condition is None:
        return
    node = condition.unnest()
    if isinstance(node, exp.And):
        yield from conjuncts(node.left)
        yield from conjuncts(node.right)
    else:
        yield node


def equalities(rows: Rows, condition: exp.Expr | None, *, only: str | None = None) -> None:
    """Note in `rows.follows` what a condition makes equal; `only` that source follows, as in a LEFT JOIN."""
    for node in conjuncts(condition):
        if not isinstance(node, exp.EQ) or node.find(exp.Collate):
            continue
        pair = (node.left.unnest(), node.right.unnest())
        for one, other in (pair, pair[::-1]):
            if not isinstance(one, exp.Column) or (name := rows.column(one)) is None:
                continue
            if only is not None and name.partition(".")[0] != only:
                continue
            columns = [rows.column(column) for column in other.find_all(exp.Column)]
            before = frozenset(column for column in columns if column is not None)
            if rows.fixes(other, set(before)) and (before or only is None):
                rows.follows.append((before, name))
