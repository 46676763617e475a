"""What a merge did and found, as values."""

from __future__ import annotations

from dataclasses import dataclass

from vfdir_lab.log.coverage import Missing, Refused, Waiting
from vfdir_lab.log.head import Head


@dataclass(frozen=True, slots=True, kw_only=True)
class Fork:
    """Two copies wrote as one device, from `seq` on.

    `contradicts`: both hold an event there and not the same one; otherwise the other went on as this copy's
    device where this copy did not. `files` are theirs, in the archive's quarantine. `successor` is the device
    that this copy goes on as, if it was its own.
    """

    device: str
    seq: int
    files: tuple[str, ...]
    contradicts: bool
    successor: str | None = None

    def __str__(self) -> str:
        what = "holds other events than here" if self.contradicts else "goes on where this copy did not"
        return f"{self.device} from seq {self.seq} on: the other archive {what}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeReport:
    """What was taken from another archive, and what was not.

    `copied` are the new files, relative to this archive; `events` how many events they brought, counting or
    waiting. `before` and `after` are heads. `waiting` is ahead of the wall clock, `accepted` was and counts
    now. `refused` files (paths in the other archive) were not taken; `missing` ranges are known there and
    not here: they come with a later merge, when the other archive is whole.
    """

    other: str
    copied: tuple[str, ...]
    events: int
    before: Head
    after: Head
    waiting: tuple[Waiting, ...] = ()
    accepted: tuple[Waiting, ...] = ()
    refused: tuple[Refused, ...] = ()
    missing: tuple[Missing, ...] = ()
    forks: tuple[Fork, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether everything that the other archive knows of counts here now."""
        return not (self.waiting or self.refused or self.missing or self.forks)

    def advice(self) -> str:
        """What happened with the forks, and what to do."""
        forks = "; ".join(map(str, self.forks))
        kept = sum(len(fork.files) for fork in self.forks)
        told = [
            f"two copies of an archive wrote as one device: {forks}.",
            f"Ours is kept and counts, {kept} of their files are in quarantine/, all the rest is merged.",
        ]
        new = [fork.successor for fork in self.forks if fork.successor]
        if new:
            told.append(f"This copy goes on as the new device {new[0]}.")
        if any(fork.successor and not fork.contradicts for fork in self.forks):
            told.append("Merge again to take in what the other wrote, if you trust it.")
        told.append(
            f"On the machine of {self.other} run `vfdir-lab merge` with a copy of this archive: it then goes "
            "on as a new device too, and what it records from then on can be merged"
        )
        return " ".join(told)

    def as_dict(self) -> dict[str, object]:
        """The report as JSON has it."""
        return {
            "other": self.other,
            "whole": self.whole,
            "copied": list(self.copied),
            "events": self.events,
            "before": str(self.before),
            "after": str(self.after),
            "waiting": [_waiting(one) for one in self.waiting],
            "accepted": [_waiting(one) for one in self.accepted],
            "refused": [{"path": one.path, "reason": one.reason} for one in self.refused],
            "missing": [str(gap) for gap in self.missing],
            "forks": [
                {
                    "device": fork.device,
                    "seq": fork.seq,
                    "contradicts": fork.contradicts,
                    "files": list(fork.files),
                    "successor": fork.successor,
                }
                for fork in self.forks
            ],
        }

    def __str__(self) -> str:
        lines = [
            f"{len(self.copied)} segments with {self.events} events taken from {self.other}",
            f"head {self.after}",
        ]
        lines += [f"accepted from the future: {one}" for one in self.accepted]
        lines += [f"waits until the clock has caught up (or --accept-future): {one}" for one in self.waiting]
        lines += [f"refused: {one.path}: {one.reason}" for one in self.refused]
        lines += [f"not there yet: {gap}; merge again when it is" for gap in self.missing]
        lines += [f"forked: {fork}; theirs: {', '.join(fork.files) or 'not proven'}" for fork in self.forks]
        return "\n".join(lines)


def _waiting(one: Waiting) -> dict[str, object]:
    return {
        "device": one.device,
        "first": one.first,
        "last": one.last,
        "ahead_seconds": one.ahead_seconds,
    }
