"""The answers that the README shows for wishing and pushing are those the commands give."""

import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from vfdir_lab.cli import main
from vfdir_lab.sandbox import Sandbox

README = Path(__file__).parents[2] / "README.md"
EVERY_TIME_ANOTHER = (
    (re.compile(r"tx:[0-9a-f]{8}"), "tx:*"),
    (re.compile(r"~[a-z0-9]+\.[0-9]+"), "~*"),
    (re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8}"), "then"),
    (re.compile(r"(?<= )[0-9]+ s(?= )"), "0 s"),
    (re.compile(r" +"), " "),
)


@pytest.fixture
def tides(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Sandbox]:
    """A sandbox of the person who reads the README, and no archive yet."""
    with Sandbox() as sandbox:
        for name, value in (
            ("ARENA_API_URL", sandbox.url),
            ("ARENA_TOKEN", sandbox.tokens.write),
            ("VFDIR_HOME", str(tmp_path / "archive")),
        ):
            monkeypatch.setenv(name, value)
        yield sandbox


def blocks() -> list[str]:
    """The parts of the section that show a terminal."""
    section = README.read_text("utf-8").partition("## Wish and push\n")[2].partition("\n## ")[0]
    return re.findall(r"```console\n(.*?)```", section, re.DOTALL)


def without_what_differs(text: str) -> list[str]:
    for pattern, instead in EVERY_TIME_ANOTHER:
        text = pattern.sub(instead, text)
    return [line.rstrip() for line in text.splitlines()]


def answer_of(command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    monkeypatch.setattr(sys, "argv", shlex.split(command))
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr()
    assert (ended.value.code, said.err) == (0, ""), said
    return said.out


def test_the_answers_are_real(
    tides: Sandbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before, after = blocks()
    for part in (before, after):
        for shown in part.split("$ ")[1:]:
            command, _, answer = shown.partition("\n")
            assert without_what_differs(answer_of(command, monkeypatch, capsys)) == without_what_differs(
                answer
            ), command
        tides.control.edit_block(40000006, title="Rule of twelfths (1805)")
