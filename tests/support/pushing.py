"""A small are.na with one of each kind of wish for it, and what can go wrong with them.

Owns: `Scene`, the wishes of `KINDS`, the faults of `FAULTS`, time that passes on both sides at once. What has
to be true afterwards is in `pushed`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from worlds import truly

from vfdir_lab.archive import Archive
from vfdir_lab.arena import SYSTEM_TIME, ArenaClient, Time
from vfdir_lab.arena.cache import ResponseCache
from vfdir_lab.sandbox import Sandbox
from vfdir_lab.sync.outbox import Outbox
from vfdir_lab.sync.push_report import PushReport
from vfdir_lab.sync.transaction import Transaction

FAST = dict.fromkeys(("guest", "free", "premium", "supporter"), 1_000_000)
PUSHES_MAX = 5
MINUTE = 60.0
LONG = 301.0
"""Seconds after which are.na's list of channels has caught up."""
SHORT_TIMEOUT_SECONDS = 0.25


class Hours:
    """Time that passes when somebody waits, on both sides at once."""

    def __init__(self, sandbox: Sandbox, *, share: float = 0.0) -> None:
        self._sandbox = sandbox
        self.share = share
        self._offset = sandbox.world.clock.offset_seconds
        self.on_sleep: Callable[[float], object] = lambda _seconds: None
        self.time = Time(now=self._now, monotonic=self._monotonic, sleep=self.sleep)

    def sleep(self, seconds: float) -> None:
        """Wait: on all clocks, and a `share` of a minute really; the index catches up in a long wait."""
        self.on_sleep(seconds)
        SYSTEM_TIME.sleep(min(seconds, MINUTE) * self.share)
        self._offset += seconds
        self._sandbox.control.set_clock_offset(self._offset)
        if seconds >= LONG:
            self._sandbox.control.refresh_index()

    def _now(self) -> datetime:
        return SYSTEM_TIME.now() + timedelta(seconds=self._offset)

    def _monotonic(self) -> float:
        return SYSTEM_TIME.monotonic() + self._offset


@dataclass(slots=True, kw_only=True)
class Scene:
    """A row of four texts, a channel beside it, one to spare, all of the main person; and an archive of them.

    `blocks` and `connections` are ids of the row's items, from the bottom up; `before` is the census before.
    """

    sandbox: Sandbox
    archive: Archive
    hours: Hours
    folder: Path
    row: int
    side: int
    spare: int
    blocks: list[str]
    connections: list[str]
    beside: str
    before: dict[str, int]
    kinds: tuple[str, ...] = ()

    def wish(self, *kinds: str) -> str:
        """Wish these in one transaction; its id."""
        with self.archive.transaction("wishes of a test") as tx:
            for kind in kinds:
                KINDS[kind].wish(tx, self)
        assert tx.id is not None
        self.kinds = kinds
        return tx.id

    def outbox(self) -> Outbox:
        """The wishes as the log has them now."""
        return Outbox(self.archive.log, self.archive.engine)

    def states(self) -> set[str]:
        """The states of all wishes."""
        return {one.state for one in self.outbox().intents()}

    def push(self, pushes: int = PUSHES_MAX) -> PushReport:
        """Push until nothing is left, a while apart, as a person would; fails if something is."""
        for _ in range(pushes):
            report = self.archive.push()
            if not report.resumable:
                return report
            self.hours.sleep(LONG)
        raise AssertionError(f"{pushes} pushes were not enough: {report}\n{self._left()}")

    def _left(self) -> list[tuple[str, str, str | None]]:
        return [
            (one.kind, one.state, one.reason) for one in self.outbox().intents() if one.state != "settled"
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of wish: how it is wished, the request it becomes, and how much more the server holds after it.

    `more` counts blocks, connections, channels and comments.
    """

    wish: Callable[[Transaction, Scene], object]
    request: str
    more: tuple[int, int, int, int]
    is_true: Callable[[Scene], bool] = lambda _scene: True


def _file(scene: Scene) -> Path:
    path = scene.folder / "a note.txt"
    path.write_text("A file of a few bytes.\n", encoding="utf-8")
    return path


def _number(identifier: str) -> int:
    return int(identifier.partition(":")[2])


def _moved(scene: Scene) -> bool:
    order = [one for one, _, _ in truly(scene.sandbox, scene.row) if one in scene.connections]
    return order.index(scene.connections[1]) + 1 == order.index(scene.connections[3])


def _edited_block(scene: Scene) -> bool:
    block = scene.sandbox.world.blocks[_number(scene.blocks[2])]
    return (block.title, block.description) == ("Another title", "And a line")


def _edited_channel(scene: Scene) -> bool:
    return scene.sandbox.world.channels[scene.side].title == "Beside, renamed"


_POST_BLOCK = "POST /v3/blocks"
KINDS = {
    "text": Kind(
        wish=lambda tx, scene: tx.add_block(scene.row, "Two lines\nof a text", title="A title"),
        request=_POST_BLOCK,
        more=(1, 1, 0, 0),
    ),
    "address": Kind(
        wish=lambda tx, scene: tx.add_block(scene.row, "https://example.org/a-page"),
        request=_POST_BLOCK,
        more=(1, 1, 0, 0),
    ),
    "file": Kind(
        wish=lambda tx, scene: tx.add_block(scene.row, file=_file(scene)),
        request=_POST_BLOCK,
        more=(1, 1, 0, 0),
    ),
    "connect": Kind(
        wish=lambda tx, scene: tx.connect(scene.beside, scene.row),
        request="POST /v3/connections",
        more=(0, 1, 0, 0),
    ),
    "disconnect": Kind(
        wish=lambda tx, scene: tx.disconnect(scene.connections[0]),
        request="DELETE /v3/connections/.*",
        more=(0, -1, 0, 0),
        is_true=lambda scene: _number(scene.connections[0]) not in scene.sandbox.world.connections,
    ),
    "move": Kind(
        wish=lambda tx, scene: tx.move(scene.connections[1], after=scene.connections[3]),
        request="POST /v3/connections/.*/move",
        more=(0, 0, 0, 0),
        is_true=_moved,
    ),
    "edit block": Kind(
        wish=lambda tx, scene: tx.edit(scene.blocks[2], title="Another title", description="And a line"),
        request="PUT /v3/blocks/.*",
        more=(0, 0, 0, 0),
        is_true=_edited_block,
    ),
    "edit channel": Kind(
        wish=lambda tx, scene: tx.edit(f"channel:{scene.side}", title="Beside, renamed"),
        request="PUT /v3/channels/.*",
        more=(0, 0, 0, 0),
        is_true=_edited_channel,
    ),
    "add channel": Kind(
        wish=lambda tx, scene: tx.add_channel(f"New beside {scene.row}", description="With a word about it"),
        request="POST /v3/channels",
        more=(0, 0, 1, 0),
    ),
    "delete channel": Kind(
        wish=lambda tx, scene: tx.delete_channel(scene.spare, yes=True),
        request="DELETE /v3/channels/.*",
        more=(0, -1, -1, 0),
        is_true=lambda scene: scene.spare not in scene.sandbox.world.channels,
    ),
    "comment": Kind(
        wish=lambda tx, scene: tx.comment(scene.blocks[3], "Said once & for all"),
        request="POST /v3/blocks/.*/comments",
        more=(0, 0, 0, 1),
    ),
}
FAULTS: dict[str, tuple[str, dict[str, Any]]] = {
    "dropped before": ("drop_before", {}),
    "dropped after": ("drop_after", {}),
    "500 before": ("fail_before", {"status": 500}),
    "500 after": ("fail_after", {"status": 500}),
    "gateway page": ("gateway_html", {"commit": False}),
    "gateway page, but done": ("gateway_html", {"commit": True}),
    "429": ("too_many", {"retry_after": 1}),
    "cut": ("truncate", {"mode": "cut"}),
    "cut JSON": ("truncate", {"mode": "json"}),
    "slow before": ("slow", {"seconds": 0.5, "when": "before"}),
    "slow after": ("slow", {"seconds": 0.5, "when": "after"}),
    "401": ("unauthorized", {}),
    "403": ("forbidden", {}),
}


def build(sandbox: Sandbox, folder: Path, *, share: float = 0.0) -> Scene:
    """A new scene in a running sandbox, with an archive in `folder` that has pulled it."""
    control, main = sandbox.control, sandbox.world.main
    row, side, spare = (int(control.add_channel(name, by=main)["id"]) for name in ("Row", "Beside", "Spare"))
    items = [control.add_block(row, f"Text {n}", kind="Text", by=main) for n in range(4)]
    beside = control.add_block(side, "A text beside", kind="Text", by=main)
    control.add_block(spare, "A text to spare", kind="Text", by=main)
    hours = Hours(sandbox, share=share)
    archive = opened(sandbox, folder, hours)
    archive.pull(row, side, spare)
    return Scene(
        sandbox=sandbox,
        archive=archive,
        hours=hours,
        folder=folder,
        row=row,
        side=side,
        spare=spare,
        blocks=[f"block:{one['id']}" for one in items],
        connections=[f"connection:{one['connection']}" for one in items],
        beside=f"block:{beside['id']}",
        before=census(sandbox),
    )


def opened(
    sandbox: Sandbox, folder: Path, hours: Hours, *, url: str = "", token: str | None = None
) -> Archive:
    """The archive in `folder`, made if it is not there; by default with the main person's token."""
    return Archive(
        folder / "archive",
        create=True,
        api_url=url or sandbox.url,
        token=sandbox.tokens.write if token is None else token,
        pause_seconds=0,
        time=hours.time,
    )


@contextmanager
def impatient(scene: Scene) -> Iterator[None]:
    """An archive whose client hangs up after a quarter of a second."""
    archive = scene.archive
    archive.close()
    archive._client = ArenaClient(
        scene.sandbox.tokens.write,
        scene.sandbox.url,
        time=scene.hours.time,
        cache=ResponseCache(archive._cache() / "answers"),
        pause_seconds=0,
        timeout_seconds=SHORT_TIMEOUT_SECONDS,
    )
    yield
    archive.close()


def arm(scene: Scene, fault: str, kinds: Sequence[str]) -> None:
    """Let a fault strike once each request that these wishes become."""
    name, options = FAULTS[fault]
    requests = [KINDS[kind].request for kind in kinds]
    for request in dict.fromkeys(requests):
        scene.sandbox.control.arm(name, match=request, times=requests.count(request), **options)


def census(sandbox: Sandbox) -> dict[str, int]:
    """How many things of each sort the server holds."""
    world = sandbox.world
    with world.lock:
        return {name: len(getattr(world, name)) for name in ("blocks", "connections", "channels", "comments")}
