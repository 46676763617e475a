"""The magics: `%vfdir`, `%%vfdir` and `%%projection`. What goes wrong is said without a traceback."""

from __future__ import annotations

import argparse
import re
import shlex
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import takewhile
from typing import TYPE_CHECKING, NoReturn

import sqlglot
from IPython.core.error import UsageError as IPythonUsageError
from IPython.display import display
from sqlglot.errors import SqlglotError

from vfdir_lab.errors import UsageError, VfdirError
from vfdir_lab.notebook.display import relation_bundle
from vfdir_lab.notebook.findings import findings_bundle
from vfdir_lab.notebook.session import Session
from vfdir_lab.notebook.table import visible
from vfdir_lab.projection import View
from vfdir_lab.projection.connection import quoted
from vfdir_lab.projection.definition import LEAF, tables_of
from vfdir_lab.projection.provenance import difference
from vfdir_lab.projection.shelf import Projection
from vfdir_lab.projection.view import LensWarning

if TYPE_CHECKING:
    import duckdb

    from vfdir_lab.archive import Archive, Status

_EXPLAIN = re.compile(r"^\s*explain\s+(analyze\s+)?", re.IGNORECASE)


class _Parser(argparse.ArgumentParser):
    """One that raises where another would end the process."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{self.prog}: {message}; `{self.prog}?` tells how it is used")


def _query_parser() -> _Parser:
    parser = _Parser(prog="%%vfdir", add_help=False, allow_abbrev=False)
    parser.add_argument("-o", dest="name")
    parser.add_argument("--lens")
    parser.add_argument("--as-of")
    parser.add_argument("--axis")
    return parser


def _projection_parser() -> _Parser:
    parser = _Parser(prog="%%projection", add_help=False, allow_abbrev=False)
    parser.add_argument("name")
    parser.add_argument("version", type=int)
    parser.add_argument("title")
    parser.add_argument("--use", action="store_true")
    return parser


class Magics:
    """The magics of one session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def vfdir(self, line: str, cell: str | None = None) -> object:
        """Ask an archive in SQL, or say which archive and lens are meant.

        %vfdir                say what is open
        %vfdir open PATH      open an archive (else the variable `archive` is read)
        %vfdir status         what is in it
        %vfdir lens [NAME]    read later cells through a lens; without a name, say which there are

        %%vfdir [-o NAME] [--lens LENS] [--as-of TIME] [--axis knew|effective]
        SELECT ...            a table, and a relation: .pl() .df() .to_arrow_table(); -o gives it a name

        DataFrames and Arrow tables of the notebook can be named in the query like tables.
        """
        with _plainly_said():
            return self._command(line) if cell is None else self._query(line, cell)

    def projection(self, line: str, cell: str) -> None:
        """Save the cell as a version of a projection, check it, and show what it would change.

        %%projection NAME VERSION "Title" [--use]
        SELECT ...            one SELECT; the header of the file is written for it

        Nothing is put to use without --use. Running the cell again writes over the person's own file.
        """
        with _plainly_said():
            self._project(_arguments(_projection_parser(), line), cell)

    def _command(self, line: str) -> Archive | Status | None:
        command, _, rest = line.strip().partition(" ")
        if command == "open" and rest.strip():
            return self._session.open(_unquoted(rest.strip()))
        if command == "status" and not rest:
            return self._session.archive.status()
        if command == "lens":
            self._lens(rest.strip())
        elif command:
            raise UsageError(f"%vfdir {line.strip()}: it is `open PATH`, `status` or `lens [NAME]`")
        else:
            _say(f"{self._session.archive.path}, read through the lens {self._session.lens}")
        return None

    def _lens(self, name: str) -> None:
        if name:
            self._session.choose(name)
            _say(f"cells are read through the lens {name} now; nothing changes for others")
            return
        names = self._session.archive.projections.lenses.names()
        _say("\n".join(f"{'*' if one == self._session.lens else ' '} {one}" for one in names))

    def _query(self, line: str, cell: str) -> duckdb.DuckDBPyRelation:
        asked = _arguments(_query_parser(), line)
        if asked.name is not None and not asked.name.isidentifier():
            raise UsageError(f"{asked.name!r} cannot be a variable's name")
        if asked.axis is not None and asked.as_of is None:
            raise UsageError("%%vfdir: --axis says how --as-of is meant; give a time with --as-of")
        view = self._session.view(asked.lens)
        if asked.as_of is not None:
            view = view.as_of(asked.as_of, axis=asked.axis or "knew")
        relation = self._ask(view, cell)
        self._session.prepare(relation, relation_bundle(relation))
        if asked.name is not None:
            self._session.shell.user_ns[asked.name] = relation
        return relation

    def _ask(self, view: View, query: str) -> duckdb.DuckDBPyRelation:
        """Ask; what is to be known of the lens is said in a line each, once."""
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", LensWarning)
            relation = view.sql(query, **self._passed(query, view))
        for one in caught:
            note = str(one.message)
            if not issubclass(one.category, LensWarning):
                warnings.warn_explicit(one.message, one.category, one.filename, one.lineno)
            elif self._session.is_news(note):
                _say(f"note: {note}")
        return relation

    def _passed(self, query: str, view: View) -> dict[str, object]:
        """The tables of the notebook that the query names and the archive has not."""
        own = {LEAF, *view.versions}
        variables = self._session.shell.user_ns
        names = (name for name in tables_in(query) if name.lower() not in own)
        found = {name: variables.get(name) for name in names}
        return {name: value for name, value in found.items() if hasattr(value, "__arrow_c_stream__")}

    def _project(self, asked: argparse.Namespace, cell: str) -> None:
        session, shelf = self._session, self._session.archive.projections
        projection = shelf[asked.name]
        path = projection.save(asked.version, asked.title, cell)
        called = f"{asked.name} v{asked.version}"
        _say(f"saved: {path}")
        report = shelf.check(path)
        if report.findings or not report.ok:
            _show(findings_bundle(report, path.read_text("utf-8"), cell), raw=True)
        if not report.ok:
            _say(f"{called} is not used: mend the cell and run it again")
            return
        self._compare(projection, asked.version)
        if asked.use:
            projection.use(asked.version, lens=session.lens)
            _say(f"the lens {session.lens} reads {called} now")
        else:
            _say(f"{called} is not in use; with --use it is")

    def _compare(self, projection: Projection, version: int) -> None:
        """Show what a version changes against the one in force, or the rows of a new table."""
        view = self._session.view()
        engine, stand = self._session.archive.engine, view.standpoint
        lens = projection.through(stand.lens, version)
        if stand.lens.get(projection.name) is None:
            _say(f"{projection.name} is a new table:")
            _show(engine.relation(f"FROM {quoted(projection.name)}", lens=lens))
            return
        with_it = replace(stand, lens=replace(lens, name="as in this cell"))
        without = replace(stand, lens=replace(stand.lens, name="as it is in force"))
        _show(difference(engine, projection.name, without, with_it))


def tables_in(query: str) -> tuple[str, ...]:
    """The tables a query reads, as it spells them; none where it is no SQL, which DuckDB then says."""
    try:
        found = tables_of(sqlglot.parse_one(_EXPLAIN.sub("", query), dialect="duckdb"))
    except (SqlglotError, RecursionError):
        return ()
    return tuple(dict.fromkeys(table.name for table in found if not table.db))


def _arguments(parser: _Parser, line: str) -> argparse.Namespace:
    try:
        return parser.parse_args(shlex.split(line))
    except ValueError as error:  # a quotation mark that is not closed
        raise UsageError(f"{parser.prog}: {str(error).lower()}; close the quotation") from error


def _unquoted(text: str) -> str:
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"" else text


@contextmanager
def _plainly_said() -> Iterator[None]:
    """Let an error of ours reach the person as one line, under its own name."""
    try:
        yield
    except UsageError as error:
        raise IPythonUsageError(_one_line(error)) from error
    except VfdirError as error:
        said = f"{type(error).__name__}: {_one_line(error)}"
        vars(error)["_render_traceback_"] = lambda: [said]  # what IPython asks an error for
        raise


def _one_line(error: VfdirError) -> str:
    """The message without DuckDB's picture of the place, which is of a query wrapped around the cell's."""
    lines = takewhile(lambda line: not line.startswith("LINE "), str(error).splitlines())
    return visible(" ".join(lines))


def _say(text: str) -> None:
    print(text)  # noqa: T201 - a cell's own output


def _show(value: object, *, raw: bool = False) -> None:
    display(value, raw=raw)  # type: ignore[no-untyped-call]
