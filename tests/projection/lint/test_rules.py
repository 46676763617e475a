"""Each rule is found by its own examples, explained, and broken by nothing that ships."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from vfdir_lab.errors import UsageError
from vfdir_lab.projection.catalogue import shipped
from vfdir_lab.projection.lens import default_lens
from vfdir_lab.projection.lint import RULES, Finding, explain, lint, unportable

Lint = Callable[..., tuple[Finding, ...]]


def on_spark(rule: str) -> bool:
    return rule.startswith("spark-")


@pytest.mark.parametrize("rule", RULES)
def test_the_bad_example_breaks_its_rule_and_no_other(rule: str, findings: Lint) -> None:
    assert {one.rule for one in findings(RULES[rule].bad, portable=on_spark(rule))} == {rule}


@pytest.mark.parametrize("rule", RULES)
def test_the_good_example_breaks_no_rule(rule: str, findings: Lint) -> None:
    assert findings(RULES[rule].good, portable=on_spark(rule)) == ()


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_is_explained_with_both_examples(rule: str) -> None:
    told = explain(rule)
    assert told.startswith(f"{rule}: {RULES[rule].title}\n")
    for part in (RULES[rule].reason, RULES[rule].bad, RULES[rule].good):
        assert all(line.strip() in told for line in part.strip().splitlines())


def test_a_rule_that_is_none_is_refused_with_those_there_are() -> None:
    with pytest.raises(UsageError, match="no rule 'beauty'; there are header, key-column, one-select"):
        explain("beauty")


@pytest.mark.parametrize("key", sorted((one.name, one.version) for one in shipped()), ids=str)
def test_no_shipped_projection_breaks_a_rule(key: tuple[str, int]) -> None:
    definition = shipped()[key]
    known = [one for one in default_lens().definitions if one.name != definition.name]
    assert lint(definition.sql, where=definition.called, known=known) == ()


def test_a_finding_is_one_line_with_file_place_rule_and_mend(findings: Lint) -> None:
    (found,) = findings("SELECT object_id,\n  arg_max(kind, hlc) AS k\nFROM events GROUP BY object_id")
    assert str(found) == (
        "mine/v1_test.sql:6:3: arg-max-order: arg_max() leaves open which of the rows comes first that are "
        "equal in its order; make the key a struct that ends with hlc, device, seq"
    )


def test_only_rules_about_other_engines_are_portable() -> None:
    portable = {one.id for one in RULES.values() if one.portable}
    assert portable == {"column-patterns", *filter(on_spark, RULES)}


def test_what_is_about_spark_is_looked_for_only_where_that_is_asked_for(findings: Lint) -> None:
    """Broken rules of others may come with it: quantiles in one of them are no rule here."""
    assert all(
        not on_spark(one.rule) for rule in RULES if on_spark(rule) for one in findings(RULES[rule].bad)
    )


@pytest.mark.parametrize("key", sorted((one.name, one.version) for one in shipped()), ids=str)
def test_every_shipped_projection_is_portable(key: tuple[str, int]) -> None:
    definition = shipped()[key]
    known = [one for one in default_lens().definitions if one.name != definition.name]
    assert unportable(definition.sql, where=definition.called, known=known) == ()
