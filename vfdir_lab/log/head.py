"""Heads: how far a log was read, as a vector device -> seq. The reproducible form of "as of"."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from vfdir_lab.errors import HeadError

_PART = re.compile(r"([a-z0-9]{4,32}):([0-9]{1,12})")
NOTHING = "empty"


class Head(Mapping[str, int]):
    """An immutable vector device -> seq; a device that is not in it counts as 0.

    Printed and stored as `k3f9:18204,m2aa:311` (devices in order), `empty` for the head before everything.
    """

    __slots__ = ("_seqs",)

    def __init__(self, seqs: Mapping[str, int] | None = None) -> None:
        self._seqs = {device: seq for device, seq in sorted((seqs or {}).items()) if seq > 0}

    @classmethod
    def parse(cls, text: str) -> Head:
        """The head that `text` spells.

        Raises:
            HeadError: it spells none.
        """
        if text.strip() == NOTHING:
            return cls()
        seqs: dict[str, int] = {}
        for part in text.split(","):
            match = _PART.fullmatch(part.strip())
            if match is None or match[1] in seqs:
                raise HeadError(f"{text!r} is no head; a head looks like k3f9a2:18204,m2aab3:311")
            seqs[match[1]] = int(match[2])
        return cls(seqs)

    def __getitem__(self, device: str) -> int:
        return self._seqs[device]

    def __iter__(self) -> Iterator[str]:
        return iter(self._seqs)

    def __len__(self) -> int:
        return len(self._seqs)

    def __hash__(self) -> int:
        return hash(tuple(self._seqs.items()))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Head) and self._seqs == other._seqs

    def seq(self, device: str) -> int:
        """How far this head reaches into a device's part; 0 for a device it does not know."""
        return self._seqs.get(device, 0)

    def covers(self, other: Head) -> bool:
        """Whether everything up to `other` is also up to this head."""
        return all(self.seq(device) >= seq for device, seq in other.items())

    def __str__(self) -> str:
        return ",".join(f"{device}:{seq}" for device, seq in self._seqs.items()) or NOTHING

    def __repr__(self) -> str:
        return f"Head({self})"
