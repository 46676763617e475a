"""What is held here, in the form that a bucket's listing is held against."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vfdir_lab.log.coverage import Segment
from vfdir_lab.log.eventlog import EventLog
from vfdir_lab.log.segment import Footer
from vfdir_lab.scale.bucket_keys import Offered, file_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Here:
    """One device's part of this log: `held` goes to `seq` without a gap, `every` (by name) also beyond."""

    root: Path
    seq: int
    held: tuple[Segment, ...]
    every: dict[str, Segment]

    @property
    def ends(self) -> frozenset[int]:
        """Where another segment can follow on."""
        return frozenset({0, *(one.footer.last for one in self.held)})

    def has(self, one: Offered) -> bool:
        """Whether a file of this name is here."""
        return str(one.name) in self.every

    def contradicts(self, one: Offered) -> bool:
        """Whether a file of this name is here and is not as large: one of them is not what it says."""
        ours = self.every.get(str(one.name))
        return ours is not None and (self.root / ours.path).stat().st_size != one.size

    def agrees(self, footer: Footer) -> bool:
        """Whether the same appends are held here, by their digests."""
        ours = {piece for one in self.held for piece in one.footer.pieces}
        return all(piece in ours for piece in footer.pieces)


def here(log: EventLog) -> dict[str, Here]:
    """What is held of each device."""
    islands, held = log.islands(), log.held()
    return {
        device: Here(
            root=log.root,
            seq=held.head.seq(device),
            held=held.of(device),
            every={file_of(one.path): one for one in found},
        )
        for device, found in islands.items()
    }


def nothing(log: EventLog) -> Here:
    """What is held of a device that nothing is held of."""
    return Here(root=log.root, seq=0, held=(), every={})
