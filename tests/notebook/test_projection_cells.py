"""`%%projection`: saved, checked, compared, and used only when asked to."""

import re
from typing import Any

from vfdir_lab.archive import Archive

FIRST_LINE = """SELECT
    object_id,
    coalesce(latest('title') ->> '$', split_part(prose(latest('content')), chr(10), 1)) AS title
FROM events
WHERE kind = 'block.observed'
GROUP BY object_id
"""
TITLE = "SELECT title FROM blocks WHERE object_id = 'block:2'"


def cell(body: str, options: str = "") -> str:
    return f'%%projection blocks 4 "First line" {options}\n{body}'


def title(archive: Archive) -> str | None:
    return (
        archive.projections["blocks"].current.version == 4
        and archive.engine.arrow(TITLE, lens=archive.lens("default").definitions).column("title")[0].as_py()
    )


def test_a_cell_is_saved_as_the_persons_file(opened: Any, archive: Archive) -> None:
    opened.run(cell(FIRST_LINE))
    text = (archive.path / "projections" / "blocks" / "v4_first_line.sql").read_text("utf-8")
    assert text.startswith("-- projection: blocks\n-- version: 4\n-- title: First line\n")
    assert text.endswith(FIRST_LINE)


def test_it_shows_what_it_would_change_and_uses_nothing(opened: Any, archive: Archive) -> None:
    head = archive.head
    ran = opened.run(cell(FIRST_LINE))
    assert "1 of 3 rows differ" in ran.said
    assert "Twelve hours" in ran.said
    assert "not in use" in ran.said
    assert archive.projections["blocks"].current.version == 1
    assert archive.head == head


def test_it_is_used_when_asked_to(opened: Any, archive: Archive) -> None:
    opened.run(cell(FIRST_LINE, "--use"))
    assert title(archive) == "Twelve hours"


def test_it_is_used_in_the_lens_of_the_session(opened: Any, archive: Archive) -> None:
    archive.lens("cards").use(connections=3)
    opened.run("%vfdir lens cards")
    opened.run(cell(FIRST_LINE, "--use"))
    assert archive.lens("cards").versions["blocks"] == 4
    assert archive.lens("default").versions["blocks"] == 1


def test_running_it_again_writes_over_the_file_and_compares_with_what_is_in_force(
    opened: Any, archive: Archive
) -> None:
    opened.run(cell(FIRST_LINE, "--use"))
    ran = opened.run(cell(FIRST_LINE.replace("coalesce(", "upper(").replace(", split", " || split")))
    assert "rows differ" in ran.said
    assert len(list((archive.path / "projections" / "blocks").glob("*.sql"))) == 1
    assert title(archive) == "Twelve hours"


def test_what_breaks_a_rule_is_shown_at_its_line_of_the_cell_and_not_used(
    opened: Any, archive: Archive
) -> None:
    body = "\n\n" + FIRST_LINE.replace("GROUP BY", "AND recorded_at < now()\nGROUP BY")
    source = cell(body, "--use")
    ran = opened.run(source)
    line = next(number for number, text in enumerate(source.splitlines(), 1) if "now()" in text)
    assert re.search(rf"^line {line}, column \d+: clock:", ran.said, re.MULTILINE)
    assert "AND recorded_at < now()" in ran.said
    assert archive.projections["blocks"].current.version == 1


def test_a_finding_about_the_header_says_so(opened: Any) -> None:
    ran = opened.run('%%projection loved 1 "Loved"\nSELECT kind FROM events GROUP BY kind')
    assert "in the header made for it: key-column:" in ran.said


def test_a_new_table_is_shown_and_is_there_once_it_is_used(opened: Any) -> None:
    body = '%%projection loved 1 "Loved"{}\nSELECT object_id FROM blocks WHERE title IS NOT NULL'
    ran = opened.run(body.format(""))
    assert "new table" in ran.said
    assert "2 rows" in ran.said
    assert not opened.run("%%vfdir\nSELECT * FROM loved").ok
    opened.run(body.format(" --use"))
    assert len(opened.run("%%vfdir\nSELECT * FROM loved").value.fetchall()) == 2


def test_it_is_compared_at_the_moment_it_is_shown(opened: Any, archive: Archive) -> None:
    """No difference is said as such."""
    same = archive.projections["blocks"].current.sql.split("*/", 1)[1]
    assert "no difference in 3 rows" in opened.run(cell(same)).said


def test_a_rule_in_a_few_words_can_begin_from_a_shipped_version(opened: Any, archive: Archive) -> None:
    body = "SELECT * REPLACE (coalesce(title, split_part(content, chr(10), 1)) AS title) FROM blocks_v2"
    assert "1 of 3 rows differ" in opened.run(cell(body, "--use")).said
    assert title(archive) == "Twelve hours"
