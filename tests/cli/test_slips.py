"""Slips of the pen, and texts from elsewhere: said plainly, in the form and on the lines asked for."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from ran import Ran

from vfdir_lab.archive import Archive
from vfdir_lab.event import Draft
from vfdir_lab.projection.lint import RULES

Run = Callable[..., Ran]


def test_a_projection_that_there_is_not_cannot_be_given_back_to_the_default(home: Path, run: Run) -> None:
    Archive(home, create=True)
    for version in ("default", "3"):
        done = run("projection", "use", "bloks", version)
        assert done.code == 1
        assert "there is no projection 'bloks'; there are " in done.err
    assert run("projection", "use", "blocks", "nope").code == 1


def test_a_rule_is_explained_in_json_too(run: Run) -> None:
    done = run("projection", "lint", "--explain", "clock", "--json")
    assert done.code == 0
    told = json.loads(done.out)
    assert (told["id"], told["title"]) == ("clock", RULES["clock"].title)
    assert run("projection", "lint", "--explain", "nope", "--json").code == 1


def test_no_line_end_of_unicode_breaks_a_line_of_an_answer(home: Path, run: Run) -> None:
    title = "one\u2028two\u2029three\nfour\r\nfive\x85six"
    Archive(home, create=True).log.append(
        [Draft(kind="block.observed", object_id="block:1", payload={"title": title}, origin="arena")]
    )
    for asked in (("sql", "SELECT title FROM blocks"), ("log", "block:1"), ("why", "block:1", "title")):
        done = run(*asked)
        assert done.code == 0, done.err
        assert "one" in done.out
        assert not {"\u2028", "\u2029", "\x85"} & set(done.out)
    table = run("sql", "SELECT title FROM blocks").out
    assert table.splitlines()[1].rstrip() == "one ⏎ two ⏎ three ⏎ four ⏎ five\N{REPLACEMENT CHARACTER}six"
