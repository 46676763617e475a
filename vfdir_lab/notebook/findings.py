"""What a check found in the text of a cell, told by the lines of that cell."""

from __future__ import annotations

import html
from collections.abc import Iterator

from vfdir_lab.notebook.table import Bundle, framed, visible
from vfdir_lab.projection.checking import CheckReport
from vfdir_lab.projection.lint import RULES, Finding


def findings_bundle(report: CheckReport, text: str, cell: str) -> Bundle:
    """Each finding in the file `text`, with its line of the cell that was saved as its body, and a mend."""
    lines = [*_problems(report)]
    for finding in report.findings:
        lines += _told(finding, text, cell)
    rules = dict.fromkeys(one.rule for one in report.findings)
    lines += [f"{rule}: {RULES[rule].title} (`vfdir-lab projection lint --explain {rule}`)" for rule in rules]
    shown = "\n".join(map(visible, lines))
    return {"text/plain": shown, "text/html": framed(f"<pre>{html.escape(shown)}</pre>", "lint")}


def _told(finding: Finding, text: str, cell: str) -> Iterator[str]:
    said = f"{finding.rule}: {finding.message}; {finding.mend}"
    above = text.count("\n") - cell.strip().count("\n") - 1
    if finding.line <= above:
        yield f"in the header made for it: {said}"
        return
    blank = cell[: len(cell) - len(cell.lstrip())].count("\n")
    yield f"line {finding.line - above + blank + 1}, column {finding.column}: {said}"
    source = text.split("\n")[finding.line - 1]
    start = len(source) - len(source.lstrip())
    yield f"    {source.strip()}"
    yield f"    {' ' * max(finding.column - 1 - start, 0)}^"


def _problems(report: CheckReport) -> Iterator[str]:
    yield from report.problems
    for result in report.cases:
        if not result.ok:
            yield f"case {result.case.name}: other rows than expected"
            yield from (f"  missing     {row}" for row in result.missing)
            yield from (f"  unexpected  {row}" for row in result.unexpected)
