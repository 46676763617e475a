"""The archive: what a notebook holds. Wires the parts together and has no rules of its own.

An archive is a folder (`archive.toml`, `log/`, `cache/`); this machine's knowledge of it lives outside of it
(see `vfdir_lab.log.machine`). Opening reads one small file; nothing is locked until something is recorded.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from functools import cached_property, partial
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Self

from vfdir_lab.arena import SYSTEM_TIME, Account, ArenaClient, Rate, ResponseCache, Time, Wait
from vfdir_lab.arena.address import is_loopback
from vfdir_lab.arena.keyring import kept_token
from vfdir_lab.arena.transport import user_agent
from vfdir_lab.errors import ArchiveWriteError, LogDamagedError, LogError, ProjectionError, UsageError
from vfdir_lab.event import KINDS
from vfdir_lab.export import (
    Snapshot,
    SnapshotDifference,
    SnapshotOptions,
    Verdict,
    difference_between,
    export_channel,
    manifest_of,
    rebuild,
    taken_from,
)
from vfdir_lab.log import (
    CompactReport,
    EventLog,
    Head,
    Machine,
    Missing,
    Moment,
    Refused,
    VerifyReport,
    compact,
    head_of,
    needs_compaction,
    verify,
)
from vfdir_lab.log.devices import DeviceState, Regression, devices, regression
from vfdir_lab.log.manifest import create_archive, read_manifest
from vfdir_lab.log.merge import merge
from vfdir_lab.log.merged import MergeReport
from vfdir_lab.media import MediaStore
from vfdir_lab.media.fetch import LARGEST_BYTES, Fetcher, Manners
from vfdir_lab.media.part import remove_leftovers
from vfdir_lab.objects import NoticingLog, Objects, Pool
from vfdir_lab.projection import Engine
from vfdir_lab.projection.lens import DEFAULT
from vfdir_lab.projection.lenses import Lenses
from vfdir_lab.projection.provenance import Difference, History, Why, difference, history, why
from vfdir_lab.projection.replay import ReplayReport, needs_replay, replay
from vfdir_lab.projection.search import search
from vfdir_lab.projection.shelf import Projections
from vfdir_lab.projection.sides import Said, standpoint_of
from vfdir_lab.projection.view import Desk, View
from vfdir_lab.scale.bucket import share
from vfdir_lab.scale.bucket_keys import SCHEME
from vfdir_lab.scale.replay import OnSpark
from vfdir_lab.sync import Puller, PullOptions, PullProgress, PullReport
from vfdir_lab.sync.deciding import Decider
from vfdir_lab.sync.exports import import_export
from vfdir_lab.sync.exports_report import ImportProgress, ImportReport
from vfdir_lab.sync.in_force import TransactionInForce, assign
from vfdir_lab.sync.media import MediaGround, save_media, with_media
from vfdir_lab.sync.media_report import MediaProgress, MediaReport
from vfdir_lab.sync.outbox import Outbox
from vfdir_lab.sync.push import PushOptions
from vfdir_lab.sync.push_report import PushPlan, PushProgress, PushReport
from vfdir_lab.sync.pushing import PushGround, push, rehearse
from vfdir_lab.sync.standing import standings
from vfdir_lab.sync.transaction import Ground, Transaction
from vfdir_lab.sync.undo import TakenBack, redo, undo

if TYPE_CHECKING:
    import duckdb
    from pyspark.sql import SparkSession

    from vfdir_lab.notebook.look import Gallery, Graph, LensBoard, TimeMachine
    from vfdir_lab.notebook.sync import SyncPanel

DEFAULT_API_URL = "https://api.are.na"


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What is in an archive, and what stands in the way of more.

    `channels` is a row each: object_id, slug, title, visibility, length, seen_at (newest finished scan),
    whole_at (newest complete scan). `device` is this copy's, None before it first wrote. `unknown_kinds`
    counts events that this version passes over. `devices` says of each device how far it counts and what is
    missing of it; `regressions`, what counted on this machine once and does not any more. `lens` is what is
    read through, `chosen` the versions in it that somebody chose. `wishes` counts those without an end,
    `waiting` those that wait for a person, `conflicts` where are.na shows something else than is wished.
    """

    path: str
    archive: str
    device: str | None
    head: Head
    segments: int
    events: int
    missing: tuple[Missing, ...]
    refused: tuple[Refused, ...]
    channels: tuple[dict[str, Any], ...]
    blocks: int
    unknown_kinds: dict[str, int]
    devices: tuple[DeviceState, ...]
    regressions: tuple[Regression, ...]
    lens: str
    chosen: dict[str, int]
    wishes: int
    waiting: int
    conflicts: int


class Archive:
    """An archive folder, opened.

    Args:
        home: the folder.
        create: make the archive where there is none (atomically).
        api_url: are.na's address; `ARENA_API_URL`, else the real one.
        token: a personal token; `ARENA_TOKEN`, else the one that `vfdir-lab auth login` put into the keyring,
            else none: a guest. The empty text is a guest, too. Never written to a file.
        pause_seconds: the least pause between two requests to are.na.
        time: the clocks and sleep.

    Raises:
        ArchiveNotFoundError: there is no archive at `home`, or the folder holds something else.
        ArchiveFormatError: it is one of a newer format, or its `archive.toml` is broken.
        ArchiveWriteError: it could not be created.
    """

    def __init__(
        self,
        home: str | Path,
        *,
        create: bool = False,
        api_url: str | None = None,
        token: str | None = None,
        pause_seconds: float = 0.2,
        time: Time = SYSTEM_TIME,
    ) -> None:
        self.path = Path(home).expanduser().absolute()
        if create:
            create_archive(self.path, time.now(), lens=DEFAULT)
        manifest = read_manifest(self.path)
        self.id = manifest.id
        self._time = time
        self._api_url = api_url or os.environ.get("ARENA_API_URL") or DEFAULT_API_URL
        self._given_token = os.environ.get("ARENA_TOKEN") if token is None else token
        self._pause_seconds = pause_seconds
        self._machine = Machine(self.id, self.path)
        self._client: ArenaClient | None = None
        self._tell_wait: Callable[[str], None] = lambda _said: None
        self.log: EventLog = NoticingLog(self.path, self._machine, now=time.now, noticed=self._noticed)
        self.engine = Engine(self.log, cache=self._known_cache)
        folder = self.path / "projections"
        lenses = Lenses(self.log, self.engine, folder, default=manifest.lens)
        self.projections = Projections(lenses, folder)
        self._view = View(Desk(log=self.log, engine=self.engine, lenses=lenses))
        self._pool = Pool(self.log, self.engine, lens=lenses.lens, wish=partial(assign, self.log))

    def __repr__(self) -> str:
        return f"Archive({str(self.path)!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Hang up on are.na. Reading goes on working."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def reopened(self, *, time: Time) -> Archive:
        """Another handle on the same archive, for another thread: it shares nothing but the folder."""
        return Archive(
            self.path,
            api_url=self._api_url,
            token=self._token,
            pause_seconds=self._pause_seconds,
            time=time,
        )

    @property
    def stop_file(self) -> Path:
        """A file on this machine whose making ends the work of a sync panel at its next safe point."""
        return self._machine.folder / "stop"

    @cached_property
    def _token(self) -> str:
        """What was given, else what the keyring keeps; that is asked when a token is first of use."""
        return kept_token(self._api_url) if self._given_token is None else self._given_token

    @property
    def may_write(self) -> bool:
        """Whether are.na ever accepted a write with this token from here; False: that is not known."""
        known = self._machine.recall("writers")
        return bool(self._token) and isinstance(known, list) and self._token_key() in known

    @property
    def account(self) -> Account | None:
        """Whose token this is, as far as that is known without asking are.na; None for a guest."""
        return self._known_account() if self._token else None

    @property
    def rate(self) -> Rate | None:
        """The rate limit as are.na last told this handle; None before it did."""
        return self._client.rate if self._client is not None else None

    @property
    def head(self) -> Head:
        """How far the log reaches now."""
        return self.log.coverage().head

    @property
    def objects(self) -> Objects:
        """The archive as Python objects: `archive.objects.channel("tides").blocks[0].author.channels`.

        One object for each id, always as the tables show it now; assigning to one inside a transaction
        makes a wish, and `observe` tells of changes. See `vfdir_lab.objects`.
        """
        return Objects(self._pool)

    def pull(  # noqa: PLR0913 - the options of one command
        self,
        *channels: int | str,
        full: bool = False,
        mine: bool = False,
        budget: int | None = None,
        depth: int = 0,
        comments: bool = False,
        media: bool = False,
        on_progress: Callable[[PullProgress], None] = lambda _progress: None,
    ) -> PullReport:
        """Record what are.na shows of these channels (slug, number or address).

        `full` reads every page; by default that happens at first, weekly, and when the count disagrees.
        `budget` caps the requests of this run; the next resumes. `depth` follows channels inside channels.
        `media` saves the originals of what was read, too, as `save_media`.

        Raises:
            UsageError: a name or an option makes no sense.
            ArenaError: nothing could be read. LogError, ArchiveWriteError: facts could not be recorded.
        """
        self._prove()
        self._tell_wait = lambda said: on_progress(
            PullProgress(channel="", items=0, total=None, waiting=said)
        )
        client = self._connect()
        puller = Puller(self.log, self.engine, client, self._cache(), time=self._time)
        options = PullOptions(full=full, mine=mine, budget=budget, depth=depth, comments=comments)
        with self._pool.together():
            try:
                report = puller.pull(channels, options, on_progress)
            finally:
                self._remember_account(client.known_account)
            if media:
                with self._fetching(LARGEST_BYTES) as ground:
                    report = with_media(ground, report, on_progress)
            self._tidy()
        return report

    def save_media(
        self,
        channel: int | str,
        *,
        largest_bytes: int = LARGEST_BYTES,
        on_progress: Callable[[MediaProgress], None] = lambda _progress: None,
    ) -> MediaReport:
        """Keep copies of a channel's images and attachments that are not here yet, each address once.

        Files come from public web addresses only (from this machine, where are.na is on it), without the
        token, up to `largest_bytes` each. What was cut off goes on the next time; what failed is listed, and
        tried again then. Copies are found by `media` and in `media/` by the SHA-256 of their bytes.

        Raises:
            UsageError: this archive knows no such channel.
            LogLockedError: another process is saving. LogError, ArchiveWriteError
        """
        with self._pool.together():
            with self._fetching(largest_bytes) as ground:
                report = save_media(ground, channel, on_progress)
            self._tidy()
        return report

    @contextmanager
    def _fetching(self, largest_bytes: int) -> Iterator[MediaGround]:
        """What saving media needs, with a line of its own, which never had the token."""
        store, parts = MediaStore(self.path), self._cache() / "parts"
        manners = Manners(
            user_agent=user_agent(), loopback=is_loopback(self._api_url), largest_bytes=largest_bytes
        )
        remove_leftovers(parts)
        with closing(Fetcher(store, parts, manners, sleep=self._time.sleep)) as fetcher:
            yield MediaGround(log=self.log, engine=self.engine, store=store, fetcher=fetcher)

    def push(
        self,
        *,
        budget: int | None = None,
        on_progress: Callable[[PushProgress], None] = lambda _progress: None,
    ) -> PushReport:
        """Send to are.na what was wished here, each wish once, and see that it came true.

        What was sent and never answered is looked up before anything is sent again. One bad wish holds up no
        other. `budget` caps the writes of this run; the next goes on. Interrupted or killed, nothing is lost
        and nothing is sent twice.

        Raises:
            UsageError: there is no token, or the budget makes no sense.
            LogLockedError: another process is pushing. LogError, ArchiveWriteError: nothing can be recorded.
        """
        if not self._token:
            raise UsageError(
                "a push needs a token with the write scope: set ARENA_TOKEN, or `vfdir-lab auth login`"
            )
        self._prove()
        self._tell_wait = lambda said: on_progress(PushProgress(done=0, total=0, waiting=said))
        client = self._connect()
        ground = PushGround(
            log=self.log,
            engine=self.engine,
            store=MediaStore(self.path),
            cache=self._cache(),
            time=self._time,
        )
        with self._pool.together():
            try:
                report = push(ground, client, PushOptions(budget=budget), on_progress)
            finally:
                self._remember_account(client.known_account)
                self._remember_scope(client)
            self._tidy()
        return report

    def rehearse(self) -> PushPlan:
        """What `push` would send now, as are.na's calls. Nothing is sent, and are.na is asked nothing."""
        return rehearse(self.log, self.engine)

    @property
    def outbox(self) -> Decider:
        """What a person decides about wishes: `archive.outbox.cancel(tx)`, `retry`, `resolve`, `adopt`."""
        return Decider(Outbox(self.log, self.engine))

    def transaction(self, label: str = "") -> Transaction:
        """Wishes that belong together, recorded when the `with` body ends, or not at all if it raises.

        `with archive.transaction("tidy") as tx: tx.edit("block:123", title="New")`; see `Transaction` for
        what can be wished. Nothing is sent before `push`.

        Raises:
            UsageError: a wish makes no sense. LogError, ArchiveWriteError: they could not be recorded.
        """
        return TransactionInForce(self._ground(), label)

    def undo(self, tx: str | None = None, *, yes: bool = False) -> TakenBack:
        """Take back a transaction; by default the newest of this device that is not undone.

        What was never sent is cancelled; of what was, the opposite is wished. `yes` where that deletes a
        channel, or leaves a block on are.na that cannot be deleted.

        Raises:
            UsageError: there is nothing to undo, or a part of it cannot be; nothing is recorded then.
            LogError, ArchiveWriteError
        """
        return undo(self._ground(), tx, yes=yes)

    def redo(self, *, yes: bool = False) -> TakenBack:
        """Take back the newest undo, as long as no other transaction was committed since.

        Raises:
            UsageError, LogError, ArchiveWriteError: as `undo`.
        """
        return redo(self._ground(), yes=yes)

    def _noticed(self) -> None:
        """Something was recorded here."""
        self._pool.noticed()

    def _ground(self) -> Ground:
        return Ground(
            log=self.log, engine=self.engine, store=MediaStore(self.path), account=self._known_account()
        )

    def sync_panel(self) -> SyncPanel:
        """A panel for a notebook: pull, push, what waits, what is in conflict. Work runs in a thread.

        Raises:
            UsageError: the packages of the notebook side are not installed.
        """
        panel: SyncPanel = _notebook("sync").SyncPanel(self)
        return panel

    def gallery(
        self, channel: int | str | None = None, *, lens: str | None = None, as_of: Moment | None = None
    ) -> Gallery:
        """A channel as squares for a notebook, in are.na's order; None: all channels, each a way in.

        Raises:
            UnknownObjectError, UsageError: there is no such channel, or the notebook side is not installed.
            HeadError, ProjectionError
        """
        gallery: Gallery = _notebook("look").Gallery(self, channel, lens=lens, as_of=as_of)
        return gallery

    def time_machine(self, channel: int | str) -> TimeMachine:
        """A channel through time, for a notebook: what we knew, or what was so, and what differs from now.

        Raises:
            UnknownObjectError, UsageError, ProjectionError: as `gallery`.
        """
        machine: TimeMachine = _notebook("look").TimeMachine(self, channel)
        return machine

    def graph(self, channel: int | str, *, lens: str | None = None, as_of: Moment | None = None) -> Graph:
        """A channel among those it shares blocks with, as a network for a notebook.

        Raises:
            UnknownObjectError, UsageError, HeadError, ProjectionError: as `gallery`.
        """
        graph: Graph = _notebook("look").Graph(self, channel, lens=lens, as_of=as_of)
        return graph

    def lens_board(self) -> LensBoard:
        """Projections for a notebook: versions, what is in use in which lens, differences, and Use.

        Raises:
            UsageError: the packages of the notebook side are not installed. ProjectionError
        """
        board: LensBoard = _notebook("look").LensBoard(self)
        return board

    def _tidy(self) -> None:
        """After facts came in: few large segments, and checkpoints that are not too far behind."""
        if needs_compaction(self.log.coverage(), self.log.device()):
            self.compact()
        with suppress(ProjectionError, ArchiveWriteError):  # a cache is worth no failed pull
            if needs_replay(self.log, self._cache(), self.projections.lenses.lens()):
                self.replay()

    def _prove(self) -> None:
        """Refuse to take differences against damaged facts: new facts would be founded on them.

        Raises:
            LogDamagedError: the bytes of a segment are not those its name proves.
        """
        broken = self.log.recheck()
        if broken:
            names = ", ".join(one.path for one in broken)
            raise LogDamagedError(
                f"{names}: not as recorded, so nothing is recorded on top of it. `vfdir-lab verify` says "
                "what is lost; put a good copy in its place, or remove it"
            )

    def sql(self, query: str, /, **tables: object) -> duckdb.DuckDBPyRelation:
        """Ask in SQL; a lazy DuckDB relation: `.pl()`, `.df()`, `.to_arrow_table()`.

        Tables: `events blocks channels connections users comments scans` and what else the lens in force
        has, and those passed by name (DataFrames, Arrow tables). One reading statement, confined: it can
        neither change the archive nor read a file.

        Raises:
            QueryError: it was refused or is wrong. ProjectionError: the lens in force does not run.
        """
        return self._view.sql(query, **tables)

    def lens(self, name: str | None = None, *, as_of: Moment | None = None) -> View:
        """The archive through a lens, changing nothing for others: `archive.lens("mine").sql(...)`.

        By default the one in force. With `as_of`, through the lens as it was set then. `.use(blocks=4)`
        changes the lens, all or nothing, and makes it where there is none.

        Raises:
            UsageError: a name that cannot be one. ProjectionError, HeadError
        """
        return self._view.lens(name, as_of=as_of)

    def as_of(
        self, moment: Moment | None = None, *, head: Head | str | None = None, axis: str = "knew"
    ) -> View:
        """The archive at a moment, on one of two axes; a date or time is in UTC, and just before it counts.

        `axis="knew"`: as we knew it before `moment`, or at a head. `axis="effective"`: as it *was so* before
        `moment`, as far as we know at `head` (by default, now). An object exists from are.na's own time of
        creation; the values we first saw reach back to it and are `assumed` in `events`.

        Raises:
            HeadError: it says no moment, or a head this log does not reach.
            UsageError: there is no such axis, or the effective one was given no moment.
        """
        return self._view.as_of(moment, head=head, axis=axis)

    def history(self, object_id: str) -> History:
        """Every event about an object (`block:123`), newest last: lines for people, and a relation.

        The relation has the columns of `events`; `.pl()`, `.fetchall()` and the like are those of it.
        """
        return history(self.engine, object_id)

    def why(self, object_id: str, field: str) -> Why:
        """Why a cell says what it says: the event that put it there, those that lost, and the rule.

        Raises:
            UsageError: there is no such object or field; the message says what there is.
        """
        return why(self.engine, object_id, field, self._view.standpoint)

    def diff(self, projection: str, left: Said, right: Said | None = None) -> Difference:
        """What differs between two answers of a projection, with the events behind each changed cell.

        A side is a version (`2`), the name of a lens, a date, a time or a head, or a `View` such as
        `archive.as_of(...)`. Without `right`: against what is in force now.

        Raises:
            UsageError, HeadError, ProjectionError
        """
        sides = (left, self._view if right is None else right)
        stands = [standpoint_of(self._view, self.projections, projection, side) for side in sides]
        return difference(self.engine, projection, *stands)

    def search(self, text: str) -> duckdb.DuckDBPyRelation:
        """Blocks and channels that hold every word, best first, without case and accents, in any script.

        Columns: object_id, score, title, excerpt, channels (in how many it is).

        Raises:
            UsageError: there is no word in it.
        """
        return search(self._view, text)

    def replay(
        self,
        *projections: str,
        lens: str | None = None,
        full: bool = False,
        on_progress: Callable[[int, int, str], None] = lambda _done, _all, _name: None,
    ) -> ReplayReport:
        """Compute the projections from the log again and keep them as checkpoints, so that reading is quick.

        Nothing is sent, and no answer changes: checkpoints are a cache. It goes on from those there are,
        unless `full`; interrupted, it goes on where it stopped. `on_progress(done, all, name)`.

        Raises:
            UsageError: there is no such projection or lens. ArchiveWriteError: the cache cannot be written.
            ProjectionError, LogError
        """
        lenses = self.projections.lenses
        chosen = lenses.lens(lens)
        for name in projections:
            if chosen.get(name) is None:
                raise UsageError(
                    f"there is no table {name!r}; there are {', '.join(sorted(chosen.versions))}"
                )
        return replay(
            self.log,
            self._cache(),
            chosen,
            only=projections or None,
            full=full,
            used_by=lenses.all(),
            on_progress=on_progress,
        )

    def on_spark(self, session_or_master: SparkSession | str) -> OnSpark:
        """The same projections on Apache Spark: `archive.on_spark("local[2]").replay(to="out")`.

        A session of your own, or a master such as `spark://host:7077`; its workers read the archive and write
        the answers at the paths that these have here.
        """
        return OnSpark(self.log, self.engine, self.projections.lenses.lens, session_or_master)

    def verify(self, on_progress: Callable[[int, int], None] = lambda _done, _all: None) -> VerifyReport:
        """Re-read the whole log and prove it; repairs nothing. `on_progress(done, all)` counts files."""
        return verify(self.log, on_progress)

    def compact(
        self, *, now: bool = False, on_progress: Callable[[int, int], None] = lambda _done, _all: None
    ) -> CompactReport:
        """Merge this device's small segments into few large ones; same events, same answers at every head.

        Superseded files are removed after a grace period, so that running readers are not cut off; `now` does
        without. `pull` does this by itself when there are many. `on_progress(done, all)` counts events.

        Raises:
            LogDamagedError, LogWriteError, LogLockedError
        """
        return compact(self.log, now=now, progress=on_progress)

    def merge(
        self,
        other: str | Path,
        *,
        accept_future: bool = False,
        on_progress: Callable[[int, int], None] = lambda _done, _all: None,
    ) -> MergeReport:
        """Take in what another copy of the archive holds: set union, in any order, any number of times.

        `other` is its folder, and is only read. `s3://bucket/prefix` takes what is in a bucket and sends what
        it lacks; the report is a `ShareReport` then. Segments stamped over a minute ahead of this clock wait,
        unless `accept_future`. Archives that share a folder need no merge.

        Raises:
            ForkedDeviceError: two copies wrote as one device; the rest is merged, its `report` tells.
            UsageError, ArchiveNotFoundError, ArchiveFormatError: `other` is no archive to merge with.
            ArchiveError: the bucket refuses or cannot be reached; what was transferred is kept.
            LogLockedError, LogWriteError
        """
        with self._pool.together():
            if str(other).startswith(SCHEME):
                return share(self.log, str(other), accept_future=accept_future, progress=on_progress)
            source = Path(other).expanduser()
            return merge(self.log, source, accept_future=accept_future, progress=on_progress)

    def import_export(
        self,
        path: str | Path,
        *,
        channel: int | str | None = None,
        title: str | None = None,
        on_progress: Callable[[ImportProgress], None] = lambda _progress: None,
    ) -> ImportReport:
        """Record what are.na's own export (CSV or zip) says of its blocks, without a request.

        `channel` and `title` say which channel a CSV is of; by default its name does. What a pull knows newer
        stays; a later pull adds only what differs, and brings membership and order.

        Raises:
            UsageError, ImportFileError, LogError, ArchiveWriteError
        """
        with self._pool.together():
            return import_export(
                self.log,
                self.engine,
                Path(path).expanduser(),
                channel=channel,
                title=title,
                now=self._time.now,
                on_progress=on_progress,
            )

    def export(  # noqa: PLR0913 - the options of one command
        self,
        channel: int | str | None,
        path: str | Path,
        *,
        format: str = "json",  # noqa: A002 - the word people use
        as_of: Moment | None = None,
        lens: str | None = None,
        depth: int = 0,
        media: bool = False,
        private: bool = False,
        replace: bool = False,
        on_progress: Callable[[int], None] = lambda _rows: None,
    ) -> Snapshot:
        """Write a dated copy of a channel, or of all that were read (None), to the new place `path`.

        `depth` takes channels inside it along, this many levels; `media`, the copies of pictures and files
        that the archive keeps. See `vfdir_lab.export`. `on_progress(rows)` counts what is written.

        Raises:
            UsageError, ExportError, HeadError
        """
        place = Path(path).expanduser().absolute()
        if any(one.is_relative_to(self.path.resolve()) for one in (place, place.resolve())):
            raise UsageError(f"{place} is inside the archive; a snapshot goes somewhere else")
        options = SnapshotOptions(
            format=format,
            head=self.head if as_of is None else head_of(self.log, as_of),
            as_of=None if as_of is None else str(as_of),
            lens=self.projections.lenses.lens(lens),
            depth=depth,
            store=self._kept_media if media else None,
            private=private,
            replace=replace,
        )
        return export_channel(self.engine, channel, place, options, on_progress)

    def export_again(
        self, path: str | Path, *, on_progress: Callable[[int], None] = lambda _rows: None
    ) -> Verdict:
        """Take the snapshot at `path` again, at its head and through its lens: does it match byte for byte?

        Raises:
            ExportError: it is no snapshot, or this archive cannot take it again.
        """
        return rebuild(self.engine, Path(path).expanduser(), self._taken_from(path), on_progress)

    def diff_snapshots(self, before: str | Path, after: str | Path | None = None) -> SnapshotDifference:
        """What was added, removed, moved and changed between two snapshots of a channel; None: and now.

        Raises:
            ExportError: one is no snapshot, or was not taken from this archive.
            UsageError: they are of two channels.
        """
        places = [Path(one).expanduser() for one in (before, after) if one is not None]
        (channel, then), *others = (self._taken_from(one)(manifest_of(one)) for one in places)
        if others and others[0][0] != channel:
            raise UsageError("these are snapshots of two channels; give two of one")
        now = others[0][1] if others else replace(then, head=self.head, as_of=None)
        return difference_between(self.engine, channel, then, now)

    def _taken_from(self, path: str | Path) -> Callable[[dict[str, Any]], tuple[str | None, SnapshotOptions]]:
        """Tells from a manifest where a snapshot of this archive was taken from."""
        lenses, where = self.projections.lenses, Path(path)
        return lambda manifest: taken_from(manifest, where, self.log, lenses, self._kept_media)

    @property
    def _kept_media(self) -> Path:
        return self.path / "media" / "sha256"

    def status(self) -> Status:
        """What is here: devices, segments, channels and when they were last seen, what is missing."""
        coverage = self.log.coverage()
        mark = self._machine.mark()
        channels = self.engine.arrow(_CHANNELS_SEEN).to_pylist()
        kinds = self.engine.arrow(
            "SELECT kind, kind_version, count(*) AS n FROM events GROUP BY ALL ORDER BY ALL"
        )
        wished = standings(self.log, self.engine)
        return Status(
            path=str(self.path),
            archive=self.id,
            device=mark.device if mark else None,
            head=coverage.head,
            segments=len(coverage.segments),
            events=coverage.events,
            missing=coverage.missing,
            refused=coverage.refused,
            channels=tuple(channels),
            blocks=self.engine.arrow("SELECT count(*) AS n FROM blocks").column("n")[0].as_py(),
            unknown_kinds={
                f"{row['kind']} v{row['kind_version']}": row["n"]
                for row in kinds.to_pylist()
                if row["kind"] not in KINDS or row["kind_version"] > KINDS[row["kind"]].version
            },
            devices=devices(self.log),
            regressions=regression(self.log),
            lens=self.projections.lenses.default,
            chosen=self.projections.lenses.chosen(),
            wishes=sum(one.open for one in wished),
            waiting=sum(one.asks for one in wished),
            conflicts=self.engine.arrow("SELECT count(*) AS n FROM conflicts").column("n")[0].as_py(),
        )

    def _connect(self) -> ArenaClient:
        """The client, made once; waits are told to whoever listens to the run that is under way."""
        if self._client is None:
            self._client = ArenaClient(
                self._token,
                self._api_url,
                time=self._time,
                cache=ResponseCache(self._cache() / "answers"),
                account=self._known_account(),
                pause_seconds=self._pause_seconds,
                on_wait=self._waiting,
            )
        return self._client

    def _waiting(self, wait: Wait) -> None:
        self._tell_wait(f"waits {wait.seconds:.0f} s: {wait.reason}")

    def _cache(self) -> Path:
        """This device's disposable folder."""
        return self.path / "cache" / f"device={self.log.device()}"

    def _known_cache(self) -> Path:
        """The same, where this copy has a device already: reading settles none.

        Raises:
            LogError: it has none.
        """
        mark = self._machine.mark()
        if mark is None:
            raise LogError("this copy has no device yet: it has not recorded anything")
        return self.path / "cache" / f"device={mark.device}"

    def _token_key(self) -> str:
        """Tells tokens of this machine apart without keeping any: a keyed hash, cut short."""
        key = hashlib.blake2b(self.id.encode(), digest_size=32).digest()
        return hashlib.blake2b(f"{self._api_url}\0{self._token}".encode(), key=key, digest_size=6).hexdigest()

    def _known_account(self) -> Account | None:
        """Whom this token belonged to when it was last used, so that a pull need not ask again."""
        known = self._machine.recall("accounts")
        if not self._token or not isinstance(known, dict):
            return None
        with suppress(TypeError, KeyError):
            return Account(**known[self._token_key()])
        return None

    def _remember_account(self, account: Account | None) -> None:
        if self._token and account is not None and self._known_account() != account:
            known = self._machine.recall("accounts")
            accounts = known if isinstance(known, dict) else {}
            self._machine.note("accounts", accounts | {self._token_key(): asdict(account)})

    def _remember_scope(self, client: ArenaClient) -> None:
        if client.may_write and not self.may_write:
            known = self._machine.recall("writers")
            self._machine.note("writers", [*(known if isinstance(known, list) else []), self._token_key()])


def _notebook(part: str) -> ModuleType:
    """A part of the notebook side, found when a person asks for it: nothing else here knows of widgets.

    Raises:
        UsageError: its packages are not installed.
    """
    try:
        return import_module(f"vfdir_lab.notebook.{part}")
    except ModuleNotFoundError as error:
        raise UsageError(
            f"the notebook side needs {error.name}, which is not installed: install vfdir_lab[lab]"
        ) from error


_CHANNELS_SEEN = """
SELECT
    channels.object_id, slug, title, visibility, length,
    max(finished_at) AS seen_at,
    max(finished_at) FILTER (WHERE complete) AS whole_at
FROM channels JOIN scans ON scans.channel = channels.object_id
GROUP BY ALL
ORDER BY title, channels.object_id
"""
