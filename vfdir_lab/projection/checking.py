"""Checking a person's versions: the rules, and the cases beside the file."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from vfdir_lab.errors import ProjectionError, ProjectionFileError, UsageError
from vfdir_lab.projection.cases import CaseResult, read_cases, run_case
from vfdir_lab.projection.catalogue import in_order, needed, readable, with_pins
from vfdir_lab.projection.definition import Definition, define
from vfdir_lab.projection.header import header_lines
from vfdir_lab.projection.lens import Lens
from vfdir_lab.projection.lint import RULES, Finding, lint

_ROWS_SHOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """What became of a check.

    `findings` are broken rules, `cases` what became of each case, `problems` what could not be read at all.
    `files` says what was looked at. A finding about other engines alone leaves it `ok`.
    """

    files: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    cases: tuple[CaseResult, ...] = ()
    problems: tuple[str, ...] = field(default=())

    @property
    def ok(self) -> bool:
        """Whether all may be used."""
        return not (forbidding(self.findings) or self.problems) and all(one.ok for one in self.cases)

    def __add__(self, other: CheckReport) -> CheckReport:
        return CheckReport(
            files=self.files + other.files,
            findings=self.findings + other.findings,
            cases=self.cases + other.cases,
            problems=self.problems + other.problems,
        )

    def __str__(self) -> str:
        lines = [*self.problems, *map(str, self.findings)]
        for result in self.cases:
            if not result.ok:
                lines.append(f"case {result.case.name}: other rows than expected")
                lines += [f"  missing     {row}" for row in result.missing[:_ROWS_SHOWN]]
                lines += [f"  unexpected  {row}" for row in result.unexpected[:_ROWS_SHOWN]]
        passed = sum(one.ok for one in self.cases)
        checked = f"{len(self.files)} file(s) checked, {passed} of {len(self.cases)} case(s) passed"
        if self.findings:
            checked += "; `vfdir-lab projection lint --explain RULE` says what a rule is about"
        return "\n".join([*lines, checked])


def forbidding(findings: Iterable[Finding]) -> list[Finding]:
    """The findings that forbid to use a text; those about other engines alone do not."""
    return [one for one in findings if not RULES[one.rule].portable]


def check_text(text: str, *, where: str, lens: Lens, folder: Path | None = None) -> CheckReport:
    """Lint the text of a file over the projections of a lens, and run the cases in `folder` / cases."""
    known = known_to(text, where=where, definitions=lens.definitions)
    findings = lint(text, where=where, known=known)
    report = CheckReport(files=(where,), findings=findings)
    if folder is None or not report.ok:
        return report
    try:
        definition = define(text, where=where, source="own")
        cases = read_cases(folder, version=definition.version)
        below = in_order([*needed(known, definition.reads), definition])
        return report + CheckReport(cases=tuple(run_case(below, case) for case in cases))
    except ProjectionError as error:
        return report + CheckReport(problems=(str(error),))


def check_file(file: Path, lens: Lens) -> CheckReport:
    """Check one file.

    Raises:
        UsageError: it cannot be read.
    """
    try:
        text = file.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text in UTF-8"
        raise UsageError(f"{file}: {reason}; give a file of SQL") from error
    where = f"{file.absolute().parent.name}/{file.name}"
    return check_text(text, where=where, lens=lens, folder=file.absolute().parent)


def check_all(folder: Path, lens: Lens, problems: Iterable[ProjectionFileError]) -> CheckReport:
    """Check every file of the person's own below `folder`; `problems` are those the catalogue met."""
    report = CheckReport(problems=tuple(str(one) for one in problems))
    for file in sorted(folder.glob("*/v*_*.sql")):
        where = f"{file.parent.name}/{file.name}"
        if not any(problem.startswith(where) for problem in report.problems):
            report += check_file(file, lens)
    return report


def known_to(text: str, *, where: str, definitions: Iterable[Definition]) -> list[Definition]:
    """What the text may read: these, and the shipped versions that it names by number."""
    there = list(definitions)
    with suppress(ProjectionError):  # what is wrong with it, the rules say
        there = [one for one in there if one.name != _named(text)]
        there = with_pins([*there, define(text, where=where, source="own")])
    return readable(there, _named(text))


def _named(text: str) -> str:
    """The projection that the header names."""
    return next((line.value for line in header_lines(text) if line.name == "projection"), "")
