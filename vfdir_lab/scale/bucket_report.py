"""What sharing with a bucket did, as a value: a merge's report, and what was sent."""

from __future__ import annotations

from dataclasses import dataclass, fields

from vfdir_lab.log.merged import MergeReport
from vfdir_lab.scale.bucket_keys import offered


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareReport(MergeReport):
    """What was taken from a bucket and sent to it. `sent` are paths of ours, `sent_bytes` their size.

    `clashes` are keys under which the bucket holds other bytes than this archive. In `refused` are also
    segments of ours that were not sent because they are damaged.
    """

    sent: tuple[str, ...] = ()
    sent_bytes: int = 0
    clashes: tuple[str, ...] = ()

    @classmethod
    def of(cls, report: MergeReport) -> ShareReport:
        """A merge's report, before anything is sent."""
        return cls(**{one.name: getattr(report, one.name) for one in fields(MergeReport)})

    @property
    def whole(self) -> bool:
        """Whether the bucket and this archive hold the same, and all of it counts here."""
        return not (self.waiting or self.refused or self.missing or self.forks or self.clashes)

    @property
    def first_fork(self) -> tuple[str, int]:
        """The device and the seq where the first fork or clash begins; there is one."""
        if self.forks:
            return self.forks[0].device, self.forks[0].seq
        one = offered(self.clashes[0], 0, "")
        return (one.device, one.name.first) if one is not None else ("", 0)

    def advice(self) -> str:
        """What happened with the forks and clashes, and what to do."""
        told = []
        if self.clashes:
            told.append(
                f"{self.other} holds other bytes than this archive as {', '.join(self.clashes)}: nothing was "
                "overwritten. Have that looked at, or removed there, and merge again."
            )
        if self.forks:
            forks = "; ".join(map(str, self.forks))
            told.append(f"Two copies of an archive wrote as one device: {forks}. Ours is kept and counts.")
        told += [
            f"This copy goes on as the new device {fork.successor}." for fork in self.forks if fork.successor
        ]
        if any(fork.successor and not fork.contradicts for fork in self.forks):
            told.append("Merge again to take in what the other wrote, if you trust it.")
        if self.forks:
            told.append(
                f"{sum(len(fork.files) for fork in self.forks)} files of theirs are in quarantine/. The "
                "other copy finds out when it merges with the bucket, and goes on as a new device, too."
            )
        told.append("All the rest is merged and sent")
        return " ".join(told)

    def as_dict(self) -> dict[str, object]:
        """The report as JSON has it."""
        more = {"sent": list(self.sent), "sent_bytes": self.sent_bytes, "clashes": list(self.clashes)}
        return MergeReport.as_dict(self) | more

    def __str__(self) -> str:
        lines = [MergeReport.__str__(self), f"{len(self.sent)} segments with {self.sent_bytes} bytes sent"]
        lines += [f"there is something else than here: {key}" for key in self.clashes]
        return "\n".join(lines)
