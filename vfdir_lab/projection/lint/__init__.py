"""Rules of a good projection: pure over its events, deterministic, one SELECT. Each explained, with a mend.

Owns the rules, as data (`rules.toml`, `names.toml`), and what looks for their breaking in the text of a
file. Guarantees: a finding stands at its line of the file; linting runs nothing of the file, it only lets a
confined DuckDB bind it over an empty log; no text makes it raise. Leaves to the catalogue what several files
are about: numbers taken twice, reading in a circle. Where a rule cannot be decided it is conservative and
says how to write the thing so that it can (`decisions/0010-lint-rules.md`). Checked by the examples beside
each rule, and by every shipped projection having no finding.
"""

from vfdir_lab.projection.lint.check import lint, unportable
from vfdir_lab.projection.lint.rules import RULES, Finding, Rule, explain

__all__ = ["RULES", "Finding", "Rule", "explain", "lint", "unportable"]
