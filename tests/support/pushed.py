"""What must be true once wishes are pushed: done once on the server, shown once here, recorded as sent."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from pushing import KINDS, Scene, census, opened
from worlds import held, truly

from vfdir_lab.archive import Archive
from vfdir_lab.log import Head

_OWN_VIEW = {"updated_at", "pending", "seen_at", "first_seen_at", "last_seen_at"}
"""Columns that say when we looked, or what we wish: they differ between two archives of the same server."""


def assert_done_once(scene: Scene) -> None:
    """Every wish is settled, is done once on the server, shows once here; and the token is nowhere."""
    intents = scene.outbox().intents()
    agree("not settled", [(one.kind, one.state) for one in intents if one.state != "settled"], [])
    more = [sum(counts) for counts in zip(*(KINDS[kind].more for kind in scene.kinds), strict=True)]
    expected = {
        name: count + change for (name, count), change in zip(scene.before.items(), more, strict=True)
    }
    agree("on the server", census(scene.sandbox), expected)
    agree("not done", [kind for kind in scene.kinds if not KINDS[kind].is_true(scene)], [])
    assert_shown_once(scene)
    assert_announced(scene)
    assert_equal_after_a_full_pull(scene)
    assert_no_token(scene)
    assert scene.archive.verify().ok


def agree(what: str, found: object, expected: object) -> None:
    """Raises AssertionError that shows both: asserts of these modules are not taken apart by pytest."""
    if found != expected:
        raise AssertionError(f"{what}: {found} instead of {expected}")


def assert_shown_once(scene: Scene) -> None:
    """The archive shows each thing that was wished once, and the row as the server has it."""
    agree("the row", held(scene.archive, scene.row), truly(scene.sandbox, scene.row))
    blocks, channels, comments = (
        [str(row[0]) for row in scene.archive.sql(query).fetchall()]
        for query in (
            "SELECT title FROM blocks WHERE title IS NOT NULL",
            "SELECT unnest([object_id, title]) FROM channels WHERE title IS NOT NULL",
            "SELECT body FROM comments",
        )
    )
    counted = (
        blocks.count("A title"),
        blocks.count("Another title"),
        channels.count("Beside, renamed"),
        channels.count(f"New beside {scene.row}"),
        comments.count("Said once & for all"),
        1 - channels.count(f"channel:{scene.spare}"),
    )
    kinds = ("text", "edit block", "edit channel", "add channel", "comment", "delete channel")
    agree(f"shown of {kinds}", counted, tuple(int(kind in scene.kinds) for kind in kinds))


def assert_announced(scene: Scene) -> None:
    """For each request that the server got, the log has a `tx.sent`."""
    writes = [
        one
        for one in scene.sandbox.control.requests()
        if one["method"] != "GET" and "upload" not in str(one["path"])
    ]
    assert len(writes) <= sum(one.attempts for one in scene.outbox().intents())


def assert_equal_after_a_full_pull(scene: Scene) -> None:
    """After a full pull, it shows what an archive shows that reads all of it afresh."""
    scene.sandbox.control.finish_processing()
    world = scene.sandbox.world
    channels = [one for one in (scene.row, scene.side, scene.spare) if one in world.channels]
    channels += [one.id for one in world.channels.values() if one.title == f"New beside {scene.row}"]
    scene.archive.pull(*channels, full=True, comments=True)
    fresh = opened(scene.sandbox, scene.folder / f"fresh {len(scene.archive.head)}", scene.hours)
    fresh.pull(*channels, full=True, comments=True)
    mine, theirs = shown(scene.archive, channels), shown(fresh, channels)
    fresh.close()
    if mine != theirs:
        only = [one for one in mine if one not in theirs], [one for one in theirs if one not in mine]
        raise AssertionError(f"only here: {only[0]}\nonly on the server: {only[1]}")


def shown(archive: Archive, channels: list[int]) -> list[tuple[str, dict[str, Any]]]:
    """All columns of what is in these channels and of themselves, but for what is of this archive alone."""
    names = ", ".join(f"'channel:{one}'" for one in channels)
    inside = _rows(archive, f"connections WHERE channel IN ({names})")
    items = ", ".join(f"'{row['item']}'" for _, row in inside) or "''"
    wheres = (
        f"blocks WHERE object_id IN ({items})",
        f"comments WHERE block IN ({items})",
        f"channels WHERE object_id IN ({names})",
    )
    found = inside + [row for where in wheres for row in _rows(archive, where)]
    return [(one, _bare(row)) for one, row in sorted(found, key=lambda row: row[0])]


def _rows(archive: Archive, where: str) -> list[tuple[str, dict[str, Any]]]:
    """Rows of a projection as dictionaries, by id; asked one by one, since a plan over several takes long."""
    rows = archive.sql(f"SELECT object_id, to_json(found) FROM (SELECT * FROM {where}) AS found").fetchall()
    return [(one, json.loads(row)) for one, row in rows]


def _bare(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in _OWN_VIEW}


def assert_no_token(scene: Scene) -> None:
    """No file of the archive, its cache or this machine's state, and no event, has the token in it."""
    token = scene.sandbox.tokens.write
    for folder in (scene.folder, Path(os.environ["VFDIR_STATE_HOME"])):
        for path in sorted(one for one in folder.rglob("*") if one.is_file()):
            assert token.encode() not in path.read_bytes(), path
    for event in scene.archive.log.events_after(Head({})):
        assert token not in repr(event)
