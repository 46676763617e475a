"""The way out: what is held here and a bucket lacks, put where nothing is.

Everything that is held is sent, whoever recorded it: a device whose copy is gone is shared, too. The large
segments that compaction makes of small ones are sent by their own device, so that a new copy has few files to
fetch; who holds the small ones never sees them. A file is proven before it is sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vfdir_lab.log.coverage import Refused, Segment
from vfdir_lab.log.eventlog import EventLog
from vfdir_lab.log.segment import SegmentName, proof
from vfdir_lab.scale.bucket_keys import Offered, file_of, key_of
from vfdir_lab.scale.bucket_staging import Settled
from vfdir_lab.scale.bucket_transfers import Transfers

if TYPE_CHECKING:
    from vfdir_lab.scale.bucket_store import Bucket


class Sending:
    """What is put into a bucket, as far as it has come.

    `sent` are paths here, `size_bytes` together; `damaged` were not sent; `clashes` are keys under which
    something else is there.
    """

    def __init__(
        self,
        log: EventLog,
        bucket: Bucket,
        settled: dict[str, Settled],
        found: dict[str, list[Offered]],
        transfers: Transfers,
    ) -> None:
        self.sent: list[str] = []
        self.size_bytes = 0
        self.damaged: list[Refused] = []
        self.clashes: list[str] = []
        self._log = log
        self._bucket = bucket
        self._settled = settled
        self._there = {one.key for offered in found.values() for one in offered}
        self._transfers = transfers

    def send(self, forked: frozenset[str]) -> None:
        """Put what the bucket lacks; of `forked` devices nothing.

        Raises:
            ArchiveError: the bucket refuses or cannot be reached; what is there already counts.
        """
        mark = self._log.machine.mark()
        own = mark.device if mark else None
        held = [one for one in self._log.held().segments if one.footer.device not in forked]
        lacking = [one for one in held if self._lacks(one, own=one.footer.device == own)]
        for one, (size, problem) in self._transfers.each(lacking, self._send_one):
            key = key_of(one.path)
            if problem is not None:
                self.damaged.append(Refused(path=one.path, reason=problem))
            elif size is None:
                self.clashes.append(key)
            else:
                self.sent.append(one.path)
                self.size_bytes += size
                self._settled[one.footer.device].agreed.add(key)

    def _lacks(self, one: Segment, *, own: bool) -> bool:
        """Whether the bucket lacks its events, or what is ours to replace small ones."""
        settled = self._settled.setdefault(one.footer.device, Settled())
        key = key_of(one.path)
        if key in settled.agreed or key in self._there:
            return False
        return one.footer.last > settled.reach or (own and bool(one.footer.parts))

    def _send_one(self, one: Segment) -> tuple[int | None, str | None]:
        """How many bytes are there now (None: others than ours), or why they were not sent."""
        name = SegmentName.parse(file_of(one.path))
        try:
            data = self._log.path(one).read_bytes()
        except OSError as error:
            return None, f"ours cannot be read ({error.strerror}) and was not sent"
        if name is None or proof(data) != name.proof:
            return None, "ours is damaged and was not sent; `vfdir-lab verify` says more"
        return len(data) if self._bucket.create(key_of(one.path), data, name) else None, None
