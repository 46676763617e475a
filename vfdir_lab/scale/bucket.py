"""Share segments through a bucket: take what others put there, put there what it lacks of ours.

Guarantees: what is taken goes through `log.merge` and nothing else, so it is proven, forks are put aside and
stamps from the future wait, exactly as with a folder; nothing in the bucket is overwritten or removed, so any
number of devices may share at the same time. Interrupted at any moment, it goes on where it stopped: what is
fetched whole is not fetched again, and a torn transfer counts nowhere. Each device's part is listed after
what is known to be there and here alike. Checked by `tests/scale/test_bucket*.py`; see decision 0018.
"""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING

from vfdir_lab.errors import ForkedDeviceError, UsageError
from vfdir_lab.log.eventlog import EventLog
from vfdir_lab.log.merge import Progress
from vfdir_lab.scale.bucket_report import ShareReport
from vfdir_lab.scale.bucket_send import Sending
from vfdir_lab.scale.bucket_staging import Staging
from vfdir_lab.scale.bucket_take import Taking
from vfdir_lab.scale.bucket_transfers import Transfers

if TYPE_CHECKING:
    from vfdir_lab.scale.bucket_store import Bucket


def share(
    log: EventLog,
    url: str,
    *,
    accept_future: bool = False,
    progress: Progress = lambda _done, _all: None,
) -> ShareReport:
    """Take from the bucket at `url` (`s3://bucket/prefix`) what is lacking here, and send what it lacks.

    Where it is and who asks is said by the usual environment (AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID …).
    `accept_future` as in `merge`. `progress(done, all)` counts the segments to fetch and to send.

    Raises:
        ForkedDeviceError: after all the rest was taken and sent; its `report` has what this would return.
        UsageError: the address or the environment makes no sense, or obstore is not installed.
        ArchiveNotFoundError: there is no such bucket. ArchiveError: it refuses, or cannot be reached.
        LogLockedError: another process shares this copy. LogWriteError, ArchiveWriteError: our disk refuses.
    """
    bucket = _bucket(url)
    with log.machine.lock(name="bucket"):
        staging, transfers = Staging(log, bucket), Transfers(progress)
        taking = Taking(log, bucket, staging, transfers)
        taken = taking.take(accept_future=accept_future)
        forked = frozenset(fork.device for fork in taken.forks)
        sent = Sending(log, bucket, taking.settled, taking.found, transfers)
        try:
            sent.send(forked)
        finally:
            staging.note(taking.settled)
    report = replace(
        ShareReport.of(taken),
        refused=(*taken.refused, *sent.damaged),
        sent=tuple(sorted(sent.sent)),
        sent_bytes=sent.size_bytes,
        clashes=tuple(sorted({*taking.clashes, *sent.clashes})),
    )
    if report.forks or report.clashes:
        device, seq = report.first_fork
        raise ForkedDeviceError(report.advice(), device=device, seq=seq, report=report)
    return report


def _bucket(url: str) -> Bucket:
    """The bucket; its packages are looked for when a person asks for it."""
    try:
        border = import_module("vfdir_lab.scale.bucket_store")
    except ModuleNotFoundError as error:
        raise UsageError(
            f"a bucket needs {error.name}, which is not installed: install vfdir_lab[scale]"
        ) from error
    bucket: Bucket = border.Bucket(url)
    return bucket
