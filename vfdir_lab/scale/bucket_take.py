"""The way in: what a bucket holds of each device and is lacking here, fetched and handed to `log.merge`.

Owns which objects are fetched, and what is known of them afterwards. An object that is not what it says is
passed over for another that says the same, and is not fetched again while it stays what it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from vfdir_lab.errors import ForkedDeviceError, LogDamagedError
from vfdir_lab.log.coverage import Missing, Refused
from vfdir_lab.log.eventlog import EventLog
from vfdir_lab.log.merge import merge
from vfdir_lab.log.merged import MergeReport
from vfdir_lab.log.segment import Footer
from vfdir_lab.scale.bucket_here import here, nothing
from vfdir_lab.scale.bucket_keys import Offered, key_of, reach, route
from vfdir_lab.scale.bucket_staging import Settled, Staging
from vfdir_lab.scale.bucket_transfers import Transfers

if TYPE_CHECKING:
    from vfdir_lab.scale.bucket_store import Bucket

_ROUNDS = 8
"""So often another object is tried where a merge refused one; the rest comes with the next merge."""


class Taking:
    """One look at a bucket, and what is taken.

    `found` are the objects of each device after what was settled, `settled` what is known of them, `clashes`
    the keys under which there is something else than here.
    """

    def __init__(self, log: EventLog, bucket: Bucket, staging: Staging, transfers: Transfers) -> None:
        self.settled = staging.notes()
        self.found: dict[str, list[Offered]] = {}
        self.clashes: list[str] = []
        self._log = log
        self._bucket = bucket
        self._staging = staging
        self._transfers = transfers
        self._refused: list[Refused] = []
        self._fetched: dict[str, Offered] = {}
        self._contradicts: dict[str, Offered] = {}
        self._before: dict[str, int] = {}
        log.look_again()
        self._here = here(log)

    def take(self, *, accept_future: bool) -> MergeReport:
        """List, fetch and merge; again where what was fetched turned out to be wrong."""
        for device in sorted({*self._bucket.devices(), *self._here}):
            self._look(device)
        self._compare()
        rounds: list[MergeReport] = []
        try:
            for _ in range(_ROUNDS):
                self._fetch()
                rounds.append(self._merge(accept_future=accept_future))
                if not self._refuse(rounds[-1]):
                    break
        finally:
            self._settle({fork.device for one in rounds for fork in one.forks})
        return self._told(rounds)

    def _look(self, device: str) -> None:
        """List what the bucket holds of a device, after what is settled."""
        self._here.setdefault(device, nothing(self._log))
        self.settled.setdefault(device, Settled())
        try:
            found, strays = self._listed(device)
        except LogDamagedError as error:
            self._refused.append(Refused(path=f"log/device={device}", reason=str(error)))
            found, strays = [], []
        clashing = {one.key for one in found if self._here[device].contradicts(one)}
        self.clashes += sorted(clashing)
        self.found[device] = [one for one in found if one.key not in clashing]
        self._refused += [Refused(path=key, reason="its name is not a segment's") for key in strays]
        self._before[device] = self.settled[device].reach
        self._advance(device)

    def _listed(self, device: str) -> tuple[list[Offered], list[str]]:
        """What is offered of a device; from the beginning where the notes are not true any more."""
        seq = self.settled[device].reach
        if seq in self._here[device].ends:
            found, strays = self._bucket.listed(device, seq)
            if seq == 0 or any(one.name.last == seq for one in found):
                return found, strays
        self.settled[device] = Settled(wrong=self.settled[device].wrong)
        return self._bucket.listed(device, 0)

    def _agrees(self, device: str) -> Callable[[Offered], bool]:
        """Whether an object is known to say what is held here: the same file, or compared before."""
        ours, agreed = self._here[device], self.settled[device].agreed
        return lambda one: ours.has(one) or (one.key in agreed and one.name.last <= ours.seq)

    def _advance(self, device: str) -> None:
        settled, ends = self.settled[device], self._here[device].ends
        settled.reach = reach(self.found[device], settled.reach, ends, agreed=self._agrees(device))

    def _compare(self) -> None:
        """Ask objects that end within what is held here: the same in another layout, or a fork."""
        doubtful = [
            one
            for device, found in self.found.items()
            for one in found
            if one.name.last <= self._here[device].seq
            and not self._agrees(device)(one)
            and self.settled[device].refusal(one) is None
        ]
        asked = Transfers(lambda _done, _all: None).each(doubtful, self._footer)
        for one, footer in sorted(asked, key=lambda pair: pair[0].name.first):
            if isinstance(footer, str):
                self.settled[one.device].refuse(one, footer)
            elif self._here[one.device].agrees(footer):
                self.settled[one.device].agreed.add(one.key)
            elif one.name.first - 1 in self._here[one.device].ends:
                self._contradicts.setdefault(one.device, one)
            else:
                self.clashes.append(one.key)

    def _footer(self, one: Offered) -> Footer | str:
        try:
            return self._bucket.footer(one)
        except LogDamagedError as error:
            return str(error)

    def _fetch(self) -> None:
        """Fetch what each device's part lacks here; another object where one is wrong."""
        while wanted := [one for device in self.found for one in self._wanted(device)]:
            for one, reason in self._transfers.each(wanted, self._fetch_one):
                if reason is not None:
                    self._drop(one, reason)

    def _fetch_one(self, one: Offered) -> str | None:
        try:
            self._bucket.fetch(one, self._staging.path(one), self._staging.put_aside)
        except LogDamagedError as error:
            return str(error)
        return None

    def _wanted(self, device: str) -> list[Offered]:
        """What has to be fetched of a device; what is here and leads there goes beside it."""
        ours, settled, agrees = self._here[device], self.settled[device], self._agrees(device)
        usable = [one for one in self.found[device] if settled.refusal(one) is None]
        chosen, before = route(usable, settled.reach, here=agrees), settled.reach
        fork = self._contradicts.get(device)
        if fork is not None and fork in usable:
            chosen, before = [fork], fork.name.first - 1
        if all(map(agrees, chosen)):
            return []
        same = [ours.every[str(one.name)] for one in chosen if ours.has(one)]
        self._staging.link([one for one in ours.held if one.footer.last <= before] + same)
        lacking = [one for one in chosen if not ours.has(one)]
        self._fetched |= {one.path: one for one in lacking}
        return [one for one in lacking if not self._staging.holds(one)]

    def _merge(self, *, accept_future: bool) -> MergeReport:
        try:
            return merge(self._log, self._staging.archive, accept_future=accept_future)
        except ForkedDeviceError as error:
            return error.report
        finally:
            self._here |= here(self._log)

    def _refuse(self, report: MergeReport) -> bool:
        """Take note of what the merge refused; whether something else may stand for it."""
        wrong = [(self._fetched[one.path], one.reason) for one in report.refused if one.path in self._fetched]
        for one, reason in wrong:
            self._drop(one, reason)
        return bool(wrong)

    def _drop(self, one: Offered, reason: str) -> None:
        self.settled[one.device].refuse(one, reason)
        self._staging.drop(one)
        self._fetched.pop(one.path, None)

    def _settle(self, forked: set[str]) -> None:
        """Write down what is agreed on now, and keep no more than is needed to know that."""
        waits: list[Offered] = []
        for one in self._fetched.values():
            if one.device not in forked and one.name.last <= self._here[one.device].seq:
                self.settled[one.device].agreed.add(one.key)
            else:
                waits.append(one)
        for device, found in self.found.items():
            settled = self.settled[device]
            self._advance(device)
            if device in forked:
                settled.reach = self._before[device]  # a fork is told each time, as with a folder
            beyond = {one.key for one in found if one.name.last > settled.reach}
            settled.agreed &= beyond | {key_of(one.path) for one in self._here[device].held}
            settled.wrong = {one.key: settled.wrong[one.key] for one in found if settled.refusal(one)}
        self._staging.clear(waits)
        self._staging.note(self.settled)

    def _told(self, rounds: list[MergeReport]) -> MergeReport:
        wrong = [
            Refused(path=one.key, reason=reason)
            for device, found in self.found.items()
            for one in found
            if (reason := self.settled[device].refusal(one)) is not None
        ]
        return replace(
            rounds[-1],
            other=self._bucket.url,
            copied=tuple(path for one in rounds for path in one.copied),
            events=sum(one.events for one in rounds),
            before=rounds[0].before,
            accepted=tuple(waited for one in rounds for waited in one.accepted),
            refused=(*wrong, *self._refused),
            missing=tuple(self._missing({fork.device for fork in rounds[-1].forks})),
        )

    def _missing(self, forked: set[str]) -> Iterable[Missing]:
        for device, found in self.found.items():
            seq, known = self._here[device].seq, max((one.name.last for one in found), default=0)
            if known > seq and device not in forked:
                yield Missing(device=device, first=seq + 1, last=known)
