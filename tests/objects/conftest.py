"""An archive of a few facts, without are.na: what is shown, wished and answered is recorded directly."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from vfdir_lab.archive import Archive
from vfdir_lab.event import Draft, Event
from vfdir_lab.event.event import ARENA
from vfdir_lab.objects import pool as pool_module
from vfdir_lab.sync.order import between

PERSON = {"id": 9, "type": "User"}


class Home:
    """An archive, and hands that record what are.na would show."""

    def __init__(self, folder: Path) -> None:
        self.archive = Archive(folder, create=True, api_url="http://127.0.0.1:9", token="t")
        self.objects = self.archive.objects

    def record(self, *drafts: Draft) -> tuple[Event, ...]:
        return self.archive.log.append(drafts)

    def observe(self, identifier: str, **fields: Any) -> None:
        """are.na shows an object."""
        space = identifier.partition(":")[0].replace("group", "user")
        self.record(
            Draft(
                kind=f"{space}.observed", object_id=identifier, payload=fields, origin=ARENA, cause="scan:s"
            )
        )

    def vanish(self, identifier: str) -> None:
        self.record(Draft(kind=f"{identifier.partition(':')[0]}.vanished", object_id=identifier, payload={}))

    def bind(self, local: str, remote: str) -> None:
        """are.na's id of what was born here becomes known."""
        self.record(Draft(kind="object.bound", object_id=local, payload={"remote": remote}))

    def answer(self, tx: str | None, state: str) -> None:
        """are.na's answer to every wish of a transaction."""
        assert tx is not None
        rows = self.archive.sql(f"SELECT intent FROM wishes WHERE tx = '{tx}'").fetchall()
        self.record(
            *(
                Draft(kind=f"tx.{state}", object_id=tx, payload={"intent": intent}, cause=tx)
                for (intent,) in rows
            )
        )

    def show_channel(self, number: int, items: Sequence[str], **fields: Any) -> list[str]:
        """are.na shows a channel and is read through, its items from the bottom up; gives the connections."""
        channel = f"channel:{number}"
        connections = [f"connection:{number}{place:03}" for place in range(1, len(items) + 1)]
        ranks = between(None, None, connections)
        started = {"channel": channel, "account": "user:9"}
        self.record(Draft(kind="scan.started", object_id=f"scan:of-{number}", payload=started))
        shown = {
            "id": number,
            "type": "Channel",
            "title": "Tides",
            "slug": f"tides-{number}",
            "owner": PERSON,
        }
        self.observe(channel, **(shown | fields))
        for item, connection in zip(items, connections, strict=True):
            if item.startswith("block:"):
                self.observe(item, type="Text", title=f"Entry {item.partition(':')[2]}", user=PERSON)
            shown = {"channel": channel, "item": item, "rank": ranks[connection], "connected_by": PERSON}
            self.observe(connection, **shown)
        finished = {"channel": channel, "account": "user:9", "complete": True}
        self.record(Draft(kind="scan.finished", object_id=f"scan:of-{number}", payload=finished))
        return connections


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """Two channels: three blocks and the second in the first, one shared block in the second; one person."""
    home = Home(tmp_path / "archive")
    home.observe("user:9", name="Ada", slug="ada")
    home.show_channel(1, ["block:1", "block:2", "channel:2", "block:3"])
    home.show_channel(2, ["block:2"], title="Moons", slug="moons")
    return home


@pytest.fixture
def unlooked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is noticed by the clock: what shows, shows for another reason."""
    monkeypatch.setattr(pool_module, "LOOK_SECONDS", 1e9)
