"""The log: what is true. Append-only Parquet segments, each device writing below its own folder.

Owns the segment format, durable append, coverage, reading and `verify`. Guarantees: an append is all or
nothing and durable when it returns; seq has no gap within a device; readers never lock and see only whole
segments; nothing is ever overwritten. Leaves the meaning of events to `projection`. Checked by the property
tests and the kill tests in `tests/log`.
"""

from vfdir_lab.log.append import Writer
from vfdir_lab.log.compact import CompactReport, compact, needs_compaction
from vfdir_lab.log.coverage import Coverage, Missing, Refused, Segment
from vfdir_lab.log.eventlog import EventLog
from vfdir_lab.log.head import Head
from vfdir_lab.log.machine import Machine, state_home
from vfdir_lab.log.moments import Moment, head_of, instant_of
from vfdir_lab.log.segment import SCHEMA, Footer
from vfdir_lab.log.verify import Problem, VerifyReport, verify

__all__ = [
    "SCHEMA",
    "CompactReport",
    "Coverage",
    "EventLog",
    "Footer",
    "Head",
    "Machine",
    "Missing",
    "Moment",
    "Problem",
    "Refused",
    "Segment",
    "VerifyReport",
    "Writer",
    "compact",
    "head_of",
    "instant_of",
    "needs_compaction",
    "state_home",
    "verify",
]
