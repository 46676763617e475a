"""Names from titles hold on every file system, and two objects never share one."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vfdir_lab.export.names import NAME_BYTES_MAX, file_name, media_name

IDS = st.one_of(
    st.integers(1, 10**12).map(lambda number: f"block:{number}"),
    st.tuples(st.from_regex(r"[a-z0-9]{4,8}", fullmatch=True), st.integers(1, 10**6)).map(
        lambda said: f"block:~{said[0]}.{said[1]}"
    ),
)
HOSTILE = [
    "CON",
    "nul.txt",
    "..",
    "a/b\\c",
    "x" * 600,
    "\u202etxt.exe",
    "a. ",
    "\x00\x1b[0m",
    "é",
    "e\u0301",
    "ﬁ",
    "İ",
    "ß",
    "日本語",
    "ZͯͫͫͫA",
    "~k3f9_1",
    "-1",
    "\u200b",
    "COM¹",
    "aux ",
    "🧵",
]
TITLES = st.one_of(
    st.none(), st.text(), st.sampled_from(HOSTILE), st.text(st.characters(categories=["M", "L"]))
)
RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])", re.IGNORECASE)


@given(IDS, TITLES)
def test_a_name_is_safe(identifier: str, title: str | None) -> None:
    name = file_name(identifier, title)
    assert 0 < len(name.encode()) <= NAME_BYTES_MAX + 20
    assert name == unicodedata.normalize("NFC", name)
    assert not RESERVED.fullmatch(name.partition(".")[0])
    assert all(unicodedata.category(sign)[0] in "LMN" or sign in "-~_" for sign in name)
    assert not name.startswith(("-", "."))
    assert name[-1].isdigit()


@given(IDS, TITLES)
def test_a_name_does_not_depend_on_the_normal_form_or_the_case_a_system_keeps(
    identifier: str, title: str | None
) -> None:
    """What is stored decomposed, or found without regard to case, is still found by the same name."""
    name = file_name(identifier, title)
    kept = unicodedata.normalize("NFC", unicodedata.normalize("NFD", name))
    assert kept == name


@given(st.lists(st.tuples(IDS, TITLES), unique_by=lambda said: said[0], max_size=8))
def test_two_objects_never_share_a_name(objects: list[tuple[str, str | None]]) -> None:
    folded = {unicodedata.normalize("NFKD", file_name(*one)).casefold() for one in objects}
    assert len(folded) == len(objects)


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Spring and neap", "spring-and-neap-7"),
        ("../../../etc/passwd", "etc-passwd-7"),
        ("CON", "con-7"),
        ("日本語の題", "日本語の題-7"),
        ("  Straße  ", "strasse-7"),
        ("🧵", "text-7"),
        (None, "text-7"),
    ],
)
def test_names_for_example(title: str | None, name: str) -> None:
    assert file_name("block:7", title, "Text") == name


def test_an_ending_is_what_the_bytes_are_and_nothing_that_runs() -> None:
    assert media_name("a-1", "image/png") == "a-1.png"
    for sort in ("text/html", "application/javascript", "application/x-msdownload", None, "image/png; x"):
        assert media_name("a-1", sort) == "a-1.bin"
