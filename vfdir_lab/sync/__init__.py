"""Sync with are.na: pull what it shows into facts.

Owns the rules of reading a service that offers no change feed: when to look at all of a channel, what counts
as changed, what counts as gone. Guarantees: an interrupted pull keeps what it saw and resumes; looking again
at what did not change records nothing but the scan; nothing is recorded as gone that may still be there.
Leaves HTTP to `arena` and durability to `log`. Checked against the sandbox over real sockets in `tests/sync`.
"""

from vfdir_lab.sync.names import channel_name
from vfdir_lab.sync.pull import Puller, PullOptions
from vfdir_lab.sync.report import ChannelReport, PullProgress, PullReport

__all__ = ["ChannelReport", "PullOptions", "PullProgress", "PullReport", "Puller", "channel_name"]
