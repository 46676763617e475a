"""Pull: which channels are read, in which order, and how thoroughly."""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from vfdir_lab.arena import SYSTEM_TIME, ArenaClient, Time, Wire
from vfdir_lab.errors import (
    ArenaApiError,
    ArenaAuthError,
    ArenaForbiddenError,
    ArenaNotFoundError,
    ArenaServerError,
    BudgetReachedError,
    UsageError,
)
from vfdir_lab.event import object_id, remote_number
from vfdir_lab.event.stamp import moment_of
from vfdir_lab.log import EventLog, Head
from vfdir_lab.projection import Engine
from vfdir_lab.projection.engine import read_sql
from vfdir_lab.sync.mirror import SQL, Known, Mirror
from vfdir_lab.sync.names import channel_name
from vfdir_lab.sync.reading import Setting
from vfdir_lab.sync.refusal import record_refusal
from vfdir_lab.sync.report import ChannelReport, PullProgress, PullReport
from vfdir_lab.sync.round import Asked, Round, Rounds
from vfdir_lab.sync.scan import scan_channel

FULL_AFTER = timedelta(days=7)
INDEX_PAGES_MAX = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class PullOptions:
    """How to pull.

    `full`: read every page. `mine`: the account's own channels too. `budget`: requests for this run.
    `depth`: follow channels inside channels this deep. `comments`: read comments whose count changed.
    """

    full: bool = False
    mine: bool = False
    budget: int | None = None
    depth: int = 0
    comments: bool = False


class Puller:
    """Pulls channels into one log. `cache` is this device's disposable folder."""

    def __init__(
        self,
        log: EventLog,
        engine: Engine,
        client: ArenaClient,
        cache: Path,
        *,
        time: Time = SYSTEM_TIME,
        new_scan: Callable[[], str] = lambda: secrets.token_hex(8),
    ) -> None:
        self._log = log
        self._engine = engine
        self._client = client
        self._cache = cache
        self._time = time
        self._new_scan = new_scan

    def pull(
        self,
        names: Iterable[int | str],
        options: PullOptions,
        on_progress: Callable[[PullProgress], None] = lambda _progress: None,
    ) -> PullReport:
        """Read the named channels, each once.

        A channel that cannot be read is reported and the others go on; what concerns every channel (no
        network, a refused token, a full disk) ends the run.

        Raises:
            UsageError: a name or an option makes no sense.
            ArenaError: nothing at all could be read; the first reason.
            LogError, ArchiveWriteError: facts could not be recorded.
        """
        queue = deque((name, channel_name(name), 0) for name in names)
        _check(options, queue)
        self._known = Known(self._log, self._engine)
        start = self._client.requests
        self._client.allow(options.budget)
        account = self._client.account()
        request = (account.key, [asked[1] for asked in queue], replace(options, budget=None))
        rounds = Rounds(self._cache, repr(request))
        kept = rounds.load(self._time.now()) if options.budget is not None else None
        if kept is None:
            if options.mine:
                queue.extend((number, number, 0) for number in self._own_channels())
            kept = Round(queue=queue)
        reports = self._read(kept, options, on_progress)
        if kept.queue:
            rounds.save(kept, self._time.now())
        else:
            rounds.forget()
        if reports and all(report.error is not None for report in reports):
            raise next(report.error for report in reports if report.error is not None)
        return PullReport(
            channels=tuple(reports), account=account.key, requests=self._client.requests - start
        )

    def _read(
        self, kept: Round, options: PullOptions, on_progress: Callable[[PullProgress], None]
    ) -> list[ChannelReport]:
        """Read channel after channel until none is left or the budget is; what is left stays in the round."""
        reports: list[ChannelReport] = []
        while kept.queue:
            name, reference, depth = asked = kept.queue.popleft()
            report = ChannelReport(name=str(name), requests_before=self._client.requests)
            mirror = self._pull_one(reference, report, options, kept.done, on_progress)
            if mirror is None and report.error is None:
                continue  # met before in this round
            reports.append(report)
            if isinstance(report.error, BudgetReachedError):
                kept.queue.appendleft(asked)
                break
            kept.done.add(report.channel)
            if mirror is not None and depth < options.depth:
                kept.queue.extend(_nested(mirror, depth + 1))
        return reports

    def _pull_one(
        self,
        reference: int | str,
        report: ChannelReport,
        options: PullOptions,
        done: set[str],
        on_progress: Callable[[PullProgress], None],
    ) -> Mirror | None:
        """Read one channel into `report`; None when there is nothing to follow further."""
        waited = self._client.waited_seconds
        mirror = None
        try:
            wire, known = self._find(reference)
            report.channel, report.title = known, str(wire.get("title") or wire.get("slug") or known)
            if known in done:
                return None
            mirror = Mirror(self._log, self._engine, known, self._known)
            self._scan(mirror, wire, report, options, on_progress)
        except (ArenaApiError, BudgetReachedError) as error:
            if isinstance(error, ArenaAuthError) and self._client.account().id is not None:
                raise
            report.error = error
        report.requests = self._client.requests - report.requests_before
        report.waited_seconds = self._client.waited_seconds - waited
        return mirror

    def _find(self, reference: int | str) -> tuple[Wire, str]:
        """The channel as are.na shows it, and its object id. Known channels are asked for by number."""
        number = reference if isinstance(reference, int) else self._known_number(reference)
        try:
            wire = self._client.channel(reference if number is None else number)
        except (ArenaNotFoundError, ArenaForbiddenError, ArenaAuthError) as error:
            if number is not None:
                self._refused(object_id("channel", number), error)
            raise
        found = wire.get("id")
        if isinstance(found, bool) or not isinstance(found, int) or found <= 0 or (number or found) != found:
            raise ArenaServerError(
                f"are.na answered for channel {reference} with something else; try again later",
                status=200,
                path=f"/v3/channels/{reference}",
            )
        return wire, object_id("channel", found)

    def _known_number(self, slug: str) -> int | None:
        head = self._log.coverage().head
        found = self._engine.facts(read_sql(SQL, "channel_by_slug"), {"slug": slug}, head=head)["object_id"]
        return remote_number(found[0].as_py()) if len(found) else None

    def _refused(self, channel: str, error: ArenaApiError) -> None:
        mirror = Mirror(self._log, self._engine, channel, self._known)
        account = self._client.account().key
        record_refusal(self._log, mirror, error, account=account, scan=f"scan:{self._new_scan()}")

    def _scan(
        self,
        mirror: Mirror,
        wire: Wire,
        report: ChannelReport,
        options: PullOptions,
        on_progress: Callable[[PullProgress], None],
    ) -> None:
        def tell(items: int, total: int | None) -> None:
            on_progress(PullProgress(channel=report.title, items=items, total=total))

        tell(0, None)
        setting = Setting(
            client=self._client,
            log=self._log,
            time=self._time,
            new_scan=self._new_scan,
            cache=self._cache,
            tell=tell,
        )
        whole = options.full or self._needs_whole(mirror)
        scan_channel(setting, mirror, wire, report, whole=whole, comments=options.comments)

    def _needs_whole(self, mirror: Mirror) -> bool:
        """Whether a quick look would not do: never read whole, too long ago, or by another device."""
        account = self._client.account().key
        last = mirror.last_complete(account)
        if last is None or self._time.now() - moment_of(last.order[0]) > FULL_AFTER:
            return True
        mark = self._log.machine.mark()
        if mark is None or last.device != mark.device:
            return True
        return mirror.others_since(Head.parse(str(last.payload["head"])), mark.device)

    def _own_channels(self) -> list[int]:
        """The account's channels: as are.na's index lists them (it lags), and those we know already."""
        account = self._client.account()
        if account.id is None:
            raise UsageError(
                "--mine needs a token: `vfdir-lab auth login`, set ARENA_TOKEN, or name the channels"
            )
        found: list[int] = []
        for number in range(1, INDEX_PAGES_MAX + 1):
            page = self._client.user_channels(account.id, page=number)
            found += [wire["id"] for wire in page.items if isinstance(wire.get("id"), int)]
            if not page.has_more or not page.items:
                break
        known = self._engine.arrow(read_sql(SQL, "own_channels"), {"owner": account.key})
        return list(dict.fromkeys([*found, *known.column("remote_id").to_pylist()]))


def _check(options: PullOptions, queue: deque[Asked]) -> None:
    if not queue and not options.mine:
        raise UsageError("name a channel to pull (slug, number or address), or ask for --mine")
    least = 4 if options.mine else 3 if options.comments else 2
    if options.budget is not None and options.budget < least:
        raise UsageError(f"a budget of {options.budget} gets nowhere here: allow at least {least} requests")
    if options.depth < 0:
        raise UsageError(f"a depth of {options.depth} makes no sense: give 0 or more")


def _nested(mirror: Mirror, depth: int) -> list[Asked]:
    numbers = (remote_number(item) for item in sorted(mirror.live_items()) if item.startswith("channel:"))
    return [(number, number, depth) for number in numbers if number is not None]
