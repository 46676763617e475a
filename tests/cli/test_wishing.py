"""Wishing on the command line: recorded at once, shown at once, nothing asked of are.na, nothing guessed."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from ran import Ran
from shelf import Shelf, new_shelf

from vfdir_lab.archive import Archive
from vfdir_lab.sandbox import Sandbox

Run = Callable[..., Ran]


@pytest.fixture
def settings(settings: dict[str, str], sandbox: Sandbox) -> dict[str, str]:
    return settings | {"ARENA_TOKEN": sandbox.tokens.write}


@pytest.fixture
def shelf(run: Run, sandbox: Sandbox) -> Shelf:
    """Pulled already."""
    made = new_shelf(sandbox)
    assert run("pull", made.channel.removeprefix("channel:")).code == 0
    sandbox.control.clear_requests()
    return made


def rows(run: Run, query: str) -> list[dict[str, object]]:
    answer: list[dict[str, object]] = json.loads(run("sql", query, "--json").out)
    return answer


def order(run: Run, shelf: Shelf) -> list[object]:
    query = f"SELECT item FROM connections WHERE channel = '{shelf.channel}' ORDER BY position"
    return [row["item"] for row in rows(run, query)]


def block(run: Run, object_id: str) -> dict[str, object]:
    return rows(run, f"SELECT * FROM blocks WHERE object_id = '{object_id}'")[0]


def assert_refused(ran: Ran, *words: str) -> None:
    assert ran.code == 1, ran
    (line,) = ran.err.strip().splitlines()
    assert line.startswith("vfdir-lab: ")
    for word in words:
        assert word in line


def test_an_added_block_shows_at_once_and_nothing_is_asked_of_are_na(
    run: Run, shelf: Shelf, sandbox: Sandbox
) -> None:
    done = run("add", shelf.channel, "Slack water", "--title", "Slack", "--description", "A pause", "--json")
    made = json.loads(done.out)
    new = made["made"][0]["object_id"]
    assert new.startswith("block:~")
    assert made["made"][1]["object_id"].startswith("connection:~")
    shown = block(run, new)
    assert (shown["content"], shown["title"], shown["description"]) == ("Slack water", "Slack", "A pause")
    assert shown["pending"] is True
    assert order(run, shelf) == [*shelf.blocks, new]
    assert sandbox.control.requests() == []


def test_what_was_made_is_said_with_its_id_and_what_to_do_next(run: Run, shelf: Shelf) -> None:
    said = run("add", shelf.channel, "https://example.org/tides")
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith("block:~")
    assert "`vfdir-lab push`" in said.out
    assert "`vfdir-lab undo`" in said.out


def test_a_block_goes_right_below_the_connection_it_is_said_after(run: Run, shelf: Shelf) -> None:
    done = run("add", shelf.channel, "between", "--after", shelf.connections[1], "--json")
    new = json.loads(done.out)["made"][0]["object_id"]
    assert order(run, shelf) == [shelf.blocks[0], new, *shelf.blocks[1:]]


def test_a_file_is_uploaded_where_it_is_said_and_never_guessed(
    run: Run, shelf: Shelf, tmp_path: Path
) -> None:
    """The copy is kept: the file may go away before the push."""
    note = tmp_path / "note.txt"
    note.write_text("Low water")
    assert_refused(run("add", shelf.channel, str(note)), str(note), "--file")
    assert_refused(run("add", shelf.channel, "text", "--file", str(note)), "--file PATH")
    assert_refused(run("add", shelf.channel), "--file PATH")
    new = json.loads(run("add", shelf.channel, "--file", str(note), "--json").out)["made"][0]["object_id"]
    assert block(run, new)["filename"] == "note.txt"
    assert json.loads(run("add", shelf.channel, "/not/there", "--json").out)["made"]


def test_a_value_may_come_from_standard_input(
    run: Run, run_process: Run, shelf: Shelf, tmp_path: Path
) -> None:
    done = run_process("add", shelf.channel, "-", "--json", stdin="two\nlines\n")
    new = json.loads(done.out)["made"][0]["object_id"]
    assert block(run, new)["content"] == "two\nlines"


def test_an_edit_changes_clears_and_reads_files(run: Run, shelf: Shelf, tmp_path: Path) -> None:
    about = shelf.blocks[0]
    text = tmp_path / "text.md"
    text.write_text("first = second\n")
    done = run("edit", about, "title=A = b", f"content=@{text}", "description=@@handle", "metadata.mood=calm")
    assert (done.code, done.err) == (0, "")
    shown = block(run, about)
    assert (shown["title"], shown["content"], shown["description"]) == ("A = b", "first = second", "@handle")
    assert json.loads(str(shown["metadata"])) == {"mood": "calm"}
    assert run("edit", about, "title=", "metadata.mood=").code == 0
    shown = block(run, about)
    assert shown["title"] is None
    assert json.loads(str(shown["metadata"] or "{}")) == {}


def test_a_channel_is_edited_by_its_id(run: Run, shelf: Shelf) -> None:
    assert run("edit", shelf.channel, "title=Another shelf", "visibility=closed").code == 0
    found = rows(run, f"SELECT title, visibility FROM channels WHERE object_id = '{shelf.channel}'")
    assert found == [{"title": "Another shelf", "visibility": "closed"}]


def test_items_move_where_they_are_told(run: Run, shelf: Shelf) -> None:
    low, mid, high = shelf.connections
    assert run("move", low, "--top").code == 0
    assert order(run, shelf) == [shelf.blocks[1], shelf.blocks[2], shelf.blocks[0]]
    assert run("move", low, "--after", mid).code == 0
    assert order(run, shelf) == shelf.blocks
    assert run("move", high, "--bottom").code == 0
    assert order(run, shelf) == [shelf.blocks[2], shelf.blocks[0], shelf.blocks[1]]


def test_items_come_into_channels_and_go(run: Run, shelf: Shelf) -> None:
    other = json.loads(run("add-channel", "Another", "--visibility", "private", "--json").out)
    channel = other["made"][0]["object_id"]
    assert run("connect", shelf.blocks[1], channel).code == 0
    found = rows(run, f"SELECT item FROM connections WHERE channel = '{channel}'")
    assert found == [{"item": shelf.blocks[1]}]
    assert run("disconnect", shelf.connections[1]).code == 0
    assert order(run, shelf) == [shelf.blocks[0], shelf.blocks[2]]


def test_a_channel_is_deleted_only_with_yes(run: Run, shelf: Shelf) -> None:
    assert_refused(run("delete", shelf.channel), "for good", "--yes")
    assert rows(run, f"SELECT count(*) AS n FROM channels WHERE object_id = '{shelf.channel}'") == [{"n": 1}]
    assert run("delete", shelf.channel, "--yes").code == 0
    assert rows(run, f"SELECT count(*) AS n FROM channels WHERE object_id = '{shelf.channel}'") == [{"n": 0}]


def test_undo_and_redo_go_back_and_forth(run: Run, shelf: Shelf) -> None:
    about = shelf.blocks[0]
    first = json.loads(run("edit", about, "title=One", "--json").out)["tx"]
    run("edit", about, "description=Two")
    assert run("undo").code == 0
    assert block(run, about)["description"] is None
    assert run("redo").code == 0
    assert block(run, about)["description"] == "Two"
    done = run("undo", first[: len("tx:") + 8], "--json")
    assert json.loads(done.out)["of"] == first
    assert block(run, about)["title"] is None


def test_one_command_is_one_transaction_with_its_words_for_a_label(run: Run, shelf: Shelf) -> None:
    run("comment", shelf.blocks[0], "So it is")
    run("edit", shelf.blocks[0], "title=One", "metadata.a=b")
    found = [row["label"] for row in rows(run, "SELECT label FROM outbox ORDER BY created_at, tx")]
    assert found == [f"comment on {shelf.blocks[0]}", f"edit {shelf.blocks[0]}: title, metadata"]


def test_a_new_channel_makes_the_archive_where_there_is_none(run: Run, home: Path) -> None:
    assert_refused(run("add-channel", "  "), "title")
    assert not home.exists()
    assert run("add-channel", "First").code == 0
    assert (home / "archive.toml").is_file()


@pytest.mark.parametrize(
    "command",
    [
        ["edit", "block:1", "title=x"],
        ["connect", "block:1", "tides"],
        ["disconnect", "connection:1"],
        ["move", "connection:1", "--top"],
        ["comment", "block:1", "x"],
        ["delete", "tides", "--yes"],
        ["undo"],
        ["redo"],
    ],
    ids=lambda command: command[0],
)
def test_wishes_about_what_is_there_need_an_archive(run: Run, home: Path, command: list[str]) -> None:
    assert_refused(run(*command), "no archive")
    assert not home.exists()


BAD: list[tuple[list[str], str]] = [
    (["add", "no-such-channel", "text"], "no-such-channel"),
    (["add", "{channel}", "  "], "empty"),
    (["add", "{channel}", "https://me:secret@example.org/"], "password"),
    (["add", "{channel}", "--file", "/not/there.png"], "/not/there.png"),
    (["add", "{channel}", "text", "--after", "connection:1"], "connection:1"),
    (["edit", "{block}", "title"], "FIELD=VALUE"),
    (["edit", "{block}", "=x"], "FIELD=VALUE"),
    (["edit", "{block}", "titel=x"], "titel"),
    (["edit", "{block}", "title=x", "title=y"], "twice"),
    (["edit", "{block}", "metadata=x"], "metadata.KEY"),
    (["edit", "{block}", "metadata.a b=x"], "key"),
    (["edit", "{block}", "metadata.=x"], "key"),
    (["edit", "{block}", "content=@/not/there"], "/not/there"),
    (["edit", "{block}", "visibility=public"], "visibility"),
    (["edit", "{block}", "alt_text=x"], "Image"),
    (["edit", "{channel}", "title="], "title"),
    (["edit", "{channel}", "visibility=loud"], "loud"),
    (["edit", "block:1", "title=x"], "block:1"),
    (["edit", "tide", "title=x"], "tide"),
    (["edit", "user:1", "title=x"], "user"),
    (["connect", "block:1", "{channel}"], "block:1"),
    (["connect", "{channel}", "{channel}"], "itself"),
    (["disconnect", "{block}"], "connection"),
    (["disconnect", "connection:1"], "connection:1"),
    (["move", "{connection}"], "--top"),
    (["move", "{connection}", "--top", "--bottom"], "--top"),
    (["move", "{connection}", "--after", "{connection}"], "itself"),
    (["comment", "{block}", ""], "empty"),
    (["comment", "{channel}", "x"], "channel"),
    (["delete", "no-such-channel", "--yes"], "no-such-channel"),
    (["undo"], "nothing to undo"),
    (["undo", "tx:0123"], "tx:0123"),
    (["undo", ""], "transaction"),
    (["redo"], "nothing to redo"),
]


def test_what_makes_no_sense_is_one_line_and_records_nothing(
    run: Run, shelf: Shelf, home: Path, subtests: pytest.Subtests
) -> None:
    names = {"channel": shelf.channel, "block": shelf.blocks[0], "connection": shelf.connections[0]}
    before = Archive(home).head
    for command, word in BAD:
        with subtests.test(" ".join(command)):
            assert_refused(run(*(one.format(**names) for one in command)), word)
            assert Archive(home).head == before


def test_a_file_that_is_no_text_is_told(run: Run, run_process: Run, shelf: Shelf, tmp_path: Path) -> None:
    picture = tmp_path / "picture.png"
    picture.write_bytes(b"\x89PNG\r\n\xff")
    assert_refused(run("edit", shelf.blocks[0], f"content=@{picture}"), "no text in UTF-8")


def test_hostile_words_steer_no_terminal(run: Run, shelf: Shelf) -> None:
    run("add", shelf.channel, "plain", "--title", "\x1b[31mred\u202eder")
    for command in (["outbox"], ["push", "--dry-run"], ["conflicts"], ["status"]):
        said = run(*command)
        assert "\x1b[31m" not in said.out + said.err
        assert "\u202e" not in said.out + said.err
