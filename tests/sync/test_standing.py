"""Where wishes stand: who has to do something, and why it is not further."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from vfdir_lab.archive import Archive
from vfdir_lab.event import Draft
from vfdir_lab.sync.standing import PERSON, PUSH, Standing, standings

Answer = Callable[..., None]


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with Archive(tmp_path / "archive", create=True, token="") as opened:
        yield opened


@pytest.fixture
def two(archive: Archive) -> tuple[str, str]:
    """A transaction that makes a channel, and one that puts a block into it."""
    with archive.transaction("make") as first:
        channel = first.add_channel("Slack water")
    with archive.transaction("fill") as second:
        second.add_block(channel, "a pause")
    return str(first.id), str(second.id)


@pytest.fixture
def answer(archive: Archive) -> Answer:
    """`answer(tx, "tx.sent")`: records an answer of the transaction's only wish, as a push would."""

    def record(tx: str, kind: str, **payload: object) -> None:
        query = f"SELECT payload ->> '$.intents[0]' FROM events WHERE object_id = '{tx}' ORDER BY seq LIMIT 1"
        intent = archive.sql(query).fetchall()[0][0]
        archive.log.append([Draft(kind=kind, object_id=tx, payload={"intent": intent} | payload, cause=tx)])

    return record


@pytest.fixture
def said(
    archive: Archive, two: tuple[str, str], answer: Answer
) -> Callable[[str, dict[str, object]], Standing]:
    """Where a transaction stands once its wish was answered so."""

    def after(kind: str, payload: dict[str, object]) -> Standing:
        answer(two[0], kind, **payload)
        return standing(archive, two[0])

    return after


def standing(archive: Archive, tx: str) -> Standing:
    return next(one for one in standings(archive.log, archive.engine) if one.tx == tx)


def test_nothing_stands_where_nothing_was_wished(archive: Archive) -> None:
    assert standings(archive.log, archive.engine) == ()


def test_what_was_not_sent_waits_for_a_push_and_says_for_what_else(
    archive: Archive, two: tuple[str, str]
) -> None:
    make, fill = (standing(archive, tx) for tx in two)
    assert (make.waits_for, make.why, make.state, make.open, make.attempts) == (PUSH, "", "committed", 1, 0)
    assert fill.waits_for == PUSH
    assert "has to be on are.na first" in fill.why


@pytest.mark.parametrize("kind", ["tx.rejected", "tx.cancelled"])
def test_what_builds_on_something_that_will_never_be_waits_for_the_person(
    archive: Archive, two: tuple[str, str], answer: Answer, kind: str
) -> None:
    make, fill = two
    answer(make, kind, reason="no")
    assert standing(archive, fill).waits_for == PERSON
    assert "retry that first, or cancel this" in standing(archive, fill).why
    assert standing(archive, make).waits_for == (PERSON if kind == "tx.rejected" else "")


def test_what_waits_for_the_person_comes_first_and_what_has_ended_last(
    archive: Archive, two: tuple[str, str], answer: Answer
) -> None:
    with archive.transaction("ended") as ended:
        ended.add_channel("Ended")
    with archive.transaction("refused") as refused:
        refused.add_channel("Refused")
    answer(str(ended.id), "tx.settled")
    answer(str(refused.id), "tx.rejected", reason="no")
    assert [one.label for one in standings(archive.log, archive.engine)] == [
        "refused",
        "make",
        "fill",
        "ended",
    ]


@pytest.mark.parametrize(
    ("kind", "payload", "waits_for", "why"),
    [
        ("sent", {}, PUSH, "looks it up"),
        ("unknown", {"reason": "cut off"}, PUSH, "cut off"),
        ("unknown", {"reason": "two", "found": ["channel:1", "channel:2"]}, PERSON, "channel:1, channel:2"),
        ("accepted", {"status": 201}, PUSH, "reads it back"),
        ("requeued", {"reason": "too many requests"}, PUSH, "too many requests"),
        ("rejected", {"reason": "too long"}, PERSON, "too long"),
        ("rejected", {}, PERSON, "refused"),
        ("superseded", {"shown": {}}, "", "somebody wrote after it"),
        ("settled", {}, "", ""),
        ("cancelled", {"reason": "withdrawn"}, "", ""),
    ],
    ids=lambda value: str(value)[:30],
)
def test_each_answer_says_who_is_next_and_why(
    said: Callable[[str, dict[str, object]], Standing],
    kind: str,
    payload: dict[str, object],
    waits_for: str,
    why: str,
) -> None:
    found = said(f"tx.{kind}", payload)
    assert found.waits_for == waits_for
    assert why in found.why
    assert bool(found.why) == bool(why)
    assert found.asks == (waits_for == PERSON)


def test_status_counts_what_is_open_and_what_waits_for_the_person(
    archive: Archive, two: tuple[str, str], answer: Answer
) -> None:
    assert (archive.status().wishes, archive.status().waiting, archive.status().conflicts) == (2, 0, 0)
    answer(two[0], "tx.rejected", reason="no")
    assert (archive.status().wishes, archive.status().waiting, archive.status().conflicts) == (1, 2, 0)


def test_wishes_of_another_device_wait_for_it(
    archive: Archive, two: tuple[str, str], answer: Answer, tmp_path: Path
) -> None:
    """In a copy of the archive, which is another device: there is nothing to be decided there."""
    answer(two[0], "tx.rejected", reason="no")
    shutil.copytree(archive.path, tmp_path / "copy")
    with Archive(tmp_path / "copy", token="") as copy:
        found = standings(copy.log, copy.engine)
        assert copy.status().waiting == 0
    assert {one.waits_for for one in found} == {f"device {archive.log.device()}"}
