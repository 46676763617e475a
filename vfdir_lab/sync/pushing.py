"""The parts of a push, put together for one archive.

Owns no rules. Checked by: `tests/sync/test_push.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from vfdir_lab.arena import ArenaClient, Time
from vfdir_lab.log import EventLog
from vfdir_lab.media import MediaStore
from vfdir_lab.projection.engine import Engine
from vfdir_lab.sync.lookup import Lookup
from vfdir_lab.sync.observing import Observer
from vfdir_lab.sync.outbox import Outbox
from vfdir_lab.sync.pull import Puller, PullOptions
from vfdir_lab.sync.push import Desk, Pusher, PushOptions
from vfdir_lab.sync.push_report import PushPlan, PushProgress, PushReport
from vfdir_lab.sync.sending import Sender
from vfdir_lab.sync.settle import Settler
from vfdir_lab.sync.uploading import Uploader


@dataclass(frozen=True, slots=True, kw_only=True)
class PushGround:
    """What a push stands on: the log, the files of the archive, this device's disposable folder `cache`."""

    log: EventLog
    engine: Engine
    store: MediaStore
    cache: Path
    time: Time


def push(
    ground: PushGround,
    client: ArenaClient,
    options: PushOptions,
    on_progress: Callable[[PushProgress], None] = lambda _progress: None,
) -> PushReport:
    """Send what this device's person wished. Raises as `Pusher.push`."""
    outbox = Outbox(ground.log, ground.engine)
    puller = Puller(ground.log, ground.engine, client, ground.cache, time=ground.time)

    def scan(channel: int, whole: bool) -> None:  # noqa: FBT001 - the shape that settling asks for
        report = puller.pull([channel], PullOptions(full=whole))
        if (error := report.channels[0].error) is not None:
            raise error

    observer = Observer(ground.log, ground.engine, outbox)
    desk = Desk(
        client=client,
        sender=Sender(client, outbox, Uploader(client, ground.store.path), observer),
        lookup=Lookup(client, outbox, ground.time),
        settler=Settler(client, outbox, observer, scan, ground.time),
        time=ground.time,
        tell=on_progress,
    )
    return Pusher(ground.log, outbox, ground.log.device()).push(desk, options)


def rehearse(log: EventLog, engine: Engine) -> PushPlan:
    """What `push` would send now, as are.na's calls; nothing is asked or sent."""
    return Pusher(log, Outbox(log, engine), log.device()).rehearse()
