"""The header of a file: one reading of it for all who ask."""

from __future__ import annotations

from vfdir_lab.projection.header import header_lines, read_header

TEXT = "-- projection: blocks\r\n--version:4\n-- Key : object_id\n-- title: T\nSELECT 1 -- key: none\n"


def test_a_header_ends_at_the_first_line_that_names_nothing_of_ours() -> None:
    said, below = read_header(TEXT)
    assert said == {"projection": "blocks", "version": "4"}
    assert below == "-- Key : object_id\n-- title: T\nSELECT 1 -- key: none\n"


def test_all_that_looks_like_a_line_of_a_header_is_there_with_its_place() -> None:
    lines = list(header_lines(TEXT))
    assert [(line.name, line.value) for line in lines] == [
        ("projection", "blocks"),
        ("version", "4"),
        ("Key", "object_id"),
        ("title", "T"),
    ]
    assert [TEXT[line.start : line.end] for line in lines] == TEXT.splitlines(keepends=True)[:4]
