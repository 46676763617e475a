"""Saving media: which originals of a channel are not here yet, and the fact that one is.

Owns: which addresses are wanted, and `media.saved` (about `media:<sha256>`; payload `url`, `size`,
`content_type`).
Guarantees: a copy is recorded after it is durable, and each address once, whichever channels it is in; what
cannot be fetched stops nothing and leaves no event, so the next run tries again. One process saves at a time.
Interrupted, what was stored is recorded; killed, the copies of the last seconds are fetched once more.
Leaves to others: fetching (`media.fetch`), showing what is saved (the projection `media`).
Checked by: `tests/media/test_fetch_channel.py`, `test_fetch_crash.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import Any

from vfdir_lab.errors import MediaFetchError, UsageError
from vfdir_lab.event import Draft
from vfdir_lab.log import EventLog
from vfdir_lab.media import MediaStore
from vfdir_lab.media.fetch import Fetched, Fetcher
from vfdir_lab.projection import Engine, default_lens
from vfdir_lab.projection.engine import read_sql
from vfdir_lab.sync.media_report import MediaFailure, MediaProgress, MediaReport
from vfdir_lab.sync.mirror import SQL
from vfdir_lab.sync.naming import Naming
from vfdir_lab.sync.report import PullProgress, PullReport

BATCH = 25
BATCH_SECONDS = 5.0
"""So many copies, or those of so many seconds, are recorded together: each append is a file."""
SILENT = 5
"""After so many files in a row that nobody answered for, it is the network, and the rest is left."""

Tell = Callable[[MediaProgress], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaGround:
    """What saving needs of an archive."""

    log: EventLog
    engine: Engine
    store: MediaStore
    fetcher: Fetcher


@dataclass(slots=True)
class _Count:
    """What was done so far."""

    saved: int = 0
    bytes: int = 0
    known: int = 0
    tried: int = 0
    silent: int = 0
    failed: list[MediaFailure] = field(default_factory=list)


class _Recorder:
    """Records copies, some at a time; as a context, what is left at its end, however that comes."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._waiting: list[Draft] = []
        self._since = monotonic()

    def add(self, fetched: Fetched) -> None:
        """A copy is in the store."""
        payload = {"url": fetched.url, "size": fetched.size, "content_type": fetched.content_type}
        if not self._waiting:
            self._since = monotonic()
        self._waiting.append(Draft(kind="media.saved", object_id=f"media:{fetched.sha256}", payload=payload))
        if len(self._waiting) >= BATCH or monotonic() - self._since > BATCH_SECONDS:
            self._record()

    def _record(self) -> None:
        waiting, self._waiting = self._waiting, []
        self._log.append(waiting)

    def __enter__(self) -> _Recorder:
        return self

    def __exit__(self, *_: object) -> None:
        if self._waiting:
            self._record()


def save_media(
    ground: MediaGround, name: int | str, on_progress: Tell = lambda _progress: None
) -> MediaReport:
    """Save the originals of a channel's images and attachments that are not here yet.

    Raises:
        UsageError: this archive knows no such channel.
        LogLockedError: another process is saving. LogError, ArchiveWriteError
    """
    channel, title = _channel(ground, name)
    with ground.log.machine.lock(name="media"):
        query = read_sql(SQL, "media_wanted")
        rows = ground.engine.arrow(query, {"channel": channel}, lens=default_lens()).to_pylist()
        count = _Count()
        with _Recorder(ground.log) as recorder:
            for row in rows:
                progress = MediaProgress(channel=title, done=count.tried, total=len(rows))
                on_progress(progress)
                if count.silent < SILENT:
                    _save(ground, row, recorder, count, _bytes_told(on_progress, progress))
                    count.tried += 1
        on_progress(MediaProgress(channel=title, done=count.tried, total=len(rows)))
    return MediaReport(
        channel=channel,
        title=title,
        files=len(rows),
        saved=count.saved,
        bytes=count.bytes,
        known=count.known,
        failed=tuple(count.failed),
        left=len(rows) - count.tried,
    )


def with_media(
    ground: MediaGround, report: PullReport, on_progress: Callable[[PullProgress], None]
) -> PullReport:
    """The report of a pull, with what came of saving the originals of its channels, as `save_media` does."""

    def tell(progress: MediaProgress) -> None:
        title = f"{progress.channel}: files"
        on_progress(PullProgress(channel=title, items=progress.done, total=progress.total))

    read = list(dict.fromkeys(one.channel for one in report.channels if one.error is None))
    return replace(report, media=tuple(save_media(ground, channel, tell) for channel in read))


def _bytes_told(on_progress: Tell, at: MediaProgress) -> Callable[[int], None]:
    return lambda size: on_progress(
        MediaProgress(channel=at.channel, done=at.done, total=at.total, bytes=size)
    )


def _save(
    ground: MediaGround,
    row: dict[str, Any],
    recorder: _Recorder,
    count: _Count,
    on_bytes: Callable[[int], None],
) -> None:
    """One file, if it is not here."""
    sha256, url = row["sha256"], row["url"]
    if sha256 is not None and ground.store.path(sha256).is_file():
        count.known += 1
        return
    try:
        fetched = ground.fetcher.fetch(
            url, name=row["name"] or "", is_picture=row["is_picture"], on_bytes=on_bytes
        )
    except MediaFetchError as error:
        count.silent = count.silent + 1 if error.is_silent else 0
        count.failed.append(
            MediaFailure(url=url, block=row["block"], reason=str(error), is_retryable=error.is_retryable)
        )
        return
    count.silent = 0
    count.saved += 1
    count.bytes += fetched.size
    if fetched.sha256 != sha256:
        recorder.add(fetched)


def _channel(ground: MediaGround, name: int | str) -> tuple[str, str]:
    """The channel's id and title."""
    head = ground.log.coverage().head
    channel = str(Naming(ground.engine, head).channel(name))
    found = ground.engine.arrow(
        "SELECT title, slug FROM channels WHERE object_id = $channel",
        {"channel": channel},
        head=head,
        lens=default_lens(),
    ).to_pylist()
    if not found:
        raise UsageError(f"there is no channel {name!r} in this archive: `pull` it first")
    return channel, found[0]["title"] or found[0]["slug"] or channel
