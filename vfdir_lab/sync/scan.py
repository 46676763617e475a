"""One scan: one reading of one channel, from `scan.started` to `scan.finished`, quick or full."""

from __future__ import annotations

from vfdir_lab.arena import Wire
from vfdir_lab.errors import ArenaApiError, BudgetReachedError
from vfdir_lab.event import Draft, canonical
from vfdir_lab.sync import full, quick
from vfdir_lab.sync.comments import read_comments
from vfdir_lab.sync.judge import CHECKS_MAX, fetch, judge_items, verdict_drafts
from vfdir_lab.sync.mirror import Mirror
from vfdir_lab.sync.normalise import Fields, whole_block, whole_channel
from vfdir_lab.sync.order import fewest_moves
from vfdir_lab.sync.reading import Outcome, Reading, Setting, state_of
from vfdir_lab.sync.record import Recorder
from vfdir_lab.sync.report import ChannelReport
from vfdir_lab.sync.resume import Resume


def scan_channel(
    setting: Setting, mirror: Mirror, wire: Wire, report: ChannelReport, *, whole: bool, comments: bool
) -> None:
    """Read the channel that `wire` shows and record what is new against `mirror`; fills in `report`.

    `whole` asks for a full reading. A scan that an earlier run left half-way is full and goes on.

    Raises:
        ArenaError: are.na could not be read on. What was recorded stays recorded; the next run resumes.
        LogError: the log could not be appended to.
    """
    account = setting.client.account().key
    resume = Resume(setting.cache, mirror.channel)
    progress = resume.load(account=account, state=state_of(wire), now=setting.time.now())
    scan = progress.scan if progress else f"scan:{setting.new_scan()}"
    opening = None if progress else _started(scan, mirror.channel, account)
    reading = Reading(
        setting=setting,
        wire=wire,
        mirror=mirror,
        recorder=Recorder(setting.log, mirror, scan=scan, opening=opening),
        report=report,
        account=account,
        spent=progress.requests if progress else 0,
    )
    if mirror.missed_before(account):
        reading.recorder.begin()
    try:
        outcome = None if whole or progress else _look(reading, resume)
        if outcome is None:
            report.mode = "full"
            outcome = full.read_through(reading, resume, progress)
        report.complete = outcome.complete
        _finish(reading, outcome, resume, comments=comments)
    finally:
        tally = reading.recorder.tally
        report.new, report.changed, report.moved = tally.new, tally.changed, tally.moved
        report.vanished, report.comments = tally.vanished, tally.comments


def _look(reading: Reading, resume: Resume) -> Outcome | None:
    """A quick look; one that the budget ends is followed by a full reading, which can go on run after run."""
    try:
        return quick.look(reading)
    except BudgetReachedError:
        resume.save(full.begin(reading, attempt=1))
        raise


def _started(scan: str, channel: str, account: str) -> Draft:
    return Draft(
        kind="scan.started", object_id=scan, payload={"channel": channel, "account": account}, cause=scan
    )


def _finish(reading: Reading, outcome: Outcome, resume: Resume, *, comments: bool) -> None:
    """Record the conclusions and `scan.finished`, all in one batch.

    Raises:
        BudgetReachedError: the scan is finished, but comments are left for the next run.
    """
    if outcome.mode == "quick":
        judge_items(reading.mirror, reading.client, reading.account, outcome.verdict)
    settled = _look_at_pending(reading)
    counts: dict[str, int] = {}
    cut_short = read_comments(reading, counts) if comments else None
    recorder = reading.recorder

    def build(device: str) -> list[Draft]:
        drafts = recorder.whole(whole_channel(reading.wire))
        drafts += verdict_drafts(recorder, outcome.verdict)
        for wire in settled:
            drafts += recorder.whole(whole_block(wire))
        drafts += _moves(reading, outcome, device)
        return [*_each_once(drafts), _finished(reading, outcome, counts)]

    events = recorder.append(build)
    recorder.tally.vanished = sum(event.kind == "connection.vanished" for event in events)
    recorder.tally.changed += sum(event.kind == "block.observed" for event in events)
    resume.forget()
    _tell_doubts(reading, outcome)
    if cut_short is not None:
        raise cut_short


def _tell_doubts(reading: Reading, outcome: Outcome) -> None:
    """What could not be settled in this run, for the person."""
    verdict = outcome.verdict
    if verdict.suspect:
        reading.report.notes.append(
            f"{len(verdict.suspect)} items are missing from are.na's list and not proven gone; pull again"
        )
    if verdict.to_ask:
        reading.report.notes.append(f"{len(verdict.to_ask)} blocks are left to ask are.na for; pull again")
    reading.report.unsettled = bool(verdict.suspect or (verdict.to_ask and outcome.mode == "full"))


def _look_at_pending(reading: Reading) -> list[Wire]:
    """The blocks that are.na was still processing when last seen, by their own pages."""
    found: list[Wire] = []
    waiting = [
        one for one in sorted(reading.mirror.live_items()) if _is_processing(reading.mirror.fields(one))
    ]
    for block in waiting[:CHECKS_MAX]:
        try:
            found.append(fetch(reading.client, block))
        except BudgetReachedError:
            break
        except ArenaApiError as error:
            reading.report.notes.append(f"{block}, still processing when last seen: {error}")
    return found


def _is_processing(fields: Fields | None) -> bool:
    return fields is not None and (
        fields.get("type") == "PendingBlock" or fields.get("state") == "processing"
    )


def _moves(reading: Reading, outcome: Outcome, device: str) -> list[Draft]:
    """New ranks for as few connections as give the order that was read, unless a push knows it better."""
    if reading.recorder.is_overtaken:
        return []
    gone = set(outcome.verdict.vanished)
    ranked = [(one, reading.mirror.rank(one, device)) for one in outcome.sequence if one not in gone]
    had = {one for one, rank in ranked if rank is not None}
    moves = fewest_moves(ranked)
    reading.recorder.tally.moved = len(moves.keys() & had)
    return [reading.recorder.fact("connection.ranked", one, {"rank": rank}) for one, rank in moves.items()]


def _finished(reading: Reading, outcome: Outcome, comments: dict[str, int]) -> Draft:
    verdict = outcome.verdict
    payload: Fields = {
        "channel": reading.mirror.channel,
        "account": reading.account,
        "mode": outcome.mode,
        "complete": outcome.complete,
        "items": reading.report.items,
        "total": outcome.total,
        "live": len(reading.mirror.live() - set(verdict.vanished)),
        "requests": reading.requests,
        "head": str(reading.mirror.head),
    }
    lists = {
        "hidden": verdict.hidden,
        "suspect": verdict.suspect,
        "asked": verdict.asked,
        "to_ask": verdict.to_ask,
        "comments": comments,
    }
    payload |= {key: value for key, value in lists.items() if value}
    return Draft(
        kind="scan.finished", object_id=reading.recorder.cause, payload=payload, cause=reading.recorder.cause
    )


def _each_once(drafts: list[Draft]) -> list[Draft]:
    """The drafts without those that say the same of the same object (a person met twice in one batch)."""
    found: dict[str, Draft] = {}
    for draft in drafts:
        found.setdefault(canonical({"": [draft.kind, draft.object_id, draft.payload]}), draft)
    return list(found.values())
