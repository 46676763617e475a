"""Full: read every page in order, and believe it only when it agrees with itself.

are.na has no snapshot: an insert while walking repeats an item, a removal skips one. So connections are told
apart by id, the count must stay and be met, and the channel must look the same before and after; otherwise
it is read again, a bounded number of times. Progress is kept, and the next run goes on where this one ended.
"""

from __future__ import annotations

from datetime import timedelta

from vfdir_lab.errors import ArenaServerError
from vfdir_lab.sync.judge import ITEM_CHECKS_MAX, Verdict, judge_connections, judge_items
from vfdir_lab.sync.normalise import SeenItem, moment
from vfdir_lab.sync.reading import PAGE, Outcome, Reading, state_of
from vfdir_lab.sync.resume import Progress, Resume

ATTEMPTS = 3
PAGES_MAX = 5_000
CLOCKS_DIFFER_BY = timedelta(seconds=60)
"""At most: the client refuses to work with a larger difference."""


def read_through(reading: Reading, resume: Resume, progress: Progress | None) -> Outcome:
    """Read the whole channel, going on from `progress` if there is one; record each page.

    Raises:
        ArenaError: are.na could not be read on; what was recorded stays, the next run resumes.
    """
    if progress is None:
        progress = begin(reading, attempt=1)
        resume.save(progress)
    reading.report.items = len(progress.sequence)
    while True:
        _let_the_second_pass(reading, progress)
        verdict = Verdict()
        is_read = not progress.page  # by an earlier run, and the channel was found unmoved just now
        steady = _walk(reading, resume, progress) and (is_read or _unmoved(reading, progress))
        if steady:
            seen = set(progress.sequence)
            judge_connections(reading.mirror, reading.client, reading.account, seen, verdict)
            if not verdict.contradicted:
                judge_items(reading.mirror, reading.client, reading.account, verdict, most=ITEM_CHECKS_MAX)
                return Outcome(
                    mode="full",
                    complete=True,
                    total=progress.total,
                    sequence=tuple(progress.sequence),
                    verdict=verdict,
                )
        if progress.attempt >= ATTEMPTS:
            return _undecided(reading, progress)
        progress = begin(reading, attempt=progress.attempt + 1)


def begin(reading: Reading, *, attempt: int) -> Progress:
    """A walk from the first page."""
    reading.unreadable = False
    return Progress(
        scan=reading.recorder.cause,
        account=reading.account,
        state=state_of(reading.wire),
        at=reading.setting.time.now().isoformat(),
        attempt=attempt,
    )


def _let_the_second_pass(reading: Reading, progress: Progress) -> None:
    """Wait until a change of the channel could be told from the last one.

    are.na's times are whole seconds: a channel that changed just now may change again while its pages are
    read and show the same `updated_at`. A second after it was answered, it cannot.
    """
    changed = moment(reading.wire.get("updated_at"))
    counts = reading.wire.get("counts")
    said = counts.get("contents") if isinstance(counts, dict) else None
    is_one_page = isinstance(said, int) and said <= PAGE
    if progress.page != 1 or changed is None or is_one_page:
        return
    if abs(reading.setting.time.now() - changed) < timedelta(seconds=2) + CLOCKS_DIFFER_BY:
        reading.setting.time.sleep(1.0)


def _walk(reading: Reading, resume: Resume, progress: Progress) -> bool:
    """Read the pages that are left; whether the count stayed the same and was met."""
    seen = set(progress.sequence)
    while progress.page:
        _bound(reading, resume, progress)
        page, listed = reading.contents(progress.page, "position_asc")
        if progress.page > 1 and page.total_count != progress.total:
            progress.steady = False
        items = [item for item in listed if item.connection.object_id not in seen]
        last = not page.has_more or not items
        _record(reading, items, progress, top=last)
        progress.total = page.total_count
        progress.sequence += [item.connection.object_id for item in items]
        seen.update(progress.sequence)
        progress.steady = progress.steady and not reading.unreadable
        progress.page = 0 if last else progress.page + 1
        progress.requests = reading.requests
        resume.save(progress)
        reading.report.items = len(seen)
        reading.setting.tell(len(seen), progress.total)
    return progress.steady and len(seen) == progress.total


def _bound(reading: Reading, resume: Resume, progress: Progress) -> None:
    """A listing has an end: at most twice the pages that the channel's own count makes likely."""
    counts = reading.wire.get("counts")
    said = counts.get("contents") if isinstance(counts, dict) else None
    likely = max(0, said if isinstance(said, int) else progress.total)
    if progress.page > min(PAGES_MAX, 2 * (likely // PAGE + 1) + 10):
        resume.forget()
        raise ArenaServerError(
            f"are.na lists this channel without end: {progress.page - 1} pages of {likely} items; "
            "what was read is kept, try again later",
            status=200,
            path=f"/v3/channels/{reading.number}/contents",
        )


def _record(reading: Reading, items: list[SeenItem], progress: Progress, *, top: bool) -> None:
    def ranks(device: str) -> dict[str, str]:
        before = (reading.mirror.rank(one, device) for one in reversed(progress.sequence))
        below = next((rank for rank in before if rank is not None), None)
        return reading.placed(items, device, below=below, top=top)

    reading.recorder.items(items, ranks)


def _unmoved(reading: Reading, progress: Progress) -> bool:
    """Whether the channel says that nothing moved while its pages were read; a single page cannot shift."""
    if progress.total > PAGE:
        reading.wire = reading.client.channel(reading.number)
    return state_of(reading.wire) == progress.state


def _undecided(reading: Reading, progress: Progress) -> Outcome:
    reading.report.notes.append(
        f"are.na's pages did not agree with each other in {ATTEMPTS} readings: it counts {progress.total} "
        f"items and lists {len(progress.sequence)}. What was seen is kept, nothing counts as gone, "
        "the next pull looks again"
    )
    return Outcome(mode="full", complete=False, total=progress.total)
