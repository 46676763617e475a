"""A channel we know that are.na no longer shows: what of that is a fact.

401 and 403 mean that access was lost. 404 means it is gone only when an account that has seen it is told so
in two runs, with no sight of it in between.
"""

from __future__ import annotations

from vfdir_lab.errors import ArenaApiError, ArenaNotFoundError
from vfdir_lab.event import Draft
from vfdir_lab.log import EventLog
from vfdir_lab.sync.mirror import Mirror
from vfdir_lab.sync.record import Recorder


def record_refusal(log: EventLog, mirror: Mirror, error: ArenaApiError, *, account: str, scan: str) -> None:
    """Record that `account` asked for the channel and was refused, as a scan of its own."""
    channel = mirror.channel
    if not mirror.present(channel):
        return
    is_missing = isinstance(error, ArenaNotFoundError)
    if is_missing and not mirror.read_by(account):
        return
    recorder = Recorder(log, mirror, scan=scan, opening=None)
    named = {"channel": channel, "account": account}

    def build(_device: str) -> list[Draft]:
        drafts = [Draft(kind="scan.started", object_id=scan, payload=named, cause=scan)]
        if not is_missing and not mirror.access_lost(channel):
            drafts.append(recorder.fact("object.access_lost", channel, {"status": error.status}))
        if is_missing and mirror.missed_before(account):
            drafts.append(recorder.fact("channel.vanished", channel))
        finished = {**named, "mode": "quick", "complete": False, "answer": error.status}
        return [*drafts, Draft(kind="scan.finished", object_id=scan, payload=finished, cause=scan)]

    recorder.append(build)
