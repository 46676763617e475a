"""Lints one file: the header, the shape, and, once it is one SELECT, everything else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import duckdb
from sqlglot import exp

from vfdir_lab.projection.definition import TEXT_BOUND, Definition
from vfdir_lab.projection.lint.binding import Ground, refused
from vfdir_lab.projection.lint.header import check_columns, check_header
from vfdir_lab.projection.lint.order import check_order
from vfdir_lab.projection.lint.portable import check_carried
from vfdir_lab.projection.lint.purity import check_purity
from vfdir_lab.projection.lint.reader import Reader
from vfdir_lab.projection.lint.rules import RULES, Finding
from vfdir_lab.projection.lint.shape import check_helpers, check_portable, check_shape
from vfdir_lab.projection.lint.source import Source
from vfdir_lab.projection.lint.values import check_cleared, check_collations, check_floats


def lint(
    text: str, *, where: str, known: Sequence[Definition] = (), portable: bool = False
) -> tuple[Finding, ...]:
    """What breaks a rule in the text of a projection's file, in the order of its lines.

    `where` names the file in the findings. `known` are the projections it may read besides `events`, each
    after those it reads, as `Catalogue.in_order` gives them. `portable`: also what would not be the same on
    Spark. Never raises over a text, and runs none of it.
    """
    if len(text) > TEXT_BOUND:
        source = Source("", where)
        message = f"{len(text):,} characters are more than a projection is"
        return (source.finding("one-select", 0, message, f"keep it under {TEXT_BOUND:,}"),)
    source = Source(text, where)
    found = list(check_header(source))
    try:
        found += _below(source, known, portable=portable)
    except RecursionError:
        found.append(
            source.finding("one-select", source.body, "it is nested too deeply", "take it apart with WITH")
        )
    return tuple(sorted(dict.fromkeys(found), key=lambda one: (one.line, one.column, one.rule)))


def unportable(text: str, *, where: str, known: Sequence[Definition] = ()) -> tuple[Finding, ...]:
    """What in the text of a projection's file is not the same on Spark; the rest as `lint`."""
    found = lint(text, where=where, known=known, portable=True)
    return tuple(one for one in found if RULES[one.rule].portable)


def _below(source: Source, known: Sequence[Definition], *, portable: bool) -> Iterator[Finding]:
    """The findings of all that is below the header."""
    shape = list(check_shape(source))
    yield from shape
    if shape or not isinstance(tree := source.trees[0], exp.Query):
        return
    helpers = list(check_helpers(source, tree))
    yield from helpers
    if helpers:
        return
    with Ground(known, tree) as ground:
        tables = {name: relation.columns or () for name, relation in ground.tables.items()}
        reader = Reader(ground.tables)
        reader.read(tree)
        impure = list(check_purity(source, tree, tables))
        yield from impure
        yield from check_portable(source, tree)
        if portable:
            yield from check_carried(source, tree, reader.views)
        yield from check_collations(source, tree)
        for view in reader.views:
            yield from check_order(source, view)
            yield from check_cleared(source, view)
        try:
            columns = ground.bind(tree)
        except duckdb.Error as error:
            if not impure:  # what it says of files and of the session's own names has been said
                yield refused(source, reader.views, error, list(tables))
            return
        yield from check_columns(source, columns)
        for view in reader.views:
            yield from check_floats(source, view, lambda node: ground.type_of(tree, node))
