"""What the parts of one scan share: the channel, the client, the mirror, the recorder, the report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from vfdir_lab.arena import ArenaClient, Page, Time, Wire
from vfdir_lab.event import canonical
from vfdir_lab.log import EventLog
from vfdir_lab.sync.judge import Verdict
from vfdir_lab.sync.mirror import Mirror
from vfdir_lab.sync.normalise import SeenItem, listed_item
from vfdir_lab.sync.order import place
from vfdir_lab.sync.record import Recorder
from vfdir_lab.sync.report import ChannelReport

PAGE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What a scan works with.

    `time` is the clocks and sleep, `new_scan` gives a fresh scan id, `cache` is this device's disposable
    folder, and `tell(items, total)` hears how far the scan has come.
    """

    client: ArenaClient
    log: EventLog
    time: Time
    new_scan: Callable[[], str]
    cache: Path
    tell: Callable[[int, int | None], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a reading came to: `total` as are.na counts the items for this account, `sequence` their order."""

    mode: str
    complete: bool
    total: int
    sequence: tuple[str, ...] = ()
    verdict: Verdict = field(default_factory=Verdict)


@dataclass(slots=True, kw_only=True)
class Reading:
    """A channel being read.

    `wire` is the channel as last answered; `unreadable` says that a page held an item without an id, so that
    nothing may be concluded from what is missing; `spent` is what earlier runs of this scan cost.
    """

    setting: Setting
    wire: Wire
    mirror: Mirror
    recorder: Recorder
    report: ChannelReport
    account: str
    spent: int = 0
    unreadable: bool = False

    @property
    def client(self) -> ArenaClient:
        """The client, shared by all scans of a run."""
        return self.setting.client

    @property
    def number(self) -> int:
        """are.na's number of the channel."""
        return int(self.wire["id"])

    @property
    def requests(self) -> int:
        """What this scan has cost so far, in requests, in all its runs."""
        return self.spent + self.client.requests - self.report.requests_before

    def contents(self, number: int, sort: str) -> tuple[Page, list[SeenItem]]:
        """One page of the contents, as answered and as items."""
        self.recorder.asking()
        page = self.client.contents(self.number, page=number, sort=sort, per=PAGE)
        items = [listed_item(wire, self.mirror.channel) for wire in page.items]
        self.unreadable = self.unreadable or None in items
        return page, [item for item in items if item is not None]

    def is_new(self, item: SeenItem) -> bool:
        """Whether the item's connection is not known, or was found gone."""
        return not self.mirror.present(item.connection.object_id)

    def placed(self, items: list[SeenItem], device: str, *, below: str | None, top: bool) -> dict[str, str]:
        """Ranks for the new items of a page, as `device` counts."""
        sequence = [
            (
                one.connection.object_id,
                None if self.is_new(one) else self.mirror.rank(one.connection.object_id, device),
            )
            for one in items
        ]
        return place(sequence, self.mirror.ranked(device), below, top=top)


def state_of(wire: Wire) -> str:
    """are.na's own sign of what a channel holds: when it was updated, and its counts."""
    return canonical({"updated_at": wire.get("updated_at"), "counts": wire.get("counts")})
