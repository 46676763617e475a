"""`projection list | show | new | use | diff | lint`: the interpretation, as files of SQL."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from vfdir_lab.archive import Archive
from vfdir_lab.cli.options import AsJson, Home, LensName, open_archive
from vfdir_lab.cli.screen import complain, patiently, say, say_json, say_table
from vfdir_lab.errors import UsageError
from vfdir_lab.projection import Definition
from vfdir_lab.projection.checking import CheckReport, known_to
from vfdir_lab.projection.lint import RULES, explain, unportable

FAILED = 1
Name = Annotated[str, typer.Argument(metavar="NAME", help="The projection, such as blocks.")]


def add_to(app: typer.Typer) -> None:
    """Add this group's commands."""
    group = typer.Typer(
        no_args_is_help=True, help="Rewrite the interpretation: versioned SQL over the facts."
    )
    group.command("list")(list_)
    group.command("show")(show)
    group.command("new")(new)
    group.command("use")(use)
    group.command("diff")(diff)
    group.command("lint")(lint)
    app.add_typer(group, name="projection")


def list_(home: Home = None, as_json: AsJson = False) -> None:
    """Every version of every projection, whose it is, and which lenses use it."""
    shelf = open_archive(home).projections
    versions, problems = shelf.versions(), shelf.problems
    if as_json:
        rows = [asdict(one) for one in versions]
        say_json({"projections": rows, "problems": [str(problem) for problem in problems]})
        return
    columns = ("projection", "version", "title", "whose", "in the lens", "refreshed")
    rows_shown = [
        (one.name, f"v{one.version}", one.title, one.source, ", ".join(one.lenses), one.refresh)
        for one in versions
    ]
    say_table(columns, rows_shown)
    for problem in problems:
        complain(str(problem))


def show(
    name: Name,
    version: Annotated[int | None, typer.Argument(metavar="[VERSION]", help="Else the one in force.")] = None,
    expanded: Annotated[
        bool, typer.Option("--expanded", help="What runs: with helpers put in, as plain SQL.")
    ] = False,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """The SQL of a version, and how it is kept fresh."""
    archive = open_archive(home)
    projection = archive.projections[name]
    found = projection.current if version is None else projection[version]
    told = archive.projections.told(found)
    if as_json:
        say_json(told | {"sql": found.sql, "expanded": found.view})
        return
    for key, value in told.items():
        typer.secho(f"{key:<12} {value}", dim=True, err=True)
    say(found.view if expanded else found.sql)


def new(
    name: Name,
    title: Annotated[str, typer.Option("--title", metavar="TEXT", help="What the rule is.")] = "My rule",
    home: Home = None,
) -> None:
    """Write a file to begin with: a copy of the version in force under the next number. Says where."""
    path = open_archive(home).projections[name].new(title=title)
    say(path)


def use(
    name: Name,
    version: Annotated[str, typer.Argument(metavar="VERSION", help="A number, or `default` to go back.")],
    lens: LensName = None,
    home: Home = None,
) -> None:
    """Put a version in force, for every reader at once. Recorded in the log; going back is another `use`."""
    archive = open_archive(home)
    before = _in_force(archive, name, lens)
    after = archive.projections[name].use(_number(version), lens=lens).get(name)
    called = f"the lens {lens} reads" if lens else "reading"
    say(f"{called} {after.called} ({after.title})" if after else f"{name} is no table any more")
    if before and after != before:
        back = f"{name} {before.version}" + (f" --lens {lens}" if lens else "")
        say(f"back: vfdir-lab projection use {back}")


def _in_force(archive: Archive, name: str, lens: str | None) -> Definition | None:
    lenses = archive.projections.lenses
    return lenses.lens(lens).get(name) if lens is None or lens in lenses.names() else None


def _number(version: str) -> int | None:
    if version == "default":
        return None
    number = version.removeprefix("v")
    if not (number.isascii() and number.isdecimal()):
        raise UsageError(f"{version!r} is no version; give a number, or `default`")
    return int(number)


def diff(
    name: Name,
    left: Annotated[str, typer.Argument(metavar="A", help="A version, a lens, a date, a time or a head.")],
    right: Annotated[
        str | None, typer.Argument(metavar="[B]", help="The same; else what is in force now.")
    ] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """What differs between two answers, cell by cell, with the events that made it so."""
    archive = open_archive(home)
    found = archive.diff(name, left, right)
    if not as_json:
        say(patiently(archive, lambda: str(found)))
        return
    counts = {key: getattr(found, key) for key in ("same", "only_left", "only_right", "changed")}
    cells = patiently(archive, lambda: found.relation().to_arrow_table().to_pylist())
    sides = {"projection": name, "left": found.left, "right": found.right}
    say_json(sides | counts | {"columns": dict(found.columns), "cells": cells})


def lint(
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="A file of SQL; else all of your own.")
    ] = None,
    version: Annotated[
        int | None, typer.Argument(metavar="[VERSION]", help="With --portable, of the projection named.")
    ] = None,
    portable: Annotated[
        bool,
        typer.Option("--portable", help="Whether FILE, or NAME [VERSION], gives the same rows on Spark."),
    ] = False,
    rule: Annotated[
        str | None, typer.Option("--explain", metavar="RULE", help="Say what a rule is about, and stop.")
    ] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Check the rules of a good projection, and run the cases beside it."""
    if rule is not None:
        text = explain(rule)
        if as_json:
            say_json(asdict(RULES[rule]))
        else:
            say(text)
        return
    archive = open_archive(home)
    report = (
        _carried(archive, file, version) if portable else archive.projections.check(_alone(file, version))
    )
    if as_json:
        say_json(_as_dict(report))
    else:
        say(report)
    if not report.ok or (portable and report.findings):
        raise typer.Exit(FAILED)


def _alone(file: Path | None, version: int | None) -> Path | None:
    if version is not None:
        raise UsageError("a version is for --portable; without that, give the file of SQL")
    return file


def _carried(archive: Archive, named: Path | None, version: int | None) -> CheckReport:
    """What keeps a file, a projection, or every one of the lens in force, from being the same on Spark."""
    lens = archive.projections.lenses.lens()
    if named is not None and named.is_file():
        texts = [(named.read_text("utf-8-sig"), str(named))]
    elif named is not None:
        projection = archive.projections[str(named)]
        found = projection.current if version is None else projection[version]
        texts = [(found.sql, found.called)]
    else:
        texts = [(one.sql, one.called) for one in lens.definitions]
    findings = [
        finding
        for text, where in texts
        for finding in unportable(
            text, where=where, known=known_to(text, where=where, definitions=lens.definitions)
        )
    ]
    return CheckReport(files=tuple(where for _, where in texts), findings=tuple(findings))


def _as_dict(report: CheckReport) -> dict[str, object]:
    return {
        "ok": report.ok,
        "files": list(report.files),
        "problems": list(report.problems),
        "findings": [asdict(one) for one in report.findings],
        "cases": [
            {"case": one.case.name, "ok": one.ok, "missing": one.missing, "unexpected": one.unexpected}
            for one in report.cases
        ],
    }
