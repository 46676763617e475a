"""What is here of each device, what stands in the way of more, and what was here once and is no longer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from vfdir_lab.log.coverage import Missing, Refused, Waiting
from vfdir_lab.log.eventlog import EventLog
from vfdir_lab.log.machine import ACCEPTED, SEEN


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceState:
    """One device's part of the log.

    `own`: it is this copy's. `seq` is how far it counts, which is also how many events; `newest` when the
    last of them was recorded (None: none counts). `missing` are ranges that are known and not here, `waiting`
    what is here and ahead of the wall clock, `refused` files that do not count. `was` is how far it once
    counted on this machine: more than `seq` means that something was lost, or waits.
    """

    device: str
    own: bool
    seq: int
    newest: datetime | None
    was: int
    missing: tuple[Missing, ...] = ()
    waiting: tuple[Waiting, ...] = ()
    refused: tuple[Refused, ...] = ()

    @property
    def events(self) -> int:
        """How many events count: seq has no gap."""
        return self.seq


@dataclass(frozen=True, slots=True, kw_only=True)
class Regression:
    """A device counted up to `was` on this machine, and counts only up to `now`."""

    device: str
    was: int
    now: int

    def __str__(self) -> str:
        return f"{self.device} reached seq {self.was} and reaches {self.now} now"


def devices(log: EventLog) -> tuple[DeviceState, ...]:
    """Every device that is known here: of which there is a file, or of which there once was one."""
    coverage, held = log.coverage(), waiting(log)
    mark = log.machine.mark()
    was = _remembered(log)
    names = {*coverage.head, *was, *(one.device for one in coverage.missing), *(w.device for w in held)}
    names |= {one.device for one in coverage.refused if one.device}
    newest: dict[str, datetime] = {}
    for segment in coverage.segments:
        at = segment.footer.recorded_max
        newest[segment.footer.device] = max(at, newest.get(segment.footer.device, at))
    return tuple(
        DeviceState(
            device=name,
            own=mark is not None and mark.device == name,
            seq=coverage.head.seq(name),
            newest=newest.get(name),
            was=max(was.get(name, 0), coverage.head.seq(name)),
            missing=tuple(one for one in coverage.missing if one.device == name),
            waiting=tuple(one for one in held if one.device == name),
            refused=tuple(o for o in coverage.refused if o.device == name and not o.ahead_seconds),
        )
        for name in sorted(names)
    )


def waiting(log: EventLog) -> tuple[Waiting, ...]:
    """The segments that are here and do not count yet, because a stamp is ahead of the wall clock."""
    head, held = log.coverage().head, log.held()
    return tuple(
        Waiting(
            device=segment.footer.device,
            first=segment.footer.first,
            last=segment.footer.last,
            path=segment.path,
            ahead_seconds=log.ahead_seconds(segment.footer),
        )
        for segment in held.after(head)
    )


def accept_future(log: EventLog) -> tuple[Waiting, ...]:
    """Let everything that waits now count from now on, on this machine; returns what waited.

    What a device records later and further ahead waits again.

    Raises:
        ArchiveWriteError: the state folder cannot be written.
    """
    found = waiting(log)
    stamps: dict[str, int] = {}
    for segment in log.held().after(log.coverage().head):
        stamps[segment.footer.device] = max(segment.footer.hlc_max, stamps.get(segment.footer.device, 0))
    log.machine.raise_levels(ACCEPTED, stamps)
    return found


def regression(log: EventLog) -> tuple[Regression, ...]:
    """The devices of which less counts now than once did on this machine: files lost, or made to wait."""
    head = log.coverage().head
    return tuple(
        Regression(device=device, was=was, now=head.seq(device))
        for device, was in sorted(_remembered(log).items())
        if was > head.seq(device)
    )


def _remembered(log: EventLog) -> dict[str, int]:
    was = log.machine.levels(SEEN)
    mark = log.machine.mark()
    if mark is not None and mark.seq:
        was[mark.device] = max(mark.seq, was.get(mark.device, 0))
    return was
